//! The backup: one encrypted file with everything that an account needs to go on in another browser.
//!
//! ```text
//!   rows ──▶ entries (contents) ──▶ chunks of 64 KiB, sealed one by one (format) ──▶ file
//!                                       ▲ key
//!   passphrase ── Argon2id (lock) ──────┘
//! ```
//!
//! Both ways stream: neither writing nor reading ever holds the whole of it. `docs/BACKUP.md` describes the file byte
//! by byte, what it protects against, and what it does not. What this module does not know: the store, the account, and
//! when it is right to make or to restore a backup; that is the engine's (`engine/export.rs`, `engine/restore.rs`).

pub mod contents;
pub mod format;
pub mod kdf;
pub mod passphrase;
