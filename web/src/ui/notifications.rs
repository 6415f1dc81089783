//! Notifications: the prompt, the section of the settings, and the handling of service worker events.

use std::time::Duration;

use causeway::view::{Action, HideText, Stage};
use leptos::prelude::*;

use super::app::{App, app};
use super::parts::Problem;
use super::timing::after;
use crate::state::push_state::{PushCommand, PushProblem, PushState, PushSupport, ServiceWorkerEvent};
use crate::state::route::Route;
use crate::state::rows::ChatRow;
use crate::state::scope::{Answer, Listener, Scope};
use crate::text::{Notifications, Text};

/// Where the browser remembers that the offer was declined.
const DECLINED: &str = "causeway-notices-declined";
/// Time from the enlistment until a first visit downloads the rest of the release, unless the settings are opened earlier.
const SETTLED: Duration = Duration::from_secs(15);
/// Messages that come in one go are one piece of news.
const GATHER: Duration = Duration::from_millis(300);

/// Handles events of the service worker, renews the subscription, and requests notifications while this page has no
/// focus.
pub(super) fn watch(app: App) {
    let scope = Scope::current();
    app.store.browser().on_service_worker_event(Listener::detached(app, |app, word| match word {
        ServiceWorkerEvent::Open(fragment) => app.store.browser().go(&fragment, false),
        ServiceWorkerEvent::Woken => ask(*app, PushCommand::State, Answer::ignored()),
        ServiceWorkerEvent::UpdateReady => app.update_ready.set(true),
    }));
    let enlisted = Memo::new(move |_| app.stage() == Some(Stage::Enlisted));
    let settled = RwSignal::new(false);
    app.store.browser().has_service_worker(scope.answer(move |has| settled.set(has)));
    Effect::new(move |_| {
        if enlisted.get() && !settled.get_untracked() {
            after(SETTLED, scope.answer(move |()| settled.set(true)));
        }
    });
    // A page that is served by the worker registers it at once, even before the enlistment: it looks for a newer release.
    let due = Memo::new(move |_| settled.get() || (enlisted.get() && app.route.with(|it| *it == Route::Settings)));
    let registered = RwSignal::new(false);
    Effect::new(move |_| {
        if due.get() && !registered.get_untracked() {
            app.store.browser().register_service_worker();
            registered.set(true);
        }
    });
    Effect::new(move |_| {
        if enlisted.get() && registered.get() {
            ask(app, PushCommand::Keep, Answer::ignored());
        }
    });
    let gathering = StoredValue::new(false);
    let look_soon = move || {
        if app.push.with_untracked(|push| push.is_some_and(|push| push.is_on())) && !gathering.get_value() {
            gathering.set_value(true);
            after(
                GATHER,
                scope.answer(move |()| {
                    gathering.set_value(false);
                    app.store.browser().look_for_news();
                }),
            );
        }
    };
    Effect::new(move |_| {
        if app.store.incoming.with(Option::is_some) && !app.store.browser().is_watched() {
            look_soon();
        }
    });
    Effect::new(move |before: Option<u32>| {
        let unread = app.store.unread.get();
        if before != Some(unread) {
            app.store.browser().badge(unread);
        }
        // Notifications of chats that were read are closed; not at the start, when the unread chats are not known yet.
        if before.is_some_and(|before| unread < before) {
            let is_unread = |row: &ChatRow| row.view.with_untracked(|chat| chat.unread > 0);
            let unread = app.store.chats.with_untracked(|rows| {
                rows.iter().filter(|row| is_unread(row)).map(|row| row.id.to_string()).collect()
            });
            app.store.browser().close_notifications(unread);
        }
        unread
    });
}

/// Gives the service worker an order; the state that it reports is shown, then `next` takes it.
pub(super) fn ask(app: App, command: PushCommand, next: Answer<PushState>) {
    let answer = Answer::detached(app, |app, push| app.push.set(Some(push)));
    app.store.browser().run_push_command(command, answer.and(next));
}

/// The notification prompt above the chats, shown once there is a chat.
#[component]
pub(super) fn Offer() -> impl IntoView {
    let app = app();
    let declined = RwSignal::new(app.store.browser().recall(DECLINED).is_some());
    let offered = Memo::new(move |_| {
        !declined.get()
            && app.push.get().is_some_and(|push| push.is_offered())
            && app.store.chats.with(|it| !it.is_empty())
    });
    let decline = move |_| {
        app.store.browser().remember(DECLINED, "yes");
        declined.set(true);
    };
    move || {
        offered.get().then(|| {
            view! {
                <section id="notices-offer" class="offer" aria-labelledby="notices-offer-title">
                    <h2 id="notices-offer-title">{Notifications::Offer.text()}</h2>
                    <p>{Notifications::Why.text()}</p>
                    <div class="buttons">
                        <button id="notices-decline" class="secondary" on:click=decline>
                            {Notifications::NotNow.text()}
                        </button>
                        <TurnOn id="notices-accept"/>
                    </div>
                </section>
            }
        })
    }
}

#[component]
fn TurnOn(id: &'static str) -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let busy = RwSignal::new(false);
    let turn_on = move |_| {
        if !busy.get_untracked() {
            busy.set(true);
            ask(app, PushCommand::On, scope.answer(move |_| busy.set(false)));
        }
    };
    view! {
        <button id=id class="primary" on:click=turn_on>
            {move || if busy.get() { Text::OneMoment.text() } else { Notifications::TurnOn.text() }}
        </button>
    }
}

/// In the settings.
#[component]
pub(super) fn NotificationsSection() -> impl IntoView {
    let app = app();
    ask(app, PushCommand::State, Answer::ignored());
    let push = app.push;
    let state = move || match push.get() {
        None => Text::OneMoment.text(),
        Some(push) if push.is_on() => Notifications::On.text(),
        Some(PushState { support: PushSupport::Unsupported, .. }) => Notifications::Unsupported.text(),
        Some(PushState { support: PushSupport::InstallFirst, .. }) => Notifications::InstallFirst.text(),
        Some(PushState { support: PushSupport::Blocked, .. }) => Notifications::Blocked.text(),
        Some(_) => Notifications::Off.text(),
    };
    let blocked = move || push.get().is_some_and(|push| push.support == PushSupport::Blocked);
    let problem = Signal::derive(move || {
        let words = match push.get()?.problem {
            PushProblem::None => return None,
            PushProblem::ServiceSilent => Notifications::ServiceSilent,
            PushProblem::NotRegistered => Notifications::NotRegistered,
            PushProblem::AddressUnusable => Notifications::AddressUnusable,
            PushProblem::TestFailed => Notifications::TestFailed,
        };
        Some(words.text().to_owned())
    });
    let is_on = Memo::new(move |_| push.get().is_some_and(|push| push.is_on()));
    let can_turn_on = Memo::new(move |_| push.get().is_some_and(|push| push.is_offered()));
    view! {
        <p>{Notifications::Why.text()}</p>
        <p id="notices-state" role="status">{state}</p>
        {move || blocked().then(|| view! { <p id="notices-blocked">{Notifications::BlockedHow.text()}</p> })}
        <Problem id="notices-problem" says=problem/>
        {move || can_turn_on.get().then(|| view! { <TurnOn id="notices-on"/> })}
        {move || is_on.get().then(|| view! { <WhileOn/> })}
    }
}

#[component]
fn WhileOn() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let sent = RwSignal::new(false);
    let last = move || match app.push.get().map_or(0, |push| push.last) {
        0 => Text::Never.text().to_owned(),
        at => format!("{}, {}", app.day(at), app.store.browser().clock_time(at)),
    };
    let test = move |_| {
        sent.set(false);
        ask(app, PushCommand::Test, scope.answer(move |push: PushState| sent.set(push.problem == PushProblem::None)));
    };
    let hidden = Memo::new(move |_| app.store.account.with(|account| account.as_ref().is_some_and(|it| it.hide_text)));
    let hide = move |event| app.store.send(Action::HideText(HideText { hide: event_target_checked(&event) }));
    view! {
        <label class="consent" for="notices-hide">
            <input id="notices-hide" type="checkbox" prop:checked=hidden on:change=hide
                aria-describedby="notices-hide-why"/>
            <span>{Notifications::Hide.text()}</span>
        </label>
        <p id="notices-hide-why">{Notifications::HideWhy.text()}</p>
        <dl class="facts">
            <div><dt>{Notifications::LastPush.text()}</dt><dd id="notices-last">{last}</dd></div>
        </dl>
        <div class="buttons">
            <button id="notices-test" class="secondary" on:click=test>{Notifications::Test.text()}</button>
            <button id="notices-off" class="secondary" on:click=move |_| ask(app, PushCommand::Off, Answer::ignored())>
                {Notifications::TurnOff.text()}
            </button>
        </div>
        <p id="notices-sent" role="status">{move || sent.get().then(|| Notifications::TestSent.text())}</p>
    }
}

/// Everywhere: a newer release waits.
#[component]
pub(super) fn UpdateBar() -> impl IntoView {
    let app = app();
    move || {
        app.update_ready.get().then(|| {
            view! {
                <section id="update" class="update" role="status">
                    <p>{Notifications::UpdateReady.text()}</p>
                    // It lies on what is at the bottom, where one writes.
                    <button id="update-later" class="quiet" on:click=move |_| app.update_ready.set(false)>
                        {Notifications::NotNow.text()}
                    </button>
                    <button id="update-now" class="quiet" on:click=move |_| app.store.browser().use_update()>
                        {Notifications::UpdateNow.text()}
                    </button>
                </section>
            }
        })
    }
}
