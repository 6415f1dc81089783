//! `make soak RUNS=100 FROM=1`: real Chromium with the client as released, killed at seeded moments; at the end nothing
//! is lost, doubled, out of order or unreadable, on either side. A line for each run; exit 1 if one of them failed.

mod oracle;
mod plan;
mod run;

use anyhow::{Context, Result};
use plan::Fault;
use run::{Run, Tally};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(std::io::stderr).init();
    let (runs, from) = (setting("RUNS", 3)?, setting("FROM", 1)?);
    let (mut failures, mut discarded, mut kills, mut messages) = (0_u64, 0_u64, 0, 0);
    for seed in from..from.saturating_add(runs) {
        let began = Instant::now();
        let mut run = Run::prepare(seed).await?;
        let lived = run.live().await;
        let tally = std::mem::take(&mut run.tally);
        let folder = failed_runs().join(seed.to_string());
        let note = if lived.is_err() { run.discarded()? } else { None };
        run.end(lived.is_err().then_some(&folder)).await?;
        println!("{}", line(seed, lived.is_ok(), began.elapsed(), &tally));
        if let Some(note) = note {
            discarded += 1;
            println!("  the browser discarded its database: {note}");
        } else if let Err(error) = lived {
            failures += 1;
            println!("  {error:#}\n  replay: make soak RUNS=1 FROM={seed}; kept: {}", folder.display());
        }
        kills += tally.faults.iter().filter(|(fault, _)| fault.kills()).map(|(_, count)| count).sum::<u32>();
        messages += tally.messages;
    }
    println!(
        "runs {runs}, kills {kills}, messages {messages}, discarded by the browser {discarded}, failures {failures}"
    );
    // Chromium discards a database once in dozens of runs; more than one in ten has another cause.
    Ok(if failures == 0 && discarded <= 1 + runs / 10 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(seed: u64, sound: bool, took: Duration, tally: &Tally) -> String {
    let faults =
        Fault::ALL.map(|fault| format!("{fault} {}", tally.faults.get(&fault).copied().unwrap_or(0))).join(", ");
    let phases: Vec<_> = tally.phases.iter().map(|(name, took)| format!("{name} {:.1}", took.as_secs_f64())).collect();
    let verdict = if sound { "ok" } else { "FAILED" };
    let (took, phases) = (took.as_secs_f64(), phases.join(", "));
    format!("seed {seed}: {verdict}, {took:.1} s ({phases}), {faults}; {} messages", tally.messages)
}

fn setting(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is {text:?}; expected a number")),
        Err(_) => Ok(default),
    }
}

/// `target/soak`: state of the runs that failed.
fn failed_runs() -> PathBuf {
    causeway_e2e::audit::artefacts().with_file_name("soak")
}
