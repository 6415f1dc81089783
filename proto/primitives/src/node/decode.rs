//! Reads a node from bytes that may be hostile, in one pass (docs/spec/wire.md §3).
//!
//! No count or length alone causes an allocation: lengths are checked against the bytes left, and children and
//! attributes, which take far more memory than bytes on the wire, against a budget that the size of the input sets. All
//! forms that implementations are known to write are accepted; anything else is an error with an offset. What this
//! module does not know: the flag byte before the node, and which node is expected.
//!
//! The results are large. Functions are inlined where results would otherwise be copied between stack frames, which
//! took a third of the time.

use crate::width;
use std::borrow::Cow;

use super::packed::{self, Alphabet};
use super::{Content, MAX_DEPTH, MAX_ITEMS, Node, Text, Value, tag, token};
use crate::jid::{Jid, JidError, Server};

/// Reads the one node that the bytes are.
///
/// # Errors
/// The first thing that is wrong, with its place; bytes after the node are wrong as well.
pub fn decode(bytes: &[u8]) -> Result<Node, DecodeError> {
    // A node takes at least three bytes and an attribute two: input that promises more than this is cut short.
    let budget = MAX_ITEMS.min(bytes.len() / 2);
    let mut reader = Reader { rest: bytes, total: bytes.len(), budget };
    reader.pay(0, 1)?;
    let node = reader.node(1)?;
    if !reader.rest.is_empty() {
        return Err(DecodeError::TrailingBytes { offset: reader.offset(), got: reader.rest.len() });
    }
    Ok(node)
}

struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
    /// Nodes and attributes that may still be announced.
    budget: usize,
}

impl<'a> Reader<'a> {
    #[inline(always)]
    fn node(&mut self, depth: usize) -> Result<Node, DecodeError> {
        let offset = self.offset();
        if depth > MAX_DEPTH {
            return Err(DecodeError::TooDeep { offset, most: MAX_DEPTH });
        }
        let size = match self.byte()? {
            tag @ (tag::LIST_8 | tag::LIST_16) => self.list_size(tag)?,
            tag => return Err(DecodeError::NotANode { offset, tag }),
        };
        if size == 0 {
            return Err(DecodeError::EmptyNode { offset });
        }
        self.promise(offset, size, 1)?;
        let count = (size - 1) / 2;
        self.pay(offset, count)?;

        let offset = self.offset();
        let tag = self.name()?;
        if tag.is_empty() {
            return Err(DecodeError::EmptyTag { offset });
        }
        let mut attrs = Vec::with_capacity(count);
        for _ in 0..count {
            let offset = self.offset();
            let key = self.name()?;
            if key.is_empty() {
                return Err(DecodeError::EmptyKey { offset });
            }
            attrs.push((key, self.value()?));
        }
        let content = if size % 2 == 0 { self.content(depth)? } else { Content::Empty };
        Ok(Node { tag, attrs, content })
    }

    #[inline(always)]
    fn content(&mut self, depth: usize) -> Result<Content, DecodeError> {
        let offset = self.offset();
        match self.byte()? {
            tag::LIST_EMPTY => Ok(Content::Nodes(Vec::new())),
            tag @ (tag::LIST_8 | tag::LIST_16) => {
                let count = self.list_size(tag)?;
                self.promise(offset, count, 3)?;
                self.pay(offset, count)?;
                self.nodes(count, depth + 1).map(Content::Nodes)
            }
            tag @ tag::BINARY_8..=tag::BINARY_32 => Ok(Content::Bytes(self.binary(tag)?.to_vec())),
            tag => self.value_of(tag, offset).map(Content::Value),
        }
    }

    /// The only recursive function: everything that a node consists of is inlined into it, once.
    #[inline(never)]
    fn nodes(&mut self, count: usize, depth: usize) -> Result<Vec<Node>, DecodeError> {
        let mut nodes = Vec::with_capacity(count);
        for _ in 0..count {
            nodes.push(self.node(depth)?);
        }
        Ok(nodes)
    }

    #[inline]
    fn value(&mut self) -> Result<Value, DecodeError> {
        let offset = self.offset();
        let tag = self.byte()?;
        match token::single(tag) {
            Some(word) => Ok(Value::Text(Cow::Borrowed(word))),
            None if tag == tag::LIST_EMPTY => Ok(Value::Text(Cow::Borrowed(""))),
            None => self.value_of(tag, offset),
        }
    }

    /// The text or address that begins with `tag`, which has been read at `offset`.
    fn value_of(&mut self, tag: u8, offset: usize) -> Result<Value, DecodeError> {
        match tag {
            tag::JID_PAIR => self.jid_pair(offset).map(Value::Jid),
            tag::AD_JID => self.ad_jid(offset).map(Value::Jid),
            tag::FB_JID => self.fb_jid(offset).map(Value::Jid),
            tag::INTEROP_JID => self.interop_jid(offset).map(Value::Jid),
            _ => self.string(tag, offset).map(Value::Text),
        }
    }

    /// A string where nothing else is allowed. Nearly all are single words, so these are checked first.
    #[inline]
    fn name(&mut self) -> Result<Text, DecodeError> {
        let offset = self.offset();
        let tag = self.byte()?;
        match token::single(tag) {
            Some(word) => Ok(Cow::Borrowed(word)),
            None => self.string_here(tag, offset),
        }
    }

    /// [`Reader::string`] as a call that is not inlined, for rare paths.
    #[inline(never)]
    fn string_here(&mut self, tag: u8, offset: usize) -> Result<Text, DecodeError> {
        self.string(tag, offset)
    }

    /// The text that begins with `tag`, which has been read at `offset`.
    #[inline(always)]
    fn string(&mut self, tag: u8, offset: usize) -> Result<Text, DecodeError> {
        let alphabet = match tag {
            1..=tag::LAST_SINGLE => {
                return token::single(tag).map(Cow::Borrowed).ok_or(DecodeError::UnknownTag { offset, tag });
            }
            tag::DICTIONARY_0..=tag::DICTIONARY_3 => {
                let index = self.byte()?;
                return token::double(tag, index).map(Cow::Borrowed).ok_or(DecodeError::UnknownTag { offset, tag });
            }
            tag::BINARY_8..=tag::BINARY_32 => {
                let text = str::from_utf8(self.binary(tag)?).map_err(|_| DecodeError::NotUtf8 { offset })?;
                return Ok(Cow::Owned(text.to_owned()));
            }
            tag::NIBBLE_8 => Alphabet::Nibble,
            tag::HEX_8 => Alphabet::Hex,
            240..=244 => return Err(DecodeError::UnknownTag { offset, tag }),
            _ => return Err(DecodeError::NotAString { offset, tag }),
        };
        let header = self.byte()?;
        let odd = header & 0x80 != 0;
        let length = usize::from(header & 0x7F);
        if odd && length == 0 {
            return Err(DecodeError::PackedHeader { offset });
        }
        let start = self.offset();
        let text = packed::unpack(alphabet, self.take(length)?, odd);
        text.map(Cow::Owned).map_err(|place| DecodeError::PackedCharacter { offset: start + place })
    }

    /// The bytes of a binary whose tag has been read.
    fn binary(&mut self, tag: u8) -> Result<&'a [u8], DecodeError> {
        let length = match tag {
            tag::BINARY_8 => u32::from(self.byte()?),
            tag::BINARY_20 => {
                let [high, middle, low] = self.array()?;
                u32::from_be_bytes([0, high & 0x0F, middle, low])
            }
            _ => u32::from_be_bytes(self.array()?),
        };
        self.take(width::to_usize(length))
    }

    fn list_size(&mut self, tag: u8) -> Result<usize, DecodeError> {
        Ok(match tag {
            tag::LIST_8 => usize::from(self.byte()?),
            _ => usize::from(u16::from_be_bytes(self.array()?)),
        })
    }

    fn jid_pair(&mut self, offset: usize) -> Result<Jid, DecodeError> {
        let user = self.user()?;
        let server = Server::named(self.name()?);
        Jid::from_parts(user, server).map_err(|source| DecodeError::Jid { offset, source })
    }

    fn ad_jid(&mut self, offset: usize) -> Result<Jid, DecodeError> {
        let place = self.offset();
        let [domain, device] = self.array()?;
        let server = Server::of_domain(domain).ok_or(DecodeError::UnknownDomain { offset: place, domain })?;
        let user = self.user()?;
        device_jid(user, server, u16::from(device), 0, offset)
    }

    fn fb_jid(&mut self, offset: usize) -> Result<Jid, DecodeError> {
        let user = self.user()?;
        let device = u16::from_be_bytes(self.array()?);
        let place = self.offset();
        if self.name()? != Server::Messenger.as_str() {
            return Err(DecodeError::WrongServer { offset: place, expected: "msgr" });
        }
        device_jid(user, Server::Messenger, device, 0, offset)
    }

    fn interop_jid(&mut self, offset: usize) -> Result<Jid, DecodeError> {
        let user = self.user()?;
        let device = u16::from_be_bytes(self.array()?);
        let integrator = u16::from_be_bytes(self.array()?);
        self.interop_server();
        device_jid(user, Server::Interop, device, integrator, offset)
    }

    /// The user of an address, where an empty list stands for none.
    fn user(&mut self) -> Result<Text, DecodeError> {
        let offset = self.offset();
        match self.byte()? {
            tag::LIST_EMPTY => Ok(Cow::Borrowed("")),
            tag => self.string_here(tag, offset),
        }
    }

    /// Some writers put the server after the Partner's number, some an empty list, some nothing (docs/spec/wire.md §10
    /// row 4). The next byte decides: anything but the first two belongs to the next item. Therefore another server's
    /// name here is not an error, but read as the key or content that comes next.
    fn interop_server(&mut self) {
        const FORMS: [&[u8]; 4] =
            [b"\xFC\x07interop", b"\xFD\x00\x00\x07interop", b"\xFE\x00\x00\x00\x07interop", &[tag::LIST_EMPTY]];
        if let Some(rest) = FORMS.iter().find_map(|form| self.rest.strip_prefix(*form)) {
            self.rest = rest;
        }
    }

    fn offset(&self) -> usize {
        self.total - self.rest.len()
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or_else(|| self.end(1))?;
        self.rest = rest;
        Ok(*byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(|| self.end(N))?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.end(length))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn end(&self, expected: usize) -> DecodeError {
        DecodeError::UnexpectedEnd { offset: self.offset(), expected, got: self.rest.len() }
    }

    /// Holds a count against the bytes that are left, of which each item takes `least`.
    fn promise(&self, offset: usize, count: usize, least: usize) -> Result<(), DecodeError> {
        if count * least > self.rest.len() {
            return Err(DecodeError::CountExceedsInput { offset, count, got: self.rest.len() });
        }
        Ok(())
    }

    /// Takes `count` nodes or attributes out of the budget.
    fn pay(&mut self, offset: usize, count: usize) -> Result<(), DecodeError> {
        self.budget = self.budget.checked_sub(count).ok_or(DecodeError::TooManyItems { offset, most: MAX_ITEMS })?;
        Ok(())
    }
}

/// An address of one of the forms that have a device, which begins at `offset` and needs a user.
fn device_jid(user: Text, server: Server, device: u16, integrator: u16, offset: usize) -> Result<Jid, DecodeError> {
    let checked = if user.is_empty() {
        Err(JidError::EmptyUser)
    } else {
        let jid = Jid { user: user.into_owned(), server, device, integrator };
        jid.check().map(|()| jid)
    };
    checked.map_err(|source| DecodeError::Jid { offset, source })
}

/// Why bytes are not a node. Offsets count from the first byte of the node; for what was compressed, after inflating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("at byte {offset}: expected {expected} more bytes, got {got}")]
    UnexpectedEnd {
        /// Where the item begins that is cut short.
        offset: usize,
        /// Bytes that it needs.
        expected: usize,
        /// Bytes that are left.
        got: usize,
    },
    /// A tag that means nothing.
    #[error("at byte {offset}: tag {tag} means nothing")]
    UnknownTag {
        /// Where the tag stands.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// Something other than a list where a node has to be.
    #[error("at byte {offset}: expected a node, got tag {tag}")]
    NotANode {
        /// Where the tag stands.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// A node of zero items.
    #[error("at byte {offset}: a node without even a tag")]
    EmptyNode {
        /// Where the node begins.
        offset: usize,
    },
    /// A node whose tag is empty text.
    #[error("at byte {offset}: the tag of a node is empty")]
    EmptyTag {
        /// Where the tag stands.
        offset: usize,
    },
    /// An attribute whose key is empty text.
    #[error("at byte {offset}: the key of an attribute is empty")]
    EmptyKey {
        /// Where the key stands.
        offset: usize,
    },
    /// A list or an address where only a string may stand.
    #[error("at byte {offset}: expected a string, got tag {tag}")]
    NotAString {
        /// Where the tag stands.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// Text that is not UTF-8.
    #[error("at byte {offset}: text that is not UTF-8")]
    NotUtf8 {
        /// Where the text begins.
        offset: usize,
    },
    /// A packed string of an odd number of characters in no bytes.
    #[error("at byte {offset}: a packed string that is shorter than nothing")]
    PackedHeader {
        /// Where the string begins.
        offset: usize,
    },
    /// A half byte that stands for no character.
    #[error("at byte {offset}: a packed character that does not exist")]
    PackedCharacter {
        /// The byte with it.
        offset: usize,
    },
    /// An address that names another server than its tag stands for.
    #[error("at byte {offset}: the address should be of {expected}")]
    WrongServer {
        /// Where the server stands.
        offset: usize,
        /// The server of such addresses.
        expected: &'static str,
    },
    /// An address of a kind of account that is not known.
    #[error("at byte {offset}: an address of unknown domain type {domain}")]
    UnknownDomain {
        /// Where the domain type stands.
        offset: usize,
        /// The domain type.
        domain: u8,
    },
    /// An address whose parts do not belong together.
    #[error("at byte {offset}: {source}")]
    Jid {
        /// Where the address begins.
        offset: usize,
        /// What is wrong with it.
        source: JidError,
    },
    /// Nodes within nodes beyond [`MAX_DEPTH`].
    #[error("at byte {offset}: nodes are nested deeper than {most}")]
    TooDeep {
        /// Where the node begins that is too deep.
        offset: usize,
        /// The deepest that is read.
        most: usize,
    },
    /// A list that cannot fit into the bytes that follow.
    #[error("at byte {offset}: a list of {count}, but only {got} bytes follow")]
    CountExceedsInput {
        /// Where the list begins.
        offset: usize,
        /// Items that it announces.
        count: usize,
        /// Bytes that are left.
        got: usize,
    },
    /// More nodes and attributes announced than the whole input can hold, or than [`MAX_ITEMS`].
    #[error("at byte {offset}: more nodes and attributes than the input can hold, or than {most}")]
    TooManyItems {
        /// Where the list begins that is one too many.
        offset: usize,
        /// The most that is ever read.
        most: usize,
    },
    /// Something after the end of the node.
    #[error("at byte {offset}: {got} bytes too many")]
    TrailingBytes {
        /// Where the node ends.
        offset: usize,
        /// Bytes after it.
        got: usize,
    },
    /// Not even the flag byte.
    #[error("an empty document")]
    EmptyDocument,
    /// The compressed form is damaged or cut short.
    #[error("the compressed stanza is damaged or cut short")]
    Compression,
    /// The compressed form ends before the document does.
    #[error("{got} bytes too many after the compressed stanza")]
    TrailingCompressed {
        /// Bytes after it.
        got: usize,
    },
    /// The stanza is larger than may be.
    #[error("the compressed stanza is larger than {most} bytes")]
    InflatedTooLarge {
        /// The most that is inflated.
        most: usize,
    },
}
