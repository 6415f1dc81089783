//! Writes a node as bytes, in one pass and without allocating (docs/spec/wire.md §3.1 to §3.4).
//!
//! What this module does not know: the flag byte and the frame around the bytes.

use super::packed::{self, Alphabet};
use super::token::{self, Token};
use super::{Content, MAX_DEPTH, Node, Text, Value, tag};
use crate::jid::{Jid, JidError, Server};
use crate::profile::{InteropJidForm, Profile};

/// Appends a node to `out`. Allocates only if `out` has to grow, so a reused buffer costs no allocation. After an error
/// `out` is unchanged.
///
/// # Errors
/// When the tree has something that the wire has no form for.
pub fn encode(node: &Node, profile: &Profile, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let result = Writer { out, interop_jid: profile.interop_jid, open_jid: false }.node(node, 1);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    interop_jid: InteropJidForm,
    /// The last JID is an interop JID without a server.
    open_jid: bool,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node, depth: usize) -> Result<(), EncodeError> {
        if depth > MAX_DEPTH {
            return Err(EncodeError::TooDeep { most: MAX_DEPTH });
        }
        if node.tag.is_empty() {
            return Err(EncodeError::EmptyTag);
        }
        let content = usize::from(node.content != Content::Empty);
        self.list(1 + 2 * node.attrs.len() + content, |size| EncodeError::TooManyAttributes { got: (size - 1) / 2 })?;
        self.string(&node.tag)?;
        let mut attrs = node.attrs.as_slice();
        while let [(key, value), behind @ ..] = attrs {
            attrs = behind;
            if key.is_empty() {
                return Err(EncodeError::EmptyKey);
            }
            self.string(key)?;
            match value {
                Value::Text(text) => self.string(text)?,
                Value::Jid(jid) => {
                    self.open_jid = false;
                    self.jid(jid)?;
                    if self.open_jid {
                        self.end_interop_jid(behind)?;
                    }
                }
                Value::UnknownJid(unknown) => self.out.extend_from_slice(unknown.as_bytes()),
            }
        }
        match &node.content {
            Content::Empty => Ok(()),
            Content::Nodes(nodes) if nodes.is_empty() => {
                self.out.push(tag::LIST_EMPTY);
                Ok(())
            }
            Content::Nodes(nodes) => {
                self.list(nodes.len(), |got| EncodeError::TooManyChildren { got })?;
                nodes.iter().try_for_each(|child| self.node(child, depth + 1))
            }
            Content::Bytes(bytes) => self.binary(bytes),
            Content::Value(value) => self.value(value),
        }
    }

    fn list(&mut self, size: usize, too_many: fn(usize) -> EncodeError) -> Result<(), EncodeError> {
        let size = u16::try_from(size).map_err(|_| too_many(size))?;
        match size.to_be_bytes() {
            [0, size] => self.out.extend_from_slice(&[tag::LIST_8, size]),
            [high, low] => self.out.extend_from_slice(&[tag::LIST_16, high, low]),
        }
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), EncodeError> {
        match value {
            Value::Text(text) => self.string(text),
            Value::Jid(jid) => self.jid(jid),
            Value::UnknownJid(unknown) => {
                self.out.extend_from_slice(unknown.as_bytes());
                Ok(())
            }
        }
    }

    /// Words before packed forms before raw bytes: the order on which all implementations agree.
    fn string(&mut self, text: &str) -> Result<(), EncodeError> {
        match token::find(text) {
            Some(Token::Single(tag)) => self.out.push(tag),
            Some(Token::Double(dictionary, index)) => self.out.extend_from_slice(&[dictionary, index]),
            None => match packed::alphabet(text.as_bytes()) {
                Some(alphabet) => {
                    self.out.push(match alphabet {
                        Alphabet::Nibble => tag::NIBBLE_8,
                        Alphabet::Hex => tag::HEX_8,
                    });
                    packed::pack(alphabet, text.as_bytes(), self.out);
                }
                None => self.binary(text.as_bytes())?,
            },
        }
        Ok(())
    }

    fn binary(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.binary_header(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn binary_header(&mut self, length: usize) -> Result<(), EncodeError> {
        let length = u32::try_from(length).map_err(|_| EncodeError::TooLong { got: length })?;
        match length.to_be_bytes() {
            [0, 0, 0, length] => self.out.extend_from_slice(&[tag::BINARY_8, length]),
            [0, high @ 0..0x10, middle, low] => {
                self.out.extend_from_slice(&[tag::BINARY_20, high, middle, low]);
            }
            bytes => {
                self.out.push(tag::BINARY_32);
                self.out.extend_from_slice(&bytes);
            }
        }
        Ok(())
    }

    fn jid(&mut self, jid: &Jid) -> Result<(), EncodeError> {
        jid.check()?;
        if jid.user.is_empty() {
            self.out.extend_from_slice(&[tag::JID_PAIR, tag::LIST_EMPTY]);
            return self.string(jid.server.as_str());
        }
        match &jid.server {
            Server::Interop => self.interop_jid(jid),
            Server::Messenger => {
                self.out.push(tag::FB_JID);
                self.string(&jid.user)?;
                self.out.extend_from_slice(&jid.device.to_be_bytes());
                self.string(jid.server.as_str())
            }
            server => match (server.domain(), jid.device.to_be_bytes()) {
                (Some(domain), [0, device]) if device > 0 || domain >= 128 => {
                    self.out.extend_from_slice(&[tag::AD_JID, domain, device]);
                    self.string(&jid.user)
                }
                _ => {
                    self.out.push(tag::JID_PAIR);
                    self.string(&jid.user)?;
                    self.string(server.as_str())
                }
            },
        }
    }

    fn interop_jid(&mut self, jid: &Jid) -> Result<(), EncodeError> {
        if self.interop_jid == InteropJidForm::Pair {
            self.out.push(tag::JID_PAIR);
            self.interop_user(jid)?;
            return self.string(jid.server.as_str());
        }
        self.out.push(tag::INTEROP_JID);
        self.string(&jid.user)?;
        self.out.extend_from_slice(&jid.device.to_be_bytes());
        self.out.extend_from_slice(&jid.integrator.to_be_bytes());
        match self.interop_jid {
            InteropJidForm::TaggedEmptyServer => {
                self.out.push(tag::LIST_EMPTY);
                Ok(())
            }
            InteropJidForm::TaggedNoServer => {
                self.open_jid = true;
                Ok(())
            }
            InteropJidForm::Tagged | InteropJidForm::Pair => self.string(jid.server.as_str()),
        }
    }

    /// Puts a server behind an interop JID that was written without one, if the key of the next attribute would be read as
    /// its server.
    #[cold]
    fn end_interop_jid(&mut self, behind: &[(Text, Value)]) -> Result<(), EncodeError> {
        self.open_jid = false;
        let server = Server::Interop;
        match behind {
            [(key, _), ..] if key == server.as_str() => self.string(server.as_str()),
            _ => Ok(()),
        }
    }

    /// `integrator-user[:device]` as one string, put together without allocating.
    fn interop_user(&mut self, jid: &Jid) -> Result<(), EncodeError> {
        let mut integrator = [0; 5];
        let mut device = [0; 5];
        let integrator = decimal(jid.integrator, &mut integrator);
        let device = decimal(jid.device, &mut device);
        let (colon, device): (&[u8], &[u8]) = if jid.device == 0 { (b"", b"") } else { (b":", device) };
        let parts = [integrator, b"-", jid.user.as_bytes(), colon, device];
        let length = parts.iter().map(|part| part.len()).sum();

        // Only short text can be a word or packed, and short text fits on the stack.
        let mut joined = [0; packed::LONGEST];
        if let Some(joined) = joined.get_mut(..length) {
            let mut start = 0;
            for part in parts {
                let end = start + part.len();
                if let Some(place) = joined.get_mut(start..end) {
                    place.copy_from_slice(part);
                }
                start = end;
            }
            if let Ok(text) = str::from_utf8(joined) {
                return self.string(text);
            }
        }
        self.binary_header(length)?;
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
        Ok(())
    }
}

/// Writes the decimal digits of a number to the end of `buffer` and returns them.
fn decimal(mut number: u16, buffer: &mut [u8; 5]) -> &[u8] {
    let mut start = buffer.len();
    for (place, digit) in buffer.iter_mut().enumerate().rev() {
        let [_, value] = (number % 10).to_be_bytes();
        *digit = b'0' + value;
        start = place;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    buffer.get(start..).unwrap_or_default()
}

/// Why a node has no form on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A node without a tag.
    #[error("a node needs a tag")]
    EmptyTag,
    /// An attribute without a key.
    #[error("an attribute needs a key")]
    EmptyKey,
    /// More attributes than a list can count.
    #[error("a node can have 32767 attributes, or 32766 and content; this has {got}")]
    TooManyAttributes {
        /// Attributes of the node.
        got: usize,
    },
    /// More children than a list can count.
    #[error("a node can have 65535 children, this has {got}")]
    TooManyChildren {
        /// Children of the node.
        got: usize,
    },
    /// A string or content beyond a 32-bit length.
    #[error("a string or content can have 4294967295 bytes, this has {got}")]
    TooLong {
        /// Bytes of it.
        got: usize,
    },
    /// Nodes within nodes beyond [`MAX_DEPTH`].
    #[error("nodes are nested deeper than {most}")]
    TooDeep {
        /// The deepest that is written.
        most: usize,
    },
    /// An address whose parts do not belong together.
    #[error("an address in the node is malformed: {0}")]
    Jid(#[from] JidError),
}
