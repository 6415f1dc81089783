//! The environment of one engine: a store in memory, a partner server, a chat server, and users with phones. Time and
//! randomness come from the test, and nothing runs by itself: every run with the same seed is the same.
//!
//! The doubles of WhatsApp's side stand on `causeway_peer`, as those of the sandbox do; here a test can stop between any
//! two bytes.
#![allow(dead_code, reason = "every test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod browser;
mod chatd;
mod partner;
mod phone;

pub(crate) use chatd::Chatd;
pub(crate) use partner::Servers;
pub(crate) use phone::Phone;

use causeway::backup::kdf::Argon2Cost;
use causeway::engine::{Config, Engine};
use causeway::io::{
    ComputeFailure, HttpFailure, HttpRequest, HttpResponse, Input, LoadId, Output, RequestId, StopReason, StoreFailure,
    TransactionId, UnixMillis,
};
use causeway::model::Recipient;
use causeway::store::changes::{Changes, Query, Table};
use causeway::store::memory::{MemoryPlace, MemoryStore};
use causeway::store::records::open;
use causeway::store::seal::Sealer;
use causeway::view::{
    AccountView, Action, ChatView, Command, ConnectionState, ConnectionView, Delivery, Done, Enlist, Issue,
    MessageView, News, OpenChat, Send, SignIn, Snapshot, StartChat, Update,
};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::secret::Secret;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, VecDeque};

/// Of the clock of the tests, which compute with it.
pub(crate) type Millis = u64;

/// Start time of every test, within the validity of the certificates.
pub(crate) const BEGIN: Millis = 1_800_000_000_000;

/// One engine and everything around it.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) place: MemoryPlace,
    pub(crate) store: MemoryStore,
    pub(crate) chatd: Chatd,
    pub(crate) phones: BTreeMap<String, Phone>,
    pub(crate) servers: Servers,
    pub(crate) now: Millis,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) updates: Vec<Update>,
    pub(crate) requests: Vec<HttpRequest>,
    pub(crate) stopped: Option<StopReason>,
    /// Commits wait for [`World::commit`] instead of becoming durable at once.
    pub(crate) hold_commits: bool,
    pub(crate) held: VecDeque<(TransactionId, Changes)>,
    /// The next commits fail like this.
    pub(crate) fail_commits: Option<StoreFailure>,
    pub(crate) commits: usize,
    /// Reads wait for [`World::read`] instead of being answered at once.
    pub(crate) hold_loads: bool,
    pub(crate) held_loads: VecDeque<(LoadId, Vec<Query>)>,
    /// Requests wait for [`World::respond`] instead of being answered at once.
    pub(crate) hold_requests: bool,
    /// What every computation fails with.
    pub(crate) fail_computations: Option<ComputeFailure>,
    pub(crate) held_requests: VecDeque<(RequestId, HttpRequest)>,
    /// Reads so far.
    pub(crate) loads: usize,
    /// When each connection was opened.
    pub(crate) connects: Vec<Millis>,
    /// The key of this browser's rows.
    pub(crate) data_key: [u8; 32],
    pub(crate) wake_at: Option<Millis>,
    tag: u64,
}

pub(crate) fn ok(status: u16, body: &str) -> Result<HttpResponse, HttpFailure> {
    Ok(HttpResponse { status, body: body.as_bytes().to_vec() })
}

impl World {
    /// A browser without stored rows.
    pub(crate) fn fresh(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let place = MemoryPlace::default();
        let chatd = Chatd::new(&mut rng);
        Self {
            engine: engine([7; 32]),
            store: place.open_now(),
            place,
            chatd,
            phones: BTreeMap::new(),
            servers: Servers::default(),
            now: BEGIN,
            rng,
            updates: Vec::new(),
            requests: Vec::new(),
            stopped: None,
            hold_commits: false,
            held: VecDeque::new(),
            fail_commits: None,
            commits: 0,
            hold_loads: false,
            held_loads: VecDeque::new(),
            hold_requests: false,
            fail_computations: None,
            held_requests: VecDeque::new(),
            loads: 0,
            connects: Vec::new(),
            data_key: [7; 32],
            wake_at: None,
            tag: 0,
        }
    }

    /// Alice, enlisted and online, and Bob with a phone.
    pub(crate) fn enlisted(seed: u64) -> Self {
        let mut world = Self::fresh(seed);
        world.add_phone(BOB);
        world.input(Input::Started);
        assert_eq!(world.sign_in("alice"), Issue::None);
        assert_eq!(world.command(Action::Enlist(Enlist::default())).issue(), Issue::None);
        assert_eq!(world.connection().state(), ConnectionState::Online);
        world
    }

    pub(crate) fn add_phone(&mut self, number: &str) {
        self.phones.insert(number.to_owned(), Phone::new(number, &mut self.rng));
    }

    pub(crate) fn phone(&mut self, number: &str) -> &mut Phone {
        self.phones.get_mut(number).expect("no such phone")
    }

    /// One input, and everything that follows from it until the engine is idle.
    pub(crate) fn input(&mut self, input: Input) {
        self.engine.handle(input, UnixMillis(self.now), &mut self.rng);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        let mut inputs = VecDeque::new();
        loop {
            loop {
                match self.engine.poll() {
                    Output::Idle(wake_at) => break self.wake_at = wake_at.map(|at| at.0),
                    output => self.perform(output, &mut inputs),
                }
            }
            let Some(input) = inputs.pop_front() else { break };
            self.engine.handle(input, UnixMillis(self.now), &mut self.rng);
        }
    }

    fn perform(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Connect(socket, _) => {
                self.connects.push(self.now);
                match self.chatd.connect(socket) {
                    true => inputs.push_back(Input::Opened(socket)),
                    false => inputs.push_back(Input::Closed(socket)),
                }
            }
            Output::Transmit(socket, bytes) => {
                let answers = self.chatd.receive(socket, &bytes, &mut self.phones, self.now, &mut self.rng);
                inputs.extend(answers.into_iter().map(|bytes| Input::Received(socket, bytes)));
                if self.chatd.has_hung_up(socket) {
                    inputs.push_back(Input::Closed(socket));
                }
            }
            Output::Close(socket) => self.chatd.close(socket),
            Output::Load(id, queries) if self.hold_loads => self.held_loads.push_back((id, queries)),
            Output::Load(id, queries) => {
                self.loads += 1;
                inputs.push_back(Input::Loaded(id, self.store.load_now(&queries)));
            }
            Output::Commit(id, changes) => match self.hold_commits {
                true => self.held.push_back((id, changes)),
                false => inputs.push_back(self.commit_now(id, &changes)),
            },
            Output::Request(id, request) if self.hold_requests => self.held_requests.push_back((id, request)),
            Output::Request(id, request) => inputs.push_back(Input::Answered(id, self.answer(request))),
            Output::Compute(id, computation) => {
                let result = self.fail_computations.map_or_else(|| computation.run(), Err);
                inputs.push_back(Input::Computed(id, result));
            }
            Output::Update(update) => self.updates.push(update),
            Output::Stop(reason) => self.stopped = Some(reason),
            Output::Idle(_) => {}
        }
    }

    fn commit_now(&mut self, id: TransactionId, changes: &Changes) -> Input {
        if let Some(failure) = self.fail_commits {
            return Input::Aborted(id, failure);
        }
        self.commits += 1;
        match self.store.commit_now(changes) {
            Ok(()) => Input::Committed(id),
            Err(failure) => Input::Aborted(id, failure),
        }
    }

    /// Makes the oldest held commit durable. Returns whether there was one.
    pub(crate) fn commit(&mut self) -> bool {
        let Some((id, changes)) = self.held.pop_front() else { return false };
        let input = self.commit_now(id, &changes);
        self.input(input);
        true
    }

    /// Answers the oldest held read. Returns whether there was one.
    pub(crate) fn read(&mut self) -> bool {
        let Some((id, queries)) = self.held_loads.pop_front() else { return false };
        self.input(Input::Loaded(id, self.store.load_now(&queries)));
        true
    }

    /// Answers the oldest held request. Returns whether there was one.
    pub(crate) fn respond(&mut self) -> bool {
        let Some((id, request)) = self.held_requests.pop_front() else { return false };
        let answer = self.answer(request);
        self.input(Input::Answered(id, answer));
        true
    }

    fn answer(&mut self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let answer = match request.url.as_str() {
            "/api/profile" => ok(200, &self.chatd.deployment()),
            chatd::ENLIST_URL => self.servers.enlist.clone(),
            _ => self.servers.answer(&request, self.now),
        };
        self.requests.push(request);
        answer
    }

    /// The browser is killed and opened again: what was not durable is gone.
    pub(crate) fn kill(&mut self) {
        self.chatd.hang_up();
        self.engine = engine(self.data_key);
        self.store = self.place.open_now();
        self.held.clear();
        self.held_loads.clear();
        self.held_requests.clear();
        self.updates.clear();
        self.input(Input::Started);
    }

    /// The browser removes everything that this site has kept, and opens it again. Cookies stay.
    pub(crate) fn evict(&mut self) {
        self.place = MemoryPlace::default();
        self.kill();
    }

    /// The connection is lost.
    pub(crate) fn cut(&mut self) {
        let socket = self.chatd.hang_up().unwrap_or_default();
        self.input(Input::Closed(socket));
    }

    /// Time passes until the engine wants to wake, and it does.
    pub(crate) fn sleep(&mut self) {
        if let Some(at) = self.wake_at {
            self.now = self.now.max(at);
            self.input(Input::Elapsed);
        }
    }

    /// Time passes until the connection is in this state, or the test fails.
    pub(crate) fn sleep_until(&mut self, state: ConnectionState) {
        for _ in 0..50 {
            if self.connection().state() == state {
                return;
            }
            self.sleep();
        }
        panic!("waited for {state:?}, is {:?}", self.connection());
    }

    /// The server sends a stanza.
    pub(crate) fn serve(&mut self, node: &Node) {
        let (socket, bytes) = self.chatd.seal(node);
        self.input(Input::Received(socket, bytes));
    }

    /// The server sends a document, whatever it is.
    pub(crate) fn serve_bytes(&mut self, document: &[u8]) {
        let (socket, bytes) = self.chatd.seal_bytes(document);
        self.input(Input::Received(socket, bytes));
    }

    /// A phone writes to Alice; the message is delivered, or waits for her.
    pub(crate) fn write_from(&mut self, number: &str, text: &str) -> String {
        let phone = self.phones.get_mut(number).expect("no such phone");
        let (id, node) = phone.write(text, &mut self.chatd, self.now, &mut self.rng);
        self.chatd.mail(node);
        self.deliver();
        id
    }

    /// Delivers what is in the mailbox, if she is online.
    pub(crate) fn deliver(&mut self) {
        if let Some((socket, bytes)) = self.chatd.deliver() {
            self.input(Input::Received(socket, bytes));
        }
    }

    /// Every row of a table, as the store holds it.
    pub(crate) fn rows(&self, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
        let whole = Query::Range { table, from: Vec::new(), to: None, reverse: false, limit: u32::MAX };
        self.store.load_now(&[whole]).expect("the store reads").concat()
    }

    /// Number of messages that the server has not accepted.
    pub(crate) fn waiting(&self) -> usize {
        let sealer = Sealer::new(&Secret::new(self.data_key));
        let recipients = self.rows(Table::Outbox).into_iter();
        recipients.filter(|(key, row)| open::<Recipient>(key, row, &sealer).expect("the row opens").waits()).count()
    }

    pub(crate) fn next_tag(&mut self) -> u64 {
        self.tag += 1;
        self.tag
    }

    /// Sends a command and returns its answer.
    pub(crate) fn command(&mut self, action: Action) -> Done {
        let tag = self.next_tag();
        self.input(Input::Command(Command { tag, action: Some(action), ..Command::default() }));
        self.done(tag).unwrap_or_else(|| panic!("no answer"))
    }

    pub(crate) fn done(&self, tag: u64) -> Option<Done> {
        self.updates.iter().rev().find_map(|update| match &update.news {
            Some(News::Done(done)) if done.tag == tag => Some(done.clone()),
            _ => None,
        })
    }

    pub(crate) fn sign_in(&mut self, identifier: &str) -> Issue {
        let sign_in = SignIn { identifier: identifier.into(), password: "correct horse".into(), create: true };
        self.command(Action::SignIn(sign_in)).issue()
    }

    pub(crate) fn start_chat(&mut self, phone: &str) -> String {
        self.command(Action::StartChat(StartChat { phone: phone.into() })).chat
    }

    pub(crate) fn send(&mut self, chat: &str, text: &str) -> Issue {
        self.command(Action::Send(Send { chat: chat.into(), text: text.into() })).issue()
    }

    /// The newest messages of a chat, as a page would be shown them.
    pub(crate) fn thread(&mut self, chat: &str) -> Vec<MessageView> {
        self.page(chat, None)
    }

    /// The texts of the newest messages with smaller numbers.
    pub(crate) fn texts_before(&mut self, chat: &str, before: u64) -> Vec<String> {
        self.page(chat, Some(before)).into_iter().map(|message| message.text).collect()
    }

    fn page(&mut self, chat: &str, before: Option<u64>) -> Vec<MessageView> {
        let tag = self.next_tag();
        let open = OpenChat { chat: chat.into(), before, limit: 200, text_from: None };
        self.input(Input::Command(Command { tag, action: Some(Action::OpenChat(open)), ..Command::default() }));
        let thread = self.updates.iter().rev().find_map(|update| match &update.news {
            Some(News::MessagePage(thread)) if thread.tag == tag => Some(thread.messages.clone()),
            _ => None,
        });
        thread.expect("no thread")
    }

    pub(crate) fn texts(&mut self, chat: &str) -> Vec<String> {
        self.thread(chat).into_iter().map(|message| message.text).collect()
    }

    pub(crate) fn deliveries(&mut self, chat: &str) -> Vec<Delivery> {
        self.thread(chat).iter().filter(|message| message.outgoing).map(MessageView::delivery).collect()
    }

    pub(crate) fn snapshot(&mut self) -> Snapshot {
        self.command(Action::Hello(causeway::view::Hello {}));
        let snapshot = self.updates.iter().rev().find_map(|update| match &update.news {
            Some(News::Snapshot(snapshot)) => Some(snapshot.clone()),
            _ => None,
        });
        snapshot.expect("no snapshot")
    }

    pub(crate) fn chat(&mut self, id: &str) -> ChatView {
        self.snapshot().chats.into_iter().find(|chat| chat.id == id).expect("no such chat")
    }

    /// The account as pages saw it last.
    pub(crate) fn account(&self) -> AccountView {
        let view = self.updates.iter().rev().find_map(|update| match &update.news {
            Some(News::Account(view)) => Some(view.clone()),
            Some(News::Snapshot(snapshot)) => snapshot.account.as_deref().cloned(),
            _ => None,
        });
        view.unwrap_or_default()
    }

    /// Number of requests to a path of the partner server.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.requests.iter().filter(|request| request.url == path).count()
    }

    pub(crate) fn connection(&self) -> ConnectionView {
        let view = self.updates.iter().rev().find_map(|update| match &update.news {
            Some(News::Connection(view)) => Some(view.clone()),
            Some(News::Snapshot(snapshot)) => snapshot.connection.clone(),
            _ => None,
        });
        view.unwrap_or_default()
    }
}

/// The user part of Alice's JID.
pub(crate) const ALICE: &str = "10853634039893";

/// Alice's address at the chat server.
pub(crate) fn alice() -> Jid {
    Jid::interop(1, ALICE)
}

/// Bob's number and his chat.
pub(crate) const BOB: &str = "14155550123";
pub(crate) const BOB_CHAT: &str = "14155550123@s.whatsapp.net";

fn engine(data_key: [u8; 32]) -> Engine {
    let data_key = Secret::new(data_key);
    // Cheap: the cost of guessing a passphrase is not tested here.
    let cost = Argon2Cost { memory: 8, passes: 1, lanes: 1 };
    Engine::new(Config { data_key, client_version: "test".into(), partner_api: String::new() }).with_argon2_cost(cost)
}
