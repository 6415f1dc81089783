//! The `partner` program: arguments, logging, signals. The server itself is in the library.

mod program;

use causeway_partner::{Config, Server, Settings};
use program::{
    arguments::{self, Command, HELP, Invocation},
    commands,
};
use std::{
    io::{self, BufWriter},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const USAGE: u8 = 64;
const CONFIG: u8 = 78;

fn main() -> ExitCode {
    match arguments::read(std::env::args_os().skip(1)) {
        Ok(Invocation::Help) => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        Ok(Invocation::Version) => {
            println!("partner {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Invocation::Run { config, check }) => run(config, check),
        Ok(Invocation::Administer { config, command }) => administer(config, command),
        Err(problem) => fail(USAGE, &format!("{problem}; see partner --help")),
    }
}

fn run(path: Option<PathBuf>, check: bool) -> ExitCode {
    let (config, settings) = match configuration(path.as_deref()) {
        Ok(read) => read,
        Err(problem) => return fail(CONFIG, &problem),
    };
    if check {
        println!("The configuration is in order.");
        return ExitCode::SUCCESS;
    }
    let log = tracing_subscriber::fmt().with_env_filter(filter("info"));
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

fn administer(path: Option<PathBuf>, command: Command) -> ExitCode {
    let config = match configuration(path.as_deref()) {
        Ok((config, _)) => config,
        Err(problem) => return fail(CONFIG, &problem),
    };
    // Standard output carries the result, standard error the log.
    tracing_subscriber::fmt().with_env_filter(filter("warn")).with_writer(io::stderr).init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("cannot start: {error}")),
    };
    match runtime.block_on(commands::run(config, command, &mut BufWriter::new(io::stdout()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &error.to_string()),
    }
}

/// Loads and checks file and environment.
fn configuration(path: Option<&Path>) -> Result<(Config, Settings), String> {
    // Variables that are not UTF-8 cannot be options.
    let variables =
        std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    let config = Config::load(path, variables).map_err(|error| error.to_string())?;
    let listen = config.listen;
    let settings = Settings::check(config.clone(), listen).map_err(|error| error.to_string())?;
    Ok((config, settings))
}

fn filter(otherwise: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(otherwise))
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
