//! `make soak-push PUSHES=1000 FROM=1`: pushes for a Chromium whose tabs are all closed, and whose service worker is ended at
//! seeded moments. No push is silent, and at the end every message is there, once and in order.
//!
//! A worker that is ended before its script ran cannot show anything; then the push service has had no answer and
//! delivers the push again, which the soak does in its place. `--json` prints the figures for `make bench`; `KILLS=0`
//! ends no worker.

use anyhow::{Context, Result, ensure};
use causeway_e2e::{
    chromium::Chromium,
    devtools::{Displayed, PageLog},
    servers::{Servers, Setup},
    service_worker::ServiceWorker,
    wait,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const BOB: &str = "4915112345678";
/// Latest time of a kill, in milliseconds after the push: a cold worker shows the message after about 250.
const LATEST_KILL: u64 = 500;
/// What a killed worker has shown is on screen by then.
const LATEST_DISPLAY: Duration = Duration::from_secs(3);
/// Share of pushes whose worker is killed, in percent.
const KILL_PERCENT: u64 = 70;
/// Time-out for a worker that closes notifications. A headless Chromium removes each after about 25 seconds by itself,
/// so this is shorter.
const GONE: Duration = Duration::from_secs(10);
/// Time-out for a notification.
const LONGEST: Duration = Duration::from_secs(20);
/// Prefix of the tags of preliminary notifications, which only announce that something came (service-worker.js).
const WAITING: &str = "waiting:";

#[derive(Default)]
struct Tally {
    kills: u32,
    /// Pushes delivered again: the worker was ended before its script ran, or DevTools lost the push.
    again: u32,
    /// Pushes whose worker was ended after its script ran, without any notification.
    silent: Vec<u64>,
    /// From the push to the notification with sender and text, of workers that were not ended.
    took: Vec<Duration>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let (pushes, seed, kills) = (setting("PUSHES", 50)?, setting("FROM", 1)?, setting("KILLS", 1)? != 0);
    // Each push opens a connection: more often than the limits for people allow.
    let patient = Setup { partner: Some(Box::new(|config| config.limits.token_burst = 100_000)), ..Setup::default() };
    let servers = Servers::start(patient).await?;
    let (profile, log) = (tempfile::tempdir()?, PageLog::default());
    let mut browser = Chromium::start(profile.path(), &log).await?;
    let tally = live(&servers, &browser, &log, pushes, seed, kills).await;
    browser.close().await?;
    drop(servers);
    let mut tally = tally?;
    tally.took.sort();
    let at = |share: usize| tally.took.get((tally.took.len() * share / 100).min(tally.took.len().saturating_sub(1)));
    let milliseconds = |share| at(share).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    if std::env::args().any(|word| word == "--json") {
        println!("{}", json!({ "pushes": pushes, "p50": milliseconds(50), "p95": milliseconds(95) }));
    } else {
        println!(
            "pushes {pushes}, kills {}, delivered again {}, silent {}, to the notification p50 {:.0} ms, p95 {:.0} ms",
            tally.kills,
            tally.again,
            tally.silent.len(),
            milliseconds(50),
            milliseconds(95)
        );
    }
    ensure!(tally.silent.is_empty(), "silent pushes: {:?}; replay: make soak-push FROM={seed}", tally.silent);
    Ok(ExitCode::SUCCESS)
}

async fn live(
    servers: &Servers,
    browser: &Chromium,
    log: &PageLog,
    pushes: u64,
    seed: u64,
    kills: bool,
) -> Result<Tally> {
    servers.phone(BOB, "Bob").await?;
    let tab = browser.open(&servers.url()?).await?;
    tab.person("person.signUp('carla', 'correct horse battery')").await?;
    tab.person(&format!("person.write('{BOB}', ['hello'])")).await?;
    tab.person("navigator.serviceWorker.ready.then(() => true)").await?;
    tab.close().await?;
    wait::until("carla offline", async || Ok((!servers.is_online("carla").await?).then_some(()))).await?;
    let worker = ServiceWorker::of(browser, log, &servers.url()?).await?;
    worker.registered().await?;

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for number in 1..=pushes {
        let fault = (kills && rng.next_u64() % 100 < KILL_PERCENT).then(|| rng.next_u64() % LATEST_KILL);
        worker.stop().await?;
        let text = format!("message {number}");
        servers.phone_writes(BOB, "carla", &text).await?;
        let pushed = SystemTime::now().duration_since(UNIX_EPOCH)?;
        worker.push("wake").await?;
        match fault {
            Some(after) => {
                tokio::time::sleep(Duration::from_millis(after)).await;
                worker.stop().await?;
                tally.kills += 1;
                // A push that came while the worker was starting is handled when it starts again.
                let is_of_it = |one: &Displayed| one.at >= pushed && (one.body == text || one.tag.starts_with(WAITING));
                if worker.displays(LATEST_DISPLAY, is_of_it).await.is_err() {
                    // Did its script run at all? It writes its note after the first notification.
                    let handled = noted(&worker).await? >= pushed;
                    // Reading the note may have started it again; then it handles the push.
                    if handled && worker.displays(LATEST_DISPLAY, is_of_it).await.is_err() {
                        eprintln!("push {number}, ended after {after} ms: {:?}", worker.shown().await?);
                        tally.silent.push(number);
                    }
                    tally.again += 1;
                    worker.push("wake").await?;
                    let told = worker.displays(LONGEST, is_of_it).await;
                    told.with_context(|| format!("push {number}"))?;
                }
            }
            None => {
                let says_it = |one: &Displayed| one.body == text;
                match worker.displays(LONGEST, says_it).await {
                    Ok(displayed) => tally.took.push(displayed.at.saturating_sub(pushed)),
                    Err(_) => {
                        ensure!(noted(&worker).await? < pushed, "push {number} is silent: {:?}", worker.shown().await?);
                        // DevTools has lost it on the way.
                        tally.again += 1;
                        worker.push("wake").await?;
                        worker.displays(LONGEST, says_it).await.with_context(|| format!("push {number}"))?;
                    }
                }
                alone(servers, &worker, &text).await.with_context(|| format!("push {number}"))?;
            }
        }
        if number % 100 == 0 {
            eprintln!("{number} pushes, {} kills", tally.kills);
        }
    }
    // A last one, undisturbed, so that nothing waits for the next.
    worker.push("wake").await?;
    wait::until("an empty mailbox", async || Ok((servers.waiting_for("carla").await? == 0).then_some(()))).await?;
    let tab = browser.open(&servers.url()?).await?;
    let read = tab.person(&format!("person.read('{BOB}')")).await?;
    let found =
        read.as_array().context("no messages")?.iter().filter(|line| line[1] == "in").map(|line| line[0].clone());
    let expected = (1..=pushes).map(|number| json!(format!("message {number}")));
    ensure!(found.eq(expected), "the chat does not hold what was sent, once and in order: {read}");
    Ok(tally)
}

/// A worker that was not killed ends with one notification on screen, that of the chat. Preliminary ones are gone, its
/// own and those of the workers that were killed.
async fn alone(servers: &Servers, worker: &ServiceWorker<'_>, text: &str) -> Result<()> {
    wait::until("carla offline", async || Ok((!servers.is_online("carla").await?).then_some(()))).await?;
    let mut shown = Vec::new();
    let one = wait::until_within(GONE, "one notification", async || {
        shown = worker.shown().await?;
        Ok(matches!(shown.as_slice(), [one] if one.body == text).then_some(()))
    });
    one.await.with_context(|| format!("on screen: {shown:?}"))
}

/// Time of the last push by the worker's own note, since the Unix epoch.
async fn noted(worker: &ServiceWorker<'_>) -> Result<Duration> {
    let look =
        "caches.open('notes').then((notes) => notes.match('/notes/last')).then((note) => note ? note.text() : '0')";
    let noted = worker.run(look).await?;
    let noted = noted.as_str().and_then(|text| text.parse().ok());
    noted.map(Duration::from_millis).context("the worker's note is no time")
}

fn setting(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is {text:?}; expected a number")),
        Err(_) => Ok(default),
    }
}
