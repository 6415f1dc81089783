//! The state of the browser's workers: the engine that runs, its timer, and one that was frozen and superseded.
//!
//! Must not know the rest of the world. What the engine asks for is carried out in `browser`.

use crate::clock::Millis;
use crate::event_queue::Instance;
use crate::seeded_rng::SeededRng;
use causeway::engine::Engine;
use causeway::io::TransactionId;
use rand_chacha::ChaCha8Rng;

/// State of the workers.
pub(crate) struct Browser {
    /// Number of the current instance.
    pub(crate) instance: Instance,
    pub(crate) engine: Option<Engine>,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) timer: Option<(Millis, u64)>,
    pub(crate) timers: u64,
    /// The moment of the last wake-up, and the number of wake-ups at it.
    pub(crate) woken: (Millis, u32),
    pub(crate) frozen: Option<Frozen>,
    /// The page is closed with the worker.
    pub(crate) reload: bool,
    /// When the last command of a page reaches the worker.
    pub(crate) command_at: Millis,
}

/// A frozen worker while another has taken over.
pub(crate) struct Frozen {
    pub(crate) instance: Instance,
    pub(crate) engine: Engine,
    /// The transaction under way, and whether it became durable before the other worker opened the store.
    pub(crate) writing: Option<(TransactionId, bool)>,
}

impl Browser {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            instance: 0,
            engine: None,
            rng: SeededRng::new(seed, 3).0,
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
