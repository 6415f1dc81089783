//! The trace of a run: a hash of all bytes and times, and lines that are printed on request.

use crate::clock::Millis;
use core::fmt;

/// Hash and output of a run.
pub(crate) struct Trace {
    hash: u64,
    printed: bool,
}

impl Trace {
    pub(crate) fn new(printed: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, printed }
    }

    /// Prints a line, if the trace is printed.
    pub(crate) fn line(&self, at: Millis, what: fmt::Arguments<'_>) {
        if self.printed {
            println!("{:>10.3} s  {what}", at as f64 / 1000.0);
        }
    }

    /// Hashes what must be the same in every run of the seed. FNV-1a: not against attackers, runs are compared with
    /// themselves.
    pub(crate) fn fact(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The hash of the run so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}
