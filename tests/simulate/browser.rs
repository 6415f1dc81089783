//! The browser: workers that run one engine instance after another, and the outputs of the engine.
//!
//! Restates `web/src/driver.rs`. Workers are killed and frozen where the fault plan says so.

use crate::alice::ALICE;
use crate::clock::Millis;
use crate::disk::{Writing, data_key};
use crate::event_queue::{Event, Instance};
use crate::faults::Fault;
use crate::invariants::Invariants;
use crate::link::Link;
use crate::worker::Frozen;
use crate::world::World;
use base64ct::{Base64UrlUnpadded, Encoding};
use causeway::engine::{Config, Engine};
use causeway::io::{
    HttpFailure, HttpRequest, HttpResponse, Input, LoadId, Output, RequestId, SocketId, StoreFailure, TransactionId,
    UnixMillis,
};
use causeway::protobuf::Message as _;
use causeway::store::changes::{Changes, Query, Rows};
use causeway::view::{Action, Command, News, Update};
use causeway_peer::directory::PublishedKeys;
use causeway_proto::signal::{PreKeyBundle, PublicKey};

/// The driver wakes the engine at least this often, in milliseconds.
const LONGEST_SLEEP: Millis = 60_000;
/// Most wake-ups at one moment before the engine counts as spinning.
const MOST_WAKES: u32 = 10;
/// Time-out of the driver for one HTTP exchange, in milliseconds.
const HTTP_TIMEOUT: Millis = 30_000;
const ENLIST_URL: &str = "https://gatekeeper.example/3p/interop_reg";

fn engine() -> Engine {
    Engine::new(Config { data_key: data_key(), client_version: "sim".into(), partner_api: String::new() })
}

impl World {
    /// A worker has got the lock and starts an engine.
    pub(crate) fn start(&mut self) {
        if self.browser.is_running() {
            return;
        }
        self.browser.instance += 1;
        self.note(format_args!("life {} begins", self.instance()));
        self.browser.engine = Some(engine());
        self.browser.timer = None;
        self.disk.open();
        self.invariants.new_instance();
        if std::mem::take(&mut self.browser.reload) {
            let commands = self.page.reload();
            self.send_commands(commands);
        }
        self.input(Input::Started);
    }

    /// Kills the worker or the whole browser. The transaction under way is durable or lost.
    pub(crate) fn kill(&mut self, durable: bool) {
        self.note(format_args!("KILLED, what is being written is {}", if durable { "durable" } else { "lost" }));
        if let Some(Writing { changes, .. }) = self.disk.writing.take()
            && durable
        {
            let kept = self.disk.keep(&changes);
            self.check(kept);
        }
        self.disk.waiting.clear();
        self.browser.engine = None;
        self.browser.reload = self.faults.active && self.rng.chance(3_000);
        self.abandon_links(self.instance());
        let at = self.now + self.rng.between(1, 3_000);
        self.events.schedule(at, Event::Start);
    }

    /// Closes the links of an instance that has ended.
    fn abandon_links(&mut self, instance: Instance) {
        let open: Vec<_> = self.links.values().filter(|link| link.owner.0 == instance).map(|link| link.conn).collect();
        for conn in open {
            self.hang_up(conn);
        }
    }

    /// Freezes the worker while another takes over the store.
    pub(crate) fn freeze(&mut self) {
        if self.browser.frozen.is_some() || !self.browser.is_running() {
            return;
        }
        let (instance, writing) = (self.instance(), self.disk.writing.as_ref().map(|writing| (writing.id, false)));
        self.note(format_args!("life {instance} freezes"));
        self.browser.frozen = self.browser.engine.take().map(|engine| Frozen { instance, engine, writing });
        let (soon, later) = (self.now + self.rng.between(1, 500), self.now + self.rng.between(501, 20_000));
        self.events.schedule(soon, Event::Start);
        self.events.schedule(later, Event::Thaw(instance));
    }

    /// Resumes the frozen worker, whose transactions are refused as superseded.
    pub(crate) fn thaw(&mut self, instance: Instance) {
        let Some(mut frozen) = self.browser.frozen.take() else { return };
        self.note(format_args!("life {instance} thaws"));
        let wall = self.wall();
        let mut inputs = vec![Input::Elapsed, Input::NetworkBack];
        match frozen.writing {
            Some((writing, true)) => inputs.insert(0, Input::Committed(writing)),
            Some((writing, false)) => inputs.insert(0, Input::Aborted(writing, StoreFailure::Superseded)),
            None => {}
        }
        for input in inputs {
            frozen.engine.handle(input, UnixMillis(wall), &mut self.browser.rng);
            loop {
                match frozen.engine.poll() {
                    Output::Idle(_) => break,
                    Output::Transmit(socket, bytes) => self.transmit(instance, socket, &bytes),
                    _ => {}
                }
            }
        }
        self.abandon_links(instance);
    }

    /// Gives one input to the engine and carries out every output.
    pub(crate) fn input(&mut self, input: Input) {
        let wall = self.wall();
        let Some(engine) = &mut self.browser.engine else { return };
        engine.handle(input, UnixMillis(wall), &mut self.browser.rng);
        while let Some(engine) = &mut self.browser.engine {
            let output = engine.poll();
            if let Output::Idle(wake_at) = output {
                return self.wake_at(wake_at.map(|at| at.0));
            }
            if self.crash_here() {
                return;
            }
            self.perform(output);
        }
    }

    fn wake_at(&mut self, wake_at: Option<Millis>) {
        if wake_at == self.browser.timer.map(|(at, _)| at) {
            return;
        }
        self.browser.timers += 1;
        let number = self.browser.timers;
        self.browser.timer = wake_at.map(|at| (at, number));
        if let Some(at) = wake_at {
            let sleep = at.saturating_sub(self.wall()).min(LONGEST_SLEEP);
            self.events.schedule(self.now + sleep, Event::Timer(self.instance(), number));
        }
    }

    pub(crate) fn timer(&mut self, instance: Instance, number: u64) {
        if instance == self.instance() && self.browser.timer.is_some_and(|(_, current)| current == number) {
            self.browser.timer = None;
            let (at, times) = self.browser.woken;
            self.browser.woken = if at == self.now { (at, times + 1) } else { (self.now, 1) };
            if times > MOST_WAKES && at == self.now {
                self.check(Err(format!("the engine spins: it asked to be woken {times} times at one moment")));
            }
            self.input(Input::Elapsed);
        }
    }

    pub(crate) fn network_back(&mut self) {
        self.input(Input::NetworkBack);
    }

    fn perform(&mut self, output: Output) {
        let instance = self.instance();
        match output {
            Output::Connect(socket, _) => self.connect(socket),
            Output::Transmit(socket, bytes) => self.transmit(instance, socket, &bytes),
            Output::Close(socket) => {
                if let Some(conn) = self.conn_of(instance, socket) {
                    self.note(format_args!("closes {conn}"));
                    self.hang_up(conn);
                }
            }
            Output::Load(id, queries) => self.load(id, queries),
            Output::Commit(id, changes) => self.commit(id, changes),
            Output::Request(id, request) => self.request(id, &request),
            Output::Update(update) => self.shown(update),
            Output::Compute(_, computation) => {
                self.check(Err(format!("nobody makes backups here, but the engine asks for {computation:?}")));
            }
            Output::Stop(reason) => {
                self.check(Err(format!("the engine stops: {reason:?}")));
            }
            Output::Idle(_) => {}
        }
    }

    fn connect(&mut self, socket: SocketId) {
        self.last_conn += 1;
        let conn = self.last_conn;
        self.note(format_args!("connects: {conn}"));
        let allowed = self.invariants.connect(self.now);
        self.check(allowed);
        let refused = self.faults.inject(Fault::RefuseConnection, &mut self.rng);
        let mut link = Link::new(conn, (self.instance(), socket), self.now);
        link.open_at_server = !refused;
        self.links.insert(conn, link);
        let at = self.now + self.delay();
        self.events.schedule(at, Event::Connected(conn, !refused));
    }

    pub(crate) fn command(&mut self, command: Command) {
        if self.browser.is_running() {
            self.note(format_args!("command {:x} {:?}", command.tag, command.action));
            self.page.reached(command.tag);
            self.completions.asked(command.tag, command.action.as_ref(), &self.directory.mailbox);
            self.input(Input::Command(command));
        }
    }

    /// Sends commands to the worker, in their order.
    pub(crate) fn send_commands(&mut self, commands: Vec<Command>) {
        for command in commands {
            // The page's link holds commands back until it knows the engine, and then sends all.
            if command.engine == 0 && !matches!(command.action, Some(Action::Hello(_))) {
                continue;
            }
            let at = (self.now + self.delay()).max(self.browser.command_at);
            self.browser.command_at = at;
            if let Some(Action::Reconnect(_) | Action::SignIn(_) | Action::Enlist(_)) = command.action {
                self.invariants.connect_was_asked_for(at);
            }
            self.events.schedule(at, Event::Command(command));
        }
    }

    fn shown(&mut self, update: Update) {
        self.trace.fact(&update.encode_to_vec());
        self.note(format_args!("shows {update:?}"));
        let honest = Invariants::update(&update, &self.disk.mirror);
        self.check(honest);
        if let Some(News::Done(done)) = &update.news {
            let faithful = self.faults.count(Fault::DropStanza) + self.faults.count(Fault::ReorderStanza) == 0;
            let kept = self.completions.answered(done, faithful, &self.disk.mirror);
            self.check(kept);
        }
        let commands = self.page.update(update);
        self.send_commands(commands);
    }

    fn load(&mut self, id: LoadId, queries: Vec<Query>) {
        if self.faults.inject(Fault::LoadFailed, &mut self.rng) {
            let at = self.now + self.delay();
            self.events.schedule(at, Event::Loaded(self.instance(), id, Err(StoreFailure::Unavailable)));
        } else if self.disk.writing.is_some() {
            self.disk.waiting.push((id, queries));
        } else {
            self.read(id, &queries);
        }
    }

    fn read(&mut self, id: LoadId, queries: &[Query]) {
        let rows = self.disk.store.load_now(queries);
        let at = self.now + self.delay();
        self.events.schedule(at, Event::Loaded(self.instance(), id, rows));
    }

    pub(crate) fn loaded(&mut self, instance: Instance, id: LoadId, rows: Result<Rows, StoreFailure>) {
        if instance == self.instance() {
            self.note(format_args!(
                "loaded {}: {:?}",
                id.0,
                rows.as_ref().map(|rows| rows.iter().map(Vec::len).sum::<usize>())
            ));
            self.input(Input::Loaded(id, rows));
        }
    }

    fn commit(&mut self, id: TransactionId, changes: Changes) {
        if self.disk.writing.is_some() {
            self.check(Err("two transactions at once".to_owned()));
        }
        let result = if self.faults.inject(Fault::CommitAborted, &mut self.rng) {
            Err(StoreFailure::Unavailable)
        } else if self.faults.inject(Fault::QuotaExceeded, &mut self.rng) {
            Err(StoreFailure::QuotaExceeded)
        } else {
            Ok(())
        };
        self.note(format_args!("writes {}: {} rows", id.0, changes.len()));
        self.disk.writing = Some(Writing { instance: self.instance(), id, changes });
        let at = self.now + self.delay();
        self.events.schedule(at, Event::Durable(self.instance(), id, result));
    }

    pub(crate) fn durable(&mut self, instance: Instance, id: TransactionId, result: Result<(), StoreFailure>) {
        let Some(writing) = self.disk.writing.take_if(|writing| writing.instance == instance && writing.id == id)
        else {
            return;
        };
        self.note(format_args!("written {}: {result:?}", id.0));
        if result.is_ok() {
            let kept = self.disk.keep(&writing.changes);
            self.check(kept);
            match &mut self.browser.frozen {
                Some(Frozen { instance: frozen, writing: Some((_, durable)), .. }) if *frozen == instance => {
                    *durable = true
                }
                _ => {}
            }
        }
        for (load, queries) in std::mem::take(&mut self.disk.waiting) {
            self.read(load, &queries);
        }
        let at = self.now + self.delay();
        self.events.schedule(at, Event::Reported(instance, id, result));
    }

    pub(crate) fn reported(&mut self, instance: Instance, id: TransactionId, result: Result<(), StoreFailure>) {
        if instance != self.instance() {
            return;
        }
        self.note(format_args!("hears of {}", id.0));
        self.input(match result {
            Ok(()) => Input::Committed(id),
            Err(failure) => Input::Aborted(id, failure),
        });
    }

    fn request(&mut self, id: RequestId, request: &HttpRequest) {
        let mut late = 0;
        let error = self.faults.inject(Fault::HttpError, &mut self.rng);
        let answer = if error {
            match self.rng.below(5) {
                0 => Err(HttpFailure::Unreachable),
                1 => status(429, ""),
                2 => status(503, ""),
                3 if request.url == "/api/token" => status(401, ""),
                _ => status(500, "oops"),
            }
        } else {
            let answer = self.answer(request);
            if self.faults.inject(Fault::HttpLost, &mut self.rng) {
                late = HTTP_TIMEOUT;
                Err(HttpFailure::Unreachable)
            } else {
                answer
            }
        };
        self.note(format_args!("asks {}: {answer:?}", request.url));
        let at = self.now + self.delay() + late;
        self.events.schedule(at, Event::Answered(self.instance(), id, answer));
    }

    pub(crate) fn answered(&mut self, instance: Instance, id: RequestId, answer: Result<HttpResponse, HttpFailure>) {
        if instance == self.instance() {
            self.note(format_args!("answered {}", id.0));
            self.input(Input::Answered(id, answer));
        }
    }

    fn answer(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        match request.url.as_str() {
            "/api/profile" => {
                let root: String = self.root.public().0.iter().map(|byte| format!("{byte:02x}")).collect();
                status(
                    200,
                    &format!(
                        "partner_name=Test&enlist_url={ENLIST_URL}&chat_url=wss://chat.example/ws&integrator=1\
                         &root_key={root}&root_serial=0&version=2.3000.0"
                    ),
                )
            }
            ENLIST_URL => self.enlist(request),
            _ => self.partner.answer(request, self.now),
        }
    }

    /// The enlistment API: publishes Alice's keys.
    fn enlist(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let form = request.form.as_ref().map(|form| form.as_bytes()).unwrap_or_default();
        let field = |name: &str| {
            let value = form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            value.and_then(|value| Base64UrlUnpadded::decode_vec(&value).ok()).unwrap_or_default()
        };
        let number = |bytes: Vec<u8>| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let key = |bytes: Vec<u8>| PublicKey::from_slice(&bytes).expect("a key of 32 bytes");
        let bundle = PreKeyBundle {
            registration_id: number(field("e_regid")),
            identity: key(field("e_ident")),
            signed_prekey_id: number(field("e_skey_id")),
            signed_prekey: key(field("e_skey_val")),
            signed_prekey_signature: field("e_skey_sig").try_into().expect("64 bytes"),
            prekey: None,
        };
        if let Some(known) = self.directory.keys.users.get(ALICE)
            && known.bundle.identity != bundle.identity
        {
            self.check(Err("enlisted again with another identity".to_owned()));
        }
        self.directory.keys.users.entry(ALICE.to_owned()).or_insert_with(|| PublishedKeys::new(bundle));
        status(200, &format!(r#"{{"login":"1-{ALICE}@interop","status":"ok"}}"#))
    }
}

pub(crate) fn status(status: u16, body: &str) -> Result<HttpResponse, HttpFailure> {
    Ok(HttpResponse { status, body: body.as_bytes().to_vec() })
}
