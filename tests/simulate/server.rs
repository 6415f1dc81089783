//! The chat server: logins, the mailbox, messages in both directions, acks, keys. It never loses what it has accepted,
//! and delivers again what was not acknowledged.

use crate::alice::{ALICE, alice};
use crate::event_queue::{Conn, Event};
use crate::faults::Fault;
use crate::link::Link;
use crate::world::World;
use causeway_peer::stanza::{acknowledgement, forward, iq, session};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Content, Node};
use std::collections::VecDeque;

/// Most damages of one envelope: five retries must be enough for all other faults.
const MOST_DAMAGE: u32 = 2;
/// Below this number of one-time prekeys the server sends a notification.
const LOW: usize = 5;

impl World {
    /// Accepts or refuses the login of a link.
    pub(crate) fn login(&mut self, conn: Conn) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.logged_in = true;
        }
        if self.faults.inject(Fault::LoginFailure, &mut self.rng) {
            let reason = [500_u32, 503, 429, 413, 401, 403, 405][self.rng.index(7)];
            self.note(format_args!("{conn} is refused: {reason}"));
            self.send_stanza(conn, &session::failure(reason), None);
            return self.cut(conn);
        }
        if let Some(old) = self.current.replace(conn).filter(|old| *old != conn) {
            self.send_stanza(old, &session::replaced(), None);
            self.cut(old);
        }
        self.note(format_args!("{conn} is logged in, {} letters wait", self.directory.mailbox.len()));
        let success = session::success(self.secs());
        self.send_stanza(conn, &success, None);
        let waiting = u32::try_from(self.directory.mailbox.len()).expect("few");
        if waiting > 0 {
            self.send_to_alice(conn, session::bulletin(session::offline_preview(waiting, waiting)));
            let stanzas = self.directory.mailbox.iter().map(|queued| (queued.node.clone(), queued.number));
            for (queued, number) in stanzas.collect::<Vec<_>>() {
                self.deliver(conn, queued.with("offline", "1"), Some(number));
            }
        }
        self.send_to_alice(conn, session::bulletin(session::offline_end(waiting)));
    }

    /// The server ends the stream.
    pub(crate) fn stream_error(&mut self) {
        let Some(conn) = self.current else { return };
        let node = match self.rng.below(5) {
            0 => session::replaced(),
            pick => {
                let code = [515_u32, 503, 429, 500][usize::try_from(pick - 1).expect("small")];
                session::stream_error(code)
            }
        };
        self.note(format_args!("{conn} ends: {node}"));
        self.send_stanza(conn, &node, None);
        self.cut(conn);
    }

    /// Sends a stanza to Alice. It may be lost, delayed, duplicated or overtaken before it is sealed.
    pub(crate) fn send_to_alice(&mut self, conn: Conn, node: Node) {
        self.deliver(conn, node, None);
    }

    fn deliver(&mut self, conn: Conn, node: Node, queued: Option<u64>) {
        if self.faults.inject(Fault::DropStanza, &mut self.rng) {
            return self.note(format_args!("{conn} loses {node}"));
        }
        // One ack for each received copy of a message, never two.
        if node.tag != "ack" && self.faults.inject(Fault::DuplicateStanza, &mut self.rng) {
            let at = self.seal_time(conn);
            self.events.schedule(at, Event::SendStanza(conn, node.clone(), queued));
        }
        let at = self.seal_time(conn);
        self.events.schedule(at, Event::SendStanza(conn, node, queued));
    }

    fn seal_time(&mut self, conn: Conn) -> u64 {
        let mut at = self.now + self.delay();
        if self.faults.inject(Fault::DelayStanza, &mut self.rng) {
            at += self.rng.between(500, 30_000);
        }
        let overtaken = self.faults.inject(Fault::ReorderStanza, &mut self.rng);
        let by = if overtaken { self.rng.between(1, 3_000) } else { 0 };
        let Some(Link { seal_at, .. }) = self.links.get_mut(&conn) else { return at };
        at = at.max(*seal_at);
        if !overtaken {
            *seal_at = at;
        }
        at + by
    }

    /// Seals a stanza and sends its bytes.
    pub(crate) fn send_stanza(&mut self, conn: Conn, node: &Node, queued: Option<u64>) {
        let Some(link) = self.links.get_mut(&conn).filter(|link| link.open_at_server && link.logged_in) else { return };
        // A stanza that was acknowledged meanwhile is delivered all the same, and acknowledged once more.
        if let Some(queued) = queued.and_then(|number| self.directory.queued(number)) {
            link.delivered.push_back(queued.clone());
        }
        let Some(bytes) = link.seal(node) else { return };
        self.note(format_args!("{conn} < {node}"));
        if queued.is_some() {
            self.liar.saw(node);
        }
        if node.tag == "message" {
            let id = node.text("id").unwrap_or_default().into_owned();
            let delivered = self.deliveries.entry(conn).or_default();
            if !delivered.contains(&id) {
                delivered.push(id);
            }
        }
        self.send_down(conn, bytes);
    }

    /// A stanza of Alice's has arrived. It may be lost, delayed or duplicated inside the server.
    pub(crate) fn receive_stanza(&mut self, conn: Conn, node: Node) {
        let retry = node.text("type").as_deref() == Some("retry");
        // A retry receipt that the server has read is passed on: its ack would keep the message from being sent again.
        if !retry && self.faults.inject(Fault::DropStanza, &mut self.rng) {
            self.note(format_args!("{conn} the server loses {node}"));
            return;
        }
        // Of two acks of one copy the second would be taken for that of a resend, which has the same id.
        let once = matches!(node.tag.as_ref(), "message" | "ack");
        if !once && self.faults.inject(Fault::DuplicateStanza, &mut self.rng) {
            self.note(format_args!("{conn} the server hears twice {node}"));
            self.schedule_stanza(conn, node.clone());
        }
        self.schedule_stanza(conn, node);
    }

    fn schedule_stanza(&mut self, conn: Conn, node: Node) {
        let mut at = self.now + self.delay();
        if self.faults.inject(Fault::DelayStanza, &mut self.rng) {
            at += self.rng.between(500, 30_000);
        }
        if let Some(link) = self.links.get_mut(&conn) {
            at = at.max(link.taken_at);
            link.taken_at = at;
        }
        self.events.schedule(at, Event::StanzaAtServer(conn, node));
    }

    /// Processes a stanza of Alice's.
    pub(crate) fn process_stanza(&mut self, conn: Conn, node: &Node) {
        match node.tag.as_ref() {
            "iq" => self.iq(conn, node),
            "message" => self.message(conn, node),
            "ack" => self.clear(conn, node),
            "receipt" => {
                self.clear(conn, node);
                let to = node.jid("to").ok().flatten();
                if let Some(peer) = to.as_ref().and_then(|to| self.peer_of(to)) {
                    let passed = forward::receipt(node, &alice(), self.secs());
                    self.queue_for_peer(peer, passed);
                }
                self.send_to_alice(conn, acknowledgement::receipt_ack(node));
            }
            _ => {}
        }
    }

    fn clear(&mut self, conn: Conn, node: &Node) {
        // After both ends have dropped the link there is nothing delivered on it: the mailbox is delivered again.
        let mut none = VecDeque::new();
        let delivered = self.links.get_mut(&conn).map_or(&mut none, |link| &mut link.delivered);
        self.directory.clear(node, delivered);
    }

    fn peer_of(&self, jid: &Jid) -> Option<usize> {
        self.phones.iter().position(|phone| phone.jid.user == jid.user)
    }

    fn message(&mut self, conn: Conn, node: &Node) {
        let id = node.text("id").unwrap_or_default().into_owned();
        let Some(to) = node.jid("to").ok().flatten() else { return };
        let ack = acknowledgement::message_ack(node);
        if self.faults.inject(Fault::ErrorAck, &mut self.rng) {
            let error = [429_u32, 500, 503][self.rng.index(3)];
            return self.send_to_alice(conn, ack.with("error", error));
        }
        let count = node.child("enc").and_then(|enc| enc.text("count")).unwrap_or_default().into_owned();
        if self.directory.accept(&to.to_bare(), &id, &count)
            && let Some(peer) = self.peer_of(&to)
        {
            let mut passed = forward::message(node, &alice(), self.secs());
            self.damage(&id, &mut passed);
            self.queue_for_peer(peer, passed);
        }
        self.send_to_alice(conn, ack.with("t", self.secs()));
    }

    /// May change a byte of an envelope.
    fn damage(&mut self, id: &str, node: &mut Node) {
        let before = self.damaged.get(id).copied().unwrap_or(0);
        if before >= MOST_DAMAGE || !self.faults.inject(Fault::CorruptEnvelope, &mut self.rng) {
            return;
        }
        self.damaged.insert(id.to_owned(), before + 1);
        if let Content::Nodes(children) = &mut node.content
            && let Some(Node { content: Content::Bytes(bytes), .. }) =
                children.iter_mut().find(|node| node.tag == "enc")
        {
            let at = self.rng.index(bytes.len());
            bytes[at] ^= 1 << self.rng.below(8);
            self.note(format_args!("the envelope of {id} is damaged"));
        }
    }

    /// Puts a stanza into Alice's mailbox and sends it if she is connected.
    pub(crate) fn mail(&mut self, mut node: Node) {
        if node.tag == "message" {
            let id = node.text("id").unwrap_or_default().into_owned();
            self.damage(&id, &mut node);
        }
        let queued = self.directory.post(&node);
        if let Some(conn) = self.current {
            self.deliver(conn, node, Some(queued));
        }
    }

    fn iq(&mut self, conn: Conn, node: &Node) {
        if iq::is_answer(node) {
            return;
        }
        let is_ping = node.text("xmlns").as_deref() == Some("w:p");
        if !is_ping && self.faults.inject(Fault::ErrorIq, &mut self.rng) {
            let code = [429_u32, 500, 503][self.rng.index(3)];
            return self.send_to_alice(conn, iq::error(node, code, "later"));
        }
        if node.child("key").is_some() && self.faults.inject(Fault::LieBundle, &mut self.rng) {
            let answer = self.swapped_bundles(node);
            return self.send_to_alice(conn, answer.unwrap_or_else(|| iq::result(node)));
        }
        let answer = self.directory.keys.answer(ALICE, node).unwrap_or_else(|error| {
            self.check(Err(error.to_string()));
            None
        });
        self.send_to_alice(conn, answer.unwrap_or_else(|| iq::result(node)));
    }

    /// Notifies Alice if her one-time prekeys are running low.
    pub(crate) fn notify_if_low(&mut self) {
        let left = self.directory.left();
        let report = self.directory.mailbox.iter().any(|queued| queued.class == "notification");
        if left < LOW && !report {
            let notice = self.directory.notice(&Jid::server(), session::prekey_count(left));
            self.mail(notice);
        }
    }

    /// Drops all but one of Alice's one-time prekeys.
    pub(crate) fn drop_prekeys(&mut self) {
        if let Some(keys) = self.directory.keys.users.get_mut(ALICE) {
            keys.one_time.truncate(1);
        }
        self.notify_if_low();
    }
}
