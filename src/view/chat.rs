//! Chats and their messages.

use super::Issue;
use crate::protobuf::message;
use causeway_proto::width;

/// Bytes of the text of a message in a page or a change; a longer one is cut, see [`MessageView::whole_bytes`].
pub const MAX_TEXT: usize = 256 * 1024;
/// Bytes of a piece of one text, see [`OpenChat::text_from`].
pub const MAX_TEXT_PIECE: usize = 1 << 20;

/// Start a chat.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StartChat {
    /// A phone number as typed.
    pub phone: String,
}

message!(StartChat { 1 => phone });

/// Read a page of messages, newest first in time but delivered in ascending order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenChat {
    /// The chat's id.
    pub chat: String,
    /// Only messages with a smaller sequence number; `None` for the newest.
    pub before: Option<u64>,
    /// At most this many; the engine caps it at 200, and at [`MAX_UPDATE`](super::MAX_UPDATE) bytes.
    pub limit: u32,
    /// Reads on in one text that was cut, instead of a page: the response has only the message whose number is one less
    /// than `before`, and of its text at most [`MAX_TEXT_PIECE`] bytes that begin with this one.
    pub text_from: Option<u64>,
}

message!(OpenChat { 1 => chat, 2 => before, 3 => limit, 4 => text_from });

/// Send text to a chat.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Send {
    /// The chat's id.
    pub chat: String,
    /// What the user wrote.
    pub text: String,
}

message!(Send { 1 => chat, 2 => text });

/// The user has seen messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MarkRead {
    /// The chat's id.
    pub chat: String,
    /// Sequence number of the newest message seen.
    pub up_to: u64,
}

message!(MarkRead { 1 => chat, 2 => up_to });

/// Keep a draft; empty text removes it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SaveDraft {
    /// The chat's id.
    pub chat: String,
    /// What is typed.
    pub text: String,
}

message!(SaveDraft { 1 => chat, 2 => text });

/// Names one message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MessageRef {
    /// The chat's id.
    pub chat: String,
    /// The message's sequence number.
    pub seq: u64,
}

message!(MessageRef { 1 => chat, 2 => seq });

/// One row of the list of chats.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatView {
    /// The chat's id: the peer's JID as text.
    pub id: String,
    /// The peer's phone number with a plus; of a LID without a known number, its last characters after an ellipsis; of
    /// others the user part of the JID.
    pub address: String,
    /// The name that the peer gives itself, if it gave one. Unverified text.
    pub name: String,
    /// Messages not read.
    pub unread: u32,
    /// The newest message, if there is one.
    pub last: Option<MessageView>,
    /// When something last happened, unix milliseconds. The list is sorted by it, newest first.
    pub active_at: u64,
    /// What was typed and not sent.
    pub draft: String,
    /// 60 digits to compare with the peer, if both identities are known.
    pub security_code: String,
    /// Sequence number of the newest message that the user had read when the chat was loaded.
    pub read_up_to: u64,
    /// Sequence number of the newest message that the user was notified of; 0 if there is none.
    pub notified_up_to: u64,
    /// The peer's other addresses, if there are any.
    pub others: Option<Box<OtherAddresses>>,
}

impl ChatView {
    /// Whether the chat under this address has become a part of this one.
    pub fn has_joined(&self, address: &str) -> bool {
        self.others.as_ref().is_some_and(|others| others.all.iter().any(|other| other == address))
    }
}

message!(ChatView { 1 => id, 2 => address, 3 => name, 4 => unread, 5 => last, 6 => active_at, 7 => draft, 8 => security_code, 9 => read_up_to, 10 => notified_up_to, 11 => others });

/// Other addresses of a peer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OtherAddresses {
    /// As texts. A chat with one of these ids is a part of the peer's chat now.
    pub all: Vec<String>,
}

message!(OtherAddresses { 1 => all });

/// Where an outgoing message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Delivery {
    /// Kept here, will be sent.
    Queued = 0,
    /// The server has it.
    Sent = 1,
    /// The peer's device has it.
    Delivered = 2,
    /// The peer has sent a read receipt.
    Read = 3,
    /// It will not be sent: see [`MessageView::issue`].
    Failed = 4,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MessageKind {
    /// Text.
    Text = 0,
    /// A kind of message that this version does not show; the bytes are kept. [`MessageView::text`] names the kind.
    Unsupported = 1,
    /// Could not be decrypted; asked the sender to send it again.
    Undecryptable = 2,
    /// A notice: the peer's identity key is new.
    IdentityChanged = 3,
    /// Came from a device that the peer's phone does not vouch for: it was not opened.
    UnknownDevice = 4,
    /// Its sender has taken it back.
    Revoked = 5,
    /// A notice: the peer has a further device, for which the phone vouches.
    DeviceAdded = 6,
}

impl MessageKind {
    /// Whether it stands for a message that was not opened, and that may still come.
    pub fn is_placeholder(self) -> bool {
        matches!(self, Self::Undecryptable | Self::UnknownDevice)
    }

    /// Whether nobody wrote it.
    pub fn is_notice(self) -> bool {
        matches!(self, Self::IdentityChanged | Self::DeviceAdded)
    }
}

/// Retry receipts sent for one message without the user; after that the user must request another
/// (docs/spec/wire.md §5.10).
pub const MAX_RETRIES: u32 = 5;

/// One message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MessageView {
    /// Orders the messages of one chat.
    pub seq: u64,
    /// The stanza id.
    pub id: String,
    /// From us.
    pub outgoing: bool,
    /// What it is.
    pub kind: i32,
    /// Text, for [`MessageKind::Text`].
    pub text: String,
    /// When it was sent, unix milliseconds: outgoing ones by the local clock, incoming ones by the server's.
    pub at: u64,
    /// Where it is, for outgoing messages.
    pub delivery: i32,
    /// Why it failed.
    pub issue: i32,
    /// How often its sender was asked to send it again, for [`MessageKind::Undecryptable`]; see [`MAX_RETRIES`].
    pub asked: u32,
    /// Its sender has changed it since.
    pub edited: bool,
    /// Bytes of the whole text, if `text` is only a part of it.
    pub whole_bytes: Option<u64>,
}

message!(MessageView { 1 => seq, 2 => id, 3 => outgoing, 4 => kind: MessageKind, 5 => text, 6 => at, 7 => delivery: Delivery, 8 => issue: Issue, 9 => asked, 10 => edited, 11 => whole_bytes });

impl MessageView {
    /// The same message with at most `limit` bytes of its text from byte `from` on, in whole characters.
    #[must_use]
    pub fn cut(mut self, from: u64, limit: usize) -> Self {
        let whole = self.text.len();
        let begin = self.text.floor_char_boundary(width::to_usize(u32::try_from(from).unwrap_or(u32::MAX)));
        let end = self.text.floor_char_boundary(begin.saturating_add(limit));
        if (begin, end) != (0, whole) {
            self.text = self.text.get(begin..end).unwrap_or_default().to_owned();
            self.whole_bytes = Some(width::to_u64(whole));
        }
        self
    }
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MessagePage {
    /// The chat's id.
    pub chat: String,
    /// Ascending by sequence number.
    pub messages: Vec<MessageView>,
    /// There are older ones.
    pub more: bool,
    /// The tag of the command.
    pub tag: u64,
}

message!(MessagePage { 1 => chat, 2 => messages, 3 => more, 4 => tag });

/// Messages that are new or changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Messages {
    /// The chat's id.
    pub chat: String,
    /// Ascending by sequence number.
    pub messages: Vec<MessageView>,
    /// Sequence numbers of messages that are gone.
    pub removed: Vec<u64>,
}

message!(Messages { 1 => chat, 2 => messages, 3 => removed });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_text_are_the_text() {
        let text = "aé漢🙂".repeat(50);
        let message = MessageView { text: text.clone(), ..MessageView::default() };
        assert_eq!(message.clone().cut(0, text.len()), message, "short enough");
        for limit in 4..30 {
            let (mut read, mut pieces) = (String::new(), 0);
            while read.len() < text.len() {
                let piece = message.clone().cut(width::to_u64(read.len()), limit);
                assert!(piece.text.len() <= limit && piece.whole_bytes == Some(500));
                read.push_str(&piece.text);
                pieces += 1;
            }
            assert_eq!(read, text);
            assert!(pieces >= 500 / limit);
        }
        assert_eq!(message.cut(u64::MAX, 10).text, "", "nothing is behind the end");
    }
}
