//! The content of a message, once it is decrypted and unpadded (docs/spec/wire.md §6.8). One file for each kind.
//!
//! Writes text, reads what a chat can act on, and gives everything else a name, so that a person sees "unsupported:
//! contact" and not nothing. Only what is read is checked: text that is not UTF-8 reads with U+FFFD, and what nobody
//! shows may be anything. It does not know envelopes, padding, or how a message is shown. It keeps no bytes: the caller
//! has them.

mod error;
mod kind;
mod media;
mod message;
mod parse;
mod protocol;
mod reaction;
mod target;
#[cfg(test)]
mod tests;
mod text;

pub use error::ContentError;
pub use kind::{Content, Silent, UnsupportedKind};
pub use media::{Media, MediaKind};
pub use parse::parse;
pub use target::Target;
pub use text::text;
