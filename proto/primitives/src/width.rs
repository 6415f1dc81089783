//! Conversions between integer widths that lose nothing on the targets of this workspace, whose pointers have 32 or 64
//! bits. `From` does not exist for them, because Rust also has targets with 16.

/// A size in memory as a number of the wire or of a file.
#[expect(clippy::as_conversions, reason = "usize has at most 64 bits")]
pub const fn to_u64(size: usize) -> u64 {
    size as u64
}

/// A number of the wire as a size in memory.
#[expect(clippy::as_conversions, reason = "usize has at least 32 bits on every target of this workspace")]
pub const fn to_usize(number: u32) -> usize {
    number as usize
}
