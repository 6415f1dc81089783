//! The output of a message: its bytes, or their number.

use causeway_proto::protobuf::raw_varint;
use causeway_proto::width;

/// Takes the fields of a message, or only counts their bytes.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    counted: Option<usize>,
}

impl Writer {
    /// Counts.
    pub(super) fn counting() -> Self {
        Self { bytes: Vec::new(), counted: Some(0) }
    }

    /// Writes up to `room` bytes without growing.
    pub(super) fn writing(room: usize) -> Self {
        Self { bytes: Vec::with_capacity(room), counted: None }
    }

    /// Counts bytes whose number is known, so that no message is counted once more for each one that holds it. Returns
    /// false, and does nothing, if the output is written.
    pub(super) fn counts(&mut self, len: usize) -> bool {
        if let Some(counted) = &mut self.counted {
            *counted += len;
        }
        self.counted.is_some()
    }

    /// The bytes counted.
    pub(super) fn counted(self) -> usize {
        self.counted.unwrap_or_default()
    }

    /// The bytes written.
    pub(super) fn written(self) -> Vec<u8> {
        self.bytes
    }

    fn append(&mut self, bytes: &[u8]) {
        match &mut self.counted {
            Some(counted) => *counted += bytes.len(),
            None => self.bytes.extend_from_slice(bytes),
        }
    }

    /// Appends a number without a field.
    pub(super) fn raw(&mut self, value: u64) {
        raw_varint(value, &mut |byte| self.append(&[byte]));
    }

    /// Appends a number as a field.
    pub(super) fn number(&mut self, number: u32, value: u64) {
        self.raw(u64::from(number) << 3);
        self.raw(value);
    }

    /// Appends what stands before `len` bytes of a field.
    pub(super) fn header(&mut self, number: u32, len: usize) {
        self.raw(u64::from(number) << 3 | 2);
        self.raw(width::to_u64(len));
    }

    /// Appends bytes as a field.
    pub(super) fn bytes(&mut self, number: u32, value: &[u8]) {
        self.header(number, value.len());
        self.append(value);
    }
}
