//! Two or three ways of doing the same work, timed alternately, so that a disturbance affects all of them.
//!
//! What this module does not know: what the work is.

use serde_json::{Value, json};
use std::hint::black_box;

/// Reads milliseconds from any fixed start.
pub struct Clock<'a>(pub &'a dyn Fn() -> f64);

impl Clock<'_> {
    /// Milliseconds that `work` takes.
    pub fn time(&self, work: impl FnOnce()) -> f64 {
        let start = (self.0)();
        work();
        (self.0)() - start
    }
}

/// How long to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Once around, to see that everything runs.
    Glance,
    /// Enough for figures.
    Full,
}

/// Does the work the given number of times and returns the milliseconds that it took, without its preparation.
pub(crate) type Run = Box<dyn FnMut(usize, &Clock<'_>) -> f64>;

/// One way of doing the work.
pub(crate) struct Entrant {
    name: &'static str,
    run: Run,
}

impl Entrant {
    pub(crate) fn new(name: &'static str, run: impl FnMut(usize, &Clock<'_>) -> f64 + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// For work that needs no preparation.
    pub(crate) fn plain<T>(name: &'static str, mut work: impl FnMut() -> T + 'static) -> Self {
        Self::new(name, move |times, clock| {
            clock.time(|| {
                for _ in 0..times {
                    black_box(work());
                }
            })
        })
    }
}

/// One kind of work, and the implementations that are compared: ours first.
pub(crate) struct Contest {
    pub(crate) name: &'static str,
    pub(crate) entrants: Vec<Entrant>,
}

/// Milliseconds that one batch should take: far above the 5 µs resolution of an isolated page's clock, and short enough
/// that many batches run without a context switch.
const BATCH: f64 = 3.0;
/// Batches of each entrant. Odd, so that the median is one of them.
const BATCHES: usize = 101;
/// Most repetitions in a batch, which bounds what is prepared for it.
const MOST: usize = 1 << 16;

/// Measured times of a contest.
pub(crate) struct Figures {
    contest: &'static str,
    /// Name, and nanoseconds for each batch.
    entrants: Vec<(&'static str, Vec<f64>)>,
}

impl Figures {
    pub(crate) fn measure(mut contest: Contest, clock: &Clock<'_>, effort: Effort) -> Self {
        let times: Vec<usize> = contest.entrants.iter_mut().map(|entrant| fill(entrant, clock, effort)).collect();
        let mut taken = vec![Vec::with_capacity(BATCHES); times.len()];
        let batches = if effort == Effort::Glance { 1 } else { BATCHES };
        for batch in 0..batches {
            for place in 0..times.len() {
                // Each round begins with another entrant, so that none always runs first.
                let at = (batch + place) % times.len();
                let milliseconds = (contest.entrants[at].run)(times[at], clock);
                taken[at].push(milliseconds * 1e6 / times[at] as f64);
            }
        }
        let names = contest.entrants.iter().map(|entrant| entrant.name);
        Self { contest: contest.name, entrants: names.zip(taken).collect() }
    }

    pub(crate) fn to_json(&self) -> Value {
        let entrants = self.entrants.iter().enumerate().map(|(place, (name, taken))| {
            let mut figure = spread(taken);
            figure["name"] = json!(name);
            if place > 0 {
                figure["ratio"] = json!(undisturbed(taken) / undisturbed(&self.entrants[0].1));
            }
            figure
        });
        json!({ "contest": self.contest, "unit": "ns", "entrants": entrants.collect::<Vec<_>>() })
    }
}

/// How often the entrant does the work in one batch.
fn fill(entrant: &mut Entrant, clock: &Clock<'_>, effort: Effort) -> usize {
    let mut times = 1;
    while effort == Effort::Full && times < MOST && (entrant.run)(times, clock) < BATCH {
        times *= 2;
    }
    times
}

/// What ratios compare: the tenth percentile. Other load can only make a batch slower, so the fast ones show the cost
/// of the work.
fn undisturbed(taken: &[f64]) -> f64 {
    percentile(taken, 0.1)
}

fn spread(taken: &[f64]) -> Value {
    let [low, median, high] = [0.1, 0.5, 0.9].map(|share| percentile(taken, share));
    json!({ "median": median, "low": low, "high": high, "batches": taken.len() })
}

fn percentile(taken: &[f64], share: f64) -> f64 {
    let mut sorted = taken.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
