//! Frames: a three-byte length before each payload, and the connection header before the first
//! (docs/spec/wire.md §1.1).
//!
//! The bytes of one frame may arrive in any number of pieces. This module must not know what a frame holds.

/// "ED", 0, 1: routing information precedes the header (docs/spec/wire.md §1.1).
const ROUTING_MARK: [u8; 4] = [b'E', b'D', 0, 1];
/// Most bytes of routing information that are skipped.
const MAX_ROUTING: usize = 4096;
/// Bytes of a length.
const LENGTH: usize = 3;
/// Consumed bytes that stay at the front of the buffer before it is compacted.
const COMPACT_ABOVE: usize = 16 * 1024;

/// Why bytes are no sequence of frames. The connection can't go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A frame longer than this end takes.
    #[error("a frame of {got} bytes came, at most {limit} are taken")]
    TooLong {
        /// Announced length, in bytes.
        got: usize,
        /// Largest accepted length, in bytes.
        limit: usize,
    },
    /// The first bytes are no connection header of this protocol.
    #[error("the connection does not begin with WA")]
    NotOurs,
}

/// Received bytes that were not taken out yet. At most one unfinished frame and one read are kept.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    start: usize,
    consumed: u64,
    limit: usize,
}

impl FrameBuffer {
    /// A buffer for frames of at most `limit` bytes of payload.
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, consumed: 0, limit }
    }

    /// Appends received bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Number of bytes taken out since the connection began: header, lengths and payloads.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Takes out the four bytes of the connection header and the routing information before it, if any. `None` until
    /// all of it has arrived. The two bytes after "WA" are not checked: the handshake proves that both ends saw the
    /// same.
    ///
    /// # Errors
    /// [`FrameError`] when the connection begins with anything else.
    pub fn header(&mut self) -> Result<Option<[u8; 4]>, FrameError> {
        let pending = self.pending();
        let Some((first, rest)) = pending.split_first_chunk::<4>() else { return Ok(None) };
        let (header, length) = if *first == ROUTING_MARK {
            let Some((length, rest)) = rest.split_first_chunk::<LENGTH>() else { return Ok(None) };
            let length = big_endian(*length);
            if length > MAX_ROUTING {
                return Err(FrameError::TooLong { got: length, limit: MAX_ROUTING });
            }
            let Some(header) = rest.get(length..).and_then(|rest| rest.first_chunk::<4>()) else { return Ok(None) };
            (*header, 4 + LENGTH + length + 4)
        } else {
            (*first, 4)
        };
        if !header.starts_with(b"WA") {
            return Err(FrameError::NotOurs);
        }
        self.consume(length);
        Ok(Some(header))
    }

    /// Takes out the next frame's payload. `None` until all of it has arrived.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] as soon as the length has arrived.
    pub fn frame(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let pending = self.pending();
        let Some((length, rest)) = pending.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = big_endian(*length);
        if length > self.limit {
            return Err(FrameError::TooLong { got: length, limit: self.limit });
        }
        let Some(payload) = rest.get(..length).map(<[u8]>::to_vec) else { return Ok(None) };
        self.consume(LENGTH + length);
        Ok(Some(payload))
    }

    fn pending(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.consumed = self.consumed.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        } else if self.start > COMPACT_ABOVE {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }
}

/// A payload with its length before it; `None` for a payload of 16 MiB or more.
pub fn framed(payload: &[u8]) -> Option<Vec<u8>> {
    let [0, length @ ..] = u32::try_from(payload.len()).ok()?.to_be_bytes() else { return None };
    let mut bytes = Vec::with_capacity(LENGTH + payload.len());
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(payload);
    Some(bytes)
}

fn big_endian(bytes: [u8; LENGTH]) -> usize {
    bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_routing_and_frames_may_arrive_byte_by_byte() {
        let mut stream = vec![b'E', b'D', 0, 1, 0, 0, 2, 9, 9, b'W', b'A', 6, 3];
        stream.extend(framed(b"one").unwrap());
        stream.extend(framed(b"").unwrap());
        let mut buffer = FrameBuffer::new(3);
        let (mut header, mut frames) = (None, Vec::new());
        for byte in &stream {
            buffer.feed(&[*byte]);
            if header.is_none() {
                header = buffer.header().unwrap();
            } else {
                frames.extend(buffer.frame().unwrap());
            }
        }
        assert_eq!((header, frames), (Some([b'W', b'A', 6, 3]), vec![b"one".to_vec(), Vec::new()]));
        assert_eq!(buffer.consumed(), u64::try_from(stream.len()).unwrap());
    }

    #[test]
    fn what_is_too_long_or_of_another_protocol_is_an_error() {
        let mut buffer = FrameBuffer::new(3);
        buffer.feed(&[0, 0, 4]);
        assert_eq!(buffer.frame(), Err(FrameError::TooLong { got: 4, limit: 3 }));
        let mut buffer = FrameBuffer::new(3);
        buffer.feed(b"GET / HTTP/1.1");
        assert_eq!(buffer.header(), Err(FrameError::NotOurs));
        assert!(framed(&vec![0; 1 << 24]).is_none());
    }
}
