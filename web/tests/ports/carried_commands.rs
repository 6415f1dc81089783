//! What a page could not save is given to the engine by the next page of its tab, which shows it before the engine does.

use super::driver::Scripted;
use super::{script, unique};
use causeway::io::{Input, Output};
use causeway::view::{Action, ChatView, Done, Hello, Issue, News, SaveDraft, Send, Started, Update};
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

/// Runs an engine that answers messages with `issue` until `updates`' page has got answers to `number` commands.
/// Returns them, and the drafts that the page has shown meanwhile. As a real engine does, this one tells of its chat
/// before it takes a command.
async fn commands(number: usize, issue: Issue, updates: &mut UnboundedReceiver<Update>) -> (Vec<Action>, Vec<String>) {
    let names = LeaderNames { lock: unique("engine").leak(), database: unique("database").leak() };
    let seen = Rc::new(RefCell::new(Vec::new()));
    let engine = leader::run(names, pending(), |_| {
        let seen = Rc::clone(&seen);
        Scripted::new(move |input| match input {
            Input::Started => {
                let row = ChatView { id: "chat".to_owned(), draft: "older".to_owned(), ..ChatView::default() };
                let started = News::Started(Started { engine: 1 });
                [started, News::Chat(row)].map(|news| Output::Update(news.into())).into()
            }
            Input::Command(command) => {
                let issue = if matches!(command.action, Some(Action::Send(_))) { issue } else { Issue::None };
                seen.borrow_mut().extend(command.action.clone());
                let done = Done { tag: command.tag, issue: issue.into(), ..Done::default() };
                vec![Output::Update(News::Done(done).into())]
            }
            _ => vec![],
        })
    });
    let (mut shown, mut answered) = (Vec::new(), 0);
    let enough = pin!(async {
        while answered < number
            && let Some(update) = updates.next().await
        {
            match update.news {
                Some(News::Chat(chat)) => shown.push(chat.draft),
                Some(News::Done(_)) => answered += 1,
                _ => {}
            }
        }
    });
    if let Either::Left(_) = select(pin!(engine), enough).await {
        panic!("workers never end");
    }
    (seen.take(), shown)
}

#[wasm_bindgen_test]
async fn what_was_not_saved_is_shown_and_saved_by_the_next_page() {
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
    let (seen, shown) = commands(3, Issue::None, &mut updates).await;
    assert_eq!(seen, [Action::Hello(Hello {}), draft("typed"), draft("typed at last")]);
    assert_eq!(shown, ["typed at last"]);
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
    let (seen, shown) = commands(3, Issue::StorageFull, &mut updates).await;
    assert_eq!(seen.iter().filter(|action| **action == message).count(), 1);
    assert_eq!(seen.last(), Some(&draft("sent")));
    assert_eq!(shown, ["older"]);
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
