//! Damages seeds, the same way in every run: flips, cuts, repeats, splices, and values that sit on borders.
//!
//! Knows bytes, not formats.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Lengths, counts and tags live on these.
const BORDERS: [u8; 12] = [0, 1, 0x05, 0x0f, 0x10, 0x7f, 0x80, 0xf7, 0xf8, 0xfc, 0xfe, 0xff];
/// Longer inputs say nothing new.
const MOST: usize = 1 << 14;

pub(crate) struct Damager {
    seeds: Vec<Vec<u8>>,
    rng: ChaCha8Rng,
    bytes: Vec<u8>,
}

impl Damager {
    pub(crate) fn new(name: &str, seeds: Vec<Vec<u8>>) -> Self {
        let seed = name.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
        Self { seeds, rng: ChaCha8Rng::seed_from_u64(seed), bytes: Vec::new() }
    }

    /// The next input.
    pub(crate) fn damaged(&mut self) -> &[u8] {
        let seed = self.below(self.seeds.len());
        self.bytes.clone_from(&self.seeds[seed]);
        for _ in 0..=self.below(4) {
            self.damage();
        }
        self.bytes.truncate(MOST);
        &self.bytes
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.rng.next_u32().to_le_bytes()[0]
    }

    fn damage(&mut self) {
        let length = self.bytes.len();
        let at = self.below(length);
        let some = 1 + self.below(8);
        let end = (at + some).min(length);
        match self.below(9) {
            0 if length > 0 => self.bytes[at] ^= 1 << self.below(8),
            1 if length > 0 => self.bytes[at] = BORDERS[self.below(BORDERS.len())],
            2 if length > 0 => self.bytes[at] = self.byte(),
            3 => self.bytes.truncate(at),
            4 => drop(self.bytes.drain(at..end)),
            5 => {
                let times = 1 + self.below(40);
                let repeated = self.bytes[at..end].repeat(times);
                self.bytes.splice(at..at, repeated);
            }
            6 => {
                let added: Vec<u8> = (0..some).map(|_| self.byte()).collect();
                self.bytes.splice(at..at, added);
            }
            7 => {
                let other = self.below(self.seeds.len());
                let from = self.below(self.seeds[other].len());
                self.bytes.truncate(at);
                self.bytes.extend_from_slice(&self.seeds[other][from..]);
            }
            _ => {
                // A varint or a length that promises more than there is.
                let huge = [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0x0f]][self.below(3)];
                self.bytes.splice(at..at, huge);
            }
        }
    }
}
