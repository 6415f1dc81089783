//! The contests on the machine itself: prints the figures as JSON. `--glance` runs everything once.

use causeway_bench::{Clock, Effort, figures};
use std::time::Instant;

fn main() {
    let start = Instant::now();
    let now = || start.elapsed().as_secs_f64() * 1e3;
    let glance = std::env::args().any(|argument| argument == "--glance");
    println!("{}", figures(&Clock(&now), if glance { Effort::Glance } else { Effort::Full }));
}
