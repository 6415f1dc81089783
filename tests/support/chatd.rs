//! The chat server in miniature: the few stanzas that a conversation needs.

use super::noise::{self, Cipher, Symmetric, framed, key};
use super::{BEGIN, Phone};
use causeway_proto::frame::FrameReader;
use causeway_proto::jid::Jid;
use causeway_proto::node::{Node, document};
use causeway_proto::schema::handshake::{ClientFinish, HandshakeMessage, ServerHello};
use causeway_proto::signal::{KeyPair, PreKeyBundle, PublicKey};
use prost::Message;
use rand_core::CryptoRng;
use std::collections::BTreeMap;

pub(crate) const ENLIST_URL: &str = "https://gatekeeper.example/3p/interop_reg";
const DAY: u64 = 86_400;

/// What happens to things on their way.
#[derive(Default, Clone)]
pub(crate) struct Fate {
    /// Connections are refused.
    pub(crate) refuse: bool,
    /// `<failure reason>` in place of `<success>`.
    pub(crate) failure: Option<u32>,
    /// Messages are swallowed: neither acknowledged nor delivered.
    pub(crate) swallow: bool,
    /// Acknowledged with this error, not delivered.
    pub(crate) ack_error: Option<u32>,
    /// The end of the mailbox is never told.
    pub(crate) pauses: bool,
    /// No delivery receipts.
    pub(crate) no_receipts: bool,
    /// So many of the next iqs get no answer.
    pub(crate) mute: u32,
    /// Key fetches are answered with this error.
    pub(crate) no_keys: Option<u32>,
    /// The bundle's signature is broken.
    pub(crate) bad_bundle: bool,
}

enum State {
    Header,
    Hello,
    Finish(Box<(Symmetric, KeyPair)>),
    Live { seal: Box<Cipher>, open: Box<Cipher> },
}

struct Link {
    socket: u64,
    state: State,
    reader: FrameReader,
    header: Vec<u8>,
    hung_up: bool,
}

pub(crate) struct Chatd {
    pub(crate) fate: Fate,
    pub(crate) root: KeyPair,
    pub(crate) signer: KeyPair,
    pub(crate) key: KeyPair,
    /// Unix seconds.
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    /// Stanzas that came, in order, over all connections.
    pub(crate) heard: Vec<Node>,
    /// The client payload of every login.
    pub(crate) logins: Vec<Vec<u8>>,
    pub(crate) mailbox: Vec<Node>,
    pub(crate) alice: Option<PreKeyBundle>,
    pub(crate) alice_prekeys: Vec<(u32, PublicKey)>,
    handed_out: BTreeMap<String, usize>,
    link: Option<Link>,
}

impl Chatd {
    pub(crate) fn new(rng: &mut dyn CryptoRng) -> Self {
        let root = KeyPair::generate(rng);
        Self {
            fate: Fate::default(),
            signer: root.clone(),
            root,
            key: KeyPair::generate(rng),
            not_before: BEGIN / 1000 - DAY,
            not_after: BEGIN / 1000 + 365 * DAY,
            heard: Vec::new(),
            logins: Vec::new(),
            mailbox: Vec::new(),
            alice: None,
            alice_prekeys: Vec::new(),
            handed_out: BTreeMap::new(),
            link: None,
        }
    }

    pub(crate) fn deployment(&self) -> String {
        let root: String = self.root.public().0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "partner_name=Test&enlist_url={ENLIST_URL}&chat_url=wss://chat.example/ws&integrator=1&root_key={root}&root_serial=0&version=2.3000.0"
        )
    }

    pub(crate) fn connect(&mut self, socket: u64) -> bool {
        if self.fate.refuse {
            return false;
        }
        let reader = FrameReader::new(1 << 20);
        self.link = Some(Link { socket, state: State::Header, reader, header: Vec::new(), hung_up: false });
        true
    }

    pub(crate) fn close(&mut self, socket: u64) {
        self.link.take_if(|link| link.socket == socket);
    }

    pub(crate) fn hang_up(&mut self) -> u64 {
        self.link.take().map_or(0, |link| link.socket)
    }

    pub(crate) fn has_hung_up(&mut self, socket: u64) -> bool {
        self.link.take_if(|link| link.socket == socket && link.hung_up).is_some()
    }

    pub(crate) fn socket(&self) -> Option<u64> {
        self.link.as_ref().map(|link| link.socket)
    }

    pub(crate) fn messages(&self) -> Vec<&Node> {
        self.heard("message")
    }

    pub(crate) fn heard(&self, tag: &str) -> Vec<&Node> {
        self.heard.iter().filter(|node| node.tag == tag).collect()
    }

    /// Alice's keys as she uploaded them, with a one-time prekey that nobody else is given.
    pub(crate) fn bundle_of_alice(&mut self) -> PreKeyBundle {
        let prekey = (!self.alice_prekeys.is_empty()).then(|| self.alice_prekeys.remove(0));
        PreKeyBundle { prekey, ..self.alice.clone().expect("alice has uploaded her keys") }
    }

    pub(crate) fn mail(&mut self, node: Node) {
        self.mailbox.push(node);
    }

    /// Everything in the mailbox, as one piece of bytes, if there is a connection. It stays there until it is receipted.
    pub(crate) fn deliver(&mut self) -> Option<(u64, Vec<u8>)> {
        let nodes = self.mailbox.clone();
        let link = self.link.as_mut()?;
        let State::Live { seal, .. } = &mut link.state else { return None };
        Some((link.socket, nodes.iter().flat_map(|node| seal.frame(node)).collect()))
    }

    /// A stanza as bytes on the socket in use.
    pub(crate) fn seal(&mut self, node: &Node) -> (u64, Vec<u8>) {
        let link = self.link.as_mut().expect("connected");
        let State::Live { seal, .. } = &mut link.state else { panic!("not logged in") };
        (link.socket, seal.frame(node))
    }

    /// Bytes from the client: what goes back.
    pub(crate) fn receive(
        &mut self,
        socket: u64,
        bytes: &[u8],
        phones: &mut BTreeMap<String, Phone>,
        now: u64,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Vec<u8>> {
        let Some(mut link) = self.link.take().filter(|link| link.socket == socket) else { return Vec::new() };
        let mut bytes = bytes;
        if matches!(link.state, State::Header) {
            let (header, rest) = bytes.split_at(4);
            link.header = header.to_vec();
            link.state = State::Hello;
            bytes = rest;
        }
        link.reader.feed(bytes);
        let mut answers = Vec::new();
        while let Some(frame) = link.reader.next().expect("well-formed frames") {
            answers.extend(self.frame(&mut link, frame, phones, now, rng));
        }
        self.link = Some(link);
        answers
    }

    fn frame(
        &mut self,
        link: &mut Link,
        frame: Vec<u8>,
        phones: &mut BTreeMap<String, Phone>,
        now: u64,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Vec<u8>> {
        match std::mem::replace(&mut link.state, State::Header) {
            State::Header => panic!("a frame before the header"),
            State::Hello => {
                let hello = HandshakeMessage::decode(frame.as_slice()).expect("a protobuf").client_hello;
                let client = key(hello.and_then(|hello| hello.ephemeral));
                let ephemeral = KeyPair::generate(rng);
                let mut state = Symmetric::new(&link.header);
                state.mix_hash(&client.0);
                state.mix_hash(&ephemeral.public().0);
                state.mix_key(&ephemeral.agree(&client).expect("a good key"));
                let sealed_static = state.encrypt(&self.key.public().0);
                state.mix_key(&self.key.agree(&client).expect("a good key"));
                let payload = state.encrypt(&self.certificates(rng));
                let hello = ServerHello {
                    ephemeral: Some(ephemeral.public().0.to_vec()),
                    r#static: Some(sealed_static),
                    payload: Some(payload),
                };
                let message = HandshakeMessage { server_hello: Some(hello), ..Default::default() }.encode_to_vec();
                link.state = State::Finish(Box::new((state, ephemeral)));
                vec![framed(&message)]
            }
            State::Finish(state) => {
                let (mut state, ephemeral) = *state;
                let message = HandshakeMessage::decode(frame.as_slice()).expect("a protobuf");
                let ClientFinish { r#static, payload, .. } = message.client_finish.expect("a finish");
                let client = key(Some(state.decrypt(&r#static.expect("a key"))));
                state.mix_key(&ephemeral.agree(&client).expect("a good key"));
                self.logins.push(state.decrypt(&payload.expect("a payload")));
                let (open, seal) = state.split();
                let (open, mut seal) = (Box::new(open), Box::new(seal));
                let mut answers = Vec::new();
                match self.fate.failure {
                    Some(reason) => {
                        answers.push(seal.frame(&Node::new("failure").with("reason", reason)));
                        link.hung_up = true;
                    }
                    None => {
                        answers.push(seal.frame(&Node::new("success").with("t", now / 1000)));
                        let waiting = u32::try_from(self.mailbox.len()).expect("a small mailbox");
                        if waiting > 0 {
                            let preview = Node::new("offline_preview").with("count", waiting).with("message", waiting);
                            answers.push(seal.frame(&Node::new("ib").with_node(preview)));
                            for node in &self.mailbox {
                                answers.push(seal.frame(&node.clone().with("offline", "1")));
                            }
                        }
                        if !self.fate.pauses {
                            let end = Node::new("offline").with("count", waiting);
                            answers.push(seal.frame(&Node::new("ib").with_node(end)));
                        }
                    }
                }
                link.state = State::Live { seal, open };
                answers
            }
            State::Live { mut seal, mut open } => {
                let plain = open.open(&frame);
                let node = document::decode(&plain, 1 << 20).expect("a node");
                let answers = self.stanza(&node, phones, rng).iter().map(|node| seal.frame(node)).collect();
                self.heard.push(node);
                link.state = State::Live { seal, open };
                answers
            }
        }
    }

    fn stanza(&mut self, node: &Node, phones: &mut BTreeMap<String, Phone>, rng: &mut dyn CryptoRng) -> Vec<Node> {
        let id = node.text("id").unwrap_or_default().into_owned();
        let result = || Node::new("iq").with("id", id.clone()).with("type", "result").with("from", Jid::server());
        match node.tag.as_ref() {
            "iq" if self.fate.mute > 0 => {
                self.fate.mute -= 1;
                Vec::new()
            }
            "iq" => match node.children().first().map(|child| child.tag.as_ref()) {
                Some("count") => {
                    let left = u32::try_from(self.alice_prekeys.len()).expect("few");
                    vec![result().with_node(Node::new("count").with("value", left))]
                }
                Some("key") => vec![self.keys(node, result(), phones)],
                Some("rotate") => {
                    self.take_signed_prekey(node.child("rotate").expect("just seen"));
                    vec![result()]
                }
                Some("registration") => {
                    self.take_keys(node);
                    vec![result()]
                }
                _ => vec![result()],
            },
            "message" => self.message(node, &id, phones, rng),
            "receipt" => {
                let retry = node.text("type").is_some_and(|kind| kind == "retry");
                if !retry {
                    self.mailbox.retain(|mail| mail.text("id").as_deref() != Some(&id));
                }
                Vec::new()
            }
            "ack" => {
                self.mailbox.retain(|mail| mail.text("id").as_deref() != Some(&id));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn message(
        &mut self,
        node: &Node,
        id: &str,
        phones: &mut BTreeMap<String, Phone>,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Node> {
        let to = node.jid("to").expect("a jid").expect("an address");
        let ack = Node::new("ack").with("class", "message").with("id", id.to_owned()).with("from", &to);
        if self.fate.swallow {
            return Vec::new();
        }
        if let Some(error) = self.fate.ack_error {
            return vec![ack.with("error", error)];
        }
        let mut answers = vec![ack];
        let Some(phone) = phones.get_mut(&to.user) else { return answers };
        let already = phone.received.iter().any(|(known, _)| known == id);
        let enc = node.child("enc").expect("an envelope");
        let opened =
            already || phone.open(id, &enc.text("type").expect("a kind"), enc.bytes().expect("bytes"), rng).is_ok();
        if opened && !self.fate.no_receipts {
            answers.push(Node::new("receipt").with("from", &to).with("id", id.to_owned()).with("t", BEGIN / 1000));
        }
        answers
    }

    fn keys(&mut self, node: &Node, result: Node, phones: &mut BTreeMap<String, Phone>) -> Node {
        let user = node.child("key").and_then(|key| key.child("user")).expect("a user");
        let jid = user.jid("jid").expect("a jid").expect("an address");
        let answer = Node::new("user").with("jid", &jid);
        let error = |code: u32| Node::new("error").with("code", code).with("text", "no");
        let user = match (self.fate.no_keys, phones.get_mut(&jid.user)) {
            (Some(code), _) => answer.with_node(error(code)),
            (None, None) => answer.with_node(error(404)),
            (None, Some(phone)) => {
                let handed_out = self.handed_out.entry(jid.to_string()).or_default();
                let mut bundle = phone.bundle(*handed_out);
                *handed_out += 1;
                if self.fate.bad_bundle {
                    bundle.signed_prekey_signature[5] ^= 1;
                }
                answer.with_nodes(key_nodes(&bundle))
            }
        };
        result.with_node(Node::new("list").with_node(user))
    }

    fn take_signed_prekey(&mut self, node: &Node) {
        let skey = node.child("skey").expect("a signed prekey");
        let bytes = |tag: &str| skey.child(tag).and_then(Node::bytes).expect("bytes");
        let alice = self.alice.as_mut().expect("alice has uploaded her keys");
        alice.signed_prekey_id = bytes("id").iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        alice.signed_prekey = PublicKey::from_slice(bytes("value")).expect("a key");
        alice.signed_prekey_signature = bytes("signature").try_into().expect("64 bytes");
    }

    fn take_keys(&mut self, node: &Node) {
        let bytes = |node: &Node, tag: &str| node.child(tag).and_then(Node::bytes).expect("bytes").to_vec();
        let public = |node: &Node, tag: &str| PublicKey::from_slice(&bytes(node, tag)).expect("a key");
        let id = |node: &Node| bytes(node, "id").iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        let skey = node.child("skey").expect("a signed prekey");
        for key in node.child("list").expect("a list").children() {
            self.alice_prekeys.push((id(key), public(key, "value")));
        }
        self.alice = Some(PreKeyBundle {
            registration_id: u32::from_be_bytes(bytes(node, "registration").try_into().expect("4 bytes")),
            identity: public(node, "identity"),
            signed_prekey_id: id(skey),
            signed_prekey: public(skey, "value"),
            signed_prekey_signature: bytes(skey, "signature").try_into().expect("64 bytes"),
            prekey: None,
        });
    }

    fn certificates(&self, rng: &mut dyn CryptoRng) -> Vec<u8> {
        noise::certificates(&self.key, &self.signer, self.not_before, self.not_after, rng)
    }
}

fn key_nodes(bundle: &PreKeyBundle) -> Vec<Node> {
    let id = |id: u32| Node::new("id").with_bytes(id.to_be_bytes()[1..].to_vec());
    let value = |key: PublicKey| Node::new("value").with_bytes(key.0);
    let signature = Node::new("signature").with_bytes(bundle.signed_prekey_signature);
    let mut nodes = vec![
        Node::new("registration").with_bytes(bundle.registration_id.to_be_bytes()),
        Node::new("type").with_bytes([5]),
        Node::new("identity").with_bytes(bundle.identity.0),
        Node::new("skey").with_nodes(vec![id(bundle.signed_prekey_id), value(bundle.signed_prekey), signature]),
    ];
    if let Some((prekey, key)) = bundle.prekey {
        nodes.push(Node::new("key").with_nodes(vec![id(prekey), value(key)]));
    }
    nodes
}
