//! A chat becomes a part of another one: its outgoing messages follow.

use super::Outbox;
use crate::context::Context;
use crate::id::MessageSeq;
use crate::model::{PeerId, Recipient};

impl Outbox {
    /// The messages of the chat `from` are in the chat `id` now, each `behind` numbers later, and go to its address.
    pub(crate) fn join(&mut self, cx: &mut Context<'_>, id: &PeerId, from: &PeerId, behind: u64) {
        let rows = cx.records.outbox.iter().filter(|(_, row)| row.chat == *from.chat());
        let rows: Vec<(Vec<u8>, Recipient)> = rows.map(|(key, row)| (key.to_vec(), row.clone())).collect();
        for (key, mut recipient) in rows {
            recipient.chat = id.chat().clone();
            recipient.seq = MessageSeq(recipient.seq.0.saturating_add(behind));
            recipient.address.peer = id.clone();
            cx.records.outbox.put(key, recipient);
        }
        self.in_flight.rename(from, id);
        self.waiting.rename(from, id);
    }
}
