//! Bytes in transit between the browser and the chat server: ordered; they may be cut, changed or lost anywhere.

use crate::clock::Millis;
use crate::event_queue::{Conn, Event, Instance};
use crate::faults::Fault;
use crate::link::{Corrupted, Frame};
use crate::world::World;
use causeway::io::{Input, SocketId};

impl World {
    pub(crate) fn conn_of(&self, instance: Instance, socket: SocketId) -> Option<Conn> {
        self.links.values().find(|link| link.owner == (instance, socket)).map(|link| link.conn)
    }

    pub(crate) fn connected(&mut self, conn: Conn, open: bool) {
        let Some(link) = self.links.get(&conn) else { return };
        if !link.open_at_client || link.owner.0 != self.instance() {
            return;
        }
        let socket = link.owner.1;
        self.note(format_args!("{conn} {}", if open { "opens" } else { "is refused" }));
        if open {
            return self.input(Input::Opened(socket));
        }
        self.links.remove(&conn);
        self.input(Input::Closed(socket));
    }

    /// Bytes that the engine transmits.
    pub(crate) fn transmit(&mut self, instance: Instance, socket: SocketId, bytes: &[u8]) {
        self.trace.fact(bytes);
        let Some(conn) = self.conn_of(instance, socket) else { return };
        let Some(link) = self.links.get_mut(&conn) else { return };
        let seen = link.transmit(bytes, &self.server_keys, &mut self.server_rng.0);
        let (sent, lost) = (link.sent, link.upstream_lost || !link.open_at_server);
        match seen {
            Ok(nodes) => {
                for node in nodes {
                    self.note(format_args!("{conn} > {node}"));
                    // A worker that was frozen depends on what was durable before another took over.
                    let honest = match instance == self.instance() {
                        true => self.invariants.stanza(&node, &self.disk.mirror),
                        false => self.invariants.keys(&node),
                    };
                    self.check(honest);
                    if node.tag == "message" && self.liar.opens(&node) {
                        let shown = self.disk.mirror.has_shown(&node, self.liar.identity());
                        self.check(shown);
                    }
                }
            }
            Err(error) => self.check(Err(error)),
        }
        if lost {
            return;
        }
        let from = sent - bytes.len() as u64;
        let mut offsets = self.pieces(bytes.len());
        let mut cut = false;
        if self.faults.inject(Fault::Cut, &mut self.rng) {
            let last = self.rng.below(bytes.len() as u64);
            offsets.retain(|offset| *offset < last);
            offsets.push(last);
            cut = true;
        }
        for offset in offsets {
            let at = self.later(conn, true);
            self.events.schedule(at, Event::BytesAtServer(conn, from + offset));
        }
        if self.faults.inject(Fault::CorruptBytes, &mut self.rng) {
            let at = from + self.rng.below(bytes.len() as u64);
            if let Some(link) = self.links.get_mut(&conn) {
                link.corrupted_from = Some(link.corrupted_from.map_or(at, |before| before.min(at)));
            }
        }
        if cut {
            self.cut(conn);
        } else if self.faults.inject(Fault::HalfClose, &mut self.rng) {
            self.note(format_args!("{conn} goes deaf"));
            if let Some(link) = self.links.get_mut(&conn) {
                link.upstream_lost = true;
            }
        }
    }

    /// Bytes that the server sends.
    pub(crate) fn send_down(&mut self, conn: Conn, mut bytes: Vec<u8>) {
        self.trace.fact(&bytes);
        let Some(link) = self.links.get(&conn) else { return };
        if link.downstream_lost || !link.open_at_client || bytes.is_empty() {
            return;
        }
        if self.faults.inject(Fault::CorruptBytes, &mut self.rng) {
            let at = self.rng.index(bytes.len());
            bytes[at] ^= 1 << self.rng.below(8);
            self.note(format_args!("{conn} rots"));
        }
        let cut = self.faults.inject(Fault::Cut, &mut self.rng);
        if cut {
            bytes.truncate(self.rng.index(bytes.len()));
        }
        let mut from = 0;
        for offset in self.pieces(bytes.len()) {
            let to = usize::try_from(offset).expect("small");
            let at = self.later(conn, false);
            self.events.schedule(at, Event::BytesAtClient(conn, bytes[from..to].to_vec()));
            from = to;
        }
        if cut {
            self.cut(conn);
        } else if self.faults.inject(Fault::HalfClose, &mut self.rng) {
            self.note(format_args!("{conn} falls silent"));
            if let Some(link) = self.links.get_mut(&conn) {
                link.downstream_lost = true;
            }
        }
    }

    /// Ascending offsets at which bytes are split in transit; the last is the end.
    fn pieces(&mut self, len: usize) -> Vec<u64> {
        let len = len as u64;
        let mut offsets = vec![len];
        if self.rng.chance(1_000) {
            offsets.push(self.rng.below(len));
            offsets.push(self.rng.below(len));
            offsets.sort_unstable();
            offsets.dedup();
            offsets.retain(|offset| *offset > 0);
        }
        offsets
    }

    /// When the next bytes of a direction arrive.
    fn later(&mut self, conn: Conn, up: bool) -> Millis {
        let at = self.now + self.delay();
        let Some(link) = self.links.get_mut(&conn) else { return at };
        let last = if up { &mut link.upstream_at } else { &mut link.downstream_at };
        *last = at.max(*last);
        *last
    }

    /// Closes the link. Bytes in transit arrive or not.
    pub(crate) fn cut(&mut self, conn: Conn) {
        let (up, down) = (self.rng.chance(5_000), self.rng.chance(5_000));
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.upstream_lost |= up;
        link.downstream_lost |= down;
        self.note(format_args!("{conn} is cut"));
        let (here, there) = (self.later(conn, false), self.later(conn, true));
        self.events.schedule(here, Event::ClosedAtClient(conn));
        self.events.schedule(there, Event::ClosedAtServer(conn));
    }

    /// The browser closes the link.
    pub(crate) fn hang_up(&mut self, conn: Conn) {
        let lost = self.rng.chance(2_000);
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.open_at_client = false;
        link.downstream_lost = true;
        link.upstream_lost |= lost;
        let at = self.later(conn, true);
        self.events.schedule(at, Event::ClosedAtServer(conn));
    }

    pub(crate) fn bytes_at_server(&mut self, conn: Conn, offset: u64) {
        loop {
            let Some(link) = self.links.get_mut(&conn).filter(|link| link.open_at_server && !link.upstream_lost) else {
                return;
            };
            match link.arrived(offset) {
                Ok(None) => return,
                Ok(Some(Frame::Hello(bytes))) => self.send_down(conn, bytes),
                Ok(Some(Frame::Login)) => self.login(conn),
                Ok(Some(Frame::Stanza(node))) => self.receive_stanza(conn, node),
                Err(Corrupted) => {
                    self.note(format_args!("{conn} is out of step"));
                    return self.cut(conn);
                }
            }
        }
    }

    pub(crate) fn bytes_at_client(&mut self, conn: Conn, bytes: Vec<u8>) {
        let Some(link) = self.links.get(&conn) else { return };
        if link.open_at_client && !link.downstream_lost && link.owner.0 == self.instance() {
            let socket = link.owner.1;
            self.note(format_args!("{conn} < {} bytes", bytes.len()));
            self.input(Input::Received(socket, bytes));
        }
    }

    pub(crate) fn closed_at_client(&mut self, conn: Conn) {
        let Some(link) = self.links.get_mut(&conn).filter(|link| link.open_at_client) else { return };
        link.open_at_client = false;
        let (instance, socket) = link.owner;
        self.forget(conn);
        if instance == self.instance() {
            self.note(format_args!("{conn} is closed"));
            self.input(Input::Closed(socket));
        }
    }

    pub(crate) fn closed_at_server(&mut self, conn: Conn) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.open_at_server = false;
        }
        if self.current == Some(conn) {
            self.current = None;
        }
        self.forget(conn);
    }

    fn forget(&mut self, conn: Conn) {
        self.links
            .remove_entry(&conn)
            .filter(|(_, link)| link.open_at_client || link.open_at_server)
            .map(|(conn, link)| self.links.insert(conn, link));
    }
}
