//! Checks that what a `Done` answer confirms is durable when the page receives it.
//!
//! Must not know how long an answer takes, and which page sent the command.

use crate::directory::QueuedStanza;
use crate::mirror::Mirror;
use causeway::view::{Action, Done, Issue, Notified};
use std::collections::BTreeMap;

/// What a successful answer confirms, by the command's tag.
#[derive(Default)]
pub(crate) struct Completions(BTreeMap<u64, Expected>);

enum Expected {
    /// Chat and id of each message that waited on the server when the engine was woken.
    Mail(Vec<(String, String)>),
    /// Notifications of a chat were shown up to here.
    Told(Notified),
}

impl Completions {
    /// A command reaches an engine. Only the first arrival of a tag counts.
    pub(crate) fn asked(&mut self, tag: u64, action: Option<&Action>, mailbox: &[QueuedStanza]) {
        let expected = match action {
            Some(Action::Woken(_)) => {
                let chat = |queued: &QueuedStanza| Some(queued.node.jid("from").ok()??.to_bare().to_string());
                let messages = mailbox.iter().filter(|queued| queued.class == "message");
                Expected::Mail(messages.filter_map(|queued| Some((chat(queued)?, queued.id.clone()))).collect())
            }
            Some(Action::Notified(notified)) => Expected::Told(notified.clone()),
            _ => return,
        };
        self.0.entry(tag).or_insert(expected);
    }

    /// The engine answers. `faithful`: no stanza was lost or overtaken on a living connection so far.
    ///
    /// # Errors
    /// What is confirmed and not durable.
    pub(crate) fn answered(&mut self, done: &Done, faithful: bool, mirror: &Mirror) -> Result<(), String> {
        let Some(expected) = self.0.remove(&done.tag).filter(|_| done.issue() == Issue::None) else { return Ok(()) };
        match expected {
            Expected::Mail(mail) if faithful => {
                match mail.iter().find(|(chat, id)| mirror.find(chat, false, id).is_none()) {
                    Some((_, id)) => Err(format!("the engine says that all mail is in, and {id} is not durable")),
                    None => Ok(()),
                }
            }
            Expected::Mail(_) => Ok(()),
            Expected::Told(Notified { chat, up_to }) => {
                let kept = mirror.chats.get(&chat).map_or(0, |chat| chat.notified_up_to);
                match kept >= up_to {
                    true => Ok(()),
                    false => Err(format!("{chat}: told up to {up_to}, the engine says, and durable is {kept}")),
                }
            }
        }
    }
}
