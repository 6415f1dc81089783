//! Finds the boundaries of WebSocket frames (RFC 6455 §5.2), so that a ping can be inserted between two of them.
//!
//! Payloads pass as they arrive, whatever length the frame header gives; only control frames, which have at most 125
//! bytes of payload, are buffered. What this module does not know: what the payloads mean, sockets, the time.

/// Maximum payload of a control frame in bytes.
const MAX_CONTROL: usize = 125;
/// Maximum header: two bytes, eight of length, four of mask.
const MAX_HEAD: usize = 14;
/// Maximum control frame; its header has a short length.
const MAX_CONTROL_FRAME: usize = 2 + 4 + MAX_CONTROL;

/// What is forwarded of data frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// The frames unchanged, including masks: to another WebSocket.
    Frames,
    /// The unmasked payloads, concatenated: to a byte stream.
    Payloads,
}

/// The peer violates RFC 6455.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("a client's frame is not masked, or a server's frame is")]
    Mask,
    #[error("a control frame is fragmented or longer than {MAX_CONTROL} bytes")]
    Control,
    #[error("a frame has a reserved bit or opcode that was not negotiated")]
    Opcode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Close,
    Ping,
    Pong,
}

/// A complete control frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Control {
    pub(super) opcode: Opcode,
    frame: [u8; MAX_CONTROL_FRAME],
    length: usize,
}

impl Control {
    /// The frame as received.
    pub(super) fn frame(&self) -> &[u8] {
        self.frame.get(..self.length).unwrap_or_default()
    }

    /// The unmasked payload.
    pub(super) fn payload(&self) -> Vec<u8> {
        let head = Head::parse(self.frame());
        let Ok(Some(head)) = head else { return Vec::new() };
        let mut payload = self.frame().get(head.bytes..).unwrap_or_default().to_vec();
        unmask(&mut payload, head.mask, 0);
        payload
    }
}

/// Encodes a control frame. `mask` is required from a client. Payloads over 125 bytes are truncated.
pub(super) fn control(opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let payload = payload.get(..MAX_CONTROL).unwrap_or(payload);
    let code = match opcode {
        Opcode::Close => 0x8,
        Opcode::Ping => 0x9,
        Opcode::Pong => 0xA,
    };
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let length = u8::try_from(payload.len()).unwrap_or(0);
    let mut frame = vec![0x80 | code, masked | length];
    frame.extend(mask.unwrap_or_default().iter().filter(|_| mask.is_some()));
    let begin = frame.len();
    frame.extend_from_slice(payload);
    unmask(frame.get_mut(begin..).unwrap_or_default(), mask.unwrap_or_default(), 0);
    frame
}

/// Encodes a close frame; the reason is for logs.
pub(super) fn close(code: u16, reason: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
    control(Opcode::Close, &[&code.to_be_bytes(), reason.as_bytes()].concat(), mask)
}

/// Encodes the header of a binary frame to a client, for a payload of `length` bytes.
pub(super) fn binary_head(length: usize) -> Vec<u8> {
    let mut head = vec![0x82];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => head.push(length),
        (_, Ok(length)) => {
            head.push(126);
            head.extend(length.to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    head
}

fn unmask(bytes: &mut [u8], mask: [u8; 4], from: usize) {
    for (byte, key) in bytes.iter_mut().zip(mask.iter().cycle().skip(from % 4)) {
        *byte ^= key;
    }
}

/// A frame's header.
#[derive(Debug, Clone, Copy)]
struct Head {
    first: u8,
    masked: bool,
    length: u64,
    mask: [u8; 4],
    /// Length of the header itself.
    bytes: usize,
}

impl Head {
    /// `None` while the header is incomplete.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Violation> {
        let (Some(&first), Some(&second)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
        let masked = second & 0x80 != 0;
        let is_control = first & 0x08 != 0;
        let short = second & 0x7F;
        if is_control && (first & 0x80 == 0 || usize::from(short) > MAX_CONTROL) {
            return Err(Violation::Control);
        }
        let extra = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let total = 2 + extra + if masked { 4 } else { 0 };
        if bytes.len() < total {
            return Ok(None);
        }
        let wide = bytes.get(2..2 + extra).unwrap_or_default();
        let length = match extra {
            0 => short.into(),
            _ => wide.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        let mut mask = [0; 4];
        if masked {
            mask.copy_from_slice(bytes.get(2 + extra..total).unwrap_or(&[0; 4]));
        }
        Ok(Some(Self { first, masked, length, mask, bytes: total }))
    }

    fn opcode(&self) -> u8 {
        self.first & 0x0F
    }
}

#[derive(Debug)]
enum State {
    /// Buffering a header, or a whole control frame, in `kept`.
    Gathering,
    /// Inside a data frame.
    Payload { left: u64, mask: [u8; 4], at: usize },
}

/// Tracks the frames of one direction.
#[derive(Debug)]
pub(super) struct Frames {
    pass: Pass,
    /// Whether the sender is a client, whose frames are masked.
    masked: bool,
    state: State,
    kept: Vec<u8>,
}

impl Frames {
    pub(super) fn new(pass: Pass, masked: bool) -> Self {
        Self { pass, masked, state: State::Gathering, kept: Vec::new() }
    }

    /// Whether the forwarded bytes end at a frame boundary.
    pub(super) fn at_boundary(&self) -> bool {
        // A header is forwarded only when it is complete.
        matches!(self.state, State::Gathering)
    }

    /// Consumes bytes from the front of `input` and appends what is to be forwarded to `out`, until `input` is empty or
    /// a control frame is complete; the caller forwards that one.
    pub(super) fn take(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Control>, Violation> {
        while !input.is_empty() {
            match &mut self.state {
                State::Payload { left, mask, at } => {
                    let whole = usize::try_from(*left).unwrap_or(usize::MAX);
                    let (now, later) = input.split_at(whole.min(input.len()));
                    let begin = out.len();
                    out.extend_from_slice(now);
                    if self.pass == Pass::Payloads {
                        unmask(out.get_mut(begin..).unwrap_or_default(), *mask, *at);
                    }
                    *input = later;
                    *at = at.wrapping_add(now.len());
                    *left -= u64::try_from(now.len()).unwrap_or(*left);
                    if *left == 0 {
                        self.state = State::Gathering;
                    }
                }
                State::Gathering => {
                    if let Some(control) = self.gather(input, out)? {
                        return Ok(Some(control));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Consumes one byte; headers are too short for more to be worthwhile.
    fn gather(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Control>, Violation> {
        let Some((byte, rest)) = input.split_first() else { return Ok(None) };
        *input = rest;
        self.kept.push(*byte);
        debug_assert!(self.kept.len() <= MAX_CONTROL_FRAME.max(MAX_HEAD));
        let Some(head) = Head::parse(&self.kept)? else { return Ok(None) };
        if head.masked != self.masked {
            return Err(Violation::Mask);
        }
        let opcode = match head.opcode() {
            0x0..=0x2 => None,
            0x8 => Some(Opcode::Close),
            0x9 => Some(Opcode::Ping),
            0xA => Some(Opcode::Pong),
            _ => return Err(Violation::Opcode),
        };
        // No extension was negotiated at either end.
        if head.first & 0x70 != 0 {
            return Err(Violation::Opcode);
        }
        let Some(opcode) = opcode else {
            if self.pass == Pass::Frames {
                out.extend_from_slice(&self.kept);
            }
            self.kept.clear();
            if head.length > 0 {
                self.state = State::Payload { left: head.length, mask: head.mask, at: 0 };
            }
            return Ok(None);
        };
        // A control frame's length is in its second byte: at most 125.
        if self.kept.len() < head.bytes + usize::try_from(head.length).unwrap_or(MAX_CONTROL) {
            return Ok(None);
        }
        let mut control = Control { opcode, frame: [0; MAX_CONTROL_FRAME], length: self.kept.len() };
        for (to, from) in control.frame.iter_mut().zip(&self.kept) {
            *to = *from;
        }
        // An idle connection holds no buffer.
        self.kept = Vec::new();
        Ok(Some(control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn data(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut frame = binary_head(payload.len());
        frame[0] = first;
        let mut payload = payload.to_vec();
        if let Some(mask) = mask {
            frame[1] |= 0x80;
            frame.extend(mask);
            unmask(&mut payload, mask, 0);
        }
        [frame, payload].concat()
    }

    /// Feeds `bytes` in chunks of `step`; returns the forwarded bytes and the control frames.
    fn feed(frames: &mut Frames, bytes: &[u8], step: usize) -> Result<(Vec<u8>, Vec<Control>), Violation> {
        let (mut out, mut controls) = (Vec::new(), Vec::new());
        for mut piece in bytes.chunks(step) {
            while !piece.is_empty() {
                controls.extend(frames.take(&mut piece, &mut out)?);
            }
        }
        Ok((out, controls))
    }

    #[test]
    fn data_passes_byte_for_byte_in_chunks_of_any_size() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let payload: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let bytes = [data(0x02, &payload, Some(MASK)), data(0x80, &payload, Some(MASK))].concat();
            for step in [1, 3, 1_000, usize::MAX] {
                let mut frames = Frames::new(Pass::Frames, true);
                assert_eq!(feed(&mut frames, &bytes, step).unwrap().0, bytes);
                assert!(frames.at_boundary());
                let mut payloads = Frames::new(Pass::Payloads, true);
                assert_eq!(feed(&mut payloads, &bytes, step).unwrap().0, [payload.clone(), payload.clone()].concat());
            }
        }
    }

    #[test]
    fn control_frames_are_found_between_fragments_of_a_message() {
        let ping = control(Opcode::Ping, b"are you there", Some(MASK));
        let bytes = [
            data(0x02, b"first", Some(MASK)),
            ping.clone(),
            data(0x80, b"last", Some(MASK)),
            close(1001, "x", Some(MASK)),
        ]
        .concat();
        for step in [1, 2, 7, usize::MAX] {
            let mut frames = Frames::new(Pass::Payloads, true);
            let (out, controls) = feed(&mut frames, &bytes, step).unwrap();
            assert_eq!(out, b"firstlast");
            let [first, second] = controls.as_slice() else { panic!("{controls:?}") };
            assert_eq!((first.opcode, first.payload().as_slice()), (Opcode::Ping, b"are you there".as_slice()));
            assert_eq!(first.frame(), ping);
            assert_eq!(
                (second.opcode, second.payload()),
                (Opcode::Close, [1001u16.to_be_bytes().as_slice(), b"x"].concat())
            );
        }
    }

    #[test]
    fn nothing_may_be_inserted_inside_a_frame() {
        let mut frames = Frames::new(Pass::Frames, false);
        let bytes = data(0x82, b"0123456789", None);
        let mut out = Vec::new();
        frames.take(&mut &bytes[..1], &mut out).unwrap();
        assert!(frames.at_boundary() && out.is_empty(), "an incomplete header is held back");
        frames.take(&mut &bytes[1..5], &mut out).unwrap();
        assert!(!frames.at_boundary());
        frames.take(&mut &bytes[5..], &mut out).unwrap();
        assert!(frames.at_boundary());
        assert_eq!(out, bytes);
    }

    #[test]
    fn a_frame_of_any_length_costs_no_memory() {
        let mut frames = Frames::new(Pass::Frames, false);
        let head = [0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255];
        let (out, _) = feed(&mut frames, &head, 1).unwrap();
        assert_eq!(out, head);
        let (out, _) = feed(&mut frames, &[7; 100_000], 4_096).unwrap();
        assert_eq!(out.len(), 100_000);
        assert!(frames.kept.capacity() <= 64);
    }

    #[test]
    fn frames_that_violate_rfc_6455_are_refused() {
        let masked = |bytes: &[u8]| feed(&mut Frames::new(Pass::Frames, true), bytes, 1).map(drop).unwrap_err();
        assert_eq!(masked(&data(0x82, b"x", None)), Violation::Mask);
        assert_eq!(masked(&[0x09, 0x80]), Violation::Control);
        assert_eq!(masked(&[0x89, 0x80 | 126]), Violation::Control);
        assert_eq!(masked(&data(0x83, b"x", Some(MASK))), Violation::Opcode);
        assert_eq!(masked(&data(0xC2, b"x", Some(MASK))), Violation::Opcode);
        let mut server = Frames::new(Pass::Frames, false);
        assert_eq!(feed(&mut server, &data(0x82, b"x", Some(MASK)), 1).map(drop), Err(Violation::Mask));
    }
}
