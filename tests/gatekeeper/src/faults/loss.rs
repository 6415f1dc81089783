//! A link that loses a share of the stanzas, in both directions, in an order that a seed fixes.
//!
//! Must not know whose link it is, and what is lost.

/// The lost share, and the state of the random generator.
#[derive(Debug, Default)]
pub(super) struct Loss {
    percent: u64,
    state: u64,
}

impl Loss {
    /// Sets the lost share, in percent; 0 ends the loss.
    pub(super) fn set_percent(&mut self, percent: u8) {
        self.percent = u64::from(percent.min(100));
    }

    /// Restarts the sequence of losses from a seed.
    pub(super) fn seed(&mut self, seed: u64) {
        self.state = seed;
    }

    /// Whether the next stanza is lost.
    pub(super) fn is_lost(&mut self) -> bool {
        self.percent > 0 && self.next() % 100 < self.percent
    }

    /// SplitMix64: every seed is as good as any other, 0 included.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(seed: u64, percent: u8) -> Vec<bool> {
        let mut loss = Loss::default();
        loss.seed(seed);
        loss.set_percent(percent);
        (0..1_000).map(|_| loss.is_lost()).collect()
    }

    #[test]
    fn a_seed_fixes_what_is_lost_and_about_as_many_are_as_asked_for() {
        assert_eq!(lost(7, 50), lost(7, 50));
        assert_ne!(lost(7, 50), lost(8, 50));
        let half = lost(7, 50).into_iter().filter(|lost| *lost).count();
        assert!((400..600).contains(&half), "{half} of 1000");
    }

    #[test]
    fn none_and_all() {
        assert!(lost(1, 0).into_iter().all(|lost| !lost));
        assert!(lost(1, 100).into_iter().all(|lost| lost));
    }
}
