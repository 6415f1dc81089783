//! The box to write in. Never disabled, never loses what was typed.

use std::time::Duration;

use causeway::view::{Action, ChatView, ConnectionState, Done, Issue, SaveDraft, Send};
use causeway::visible;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use crate::state::peer_name;
use crate::state::scope::{Answer, Listener, PageLifetime, Scope};
use crate::state::validation::{self, RemainingLength};
use crate::text::{OtherBrowser, Phrase, Text};
use crate::ui::app::{App, app};
use crate::ui::parts::{Icon, Picture, Problem, follow_typing};
use crate::ui::timing::{after, next_frame, on_window};

/// A pause in typing after which the draft is kept.
const PAUSE: Duration = Duration::from_millis(600);
/// What `keyCode` says while an input method is at work, in browsers whose `isComposing` comes too late.
const COMPOSING: u32 = 229;

/// What is typed, and what of it is already kept. Outlives the component: a message that is refused later becomes a
/// draft.
#[derive(Clone)]
struct Draft {
    app: App,
    chat: String,
    text: ArcRwSignal<String>,
    kept: ArcRwSignal<String>,
}

impl PageLifetime for Draft {}

impl Draft {
    /// Keeps what is typed, if it is not kept yet.
    fn keep(&self) {
        let text = self.text.get_untracked();
        if self.kept.with_untracked(|kept| *kept != text) {
            self.kept.set(text.clone());
            self.app.store.send(Action::SaveDraft(SaveDraft { chat: self.chat.clone(), text }));
        }
    }
}

/// The composer of one chat.
#[component]
pub(super) fn Composer(chat: RwSignal<ChatView>) -> impl IntoView {
    let app = app();
    let browser = app.store.browser();
    let (id, saved) = chat.with_untracked(|chat| (chat.id.clone(), chat.draft.clone()));
    let draft = Draft { app, chat: id, text: ArcRwSignal::new(saved.clone()), kept: ArcRwSignal::new(saved) };
    let text = RwSignal::from(draft.text.clone());
    let scope = Scope::current();
    let problem = RwSignal::new(None::<String>);
    let typed = follow_typing("composer", text);
    keep_draft(&draft);
    // A finger's tap opens the keyboard over half of the screen: only when asked for.
    let touch = browser.is_touch();
    next_frame(scope.answer(move |()| browser.focus(if touch { "chat-title" } else { "composer" })));

    let limit = move || app.store.account.with(|account| account.as_ref().map_or(0, |account| account.max_text_bytes));
    let remaining = move || text.with(|text| validation::remaining_length(text, limit()));
    let offline = move || {
        app.store.connection.with(|view| {
            matches!(view.state(), ConnectionState::Off | ConnectionState::Waiting | ConnectionState::Stopped)
        }) || app.store.no_network.get()
    };
    let send = move || {
        if !matches!(untrack(remaining), RemainingLength::Over(_)) {
            send(&draft, scope, problem);
        }
        app.store.browser().focus("composer");
    };
    let on_key = {
        let send = send.clone();
        move |event: KeyboardEvent| {
            let composing = event.is_composing() || event.key_code() == COMPOSING;
            // A finger's keyboard has no Shift+Enter; there the button sends. One with keys has Ctrl or Command.
            let sends = event.ctrl_key() || event.meta_key() || !(event.shift_key() || touch);
            if event.key() == "Enter" && sends && !composing {
                event.prevent_default();
                send();
            }
        }
    };
    let name = move || Phrase::ChatWith(&chat.with(peer_name::title)).text();
    let area = NodeRef::<html::Textarea>::new();
    view! {
        <form class="composer" on:submit=move |event| {
            event.prevent_default();
            send();
        }>
            <div class="composer-row">
                // The box is as high as this copy of its text: no measuring, no script in the way of typing.
                <div class="grow" data-text=move || text.get()>
                    <textarea id="composer" rows="1" dir="auto" autocomplete="off" node_ref=area
                        enterkeyhint=if touch { "enter" } else { "send" }
                        aria-label=move || format!("{}, {}", Text::WriteMessage.text(), name())
                        aria-describedby="composer-notes"
                        aria-invalid=move || matches!(remaining(), RemainingLength::Over(_)).to_string()
                        placeholder=Text::WriteMessage.text()
                        on:input=move |event| {
                            typed(event);
                            problem.set(None);
                        }
                        on:keydown=on_key></textarea>
                </div>
                <button id="send" class="send" type="submit" aria-label=Text::Send.text()
                    class:ready=move || text.with(|text| !visible::is_blank(text))>
                    <Icon of=Picture::Send/>
                </button>
            </div>
            <div id="composer-notes" class="composer-notes">
                <Problem id="composer-problem"
                    says=Signal::derive(move || problem.get().or_else(|| too_long(app, remaining(), limit())))/>
                {move || match remaining() {
                    RemainingLength::Left(left) => {
                        let said = Phrase::LengthRemaining(left, app.store.browser().plural(left)).text();
                        Some(view! { <p class="hint">{said}</p> })
                    }
                    RemainingLength::Ample | RemainingLength::Over(_) => None,
                }}
                {move || (offline() && text.with(|text| !text.is_empty())).then(|| {
                    let said = if app.is_moved() { OtherBrowser::CannotSend.text() } else { Text::WillSend.text() };
                    view! { <p class="hint">{said}</p> }
                })}
            </div>
        </form>
    }
}

fn too_long(app: App, remaining: RemainingLength, limit: u32) -> Option<String> {
    let RemainingLength::Over(excess) = remaining else { return None };
    Some(Phrase::LengthExceeded(excess, app.store.browser().plural(excess), limit).text())
}

/// After a pause, when the window loses the focus, and when the chat or the page is left.
fn keep_draft(draft: &Draft) {
    let pause = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(Some(timer)) = pause.try_update_value(Option::take) {
            timer.clear();
        }
    };
    Effect::new({
        let draft = draft.clone();
        move |_| {
            draft.text.track();
            stop();
            pause.set_value(after(PAUSE, Answer::detached(draft.clone(), |draft, ()| draft.keep())));
        }
    });
    Effect::new({
        let draft = draft.clone();
        move |_| {
            if !draft.app.watched.get() {
                draft.keep();
            }
        }
    });
    on_window("pagehide", Listener::detached(draft.clone(), |draft, ()| draft.keep()));
    let draft = draft.clone();
    on_cleanup(move || {
        stop();
        draft.keep();
    });
}

/// The box is empty at once; if the engine refuses, the text comes back.
fn send(draft: &Draft, scope: Scope, problem: RwSignal<Option<String>>) {
    let text = draft.text.get_untracked();
    let trimmed = visible::trimmed(&text);
    if trimmed.is_empty() {
        return;
    }
    let action = Send { chat: draft.chat.clone(), text: trimmed.to_owned() };
    draft.text.set(String::new());
    let app = draft.app;
    let sent = Answer::detached((draft.clone(), text), |(draft, text), done: Done| {
        if done.issue() == Issue::None {
            // The engine forgets the draft with the same commit; what was typed since is a new one.
            draft.kept.set(String::new());
            draft.keep();
        } else if draft.text.with_untracked(String::is_empty) {
            draft.text.set(text);
            // The chat may have been left meanwhile; then it waits there as a draft.
            draft.keep();
        }
    });
    let refused = scope.answer(move |done: Done| {
        if done.issue() != Issue::None {
            problem.set(Some(untrack(|| app.explain(done.issue()))));
        }
    });
    app.store.ask(Action::Send(action), sent.and(refused));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture::{answer_last, page};

    #[test]
    fn a_text_is_sent_without_the_space_at_its_ends_and_nothing_is_not_sent() {
        let (_page, app, browser) = page();
        let chat = Owner::new();
        for (typed, said) in [("\n\n  hi \n\n", Some("hi")), ("\u{200B}", None), (" \n\u{2800}\u{3164}", None)] {
            let draft = Draft {
                app,
                chat: "1".to_owned(),
                text: ArcRwSignal::new(typed.to_owned()),
                kept: ArcRwSignal::new(String::new()),
            };
            browser.sent.borrow_mut().clear();
            chat.with(|| send(&draft, Scope::current(), RwSignal::new(None)));
            match (browser.sent.borrow().as_slice(), said) {
                ([Action::Send(sent)], Some(said)) => assert_eq!(sent.text, said),
                ([], None) => assert_eq!(draft.text.get_untracked(), typed),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_text_that_is_refused_after_the_chat_was_left_becomes_a_draft() {
        for gone in [false, true] {
            let (_page, app, browser) = page();
            let chat = Owner::new();
            let draft = Draft {
                app,
                chat: "1".to_owned(),
                text: ArcRwSignal::new("hello".to_owned()),
                kept: ArcRwSignal::new(String::new()),
            };
            let (scope, problem) = chat.with(|| (Scope::current(), RwSignal::new(None)));
            send(&draft, scope, problem);
            if gone {
                chat.cleanup();
            }
            answer_last(app, &browser, Issue::StorageFull);
            assert_eq!(draft.text.get_untracked(), "hello");
            let sent = browser.sent.borrow();
            assert!(matches!(sent.last(), Some(Action::SaveDraft(saved)) if saved.text == "hello"), "{sent:?}");
            assert_eq!(problem.try_get_untracked().flatten().is_some(), !gone);
        }
    }
}
