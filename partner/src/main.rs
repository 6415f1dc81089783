//! The `partner` program: arguments, logging, signals; the server itself is the library's.

use causeway_partner::{Config, Server, Settings};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const HELP: &str = "\
The partner server: signs people in, issues identity tokens, serves the client.

Usage: partner [--config FILE] [--check]

  --config FILE  the configuration; partner.example.toml explains every option
  --check        look for mistakes in the configuration, say what to do, and end
  --version      print the version
  --help         print this

Environment variables CAUSEWAY_PARTNER_<SECTION>_<OPTION> win over the file; RUST_LOG sets what is logged.
SIGHUP reads the TLS certificate again.
Ends with 0 after a signal, 64 for wrong arguments, 78 for a wrong configuration, 1 if it cannot run.";

const USAGE: u8 = 64;
const CONFIG: u8 = 78;

enum Order {
    Run { config: Option<PathBuf>, check: bool },
    Version,
    Help,
}

fn main() -> ExitCode {
    match arguments(std::env::args_os().skip(1)) {
        Ok(Order::Help) => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        Ok(Order::Version) => {
            println!("partner {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Order::Run { config, check }) => run(config, check),
        Err(problem) => fail(USAGE, &format!("{problem}; see partner --help")),
    }
}

fn arguments(mut words: impl Iterator<Item = OsString>) -> Result<Order, String> {
    let (mut config, mut check) = (None, false);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--config") => config = Some(words.next().ok_or("--config needs a file")?.into()),
            Some("--check") => check = true,
            Some("--version") => return Ok(Order::Version),
            Some("--help" | "-h") => return Ok(Order::Help),
            _ => return Err(format!("{} is not an option", word.display())),
        }
    }
    Ok(Order::Run { config, check })
}

fn run(path: Option<PathBuf>, check: bool) -> ExitCode {
    // Variables that are not text cannot be ours: all our names and values are.
    let variables =
        std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    let config = match Config::load(path.as_deref(), variables) {
        Ok(config) => config,
        Err(error) => return fail(CONFIG, &error.to_string()),
    };
    let listen = config.listen;
    let settings = match Settings::check(config.clone(), listen) {
        Ok(settings) => settings,
        Err(error) => return fail(CONFIG, &error.to_string()),
    };
    if check {
        println!("The configuration is in order.");
        return ExitCode::SUCCESS;
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    if settings.log_json() {
        log.json().init()
    } else {
        log.init()
    }
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(serve(config)),
        Err(error) => fail(1, &format!("cannot start threads: {error}")),
    }
}

async fn serve(config: Config) -> ExitCode {
    let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)] = signals else {
        return fail(1, "cannot wait for signals");
    };
    let running = match Server::start(config).await {
        Ok(running) => running,
        Err(error) => return fail(1, &error.to_string()),
    };
    tracing::info!(address = %running.addr, "listening");
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => match tokio::task::block_in_place(|| running.reload()) {
                Ok(()) => tracing::info!("read the certificate again"),
                Err(error) => tracing::error!(%error, "the certificate stays what it was"),
            },
        }
    }
    tracing::info!("stopping");
    running.stop().await;
    ExitCode::SUCCESS
}

fn fail(code: u8, message: &str) -> ExitCode {
    for line in message.lines() {
        eprintln!("partner: {line}");
    }
    ExitCode::from(code)
}
