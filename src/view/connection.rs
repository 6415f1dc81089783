//! The state of the connection to the chat server, as pages show it.

use super::Issue;
use crate::protobuf::message;

/// Connect now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reconnect {}

message!(Reconnect {});

/// States of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ConnectionState {
    /// No connection, and none wanted yet.
    Off = 0,
    /// Getting a token, opening the socket, or shaking hands.
    Connecting = 1,
    /// Logged in; the mailbox is being read.
    Draining = 2,
    /// Logged in and up to date.
    Online = 3,
    /// Waiting until [`ConnectionView::retry_at`].
    Waiting = 4,
    /// Stopped until the user does something: see [`ConnectionView::issue`].
    Stopped = 5,
}

/// How the connection is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConnectionView {
    /// The state.
    pub state: i32,
    /// When the next attempt comes, unix milliseconds.
    pub retry_at: u64,
    /// What went wrong last, if something did.
    pub issue: i32,
    /// When the mailbox was last fully read, unix milliseconds; 0 never.
    pub synced_at: u64,
    /// Messages that the mailbox announced and that are not read yet.
    pub pending: u32,
}

message!(ConnectionView { 1 => state: ConnectionState, 2 => retry_at, 3 => issue: Issue, 4 => synced_at, 5 => pending });
