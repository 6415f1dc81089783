//! Bytes under way between the browser and the chat server: they keep their order, and may end, rot or vanish anywhere.

use crate::agenda::{Conn, Event, Life};
use crate::faults::Fault;
use crate::link::{Frame, Garbled};
use crate::world::World;
use causeway::io::{Input, Millis, SocketId};

impl World {
    pub(crate) fn conn_of(&self, life: Life, socket: SocketId) -> Option<Conn> {
        self.links.values().find(|link| link.owner == (life, socket)).map(|link| link.conn)
    }

    pub(crate) fn connected(&mut self, conn: Conn, open: bool) {
        let Some(link) = self.links.get(&conn) else { return };
        if !link.here || link.owner.0 != self.life() {
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

    /// The engine's bytes.
    pub(crate) fn transmit(&mut self, life: Life, socket: SocketId, bytes: &[u8]) {
        self.trace.fact(bytes);
        let Some(conn) = self.conn_of(life, socket) else { return };
        let Some(link) = self.links.get_mut(&conn) else { return };
        let seen = link.transmit(bytes, &self.server_keys, &mut self.server_dice.0);
        let (sent, lost) = (link.sent, link.up_lost || !link.there);
        match seen {
            Ok(nodes) => {
                for node in nodes {
                    self.note(format_args!("{conn} > {node}"));
                    // A worker that was frozen stands on what was durable before another took over.
                    let honest = match life == self.life() {
                        true => self.witness.stanza(&node, &self.disk.mirror),
                        false => self.witness.keys(&node),
                    };
                    self.check(honest);
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
        if self.weather.strikes(Fault::Cut, &mut self.dice) {
            let last = self.dice.below(bytes.len() as u64);
            offsets.retain(|offset| *offset < last);
            offsets.push(last);
            cut = true;
        }
        for offset in offsets {
            let at = self.later(conn, true);
            self.agenda.put(at, Event::Up(conn, from + offset));
        }
        if self.weather.strikes(Fault::CorruptBytes, &mut self.dice) {
            let at = from + self.dice.below(bytes.len() as u64);
            if let Some(link) = self.links.get_mut(&conn) {
                link.garbled = Some(link.garbled.map_or(at, |before| before.min(at)));
            }
        }
        if cut {
            self.cut(conn);
        } else if self.weather.strikes(Fault::HalfClose, &mut self.dice) {
            self.note(format_args!("{conn} goes deaf"));
            if let Some(link) = self.links.get_mut(&conn) {
                link.up_lost = true;
            }
        }
    }

    /// The server's bytes.
    pub(crate) fn send_down(&mut self, conn: Conn, mut bytes: Vec<u8>) {
        self.trace.fact(&bytes);
        let Some(link) = self.links.get(&conn) else { return };
        if link.down_lost || !link.here || bytes.is_empty() {
            return;
        }
        if self.weather.strikes(Fault::CorruptBytes, &mut self.dice) {
            let at = self.dice.index(bytes.len());
            bytes[at] ^= 1 << self.dice.below(8);
            self.note(format_args!("{conn} rots"));
        }
        let cut = self.weather.strikes(Fault::Cut, &mut self.dice);
        if cut {
            bytes.truncate(self.dice.index(bytes.len()));
        }
        let mut from = 0;
        for offset in self.pieces(bytes.len()) {
            let to = usize::try_from(offset).expect("small");
            let at = self.later(conn, false);
            self.agenda.put(at, Event::Down(conn, bytes[from..to].to_vec()));
            from = to;
        }
        if cut {
            self.cut(conn);
        } else if self.weather.strikes(Fault::HalfClose, &mut self.dice) {
            self.note(format_args!("{conn} falls silent"));
            if let Some(link) = self.links.get_mut(&conn) {
                link.down_lost = true;
            }
        }
    }

    /// Where bytes are cut into pieces on their way: ascending, the last is the end.
    fn pieces(&mut self, len: usize) -> Vec<u64> {
        let len = len as u64;
        let mut offsets = vec![len];
        if self.dice.chance(1_000) {
            offsets.push(self.dice.below(len));
            offsets.push(self.dice.below(len));
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
        let last = if up { &mut link.up_at } else { &mut link.down_at };
        *last = at.max(*last);
        *last
    }

    /// The link is over. Bytes that are under way arrive or not.
    pub(crate) fn cut(&mut self, conn: Conn) {
        let (up, down) = (self.dice.chance(5_000), self.dice.chance(5_000));
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.up_lost |= up;
        link.down_lost |= down;
        self.note(format_args!("{conn} is cut"));
        let (here, there) = (self.later(conn, false), self.later(conn, true));
        self.agenda.put(here, Event::ClosedHere(conn));
        self.agenda.put(there, Event::ClosedThere(conn));
    }

    /// The browser lets go of the link.
    pub(crate) fn hang_up(&mut self, conn: Conn) {
        let lost = self.dice.chance(2_000);
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.here = false;
        link.down_lost = true;
        link.up_lost |= lost;
        let at = self.later(conn, true);
        self.agenda.put(at, Event::ClosedThere(conn));
    }

    pub(crate) fn up(&mut self, conn: Conn, offset: u64) {
        loop {
            let Some(link) = self.links.get_mut(&conn).filter(|link| link.there && !link.up_lost) else { return };
            match link.arrived(offset) {
                Ok(None) => return,
                Ok(Some(Frame::Hello(bytes))) => self.send_down(conn, bytes),
                Ok(Some(Frame::Login)) => self.login(conn),
                Ok(Some(Frame::Stanza(node))) => self.hear(conn, node),
                Err(Garbled) => {
                    self.note(format_args!("{conn} is out of step"));
                    return self.cut(conn);
                }
            }
        }
    }

    pub(crate) fn down(&mut self, conn: Conn, bytes: Vec<u8>) {
        let Some(link) = self.links.get(&conn) else { return };
        if link.here && !link.down_lost && link.owner.0 == self.life() {
            let socket = link.owner.1;
            self.note(format_args!("{conn} < {} bytes", bytes.len()));
            self.input(Input::Received(socket, bytes));
        }
    }

    pub(crate) fn closed_here(&mut self, conn: Conn) {
        let Some(link) = self.links.get_mut(&conn).filter(|link| link.here) else { return };
        link.here = false;
        let (life, socket) = link.owner;
        self.forget(conn);
        if life == self.life() {
            self.note(format_args!("{conn} is closed"));
            self.input(Input::Closed(socket));
        }
    }

    pub(crate) fn closed_there(&mut self, conn: Conn) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.there = false;
        }
        if self.current == Some(conn) {
            self.current = None;
        }
        self.forget(conn);
    }

    fn forget(&mut self, conn: Conn) {
        self.links
            .remove_entry(&conn)
            .filter(|(_, link)| link.here || link.there)
            .map(|(conn, link)| self.links.insert(conn, link));
    }
}
