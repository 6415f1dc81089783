//! What happened, as lines: hashed always, printed when somebody looks.

use causeway::io::Millis;
use core::fmt::{self, Write};

/// The story of a run.
pub(crate) struct Trace {
    hash: u64,
    printed: bool,
}

impl Trace {
    pub(crate) fn new(printed: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, printed }
    }

    /// A line.
    pub(crate) fn line(&mut self, at: Millis, what: fmt::Arguments<'_>) {
        // FNV-1a: runs are compared with themselves, nobody attacks them. Writing to it cannot fail.
        let _infallible = writeln!(self, "{at} {what}");
        if self.printed {
            println!("{:>10.3} s  {what}", at as f64 / 1000.0);
        }
    }

    /// Differs if anything in the story does.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}
