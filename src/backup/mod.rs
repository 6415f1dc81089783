//! Backups: one encrypted file with everything that an account needs to continue in another browser.
//!
//! ```text
//!   rows ──▶ entries (contents) ──▶ chunks of 64 KiB, sealed one by one (format) ──▶ file
//!                                       ▲ key
//!   passphrase ── Argon2id (kdf) ───────┘
//! ```
//!
//! Writing and reading stream: neither holds the whole file. `docs/BACKUP.md` describes the file byte by byte, what it
//! protects against, and what not. What this module does not know: the store, the account, and when a backup is made or
//! restored (`engine/make_backup.rs`, `engine/apply_backup.rs`).

pub mod contents;
pub mod format;
pub mod kdf;
pub mod passphrase;
