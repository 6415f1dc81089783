//! The browser: workers that run an engine, one life after another, and what the engine asks of the world.
//!
//! Does what `web/src/driver.rs` does, and dies wherever the seed says.

use crate::ALICE;
use crate::agenda::{Event, Life};
use crate::disk::{Writing, data_key};
use crate::faults::Fault;
use crate::link::Link;
use crate::witness::Witness;
use crate::worker::Frozen;
use crate::world::World;
use base64ct::{Base64UrlUnpadded, Encoding};
use causeway::engine::{Config, Engine};
use causeway::io::{
    HttpFailure, HttpRequest, HttpResponse, Input, LoadId, Millis, Output, RequestId, SocketId, StoreFailure,
    TransactionId,
};
use causeway::store::changes::{Changes, Query, Rows};
use causeway::view::{Action, Command, News, Update};
use causeway_peer::directory::PublishedKeys;
use causeway_proto::signal::{PreKeyBundle, PublicKey};
use prost::Message;

/// The driver wakes the engine at least this often.
const LONGEST_SLEEP: Millis = 60_000;
/// An engine that asks to be woken at one moment more often than this does nothing else.
const MOST_WAKES: u32 = 10;
/// The driver gives an HTTP exchange up after this time.
const PATIENCE: Millis = 30_000;
const ENLIST_URL: &str = "https://gatekeeper.example/3p/interop_reg";

fn engine() -> Engine {
    Engine::new(Config { data_key: data_key(), client_version: "sim".into(), partner_api: String::new() })
}

impl World {
    /// A worker has got the lock.
    pub(crate) fn start(&mut self) {
        if self.browser.is_running() {
            return;
        }
        self.browser.life += 1;
        self.note(format_args!("life {} begins", self.life()));
        self.browser.engine = Some(engine());
        self.browser.timer = None;
        self.disk.open();
        self.witness.new_life();
        if std::mem::take(&mut self.browser.reload) {
            let commands = self.page.reload();
            self.say(commands);
        }
        self.input(Input::Started);
    }

    /// The worker, or the whole browser, dies here. What was being written is on the disk or not.
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
        self.browser.reload = self.weather.stormy && self.dice.chance(3_000);
        self.abandon_links(self.life());
        let at = self.now + self.dice.between(1, 3_000);
        self.agenda.put(at, Event::Start);
    }

    /// The links of a life that is over.
    fn abandon_links(&mut self, life: Life) {
        let open: Vec<_> = self.links.values().filter(|link| link.owner.0 == life).map(|link| link.conn).collect();
        for conn in open {
            self.hang_up(conn);
        }
    }

    /// The worker stands still, and another takes over.
    pub(crate) fn freeze(&mut self) {
        if self.browser.frozen.is_some() || !self.browser.is_running() {
            return;
        }
        let (life, writing) = (self.life(), self.disk.writing.as_ref().map(|writing| (writing.id, false)));
        self.note(format_args!("life {life} freezes"));
        self.browser.frozen = self.browser.engine.take().map(|engine| Frozen { life, engine, writing });
        let (soon, later) = (self.now + self.dice.between(1, 500), self.now + self.dice.between(501, 20_000));
        self.agenda.put(soon, Event::Start);
        self.agenda.put(later, Event::Thaw(life));
    }

    /// The frozen worker goes on, and finds out.
    pub(crate) fn thaw(&mut self, life: Life) {
        let Some(mut frozen) = self.browser.frozen.take() else { return };
        self.note(format_args!("life {life} thaws"));
        let wall = self.wall();
        let mut inputs = vec![Input::Elapsed, Input::NetworkBack];
        match frozen.writing {
            Some((writing, true)) => inputs.insert(0, Input::Committed(writing)),
            Some((writing, false)) => inputs.insert(0, Input::Aborted(writing, StoreFailure::Superseded)),
            None => {}
        }
        for input in inputs {
            frozen.engine.handle(input, wall, &mut self.browser.rng);
            loop {
                match frozen.engine.poll() {
                    Output::Idle(_) => break,
                    Output::Transmit(socket, bytes) => self.transmit(life, socket, &bytes),
                    _ => {}
                }
            }
        }
        self.abandon_links(life);
    }

    /// One input, and everything that the engine asks for in answer.
    pub(crate) fn input(&mut self, input: Input) {
        let wall = self.wall();
        let Some(engine) = &mut self.browser.engine else { return };
        engine.handle(input, wall, &mut self.browser.rng);
        while let Some(engine) = &mut self.browser.engine {
            let output = engine.poll();
            if let Output::Idle(wake_at) = output {
                return self.wake_at(wake_at);
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
            self.agenda.put(self.now + sleep, Event::Timer(self.life(), number));
        }
    }

    pub(crate) fn timer(&mut self, life: Life, number: u64) {
        if life == self.life() && self.browser.timer.is_some_and(|(_, current)| current == number) {
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
        self.witness.asked_for += 1;
        self.input(Input::NetworkBack);
    }

    fn perform(&mut self, output: Output) {
        let life = self.life();
        match output {
            Output::Connect(socket, _) => self.connect(socket),
            Output::Transmit(socket, bytes) => self.transmit(life, socket, &bytes),
            Output::Close(socket) => {
                if let Some(conn) = self.conn_of(life, socket) {
                    self.note(format_args!("closes {conn}"));
                    self.hang_up(conn);
                }
            }
            Output::Load(id, queries) => self.load(id, queries),
            Output::Commit(id, changes) => self.commit(id, changes),
            Output::Request(id, request) => self.request(id, &request),
            Output::Update(update) => self.shown(update),
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
        let storm = self.witness.connect(self.now);
        self.check(storm);
        let refused = self.weather.strikes(Fault::RefuseConnection, &mut self.dice);
        let mut link = Link::new(conn, (self.life(), socket), self.now);
        link.there = !refused;
        self.links.insert(conn, link);
        let at = self.now + self.delay();
        self.agenda.put(at, Event::Connected(conn, !refused));
    }

    pub(crate) fn command(&mut self, command: Command) {
        if self.browser.is_running() {
            self.note(format_args!("command {:x} {:?}", command.tag, command.action));
            self.page.reached(command.tag);
            self.promises.asked(command.tag, command.action.as_ref(), &self.directory.mailbox);
            self.input(Input::Command(command));
        }
    }

    /// Commands on their way to the worker. They keep their order.
    pub(crate) fn say(&mut self, commands: Vec<Command>) {
        for command in commands {
            // The link says nothing before it knows to whom, and then everything.
            if command.engine == 0 && !matches!(command.action, Some(Action::Hello(_))) {
                continue;
            }
            let at = (self.now + self.delay()).max(self.browser.command_at);
            self.browser.command_at = at;
            self.witness.asked_for += match command.action {
                Some(Action::Reconnect(_) | Action::SignIn(_) | Action::Enlist(_)) => 1,
                // One connection, and another if the first is lost.
                Some(Action::Woken(_)) => 2,
                _ => 0,
            };
            self.agenda.put(at, Event::Command(command));
        }
    }

    fn shown(&mut self, update: Update) {
        self.trace.fact(&update.encode_to_vec());
        self.note(format_args!("shows {update:?}"));
        let honest = Witness::update(&update, &self.disk.mirror);
        self.check(honest);
        if let Some(News::Done(done)) = &update.news {
            let faithful = self.weather.count(Fault::DropStanza) + self.weather.count(Fault::ReorderStanza) == 0;
            let kept = self.promises.answered(done, faithful, &self.disk.mirror);
            self.check(kept);
        }
        let commands = self.page.update(update);
        self.say(commands);
    }

    fn load(&mut self, id: LoadId, queries: Vec<Query>) {
        if self.weather.strikes(Fault::LoadFailed, &mut self.dice) {
            let at = self.now + self.delay();
            self.agenda.put(at, Event::Loaded(self.life(), id, Err(StoreFailure::Unavailable)));
        } else if self.disk.writing.is_some() {
            self.disk.waiting.push((id, queries));
        } else {
            self.read(id, &queries);
        }
    }

    fn read(&mut self, id: LoadId, queries: &[Query]) {
        let rows = self.disk.store.load_now(queries);
        let at = self.now + self.delay();
        self.agenda.put(at, Event::Loaded(self.life(), id, rows));
    }

    pub(crate) fn loaded(&mut self, life: Life, id: LoadId, rows: Result<Rows, StoreFailure>) {
        if life == self.life() {
            self.note(format_args!(
                "loaded {id}: {:?}",
                rows.as_ref().map(|rows| rows.iter().map(Vec::len).sum::<usize>())
            ));
            self.input(Input::Loaded(id, rows));
        }
    }

    fn commit(&mut self, id: TransactionId, changes: Changes) {
        if self.disk.writing.is_some() {
            self.check(Err("two transactions at once".to_owned()));
        }
        let result = if self.weather.strikes(Fault::CommitAborted, &mut self.dice) {
            Err(StoreFailure::Unavailable)
        } else if self.weather.strikes(Fault::QuotaExceeded, &mut self.dice) {
            Err(StoreFailure::QuotaExceeded)
        } else {
            Ok(())
        };
        self.note(format_args!("writes {id}: {} rows", changes.len()));
        self.disk.writing = Some(Writing { life: self.life(), id, changes });
        let at = self.now + self.delay();
        self.agenda.put(at, Event::Durable(self.life(), id, result));
    }

    pub(crate) fn durable(&mut self, life: Life, id: TransactionId, result: Result<(), StoreFailure>) {
        let Some(writing) = self.disk.writing.take_if(|writing| writing.life == life && writing.id == id) else {
            return;
        };
        self.note(format_args!("written {id}: {result:?}"));
        if result.is_ok() {
            let kept = self.disk.keep(&writing.changes);
            self.check(kept);
            match &mut self.browser.frozen {
                Some(Frozen { life: frozen, writing: Some((_, durable)), .. }) if *frozen == life => *durable = true,
                _ => {}
            }
        }
        for (load, queries) in std::mem::take(&mut self.disk.waiting) {
            self.read(load, &queries);
        }
        let at = self.now + self.delay();
        self.agenda.put(at, Event::Reported(life, id, result));
    }

    pub(crate) fn reported(&mut self, life: Life, id: TransactionId, result: Result<(), StoreFailure>) {
        if life != self.life() {
            return;
        }
        self.note(format_args!("hears of {id}"));
        self.input(match result {
            Ok(()) => Input::Committed(id),
            Err(failure) => Input::Aborted(id, failure),
        });
    }

    fn request(&mut self, id: RequestId, request: &HttpRequest) {
        let mut late = 0;
        let error = self.weather.strikes(Fault::HttpError, &mut self.dice);
        let answer = if error {
            match self.dice.below(5) {
                0 => Err(HttpFailure::Unreachable),
                1 => status(429, ""),
                2 => status(503, ""),
                3 if request.url == "/api/token" => status(401, ""),
                _ => status(500, "oops"),
            }
        } else {
            let answer = self.answer(request);
            if self.weather.strikes(Fault::HttpLost, &mut self.dice) {
                late = PATIENCE;
                Err(HttpFailure::Unreachable)
            } else {
                answer
            }
        };
        self.note(format_args!("asks {}: {answer:?}", request.url));
        let at = self.now + self.delay() + late;
        self.agenda.put(at, Event::Answered(self.life(), id, answer));
    }

    pub(crate) fn answered(&mut self, life: Life, id: RequestId, answer: Result<HttpResponse, HttpFailure>) {
        if life == self.life() {
            self.note(format_args!("answered {id}"));
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

    /// The enlistment API takes Alice's keys.
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
