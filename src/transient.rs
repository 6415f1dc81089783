//! Which error codes of the server pass by themselves.

/// Whether a stanza that was refused with this code may be sent again later (docs/spec/wire.md §5.8).
pub(crate) fn is_transient(code: u32) -> bool {
    matches!(code, 408 | 429 | 500 | 502 | 503)
}
