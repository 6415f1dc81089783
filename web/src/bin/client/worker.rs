//! The engine: runs in the dedicated worker of every tab, and leads in one of them. In the service worker it runs for
//! the time of one [`task`](causeway_web::background::Task), when service-worker.js calls a function that is offered
//! here.

use crate::pieces;
use causeway::engine::{Config, Engine};
use causeway::io::{Computation, ComputeFailure, Input, Output, UnixMillis};
use causeway_proto::secret::Secret;
use causeway_web::background::{self, Task};
use causeway_web::driver::{Computing, Machine};
use causeway_web::leader::{self, LeaderNames};
use causeway_web::port::offer::{self, offer};
use causeway_web::worker_liveness;
use rand_core::CryptoRng;

/// Offers the service worker its tasks, or stands for election in a dedicated worker.
pub(crate) fn start() {
    causeway_web::port::boot::log_panics();
    if offer::is_wanted() {
        return offer_tasks();
    }
    if let Some(takeovers) = worker_liveness::takeover_requests() {
        causeway_web::port::spawn(worker_liveness::hold_lock());
        causeway_web::port::spawn(leader::run(LeaderNames::default(), takeovers, engine));
    }
}

/// The engine, with the code that is fetched when it asks for a computation.
struct Client(Engine);

impl Machine for Client {
    fn handle(&mut self, input: Input, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.0.handle(input, now, rng);
    }

    fn poll(&mut self) -> Output {
        self.0.poll()
    }

    fn compute(computation: Computation) -> Computing {
        Box::pin(async { pieces::compute(computation).await.unwrap_or(Err(ComputeFailure::NotLoaded)) })
    }
}

fn engine(data_key: Secret<32>) -> Client {
    Client(Engine::new(Config {
        data_key,
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
        partner_api: String::new(),
    }))
}

/// What service-worker.js calls. A reply is durable when its promise is kept.
fn offer_tasks() {
    offer("pushed", |texts| {
        let [tag] = exactly(texts);
        run(Task::Push { tag })
    });
    offer("catchUp", |_| run(Task::CatchUp));
    offer("look", |_| run(Task::Look));
    offer("reply", |texts| {
        let [chat, text] = exactly(texts);
        run(Task::Reply { chat, text })
    });
    offer("read", |texts| {
        let [chat, seq] = exactly(texts);
        // Message 0 is none: nothing is read then.
        run(Task::Read { chat, seq: seq.parse().unwrap_or(0) })
    });
}

/// As many texts as are wanted; missing ones are empty.
fn exactly<const N: usize>(texts: Vec<String>) -> [String; N] {
    let mut texts = texts.into_iter();
    core::array::from_fn(|_| texts.next().unwrap_or_default())
}

async fn run(task: Task) -> Result<(), String> {
    background::run(task, engine).await.map_err(|error| error.to_string())
}
