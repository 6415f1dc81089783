//! What goes wrong, how often, and how often it did.
//!
//! Swarm testing: each seed switches a random part of the kinds on, each at a rate of its own. A run in which everything
//! goes wrong at once explores less than many runs in which a few things do.

use crate::dice::Dice;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $often:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault { $($(#[$doc])* $name,)* }
        /// Every kind, and how often in ten thousand occasions it happens when it is on at its middle rate.
        const KINDS: [(Fault, u64); [$(stringify!($name)),*].len()] = [$((Fault::$name, $often),)*];
    };
}

faults! {
    /// The browser, or only the worker, is killed: before any event, and between any two outputs.
    Kill 40,
    /// Another worker takes the store over while this one is frozen; it wakes later.
    Freeze 10,
    /// The link ends at any byte.
    Cut 100,
    /// One direction of the link falls silent, and nobody is told.
    HalfClose 50,
    /// A byte on the link is another.
    CorruptBytes 50,
    /// The socket does not open.
    RefuseConnection 1500,
    /// The server loses a stanza, either way.
    DropStanza 300,
    /// A stanza is late, and all after it.
    DelayStanza 500,
    /// A stanza comes twice, either way.
    DuplicateStanza 400,
    /// A stanza is overtaken.
    ReorderStanza 400,
    /// An envelope is damaged on its way from person to person.
    CorruptEnvelope 500,
    /// A message is refused with an error that passes.
    ErrorAck 500,
    /// An iq is answered with an error.
    ErrorIq 800,
    /// The server ends the stream with an error.
    StreamError 60,
    /// The login is refused with an error that passes.
    LoginFailure 1000,
    /// An HTTP exchange fails, or is answered with an error.
    HttpError 1200,
    /// An HTTP exchange is carried out, and its answer lost.
    HttpLost 600,
    /// A transaction aborts.
    CommitAborted 150,
    /// A transaction finds no room.
    QuotaExceeded 100,
    /// A read fails.
    LoadFailed 300,
    /// The device's clock leaps ahead.
    ClockForward 20,
    /// The device's clock leaps back.
    ClockBack 20,
    /// A peer installs the app anew: new identity, no sessions.
    Reinstall 15,
    /// A peer loses its one-time prekeys.
    LosePrekeys 30,
    /// The server forgets most of our one-time prekeys.
    ForgetPrekeys 10,
    /// A peer is away for a while.
    Away 60,
    /// The device says that the network is back.
    NetworkBack 40,
}

/// Which faults a seed has, and how many there were.
pub(crate) struct Weather {
    rates: [u64; KINDS.len()],
    counts: [u64; KINDS.len()],
    /// Nothing goes wrong while this is false.
    pub(crate) stormy: bool,
}

impl Weather {
    /// No faults at all.
    pub(crate) fn calm() -> Self {
        Self { rates: [0; KINDS.len()], counts: [0; KINDS.len()], stormy: false }
    }

    /// A random part of the kinds, at random rates.
    pub(crate) fn swarm(dice: &mut Dice) -> Self {
        let mut weather = Self { stormy: true, ..Self::calm() };
        // Some seeds have two or three kinds of faults, some nearly all.
        let part = [1_500, 3_000, 5_000, 8_000][dice.index(4)];
        for (rate, (_, often)) in weather.rates.iter_mut().zip(KINDS) {
            if dice.chance(part) {
                *rate = (often * [1, 2, 4, 10][dice.index(4)] / 4).max(1);
            }
        }
        weather
    }

    /// Whether it happens now; counts it if so.
    pub(crate) fn strikes(&mut self, fault: Fault, dice: &mut Dice) -> bool {
        let struck = self.stormy && dice.chance(self.rates[fault as usize]);
        if struck {
            self.counts[fault as usize] += 1;
        }
        struck
    }

    /// How often it happened.
    pub(crate) fn count(&self, fault: Fault) -> u64 {
        self.counts[fault as usize]
    }

    /// Counts what was brought about in another way.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.counts[fault as usize] += 1;
    }

    /// All that happened.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What is on, for the trace.
    pub(crate) fn describe(&self) -> String {
        let on = KINDS.iter().filter(|(fault, _)| self.rates[*fault as usize] > 0);
        on.map(|(fault, _)| format!("{fault:?}={}", self.rates[*fault as usize])).collect::<Vec<_>>().join(" ")
    }
}
