//! The messages: scrolling, older pages, the way back to the newest, and what counts as seen.
//!
//! The scroller lays its content out from the bottom, so that the browser itself keeps the distance from the newest
//! message: older pages grow upwards and nothing on screen moves.

use causeway::view::{Action, ChatView, MarkRead};
use leptos::html;
use leptos::prelude::*;

use super::message::Message;
use crate::number::pixels;
use crate::state::layout::Slot;
use crate::state::rows::ThreadRow;
use crate::state::scope::Scope;
use crate::text::{Phrase, Text};
use crate::ui::app::{App, app};
use crate::ui::parts::{Icon, Picture};
use crate::ui::timing::next_frame;

/// This close to the bottom, in CSS pixels, the newest message is in sight.
const AT_BOTTOM: i32 = 64;
/// This close to the top, older messages are read ahead.
const AHEAD: i32 = 800;

/// Everything between header and composer.
#[component]
pub(super) fn MessageList(chat: RwSignal<ChatView>) -> impl IntoView {
    let app = app();
    let thread = app.store.thread;
    let scroller = NodeRef::<html::Div>::new();
    let at_bottom = thread.at_newest;
    let on_scroll = move |_| {
        let Some(element) = scroller.get_untracked() else { return };
        let from_bottom = element.scroll_top().abs();
        if at_bottom.get_untracked() != (from_bottom < AT_BOTTOM) {
            at_bottom.set(from_bottom < AT_BOTTOM);
        }
        if element.scroll_height() - element.client_height() - from_bottom < AHEAD {
            app.store.read_older();
        }
    };
    let scope = Scope::current();
    fill(app, scope, scroller);
    hold_position(app, scope, scroller);
    mark_read(app, chat, at_bottom);
    let below = move || if at_bottom.get() { 0 } else { chat.with(|chat| chat.unread) };
    let to_newest = move |_| {
        if let Some(element) = scroller.get_untracked() {
            element.set_scroll_top(0);
        }
    };
    view! {
        <div class="thread">
            <div id="messages" class="scroller" role="region" tabindex="0" aria-label=Text::Messages.text()
                aria-busy=move || (!thread.ready.get()).to_string() node_ref=scroller on:scroll=on_scroll>
                <div class="column" class:ready=move || thread.ready.get()>
                    <p class="top-note">
                        {move || if thread.more.get() { Text::LoadingOlder } else { Text::EncryptedLine }.text()}
                    </p>
                    <ol class="messages" role="list">
                        <For each=move || thread.rows.get() key=ThreadRow::key let:row>
                            {slot(app, chat, row)}
                        </For>
                    </ol>
                </div>
            </div>
            {move || (!thread.ready.get()).then(|| view! { <p class="loading">{Text::LoadingMessages.text()}</p> })}
            <button id="to-newest" class="to-newest" class:shown=move || !at_bottom.get()
                tabindex=move || if at_bottom.get() { "-1" } else { "0" }
                aria-hidden=move || at_bottom.get().to_string()
                aria-label=Text::ToNewest.text() on:click=to_newest>
                <Icon of=Picture::Down/>
                {move || (below() > 0).then(|| view! {
                    <span class="badge" title=Phrase::Unread(below(), app.store.browser().plural(below())).text()>
                        {below()}
                    </span>
                })}
            </button>
        </div>
    }
}

fn slot(app: App, chat: RwSignal<ChatView>, row: ThreadRow) -> AnyView {
    let at = row.at;
    match (row.slot, row.message) {
        (Slot::Message(_), Some(message)) => view! { <Message chat row=message at/> }.into_any(),
        (Slot::Unread, _) => {
            view! { <li id="unread-line" class="unread-line"><span>{Text::NewMessages.text()}</span></li> }.into_any()
        }
        _ => view! { <li class="day"><span>{move || app.day(at)}</span></li> }.into_any(),
    }
}

/// Reads older pages until the window is full: a short page can't be scrolled.
fn fill(app: App, scope: Scope, scroller: NodeRef<html::Div>) {
    let thread = app.store.thread;
    Effect::new(move |_| {
        thread.rows.track();
        if !thread.more.get() || thread.loading.get() {
            return;
        }
        next_frame(scope.answer(move |()| {
            if let Some(element) = scroller.get_untracked()
                && element.scroll_height() <= element.client_height() + AHEAD
            {
                app.store.read_older();
            }
        }));
    });
}

/// A person who reads further up keeps their place when something new comes. Older pages need no help.
fn hold_position(app: App, scope: Scope, scroller: NodeRef<html::Div>) {
    let newest = app.store.thread.newest;
    Effect::new(move |before: Option<u64>| {
        let now = newest.get();
        if let Some(before) = before.filter(|before| *before != 0 && *before < now) {
            // By the next frame the new rows are in the page, and nothing has been painted yet.
            next_frame(scope.answer(move |()| {
                let Some(element) = scroller.get_untracked() else { return };
                let bottom = |seq: u64| {
                    let row = element.query_selector(&format!("[data-seq=\"{seq}\"]")).ok().flatten()?;
                    Some(row.get_bounding_client_rect().bottom())
                };
                let top = element.scroll_top();
                if let (Some(was), Some(is)) = (bottom(before), bottom(now))
                    && top.abs() >= AT_BOTTOM
                {
                    element.set_scroll_top(top - pixels(is - was));
                }
            }));
        }
        now
    });
}

/// Seen is what is on screen, at the bottom, while the person looks.
fn mark_read(app: App, chat: RwSignal<ChatView>, at_bottom: RwSignal<bool>) {
    let thread = app.store.thread;
    Effect::new(move |told: Option<u64>| {
        let told = told.unwrap_or(0);
        let newest = thread.newest.get();
        let unread = chat.with(|chat| chat.unread > 0);
        let sees = thread.ready.get() && app.watched.get() && at_bottom.get();
        if !(unread && sees) || newest <= told {
            return told;
        }
        let chat = chat.with_untracked(|chat| chat.id.clone());
        app.store.send(Action::MarkRead(MarkRead { chat, up_to: newest }));
        newest
    });
}
