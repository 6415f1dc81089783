//! Runs seeds on every core, prints the progress, and prints how to replay each failure.

use crate::options::Options;
use crate::world::{Crash, Outcome, Plan, World};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

/// Most failures that are printed.
const MOST_REPORTED: usize = 20;
/// Number of runs between two lines of progress.
const PROGRESS: usize = 500;

/// Result of many runs.
struct Sum<Key> {
    faults: u64,
    messages: u64,
    /// Sorted, so that the output is the same each time.
    failures: BTreeMap<Key, String>,
}

/// Runs what the options ask for.
pub(crate) fn run(options: &Options) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(crash) = options.crash {
        return report(one(Plan::short(Some(crash), options.trace)).failure);
    }
    let mut whole = true;
    if options.whole {
        whole &= is_deterministic(options.from);
        whole &= every_crash(options.first);
    }
    if options.first && !whole {
        return ExitCode::FAILURE;
    }
    let plans =
        (options.from..options.from.saturating_add(options.seeds)).map(|seed| (seed, Plan::of(seed, options.trace)));
    let sum = all(plans, options.first, options.progress);
    for (seed, failure) in sum.failures.iter().take(MOST_REPORTED) {
        println!("seed {seed}: {failure}\n  replay: make simulate SEEDS=1 FROM={seed} TRACE=1");
    }
    println!(
        "seeds {}, faults {}, messages {}, failures {}",
        options.seeds,
        sum.faults,
        sum.messages,
        sum.failures.len()
    );
    if whole && sum.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(failure: Option<String>) -> ExitCode {
    match failure {
        None => ExitCode::SUCCESS,
        Some(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the same seed gives the same run, bit for bit.
fn is_deterministic(seed: u64) -> bool {
    let same = one(Plan::of(seed, false)).hash == one(Plan::of(seed, false)).hash;
    if !same {
        println!("seed {seed} is not the same run twice: something draws on the clock, or on the order of a map");
    }
    same
}

/// A short conversation, killed once at every point: before every event and between any two outputs, with the
/// transaction under way lost, and with it durable but not reported.
fn every_crash(first: bool) -> bool {
    let undisturbed = one(Plan::short(None, false));
    if let Some(failure) = undisturbed.failure {
        println!("undisturbed: {failure}");
        return false;
    }
    let crashes = undisturbed.points.iter().enumerate().flat_map(|(at, writing)| {
        let crash = |durable| Crash { point: at + 1, durable };
        [Some(crash(false)), writing.then_some(crash(true))].into_iter().flatten()
    });
    let plans: Vec<(Crash, Plan)> = crashes.map(|crash| (crash, Plan::short(Some(crash), false))).collect();
    let (points, runs) = (undisturbed.points.len(), plans.len());
    let sum = all(plans.into_iter(), first, false);
    for (Crash { point, durable }, failure) in sum.failures.iter().take(MOST_REPORTED) {
        let replay = format!("make simulate CRASH={point} DURABLE={} TRACE=1", u8::from(*durable));
        println!(
            "killed at point {point}, {}: {failure}\n  replay: {replay}",
            if *durable { "durable" } else { "lost" }
        );
    }
    println!("killed at each of {points} points, {runs} runs, failures {}", sum.failures.len());
    sum.failures.is_empty()
}

/// One run; a panic is a failure.
pub(crate) fn one(plan: Plan) -> Outcome {
    let world = World::new(plan);
    catch_unwind(AssertUnwindSafe(|| world.run())).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&said| said.to_owned())).unwrap_or_default();
        Outcome { faults: 0, messages: 0, points: Vec::new(), hash: 0, failure: Some(format!("a panic: {said}")) }
    })
}

/// Runs plans on every core.
fn all<Key: Ord + Send>(plans: impl Iterator<Item = (Key, Plan)> + Send, first: bool, progress: bool) -> Sum<Key> {
    let plans = Mutex::new(plans.enumerate());
    let sum = Mutex::new(Sum { faults: 0, messages: 0, failures: BTreeMap::new() });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = plans.lock().expect("no thread panics with it").next();
                    let Some((number, (key, plan))) = next else { return };
                    let outcome = one(plan);
                    let mut sum = sum.lock().expect("no thread panics with it");
                    if first && !sum.failures.is_empty() {
                        return;
                    }
                    sum.faults += outcome.faults;
                    sum.messages += outcome.messages;
                    if let Some(failure) = outcome.failure {
                        sum.failures.insert(key, failure);
                    }
                    if progress && (number + 1) % PROGRESS == 0 {
                        eprintln!("{} runs, {} failures", number + 1, sum.failures.len());
                    }
                }
            });
        }
    });
    sum.into_inner().expect("no thread panics with it")
}
