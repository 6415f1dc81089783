//! One logged-in user: reads stanzas and answers them, delivers the mailbox, keeps the connection alive
//! (docs/spec/wire.md §5.5).
//!
//! Everything for a user waits in the mailbox until the user acknowledges it; the session sends what it has not sent
//! yet. First what waited at login, no more at once than the client asked for, then the end marker, then live traffic.

use super::login::User;
use super::{iq, message, receipt};
use crate::channel::{Channel, ChannelError};
use crate::faults::StanzaFaults;
use crate::hub::{ConnectionSlot, Order};
use crate::sandbox::Sandbox;
use crate::world::{Class, QueuedStanza};
use crate::{push_caller, random};
use causeway_peer::channel::ChannelError as CodecError;
use causeway_peer::stanza::{iq as answers, session};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Node, decode};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

/// Most unacknowledged stanzas in flight, whatever a client asks for.
const MAX_WINDOW: usize = 1000;
/// For clients that never ask for a batch.
const DEFAULT_WINDOW: usize = 100;

/// Why a session ended.
enum End {
    /// The connection broke or the client violated the protocol.
    Broken(ChannelError),
    /// The client closed the stream.
    Closed,
    /// Nothing came for too long.
    TimedOut,
    /// Another connection of the same user.
    Replaced,
    /// This `<stream:error>` code; 0 without a stanza.
    Requested(u32),
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
    /// Number of the last stanza sent.
    cursor: u64,
    /// Number of the last stanza that waited at login.
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
    /// Serves until the connection ends.
    pub(super) async fn run(sandbox: Arc<Sandbox>, user: User) {
        let User { who, channel, passive, pull } = user;
        let slot = sandbox.hub.join(&who);
        let serial = slot.serial;
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
        let end = match session.serve(slot).await {
            Ok(()) => End::Closed,
            Err(end) => end,
        };
        sandbox.hub.leave(&who, serial);
        if !sandbox.stopping().asked() {
            push_caller::consider(&sandbox, &who);
        }
        session.close_with_reason(end).await;
        if let Err(error) = sandbox.world().seen(&who, sandbox.clock.now_secs()) {
            tracing::error!(%error, "the time of a disconnection could not be recorded");
        }
    }

    async fn serve(&mut self, mut slot: ConnectionSlot) -> Result<(), End> {
        let mut stopping = self.sandbox.stopping();
        let quiet = self.sandbox.config.ping_interval;
        let (mut received_at, mut ping_at) = (Instant::now(), Instant::now() + quiet);
        let grace_ends = Instant::now() + self.sandbox.config.mailbox_grace;
        self.announce_mailbox().await?;
        loop {
            self.pump().await?;
            tokio::select! {
                node = self.channel.receive() => {
                    received_at = Instant::now();
                    ping_at = received_at + quiet;
                    let node = node?;
                    self.sandbox.message_log.record(&self.who, &node);
                    if !self.sandbox.faults.drops_received(&self.who, &node.tag) {
                        self.take(node).await?;
                    }
                }
                order = slot.orders.recv() => match order {
                    Some(Order::Live(node)) if !self.passive => self.send(node).await?,
                    Some(Order::Live(_)) => {}
                    Some(Order::Disconnect(code)) => return Err(End::Requested(code)),
                    Some(Order::Stall) => {
                        // Until another connection takes the slot, or the sandbox stops.
                        tokio::select! {
                            () = async { while slot.orders.recv().await.is_some() {} } => {}
                            () = stopping.wait() => {}
                        }
                        return Err(End::Torn);
                    }
                    None => return Err(End::Replaced),
                },
                () = slot.wake.notified() => {}
                () = tokio::time::sleep_until(grace_ends), if self.window == 0 => self.window = DEFAULT_WINDOW,
                () = tokio::time::sleep_until(ping_at) => {
                    if received_at.elapsed() >= 2 * quiet {
                        return Err(End::TimedOut);
                    }
                    ping_at += quiet;
                    self.ping().await?;
                }
                () = stopping.wait() => return Err(End::Requested(503)),
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
        for queued in self.sandbox.world().mailbox(&self.who) {
            self.boundary = queued.seq;
            match queued.class {
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
            let next = self.sandbox.world().next_queued(&self.who, self.cursor).cloned();
            let waited = next.as_ref().is_some_and(|queued| queued.seq <= self.boundary);
            if !waited && !self.end_marked {
                self.end_marked = true;
                self.window = self.window.max(DEFAULT_WINDOW);
                self.send(bulletin(session::offline_end(self.waiting))).await?;
            }
            let Some(queued) = next else { return Ok(()) };
            let has_space = self.unacknowledged.len() < if waited { self.window } else { MAX_WINDOW };
            if !has_space || (self.passive && !waited) {
                return Ok(());
            }
            self.cursor = queued.seq;
            self.unacknowledged.insert(queued.seq);
            self.send_queued(queued, waited).await?;
        }
    }

    async fn send_queued(&mut self, queued: QueuedStanza, waited: bool) -> Result<(), End> {
        let node = match decode(&queued.stanza) {
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
            .with("t", self.sandbox.clock.now_secs().get());
        self.send(ping).await
    }

    /// Sends one stanza through the faults in force.
    async fn send(&mut self, node: Node) -> Result<(), End> {
        let StanzaFaults { drop, twice, after_next, corrupt, tear, half_close, delay } =
            self.sandbox.faults.next_stanza(&self.who, &node.tag);
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

    async fn close_with_reason(&mut self, end: End) {
        let last = match end {
            End::Replaced => Some(session::replaced()),
            // A torn connection closes without a stanza, like a process that was killed.
            End::Torn => return,
            End::Requested(0) | End::Closed | End::TimedOut => None,
            End::Requested(code) => Some(session::stream_error(code)),
            // A stanza that can't be decoded gets a stream error; a broken connection gets nothing.
            End::Broken(ChannelError::Codec(CodecError::Decode(ref error))) => {
                tracing::info!(who = %self.who, %error, "a stanza could not be read");
                Some(session::stream_error(500).with_node(Node::new("xml-not-well-formed")))
            }
            End::Broken(ref error) => {
                tracing::info!(who = %self.who, %error, "a connection ended");
                None
            }
        };
        if let Some(node) = last {
            // The client may be gone already.
            drop(self.channel.send(&node).await);
        }
        self.channel.close().await;
    }
}

fn bulletin(content: Node) -> Node {
    session::bulletin(content).with("from", Jid::server())
}
