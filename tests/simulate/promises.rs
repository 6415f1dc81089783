//! What the engine says that it has done when it answers a page: at that moment it must be durable.
//!
//! What this module does not know: how long an answer takes, and who asked.

use crate::directory::Letter;
use crate::mirror::Mirror;
use causeway::view::{Action, Done, Issue, Notified};
use std::collections::BTreeMap;

/// What an answer would promise, by the question's tag.
#[derive(Default)]
pub(crate) struct Promises(BTreeMap<u64, Promise>);

enum Promise {
    /// Chat and id of each message that waited on the server when the engine was woken.
    Mail(Vec<(String, String)>),
    /// The person was told of a chat up to here.
    Told(Notified),
}

impl Promises {
    /// A question reaches an engine. The first moment counts: who asks again does not ask for more.
    pub(crate) fn asked(&mut self, tag: u64, action: Option<&Action>, mailbox: &[Letter]) {
        let promise = match action {
            Some(Action::Woken(_)) => {
                let chat = |letter: &Letter| Some(letter.node.jid("from").ok()??.to_bare().to_string());
                let messages = mailbox.iter().filter(|letter| letter.class == "message");
                Promise::Mail(messages.filter_map(|letter| Some((chat(letter)?, letter.id.clone()))).collect())
            }
            Some(Action::Notified(notified)) => Promise::Told(notified.clone()),
            _ => return,
        };
        self.0.entry(tag).or_insert(promise);
    }

    /// The engine answers. `faithful`: so far, servers have lost nothing on a living connection, and nothing has overtaken.
    ///
    /// # Errors
    /// What is not as it says.
    pub(crate) fn answered(&mut self, done: &Done, faithful: bool, mirror: &Mirror) -> Result<(), String> {
        let Some(promise) = self.0.remove(&done.tag).filter(|_| done.issue() == Issue::None) else { return Ok(()) };
        match promise {
            Promise::Mail(mail) if faithful => {
                match mail.iter().find(|(chat, id)| mirror.find(chat, false, id).is_none()) {
                    Some((_, id)) => Err(format!("the engine says that all mail is in, and {id} is not durable")),
                    None => Ok(()),
                }
            }
            Promise::Mail(_) => Ok(()),
            Promise::Told(Notified { chat, up_to }) => {
                let kept = mirror.chats.get(&chat).map_or(0, |chat| chat.notified_up_to);
                match kept >= up_to {
                    true => Ok(()),
                    false => Err(format!("{chat}: told up to {up_to}, the engine says, and durable is {kept}")),
                }
            }
        }
    }
}
