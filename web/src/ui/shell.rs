//! The whole window: which screen is on, the two panes, and what belongs to none of them.

use std::time::Duration;

use causeway::view::{ConnectionView, Issue, Stage};
use leptos::prelude::*;

use super::app::{App, Sheet, app};
use super::chats::{ChatList, NewChat};
use super::connection::{ConnectionBar, NextStep};
use super::moved::MovedPane;
use super::notifications::UpdateBar;
use super::on_demand::FetchPages;
use super::onboarding::{Onboarding, SignInAgain};
use super::parts::{Dialog, Icon, Mark, Picture, Problem};
use super::thread::{Safety, ThreadPane};
use super::timing::{after, every, on_window};
use super::{notifications, parts, pending_page, shortcuts};
use crate::state::peer_name;
use crate::state::route::Route;
use crate::state::scope::{Listener, Scope};
use crate::state::view_store::ViewStore;
use crate::text::{Backup, OtherBrowser, Phrase, Text};

/// Between two looks at what no event tells: the day, the time zone.
const LOOK: Duration = Duration::from_secs(20);
/// A start that takes longer than this shows what it waits for.
const SLOW_START: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Screen {
    Opening,
    Onboarding,
    Restore,
    Chats,
}

/// The root. Provides [`App`].
#[component]
pub(super) fn Root(store: ViewStore, fetch: FetchPages) -> impl IntoView {
    let app = App::new(store, fetch);
    provide_context(app);
    watch_window(app);
    shortcuts::listen(app);
    name_window(app);
    notifications::watch(app);
    let screen = Memo::new(move |_| match app.stage() {
        None => Screen::Opening,
        Some(stage) if stage != Stage::Enlisting && app.route.get() == Route::Restore => Screen::Restore,
        Some(Stage::Enlisted) if !app.welcome.get() => Screen::Chats,
        Some(_) => Screen::Onboarding,
    });
    view! {
        {move || match screen.get() {
            Screen::Opening => view! { <Opening/> }.into_any(),
            Screen::Onboarding => view! { <Onboarding/> }.into_any(),
            Screen::Restore => pending_page::pane(app, |pages| pages.restore),
            Screen::Chats => view! { <Panes/> }.into_any(),
        }}
        <UpdateBar/>
        <Dialog>{move || app.sheet.get().map(|open| sheet(app, open))}</Dialog>
        <parts::Announcer/>
    }
}

fn sheet(app: App, open: Sheet) -> AnyView {
    match open {
        Sheet::NewChat => view! { <NewChat/> }.into_any(),
        Sheet::Safety => view! { <Safety/> }.into_any(),
        Sheet::Shortcuts => pending_page::dialog(app, |pages| pages.shortcuts),
        Sheet::SignIn => view! { <SignInAgain/> }.into_any(),
        Sheet::Erase => pending_page::dialog(app, |pages| pages.erase),
        Sheet::StartNew => pending_page::dialog(app, |pages| pages.start_new),
        Sheet::Moved => pending_page::dialog(app, |pages| pages.moved),
        Sheet::Backup => pending_page::dialog(app, |pages| pages.backup),
        Sheet::Move => pending_page::dialog(app, |pages| pages.hand_over),
    }
}

/// Follows the address bar, the focus of the window, midnight, the time zone, and the network.
fn watch_window(app: App) {
    on_window(
        "hashchange",
        Listener::detached(app, |app, ()| app.route.set(Route::parse(&app.store.browser().fragment()))),
    );
    for event in ["focus", "blur", "visibilitychange"] {
        on_window(event, Listener::detached(app, look));
    }
    every(LOOK, Listener::detached(app, look));
    on_window("offline", Listener::detached(app, |app, ()| app.store.no_network.set(true)));
    on_window("online", Listener::detached(app, |app, ()| app.store.no_network.set(false)));
}

fn look(app: &App, (): ()) {
    let browser = app.store.browser();
    let watched = browser.is_watched();
    if app.watched.get_untracked() != watched {
        app.watched.set(watched);
    }
    // No event tells that the device is in another time zone.
    let is_elsewhere = browser.follow_time_zone();
    if is_elsewhere {
        app.store.lay_out_again();
    }
    let today = browser.local_day(browser.now());
    if is_elsewhere || app.today.get_untracked() != today {
        app.today.set(today);
    }
}

fn name_window(app: App) {
    Effect::new(move |_| {
        let product = Text::Product.text();
        let rest = match app.route.get() {
            Route::Chat(id) => app.store.row(&id).map(|row| {
                row.view.with(|view| format!("{} · {product}", peer_name::isolated(&peer_name::title(view))))
            }),
            Route::Settings => Some(format!("{} · {product}", Text::Settings.text())),
            Route::Restore => Some(format!("{} · {product}", Backup::RestoreTitle.text())),
            Route::Chats => None,
        };
        let title = Phrase::Title(app.store.unread.get(), rest.as_deref().unwrap_or(product)).text();
        app.store.browser().set_title(&title);
    });
}

/// Nothing is known yet. Most people never see it: the words wait a moment.
#[component]
fn Opening() -> impl IntoView {
    let app = app();
    let slow = RwSignal::new(false);
    after(SLOW_START, Scope::current().answer(move |()| slow.set(true)));
    // What keeps the store from opening; without an explanation a person would wait indefinitely.
    let issue = Memo::new(move |_| app.store.connection.with(ConnectionView::issue));
    let words = move || match issue.get() {
        Issue::None => view! { <Wait slow/> }.into_any(),
        Issue::AccountDamaged => view! {
            <h1>{OtherBrowser::Damaged.text()}</h1>
            <p>{OtherBrowser::DamagedWhat.text()}</p>
            <p>{OtherBrowser::DamagedNow.text()}</p>
            <NextStep class="primary"/>
        }
        .into_any(),
        issue => view! {
            <Problem id="opening-problem" says=Signal::derive(move || Some(app.explain(issue)))/>
            <NextStep class="primary"/>
        }
        .into_any(),
    };
    view! {
        <main id="content" class="opening" tabindex="-1">
            <Mark/>
            {words}
        </main>
    }
}

#[component]
fn Wait(slow: RwSignal<bool>) -> impl IntoView {
    let app = app();
    view! {
            <p>{Text::Opening.text()}</p>
            {move || slow.get().then(|| view! {
                <p>{Text::OpeningSlowly.text()}</p>
                <button class="primary" on:click=move |_| app.store.browser().reload()>{Text::Reload.text()}</button>
            })}
    }
}

/// The list, and what is open beside it; only one of the two on narrow screens.
#[component]
fn Panes() -> impl IntoView {
    let app = app();
    let moved = Memo::new(move |_| app.is_moved());
    view! {
        <div class="panes" class:open=move || app.route.with(|route| *route != Route::Chats)>
            <ChatList/>
            <ConnectionBar/>
            {move || match app.route.get() {
                Route::Chats if moved.get() => view! { <MovedPane/> }.into_any(),
                Route::Chats | Route::Restore => view! { <NothingOpen/> }.into_any(),
                Route::Chat(id) => view! { <ThreadPane id/> }.into_any(),
                Route::Settings => pending_page::pane(app, |pages| pages.settings),
            }}
        </div>
    }
}

#[component]
fn NothingOpen() -> impl IntoView {
    let app = app();
    app.store.open(None);
    view! {
        <main id="content" class="pane nothing" tabindex="-1">
            <Icon of=Picture::Chats/>
            <h1>{Text::NothingOpen.text()}</h1>
            <p>{Text::NothingOpenWhy.text()}</p>
        </main>
    }
}
