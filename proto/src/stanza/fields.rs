//! Reads attributes, children and content of a node, and names the place when one is not as it should be.
//!
//! An attribute with empty text counts as absent: that is how the wire writes null (docs/spec/wire.md §3.2). What a
//! reader can do without is read by the functions in `_if_any`, which take what is malformed for absent.

use super::StanzaError;
use crate::jid::Jid;
use crate::node::Node;
use core::str::FromStr;

/// A node whose tag is known to be `tag`.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    node: &'a Node,
    tag: &'static str,
}

impl<'a> Fields<'a> {
    pub(super) fn of(node: &'a Node, tag: &'static str) -> Result<Self, StanzaError> {
        if node.tag == tag { Ok(Self { node, tag }) } else { Err(StanzaError::WrongTag { expected: tag }) }
    }

    pub(super) fn text_opt(&self, attribute: &'static str) -> Option<String> {
        self.node.text(attribute).filter(|text| !text.is_empty()).map(|text| text.into_owned())
    }

    pub(super) fn text(&self, attribute: &'static str) -> Result<String, StanzaError> {
        self.text_opt(attribute).ok_or(self.missing(attribute))
    }

    /// Decimal digits only; `FromStr` alone would take a plus sign.
    pub(super) fn number_opt<T: FromStr>(&self, attribute: &'static str) -> Result<Option<T>, StanzaError> {
        let Some(text) = self.node.text(attribute).filter(|text| !text.is_empty()) else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number.map(Some).ok_or(StanzaError::NotANumber { tag: self.tag, attribute })
    }

    pub(super) fn number_if_any<T: FromStr>(&self, attribute: &'static str) -> Option<T> {
        self.number_opt(attribute).ok().flatten()
    }

    pub(super) fn number<T: FromStr>(&self, attribute: &'static str) -> Result<T, StanzaError> {
        self.number_opt(attribute)?.ok_or(self.missing(attribute))
    }

    pub(super) fn jid_opt(&self, attribute: &'static str) -> Result<Option<Jid>, StanzaError> {
        self.node.jid(attribute).map_err(|error| StanzaError::NotAJid { tag: self.tag, attribute, error })
    }

    pub(super) fn jid_if_any(&self, attribute: &'static str) -> Option<Jid> {
        self.jid_opt(attribute).ok().flatten()
    }

    pub(super) fn jid(&self, attribute: &'static str) -> Result<Jid, StanzaError> {
        self.jid_opt(attribute)?.ok_or(self.missing(attribute))
    }

    /// The other end of the stanza: `from` as it came, `to` as we would send it.
    pub(super) fn peer(&self) -> Result<Jid, StanzaError> {
        match self.jid_opt("from")? {
            Some(from) => Ok(from),
            None => self.jid_opt("to")?.ok_or(self.missing("from")),
        }
    }

    pub(super) fn child_opt(&self, tag: &'static str) -> Option<Fields<'a>> {
        self.node.child(tag).map(|node| Fields { node, tag })
    }

    pub(super) fn child(&self, tag: &'static str) -> Result<Fields<'a>, StanzaError> {
        self.child_opt(tag).ok_or(StanzaError::MissingChild { tag: self.tag, child: tag })
    }

    /// The first `most` children with this tag.
    pub(super) fn first_children(&self, tag: &'static str, most: usize) -> impl Iterator<Item = Fields<'a>> {
        let all = self.node.children().iter().filter(move |node| node.tag == tag);
        all.take(most).map(move |node| Fields { node, tag })
    }

    /// The children with this tag, of which there may be `most`.
    pub(super) fn children(&self, tag: &'static str, most: usize) -> Result<Vec<Fields<'a>>, StanzaError> {
        let all = || self.node.children().iter().filter(|node| node.tag == tag);
        let got = all().count();
        if got > most {
            return Err(StanzaError::TooMany { tag: self.tag, most, got });
        }
        Ok(all().map(|node| Fields { node, tag }).collect())
    }

    /// The content of the first child with this tag, if it is bytes, and 1 to `most` of them.
    pub(super) fn bytes_if_any(&self, tag: &str, most: usize) -> Option<Vec<u8>> {
        let bytes = self.node.child(tag)?.bytes()?;
        (1..=most).contains(&bytes.len()).then(|| bytes.to_vec())
    }

    /// The content, also where it came as text.
    pub(super) fn bytes(&self) -> Result<&'a [u8], StanzaError> {
        self.node.bytes().ok_or(StanzaError::MissingContent { tag: self.tag })
    }

    /// The content, which must have `N` bytes.
    pub(super) fn exactly<const N: usize>(&self) -> Result<[u8; N], StanzaError> {
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| StanzaError::WrongLength { tag: self.tag, expected: N, got: bytes.len() })
    }

    fn missing(&self, attribute: &'static str) -> StanzaError {
        StanzaError::MissingAttribute { tag: self.tag, attribute }
    }
}
