//! The WebDriver programs: one process for each browser, on a port that it chooses itself.
//!
//! What this module does not know: what is done with the browser.

use crate::wait;
use anyhow::{Context, Result, bail};
use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

/// Lines of a driver's output that are kept: enough to show why a browser did not start.
const KEPT_LINES: usize = 2_000;

/// How often a driver is started whose port was taken.
const STARTS: u32 = 5;

/// A running driver; killed when dropped.
pub(crate) struct Driver {
    pub(crate) url: String,
    output: Arc<Mutex<Vec<String>>>,
    _process: Child,
}

impl Driver {
    /// Starts `program`, whose first words before its port are `announcement`. chromedriver draws a port for IPv6 and then
    /// fails if another program has it on IPv4: it is started again, a few times.
    pub(crate) async fn start(program: &str, arguments: &[&str], announcement: &str) -> Result<Self> {
        for _ in 1..STARTS {
            match Self::start_once(program, arguments, announcement).await {
                Err(error) if format!("{error:#}").contains("Address already in use") => {}
                started => return started,
            }
        }
        Self::start_once(program, arguments, announcement).await
    }

    async fn start_once(program: &str, arguments: &[&str], announcement: &str) -> Result<Self> {
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {program}: run `make test`, which installs it"))?;
        let output = Arc::new(Mutex::new(Vec::new()));
        collect(process.stdout.take().context("no output")?, output.clone());
        collect(process.stderr.take().context("no output")?, output.clone());
        let port = wait::until(&format!("{program} announce its port"), async || {
            if let Some(status) = process.try_wait()? {
                bail!("{program} ended with {status}: {}", lines(&output).join("\n"));
            }
            Ok(lines(&output).iter().find_map(|line| port_after(line, announcement)))
        })
        .await?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), output, _process: process })
    }

    /// What driver and browser have printed so far.
    pub(crate) fn output(&self) -> Vec<String> {
        lines(&self.output)
    }
}

fn lines(output: &Mutex<Vec<String>>) -> Vec<String> {
    output.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn collect(stream: impl AsyncRead + Unpin + Send + 'static, output: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = stream.next_line().await {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            if output.len() < KEPT_LINES {
                output.push(line);
            }
        }
    });
}

fn port_after(line: &str, announcement: &str) -> Option<u16> {
    let (_, rest) = line.split_once(announcement)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port_after;

    #[test]
    fn the_announced_port_is_found() {
        let chromium = "ChromeDriver was started successfully on port 41235.";
        assert_eq!(port_after(chromium, "successfully on port "), Some(41_235));
        assert_eq!(port_after("1700\tgeckodriver\tINFO\tListening on 127.0.0.1:4", "Listening on 127.0.0.1:"), Some(4));
        assert_eq!(port_after("Starting ChromeDriver 1.2.3", "successfully on port "), None);
    }
}
