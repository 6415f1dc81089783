//! Starts the partner program with the options of a measurement, and ends it.
//!
//! What this module does not know: what is measured.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A process that is killed on drop.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program on a free port. `options` are names after `CAUSEWAY_PARTNER_` with their values.
pub(crate) fn start_partner(
    program: &Path,
    data: &Path,
    options: &[(&str, &str)],
) -> Result<(Process, SocketAddr), Failure> {
    let mut command = Command::new(program);
    command
        .env("CAUSEWAY_PARTNER_LISTEN", "127.0.0.1:0")
        .env("CAUSEWAY_PARTNER_DATA_DIR", data)
        .env("CAUSEWAY_PARTNER_WHATSAPP_ROOT_KEY", "ab".repeat(32))
        .env("CAUSEWAY_PARTNER_SIGN_IN_HASH_MEMORY_KIB", "7168")
        .env("CAUSEWAY_PARTNER_SIGN_IN_HASH_PASSES", "1")
        .env("RUST_LOG", "info,causeway_partner::http=warn")
        .env("NO_COLOR", "1");
    for (name, value) in options {
        command.env(format!("CAUSEWAY_PARTNER_{name}"), value);
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines().map_while(Result::ok);
    let process = Process(child);
    let addr = lines.find_map(|line| line.split_once("listening address=").map(|(_, addr)| addr.trim().to_owned()));
    let addr = addr.ok_or("the partner program did not start")?.parse()?;
    // The pipe must be drained, or the program would block on its log.
    std::thread::spawn(move || lines.for_each(drop));
    Ok((process, addr))
}
