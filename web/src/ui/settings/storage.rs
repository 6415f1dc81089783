//! How much room is taken, what to do when it runs out, and whether the browser keeps what it was given.

use leptos::prelude::*;

use crate::state::room::{Level, Room};
use crate::state::scope::Scope;
use crate::text::{Phrase, Text};
use crate::ui::app::{App, app};
use crate::ui::parts::{Icon, Picture};

/// Looked at when the settings open, and again whenever messages have changed.
#[component]
pub(super) fn Storage() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let room = RwSignal::new(None::<Room>);
    Effect::new(move |_| {
        app.store.chats.track();
        app.store.incoming.track();
        app.store.connection.track();
        look(app, scope, room);
    });
    let words = move || match room.get() {
        None => Text::OneMoment.say().to_owned(),
        Some(Room { used: None, .. }) => Text::RoomUnknown.say().to_owned(),
        Some(Room { used: Some((used, all)), messages, .. }) => {
            let mut words = Phrase::RoomUsed(used, all).say();
            if let Some(messages) = messages {
                words.push(' ');
                words.push_str(&Phrase::RoomOfMessages(messages).say());
            }
            words
        }
    };
    let percent = move || room.get().and_then(|room| room.percent());
    let advice = move || match room.get().map_or(Level::Fine, |room| room.level()) {
        Level::Fine => None,
        Level::Filling => Some(("storage-filling", Text::RoomFilling)),
        Level::Full => Some(("storage-full", Text::RoomFull)),
    };
    view! {
        {move || percent().is_some().then(|| view! {
            <meter id="storage-meter" class="meter" min="0" max="100" low="79" high="94" optimum="0"
                aria-labelledby="storage" aria-valuetext=words prop:value=percent>
            </meter>
        })}
        <p id="storage-words">{words}</p>
        <div role="status">
            {move || advice().map(|(id, text)| view! {
                <p id=id class="advice"><Icon of=Picture::Warning/><span>{text.say()}</span></p>
            })}
        </div>
        <Kept room/>
    }
}

/// Whether the browser keeps it, and the question, as often as a person likes to put it.
#[component]
fn Kept(room: RwSignal<Option<Room>>) -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let refused = RwSignal::new(false);
    let browser = app.store.browser();
    let forgets = browser.forgets_in_a_week();
    let kept = Memo::new(move |_| room.get().and_then(|room| room.kept));
    let ask = move |_| {
        app.store.browser().ask_to_keep(scope.answer(move |kept: bool| {
            refused.set(!kept);
            look(app, scope, room);
        }));
    };
    let words = move || match kept.get() {
        Some(true) => Text::KeptYes,
        Some(false) if refused.get() => Text::KeptRefused,
        Some(false) | None => Text::KeptNo,
    };
    view! {
        <p id="storage-kept" role="status">{move || room.get().map(|_| words().say())}</p>
        {forgets.then(|| view! {
            <p id="storage-forgets" class="advice"><Icon of=Picture::Warning/><span>{Text::ForgetsMore.say()}</span></p>
        })}
        {move || (kept.get() == Some(false)).then(|| view! {
            <button id="storage-ask" class="secondary" on:click=ask>{Text::KeptAsk.say()}</button>
        })}
    }
}

fn look(app: App, scope: Scope, room: RwSignal<Option<Room>>) {
    app.store.browser().look_at_room(scope.answer(move |seen| room.set(Some(seen))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture::page;

    #[test]
    fn an_estimate_that_comes_when_the_settings_are_closed_is_dropped() {
        for gone in [false, true] {
            let (_page, app, browser) = page();
            let settings = Owner::new();
            let (scope, room) = settings.with(|| (Scope::current(), RwSignal::new(None)));
            look(app, scope, room);
            if gone {
                settings.cleanup();
            }
            browser.answer();
            assert_eq!(room.try_get_untracked().flatten().is_some(), !gone);
        }
    }
}
