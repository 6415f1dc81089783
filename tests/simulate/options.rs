//! Command line options.

use crate::world::Crash;

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Number of seeds.
    pub(crate) seeds: u64,
    /// The first seed.
    pub(crate) from: u64,
    /// Print every step.
    pub(crate) trace: bool,
    /// Also every crash point of the short conversation, and one seed twice.
    pub(crate) whole: bool,
    /// Only the short conversation, killed here.
    pub(crate) crash: Option<Crash>,
    /// Stop at the first failure.
    pub(crate) first: bool,
    /// Print the progress.
    pub(crate) progress: bool,
}

/// Seeds of the short run that `cargo test` makes.
const SHORT: u64 = 150;

/// Reads the arguments: `--seeds N --from N --trace`, or none for the short run. Options of cargo's own test harness
/// are ignored.
///
/// # Errors
/// A message with the usage.
pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let usage = |wrong: &str| {
        format!("{wrong}\nusage: make simulate [SEEDS=10000] [FROM=1] [TRACE=1] [CRASH=point [DURABLE=1]]")
    };
    let mut options =
        Options { seeds: SHORT, from: 1, trace: false, whole: true, crash: None, first: false, progress: false };
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let given = arguments.next().unwrap_or_default();
            given.parse().map_err(|_| usage(&format!("{argument} takes a number, got {given:?}")))
        };
        match argument.as_str() {
            "--seeds" => {
                options.seeds = number()?;
                options.progress = true;
            }
            "--from" => options.from = number()?,
            "--crash" => {
                let point = usize::try_from(number()?).map_err(|_| usage("--crash takes a small number"))?;
                options.crash = Some(Crash { point, durable: false });
            }
            "--durable" => {
                let durable = number()? != 0;
                options.crash = options.crash.map(|crash| Crash { durable, ..crash });
            }
            "--first" => options.first = true,
            "--trace" => options.trace = true,
            "-q" | "--quiet" | "--nocapture" | "--no-capture" => {}
            other => return Err(usage(&format!("unknown argument {other:?}"))),
        }
    }
    // A single seed is run for its trace.
    options.whole &= options.seeds > 1;
    Ok(options)
}
