//! Throughput of the media host: one large file up and down through the release binary, and its peak memory.
//!
//! ```text
//! cargo build --release -p causeway-partner --bin partner --example media_load
//! target/release/examples/media_load target/release/partner [MIB]
//! ```
//!
//! `--json` prints JSON for `make bench`. Both ends share the machine.

mod load;

use futures::{StreamExt, stream};
use load::Failure;
use reqwest::{Body, Client, header};
use serde_json::json;
use std::{env, fs, io, path::PathBuf, time::Instant};

/// Size of one chunk of the upload.
const CHUNK: usize = 64 * 1_024;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (flags, words): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|word| word == "--json");
    let program = words.first().map(PathBuf::from).ok_or("which partner program? see the head of this file")?;
    let mib: u32 = words.get(1).map_or(Ok(512), |word| word.parse())?;
    let size = usize::try_from(mib)? << 20;
    let folder = tempfile::tempdir()?;
    let (limit, quota) = (mib.to_string(), (2 * mib).to_string());
    let options = [("MEDIA_FILE_MIB", limit.as_str()), ("MEDIA_QUOTA_MIB", quota.as_str())];
    let (process, addr) = load::start_partner(&program, folder.path(), &options)?;
    let (http, base) = (Client::builder().no_proxy().build()?, format!("http://{addr}"));

    let form = [("identifier", "alice"), ("password", "correct horse")];
    let account = http.post(format!("{base}/api/account")).form(&form).send().await?.error_for_status()?;
    let cookie = account.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let idle = peak(process.0.id())?;
    let form = [("size", size.to_string()), ("type", "application/octet-stream".to_owned())];
    let begun = http.post(format!("{base}/api/media")).header(header::COOKIE, &cookie).form(&form).send().await?;
    let place = begun.headers().get(header::LOCATION).and_then(|place| place.to_str().ok()).ok_or("no upload")?;

    let chunks = stream::iter((0..size / CHUNK).map(|_| Ok::<_, io::Error>(vec![7_u8; CHUNK])));
    let request = http.patch(format!("{base}{place}")).header(header::COOKIE, &cookie).header("upload-offset", "0");
    let request =
        request.header(header::CONTENT_TYPE, "application/offset+octet-stream").body(Body::wrap_stream(chunks));
    let began = Instant::now();
    let answer = request.send().await?.error_for_status()?.text().await?;
    let up = f64::from(mib) / began.elapsed().as_secs_f64();
    let reference = answer.strip_prefix("storage_reference=").ok_or("not complete")?;

    let began = Instant::now();
    let mut bytes = http.get(format!("{base}/{reference}")).send().await?.error_for_status()?.bytes_stream();
    let mut received = 0;
    while let Some(piece) = bytes.next().await {
        received += piece?.len();
    }
    let down = f64::from(mib) / began.elapsed().as_secs_f64();
    assert_eq!(received, size, "the whole file came back");
    let most = peak(process.0.id())?;
    if !flags.is_empty() {
        println!("{}", json!({ "mib": mib, "up": up, "down": down, "before": idle, "peak": most }));
        return Ok(());
    }
    println!(
        "{mib} MiB: up {up:.0} MiB/s, down {down:.0} MiB/s, memory {idle:.1} MiB before, {most:.1} MiB at the peak"
    );
    Ok(())
}

/// Peak memory of a process in MiB.
fn peak(process: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_024.0)
}
