//! The client core of Causeway: all decisions of the client, without any I/O.
//!
//! [`Engine`](engine::Engine) is a state machine. [`handle`](engine::Engine::handle) takes an event,
//! [`poll`](engine::Engine::poll) returns what the driver must do. The contract: one input, then drain `poll` until
//! [`Output::Idle`](io::Output::Idle); only then the next input.
//!
//! This crate has no clock, no randomness, no async and no I/O; time and randomness are arguments. The engine withholds
//! every stanza and every update until the transaction with the changes before it is durable, so no driver can send or
//! show anything too early.
//!
//! A driver over the store in memory (feature `testing`), until the engine is idle:
//!
//! ```
//! # use causeway::engine::{Config, Engine};
//! # use causeway::io::{Input, Output, UnixMillis};
//! # use causeway::store::changes::{Query, Table};
//! # use causeway::store::memory::{MemoryPlace, MemoryStore};
//! # use causeway::store::row_key;
//! # use causeway::view::{Action, Command, HideText, News};
//! # use causeway_proto::secret::Secret;
//! # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//! # use std::collections::VecDeque;
//! fn run(engine: &mut Engine, store: &MemoryStore, first: Input, now: UnixMillis, rng: &mut ChaCha8Rng) -> Vec<News> {
//!     let (mut inputs, mut shown) = (VecDeque::from([first]), Vec::new());
//!     while let Some(input) = inputs.pop_front() {
//!         engine.handle(input, now, rng);
//!         loop {
//!             match engine.poll() {
//!                 Output::Load(id, queries) => inputs.push_back(Input::Loaded(id, store.load_now(&queries))),
//!                 Output::Commit(id, changes) => inputs.push_back(match store.commit_now(&changes) {
//!                     Ok(()) => Input::Committed(id),
//!                     Err(failure) => Input::Aborted(id, failure),
//!                 }),
//!                 Output::Update(update) => shown.extend(update.news),
//!                 Output::Idle(_) => break,
//!                 // Sockets and HTTP: not in this example.
//!                 _ => {}
//!             }
//!         }
//!     }
//!     shown
//! }
//!
//! let store = MemoryPlace::default().open_now();
//! let mut rng = ChaCha8Rng::seed_from_u64(1);
//! let config = Config { data_key: Secret::new([7; 32]), client_version: "1.0.0".into(), partner_api: String::new() };
//! let mut engine = Engine::new(config);
//! run(&mut engine, &store, Input::Started, UnixMillis(1_000), &mut rng);
//!
//! // A command is done when its change is durable.
//! let action = Action::HideText(HideText { hide: true });
//! let command = Command { tag: 5, action: Some(action), ..Command::default() };
//! let shown = run(&mut engine, &store, Input::Command(command), UnixMillis(2_000), &mut rng);
//! assert!(shown.iter().any(|news| matches!(news, News::Done(done) if done.tag == 5)));
//! let account = store.load_now(&[Query::Get(Table::Account, row_key::ACCOUNT.to_vec())]);
//! assert_eq!(account.map(|rows| rows[0].len()), Ok(1));
//! ```
#![warn(missing_docs)]

pub mod backup;
mod channel;
mod chat;
pub mod compute;
mod context;
pub mod deployment;
pub mod engine;
pub mod enlist;
mod hex;
mod http_requests;
pub mod id;
mod inbox;
pub mod io;
mod iq;
pub mod model;
mod outbox;
mod peer;
mod pending;
pub mod protobuf;
mod push;
mod session;
mod sorted_map;
mod sorted_set;
pub mod store;
pub mod time;
mod trace;
mod transient;
pub mod view;
pub mod visible;
