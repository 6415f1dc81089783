//! Encodings of the model as rows. A field's number is never used for another.
//!
//! What this module does not know: what a value means, and how a row is sealed.

mod opened;
mod peer;
pub mod recipient;
