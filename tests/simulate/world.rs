//! One run: all parts, the clock, and the event loop.
//!
//! All time comes from the event queue and all randomness from the seed: the same seed is the same run, bit for bit.

use crate::clock::Millis;
use crate::completions::Completions;
use crate::directory::Directory;
use crate::disk::Disk;
use crate::event_queue::{Conn, Event, EventQueue, Instance};
use crate::faults::{Fault, FaultPlan};
use crate::invariants::Invariants;
use crate::liar::Liar;
use crate::link::{Link, ServerKeys};
use crate::page::Page;
use crate::partner::Servers;
use crate::phone::Phone;
use crate::seeded_rng::SeededRng;
use crate::trace::Trace;
use crate::worker::Browser;
use causeway_peer::certificate::Chain;
use causeway_proto::signal::KeyPair;
use std::collections::BTreeMap;

/// Start time of every run, on every clock.
pub(crate) const BEGIN: Millis = 1_800_000_000_000;
const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const DAY: Millis = 86_400 * SECOND;
/// After the faults have ended, everything must be settled within this time.
const SETTLING_LIMIT: Millis = 45 * MINUTE;
/// More events than any run has.
const MOST_EVENTS: u64 = 300_000;

/// Where an exhaustive run kills the first instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crash {
    /// Before the event or output of this number.
    pub(crate) point: usize,
    /// The transaction under way becomes durable.
    pub(crate) durable: bool,
}

/// Parameters of a run.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Number of texts of all users.
    pub(crate) texts: u64,
    /// Number of peers.
    pub(crate) peers: usize,
    /// Longest pause between two actions, in milliseconds.
    pub(crate) pause: Millis,
    pub(crate) faults: FaultPlan,
    pub(crate) crash: Option<Crash>,
    pub(crate) trace: bool,
}

impl Plan {
    /// A short conversation in both directions with one crash or none.
    pub(crate) fn short(crash: Option<Crash>, trace: bool) -> Self {
        Self { seed: 0, texts: 6, peers: 1, pause: 300, faults: FaultPlan::none(), crash, trace }
    }

    /// The run of a seed: mostly short, sometimes long, with faults of its own.
    pub(crate) fn of(seed: u64, trace: bool) -> Self {
        let mut rng = SeededRng::new(seed, 0);
        let texts = if rng.chance(300) { rng.between(80, 200) } else { rng.between(8, 45) };
        let peers = [1, 1, 2, 3][rng.index(4)];
        let pause = [200, 2_000, 15_000, 60_000][rng.index(4)];
        Self { seed, texts, peers, pause, faults: FaultPlan::swarm(&mut rng), crash: None, trace }
    }
}

/// Result of a run.
pub(crate) struct Outcome {
    pub(crate) faults: u64,
    pub(crate) messages: u64,
    /// Crash points; true where a transaction was under way.
    pub(crate) points: Vec<bool>,
    pub(crate) hash: u64,
    pub(crate) failure: Option<String>,
}

/// All parts of a run.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) now: Millis,
    /// Offset of the device's clock, in milliseconds.
    pub(crate) skew: i64,
    pub(crate) events: EventQueue,
    pub(crate) rng: SeededRng,
    pub(crate) faults: FaultPlan,
    pub(crate) trace: Trace,
    pub(crate) browser: Browser,
    pub(crate) disk: Disk,
    pub(crate) page: Page,
    pub(crate) invariants: Invariants,
    pub(crate) completions: Completions,
    pub(crate) links: BTreeMap<Conn, Link>,
    pub(crate) last_conn: Conn,
    pub(crate) server_keys: ServerKeys,
    pub(crate) root: KeyPair,
    pub(crate) partner: Servers,
    pub(crate) directory: Directory,
    /// The connection that is logged in as Alice.
    pub(crate) current: Option<Conn>,
    /// First copies of each message to Alice, by connection, in the order of sealing.
    pub(crate) deliveries: BTreeMap<Conn, Vec<String>>,
    pub(crate) phones: Vec<Phone>,
    /// When the last stanza of each phone reaches the server.
    pub(crate) phone_at: Vec<Millis>,
    /// Number of damages of each id's envelopes.
    pub(crate) damaged: BTreeMap<String, u32>,
    pub(crate) server_rng: SeededRng,
    pub(crate) liar: Liar,
    pub(crate) peers_to_write: u64,
    pub(crate) pause: Millis,
    points: Vec<bool>,
    crash: Option<Crash>,
    pub(crate) violation: Option<String>,
    /// No more faults are injected.
    pub(crate) faults_ended: bool,
    /// Alice's next action is scheduled.
    pub(crate) user_scheduled: bool,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let Plan { seed, texts, peers, pause, faults, crash, trace } = plan;
        let mut server_rng = SeededRng::new(seed, 2);
        let root = KeyPair::generate(&mut server_rng.0);
        let key = KeyPair::generate(&mut server_rng.0);
        let validity = (BEGIN - DAY) / SECOND..=(BEGIN + 365 * DAY) / SECOND;
        let intermediate = KeyPair::generate(&mut server_rng.0);
        let chain = Chain {
            root: &root,
            intermediate: &intermediate,
            leaf: key.public(),
            intermediate_validity: validity.clone(),
            leaf_validity: validity,
        };
        let certificates = chain.issue(&mut server_rng.0);
        let mut rng = SeededRng::new(seed, 1);
        let texts_left = rng.between(texts / 4, texts * 3 / 4);
        let mut directory = Directory::default();
        let mut phones: Vec<Phone> = (0..peers)
            .map(|at| Phone::new(&format!("1415555010{at}"), SeededRng::new(seed, 100 + at as u64)))
            .collect();
        phones.iter_mut().for_each(|phone| phone.upload(&mut directory));
        let mut world = Self {
            seed,
            now: BEGIN,
            skew: 0,
            events: EventQueue::default(),
            rng,
            faults,
            trace: Trace::new(trace),
            browser: Browser::new(seed),
            disk: Disk::new(),
            page: Page::new(SeededRng::new(seed, 4), texts_left),
            invariants: Invariants::default(),
            completions: Completions::default(),
            links: BTreeMap::new(),
            last_conn: 0,
            server_keys: ServerKeys { key, certificates },
            root,
            partner: Servers::default(),
            directory,
            current: None,
            deliveries: BTreeMap::new(),
            phone_at: vec![BEGIN; phones.len()],
            phones,
            damaged: BTreeMap::new(),
            server_rng,
            liar: Liar::new(SeededRng::new(seed, 5)),
            peers_to_write: texts - texts_left,
            pause,
            points: Vec::new(),
            crash,
            violation: None,
            faults_ended: false,
            user_scheduled: true,
        };
        if trace {
            let faults = world.faults.describe();
            world.trace.line(0, format_args!("seed {seed}: {texts} texts, {peers} peers, {faults}"));
        }
        world.events.schedule(BEGIN, Event::Start);
        world.events.schedule(BEGIN, Event::UserRepairs);
        world.events.schedule(BEGIN + 500, Event::UserActs);
        for peer in 0..peers {
            world.events.schedule(BEGIN + 700, Event::PeerWrites(peer));
        }
        world
    }

    /// Runs to the end.
    pub(crate) fn run(mut self) -> Outcome {
        let failure = self.run_events().err();
        if let Some(failure) = &failure {
            self.trace.line(self.now - BEGIN, format_args!("VIOLATED: {failure}"));
        }
        let messages = self.page.attempts.len() + self.phones.iter().map(|phone| phone.sent.len()).sum::<usize>();
        Outcome {
            faults: self.faults.total(),
            messages: messages as u64,
            points: self.points,
            hash: self.trace.hash(),
            failure,
        }
    }

    fn run_events(&mut self) -> Result<(), String> {
        let mut deadline = None;
        for _ in 0..MOST_EVENTS {
            let Some((at, event)) = self.events.pop() else { return Err("nothing more will happen".to_owned()) };
            self.now = self.now.max(at);
            self.event(event);
            if let Some(violation) = self.violation.take() {
                return Err(violation);
            }
            match deadline {
                None if self.page.texts_left == 0 && self.peers_to_write == 0 => {
                    // The last texts get their share of faults.
                    deadline = Some(self.now + self.rng.below(2 * MINUTE));
                }
                Some(at) if !self.faults_ended && self.now > at => {
                    self.end_faults();
                    deadline = Some(self.now + SETTLING_LIMIT);
                }
                Some(at) if self.faults_ended => {
                    if self.is_settled() {
                        return self.check_outcome();
                    }
                    if self.now > at {
                        return Err(format!(
                            "not mended within {} minutes: {}",
                            SETTLING_LIMIT / MINUTE,
                            self.unsettled()
                        ));
                    }
                }
                _ => {}
            }
        }
        Err(format!("more than {MOST_EVENTS} events: {}", self.unsettled()))
    }

    fn event(&mut self, event: Event) {
        self.trace.fact(&self.now.to_be_bytes());
        if !matches!(event, Event::Start) && self.crash_here() {
            self.trace.line(self.now - BEGIN, format_args!("  before {event:?}"));
        }
        self.inject_faults();
        match event {
            Event::Start => self.start(),
            Event::Connected(conn, open) => self.connected(conn, open),
            Event::BytesAtServer(conn, offset) => self.bytes_at_server(conn, offset),
            Event::BytesAtClient(conn, bytes) => self.bytes_at_client(conn, bytes),
            Event::ClosedAtClient(conn) => self.closed_at_client(conn),
            Event::ClosedAtServer(conn) => self.closed_at_server(conn),
            Event::SendStanza(conn, node, queued) => self.send_stanza(conn, &node, queued),
            Event::StanzaAtServer(conn, node) => self.process_stanza(conn, &node),
            Event::Durable(instance, id, result) => self.durable(instance, id, result),
            Event::Reported(instance, id, result) => self.reported(instance, id, result),
            Event::Loaded(instance, id, result) => self.loaded(instance, id, result),
            Event::Answered(instance, id, answer) => self.answered(instance, id, answer),
            Event::Timer(instance, number) => self.timer(instance, number),
            Event::Command(command) => self.command(command),
            Event::UserActs => self.user_acts(),
            Event::UserRepairs => self.user_repairs(),
            Event::PeerWrites(peer) => self.peer_writes(peer),
            Event::PeerReads(peer) => self.peer_reads(peer),
            Event::StanzaFromPeer(peer, node) => self.stanza_from_peer(peer, &node),
            Event::PeerReturns(peer) => self.peer_returns(peer),
            Event::Thaw(instance) => self.thaw(instance),
        }
    }

    /// A crash point. Returns whether the browser was killed.
    pub(crate) fn crash_here(&mut self) -> bool {
        if !self.browser.is_running() {
            return false;
        }
        self.points.push(self.disk.writing.is_some());
        let durable = match self.crash {
            Some(crash) if crash.point == self.points.len() => {
                self.faults.add(Fault::Kill);
                crash.durable
            }
            _ if self.faults.inject(Fault::Kill, &mut self.rng) => self.rng.chance(5_000),
            _ => return false,
        };
        self.kill(durable);
        true
    }

    /// Injects the faults that need no occasion.
    fn inject_faults(&mut self) {
        if !self.faults.active {
            return;
        }
        if self.faults.inject(Fault::ClockForward, &mut self.rng) {
            self.leap(1);
        }
        if self.faults.inject(Fault::ClockBack, &mut self.rng) {
            self.leap(-1);
        }
        if self.faults.inject(Fault::NetworkBack, &mut self.rng) {
            self.network_back();
        }
        if self.faults.inject(Fault::Freeze, &mut self.rng) {
            self.freeze();
        }
        if self.faults.inject(Fault::StreamError, &mut self.rng) {
            self.stream_error();
        }
        let peer = self.rng.index(self.phones.len());
        self.inject_peer_faults(peer);
        self.tell_lies(peer);
    }

    /// The device's clock jumps: by seconds, hours or a month.
    fn leap(&mut self, sign: i64) {
        let by = [5 * SECOND, 10 * MINUTE, 7 * 60 * MINUTE, 30 * DAY][self.rng.index(4)];
        let by = sign * i64::try_from(by).expect("a month");
        // The certificates are valid for a year.
        let bound = i64::try_from(200 * DAY).expect("days");
        self.skew = (self.skew + by).clamp(-bound, bound);
        if sign > 0 {
            self.invariants.waits_are_over();
        }
        self.note(format_args!("the clock leaps by {by} ms"));
    }

    /// The device's clock.
    pub(crate) fn wall(&self) -> Millis {
        self.now.saturating_add_signed(self.skew)
    }

    /// The servers' clock, in unix seconds.
    pub(crate) fn secs(&self) -> u64 {
        self.now / SECOND
    }

    pub(crate) fn note(&self, what: core::fmt::Arguments<'_>) {
        self.trace.line(self.now - BEGIN, what);
    }

    /// Keeps the first violation.
    pub(crate) fn check(&mut self, result: Result<(), String>) {
        if let Err(violation) = result
            && self.violation.is_none()
        {
            self.violation = Some(violation);
        }
    }

    /// A random delay: usually a few milliseconds, sometimes seconds.
    pub(crate) fn delay(&mut self) -> Millis {
        match self.rng.below(20) {
            0 => self.rng.between(200, 4_000),
            1..=4 => self.rng.between(20, 200),
            _ => self.rng.between(0, 20),
        }
    }

    /// Ends all faults. Lost bytes stay lost: connections are cut.
    fn end_faults(&mut self) {
        self.note(format_args!("the storm is over"));
        self.faults_ended = true;
        self.faults.active = false;
        // The clock is right again: from one that was behind it leaps over every wait.
        if self.skew < 0 {
            self.invariants.waits_are_over();
        }
        self.skew = 0;
        for peer in 0..self.phones.len() {
            self.peer_returns(peer);
        }
        let open: Vec<Conn> = self.links.keys().copied().collect();
        for conn in open {
            self.cut(conn);
        }
    }

    fn is_settled(&self) -> bool {
        self.events.is_idle() && self.unsettled().is_empty()
    }

    /// Number of the current engine instance.
    pub(crate) fn instance(&self) -> Instance {
        self.browser.instance
    }
}
