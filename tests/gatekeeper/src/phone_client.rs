//! A phone's connection: connects to the chat server's TCP port like any client, logs in, and passes stanzas to the
//! phone's state and back.

use crate::channel::{Channel, ChannelError};
use crate::phone::{Phone, PhoneError};
use crate::random;
use crate::sandbox::Sandbox;
use crate::stream::{self, Reader, StreamError};
use causeway_peer::certificate::is_trusted;
use causeway_peer::channel::Channel as Codec;
use causeway_peer::frame::{FrameBuffer, FrameError, framed};
use causeway_peer::noise::{self, InitiatorError};
use causeway_peer::stanza::acknowledgement::client_ack;
use causeway_peer::stanza::{client, iq};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::PublicKey;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// First bytes of a connection: "WA", version 6, dictionary 3 (docs/spec/wire.md §1.1).
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
    Frame(#[from] FrameError),
    #[error("a handshake message does not fit into a frame")]
    TooLong,
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

/// Starts the phones of the data folder, and the echo phone if the configuration asks for one.
///
/// # Errors
/// [`PhoneError`] when a phone's file can't be read or written.
pub(crate) fn restore(sandbox: &Arc<Sandbox>) -> Result<(), PhoneError> {
    for phone in Phone::stored(&sandbox.config.data)? {
        start(sandbox, phone);
    }
    if let Some(number) = sandbox.config.echo.clone()
        && sandbox.phones.get(&number).is_none()
    {
        create(sandbox, &number, Some("Echo".to_owned()), Vec::new(), true)?;
    }
    Ok(())
}

/// Makes a phone and starts it.
///
/// # Errors
/// [`PhoneError`] when its file can't be written.
pub(crate) fn create(
    sandbox: &Arc<Sandbox>,
    number: &str,
    name: Option<String>,
    also: Vec<String>,
    echo: bool,
) -> Result<Arc<Phone>, PhoneError> {
    let name = name.unwrap_or_else(|| format!("+{number}"));
    let phone = Phone::create(&sandbox.config.data, number, name, also, echo, sandbox.clock.now_secs())?;
    start(sandbox, Arc::clone(&phone));
    Ok(phone)
}

fn start(sandbox: &Arc<Sandbox>, phone: Arc<Phone>) {
    let task = tokio::spawn(run(Arc::clone(sandbox), Arc::clone(&phone)));
    sandbox.phones.add(phone, task);
}

/// Keeps a phone connected as long as it wants to be, until the sandbox stops.
async fn run(sandbox: Arc<Sandbox>, phone: Arc<Phone>) {
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
    let (mut reader, mut writer) = stream::tcp(socket);
    let mut frames = FrameBuffer::new(sandbox.config.max_frame_bytes);
    let (state, hello) = noise::initiate(&HEADER, &phone.noise_secret(), &mut random::rng())?;
    let mut opening = HEADER.to_vec();
    opening.extend(framed(&hello).ok_or(LinkError::TooLong)?);
    writer.write(opening).await?;
    let state = state.read(&next_frame(&mut reader, &mut frames).await?)?;
    let root = PublicKey(sandbox.authority.root_key());
    if !is_trusted(&root, &state.certificates, &state.server_static, sandbox.clock.machine_secs().get()) {
        return Err(LinkError::Untrusted);
    }
    let number = phone.jid().user.parse().unwrap_or_default();
    let (finish, seal, open) = state.finish(&client::payload(number, &phone.name()))?;
    writer.write(framed(&finish).ok_or(LinkError::TooLong)?).await?;
    let codec = Codec::new(seal, open);
    let mut channel = Channel::new((reader, writer), (frames, codec), sandbox.config.write_timeout);
    let first = channel.receive().await?;
    if first.tag != "success" {
        return Err(LinkError::Refused(first.text("reason").map(|reason| reason.into_owned())));
    }
    Ok(channel)
}

async fn next_frame(reader: &mut Reader, frames: &mut FrameBuffer) -> Result<Vec<u8>, LinkError> {
    loop {
        if let Some(frame) = frames.frame()? {
            return Ok(frame);
        }
        frames.feed(&reader.read().await?);
    }
}

impl Link<'_> {
    async fn begin(&mut self) -> Result<(), LinkError> {
        let count = self.ask(Asked::Count);
        self.send(iq::request(&count, "get", "encrypt").with_node(Node::new("count"))).await?;
        let active = self.ask(Asked::Nothing);
        self.send(iq::request(&active, "set", "passive").with_node(Node::new("active"))).await?;
        self.send(Node::new("presence").with("type", "available").with("name", self.phone.name())).await?;
        for stanza in self.phone.unacknowledged() {
            self.send(stanza).await?;
        }
        Ok(())
    }

    fn ask(&mut self, what: Asked) -> String {
        let id = random::stanza_id();
        self.asked.insert(id.clone(), what);
        id
    }

    /// Sends queued stanzas, and fetches the keys that are missing for others.
    async fn flush(&mut self) -> Result<(), LinkError> {
        let (stanzas, missing) = self.phone.take_outgoing()?;
        for stanza in stanzas {
            self.send(stanza).await?;
        }
        let wanted: Vec<Jid> = missing.into_iter().filter(|jid| !self.fetching.contains(jid)).collect();
        if !wanted.is_empty() {
            self.fetching.extend(wanted.iter().cloned());
            let id = self.ask(Asked::Keys(wanted.clone()));
            self.send(client::key_fetch(&id, &wanted)).await?;
        }
        Ok(())
    }

    async fn take(&mut self, node: Node) -> Result<(), LinkError> {
        let now = self.sandbox.clock.now_secs();
        let answers = match &*node.tag {
            "iq" if node.text("type").as_deref() == Some("get") => vec![iq::pong(&node)],
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
                vec![client_ack(&node)]
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
            let made = state.keys.more_prekeys(PREKEYS, &mut random::rng());
            client::upload(&id, &state.keys.bundle(), &made)
        })?;
        self.send(upload).await
    }

    async fn send(&mut self, node: Node) -> Result<(), LinkError> {
        Ok(self.channel.send(&node).await?)
    }
}
