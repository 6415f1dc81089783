//! What a page could not save is given to the engine by the next page of its tab, before that asks for a snapshot.

use super::driver::Scripted;
use super::{script, unique};
use causeway::io::{Input, Output};
use causeway::view::{Action, Done, Issue, News, SaveDraft, Send, Started, Update};
use causeway_web::engine_client::EngineClient;
use causeway_web::leader::{self, LeaderNames};
use core::pin::pin;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{Either, select};
use futures::stream::{StreamExt, pending};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// In a page, reports that it is left; returns whether this is one.
fn leave() -> bool {
    script("() => globalThis.window ? dispatchEvent(new Event('pagehide')) : false", "").is_truthy()
}

fn kept() -> Option<String> {
    script("() => sessionStorage.getItem('causeway-unanswered')", "").as_string()
}

fn client() -> (EngineClient, UnboundedReceiver<Update>) {
    let (sender, updates) = unbounded();
    let client = EngineClient::connect(move |update| drop(sender.unbounded_send(update)), || {});
    (client.expect("browsers have channels"), updates)
}

fn draft(text: &str) -> Action {
    Action::SaveDraft(SaveDraft { chat: "chat".to_owned(), text: text.to_owned() })
}

/// Runs an engine that answers messages with `issue` until it has got `number` commands from `updates`' page.
async fn commands(number: usize, issue: Issue, updates: &mut UnboundedReceiver<Update>) -> Vec<Action> {
    let names = LeaderNames { lock: unique("engine").leak(), database: unique("database").leak() };
    let seen = Rc::new(RefCell::new(Vec::new()));
    let engine = leader::run(names, pending(), |_| {
        let seen = Rc::clone(&seen);
        Scripted::new(move |input| match input {
            Input::Started => vec![Output::Update(News::Started(Started { engine: 1 }).into())],
            Input::Command(command) => {
                let issue = if matches!(command.action, Some(Action::Send(_))) { issue } else { Issue::None };
                seen.borrow_mut().extend(command.action.clone());
                let done = Done { tag: command.tag, issue: issue.into(), ..Done::default() };
                vec![Output::Update(News::Done(done).into())]
            }
            _ => vec![],
        })
    });
    let enough = pin!(async { while seen.borrow().len() < number && updates.next().await.is_some() {} });
    match select(pin!(engine), enough).await {
        Either::Left(_) => panic!("workers never end"),
        Either::Right(_) => seen.take(),
    }
}

#[wasm_bindgen_test]
async fn what_was_not_saved_comes_before_the_snapshot_of_the_next_page() {
    let (first, _updates) = client();
    first.send(draft("typed"));
    if !leave() {
        return;
    }
    // Sent while the page is being left.
    first.send(draft("typed at last"));
    assert!(kept().is_some());
    drop(first);

    let (second, mut updates) = client();
    assert_eq!(kept(), None, "it is kept no longer than until the next page");
    let seen = commands(3, Issue::None, &mut updates).await;
    let first_two: Vec<_> = seen.iter().take(2).cloned().collect();
    assert_eq!(first_two, [draft("typed"), draft("typed at last")]);
    assert!(matches!(seen[2..], [Action::Hello(_)]), "{seen:?}");
    assert!(leave());
    assert_eq!(kept(), None, "all of it was answered");
    drop(second);
}

#[wasm_bindgen_test]
async fn a_carried_message_that_is_refused_becomes_a_draft() {
    let message = Action::Send(Send { chat: "chat".to_owned(), text: "sent".to_owned() });
    let (first, _updates) = client();
    first.send(message.clone());
    if !leave() {
        return;
    }
    drop(first);
    let (_second, mut updates) = client();
    let seen = commands(3, Issue::StorageFull, &mut updates).await;
    assert_eq!(seen.iter().filter(|action| **action == message).count(), 1);
    assert_eq!(seen.last(), Some(&draft("sent")));
}

#[wasm_bindgen_test]
async fn a_page_that_is_shown_again_keeps_its_own_commands() {
    let (page, _updates) = client();
    page.send(draft("typed"));
    if !leave() {
        return;
    }
    assert!(kept().is_some());
    script("() => dispatchEvent(new Event('pageshow'))", "");
    assert_eq!(kept(), None);
}
