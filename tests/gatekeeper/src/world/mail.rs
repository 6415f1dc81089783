//! Mailboxes: what waits for whom until it is acknowledged or thirty days old (docs/spec/wire.md §5.5).

use super::World;
use super::event::{Class, Event, QueuedStanza};
use super::journal::JournalError;
use crate::time::UnixSeconds;
use causeway_peer::stanza::acknowledgement::Confirmation;
use causeway_proto::jid::Jid;
use std::time::Duration;

/// Retention for interop (docs/spec/enlistment.md §3.2.1).
const RETENTION: Duration = Duration::from_secs(30 * 86_400);
/// Stanzas in one mailbox at most.
const MAX_QUEUED: usize = 20_000;
/// Bytes in one mailbox at most.
const MAX_BYTES: usize = 256 << 20;

/// A stanza about to be put into a mailbox.
pub(crate) struct Stanza {
    pub(crate) class: Class,
    pub(crate) id: String,
    pub(crate) from: Jid,
    pub(crate) kind: Option<String>,
    /// Binary-encoded, without flag byte.
    pub(crate) bytes: Vec<u8>,
}

/// What became of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    Queued,
    /// Accepted from the sender, but the recipient has blocked it.
    Blocked,
    /// There is no such account.
    NoSuchUser,
    /// The mailbox is full.
    Full,
}

impl World {
    /// Puts a stanza into a mailbox. `met`: sender and recipient know one another from now on.
    pub(crate) fn post(
        &mut self,
        to: &Jid,
        stanza: Stanza,
        met: bool,
        now: UnixSeconds,
    ) -> Result<Posted, JournalError> {
        let Some(account) = self.accounts.get(to) else { return Ok(Posted::NoSuchUser) };
        if account.blocked.contains(&stanza.from.to_bare()) {
            return Ok(Posted::Blocked);
        }
        if account.mail.len() >= MAX_QUEUED || account.mail_bytes + stanza.bytes.len() > MAX_BYTES {
            return Ok(Posted::Full);
        }
        let mut events = Vec::new();
        if met && !account.contacts.contains(&stanza.from) {
            events.push(Event::Met { a: stanza.from.clone(), b: to.clone() });
        }
        let Stanza { class, id, from, kind, bytes } = stanza;
        let queued = QueuedStanza { seq: self.next_seq, class, id, from, kind, at: now, stanza: bytes };
        events.push(Event::Queued { to: to.clone(), queued });
        self.commit(events)?;
        Ok(Posted::Queued)
    }

    /// Whether this key from this sender was accepted before.
    pub(crate) fn accepted(&self, from: &Jid, key: &str) -> bool {
        self.accounts.get(from).is_some_and(|account| account.accepted.contains(key))
    }

    /// Remembers that a message was accepted.
    pub(crate) fn accept(&mut self, from: &Jid, key: String, now: UnixSeconds) -> Result<(), JournalError> {
        self.commit(vec![Event::Accepted { from: from.clone(), key, at: now }])
    }

    /// The first stanza after number `seq`.
    pub(crate) fn next_queued(&self, who: &Jid, seq: u64) -> Option<&QueuedStanza> {
        self.accounts.get(who)?.mail.range(seq + 1..).next().map(|(_, queued)| queued)
    }

    /// All that waits, oldest first.
    pub(crate) fn mailbox(&self, who: &Jid) -> impl DoubleEndedIterator<Item = &QueuedStanza> {
        self.accounts.get(who).into_iter().flat_map(|account| account.mail.values())
    }

    fn queued_with_id(&self, who: &Jid, id: &str) -> impl Iterator<Item = &QueuedStanza> {
        let account = self.accounts.get(who);
        let seqs = account.and_then(|account| account.mail_by_id.get(id)).into_iter().flatten();
        seqs.filter_map(move |seq| account?.mail.get(seq))
    }

    /// Clears what an ack or a receipt confirms; the numbers of the cleared stanzas.
    pub(crate) fn clear(&mut self, who: &Jid, confirmation: &Confirmation) -> Result<Vec<u64>, JournalError> {
        let covered =
            |queued: &&QueuedStanza| confirmation.covers(queued.class.as_str(), queued.kind.as_deref(), &queued.from);
        let cleared = confirmation.ids.iter().flat_map(|id| self.queued_with_id(who, id).filter(covered));
        let cleared: Vec<u64> = cleared.map(|queued| queued.seq).collect();
        self.commit(cleared.iter().map(|seq| Event::Cleared { who: who.clone(), seq: *seq }).collect())?;
        Ok(cleared)
    }

    /// Drops what is older than thirty days.
    pub(crate) fn expire(&mut self, now: UnixSeconds) -> Result<(), JournalError> {
        let old = |queued: &&QueuedStanza| queued.at < now.before(RETENTION);
        let mut events = Vec::new();
        for (who, account) in &self.accounts {
            let expired = account.mail.values().filter(old);
            events.extend(expired.map(|queued| Event::Cleared { who: who.clone(), seq: queued.seq }));
        }
        self.commit(events)
    }
}
