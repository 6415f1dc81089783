//! The chat server: logins, the mailbox, messages both ways, acks, key fetches. It never forgets what it has accepted, and
//! delivers again what was not acknowledged.

use crate::agenda::{Conn, Event};
use crate::faults::Fault;
use crate::link::Link;
use crate::world::World;
use crate::{ALICE, alice};
use causeway_peer::stanza::{acknowledgement, forward, iq, session};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Content, Node};
use std::collections::VecDeque;

/// An envelope is damaged at most so often: five tries must be enough for everything else that happens to it.
const MOST_DAMAGE: u32 = 2;
/// The server says when it has fewer one-time prekeys than this.
const LOW: usize = 5;

impl World {
    /// The link is proved to be Alice's.
    pub(crate) fn login(&mut self, conn: Conn) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.live = true;
        }
        if self.weather.strikes(Fault::LoginFailure, &mut self.dice) {
            let reason = [500_u32, 503, 429, 413, 401, 403, 405][self.dice.index(7)];
            self.note(format_args!("{conn} is refused: {reason}"));
            self.seal(conn, &session::failure(reason), None);
            return self.cut(conn);
        }
        if let Some(old) = self.current.replace(conn).filter(|old| *old != conn) {
            self.seal(old, &session::replaced(), None);
            self.cut(old);
        }
        self.note(format_args!("{conn} is logged in, {} letters wait", self.directory.mailbox.len()));
        let success = session::success(self.secs());
        self.seal(conn, &success, None);
        let waiting = u32::try_from(self.directory.mailbox.len()).expect("few");
        if waiting > 0 {
            self.tell_alice(conn, session::bulletin(session::offline_preview(waiting, waiting)));
            let letters = self.directory.mailbox.iter().map(|letter| (letter.node.clone(), letter.number));
            for (letter, number) in letters.collect::<Vec<_>>() {
                self.deliver(conn, letter.with("offline", "1"), Some(number));
            }
        }
        self.tell_alice(conn, session::bulletin(session::offline_end(waiting)));
    }

    /// The server ends the stream by itself.
    pub(crate) fn stream_error(&mut self) {
        let Some(conn) = self.current else { return };
        self.witness.asked_for += 1;
        let node = match self.dice.below(5) {
            0 => session::replaced(),
            pick => {
                let code = [515_u32, 503, 429, 500][usize::try_from(pick - 1).expect("small")];
                session::stream_error(code)
            }
        };
        self.note(format_args!("{conn} ends: {node}"));
        self.seal(conn, &node, None);
        self.cut(conn);
    }

    /// A stanza to Alice, which may get lost, late, doubled or overtaken before it is sealed.
    pub(crate) fn tell_alice(&mut self, conn: Conn, node: Node) {
        self.deliver(conn, node, None);
    }

    fn deliver(&mut self, conn: Conn, node: Node, letter: Option<u64>) {
        if self.weather.strikes(Fault::DropStanza, &mut self.dice) {
            return self.note(format_args!("{conn} loses {node}"));
        }
        // The server says an ack once for each time that it hears the message.
        if node.tag != "ack" && self.weather.strikes(Fault::DuplicateStanza, &mut self.dice) {
            let at = self.seal_time(conn);
            self.agenda.put(at, Event::Seal(conn, node.clone(), letter));
        }
        let at = self.seal_time(conn);
        self.agenda.put(at, Event::Seal(conn, node, letter));
    }

    fn seal_time(&mut self, conn: Conn) -> u64 {
        let mut at = self.now + self.delay();
        if self.weather.strikes(Fault::DelayStanza, &mut self.dice) {
            at += self.dice.between(500, 30_000);
        }
        let overtaken = self.weather.strikes(Fault::ReorderStanza, &mut self.dice);
        let by = if overtaken { self.dice.between(1, 3_000) } else { 0 };
        let Some(Link { seal_at, .. }) = self.links.get_mut(&conn) else { return at };
        at = at.max(*seal_at);
        if !overtaken {
            *seal_at = at;
        }
        at + by
    }

    /// The stanza becomes bytes.
    pub(crate) fn seal(&mut self, conn: Conn, node: &Node, letter: Option<u64>) {
        let Some(link) = self.links.get_mut(&conn).filter(|link| link.there && link.live) else { return };
        // What was acknowledged meanwhile comes all the same, and is acknowledged once more.
        if let Some(letter) = letter.and_then(|number| self.directory.letter(number)) {
            link.delivered.push_back(letter.clone());
        }
        let Some(bytes) = link.seal(node) else { return };
        self.note(format_args!("{conn} < {node}"));
        if node.tag == "message" {
            let id = node.text("id").unwrap_or_default().into_owned();
            let delivered = self.deliveries.entry(conn).or_default();
            if !delivered.contains(&id) {
                delivered.push(id);
            }
        }
        self.send_down(conn, bytes);
    }

    /// A stanza of Alice's has come whole. It may get lost, late or doubled on its way through the server.
    pub(crate) fn hear(&mut self, conn: Conn, node: Node) {
        let retry = node.text("type").as_deref() == Some("retry");
        // A retry request that the server has read is passed on: its ack would keep the message from coming again.
        if !retry && self.weather.strikes(Fault::DropStanza, &mut self.dice) {
            self.note(format_args!("{conn} the server loses {node}"));
            return;
        }
        // Of two acks of one copy the second would be taken for that of a resend, which has the same id.
        let once = matches!(node.tag.as_ref(), "message" | "ack");
        if !once && self.weather.strikes(Fault::DuplicateStanza, &mut self.dice) {
            self.note(format_args!("{conn} the server hears twice {node}"));
            self.hear_once(conn, node.clone());
        }
        self.hear_once(conn, node);
    }

    fn hear_once(&mut self, conn: Conn, node: Node) {
        let mut at = self.now + self.delay();
        if self.weather.strikes(Fault::DelayStanza, &mut self.dice) {
            at += self.dice.between(500, 30_000);
        }
        if let Some(link) = self.links.get_mut(&conn) {
            at = at.max(link.heard_at);
            link.heard_at = at;
        }
        self.agenda.put(at, Event::Heard(conn, node));
    }

    /// The server takes a stanza up.
    pub(crate) fn heard(&mut self, conn: Conn, node: &Node) {
        match node.tag.as_ref() {
            "iq" => self.iq(conn, node),
            "message" => self.message(conn, node),
            "ack" => self.clear(conn, node),
            "receipt" => {
                self.clear(conn, node);
                let to = node.jid("to").ok().flatten();
                if let Some(peer) = to.as_ref().and_then(|to| self.peer_of(to)) {
                    let passed = forward::receipt(node, &alice(), self.secs());
                    self.tell_phone(peer, passed);
                }
                self.tell_alice(conn, acknowledgement::receipt_ack(node));
            }
            _ => {}
        }
    }

    fn clear(&mut self, conn: Conn, node: &Node) {
        // What is taken up after both ends have forgotten the link has no letters to speak of: they come again.
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
        if self.weather.strikes(Fault::ErrorAck, &mut self.dice) {
            let error = [429_u32, 500, 503][self.dice.index(3)];
            return self.tell_alice(conn, ack.with("error", error));
        }
        let count = node.child("enc").and_then(|enc| enc.text("count")).unwrap_or_default().into_owned();
        if self.directory.accept(&to.to_bare(), &id, &count)
            && let Some(peer) = self.peer_of(&to)
        {
            let mut passed = forward::message(node, &alice(), self.secs());
            self.damage(&id, &mut passed);
            self.tell_phone(peer, passed);
        }
        self.tell_alice(conn, ack.with("t", self.secs()));
    }

    /// An envelope may come out otherwise than it went in.
    fn damage(&mut self, id: &str, node: &mut Node) {
        let before = self.damaged.get(id).copied().unwrap_or(0);
        if before >= MOST_DAMAGE || !self.weather.strikes(Fault::CorruptEnvelope, &mut self.dice) {
            return;
        }
        self.damaged.insert(id.to_owned(), before + 1);
        if let Content::Nodes(children) = &mut node.content
            && let Some(Node { content: Content::Bytes(bytes), .. }) =
                children.iter_mut().find(|node| node.tag == "enc")
        {
            let at = self.dice.index(bytes.len());
            bytes[at] ^= 1 << self.dice.below(8);
            self.note(format_args!("the envelope of {id} is damaged"));
        }
    }

    /// Mail for Alice: it waits, and goes out at once if she is there.
    pub(crate) fn mail(&mut self, mut node: Node) {
        if node.tag == "message" {
            let id = node.text("id").unwrap_or_default().into_owned();
            self.damage(&id, &mut node);
        }
        let letter = self.directory.post(&node);
        if let Some(conn) = self.current {
            self.deliver(conn, node, Some(letter));
        }
    }

    fn iq(&mut self, conn: Conn, node: &Node) {
        if iq::is_answer(node) {
            return;
        }
        let is_ping = node.text("xmlns").as_deref() == Some("w:p");
        if !is_ping && self.weather.strikes(Fault::ErrorIq, &mut self.dice) {
            let code = [429_u32, 500, 503][self.dice.index(3)];
            return self.tell_alice(conn, iq::error(node, code, "later"));
        }
        let answer = self.directory.keys.answer(ALICE, node).unwrap_or_else(|error| {
            self.check(Err(error.to_string()));
            None
        });
        self.tell_alice(conn, answer.unwrap_or_else(|| iq::result(node)));
    }

    /// Says that one-time prekeys are running out.
    pub(crate) fn tell_if_low(&mut self) {
        let left = self.directory.left();
        let told = self.directory.mailbox.iter().any(|letter| letter.class == "notification");
        if left < LOW && !told {
            let notice = self.directory.notice(&Jid::server(), session::prekey_count(left));
            self.mail(notice);
        }
    }

    /// The server forgets all but one of Alice's one-time prekeys.
    pub(crate) fn forget_prekeys(&mut self) {
        if let Some(keys) = self.directory.keys.users.get_mut(ALICE) {
            keys.one_time.truncate(1);
        }
        self.tell_if_low();
    }
}
