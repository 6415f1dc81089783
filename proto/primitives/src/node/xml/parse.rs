//! Reads the text form of a node. The text may be hostile: its length, its nesting and the number of its parts are
//! bounded.
//!
//! What this module does not know: how nodes are printed, beyond the notation that its parent documents.

use std::borrow::Cow;

use super::super::{Content, MAX_DEPTH, MAX_ITEMS, Node, Text, Value, decode};
use super::{BYTES, EMPTY, JID, RAW, TEXT, is_of_name, is_space, read_unmarked};
use crate::jid::JidError;

/// Longest text that is read, in bytes: the largest inflated stanza of a default profile, twice over for hex.
const LONGEST: usize = 32 << 20;

/// Reads the one node that the text is; white space around it means nothing.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str) -> Result<Node, XmlError> {
    if text.len() > LONGEST {
        return Err(XmlError::TooLong { most: LONGEST, got: text.len() });
    }
    let mut parser = Parser { rest: text, total: text.len(), budget: MAX_ITEMS };
    parser.skip_space();
    parser.expect("<", "a node")?;
    let node = parser.node(1)?;
    parser.skip_space();
    match parser.rest {
        "" => Ok(node),
        _ => Err(parser.expected("the end")),
    }
}

struct Parser<'a> {
    rest: &'a str,
    total: usize,
    /// Nodes and attributes that may still come.
    budget: usize,
}

impl<'a> Parser<'a> {
    /// The node whose `<` has been read.
    fn node(&mut self, depth: usize) -> Result<Node, XmlError> {
        if depth > MAX_DEPTH {
            return Err(XmlError::TooDeep { offset: self.offset(), most: MAX_DEPTH });
        }
        self.pay()?;
        let mut node = Node::new(self.name()?);
        loop {
            let spaced = self.skip_space();
            if self.eat("/>") {
                return Ok(node);
            }
            if self.eat(">") {
                break;
            }
            if !spaced {
                return Err(self.expected("a space, > or />"));
            }
            self.pay()?;
            let key = self.name()?;
            self.expect("=", "=")?;
            node.attrs.push((key, self.quoted()?));
        }
        node.content = self.content(depth)?;
        let offset = self.offset();
        if self.name()? != node.tag {
            return Err(XmlError::WrongEnd { offset });
        }
        self.skip_space();
        self.expect(">", ">")?;
        Ok(node)
    }

    /// Everything up to the `</` of the node, which it reads too.
    fn content(&mut self, depth: usize) -> Result<Content, XmlError> {
        self.skip_space();
        let offset = self.offset();
        let raw = self.until(|character| character == '<').trim_end_matches(is_space);
        if !raw.is_empty() {
            self.expect("</", "the end of the node, as it has content already")?;
            return content_of(raw, offset);
        }
        let mut nodes = Vec::new();
        while !self.eat("</") {
            self.expect("<", "a node")?;
            nodes.push(self.node(depth + 1)?);
            self.skip_space();
        }
        Ok(Content::Nodes(nodes))
    }

    fn quoted(&mut self) -> Result<Value, XmlError> {
        let quote = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => return Err(self.expected("a quotation mark")),
        };
        self.rest = self.rest.get(1..).unwrap_or_default();
        let offset = self.offset();
        let raw = self.until(|character| character == quote || character == '<');
        let value = value_of(raw, offset)?;
        match self.rest.strip_prefix(quote) {
            Some(rest) => self.rest = rest,
            None => return Err(self.expected("the closing quotation mark")),
        }
        Ok(value)
    }

    fn name(&mut self) -> Result<Text, XmlError> {
        if self.eat(EMPTY) {
            return Ok(Cow::Borrowed(""));
        }
        let offset = self.offset();
        let raw = self.until(|character| !is_of_name(character) && !matches!(character, '&' | '#' | ';'));
        if raw.is_empty() {
            return Err(self.expected("a name"));
        }
        unescape(raw, offset).map(Cow::Owned)
    }

    /// What comes before the first character that `ends`, or before the end.
    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (before, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        before
    }

    fn skip_space(&mut self) -> bool {
        !self.until(|character| !is_space(character)).is_empty()
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, text: &str, what: &'static str) -> Result<(), XmlError> {
        if self.eat(text) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn expected(&self, what: &'static str) -> XmlError {
        XmlError::Expected { offset: self.offset(), what }
    }

    fn offset(&self) -> usize {
        self.total - self.rest.len()
    }

    fn pay(&mut self) -> Result<(), XmlError> {
        let offset = self.offset();
        self.budget = self.budget.checked_sub(1).ok_or(XmlError::TooManyItems { offset, most: MAX_ITEMS })?;
        Ok(())
    }
}

/// Content from its raw text, which is not empty.
fn content_of(raw: &str, offset: usize) -> Result<Content, XmlError> {
    if let Some(hex) = raw.strip_prefix('#') {
        return read_hex(hex).map(Content::Bytes).ok_or(XmlError::Hex { offset });
    }
    if let Some(text) = raw.strip_prefix(BYTES) {
        return Ok(Content::Bytes(unescape(text, offset + BYTES.len())?.into_bytes()));
    }
    value_of(raw, offset).map(Content::Value)
}

fn value_of(raw: &str, offset: usize) -> Result<Value, XmlError> {
    if let Some(text) = raw.strip_prefix(TEXT) {
        return Ok(Value::Text(unescape(text, offset + TEXT.len())?.into()));
    }
    if let Some(text) = raw.strip_prefix(JID) {
        let jid = unescape(text, offset + JID.len())?.parse();
        return jid.map(Value::Jid).map_err(|source| XmlError::Jid { offset, source });
    }
    if let Some(hex) = raw.strip_prefix(RAW) {
        return read_hex(hex).and_then(|bytes| decode::unknown_jid(&bytes)).ok_or(XmlError::Raw { offset });
    }
    let text = unescape(raw, offset)?;
    Ok(match read_unmarked(&text) {
        Some(jid) => Value::Jid(jid),
        None => Value::Text(text.into()),
    })
}

fn unescape(raw: &str, offset: usize) -> Result<String, XmlError> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let place = offset + raw.len() - after.len() - 1;
        let (entity, after) = after.split_once(';').ok_or(XmlError::Entity { offset: place })?;
        text.push(character_of(entity).ok_or(XmlError::Entity { offset: place })?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn character_of(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = entity.strip_prefix("#x")?;
            let plain = digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| plain)?)
        }
    }
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for character in text.chars().filter(|character| !is_space(*character)) {
        let digit = u8::try_from(character.to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => bytes.push(high | digit),
        }
    }
    high.is_none().then_some(bytes)
}

/// Why text is not a node. Offsets are in bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Something else than what has to come.
    #[error("at byte {offset}: expected {what}")]
    Expected {
        /// Where it should be.
        offset: usize,
        /// What it should be.
        what: &'static str,
    },
    /// The name of an end that is not the name of its beginning.
    #[error("at byte {offset}: the end of another node than the one that is open")]
    WrongEnd {
        /// Where the name stands.
        offset: usize,
    },
    /// An `&` that does not begin a known entity.
    #[error("at byte {offset}: an entity that does not exist; write & as &amp;")]
    Entity {
        /// Where the `&` stands.
        offset: usize,
    },
    /// After `#`, something else than whole bytes of hex.
    #[error("at byte {offset}: expected pairs of hex digits after #")]
    Hex {
        /// Where the `#` stands.
        offset: usize,
    },
    /// After `&raw;`, something else than an address of no known kind in hex.
    #[error("at byte {offset}: expected the bytes of an address of no known kind in hex after &raw;")]
    Raw {
        /// Where the value begins.
        offset: usize,
    },
    /// After `&jid;`, something else than an address.
    #[error("at byte {offset}: {source}")]
    Jid {
        /// Where the value begins.
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
    /// More nodes and attributes than [`MAX_ITEMS`].
    #[error("at byte {offset}: more than {most} nodes and attributes")]
    TooManyItems {
        /// Where the one stands that is too many.
        offset: usize,
        /// The most that is read.
        most: usize,
    },
    /// Too much text.
    #[error("text of up to {most} bytes can be read, this has {got}")]
    TooLong {
        /// The most that is read.
        most: usize,
        /// Bytes of the text.
        got: usize,
    },
}
