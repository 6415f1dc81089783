//! One logged-in user: reads stanzas and answers them, hands out the mailbox, keeps the line alive (wire.md §5.5).
//!
//! Everything for a user waits in the mailbox until the user acknowledges it; the session sends what it has not sent
//! yet. First what waited at login, no more at once than the client asked for, then the end marker, then live traffic.

use super::login::User;
use super::{iq, message, receipt};
use crate::channel::{Channel, ChannelError};
use crate::faults::Treatment;
use crate::hub::{Order, Seat};
use crate::sandbox::Sandbox;
use crate::world::{Class, Letter};
use crate::{push_caller, random};
use causeway_peer::channel::ChannelError as CodecError;
use causeway_peer::stanza::{iq as answers, session};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Node, decode};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

/// Unacknowledged stanzas on the line at most, whatever a client asks for.
const MAX_WINDOW: usize = 1000;
/// For clients that never ask for a batch.
const DEFAULT_WINDOW: usize = 100;

/// Why a session ended.
enum End {
    /// The line broke or the client misbehaved.
    Broken(ChannelError),
    /// The client said goodbye.
    Closed,
    /// Nothing came for too long.
    Silent,
    /// Another connection of the same user.
    Replaced,
    /// This `<stream:error>` code; 0 without a word.
    Ordered(u32),
    /// In the middle of a frame, as a fault wants it.
    Torn,
}

impl From<ChannelError> for End {
    fn from(error: ChannelError) -> Self {
        Self::Broken(error)
    }
}

/// A user being served.
pub(crate) struct Session {
    sandbox: Arc<Sandbox>,
    who: Jid,
    channel: Channel,
    passive: bool,
    /// Last letter sent.
    cursor: u64,
    /// Last letter that waited at login.
    boundary: u64,
    /// How many waited.
    waiting: u32,
    end_marked: bool,
    window: usize,
    unacknowledged: BTreeSet<u64>,
    /// A stanza held back so that the next overtakes it.
    held: Option<Node>,
    half_closed: bool,
}

impl Session {
    /// Serves until the line ends.
    pub(super) async fn run(sandbox: Arc<Sandbox>, user: User) {
        let User { who, channel, passive, pull } = user;
        let seat = sandbox.hub.join(&who);
        let serial = seat.serial;
        let mut session = Self {
            sandbox: Arc::clone(&sandbox),
            who: who.clone(),
            channel,
            passive,
            cursor: 0,
            boundary: 0,
            waiting: 0,
            end_marked: false,
            window: if pull { 0 } else { DEFAULT_WINDOW },
            unacknowledged: BTreeSet::new(),
            held: None,
            half_closed: false,
        };
        let end = match session.serve(seat).await {
            Ok(()) => End::Closed,
            Err(end) => end,
        };
        sandbox.hub.leave(&who, serial);
        if !sandbox.stopping().asked() {
            push_caller::consider(&sandbox, &who);
        }
        session.say_goodbye(end).await;
        if let Err(error) = sandbox.world().seen(&who, sandbox.clock.now_secs()) {
            tracing::error!(%error, "the time of a disconnection could not be recorded");
        }
    }

    async fn serve(&mut self, mut seat: Seat) -> Result<(), End> {
        let mut stopping = self.sandbox.stopping();
        let quiet = self.sandbox.config.ping_interval;
        let (mut heard, mut ping_at) = (Instant::now(), Instant::now() + quiet);
        let grace_ends = Instant::now() + self.sandbox.config.mailbox_grace;
        self.announce_mailbox().await?;
        loop {
            self.pump().await?;
            tokio::select! {
                node = self.channel.receive() => {
                    heard = Instant::now();
                    ping_at = heard + quiet;
                    let node = node?;
                    self.sandbox.message_log.record(&self.who, &node);
                    if !self.sandbox.faults.swallows(&self.who, &node.tag) {
                        self.take(node).await?;
                    }
                }
                order = seat.orders.recv() => match order {
                    Some(Order::Live(node)) if !self.passive => self.send(node).await?,
                    Some(Order::Live(_)) => {}
                    Some(Order::Disconnect(code)) => return Err(End::Ordered(code)),
                    Some(Order::Stall) => {
                        // Until another connection takes the seat, or the sandbox ends.
                        tokio::select! {
                            () = async { while seat.orders.recv().await.is_some() {} } => {}
                            () = stopping.wait() => {}
                        }
                        return Err(End::Torn);
                    }
                    None => return Err(End::Replaced),
                },
                () = seat.wake.notified() => {}
                () = tokio::time::sleep_until(grace_ends), if self.window == 0 => self.window = DEFAULT_WINDOW,
                () = tokio::time::sleep_until(ping_at) => {
                    if heard.elapsed() >= 2 * quiet {
                        return Err(End::Silent);
                    }
                    ping_at += quiet;
                    self.ping().await?;
                }
                () = stopping.wait() => return Err(End::Ordered(503)),
            }
        }
    }

    async fn take(&mut self, node: Node) -> Result<(), End> {
        match &*node.tag {
            "iq" if node.text("xmlns").as_deref() == Some("passive") => {
                self.passive = node.child("passive").is_some();
                self.send(answers::result(&node)).await?;
            }
            "iq" => {
                if let Some(answer) = iq::answer(&self.sandbox, &self.who, &node) {
                    self.send(answer).await?;
                }
            }
            "message" => self.send(message::accept(&self.sandbox, &self.who, &node)).await?,
            "receipt" => {
                let (answer, cleared) = receipt::accept(&self.sandbox, &self.who, &node);
                self.forget(&cleared);
                self.send(answer).await?;
            }
            "ack" => {
                let cleared = receipt::confirmed(&self.sandbox, &self.who, &node);
                self.forget(&cleared);
            }
            "ib" => {
                if let Some(batch) = node.child("offline_batch") {
                    let count = batch.text("count").and_then(|count| count.parse().ok()).unwrap_or(DEFAULT_WINDOW);
                    self.window = count.clamp(1, MAX_WINDOW);
                }
            }
            "presence" | "chatstate" => message::pass_on(&self.sandbox, &self.who, &node),
            "xmlstreamend" => return Err(End::Closed),
            tag => tracing::debug!(tag, "a stanza of an unknown kind was ignored"),
        }
        Ok(())
    }

    fn forget(&mut self, cleared: &[u64]) {
        for seq in cleared {
            self.unacknowledged.remove(seq);
        }
    }

    /// `<offline_preview>`: what waits, by kind.
    async fn announce_mailbox(&mut self) -> Result<(), End> {
        let (mut messages, mut receipts, mut notifications) = (0u32, 0u32, 0u32);
        for letter in self.sandbox.world().letters(&self.who) {
            self.boundary = letter.seq;
            match letter.class {
                Class::Message => messages += 1,
                Class::Receipt => receipts += 1,
                Class::Notification => notifications += 1,
            }
        }
        self.waiting = messages + receipts + notifications;
        let preview = session::offline_preview(self.waiting, messages)
            .with("receipt", receipts)
            .with("notification", notifications)
            .with("appdata", "0");
        self.send(bulletin(preview)).await
    }

    /// Sends what may be sent now.
    async fn pump(&mut self) -> Result<(), End> {
        loop {
            let next = self.sandbox.world().next_letter(&self.who, self.cursor).cloned();
            let waited = next.as_ref().is_some_and(|letter| letter.seq <= self.boundary);
            if !waited && !self.end_marked {
                self.end_marked = true;
                self.window = self.window.max(DEFAULT_WINDOW);
                self.send(bulletin(session::offline_end(self.waiting))).await?;
            }
            let Some(letter) = next else { return Ok(()) };
            let room = self.unacknowledged.len() < if waited { self.window } else { MAX_WINDOW };
            if !room || (self.passive && !waited) {
                return Ok(());
            }
            self.cursor = letter.seq;
            self.unacknowledged.insert(letter.seq);
            self.send_letter(letter, waited).await?;
        }
    }

    async fn send_letter(&mut self, letter: Letter, waited: bool) -> Result<(), End> {
        let node = match decode(&letter.stanza) {
            Ok(node) if waited => node.with("offline", self.waiting),
            Ok(node) => node,
            Err(error) => {
                tracing::error!(%error, "a stanza in the mailbox cannot be read and is skipped");
                return Ok(());
            }
        };
        self.send(node).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        let ping = Node::new("iq")
            .with("from", Jid::server())
            .with("type", "get")
            .with("xmlns", "urn:xmpp:ping")
            .with("id", random::stanza_id())
            .with("t", self.sandbox.clock.now_secs());
        self.send(ping).await
    }

    /// Sends one stanza through the faults in force.
    async fn send(&mut self, node: Node) -> Result<(), End> {
        let Treatment { drop, twice, after_next, corrupt, tear, half_close, delay } =
            self.sandbox.faults.treat(&self.who, &node.tag);
        if drop || self.half_closed {
            return Ok(());
        }
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if tear {
            self.channel.send_torn(&node).await?;
            return Err(End::Torn);
        }
        if after_next && self.held.is_none() {
            self.held = Some(node);
            return Ok(());
        }
        match corrupt {
            true => self.channel.send_corrupted(&node).await?,
            false => self.channel.send(&node).await?,
        }
        if twice {
            self.channel.send(&node).await?;
        }
        if let Some(overtaken) = self.held.take() {
            self.channel.send(&overtaken).await?;
        }
        if half_close {
            self.half_closed = true;
            self.channel.close().await;
        }
        Ok(())
    }

    async fn say_goodbye(&mut self, end: End) {
        let farewell = match end {
            End::Replaced => Some(session::replaced()),
            // A broken connection says nothing, and closes as abruptly as a process that was killed.
            End::Torn => return,
            End::Ordered(0) | End::Closed | End::Silent => None,
            End::Ordered(code) => Some(session::stream_error(code)),
            // What cannot be understood is told so; a broken line hears nothing.
            End::Broken(ChannelError::Codec(CodecError::Decode(ref error))) => {
                tracing::info!(who = %self.who, %error, "a stanza could not be read");
                Some(session::stream_error(500).with_node(Node::new("xml-not-well-formed")))
            }
            End::Broken(ref error) => {
                tracing::info!(who = %self.who, %error, "a connection ended");
                None
            }
        };
        if let Some(node) = farewell {
            // The client may be gone already.
            drop(self.channel.send(&node).await);
        }
        self.channel.close().await;
    }
}

fn bulletin(content: Node) -> Node {
    session::bulletin(content).with("from", Jid::server())
}
