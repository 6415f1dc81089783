//! Number of identity tokens and of calls to `/push` that a partner server answers per second, over HTTP on this
//! machine, client included. For one core:
//!
//! ```text
//! RUST_LOG=off taskset -c 0 cargo run --release -p causeway-partner --example throughput [SECONDS]
//! ```
//!
//! `--json` prints JSON for `make bench`; SECONDS is the duration of each measurement, by default 5.
//! `CAUSEWAY_PARTNER_DATABASE_URL` measures PostgreSQL instead of SQLite in a temporary folder.

use causeway_partner::{Config, Server};
use jsonwebtoken::Algorithm;
use reqwest::{Client, RequestBuilder, header};
use serde_json::json;
use std::{
    error::Error,
    time::{Duration, Instant, SystemTime},
};
use tokio::task::JoinSet;
use whatsapp::{SigningKey, Whatsapp};

#[path = "../tests/support/whatsapp.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a module of the tests, which use more of it and fail by panicking"
)]
mod whatsapp;

/// Number of concurrent calls.
const CONCURRENCY: usize = 16;
/// The public key of an invented browser.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const DEVICE: &str = "00112233445566778899aabbccddeeff";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (flags, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word == "--json");
    let time = Duration::from_secs(words.first().map_or(Ok(5), |word| word.parse())?);
    let data = tempfile::tempdir()?;
    let key = SigningKey::new("key");
    let (_whatsapp, jwks) = Whatsapp::serve(&[&key]).await;
    let variables = std::env::vars().filter(|(name, _)| name.starts_with("CAUSEWAY_PARTNER_"));
    let mut config = Config::load(None, variables)?;
    config.listen.set_port(0);
    config.data_dir = data.path().join("partner");
    config.secret = Some("5a".repeat(32).into());
    config.whatsapp.root_key = Some("5a".repeat(32));
    config.push.jwks_url = jwks.to_string();
    // Nothing listens there: pushes stay queued, and every call is a write.
    config.push.services.push("http://127.0.0.1:1".to_owned());
    config.limits.token_burst = 100_000;
    config.limits.token_refill_seconds = 1;
    let running = Server::start(config).await?;
    let url = |path: &str| format!("http://{}{path}", running.addr);
    let http = Client::builder().no_proxy().build()?;

    // A new identifier each time, for a database that persists.
    let now = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let name = format!("bench {now}");
    let account = http.post(url("/api/account")).form(&[("identifier", name.as_str()), ("password", "correct horse")]);
    let cookie = account.send().await?.error_for_status()?.headers()[header::SET_COOKIE].to_str()?.to_owned();
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let token = http.post(url("/api/token")).header(header::COOKIE, &cookie).form(&[("device", DEVICE)]);
    let tokens = rate(&token, 200, time).await?;

    let browser = [("endpoint", "http://127.0.0.1:1/browser"), ("p256dh", P256DH), ("auth", "_ordMnz7uTCmrpBTeUV4Bw")];
    let subscribe = http.post(url("/api/push")).header(header::COOKIE, &cookie).form(&browser);
    subscribe.send().await?.error_for_status()?;
    let claims = json!({"iss": "WHATSAPP", "aud": url("").trim_end_matches('/'), "iat": now, "exp": now + 3_600});
    let bearer = key.sign(Algorithm::RS256, &claims);
    let wake = |to: &str| http.post(url("/push")).bearer_auth(&bearer).json(&json!({ "to": to }));
    let verified = rate(&wake("an unknown account"), 404, time).await?;
    let durable = rate(&wake(&name), 200, time).await?;
    // Another signature of the same length: it is refused only after the verification.
    let (signed, signature) = bearer.rsplit_once('.').ok_or("a token has three parts")?;
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{first}{}", signature.get(1..).unwrap_or_default());
    let refused = http.post(url("/push")).bearer_auth(forged).json(&json!({"to": "x"}));
    let refused = rate(&refused, 401, time).await?;
    let health = rate(&http.get(url("/health")), 200, time).await?;
    running.stop().await;
    if flags.is_empty() {
        println!("identity tokens a second:             {tokens:.0}");
        println!("calls to /push verified a second:     {verified:.0}");
        println!("the same, and made durable, a second: {durable:.0}");
        println!("forged calls refused a second:        {refused:.0}");
        println!("for comparison, /health a second:     {health:.0}");
    } else {
        let figures =
            json!({ "tokens": tokens, "verified": verified, "durable": durable, "refused": refused, "health": health });
        println!("{figures}");
    }
    Ok(())
}

/// Repeats a request and returns the number of expected responses per second.
async fn rate(request: &RequestBuilder, expected: u16, time: Duration) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let request = request.try_clone().ok_or("a request that cannot be repeated")?;
        callers.spawn(async move {
            let mut answered = 0_u32;
            while began.elapsed() < time {
                let response = request.try_clone()?.send().await.ok()?;
                if response.status() != expected {
                    eprintln!("got {} instead of {expected}", response.status());
                    return None;
                }
                response.bytes().await.ok()?;
                answered += 1;
            }
            Some(answered)
        });
    }
    let mut all = 0;
    while let Some(answered) = callers.join_next().await {
        all += answered?.ok_or("a call failed")?;
    }
    Ok(f64::from(all) / began.elapsed().as_secs_f64())
}
