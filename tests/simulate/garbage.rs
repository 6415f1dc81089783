//! Stanzas of the lying server that do not decode. Must not know when they are sent, and what the engine should make of them.

use causeway_proto::node::{Content, Node, document};
use causeway_proto::profile::Profile;

/// How the ids of such stanzas begin.
pub(crate) const PREFIX: &str = "BAD";
/// Content in place of which bytes come that do not decode.
const MARK: &[u8] = b"MARK";
/// What the codec refuses: an unknown tag, an end too soon, a list of more than there is, bytes left over, a list in a list
/// in a list without end.
const BAD_BYTES: [&[u8]; 5] =
    [&[0xF1], &[0xFE, 0, 1, 0, 0, 7], &[0xF9, 0xFF, 0xFF, 0xF8, 1, 19], &[0, 7, 7], &[0xF8, 2, 19, 0xF8, 2, 19, 0xF8]];

/// The stanza whose content [`bytes`] will spoil.
pub(crate) fn stanza(tag: &'static str, id: String) -> Node {
    let mut node = Node::new(tag).with("id", id);
    node.content = Content::Bytes(MARK.to_vec());
    node
}

/// The document of a stanza that does not decode; `None` for any other stanza. The same for each copy of a stanza.
pub(crate) fn bytes(node: &Node) -> Option<Vec<u8>> {
    let id = node.text("id")?;
    let number: usize = id.strip_prefix(PREFIX)?.parse().ok()?;
    let mut document = Vec::new();
    document::encode(node, &Profile::default(), &mut document).ok()?;
    document.truncate(document.len() - MARK.len() - 2);
    document.extend(BAD_BYTES[number % BAD_BYTES.len()]);
    assert!(document::decode(&document, 1 << 16).is_err(), "{document:x?} decodes");
    Some(document)
}
