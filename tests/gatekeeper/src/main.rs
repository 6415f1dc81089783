//! The sandbox as a program: settings in, addresses out, until asked to stop.
//!
//! Exit codes: 0 after a stop that was asked for, 1 when it could not start, 2 on wrong usage.

use causeway_gatekeeper::{Config, Gatekeeper};
use std::fmt::Write as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

const HELP: &str = "\
Stands in for WhatsApp's side on this machine: enlistment, chat server, phones. For development and tests only.

Usage: gatekeeper [--config FILE] [--listen ADDR] [--tcp-listen ADDR] [--push-listen ADDR] [--data DIR]
                  [--integrator ID=URL]... [--min-version A.B.C] [--echo NUMBER|none]

  --config FILE        TOML with the same settings and more     (GATEKEEPER_CONFIG)
  --listen ADDR        HTTP and WebSocket [127.0.0.1:8200]       (GATEKEEPER_LISTEN)
  --tcp-listen ADDR    chat server over TCP [127.0.0.1:8201]     (GATEKEEPER_TCP_LISTEN)
  --push-listen ADDR   push service for Firefox [127.0.0.1:8202] (GATEKEEPER_PUSH_LISTEN)
  --data DIR           keys, mail, phones [target/gatekeeper]    (GATEKEEPER_DATA)
  --integrator ID=URL  a Partner [1=http://127.0.0.1:8100]       (GATEKEEPER_INTEGRATOR)
  --min-version A.B.C  oldest version that may connect [2.3000.0](GATEKEEPER_MIN_VERSION)
  --echo NUMBER        the phone that answers [14155550100]      (GATEKEEPER_ECHO)

Logging follows RUST_LOG, e.g. RUST_LOG=causeway_gatekeeper=debug.";

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().skip(1).any(|flag| flag == "--help" || flag == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let config = match Config::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("gatekeeper: {error}");
            return ExitCode::from(2);
        }
    };
    let running = match Gatekeeper::start(config).await {
        Ok(running) => running,
        Err(error) => {
            eprintln!("gatekeeper: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut root = String::new();
    for byte in running.root_key {
        // Writing to a string cannot fail.
        let _ = write!(root, "{byte:02x}");
    }
    println!("gatekeeper: http://{0} (phone page http://{0}/phone)", running.http_addr);
    println!("gatekeeper: chat ws://{}/ws/chat, tcp {}, root key {root}", running.http_addr, running.tcp_addr);
    println!("gatekeeper: push service http://{0}, for Firefox ws://{0}/", running.push_addr);
    running.until_asked_to_stop().await;
    running.stop().await;
    ExitCode::SUCCESS
}
