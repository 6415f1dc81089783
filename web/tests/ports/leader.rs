//! One worker leads; when it goes, the next one does, under a newer generation, and no command is lost on the way.

use super::driver::Scripted;
use super::unique;
use causeway::io::{Input, Millis, Output};
use causeway::view::{Action, Done, News, Reconnect, Started, Update};
use causeway_web::engine_client::EngineClient;
use causeway_web::leader::{self, LeaderNames};
use causeway_web::port::clock;
use core::pin::pin;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{Either, select};
use futures::stream::pending;
use futures::{FutureExt, Stream, StreamExt};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// For what must not happen there is no event to wait for: nobody leads, or hears, within this time.
const QUIET: Millis = Millis(50);

fn names() -> LeaderNames {
    // Tests live until their page closes: what is leaked here is as long-lived.
    LeaderNames { lock: unique("engine").leak(), database: unique("database").leak() }
}

type Seen = Rc<RefCell<Vec<(&'static str, u64)>>>;

/// A worker whose engine reports its start, records commands, and answers them if `answers` is set.
async fn worker(names: LeaderNames, who: &'static str, seen: Seen, answers: bool) {
    takeover_worker(names, pending(), who, seen, answers).await;
}

/// The same; it takes over on request.
async fn takeover_worker(
    names: LeaderNames,
    takeovers: impl Stream<Item = ()> + Unpin,
    who: &'static str,
    seen: Seen,
    answers: bool,
) {
    leader::run(names, takeovers, move |_| {
        let seen = Rc::clone(&seen);
        Scripted::new(move |input| match input {
            Input::Started => {
                seen.borrow_mut().push((who, 0));
                vec![Output::Update(News::Started(Started { engine: 1 }).into())]
            }
            Input::Command(command) if !matches!(command.action, Some(Action::Hello(_))) => {
                seen.borrow_mut().push((who, command.tag));
                let done = Done { tag: command.tag, ..Done::default() };
                if answers { vec![Output::Update(News::Done(done).into())] } else { vec![] }
            }
            _ => vec![],
        })
    })
    .await;
}

fn client() -> (EngineClient, UnboundedReceiver<Update>) {
    let (sender, updates) = unbounded();
    (
        EngineClient::connect(move |update| drop(sender.unbounded_send(update)), || {})
            .expect("browsers have channels"),
        updates,
    )
}

/// Waits for a kind of news while the worker runs.
async fn until(
    worker: &mut (impl Future<Output = ()> + Unpin),
    updates: &mut UnboundedReceiver<Update>,
    news: fn(&News) -> bool,
) {
    let heard = pin!(async {
        while let Some(update) = updates.next().await {
            if update.news.as_ref().is_some_and(news) {
                return;
            }
        }
    });
    match select(worker, heard).await {
        Either::Left(_) => panic!("workers never end"),
        Either::Right(_) => {}
    }
}

#[wasm_bindgen_test]
async fn leadership_and_unanswered_commands_go_to_the_next_in_line() {
    let names = names();
    let seen = Seen::default();
    let (client, mut updates) = client();
    // There is no leader yet: the client keeps the command.
    let tag = client.send(Action::Reconnect(Reconnect {}));
    let is_started = |news: &News| matches!(news, News::Started(_));

    let mut first = Box::pin(worker(names, "first", Rc::clone(&seen), false));
    until(&mut first, &mut updates, is_started).await;
    let mut second = Box::pin(worker(names, "second", Rc::clone(&seen), true));
    let both = async { futures::join!(&mut first, &mut second) };
    assert!(matches!(select(pin!(both), pin!(clock::sleep(QUIET))).await, Either::Right(_)));
    assert_eq!(*seen.borrow(), [("first", 0), ("first", tag)], "one leads at a time");

    // The first tab dies with the command unanswered.
    drop(first);
    until(&mut second, &mut updates, |news| matches!(news, News::Done(_))).await;
    assert_eq!(seen.borrow()[2..], [("second", 0), ("second", tag)]);

    // It was answered, so the third does not get it.
    drop(second);
    let mut third = Box::pin(worker(names, "third", Rc::clone(&seen), true));
    until(&mut third, &mut updates, is_started).await;
    assert!(select(&mut third, pin!(clock::sleep(QUIET))).map(|ended| matches!(ended, Either::Right(_))).await);
    assert_eq!(seen.borrow()[4..], [("third", 0)]);
}

#[wasm_bindgen_test]
async fn a_worker_takes_over_from_a_frozen_leader_on_request() {
    let names = names();
    let seen = Seen::default();
    let (_link, mut updates) = client();
    let is_started = |news: &News| matches!(news, News::Started(_));
    let mut first = Box::pin(worker(names, "first", Rc::clone(&seen), true));
    until(&mut first, &mut updates, is_started).await;

    // From here on the first is not polled: it holds the lock and does nothing.
    let (takeover, takeovers) = unbounded();
    let mut second = Box::pin(takeover_worker(names, takeovers, "second", Rc::clone(&seen), true));
    assert!(select(&mut second, pin!(clock::sleep(QUIET))).map(|ended| matches!(ended, Either::Right(_))).await);
    assert_eq!(*seen.borrow(), [("first", 0)], "it queues until a takeover is requested");
    takeover.unbounded_send(()).expect("the worker listens");
    until(&mut second, &mut updates, is_started).await;
    assert_eq!(*seen.borrow(), [("first", 0), ("second", 0)]);

    // Awake again, the first finds its lock gone and queues again.
    let both = async { futures::join!(&mut first, &mut second) };
    assert!(matches!(select(pin!(both), pin!(clock::sleep(Millis(1_500)))).await, Either::Right(_)));
    assert_eq!(*seen.borrow(), [("first", 0), ("second", 0)], "two lead");
}

#[wasm_bindgen_test]
async fn an_unanswered_command_leads_to_a_timeout_while_no_engine_runs() {
    let (sender, mut timeouts) = unbounded();
    let client =
        EngineClient::connect(|_| {}, move || drop(sender.unbounded_send(()))).expect("browsers have channels");
    client.send(Action::Reconnect(Reconnect {}));
    // A worker of another test answers for a while, perhaps; it ends with its test.
    assert_eq!(timeouts.next().await, Some(()));
}

#[wasm_bindgen_test]
async fn an_engine_that_answers_no_command_still_answers_probes() {
    let (sender, mut timeouts) = unbounded();
    let client =
        EngineClient::connect(|_| {}, move || drop(sender.unbounded_send(()))).expect("browsers have channels");
    client.send(Action::Reconnect(Reconnect {}));
    let mut busy = pin!(worker(names(), "busy", Seen::default(), false));
    let quiet = pin!(clock::sleep(Millis(6_000)));
    let timed_out = select(timeouts.next(), quiet).map(|first| matches!(first, Either::Left(_)));
    match select(&mut busy, pin!(timed_out)).await {
        Either::Left(_) => panic!("workers never end"),
        Either::Right((timed_out, _)) => assert!(!timed_out, "an engine that lives is reported as timed out"),
    }
}
