//! Load on the chat relay: thousands of idle connections and a thousand that echo, through the release binary, through
//! nginx as a WebSocket proxy and as a stream proxy, and without a relay. Prints memory per connection and round trip
//! times.
//!
//! ```text
//! cargo build --release -p causeway-partner --bin partner --example relay_load
//! ulimit -n 20000; target/release/examples/relay_load target/release/partner [IDLE ACTIVE SECONDS]
//! ```
//!
//! `--json` prints JSON for `make bench`. Requires Debian's nginx and libnginx-mod-stream. Load generator and echo
//! server share this process and the machine with the measured programs, the same for all four.

mod load;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use load::{Failure, Process};
use reqwest::header;
use serde_json::json;
use std::{
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot, watch},
    task::JoinSet,
    time,
};

/// Payload of an active client's message: about the size of an encrypted text.
const MESSAGE: usize = 256;
/// A client's frame: two bytes of header, two of length, four of mask.
const UP: usize = MESSAGE + 8;
/// A server's frame.
const DOWN: usize = MESSAGE + 4;
/// Pause between an active client's messages.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum number of connections being opened at the same time.
const OPENING: usize = 32;
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

#[derive(Clone, Copy)]
struct Load {
    idle: u32,
    active: u32,
    seconds: u64,
}

/// A server to connect to.
struct Target {
    name: &'static str,
    addr: SocketAddr,
    path: &'static str,
    origin: String,
    /// One session for each connection; only the partner server needs them.
    cookies: Vec<String>,
    processes: Vec<u32>,
}

/// The measurements of one target.
struct Row {
    name: &'static str,
    /// Memory per connection in KiB.
    memory: f64,
    /// Round trips: median, 95th and 99th percentile, milliseconds.
    p50: f64,
    p95: f64,
    p99: f64,
    /// Processor seconds per minute.
    cpu: f64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (flags, words): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|word| word == "--json");
    let program = words.first().map(PathBuf::from).ok_or("which partner program? see the head of this file")?;
    let number = |at: usize, default: u32| words.get(at).map_or(Ok(default), |word| word.parse());
    let load = Load { idle: number(1, 5_000)?, active: number(2, 1_000)?, seconds: number(3, 20)?.into() };
    let echo = echo_server().await?;
    let folder = tempfile::tempdir()?;
    let bare =
        Target { name: "bare", addr: echo, path: "/", origin: String::new(), cookies: vec![], processes: vec![] };
    let mut rows = vec![measure(&bare, load).await?];
    let mut cookies = Vec::new();
    for scheme in ["ws", "tcp"] {
        let name = if scheme == "ws" { "partner, ws" } else { "partner, tcp" };
        let upstream = if scheme == "ws" { echo } else { echo_stream().await? };
        let path = if scheme == "ws" { "/chat" } else { "" };
        let url = format!("{scheme}://{upstream}{path}");
        let options = [("RELAY_UPSTREAM", url.as_str()), ("LIMITS_ADDRESS_BURST", "100000")];
        let (child, addr) = load::start_partner(&program, &folder.path().join("data"), &options)?;
        if cookies.is_empty() {
            cookies = accounts(addr, usize::try_from(load.idle + load.active)?).await?;
        }
        let origin = format!("http://{addr}");
        let processes = vec![child.0.id()];
        let target = Target { name, addr, path: "/relay", origin, cookies: cookies.clone(), processes };
        rows.push(measure(&target, load).await?);
    }
    let nginx = start_nginx(folder.path(), echo).await?;
    for (name, addr) in [("nginx, ws", nginx.websocket), ("nginx, stream", nginx.stream)] {
        let processes = nginx.workers()?;
        let target = Target { name, addr, path: "/", origin: String::new(), cookies: vec![], processes };
        rows.push(measure(&target, load).await?);
    }
    print(load, &rows, !flags.is_empty());
    Ok(())
}

fn print(load: Load, rows: &[Row], json: bool) {
    let Load { idle, active, seconds } = load;
    if json {
        let row = |row: &Row| {
            let Row { name, memory, p50, p95, p99, cpu } = row;
            json!({ "name": name, "memory": memory, "p50": p50, "p95": p95, "p99": p99, "cpu": cpu })
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        println!("{}", json!({ "idle": idle, "active": active, "seconds": seconds, "rows": rows }));
        return;
    }
    println!("{idle} idle, {active} active with {MESSAGE} bytes a second each, {seconds} s");
    println!("{:<16} {:>12} {:>10} {:>10} {:>10} {:>12}", "", "KiB/conn", "p50 ms", "p95 ms", "p99 ms", "CPU s/min");
    for Row { name, memory, p50, p95, p99, cpu } in rows {
        println!("{name:<16} {memory:>12.1} {p50:>10.2} {p95:>10.2} {p99:>10.2} {cpu:>12.1}");
    }
}

/// Opens the connections, runs the load, measures.
async fn measure(target: &Target, load: Load) -> Result<Row, Failure> {
    let before = memory(&target.processes)?;
    let opening = Arc::new(Semaphore::new(OPENING));
    let (go, gone) = watch::channel(false);
    let mut clients = JoinSet::new();
    let mut ready = Vec::new();
    for at in 0..load.idle + load.active {
        let place = opening.clone().acquire_owned().await?;
        let cookie = target.cookies.get(usize::try_from(at)?).cloned().unwrap_or_default();
        let (addr, head) = (target.addr, opening_head(target, &cookie));
        let (opened, is_open) = oneshot::channel();
        ready.push(is_open);
        let mut gone = gone.clone();
        let share = PAUSE.mul_f64(f64::from(at) / f64::from(load.active));
        clients.spawn(async move {
            let mut stream = open(addr, &head).await?;
            // One round trip each verifies the whole path.
            round_trip(&mut stream).await?;
            drop(place);
            let _ = opened.send(());
            gone.wait_for(|go| *go).await.map_err(io::Error::other)?;
            let mut took = Vec::new();
            if at < load.active {
                time::sleep(share).await;
                let end = Instant::now() + Duration::from_secs(load.seconds);
                while Instant::now() < end {
                    took.push(round_trip(&mut stream).await?);
                    time::sleep(PAUSE).await;
                }
            } else {
                time::sleep(Duration::from_secs(load.seconds)).await;
            }
            Ok::<_, io::Error>(took)
        });
    }
    for is_open in ready {
        is_open.await?;
    }
    time::sleep(Duration::from_secs(2)).await;
    let after = memory(&target.processes)?;
    let cpu = processor_seconds(&target.processes)?;
    let began = Instant::now();
    go.send_replace(true);
    let mut took = Vec::new();
    while let Some(client) = clients.join_next().await {
        took.extend(client??);
    }
    let cpu = (processor_seconds(&target.processes)? - cpu) * 60.0 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).map_or(0.0, |t| t.as_secs_f64() * 1e3);
    let memory = f64::from(u32::try_from(after.saturating_sub(before) / 1_024)?) / f64::from(load.idle + load.active);
    Ok(Row { name: target.name, memory, p50: at(50), p95: at(95), p99: at(99), cpu })
}

fn opening_head(target: &Target, cookie: &str) -> String {
    format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\nOrigin: {}\r\nCookie: {cookie}\r\n\r\n",
        target.path, target.origin
    )
}

async fn open(addr: SocketAddr, head: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    stream.write_all(head.as_bytes()).await?;
    let answer = read_head(&mut stream).await?;
    if answer.starts_with("HTTP/1.1 101") { Ok(stream) } else { Err(io::Error::other(answer)) }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 4_096 {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// One frame there and back. The mask is zero, so that the echo has the same payload.
async fn round_trip(stream: &mut TcpStream) -> io::Result<Duration> {
    let mut up = vec![7; UP];
    for (byte, head) in up.iter_mut().zip([0x82, 0x80 | 126, 1, 0, 0, 0, 0, 0]) {
        *byte = head;
    }
    let mut down = [0; DOWN];
    let began = Instant::now();
    stream.write_all(&up).await?;
    let answer = time::timeout(Duration::from_secs(60), stream.read_exact(&mut down)).await;
    answer.map_err(|_| io::ErrorKind::TimedOut)??;
    Ok(began.elapsed())
}

/// A WebSocket server that echoes messages of the one length.
async fn echo_server() -> io::Result<SocketAddr> {
    echo(true).await
}

/// The same over a byte stream, after a PROXY header.
async fn echo_stream() -> io::Result<SocketAddr> {
    echo(false).await
}

async fn echo(websocket: bool) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Ends when the client disconnects.
            tokio::spawn(echo_one(stream, websocket));
        }
    });
    Ok(addr)
}

async fn echo_one(mut stream: TcpStream, websocket: bool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if websocket {
        let head = read_head(&mut stream).await?;
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
        });
        let key = format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key.unwrap_or_default());
        let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes()));
        let head = format!(
            "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
    } else {
        stream.read_exact(&mut [0; 28]).await?;
    }
    let mut message = [0; UP];
    let (begin, head): (usize, &[u8]) = if websocket { (0, &[0x82, 126, 1, 0]) } else { (UP - MESSAGE, &[]) };
    loop {
        stream.read_exact(message.get_mut(begin..).unwrap_or_default()).await?;
        let answer = [head, message.get(UP - MESSAGE..).unwrap_or_default()].concat();
        stream.write_all(&answer).await?;
    }
}

/// Creates accounts; returns the cookies of their sessions.
async fn accounts(addr: SocketAddr, count: usize) -> Result<Vec<String>, Failure> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let opening = Arc::new(Semaphore::new(8));
    let mut making = JoinSet::new();
    for at in 0..count {
        let place = opening.clone().acquire_owned().await?;
        let request = http.post(format!("http://{addr}/api/account"));
        let form = [("identifier", format!("client {at}")), ("password", "correct horse".to_owned())];
        making.spawn(async move {
            let response = request.form(&form).send().await?.error_for_status()?;
            drop(place);
            let cookie = response.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
            Ok::<_, reqwest::Error>(cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned())
        });
    }
    let mut cookies = Vec::new();
    while let Some(made) = making.join_next().await {
        cookies.push(made??);
    }
    Ok(cookies)
}

struct Nginx {
    master: Process,
    websocket: SocketAddr,
    stream: SocketAddr,
}

async fn start_nginx(folder: &Path, echo: SocketAddr) -> Result<Nginx, Failure> {
    let free = async || TcpListener::bind("127.0.0.1:0").await?.local_addr();
    let (websocket, stream) = (free().await?, free().await?);
    let shown = folder.display();
    let config = format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so; daemon off; worker_processes 2; pid {shown}/pid;
         error_log {shown}/error.log; worker_rlimit_nofile 20000; events {{ worker_connections 16000; }}
         http {{ access_log off; server {{ listen {websocket}; location / {{ proxy_pass http://{echo};
           proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
           proxy_set_header X-Forwarded-For $remote_addr; proxy_read_timeout 1h; proxy_send_timeout 1h; }} }} }}
         stream {{ server {{ listen {stream}; proxy_pass {echo}; }} }}"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config)?;
    let master = Process(Command::new("nginx").arg("-c").arg(&file).spawn()?);
    let began = Instant::now();
    while TcpStream::connect(stream).await.is_err() {
        if began.elapsed() > Duration::from_secs(10) {
            return Err("nginx did not start".into());
        }
        time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Nginx { master, websocket, stream })
}

impl Nginx {
    /// The worker processes.
    fn workers(&self) -> Result<Vec<u32>, Failure> {
        let master = self.master.0.id();
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
        Ok(children.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killing the master would leave its workers running: terminate it.
        let _ = Command::new("kill").arg(self.master.0.id().to_string()).status();
        let _ = self.master.0.wait();
    }
}

/// Proportional set size of the processes in bytes.
fn memory(processes: &[u32]) -> Result<u64, Failure> {
    let mut sum = 0;
    for process in processes {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
        sum += line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024;
    }
    Ok(sum)
}

/// Processor time of the processes, at 100 ticks a second.
fn processor_seconds(processes: &[u32]) -> Result<f64, Failure> {
    let mut ticks = 0;
    for process in processes {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let at = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        // User and system time: fields 14 and 15; the first three are cut off here.
        ticks += at(11) + at(12);
    }
    Ok(Duration::from_millis(ticks * 10).as_secs_f64())
}
