//! What a page could not save is given to the engine by the next page of its tab, which shows no snapshot before.

use super::driver::Scripted;
use super::{script, unique};
use causeway::io::{Input, Output};
use causeway::view::{Action, Command, Done, News, SaveDraft, Snapshot, Started, Update};
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

/// Runs an engine until a page shows a snapshot. Returns the commands, and the tags of
/// those that were answered before the snapshot was shown.
async fn until_snapshot(updates: &mut UnboundedReceiver<Update>) -> (Vec<Action>, Vec<u64>) {
    let names = LeaderNames { lock: unique("engine").leak(), database: unique("database").leak() };
    let seen = Rc::new(RefCell::new(Vec::new()));
    let engine = leader::run(names, pending(), |_| {
        let seen = Rc::clone(&seen);
        // As an engine does, it sends one at its start, before it has got any command.
        let snapshot = || Output::Update(News::Snapshot(Snapshot { engine: 1, ..Snapshot::default() }).into());
        Scripted::new(move |input| match input {
            Input::Started => vec![Output::Update(News::Started(Started { engine: 1 }).into()), snapshot()],
            Input::Command(Command { action: Some(Action::Hello(_)), .. }) => vec![snapshot()],
            Input::Command(command) => {
                seen.borrow_mut().extend(command.action.clone());
                let done = Done { tag: command.tag, ..Done::default() };
                vec![Output::Update(News::Done(done).into())]
            }
            _ => vec![],
        })
    });
    let answered = pin!(async {
        let mut answered = Vec::new();
        while let Some(update) = updates.next().await {
            match update.news {
                Some(News::Done(done)) => answered.push(done.tag),
                Some(News::Snapshot(_)) => break,
                _ => {}
            }
        }
        answered
    });
    match select(pin!(engine), answered).await {
        Either::Left(_) => panic!("workers never end"),
        Either::Right((answered, _)) => (seen.take(), answered),
    }
}

#[wasm_bindgen_test]
async fn no_snapshot_is_shown_before_what_the_former_page_could_not_save() {
    let (first, _updates) = client();
    let typed = first.send(draft("typed"));
    if !leave() {
        return;
    }
    // Sent while the page is being left.
    let at_last = first.send(draft("typed at last"));
    assert!(kept().is_some());
    drop(first);

    let (second, mut updates) = client();
    assert_eq!(kept(), None, "it is kept no longer than until the next page");
    let (seen, answered) = until_snapshot(&mut updates).await;
    assert_eq!(seen, [draft("typed"), draft("typed at last")]);
    assert_eq!(answered, [typed, at_last]);
    assert!(leave());
    assert_eq!(kept(), None, "all of it was answered");
    drop(second);
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
