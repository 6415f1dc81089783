//! What happens in one run, drawn from its seed: which blows, how long after things have begun, and who writes what.
//!
//! What this module does not know: how a blow is dealt. In a real browser the same seed draws the same blows at the same
//! moments, but not the same instruction: what is replayed is the plan.

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

/// Something that breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blow {
    /// SIGKILL to the browser's process group; it is started again on the same profile.
    Browser,
    /// The tab's renderer crashes; the tab is reloaded.
    Renderer,
    /// The worker that runs the engine is ended; nobody tells the page.
    Worker,
    /// The person reloads the tab.
    Reload,
    /// The server closes the connection.
    Cut,
    /// The connection breaks in the middle of a frame.
    Torn,
}

impl Blow {
    /// Every kind, in the order of the report's columns.
    pub(crate) const ALL: [Self; 6] =
        [Self::Browser, Self::Renderer, Self::Worker, Self::Reload, Self::Cut, Self::Torn];

    /// Whether something died, not merely the connection.
    pub(crate) fn kills(self) -> bool {
        !matches!(self, Self::Cut | Self::Torn)
    }
}

impl fmt::Display for Blow {
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
    dice: ChaCha8Rng,
    /// For the sandbox's own dice.
    pub(crate) loss_seed: u64,
    /// Blows while the mailbox is drained, each with its time after the page was opened. A browser dies a little later: when
    /// the server hears the next receipt.
    pub(crate) drain: Vec<(Duration, Blow)>,
    /// Blows while the person writes, each with its time after the one before. A browser dies a little later: when the phone
    /// that is being written to gets the next text.
    pub(crate) sends: Vec<(Duration, Blow)>,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let loss_seed = dice.next_u64();
        let mut plan = Self { dice, loss_seed, drain: Vec::new(), sends: Vec::new() };
        // The earliest falls while the engine starts, the latest when most mail is in.
        plan.drain = (0..3 + plan.draw(3)).map(|_| (plan.moment(50, 1_300), plan.blow())).collect();
        plan.sends = (0..3 + plan.draw(3)).map(|_| (plan.moment(100, 1_200), plan.blow())).collect();
        plan
    }

    /// A number below `bound`.
    pub(crate) fn draw(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.dice.next_u64() % bound).unwrap_or(0)
    }

    fn moment(&mut self, least: usize, most: usize) -> Duration {
        Duration::from_millis(u64::try_from(least + self.draw(most - least)).unwrap_or(0))
    }

    fn blow(&mut self) -> Blow {
        // SIGKILL is what this is about; the others share the other half.
        const HAT: [Blow; 10] = [
            Blow::Browser,
            Blow::Browser,
            Blow::Browser,
            Blow::Browser,
            Blow::Worker,
            Blow::Worker,
            Blow::Renderer,
            Blow::Reload,
            Blow::Cut,
            Blow::Torn,
        ];
        HAT[self.draw(HAT.len())]
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
    fn a_seed_is_a_plan() {
        let (one, other) = (Plan::new(7), Plan::new(7));
        assert_eq!((&one.drain, &one.sends, one.loss_seed), (&other.drain, &other.sends, other.loss_seed));
        assert_ne!(one.drain, Plan::new(8).drain);
    }

    #[test]
    fn every_blow_falls_and_every_plan_kills() {
        let plans: Vec<_> = (0..50).map(Plan::new).collect();
        for blow in Blow::ALL {
            assert!(plans.iter().any(|plan| plan.drain.iter().chain(&plan.sends).any(|(_, drawn)| *drawn == blow)));
        }
        assert!(plans.iter().all(|plan| plan.drain.len() >= 3 && plan.sends.len() >= 3));
    }
}
