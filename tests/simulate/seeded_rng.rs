//! Random generators derived from the seed. Several streams, so that a draw from one does not change another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_core::Rng;

/// One stream.
pub(crate) struct SeededRng(pub(crate) ChaCha8Rng);

impl SeededRng {
    /// The stream of this number under this seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from 0 to `end` - 1; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.next_u64() % end }
    }

    /// A number from `from` to `to`, both included.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True with this probability in ten thousand. Probabilities of 0 and 1 draw nothing.
    pub(crate) fn chance(&mut self, in_ten_thousand: u64) -> bool {
        match in_ten_thousand {
            0 => false,
            10_000.. => true,
            odds => self.below(10_000) < odds,
        }
    }

    /// An index below `len`.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("an index")
    }
}
