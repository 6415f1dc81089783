//! The plan of one run, drawn from its seed: which faults, when, and who writes what.
//!
//! What this module does not know: how a fault is injected. The same seed draws the same faults at the same times, but
//! a real browser is not at the same instruction then: what is replayed is the plan.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::{fmt, time::Duration};

/// Phones that write first.
pub(crate) const WRITERS: usize = 4;
/// Phones that never write.
pub(crate) const QUIET: usize = 2;
/// Texts of each writer.
pub(crate) const TEXTS: usize = 125;
/// Texts of the person.
pub(crate) const SENDS: usize = 200;
/// Of a hundred stanzas while the person writes.
pub(crate) const LOSS: u8 = 50;

/// A failure that the soak injects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// SIGKILL to the browser's process group; it is started again on the same profile.
    Browser,
    /// The tab's renderer crashes; the tab is reloaded.
    Renderer,
    /// The worker that runs the engine is terminated; the page gets no event.
    Worker,
    /// The person reloads the tab.
    Reload,
    /// The server closes the connection.
    Cut,
    /// The connection breaks in the middle of a frame.
    Torn,
}

impl Fault {
    /// Every kind, in the order of the report's columns.
    pub(crate) const ALL: [Self; 6] =
        [Self::Browser, Self::Renderer, Self::Worker, Self::Reload, Self::Cut, Self::Torn];

    /// Whether a process or worker is killed, not merely the connection.
    pub(crate) fn kills(self) -> bool {
        !matches!(self, Self::Cut | Self::Torn)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Browser => "browser",
            Self::Renderer => "renderer",
            Self::Worker => "worker",
            Self::Reload => "reload",
            Self::Cut => "cut",
            Self::Torn => "torn",
        })
    }
}

/// One run.
pub(crate) struct Plan {
    rng: ChaCha8Rng,
    /// Seed of the sandbox's random losses.
    pub(crate) loss_seed: u64,
    /// Faults while the mailbox is drained, each with its time after the page was opened. A browser is killed a little
    /// later: when the server receives the next receipt.
    pub(crate) drain: Vec<(Duration, Fault)>,
    /// Faults while the person writes, each with its time after the one before. A browser is killed a little later:
    /// when the phone that is being written to receives the next text.
    pub(crate) sends: Vec<(Duration, Fault)>,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let loss_seed = rng.next_u64();
        let mut plan = Self { rng, loss_seed, drain: Vec::new(), sends: Vec::new() };
        // From the start of the engine until most mail has arrived.
        plan.drain = (0..3 + plan.draw(3)).map(|_| (plan.moment(50, 1_300), plan.fault())).collect();
        plan.sends = (0..3 + plan.draw(3)).map(|_| (plan.moment(100, 1_200), plan.fault())).collect();
        plan
    }

    /// A number below `bound`.
    pub(crate) fn draw(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.rng.next_u64() % bound).unwrap_or(0)
    }

    fn moment(&mut self, least: usize, most: usize) -> Duration {
        Duration::from_millis(u64::try_from(least + self.draw(most - least)).unwrap_or(0))
    }

    fn fault(&mut self) -> Fault {
        // SIGKILL has four of ten; the others share the rest.
        const WEIGHTED: [Fault; 10] = [
            Fault::Browser,
            Fault::Browser,
            Fault::Browser,
            Fault::Browser,
            Fault::Worker,
            Fault::Worker,
            Fault::Renderer,
            Fault::Reload,
            Fault::Cut,
            Fault::Torn,
        ];
        let drawn = self.draw(WEIGHTED.len());
        WEIGHTED.get(drawn).copied().unwrap_or(Fault::Browser)
    }
}

/// The number of the phone at this place.
pub(crate) fn number(phone: usize) -> String {
    format!("141555502{phone:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_plan() {
        let (one, other) = (Plan::new(7), Plan::new(7));
        assert_eq!((&one.drain, &one.sends, one.loss_seed), (&other.drain, &other.sends, other.loss_seed));
        assert_ne!(one.drain, Plan::new(8).drain);
    }

    #[test]
    fn every_fault_occurs_and_every_plan_has_three() {
        let plans: Vec<_> = (0..50).map(Plan::new).collect();
        for fault in Fault::ALL {
            assert!(plans.iter().any(|plan| plan.drain.iter().chain(&plan.sends).any(|(_, drawn)| *drawn == fault)));
        }
        assert!(plans.iter().all(|plan| plan.drain.len() >= 3 && plan.sends.len() >= 3));
    }
}
