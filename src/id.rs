//! Ids that are numbers: of what an engine has begun, of engines, of commands, of messages, rows and keys.
//!
//! Those that an engine counts pair an output with the inputs that respond to it; each is unique within one engine.
//!
//! What this module does not know: what becomes of what they identify.

use core::num::NonZeroU64;
use rand_core::CryptoRng;

/// An id that an engine counts.
pub(crate) trait Counted: Copy + Default + PartialEq {
    /// The id after this one.
    fn next(self) -> Self;
}

/// Types for ids that an engine counts, each kind on its own. The default is before the first one.
macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name(pub u64);

        impl Counted for $name {
            fn next(self) -> Self {
                Self(self.0.wrapping_add(1))
            }
        }
    )*};
}

counted! {
    /// Identifies a transaction from [`Output::Commit`](crate::io::Output::Commit) to its commit or abort.
    TransactionId,
    /// Identifies a read from [`Output::Load`](crate::io::Output::Load) to [`Input::Loaded`](crate::io::Input::Loaded).
    LoadId,
    /// Identifies an HTTP request from [`Output::Request`](crate::io::Output::Request) to its response.
    RequestId,
    /// Identifies a computation from [`Output::Compute`](crate::io::Output::Compute) to its result.
    ComputationId,
    /// Identifies a socket from [`Output::Connect`](crate::io::Output::Connect) on. Inputs about an older socket are
    /// ignored.
    SocketId,
    /// Identifies a preparation of a connection or of an enlistment: responses to requests of an earlier one are ignored.
    PreparationId,
}

/// Identifies an engine from one boot to the next: commands of pages name the engine that they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineId(NonZeroU64);

impl EngineId {
    /// Draws one.
    pub(crate) fn random(rng: &mut dyn CryptoRng) -> Self {
        Self(NonZeroU64::new(rng.next_u64()).unwrap_or(NonZeroU64::MIN))
    }

    /// The engine that a message of a page names; `None` if it names none.
    pub(crate) fn named(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The number, for a message to pages.
    pub(crate) fn get(self) -> u64 {
        self.0.get()
    }
}

/// Identifies a command of a page, drawn by the page: a command that is sent again under its tag has no second effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandTag(pub u64);

/// Identifies a message within its chat, whose messages it orders. The first one is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageSeq(pub u64);

impl MessageSeq {
    /// Before the first message.
    pub(crate) const LEAST: Self = Self(0);
    /// After every message.
    pub(crate) const GREATEST: Self = Self(u64::MAX);
}

/// Identifies a row of a table whose rows are ordered by time of arrival. No number is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Order(pub u64);

/// Identifies a prekey of ours among those of its kind, one-time or signed. The default is before the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct PreKeyId(pub u32);

impl PreKeyId {
    /// The first one.
    pub(crate) const FIRST: Self = Self(1);
    /// The last one: ids are 24-bit and never 0, and go round before 0xFFFFFF (docs/spec/wire.md §5.7).
    pub(crate) const LAST: Self = Self(0xFF_FFFE);

    /// The id after this one, going round.
    pub(crate) fn next(self) -> Self {
        if self >= Self::LAST { Self::FIRST } else { Self(self.0 + 1) }
    }
}

/// Identifies an installation of Signal to its peers, who take another one for a new installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrationId(pub u32);

/// Identifies our account at WhatsApp: the user part of the login JID, a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountNumber(pub u64);
