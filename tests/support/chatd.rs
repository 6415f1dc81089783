//! The chat server of the integration tests: one connection, one mailbox, and the faults that a test sets.

use super::{ALICE, BEGIN, Phone, alice};
use causeway::io::SocketId;
use causeway_peer::certificate::Chain;
use causeway_peer::directory::Directory;
use causeway_peer::server::{Connection, Event};
use causeway_peer::stanza::acknowledgement::{Confirmation, message_ack};
use causeway_peer::stanza::{client, forward, iq, keys, session};
use causeway_proto::jid::Jid;
use causeway_proto::node::{Content, Node};
use causeway_proto::signal::{KeyPair, PreKeyBundle, PublicKey};
use rand_core::CryptoRng;
use std::collections::BTreeMap;

pub(crate) const ENLIST_URL: &str = "https://gatekeeper.example/3p/interop_reg";
const DAY: u64 = 86_400;
/// Largest frame that the server takes, in bytes.
const MAX_FRAME: usize = 1 << 20;

/// Faults in force.
#[derive(Default, Clone)]
pub(crate) struct Fate {
    /// Connections are refused.
    pub(crate) refuse: bool,
    /// `<failure reason>` in place of `<success>`.
    pub(crate) failure: Option<u32>,
    /// Messages are neither acknowledged nor delivered.
    pub(crate) swallow: bool,
    /// Acknowledged with this error, not delivered.
    pub(crate) ack_error: Option<u32>,
    /// The end of the mailbox is never sent.
    pub(crate) pauses: bool,
    /// No delivery receipts.
    pub(crate) no_receipts: bool,
    /// Number of requests to come that get no answer.
    pub(crate) mute: u32,
    /// Key fetches are answered with this error.
    pub(crate) no_keys: Option<u32>,
    /// The address that key fetches are answered with.
    pub(crate) answers_as: Option<Jid>,
    /// The bundle's signature is broken.
    pub(crate) bad_bundle: bool,
    /// Documents in front of `<success>`.
    pub(crate) before_login: Vec<Vec<u8>>,
    /// Documents in front of the mailbox.
    pub(crate) in_mailbox: Vec<Vec<u8>>,
}

struct Link {
    socket: SocketId,
    connection: Connection,
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
    /// Other addresses at which a phone is reached: the user part, and the number.
    pub(crate) reached_at: BTreeMap<String, String>,
    /// Numbers of accounts that are known under another one: that one answers when they are asked for, and nobody is reached
    /// at them.
    pub(crate) known_under: BTreeMap<String, String>,
    /// What phones have published.
    directory: Directory,
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
            reached_at: BTreeMap::new(),
            known_under: BTreeMap::new(),
            directory: Directory::default(),
            link: None,
        }
    }

    pub(crate) fn deployment(&self) -> String {
        let root: String = self.root.public().0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "partner_name=Test&enlist_url={ENLIST_URL}&chat_url=wss://chat.example/ws&integrator=1&root_key={root}&root_serial=0&version=2.3000.0"
        )
    }

    pub(crate) fn connect(&mut self, socket: SocketId) -> bool {
        if self.fate.refuse {
            return false;
        }
        self.link = Some(Link { socket, connection: Connection::new(MAX_FRAME), hung_up: false });
        true
    }

    pub(crate) fn close(&mut self, socket: SocketId) {
        self.link.take_if(|link| link.socket == socket);
    }

    pub(crate) fn hang_up(&mut self) -> Option<SocketId> {
        self.link.take().map(|link| link.socket)
    }

    pub(crate) fn has_hung_up(&mut self, socket: SocketId) -> bool {
        self.link.take_if(|link| link.socket == socket && link.hung_up).is_some()
    }

    pub(crate) fn socket(&self) -> Option<SocketId> {
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

    /// Everything in the mailbox, as one piece of bytes, if there is a connection. It stays there until it is
    /// receipted.
    pub(crate) fn deliver(&mut self) -> Option<(SocketId, Vec<u8>)> {
        let nodes = self.mailbox.clone();
        let link = self.link.as_mut()?;
        link.connection.is_open().then(|| (link.socket, nodes.iter().flat_map(|node| link.seal(node)).collect()))
    }

    /// A stanza as bytes on the socket in use.
    pub(crate) fn seal(&mut self, node: &Node) -> (SocketId, Vec<u8>) {
        let link = self.link.as_mut().expect("connected");
        (link.socket, link.seal(node))
    }

    /// A document, whatever it is, as bytes on the socket in use.
    pub(crate) fn seal_bytes(&mut self, document: &[u8]) -> (SocketId, Vec<u8>) {
        let link = self.link.as_mut().expect("connected");
        (link.socket, link.seal_bytes(document))
    }

    /// Bytes from the client: what goes back.
    pub(crate) fn receive(
        &mut self,
        socket: SocketId,
        bytes: &[u8],
        phones: &mut BTreeMap<String, Phone>,
        now: u64,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Vec<u8>> {
        let Some(mut link) = self.link.take().filter(|link| link.socket == socket) else { return Vec::new() };
        link.connection.feed(bytes);
        let mut answers = Vec::new();
        while let Some(event) = link.connection.poll().expect("the client keeps to the protocol") {
            match event {
                Event::Hello => {
                    let certificates = self.certificates(rng);
                    let answer = link.connection.answer_hello(&self.key, &certificates, rng);
                    answers.push(answer.expect("a well-formed hello"));
                }
                Event::Login(login) => {
                    self.logins.push(login.payload);
                    link.hung_up = self.fate.failure.is_some();
                    answers.extend(self.fate.before_login.iter().map(|document| link.seal_bytes(document)));
                    let [success, mailbox @ ..] = &self.login(now)[..] else { continue };
                    answers.push(link.seal(success));
                    answers.extend(self.fate.in_mailbox.iter().map(|document| link.seal_bytes(document)));
                    answers.extend(mailbox.iter().map(|node| link.seal(node)));
                }
                Event::Stanza(node) => {
                    answers.extend(self.stanza(&node, phones, rng).iter().map(|node| link.seal(node)));
                    self.heard.push(node);
                }
            }
        }
        self.link = Some(link);
        answers
    }

    fn login(&self, now: u64) -> Vec<Node> {
        if let Some(reason) = self.fate.failure {
            return vec![session::failure(reason)];
        }
        let mut answers = vec![session::success(now / 1000)];
        let waiting = u32::try_from(self.mailbox.len()).expect("a small mailbox");
        if waiting > 0 {
            answers.push(session::bulletin(session::offline_preview(waiting, waiting)));
            answers.extend(self.mailbox.iter().map(|node| node.clone().with("offline", "1")));
        }
        if !self.fate.pauses {
            answers.push(session::bulletin(session::offline_end(waiting)));
        }
        answers
    }

    fn stanza(&mut self, node: &Node, phones: &mut BTreeMap<String, Phone>, rng: &mut dyn CryptoRng) -> Vec<Node> {
        match node.tag.as_ref() {
            "iq" if self.fate.mute > 0 => {
                self.fate.mute -= 1;
                Vec::new()
            }
            "iq" => vec![self.iq(node, phones)],
            "message" => self.message(node, phones, rng),
            _ => {
                if let Some(confirmation) = Confirmation::read(node) {
                    let covered = |mail: &Node| {
                        let from = mail.jid("from").ok().flatten().unwrap_or_else(Jid::server);
                        let id = mail.text("id").unwrap_or_default();
                        confirmation.ids.iter().any(|known| *known == id)
                            && confirmation.covers(&mail.tag, mail.text("type").as_deref(), &from)
                    };
                    self.mailbox.retain(|mail| !covered(mail));
                }
                Vec::new()
            }
        }
    }

    fn iq(&mut self, node: &Node, phones: &BTreeMap<String, Phone>) -> Node {
        match node.children().first().map(|child| child.tag.as_ref()) {
            Some("count") => iq::result(node).with_node(session::prekey_count(self.alice_prekeys.len())),
            Some("key") => self.keys(node, phones),
            Some("rotate") => {
                let signed = node.child("rotate").and_then(|rotate| keys::read_signed_key(rotate.child("skey")?));
                let signed = signed.expect("a signed prekey");
                let alice = self.alice.as_mut().expect("alice has uploaded her keys");
                alice.signed_prekey_id = signed.id;
                alice.signed_prekey = signed.key;
                alice.signed_prekey_signature = signed.signature;
                iq::result(node)
            }
            Some("registration") => {
                // A key that comes twice is kept twice, so that tests see it.
                let upload = keys::read_upload(node).expect("an upload with all of its keys");
                self.alice = Some(upload.bundle);
                self.alice_prekeys.extend(upload.one_time);
                iq::result(node)
            }
            _ => iq::result(node),
        }
    }

    fn message(&mut self, node: &Node, phones: &mut BTreeMap<String, Phone>, rng: &mut dyn CryptoRng) -> Vec<Node> {
        let to = node.jid("to").expect("a jid").expect("an address");
        if self.fate.swallow {
            return Vec::new();
        }
        if let Some(error) = self.fate.ack_error {
            return vec![message_ack(node).with("error", error)];
        }
        let mut answers = vec![message_ack(node)];
        let number = self.reached_at.get(&to.user).unwrap_or(&to.user);
        let Some(phone) = phones.get_mut(number) else { return answers };
        let id = node.text("id").unwrap_or_default();
        let already = phone.received.iter().any(|(known, _)| *known == id);
        let opened = already || phone.open(&id, node, rng).is_ok();
        if opened && !self.fate.no_receipts {
            answers.push(forward::receipt(&client::receipt(&alice(), &id, None, 0), &to, BEGIN / 1000));
        }
        answers
    }

    /// The answer to a key fetch. A phone's keys are published when they are first asked for, and again after it was
    /// reinstalled.
    fn keys(&mut self, node: &Node, phones: &BTreeMap<String, Phone>) -> Node {
        let wanted = keys::read_fetch(node).expect("a key fetch with users");
        if let Some(code) = self.fate.no_keys {
            let error = |jid: &Jid| Node::new("user").with("jid", jid).with_node(iq::error_node(code, "no"));
            return iq::result(node).with_node(Node::new("list").with_nodes(wanted.iter().map(error).collect()));
        }
        let known =
            |jid: &Jid| self.known_under.get(&jid.user).map_or_else(|| jid.clone(), |user| Jid::user(user.as_str()));
        let wanted: Vec<Jid> = wanted.iter().map(known).collect();
        for jid in &wanted {
            let number = self.reached_at.get(&jid.user).unwrap_or(&jid.user);
            let Some(phone) = phones.get(number) else { continue };
            let mut bundle = phone.keys.bundle();
            if self.fate.bad_bundle {
                bundle.signed_prekey_signature[5] ^= 1;
            }
            let one_time = phone.keys.one_time.iter().map(|(id, pair)| (*id, pair.public()));
            self.directory.publish(&jid.user, bundle, one_time);
        }
        let fetch = client::key_fetch(&node.text("id").unwrap_or_default(), &wanted);
        let answer = self.directory.answer(ALICE, &fetch).expect("a well-formed request");
        let mut answer = answer.expect("a request about keys");
        if let (Some(jid), Content::Nodes(lists)) = (&self.fate.answers_as, &mut answer.content)
            && let Content::Nodes(users) = &mut lists[0].content
        {
            users.iter_mut().for_each(|user| {
                user.attrs.retain(|(key, _)| key != "jid");
                *user = std::mem::replace(user, Node::new("")).with("jid", jid);
            });
        }
        answer
    }

    fn certificates(&self, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let intermediate = KeyPair::generate(rng);
        let validity = self.not_before..=self.not_after;
        let chain = Chain {
            root: &self.signer,
            intermediate: &intermediate,
            leaf: self.key.public(),
            intermediate_validity: validity.clone(),
            leaf_validity: validity,
        };
        chain.issue(rng)
    }
}

impl Link {
    fn seal(&mut self, node: &Node) -> Vec<u8> {
        self.connection.seal(node).expect("logged in, and every stanza has an encoding")
    }

    fn seal_bytes(&mut self, document: &[u8]) -> Vec<u8> {
        self.connection.seal_bytes(document).expect("logged in")
    }
}
