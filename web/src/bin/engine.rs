//! The engine: runs in the dedicated worker of every tab, and leads in one of them. In the service worker it runs for the
//! time of a [`shift`](causeway_web::shift), when service-worker.js calls what is offered here.

use causeway::engine::{Config, Engine};
use causeway_proto::secret::Secret;
use causeway_web::life;
use causeway_web::port::offer::{self, offer};
use causeway_web::shift::{self, Job};
use causeway_web::tabs::{self, Names};

fn main() {
    causeway_web::port::boot::log_panics();
    if offer::is_wanted() {
        return offer_shifts();
    }
    if let Some(urges) = life::urges() {
        causeway_web::port::spawn(life::hold());
        causeway_web::port::spawn(tabs::run(Names::default(), urges, engine));
    }
}

fn engine(data_key: Secret<32>) -> Engine {
    Engine::new(Config { data_key, client_version: env!("CARGO_PKG_VERSION").to_owned(), partner_api: String::new() })
}

/// What service-worker.js calls. A reply is durable when its promise is kept.
fn offer_shifts() {
    offer("pushed", |texts| {
        let [tag] = exactly(texts);
        work(Job::Push { tag })
    });
    offer("catchUp", |_| work(Job::CatchUp));
    offer("look", |_| work(Job::Look));
    offer("reply", |texts| {
        let [chat, text] = exactly(texts);
        work(Job::Reply { chat, text })
    });
    offer("read", |texts| {
        let [chat, seq] = exactly(texts);
        // Message 0 is none: nothing is read then.
        work(Job::Read { chat, seq: seq.parse().unwrap_or(0) })
    });
}

/// As many texts as are wanted; missing ones are empty.
fn exactly<const N: usize>(texts: Vec<String>) -> [String; N] {
    let mut texts = texts.into_iter();
    core::array::from_fn(|_| texts.next().unwrap_or_default())
}

async fn work(job: Job) -> Result<(), String> {
    shift::work(job, engine).await.map_err(|error| error.to_string())
}
