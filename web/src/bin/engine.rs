//! The engine: runs in the dedicated worker of every tab, and leads in one of them. In the service worker it runs for the
//! time of a [`shift`](causeway_web::shift), when service-worker.js calls what is exported here.

use causeway::engine::{Config, Engine};
use causeway_proto::secret::Secret;
use causeway_web::life;
use causeway_web::shift::{self, Job};
use causeway_web::tabs::{self, Names};
use wasm_bindgen::prelude::wasm_bindgen;

fn main() {
    causeway_web::port::boot::report_panics();
    // A service worker is told what to do.
    if let Some(urges) = life::urges() {
        causeway_web::port::spawn(life::hold());
        causeway_web::port::spawn(tabs::run(Names::default(), urges, engine));
    }
}

fn engine(data_key: Secret<32>) -> Engine {
    Engine::new(Config { data_key, client_version: env!("CARGO_PKG_VERSION").to_owned(), partner_api: String::new() })
}

/// A push came: fetches what waits, and shows it in the place of the notification with this tag.
#[wasm_bindgen]
pub async fn pushed(tag: String) -> Result<(), String> {
    work(Job::Push { tag }).await
}

/// A page that nobody looks at has news.
#[wasm_bindgen]
pub async fn look() -> Result<(), String> {
    work(Job::Look).await
}

/// The person answered from a notification: durable when this is done.
#[wasm_bindgen]
pub async fn reply(chat: String, text: String) -> Result<(), String> {
    work(Job::Reply { chat, text }).await
}

/// The person has read a chat up to a message.
#[wasm_bindgen]
pub async fn read(chat: String, seq: f64) -> Result<(), String> {
    // Numbers of scripts; the cast saturates.
    work(Job::Read { chat, seq: seq as u64 }).await
}

async fn work(job: Job) -> Result<(), String> {
    shift::work(job, engine).await.map_err(|error| error.to_string())
}
