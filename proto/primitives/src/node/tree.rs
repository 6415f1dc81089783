//! The tree itself: nodes, their attributes, their content, and the ways to ask for them.
//!
//! Some trees that are equal on the wire differ here, see [`Content`]. What this module does not know: the encoding.

use core::fmt;
use std::borrow::Cow;

use super::{UnknownJid, xml};
use crate::jid::{Jid, JidError};

/// A tag, key or value. Words of the token dictionary are borrowed from the program itself.
pub type Text = Cow<'static, str>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Any text, also text that reads like an address.
    Text(Text),
    /// An address in one of the wire's forms for addresses.
    Jid(Jid),
    /// Something in one of these forms that is no address. It is written as it came.
    UnknownJid(Box<UnknownJid>),
}

/// What a node contains.
///
/// Text survives the wire as text only where the encoder finds a token or a packed form for it; otherwise the other
/// end reads the same characters as bytes. [`Node::bytes`] returns the same for both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Content {
    /// No content at all.
    #[default]
    Empty,
    /// Children; an empty list is not the same as no content.
    Nodes(Vec<Node>),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// Text or an address.
    Value(Value),
}

/// A stanza or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is, for instance `message`. Never empty on the wire.
    pub tag: Text,
    /// Keys and values in the order of the wire, which means nothing. Of equal keys the last counts.
    pub attrs: Vec<(Text, Value)>,
    /// What is inside.
    pub content: Content,
}

impl Node {
    /// A node with neither attributes nor content.
    pub fn new(tag: impl Into<Text>) -> Self {
        Self { tag: tag.into(), attrs: Vec::new(), content: Content::Empty }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, key: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.attrs.push((key.into(), value.into()));
        self
    }

    /// Puts these children in place of the content.
    #[must_use]
    pub fn with_nodes(mut self, nodes: Vec<Node>) -> Self {
        self.content = Content::Nodes(nodes);
        self
    }

    /// Adds a child; content other than children is replaced.
    #[must_use]
    pub fn with_node(mut self, node: Node) -> Self {
        match &mut self.content {
            Content::Nodes(nodes) => nodes.push(node),
            content => *content = Content::Nodes(vec![node]),
        }
        self
    }

    /// Puts these bytes in place of the content.
    #[must_use]
    pub fn with_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.content = Content::Bytes(bytes.into());
        self
    }

    /// Puts this text or address in place of the content.
    #[must_use]
    pub fn with_text(mut self, value: impl Into<Value>) -> Self {
        self.content = Content::Value(value.into());
        self
    }

    /// The value under a key.
    pub fn attr(&self, key: &str) -> Option<&Value> {
        self.attrs.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value under a key as text.
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.attr(key).map(|value| match value {
            Value::Text(text) => Cow::Borrowed(&**text),
            Value::Jid(jid) => Cow::Owned(jid.to_string()),
            Value::UnknownJid(unknown) => Cow::Borrowed(unknown.as_str()),
        })
    }

    /// The value under a key as an address, also where it came as text. Empty text, the wire's null, counts as absent.
    ///
    /// # Errors
    /// When the text is no address, or what came in the form of an address is none.
    pub fn jid(&self, key: &str) -> Result<Option<Jid>, JidError> {
        match self.attr(key) {
            None => Ok(None),
            Some(Value::Jid(jid)) => Ok(Some(jid.clone())),
            Some(Value::UnknownJid(unknown)) => Err(unknown.error()),
            Some(Value::Text(text)) if text.is_empty() => Ok(None),
            Some(Value::Text(text)) => text.parse().map(Some),
        }
    }

    /// The first child with this tag.
    pub fn child(&self, tag: &str) -> Option<&Node> {
        self.children().iter().find(|node| node.tag == tag)
    }

    /// The children; none where the content is something else.
    pub fn children(&self) -> &[Node] {
        match &self.content {
            Content::Nodes(nodes) => nodes,
            _ => &[],
        }
    }

    /// The content as bytes, also where it came as text; `None` for children, an address, or no content.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Value(Value::Text(text)) => Some(text.as_bytes()),
            _ => None,
        }
    }
}

/// The form of [`xml::print`]; `{:#}` spreads it over lines.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        xml::write(self, f.alternate(), f)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Jid> for Value {
    fn from(jid: Jid) -> Self {
        Self::Jid(jid)
    }
}

impl From<&Jid> for Value {
    fn from(jid: &Jid) -> Self {
        Self::Jid(jid.clone())
    }
}

/// Decimal.
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Text(Cow::Owned(number.to_string()))
    }
}

/// Decimal.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Text(Cow::Owned(number.to_string()))
    }
}
