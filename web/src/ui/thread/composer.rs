//! The box to write in. Never disabled, never loses what was typed.

use std::time::Duration;

use causeway::view::{Action, ChatView, ConnectionState, Issue, SaveDraft, Send};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use crate::state::check::{self, Room};
use crate::state::model;
use crate::text::{Elsewhere, Phrase, Text};
use crate::ui::app::{App, app};
use crate::ui::parts::{Icon, Picture, Problem};

/// A pause in typing after which the draft is kept.
const PAUSE: Duration = Duration::from_millis(600);
/// What `keyCode` says while an input method is at work, in browsers whose `isComposing` comes too late.
const COMPOSING: u32 = 229;

/// What is typed, and what of it is already kept. Outlives the component by the time that its clean-up takes.
#[derive(Clone)]
struct Draft {
    app: App,
    chat: String,
    text: ArcRwSignal<String>,
    kept: ArcRwSignal<String>,
}

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
    let problem = RwSignal::new(None::<String>);
    keep_draft(&draft);
    // A finger's tap opens the keyboard over half of the screen: only when asked for.
    let touch = browser.is_touch();
    request_animation_frame(move || browser.focus(if touch { "chat-title" } else { "composer" }));

    let limit = move || app.store.account.with(|account| account.as_ref().map_or(0, |account| account.max_text_bytes));
    let room = move || text.with(|text| check::room(text, limit()));
    let offline = move || {
        app.store.connection.with(|view| {
            matches!(view.state(), ConnectionState::Off | ConnectionState::Waiting | ConnectionState::Stopped)
        })
    };
    let send = Callback::new(move |()| {
        if !matches!(untrack(room), Room::Over(_)) {
            send(&draft, problem);
        }
        app.store.browser().focus("composer");
    });
    let on_key = move |event: KeyboardEvent| {
        let composing = event.is_composing() || event.key_code() == COMPOSING;
        // A finger's keyboard has no Shift+Enter; there the button sends.
        if event.key() == "Enter" && !event.shift_key() && !composing && !touch {
            event.prevent_default();
            send.run(());
        }
    };
    let name = move || Phrase::ChatWith(&chat.with(|chat| model::title(chat).to_owned())).say();
    let area = NodeRef::<html::Textarea>::new();
    view! {
        <form class="composer" on:submit=move |event| {
            event.prevent_default();
            send.run(());
        }>
            <div class="composer-row">
                // The box is as high as this copy of its text: no measuring, no script in the way of typing.
                <div class="grow" data-text=move || text.get()>
                    <textarea id="composer" rows="1" dir="auto" autocomplete="off" node_ref=area
                        enterkeyhint=if touch { "enter" } else { "send" }
                        aria-label=move || format!("{}, {}", Text::WriteMessage.say(), name())
                        aria-describedby="composer-notes"
                        aria-invalid=move || matches!(room(), Room::Over(_)).to_string()
                        placeholder=Text::WriteMessage.say()
                        prop:value=move || text.get()
                        on:input=move |event| {
                            text.set(event_target_value(&event));
                            problem.set(None);
                        }
                        on:keydown=on_key></textarea>
                </div>
                <button id="send" class="send" type="submit" aria-label=Text::Send.say()
                    class:ready=move || text.with(|text| !text.trim().is_empty())>
                    <Icon of=Picture::Send/>
                </button>
            </div>
            <div id="composer-notes" class="composer-notes">
                <Problem id="composer-problem" says=Signal::derive(move || problem.get().or_else(|| too_long(app, room(), limit())))/>
                {move || match room() {
                    Room::Left(left) => {
                        let said = Phrase::RoomLeft(left, app.store.browser().plural(left)).say();
                        Some(view! { <p class="hint">{said}</p> })
                    }
                    Room::Plenty | Room::Over(_) => None,
                }}
                {move || (offline() && text.with(|text| !text.is_empty())).then(|| {
                    let said = if app.is_moved() { Elsewhere::CannotSend.say() } else { Text::WillSend.say() };
                    view! { <p class="hint">{said}</p> }
                })}
            </div>
        </form>
    }
}

fn too_long(app: App, room: Room, limit: u32) -> Option<String> {
    let Room::Over(excess) = room else { return None };
    Some(Phrase::RoomOver(excess, app.store.browser().plural(excess), limit).say())
}

/// After a pause, when the window loses the focus, and when the chat is left.
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
            let draft = draft.clone();
            pause.set_value(set_timeout_with_handle(move || draft.keep(), PAUSE).ok());
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
    let draft = draft.clone();
    on_cleanup(move || {
        stop();
        draft.keep();
    });
}

/// The box is empty at once; if the engine refuses, the text comes back.
fn send(draft: &Draft, problem: RwSignal<Option<String>>) {
    let text = draft.text.get_untracked();
    if text.trim().is_empty() {
        return;
    }
    draft.text.set(String::new());
    let action = Send { chat: draft.chat.clone(), text: text.clone() };
    let draft = draft.clone();
    let store = draft.app.store;
    store.ask(Action::Send(action), move |done| {
        if done.issue() == Issue::None {
            // The engine forgets the draft with the same commit; what was typed since is a new one.
            draft.kept.set(String::new());
            draft.keep();
        } else {
            if draft.text.with_untracked(String::is_empty) {
                draft.text.set(text);
                // The chat may have been left meanwhile; then it waits there as a draft.
                draft.keep();
            }
            problem.try_set(Some(untrack(|| draft.app.explain(done.issue()))));
        }
    });
}
