//! A phone's connection: dials the chat server's TCP port like any client, logs in, and carries stanzas both ways.

use super::{Phone, PhoneError, wire};
use crate::certificate;
use crate::chat::{Channel, ChannelError};
use crate::noise::{self, InitiatorError};
use crate::sandbox::{Sandbox, stanza_id};
use crate::stream::{self, StreamError};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// First bytes of a connection: "WA", version 6, dictionary 3 (wire.md §1.1).
const HEADER: [u8; 4] = [b'W', b'A', 6, 3];
/// One-time prekeys of an upload.
const PREKEYS: usize = 100;
/// Refill below this.
const PREKEYS_FLOOR: usize = 10;
/// First pause before dialling again; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a connection did not come about, or ended.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("the chat server cannot be reached: {0}")]
    Dial(#[from] std::io::Error),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Handshake(#[from] InitiatorError),
    #[error("the server's certificates do not stand up to checking")]
    Untrusted,
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("the server refused the login with reason {0:?}")]
    Refused(Option<String>),
    #[error(transparent)]
    Phone(#[from] PhoneError),
}

/// What a request of ours was for.
enum Asked {
    Count,
    Keys(Vec<Jid>),
    Nothing,
}

struct Link<'a> {
    sandbox: &'a Sandbox,
    phone: &'a Phone,
    channel: Channel,
    asked: HashMap<String, Asked>,
    fetching: Vec<Jid>,
}

/// Keeps a phone connected as long as it wants to be, until the sandbox stops.
pub(super) async fn run(sandbox: Arc<Sandbox>, phone: Arc<Phone>) {
    let mut stopping = sandbox.stopping();
    let mut pause = PAUSE;
    loop {
        phone.set_connected(false);
        if stopping.asked() {
            return;
        }
        if phone.wants_connection() {
            match serve(&sandbox, &phone).await {
                Ok(()) => pause = PAUSE,
                Err(error) => tracing::info!(phone = %phone.jid(), %error, "a phone lost its connection"),
            }
            phone.set_connected(false);
            if phone.wants_connection() {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stopping.wait() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        } else {
            tokio::select! {
                () = phone.woken() => {}
                () = stopping.wait() => {}
            }
        }
    }
}

/// One connection, to its end. `Ok` when the phone itself hung up.
async fn serve(sandbox: &Sandbox, phone: &Phone) -> Result<(), LinkError> {
    let installation = phone.installation();
    let mut link =
        Link { sandbox, phone, channel: dial(sandbox, phone).await?, asked: HashMap::new(), fetching: Vec::new() };
    let mut stopping = sandbox.stopping();
    link.begin().await?;
    phone.set_connected(true);
    loop {
        link.flush().await?;
        tokio::select! {
            node = link.channel.receive() => link.take(node?).await?,
            () = phone.woken() => {}
            () = stopping.wait() => return Ok(()),
        }
        if !phone.wants_connection() || phone.installation() != installation {
            link.channel.close().await;
            return Ok(());
        }
    }
}

async fn dial(sandbox: &Sandbox, phone: &Phone) -> Result<Channel, LinkError> {
    let socket = TcpStream::connect(sandbox.tcp_addr).await?;
    socket.set_nodelay(true)?;
    let (mut reader, mut writer) = stream::tcp(socket, sandbox.config.max_frame_bytes);
    let (state, hello) = noise::initiate(&HEADER, &phone.noise_secret())?;
    writer.prefixed(&HEADER, &hello).await?;
    let state = state.read(&reader.frame().await?)?;
    let now = sandbox.clock.machine_secs();
    let root = sandbox.authority.root_key();
    certificate::check(&root, &state.certificates, &state.server_static, now).ok_or(LinkError::Untrusted)?;
    let number = phone.jid().user.parse().unwrap_or_default();
    let (finish, seal, open) = state.finish(&wire::payload(number, &phone.name()))?;
    writer.frame(&finish).await?;
    let mut channel = Channel::new((reader, writer), (seal, open), sandbox.config.write_timeout);
    let first = channel.receive().await?;
    if first.tag != "success" {
        return Err(LinkError::Refused(first.text("reason").map(|reason| reason.into_owned())));
    }
    Ok(channel)
}

impl Link<'_> {
    async fn begin(&mut self) -> Result<(), LinkError> {
        let count = self.ask(Asked::Count);
        self.send(wire::iq(&count, "get", "encrypt").with_node(Node::new("count"))).await?;
        let active = self.ask(Asked::Nothing);
        self.send(wire::iq(&active, "set", "passive").with_node(Node::new("active"))).await?;
        self.send(Node::new("presence").with("type", "available").with("name", self.phone.name())).await?;
        for stanza in self.phone.unacknowledged() {
            self.send(stanza).await?;
        }
        Ok(())
    }

    fn ask(&mut self, what: Asked) -> String {
        let id = stanza_id();
        self.asked.insert(id.clone(), what);
        id
    }

    /// Sends what the phone has to say, and asks for the keys that it lacks.
    async fn flush(&mut self) -> Result<(), LinkError> {
        let (stanzas, missing) = self.phone.take_outgoing()?;
        for stanza in stanzas {
            self.send(stanza).await?;
        }
        let wanted: Vec<Jid> = missing.into_iter().filter(|jid| !self.fetching.contains(jid)).collect();
        if !wanted.is_empty() {
            let users = wanted.iter().map(|jid| Node::new("user").with("jid", jid)).collect();
            self.fetching.extend(wanted.iter().cloned());
            let id = self.ask(Asked::Keys(wanted));
            self.send(wire::iq(&id, "get", "encrypt").with_node(Node::new("key").with_nodes(users))).await?;
        }
        Ok(())
    }

    async fn take(&mut self, node: Node) -> Result<(), LinkError> {
        let now = self.sandbox.clock.now_secs();
        let answers = match &*node.tag {
            "iq" if node.text("type").as_deref() == Some("get") => vec![wire::pong(&node)],
            "iq" => self.answered(&node).await?,
            "ib" if node.child("offline_preview").is_some() => {
                vec![Node::new("ib").with_node(Node::new("offline_batch").with("count", "100"))]
            }
            "message" => self.phone.change(|state| state.incoming(&node, now))?,
            "receipt" => self.phone.change(|state| state.receipt(&node, now))?,
            "ack" => {
                self.phone.acknowledged(&node);
                Vec::new()
            }
            "notification" => {
                let low = self.phone.change(|state| state.notification(&node, now))?;
                if low {
                    self.upload().await?;
                }
                vec![wire::ack(&node)]
            }
            _ => Vec::new(),
        };
        for answer in answers {
            self.send(answer).await?;
        }
        Ok(())
    }

    async fn answered(&mut self, node: &Node) -> Result<Vec<Node>, LinkError> {
        let asked = node.text("id").and_then(|id| self.asked.remove(&*id));
        match asked {
            Some(Asked::Count) => {
                let count = node.child("count").and_then(|count| count.text("value")?.parse().ok()).unwrap_or(0usize);
                if count < PREKEYS_FLOOR {
                    self.upload().await?;
                }
            }
            Some(Asked::Keys(wanted)) => {
                self.fetching.retain(|jid| !wanted.contains(jid));
                let nothing = Node::new("user");
                let users = node.child("list").map(Node::children).unwrap_or_default();
                let now = self.sandbox.clock.now_secs();
                for jid in wanted {
                    let user = users.iter().find(|user| user.jid("jid").ok().flatten().as_ref() == Some(&jid));
                    self.phone.change(|state| state.bundle_arrived(&jid, user.unwrap_or(&nothing), now))?;
                }
            }
            Some(Asked::Nothing) | None => {}
        }
        Ok(Vec::new())
    }

    async fn upload(&mut self) -> Result<(), LinkError> {
        let id = self.ask(Asked::Nothing);
        let upload = self.phone.change(|state| {
            let made = state.keys.more_prekeys(PREKEYS);
            wire::upload(&id, &state.keys, &made)
        })?;
        self.send(upload).await
    }

    async fn send(&mut self, node: Node) -> Result<(), LinkError> {
        Ok(self.channel.send(&node).await?)
    }
}
