//! The state of the browser's workers: the engine that runs, its timer, and one that was frozen and superseded.
//!
//! Must not know the rest of the world. What the engine asks for is carried out in `browser`.

use crate::agenda::Life;
use crate::dice::Dice;
use causeway::engine::Engine;
use causeway::io::{Millis, TransactionId};
use rand_chacha::ChaCha8Rng;

/// Where engines run.
pub(crate) struct Browser {
    /// Counts lives.
    pub(crate) life: Life,
    pub(crate) engine: Option<Engine>,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) timer: Option<(Millis, u64)>,
    pub(crate) timers: u64,
    /// How often the engine was woken at the last moment at which it was.
    pub(crate) woken: (Millis, u32),
    pub(crate) frozen: Option<Frozen>,
    /// The page dies with the worker.
    pub(crate) reload: bool,
    /// When the last command of a page reaches the worker.
    pub(crate) command_at: Millis,
}

/// A worker that stands still while another has taken over.
pub(crate) struct Frozen {
    pub(crate) life: Life,
    pub(crate) engine: Engine,
    /// The transaction that was under way, and whether it became durable before the other worker opened the store.
    pub(crate) writing: Option<(TransactionId, bool)>,
}

impl Browser {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            life: 0,
            engine: None,
            rng: Dice::new(seed, 3).0,
            timer: None,
            timers: 0,
            woken: (0, 0),
            frozen: None,
            reload: false,
            command_at: 0,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.engine.is_some()
    }
}
