//! A client of the chat server, driven stanza by stanza, over TCP or WebSocket.

use super::TIMEOUT;
use super::partner::{Partner, now};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use causeway_gatekeeper::Running;
use causeway_proto::frame::{self, FrameReader};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Node, document};
use causeway_proto::noise::{StaticKey, Transport, handshake, payload};
use causeway_proto::profile::Profile;
use causeway_proto::signal::{IdentityKeyPair, KeyPair, LocalIdentity, PreKeyPair, PreKeys, SignedPreKeyPair};
use futures::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use rand_core::UnwrapErr;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const REGISTRATION: u32 = 1234;

pub(crate) fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

/// Which way to the chat server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Tcp,
    WebSocket,
}

enum Line {
    Tcp(TcpStream),
    WebSocket(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
}

impl Line {
    async fn open(running: &Running, way: Way) -> Self {
        match way {
            Way::Tcp => Self::Tcp(TcpStream::connect(running.tcp_addr).await.unwrap()),
            Way::WebSocket => {
                let url = format!("ws://{}/ws/chat", running.http_addr);
                Self::WebSocket(Box::new(tokio_tungstenite::connect_async(url).await.unwrap().0))
            }
        }
    }

    async fn write(&mut self, bytes: Vec<u8>) {
        match self {
            Self::Tcp(stream) => stream.write_all(&bytes).await.unwrap(),
            Self::WebSocket(socket) => socket.send(Message::binary(bytes)).await.unwrap(),
        }
    }

    /// `None` at the end.
    async fn read(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Tcp(stream) => {
                let mut bytes = vec![0; 4096];
                let count = stream.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
                bytes.truncate(count);
                Some(bytes)
            }
            Self::WebSocket(socket) => loop {
                match socket.next().await? {
                    Ok(Message::Binary(bytes)) => return Some(bytes.to_vec()),
                    Ok(Message::Close(_)) | Err(_) => return None,
                    Ok(_) => {}
                }
            },
        }
    }
}

/// A logged-in (or refused) client.
pub(crate) struct Client {
    line: Line,
    frames: FrameReader,
    transport: Transport,
    pub(crate) profile: Profile,
}

/// What the first stanza was.
pub(crate) type First = Node;

impl Client {
    /// Handshake with a ClientPayload; the first stanza of the server.
    pub(crate) async fn connect(running: &Running, way: Way, noise: &StaticKey, payload: &[u8]) -> (Self, First) {
        let profile = Profile { root_key: running.root_key, ..Profile::default() };
        let mut line = Line::open(running, way).await;
        let mut frames = FrameReader::new(1 << 20);
        let (state, hello) = handshake::start(noise, &profile, &mut rng()).unwrap();
        let mut bytes = Vec::new();
        frame::opening(&profile.connection_header, None, &mut bytes).unwrap();
        bytes.extend(framed(&hello));
        line.write(bytes).await;
        let answer = next_frame(&mut line, &mut frames).await.expect("a server hello");
        let verified = state.read(&answer, now()).expect("a trustworthy server");
        let (finish, transport) = verified.finish(payload).unwrap();
        line.write(framed(&finish)).await;
        let mut client = Self { line, frames, transport, profile };
        let first = client.receive().await.expect("an answer to the login");
        (client, first)
    }

    pub(crate) async fn send(&mut self, node: Node) {
        let mut plain = Vec::new();
        document::encode(&node, &self.profile, &mut plain).unwrap();
        self.transport.seal.seal(&mut plain, 0).unwrap();
        self.line.write(framed(&plain)).await;
    }

    /// Bytes that are no stanza, sealed as if they were.
    pub(crate) async fn send_sealed(&mut self, mut plain: Vec<u8>) {
        self.transport.seal.seal(&mut plain, 0).unwrap();
        self.line.write(framed(&plain)).await;
    }

    pub(crate) async fn send_raw(&mut self, bytes: Vec<u8>) {
        self.line.write(bytes).await;
    }

    /// The next stanza; `None` when the server has closed.
    pub(crate) async fn receive(&mut self) -> Option<Node> {
        let mut frame = next_frame(&mut self.line, &mut self.frames).await?;
        self.transport.open.open(&mut frame).expect("a frame that opens");
        Some(document::decode(&frame, 1 << 24).expect("a stanza"))
    }

    /// The next stanza that meets a condition; others are passed over.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Node) -> bool) -> Node {
        loop {
            let node = self.receive().await.expect("the server must not close yet");
            if wanted(&node) {
                return node;
            }
        }
    }

    /// Sends a request and returns its answer.
    pub(crate) async fn ask(&mut self, iq: Node) -> Node {
        let id = iq.text("id").expect("an id").into_owned();
        self.send(iq).await;
        self.until(|node| node.tag == "iq" && node.text("id").as_deref() == Some(&id)).await
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    [&frame::header(payload.len()).unwrap()[..], payload].concat()
}

async fn next_frame(line: &mut Line, frames: &mut FrameReader) -> Option<Vec<u8>> {
    let read = async {
        loop {
            if let Some(frame) = frames.next().unwrap() {
                return Some(frame);
            }
            frames.feed(&line.read().await?);
        }
    };
    tokio::time::timeout(TIMEOUT, read).await.expect("the server says something or closes")
}

/// A request to the server.
pub(crate) fn iq(id: &'static str, kind: &'static str, xmlns: &'static str) -> Node {
    Node::new("iq").with("id", id).with("type", kind).with("xmlns", xmlns).with("to", Jid::server())
}

/// A message with any bytes for a ciphertext: the server cannot tell.
pub(crate) fn message(to: &Jid, id: &'static str) -> Node {
    let enc = Node::new("enc").with("v", "2").with("type", "msg").with_bytes(*b"sealed");
    Node::new("message").with("to", to).with("type", "text").with("id", id).with_node(enc)
}

/// A user's own secrets, enlisted or not.
pub(crate) struct User {
    pub(crate) identifier: String,
    pub(crate) noise: StaticKey,
    pub(crate) identity: IdentityKeyPair,
    pub(crate) signed: SignedPreKeyPair,
    pub(crate) one_time: Vec<PreKeyPair>,
}

impl User {
    pub(crate) fn new(identifier: &str) -> Self {
        let identity = IdentityKeyPair::generate(&mut rng());
        let signed = SignedPreKeyPair::generate(7, &identity, now(), &mut rng());
        let one_time = (1..=20).map(|id| PreKeyPair::generate(id, &mut rng())).collect();
        Self { identifier: identifier.to_owned(), noise: StaticKey::generate(&mut rng()), identity, signed, one_time }
    }

    /// The fields of docs/spec/enlistment.md §1.2.2.
    pub(crate) fn form(&self, token: &str) -> Vec<(&'static str, String)> {
        let text = |bytes: &[u8]| BASE64URL.encode(bytes);
        vec![
            ("user_identifier", self.identifier.clone()),
            ("e_ident", text(&self.identity.public().0)),
            ("e_keytype", text(&[5])),
            ("e_regid", text(&REGISTRATION.to_be_bytes())),
            ("e_skey_id", text(&self.signed.id.to_be_bytes()[1..])),
            ("e_skey_val", text(&self.signed.pair.public().0)),
            ("e_skey_sig", text(&self.signed.signature)),
            ("authkey", text(&self.noise.public())),
            ("token", token.to_owned()),
            ("integrator_id", "1".to_owned()),
        ]
    }

    /// Enlists; the login JID.
    pub(crate) async fn enlist(&self, running: &Running, partner: &Partner) -> Jid {
        let answer = enlist(running, &self.form(&partner.token(&self.identifier))).await;
        answer["login"].as_str().unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
    }

    /// Logs in; the client and the first stanza.
    pub(crate) async fn login(&self, running: &Running, way: Way, who: &Jid, token: &str) -> (Client, First) {
        let payload = payload::login(&Profile::default(), who.user.parse().unwrap(), token);
        Client::connect(running, way, &self.noise, &payload).await
    }

    /// An upload of the signed prekey and of `count` one-time prekeys.
    pub(crate) fn upload(&self, id: &'static str, count: usize) -> Node {
        let keys = &self.one_time[..count];
        causeway_proto::stanza::prekeys::upload_request(id, REGISTRATION, &self.identity.public(), &self.signed, keys)
    }

    /// Who the user is to others.
    pub(crate) fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity { pair: &self.identity, registration_id: REGISTRATION }
    }
}

impl PreKeys for User {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        self.one_time.iter().find(|key| key.id == id).map(|key| &key.pair)
    }

    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        (self.signed.id == id).then_some(&self.signed.pair)
    }
}

/// Posts a form to the enlistment API.
pub(crate) async fn enlist(running: &Running, form: &[(&'static str, String)]) -> Value {
    let url = format!("http://{}/3p/interop_reg", running.http_addr);
    let answer = reqwest::Client::new().post(url).form(form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    answer.json().await.unwrap()
}

/// ClientPayload of a WhatsApp user, written by hand: username 1, device 18.
#[derive(Clone, PartialEq, prost::Message)]
struct PhonePayload {
    #[prost(uint64, optional, tag = "1")]
    username: Option<u64>,
    #[prost(uint32, optional, tag = "18")]
    device: Option<u32>,
}

/// Logs in as a WhatsApp user by number.
pub(crate) async fn login_phone(running: &Running, way: Way, noise: &StaticKey, number: u64) -> (Client, First) {
    let payload = PhonePayload { username: Some(number), device: Some(0) }.encode_to_vec();
    Client::connect(running, way, noise, &payload).await
}
