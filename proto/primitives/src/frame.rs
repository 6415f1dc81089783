//! Cuts the stream of the socket into frames and puts lengths before them (docs/spec/wire.md §1.1).
//!
//! The bytes of one frame may come in any number of pieces, and one piece may hold any number of frames: the messages
//! of a WebSocket mean nothing here. What this module does not know: what a frame holds.
//!
//! ```
//! use causeway_primitives::frame::{self, FrameError, FrameReader};
//!
//! let mut stream = frame::header(5)?.to_vec();
//! assert_eq!(stream, [0, 0, 5]);
//! stream.extend_from_slice(b"hello");
//!
//! // A frame arrives in any number of pieces.
//! let mut reader = FrameReader::new(1024);
//! reader.feed(&stream[..4]);
//! assert_eq!(reader.next()?, None);
//! reader.feed(&stream[4..]);
//! assert_eq!(reader.next()?.as_deref(), Some(b"hello".as_slice()));
//!
//! // One that is longer than allowed is refused by its header.
//! reader.feed(&frame::header(1025)?);
//! assert_eq!(reader.next(), Err(FrameError::TooLong { most: 1024, got: 1025 }));
//! # Ok::<(), FrameError>(())
//! ```

use crate::width;
use std::mem;

/// Longest payload that a length of three bytes can express.
pub const MAX_PAYLOAD: usize = (1 << 24) - 1;

const HEADER: usize = 3;

/// Most bytes that are kept for a caller who feeds without taking frames out.
const MAX_BACKLOG: usize = 2 * (HEADER + MAX_PAYLOAD);

/// The three bytes before a payload of `length` bytes.
///
/// # Errors
/// When the length does not fit into them.
pub fn header(length: usize) -> Result<[u8; 3], FrameError> {
    match u32::try_from(length).map(u32::to_be_bytes) {
        Ok([0, length @ ..]) => Ok(length),
        _ => Err(FrameError::TooLong { most: MAX_PAYLOAD, got: length }),
    }
}

/// Appends what a client sends before its first frame: the routing information that an earlier connection was given, if
/// any, and the four bytes that name the protocol. Only these four are part of the handshake's prologue.
///
/// # Errors
/// When the routing information is longer than its length field can express.
pub fn opening(connection_header: &[u8; 4], routing: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), FrameError> {
    if let Some(routing) = routing {
        let length = header(routing.len())?;
        out.extend_from_slice(b"ED\x00\x01");
        out.extend_from_slice(&length);
        out.extend_from_slice(routing);
    }
    out.extend_from_slice(connection_header);
    Ok(())
}

/// Puts frames together again.
///
/// Keeps what has been fed and not yet taken, so it holds at most one unfinished frame and one piece if all frames are
/// taken out after each piece. After an error the stream has no meaning any more: the error stays and nothing is kept.
#[derive(Debug)]
pub struct FrameReader {
    most: usize,
    buffer: Vec<u8>,
    /// Bytes of the buffer that have been taken out already.
    taken: usize,
    broken: Option<FrameError>,
}

impl FrameReader {
    /// A reader of frames whose payload has at most `max_frame_bytes` bytes.
    pub fn new(max_frame_bytes: usize) -> Self {
        Self { most: max_frame_bytes.min(MAX_PAYLOAD), buffer: Vec::new(), taken: 0, broken: None }
    }

    /// Takes in what one message of the socket brought.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        // Moving the rest to the front costs at most as much as was taken out since the last time.
        if self.taken * 2 >= self.buffer.len() {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        let got = self.buffer.len() - self.taken;
        if got > MAX_BACKLOG {
            self.give_up(FrameError::Backlog { most: MAX_BACKLOG, got });
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Takes out the payload of the next frame, or `None` until more has been fed.
    ///
    /// # Errors
    /// When a frame announces more than it may have; as soon as its length is there, before its payload is. Then
    /// always.
    #[expect(clippy::should_implement_trait, reason = "None is not the end, and an error ends it for good")]
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let pending = self.buffer.get(self.taken..).unwrap_or_default();
        let Some(([high, middle, low], rest)) = pending.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = width::to_usize(u32::from_be_bytes([0, *high, *middle, *low]));
        if length > self.most {
            return Err(self.give_up(FrameError::TooLong { most: self.most, got: length }));
        }
        let Some(payload) = rest.get(..length).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.taken += HEADER + length;
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.taken = 0;
        }
        Ok(Some(payload))
    }

    /// Whether bytes of an unfinished frame are waiting: the stream should not end here.
    pub fn is_inside_frame(&self) -> bool {
        self.taken < self.buffer.len()
    }

    fn give_up(&mut self, error: FrameError) -> FrameError {
        self.broken = Some(error);
        self.taken = 0;
        mem::take(&mut self.buffer);
        error
    }
}

/// Why a stream is no sequence of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A frame that is longer than it may be.
    #[error("a frame can have {most} bytes here, this has {got}")]
    TooLong {
        /// The most that is sent or read.
        most: usize,
        /// Bytes of the payload, or that the frame announces.
        got: usize,
    },
    /// Frames were fed but never taken out.
    #[error("{got} bytes of frames wait to be taken out, more than {most}")]
    Backlog {
        /// The most that is kept.
        most: usize,
        /// Bytes that wait.
        got: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_cut_apart() {
        let mut reader = FrameReader::new(10);
        for byte in [0, 0, 2, b'h'] {
            reader.feed(&[byte]);
            assert_eq!(reader.next(), Ok(None));
            assert!(reader.is_inside_frame());
        }
        reader.feed(b"i\x00\x00\x00\x00");
        assert_eq!(reader.next(), Ok(Some(b"hi".to_vec())));
        assert_eq!(reader.next(), Ok(Some(Vec::new())), "a frame may be empty");
        assert_eq!(reader.next(), Ok(None));
        assert!(reader.is_inside_frame());
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_by_its_length_alone_and_for_good() {
        let mut reader = FrameReader::new(4);
        reader.feed(&[0, 0, 4, 1, 2, 3, 4, 0, 0, 5]);
        assert_eq!(reader.next(), Ok(Some(vec![1, 2, 3, 4])));
        let error = Err(FrameError::TooLong { most: 4, got: 5 });
        assert_eq!(reader.next(), error);
        reader.feed(&[0, 0, 1, 1]);
        assert_eq!(reader.next(), error);
        assert!(!reader.is_inside_frame());
        assert_eq!(reader.buffer.capacity(), 0);
    }

    #[test]
    fn the_longest_frame_that_a_length_can_express() {
        let mut reader = FrameReader::new(usize::MAX);
        reader.feed(&[0xFF; 3]);
        reader.feed(&vec![7; MAX_PAYLOAD]);
        assert_eq!(reader.next().map(|frame| frame.map(|frame| frame.len())), Ok(Some(MAX_PAYLOAD)));
    }

    #[test]
    fn the_buffer_stays_as_small_as_a_frame_and_a_piece() {
        let frame = [&header(1000).unwrap()[..], &[7; 1000]].concat();
        let mut reader = FrameReader::new(1000);
        let mut read = 0;
        for piece in frame.repeat(500).chunks(777) {
            reader.feed(piece);
            while reader.next().unwrap().is_some() {
                read += 1;
            }
        }
        assert_eq!(read, 500);
        assert!(reader.buffer.capacity() <= 4 * (frame.len() + 777), "{}", reader.buffer.capacity());
    }

    #[test]
    fn feeding_without_taking_frames_out_is_refused() {
        let mut reader = FrameReader::new(MAX_PAYLOAD);
        let piece = vec![0; 1 << 23];
        for _ in 0..4 {
            reader.feed(&piece);
        }
        assert_eq!(reader.next(), Ok(Some(Vec::new())));
        reader.feed(&piece);
        reader.feed(&piece);
        let got = 5 * piece.len() - 3;
        assert_eq!(reader.next(), Err(FrameError::Backlog { most: MAX_BACKLOG, got }));
    }
}
