//! Reads a node from bytes that may be hostile, in one pass (docs/spec/wire.md §3).
//!
//! No count or length alone causes an allocation: lengths are checked against the bytes left, and children and
//! attributes, which take far more memory than bytes on the wire, against a budget that the size of the input sets. All
//! forms that implementations are known to write are accepted. What does not hide where the next item begins is kept:
//! text that is not UTF-8 with U+FFFD, an address that is none as an [`UnknownJid`]. Anything else is an error with an
//! offset. What this module does not know: the flag byte before the node, and which node is expected.
//!
//! The results are large. Functions are inlined where results would otherwise be copied between stack frames, which
//! took a third of the time.

use crate::width;
use std::borrow::Cow;

use super::packed::{self, Alphabet};
use super::{Content, DecodeError, MAX_DEPTH, MAX_ITEMS, Node, Text, UnknownJid, Value, tag, token};
use crate::jid::{Jid, JidError, Server};

/// Reads the one node that the bytes are.
///
/// # Errors
/// The first thing that is wrong, with its place; bytes after the node are wrong as well.
pub fn decode(bytes: &[u8]) -> Result<Node, DecodeError> {
    // A node takes at least three bytes and an attribute two: input that promises more than this is cut short.
    let budget = MAX_ITEMS.min(bytes.len() / 2);
    let mut reader = Reader { rest: bytes, all: bytes, budget };
    reader.pay(0, 1)?;
    let node = reader.node(1)?;
    if !reader.rest.is_empty() {
        return Err(DecodeError::TrailingBytes { offset: reader.offset(), got: reader.rest.len() });
    }
    Ok(node)
}

/// Reads the tag and the attributes of the root, up to the first that cannot be read: enough to acknowledge a stanza
/// whose rest is refused. The tag is empty if it cannot be read. Children are left out.
pub fn root(bytes: &[u8]) -> Node {
    let mut reader = Reader { rest: bytes, all: bytes, budget: 0 };
    let mut root = Node::new("");
    // The result is in `root`; why it ends where it does is for `decode` to say.
    let _complete = reader.root_into(&mut root);
    root
}

/// Reads an address that is no [`Jid`] from all of the bytes; `None` if they are anything else.
pub(super) fn unknown_jid(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: bytes, all: bytes, budget: 0 };
    let value = reader.value(false).ok()?;
    (reader.rest.is_empty() && matches!(value, Value::UnknownJid(_))).then_some(value)
}

struct Reader<'a> {
    rest: &'a [u8],
    all: &'a [u8],
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
        let has_content = size % 2 == 0;
        let mut attrs = Vec::with_capacity(count);
        for left in (0..count).rev() {
            let offset = self.offset();
            let key = self.name()?;
            if key.is_empty() {
                return Err(DecodeError::EmptyKey { offset });
            }
            attrs.push((key, self.value(has_content && left == 0)?));
        }
        let content = if has_content { self.content(depth)? } else { Content::Empty };
        Ok(Node { tag, attrs, content })
    }

    fn root_into(&mut self, root: &mut Node) -> Result<(), DecodeError> {
        let size = match self.byte()? {
            tag @ (tag::LIST_8 | tag::LIST_16) => self.list_size(tag)?,
            tag => return Err(DecodeError::NotANode { offset: 0, tag }),
        };
        let count = size.checked_sub(1).ok_or(DecodeError::EmptyNode { offset: 0 })? / 2;
        root.tag = self.name()?;
        for left in (0..count).rev() {
            let offset = self.offset();
            let key = self.name()?;
            if key.is_empty() {
                return Err(DecodeError::EmptyKey { offset });
            }
            let value = self.value(size % 2 == 0 && left == 0)?;
            root.attrs.push((key, value));
        }
        Ok(())
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
            tag => self.value_of(tag, offset, false).map(Content::Value),
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

    /// The value of an attribute. `before_content`: it is the last, and the node has content.
    #[inline]
    fn value(&mut self, before_content: bool) -> Result<Value, DecodeError> {
        let offset = self.offset();
        let tag = self.byte()?;
        match token::single(tag) {
            Some(word) => Ok(Value::Text(Cow::Borrowed(word))),
            None if tag == tag::LIST_EMPTY => Ok(Value::Text(Cow::Borrowed(""))),
            None => self.value_of(tag, offset, before_content),
        }
    }

    /// The text or address that begins with `tag`, which has been read at `offset`.
    fn value_of(&mut self, tag: u8, offset: usize, before_content: bool) -> Result<Value, DecodeError> {
        match tag {
            tag::JID_PAIR => self.jid_pair(offset),
            tag::AD_JID => self.ad_jid(offset),
            tag::FB_JID => self.fb_jid(offset),
            tag::INTEROP_JID => self.interop_jid(offset, before_content),
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
                return Ok(Cow::Owned(text_of(self.binary(tag)?)));
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
        Ok(Cow::Owned(packed::unpack(alphabet, self.take(length)?, odd)))
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

    fn jid_pair(&mut self, offset: usize) -> Result<Value, DecodeError> {
        let user = self.part()?;
        let server = self.part()?;
        // Only an address that is none needs its parts twice.
        let rejected = match Jid::from_parts(user, Server::named(server)) {
            Ok(jid) => return Ok(Value::Jid(jid)),
            Err(error) => error,
        };
        let mut again = Reader { rest: self.all.get(offset + 1..).unwrap_or_default(), all: self.all, budget: 0 };
        let (user, server) = (again.part()?, again.part()?);
        Ok(self.unknown(offset, format!("{user}@{server}"), rejected))
    }

    fn ad_jid(&mut self, offset: usize) -> Result<Value, DecodeError> {
        let [domain, device] = self.array()?;
        let user = self.part()?;
        let Some(server) = Server::of_domain(domain) else {
            let text = format!("{user}:{device}@domain{domain}");
            return Ok(self.unknown(offset, text, JidError::UnknownDomain { domain }));
        };
        Ok(self.device_jid(user, server, u16::from(device), 0, offset))
    }

    fn fb_jid(&mut self, offset: usize) -> Result<Value, DecodeError> {
        let user = self.part()?;
        let device = u16::from_be_bytes(self.array()?);
        let server = self.part()?;
        if server != Server::Messenger.as_str() {
            let text = format!("{user}:{device}@{server}");
            return Ok(self.unknown(offset, text, JidError::WrongServer { expected: "msgr" }));
        }
        Ok(self.device_jid(user, Server::Messenger, device, 0, offset))
    }

    fn interop_jid(&mut self, offset: usize, before_content: bool) -> Result<Value, DecodeError> {
        let user = self.part()?;
        let device = u16::from_be_bytes(self.array()?);
        let integrator = u16::from_be_bytes(self.array()?);
        self.interop_server(before_content);
        Ok(self.device_jid(user, Server::Interop, device, integrator, offset))
    }

    /// An address of one of the forms that have a device, which began at `offset` and ends here; it needs a user.
    fn device_jid(&self, user: Text, server: Server, device: u16, integrator: u16, offset: usize) -> Value {
        let jid = Jid { user: user.into_owned(), server, device, integrator };
        let checked = if jid.user.is_empty() { Err(JidError::EmptyUser) } else { jid.check() };
        let Err(error) = checked else { return Value::Jid(jid) };
        let partner = if jid.server == Server::Interop { format!("{integrator}-") } else { String::new() };
        self.unknown(offset, format!("{partner}{}:{device}@{}", jid.user, jid.server.as_str()), error)
    }

    /// The address that began at `offset` and ends here, and is none that exists.
    #[cold]
    fn unknown(&self, offset: usize, text: String, error: JidError) -> Value {
        let bytes = self.all.get(offset..self.offset()).unwrap_or_default();
        Value::UnknownJid(Box::new(UnknownJid::new(bytes, text, error)))
    }

    /// User or server of an address, where an empty list stands for none.
    fn part(&mut self) -> Result<Text, DecodeError> {
        let offset = self.offset();
        match self.byte()? {
            tag::LIST_EMPTY => Ok(Cow::Borrowed("")),
            tag => self.string_here(tag, offset),
        }
    }

    /// Some writers put the server after the Partner's number, some an empty list, some nothing (docs/spec/wire.md §10
    /// row 4). The next bytes decide: anything but the first two belongs to the next item. So do these where the list
    /// of the node counts an item more and no other bytes are left for it: then they are the content. Therefore another
    /// server's name here is not an error, but read as the key or content that comes next.
    fn interop_server(&mut self, before_content: bool) {
        const FORMS: [&[u8]; 4] =
            [b"\xFC\x07interop", b"\xFD\x00\x00\x07interop", b"\xFE\x00\x00\x00\x07interop", &[tag::LIST_EMPTY]];
        if let Some(rest) = FORMS.iter().find_map(|form| self.rest.strip_prefix(*form))
            && (!before_content || begins_content(rest))
        {
            self.rest = rest;
        }
    }

    fn offset(&self) -> usize {
        self.all.len() - self.rest.len()
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

/// Whether content can begin here. If not, a node ends here: then only another node or the end of all can follow, and a
/// node is a list that begins with a string, where content is a list of lists.
fn begins_content(rest: &[u8]) -> bool {
    match rest {
        [] => false,
        [tag::LIST_8, 0, ..] | [tag::LIST_16, 0, 0, ..] => true,
        [tag::LIST_8, _, first, ..] | [tag::LIST_16, _, _, first, ..] => matches!(*first, tag::LIST_8 | tag::LIST_16),
        [first, ..] => !matches!(*first, tag::LIST_8 | tag::LIST_16),
    }
}

/// Text, with U+FFFD for what is not UTF-8.
fn text_of(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => lossy(bytes),
    }
}

#[cold]
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
