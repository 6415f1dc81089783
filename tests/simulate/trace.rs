//! What happened: facts, hashed always, and lines, printed when somebody looks.

use causeway::io::Millis;
use core::fmt;

/// The story of a run.
pub(crate) struct Trace {
    hash: u64,
    printed: bool,
}

impl Trace {
    pub(crate) fn new(printed: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, printed }
    }

    /// A line for whoever looks.
    pub(crate) fn line(&self, at: Millis, what: fmt::Arguments<'_>) {
        if self.printed {
            println!("{:>10.3} s  {what}", at as f64 / 1000.0);
        }
    }

    /// Something that must be the same in every run of the seed. FNV-1a: runs are compared with themselves, nobody
    /// attacks them.
    pub(crate) fn fact(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Differs if any fact does.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}
