//! One run: everything that there is, the clock, and the loop that lets one thing after another happen.
//!
//! Nothing here waits for anything but the agenda, and nothing is drawn but from the seed: the same seed is the same run,
//! bit for bit.

use crate::agenda::{Agenda, Conn, Event, Life};
use crate::dice::Dice;
use crate::directory::Directory;
use crate::disk::Disk;
use crate::faults::{Fault, Weather};
use crate::link::{Link, ServerKeys};
use crate::page::Page;
use crate::partner::Servers;
use crate::phone::Phone;
use crate::promises::Promises;
use crate::trace::Trace;
use crate::witness::Witness;
use crate::worker::Browser;
use causeway::io::Millis;
use causeway_peer::certificate::Chain;
use causeway_proto::signal::KeyPair;
use std::collections::BTreeMap;

/// When every run begins, by every clock.
pub(crate) const BEGIN: Millis = 1_800_000_000_000;
const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const DAY: Millis = 86_400 * SECOND;
/// After the storm everything must be mended within this time.
const PATIENCE: Millis = 45 * MINUTE;
/// More than any run has.
const MOST_EVENTS: u64 = 300_000;

/// Where an exhaustive run ends its first life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crash {
    /// Before the event, or the output, of this number.
    pub(crate) point: usize,
    /// A transaction that is under way becomes durable all the same.
    pub(crate) durable: bool,
}

/// What a run is like.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Everybody's texts together.
    pub(crate) texts: u64,
    /// People with phones.
    pub(crate) peers: usize,
    /// Longest pause between two things that people do.
    pub(crate) pause: Millis,
    pub(crate) weather: Weather,
    pub(crate) crash: Option<Crash>,
    pub(crate) trace: bool,
}

impl Plan {
    /// A short conversation both ways in good weather, in which only one thing goes wrong, if any.
    pub(crate) fn short(crash: Option<Crash>, trace: bool) -> Self {
        Self { seed: 0, texts: 6, peers: 1, pause: 300, weather: Weather::calm(), crash, trace }
    }

    /// The run of a seed: mostly short, now and then long, with weather of its own.
    pub(crate) fn of(seed: u64, trace: bool) -> Self {
        let mut dice = Dice::new(seed, 0);
        let texts = if dice.chance(300) { dice.between(80, 200) } else { dice.between(8, 45) };
        let peers = [1, 1, 2, 3][dice.index(4)];
        let pause = [200, 2_000, 15_000, 60_000][dice.index(4)];
        Self { seed, texts, peers, pause, weather: Weather::swarm(&mut dice), crash: None, trace }
    }
}

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) faults: u64,
    pub(crate) messages: u64,
    /// Moments at which the engine could have been killed; true where a transaction was under way.
    pub(crate) points: Vec<bool>,
    pub(crate) hash: u64,
    pub(crate) failure: Option<String>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) now: Millis,
    /// What the device's clock shows more, or less, than the time.
    pub(crate) skew: i64,
    pub(crate) agenda: Agenda,
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    pub(crate) trace: Trace,
    pub(crate) browser: Browser,
    pub(crate) disk: Disk,
    pub(crate) page: Page,
    pub(crate) witness: Witness,
    pub(crate) promises: Promises,
    pub(crate) links: BTreeMap<Conn, Link>,
    pub(crate) last_conn: Conn,
    pub(crate) server_keys: ServerKeys,
    pub(crate) root: KeyPair,
    pub(crate) partner: Servers,
    pub(crate) directory: Directory,
    /// The connection that the server takes for Alice's.
    pub(crate) current: Option<Conn>,
    /// First copies of each message to Alice, by connection, in the order in which they were sealed.
    pub(crate) deliveries: BTreeMap<Conn, Vec<String>>,
    pub(crate) phones: Vec<Phone>,
    /// When the last stanza of each phone reaches the server.
    pub(crate) phone_at: Vec<Millis>,
    /// How often the envelopes of an id were damaged.
    pub(crate) damaged: BTreeMap<String, u32>,
    pub(crate) server_dice: Dice,
    pub(crate) peers_to_write: u64,
    pub(crate) pause: Millis,
    points: Vec<bool>,
    crash: Option<Crash>,
    pub(crate) violation: Option<String>,
    /// The storm is over.
    pub(crate) calm: bool,
    /// Alice has something in mind that she will do next.
    pub(crate) has_plans: bool,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let Plan { seed, texts, peers, pause, weather, crash, trace } = plan;
        let mut server_dice = Dice::new(seed, 2);
        let root = KeyPair::generate(&mut server_dice.0);
        let key = KeyPair::generate(&mut server_dice.0);
        let validity = (BEGIN - DAY) / SECOND..=(BEGIN + 365 * DAY) / SECOND;
        let intermediate = KeyPair::generate(&mut server_dice.0);
        let chain = Chain {
            root: &root,
            intermediate: &intermediate,
            leaf: key.public(),
            intermediate_validity: validity.clone(),
            leaf_validity: validity,
        };
        let certificates = chain.issue(&mut server_dice.0);
        let mut dice = Dice::new(seed, 1);
        let wishes = dice.between(texts / 4, texts * 3 / 4);
        let mut directory = Directory::default();
        let mut phones: Vec<Phone> =
            (0..peers).map(|at| Phone::new(&format!("1415555010{at}"), Dice::new(seed, 100 + at as u64))).collect();
        phones.iter_mut().for_each(|phone| phone.upload(&mut directory));
        let mut world = Self {
            seed,
            now: BEGIN,
            skew: 0,
            agenda: Agenda::default(),
            dice,
            weather,
            trace: Trace::new(trace),
            browser: Browser::new(seed),
            disk: Disk::new(),
            page: Page::new(Dice::new(seed, 4), wishes),
            witness: Witness::default(),
            promises: Promises::default(),
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
            server_dice,
            peers_to_write: texts - wishes,
            pause,
            points: Vec::new(),
            crash,
            violation: None,
            calm: false,
            has_plans: true,
        };
        if trace {
            let weather = world.weather.describe();
            world.trace.line(0, format_args!("seed {seed}: {texts} texts, {peers} peers, {weather}"));
        }
        world.agenda.put(BEGIN, Event::Start);
        world.agenda.put(BEGIN, Event::Care);
        world.agenda.put(BEGIN + 500, Event::Person);
        for peer in 0..peers {
            world.agenda.put(BEGIN + 700, Event::Writes(peer));
        }
        world
    }

    /// Lets everything happen.
    pub(crate) fn run(mut self) -> Outcome {
        let failure = self.happen().err();
        if let Some(failure) = &failure {
            self.trace.line(self.now - BEGIN, format_args!("VIOLATED: {failure}"));
        }
        let messages = self.page.attempts.len() + self.phones.iter().map(|phone| phone.sent.len()).sum::<usize>();
        Outcome {
            faults: self.weather.total(),
            messages: messages as u64,
            points: self.points,
            hash: self.trace.hash(),
            failure,
        }
    }

    fn happen(&mut self) -> Result<(), String> {
        let mut deadline = None;
        for _ in 0..MOST_EVENTS {
            let Some((at, event)) = self.agenda.next() else { return Err("nothing more will happen".to_owned()) };
            self.now = self.now.max(at);
            self.event(event);
            if let Some(violation) = self.violation.take() {
                return Err(violation);
            }
            match deadline {
                None if self.page.wishes == 0 && self.peers_to_write == 0 => {
                    // The last texts get their share of the storm.
                    deadline = Some(self.now + self.dice.below(2 * MINUTE));
                }
                Some(at) if !self.calm && self.now > at => {
                    self.heal();
                    deadline = Some(self.now + PATIENCE);
                }
                Some(at) if self.calm => {
                    if self.is_settled() {
                        return self.judge();
                    }
                    if self.now > at {
                        return Err(format!("not mended within {} minutes: {}", PATIENCE / MINUTE, self.unsettled()));
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
        self.disturb();
        match event {
            Event::Start => self.start(),
            Event::Connected(conn, open) => self.connected(conn, open),
            Event::Up(conn, offset) => self.up(conn, offset),
            Event::Down(conn, bytes) => self.down(conn, bytes),
            Event::ClosedHere(conn) => self.closed_here(conn),
            Event::ClosedThere(conn) => self.closed_there(conn),
            Event::Seal(conn, node, letter) => self.seal(conn, &node, letter),
            Event::Heard(conn, node) => self.heard(conn, &node),
            Event::Durable(life, id, result) => self.durable(life, id, result),
            Event::Reported(life, id, result) => self.reported(life, id, result),
            Event::Loaded(life, id, result) => self.loaded(life, id, result),
            Event::Answered(life, id, answer) => self.answered(life, id, answer),
            Event::Timer(life, number) => self.timer(life, number),
            Event::Command(command) => self.command(command),
            Event::Person => self.person(),
            Event::Care => self.care(),
            Event::Writes(peer) => self.peer_writes(peer),
            Event::Reads(peer) => self.peer_reads(peer),
            Event::FromPhone(peer, node) => self.phone_says(peer, &node),
            Event::Back(peer) => self.peer_back(peer),
            Event::Thaw(life) => self.thaw(life),
        }
    }

    /// A moment at which the browser may die. Answers whether it did.
    pub(crate) fn crash_here(&mut self) -> bool {
        if !self.browser.is_running() {
            return false;
        }
        self.points.push(self.disk.writing.is_some());
        let durable = match self.crash {
            Some(crash) if crash.point == self.points.len() => {
                self.weather.add(Fault::Kill);
                crash.durable
            }
            _ if self.weather.strikes(Fault::Kill, &mut self.dice) => self.dice.chance(5_000),
            _ => return false,
        };
        self.kill(durable);
        true
    }

    /// What may go wrong at any moment by itself.
    fn disturb(&mut self) {
        if !self.weather.stormy {
            return;
        }
        if self.weather.strikes(Fault::ClockForward, &mut self.dice) {
            self.leap(1);
        }
        if self.weather.strikes(Fault::ClockBack, &mut self.dice) {
            self.leap(-1);
        }
        if self.weather.strikes(Fault::NetworkBack, &mut self.dice) {
            self.network_back();
        }
        if self.weather.strikes(Fault::Freeze, &mut self.dice) {
            self.freeze();
        }
        if self.weather.strikes(Fault::StreamError, &mut self.dice) {
            self.stream_error();
        }
        let peer = self.dice.index(self.phones.len());
        self.disturb_peer(peer);
    }

    /// The device's clock leaps: by seconds, hours or a month.
    fn leap(&mut self, sign: i64) {
        let by = [5 * SECOND, 10 * MINUTE, 7 * 60 * MINUTE, 30 * DAY][self.dice.index(4)];
        let by = sign * i64::try_from(by).expect("a month");
        // The certificates are good for a year.
        let bound = i64::try_from(200 * DAY).expect("days");
        self.skew = (self.skew + by).clamp(-bound, bound);
        // By the clock that it has, the engine has waited long enough.
        self.witness.asked_for += usize::from(sign > 0);
        self.note(format_args!("the clock leaps by {by} ms"));
    }

    /// What the device's clock shows.
    pub(crate) fn wall(&self) -> Millis {
        self.now.saturating_add_signed(self.skew)
    }

    /// The time by the servers, unix seconds.
    pub(crate) fn secs(&self) -> u64 {
        self.now / SECOND
    }

    pub(crate) fn note(&self, what: core::fmt::Arguments<'_>) {
        self.trace.line(self.now - BEGIN, what);
    }

    /// Notes the first thing that must not be.
    pub(crate) fn check(&mut self, result: Result<(), String>) {
        if let Err(violation) = result
            && self.violation.is_none()
        {
            self.violation = Some(violation);
        }
    }

    /// Usually a few milliseconds, now and then seconds.
    pub(crate) fn delay(&mut self) -> Millis {
        match self.dice.below(20) {
            0 => self.dice.between(200, 4_000),
            1..=4 => self.dice.between(20, 200),
            _ => self.dice.between(0, 20),
        }
    }

    /// Everything that was broken works again. What was lost stays lost: the connection begins anew.
    fn heal(&mut self) {
        self.note(format_args!("the storm is over"));
        self.calm = true;
        self.weather.stormy = false;
        self.skew = 0;
        for peer in 0..self.phones.len() {
            self.peer_back(peer);
        }
        let open: Vec<Conn> = self.links.keys().copied().collect();
        for conn in open {
            self.cut(conn);
        }
    }

    fn is_settled(&self) -> bool {
        self.agenda.is_quiet() && self.unsettled().is_empty()
    }

    /// Whose life began when.
    pub(crate) fn life(&self) -> Life {
        self.browser.life
    }
}
