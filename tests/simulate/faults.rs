//! Kinds of faults, their rates, and their counts.
//!
//! Swarm testing: each seed enables a random subset of the kinds, each at its own rate. A run with every fault at once
//! explores less than many runs with a few.

use crate::seeded_rng::SeededRng;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $often:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault { $($(#[$doc])* $name,)* }
        /// Every kind, and its middle rate in ten thousand occasions.
        const KINDS: [(Fault, u64); [$(stringify!($name)),*].len()] = [$((Fault::$name, $often),)*];
    };
}

faults! {
    /// The browser, or only the worker, is killed: before any event, and between any two outputs.
    Kill 40,
    /// Another worker takes the store over while this one is frozen; it resumes later.
    Freeze 10,
    /// The link ends at any byte.
    Cut 100,
    /// One direction of the link loses everything, without a close.
    HalfClose 50,
    /// A byte on the link is changed.
    CorruptBytes 50,
    /// The socket does not open.
    RefuseConnection 1500,
    /// The server loses a stanza, in either direction.
    DropStanza 300,
    /// A stanza is delayed, and all after it.
    DelayStanza 500,
    /// A stanza is duplicated, in either direction.
    DuplicateStanza 400,
    /// A stanza is overtaken by the next.
    ReorderStanza 400,
    /// An envelope is damaged between the users.
    CorruptEnvelope 500,
    /// A message is refused with a transient error.
    ErrorAck 500,
    /// An iq is answered with an error.
    ErrorIq 800,
    /// The server ends the stream with an error.
    StreamError 60,
    /// The login is refused with a transient error.
    LoginFailure 1000,
    /// An HTTP exchange fails, or is answered with an error.
    HttpError 1200,
    /// An HTTP exchange succeeds, and its response is lost.
    HttpLost 600,
    /// A transaction aborts.
    CommitAborted 150,
    /// A transaction exceeds the quota.
    QuotaExceeded 100,
    /// A read fails.
    LoadFailed 300,
    /// The device's clock jumps forward.
    ClockForward 20,
    /// The device's clock jumps back.
    ClockBack 20,
    /// A peer reinstalls the app: new identity, no sessions.
    Reinstall 15,
    /// A peer loses its one-time prekeys.
    LosePrekeys 30,
    /// The server drops most of our one-time prekeys.
    ForgetPrekeys 10,
    /// A peer is offline for a while.
    Away 60,
    /// The device reports that the network is back.
    NetworkBack 40,
    /// The server speaks as a device that a peer does not have, under keys of its own.
    LieDevice 40,
    /// The server asks for a sent message in a peer's name, with keys of its own.
    LieRetry 40,
    /// The server acknowledges something else under the id of a message.
    LieAck 60,
    /// The server receipts a message in a peer's name.
    LieReceipt 20,
    /// The server announces a change of identity that there is not.
    LieIdentity 30,
    /// The server repeats an old stanza.
    LieReplay 100,
    /// The server ends the stream and asks for another, again and again.
    LieStream 100,
    /// The server answers a key fetch with keys of its own.
    LieBundle 1000,
    /// The server sends a stanza that does not decode.
    LieGarbage 40,
}

/// Which faults a seed enables, and how many were injected.
pub(crate) struct FaultPlan {
    rates: [u64; KINDS.len()],
    counts: [u64; KINDS.len()],
    /// No faults are injected while this is false.
    pub(crate) active: bool,
}

impl FaultPlan {
    /// No faults at all.
    pub(crate) fn none() -> Self {
        Self { rates: [0; KINDS.len()], counts: [0; KINDS.len()], active: false }
    }

    /// A random subset of the kinds, at random rates.
    pub(crate) fn swarm(rng: &mut SeededRng) -> Self {
        let mut faults = Self { active: true, ..Self::none() };
        // Some seeds have two or three kinds of faults, some nearly all.
        let part = [1_500, 3_000, 5_000, 8_000][rng.index(4)];
        for (rate, (_, often)) in faults.rates.iter_mut().zip(KINDS) {
            if rng.chance(part) {
                *rate = (often * [1, 2, 4, 10][rng.index(4)] / 4).max(1);
            }
        }
        faults
    }

    /// Whether to inject the fault now; counts it if so.
    pub(crate) fn inject(&mut self, fault: Fault, rng: &mut SeededRng) -> bool {
        let injected = self.active && rng.chance(self.rates[fault as usize]);
        if injected {
            self.counts[fault as usize] += 1;
        }
        injected
    }

    /// Number of injections of one kind.
    pub(crate) fn count(&self, fault: Fault) -> u64 {
        self.counts[fault as usize]
    }

    /// Counts a fault that was injected elsewhere.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.counts[fault as usize] += 1;
    }

    /// Number of all injections.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The enabled faults, for the trace.
    pub(crate) fn describe(&self) -> String {
        let on = KINDS.iter().filter(|(fault, _)| self.rates[*fault as usize] > 0);
        on.map(|(fault, _)| format!("{fault:?}={}", self.rates[*fault as usize])).collect::<Vec<_>>().join(" ")
    }
}
