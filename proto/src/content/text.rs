//! Words.

use crate::protobuf;

/// `Message.conversation`.
const CONVERSATION: u32 = 1;

/// The bytes of a text message, not yet padded.
pub fn text(body: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 8);
    protobuf::put_bytes(&mut bytes, CONVERSATION, body.as_bytes());
    bytes
}

/// Text as it came, with U+FFFD for what is not UTF-8: words that are damaged in one place are still words.
pub(super) fn of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
