//! Rows of the chat list and of the open chat, in signals. A row is made once and keeps its identity; what changes in
//! it is a signal of its own.

use std::sync::Arc;

use causeway::view::{ChatView, MessageView};
use leptos::prelude::*;

use super::layout::{Shape, Slot};

/// One chat in the list.
#[derive(Clone)]
pub struct ChatRow {
    /// The chat's id.
    pub id: Arc<str>,
    /// What the row shows.
    pub view: ArcRwSignal<ChatView>,
}

/// One row of the open chat.
#[derive(Clone)]
pub struct ThreadRow {
    /// What it is.
    pub slot: Slot,
    /// Number of the time zone that its times are written in; see [`ThreadRow::key`].
    pub zone: u32,
    /// When: of the message, or of the first message of the day.
    pub at: u64,
    /// The message, if it is one.
    pub message: Option<MessageRow>,
}

/// One message. Its direction never changes; the rest may.
#[derive(Clone)]
pub struct MessageRow {
    /// The sequence number.
    pub seq: u64,
    /// From us.
    pub outgoing: bool,
    /// Its text and delivery state.
    pub view: ArcRwSignal<MessageView>,
    /// How it joins its neighbours.
    pub shape: ArcRwSignal<Shape>,
}

/// The chat that is open.
#[derive(Clone, Copy)]
pub struct OpenThread {
    /// Its rows, ascending.
    pub rows: RwSignal<Vec<ThreadRow>>,
    /// The newest page has come.
    pub ready: RwSignal<bool>,
    /// There are older messages to ask for.
    pub more: RwSignal<bool>,
    /// Older messages have been asked for.
    pub loading: RwSignal<bool>,
    /// The newest sequence number that is held.
    pub newest: RwSignal<u64>,
    /// The newest message is in sight: nobody has scrolled away from it.
    pub at_newest: RwSignal<bool>,
}

impl ThreadRow {
    /// Its identity: in another time zone each row is another one.
    pub fn key(&self) -> (Slot, u32) {
        (self.slot, self.zone)
    }
}

impl MessageRow {
    pub(super) fn new(message: &MessageView, shape: Shape) -> Self {
        Self {
            seq: message.seq,
            outgoing: message.outgoing,
            view: ArcRwSignal::new(message.clone()),
            shape: ArcRwSignal::new(shape),
        }
    }

    pub(super) fn update(&self, message: MessageView, shape: Shape) {
        if self.view.with_untracked(|held| *held != message) {
            self.view.set(message);
        }
        if self.shape.get_untracked() != shape {
            self.shape.set(shape);
        }
    }
}
