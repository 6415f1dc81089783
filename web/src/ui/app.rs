//! What every part of the page may reach: the store, the open page, the open dialog, today's date.

use causeway::view::{ConnectionState, Issue, Stage};
use leptos::prelude::*;

use super::on_demand::{FetchPages, OnDemand};
use crate::state::push_state::PushState;
use crate::state::route::Route;
use crate::state::scope::PageLifetime;
use crate::state::view_store::ViewStore;
use crate::text::{self, Facts, Text};

/// What is shown in the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sheet {
    /// Start a chat.
    NewChat,
    /// The open chat's encryption.
    Safety,
    /// Keyboard shortcuts.
    Shortcuts,
    /// Sign in again, without leaving.
    SignIn,
    /// Confirm erasing.
    Erase,
    /// Confirm that another browser's keys are replaced.
    StartNew,
    /// What now that this browser was replaced.
    Moved,
    /// Make a backup.
    Backup,
    /// Move to another browser.
    Move,
}

/// Given by context at the root. Copyable; valid for as long as the page.
#[derive(Clone, Copy)]
pub(super) struct App {
    /// The engine's state, in signals.
    pub(super) store: ViewStore,
    /// The open page.
    pub(super) route: RwSignal<Route>,
    /// The open dialog.
    pub(super) sheet: RwSignal<Option<Sheet>>,
    /// Number of the local day. Set again when the time zone is another one.
    pub(super) today: RwSignal<i64>,
    /// The person looks at this page.
    pub(super) watched: RwSignal<bool>,
    /// The result of an enlistment is on screen, so the chats wait.
    pub(super) welcome: RwSignal<bool>,
    /// The person has agreed that another browser's keys are replaced.
    pub(super) replace: RwSignal<bool>,
    /// Notifications; `None` until the service worker has answered.
    pub(super) push: RwSignal<Option<PushState>>,
    /// A newer release waits.
    pub(super) update_ready: RwSignal<bool>,
    /// Settings, restore and other pages that are downloaded when they are opened.
    pub(super) on_demand: OnDemand,
}

/// What is done with the app when something has worked.
pub(super) type Then = fn(App);

// Its signals are made by the root, which is mounted once and never removed.
impl PageLifetime for App {}
impl PageLifetime for Then {}

/// The façade. Every component lives under the root that provides it.
pub(super) fn app() -> App {
    expect_context()
}

impl App {
    /// Over a store. Must be made under a reactive owner that lives as long as the page.
    pub(super) fn new(store: ViewStore, fetch: FetchPages) -> Self {
        let browser = store.browser();
        Self {
            store,
            route: RwSignal::new(Route::parse(&browser.fragment())),
            sheet: RwSignal::new(None),
            today: RwSignal::new(browser.local_day(browser.now())),
            watched: RwSignal::new(browser.is_watched()),
            welcome: RwSignal::new(false),
            replace: RwSignal::new(false),
            push: RwSignal::new(None),
            update_ready: RwSignal::new(false),
            on_demand: OnDemand::new(fetch),
        }
    }

    /// Goes to a page.
    pub(super) fn go(self, route: &Route) {
        self.store.browser().go(&route.fragment(), false);
    }

    /// Goes to a route in place of the present one, to which there is no way back.
    pub(super) fn move_on(self, route: &Route) {
        self.store.browser().go(&route.fragment(), true);
    }

    /// Closes the dialog if it shows this.
    pub(super) fn close(self, sheet: Sheet) {
        if self.sheet.get_untracked() == Some(sheet) {
            self.sheet.set(None);
        }
    }

    /// How far the person has come; `None` until the engine has answered.
    pub(super) fn stage(self) -> Option<Stage> {
        self.store.account.with(|account| account.as_ref().map(|account| account.stage()))
    }

    /// The person's own name.
    pub(super) fn identifier(self) -> String {
        self.store
            .account
            .with(|account| account.as_ref().map(|account| account.identifier.clone()).unwrap_or_default())
    }

    /// The provider's name.
    pub(super) fn partner(self) -> String {
        self.store
            .account
            .with(|account| text::partner(account.as_ref().map_or("", |account| account.partner.as_str())).to_owned())
    }

    /// Since when another browser has the account's keys, for people.
    pub(super) fn elsewhere_since(self) -> Option<String> {
        let since = self.store.account.with(|account| account.as_ref().map_or(0, |account| account.elsewhere_since));
        let browser = self.store.browser();
        // 1 stands for a date that the provider did not give.
        (since > 1).then(|| format!("{}, {}", browser.full_date(since), browser.clock_time(since)))
    }

    /// This browser was replaced by another, for good.
    pub(super) fn is_moved(self) -> bool {
        self.store.connection.with(|connection| {
            connection.state() == ConnectionState::Stopped && connection.issue() == Issue::MovedElsewhere
        })
    }

    /// What went wrong, and what to do.
    pub(super) fn explain(self, issue: Issue) -> String {
        self.store.account.with(|account| {
            let facts = account.as_ref().map_or_else(Facts::default, |account| Facts {
                partner: &account.partner,
                max_text_bytes: account.max_text_bytes,
            });
            text::issue(issue, facts)
        })
    }

    /// A moment in the fewest words that make it clear: a time today, yesterday, or a date. One of the future is now.
    pub(super) fn briefly(self, at: u64) -> String {
        let browser = self.store.browser();
        let at = at.min(browser.now());
        match self.today.get() - browser.local_day(at) {
            0 => browser.clock_time(at),
            1 => Text::Yesterday.text().to_owned(),
            _ => browser.short_date(at),
        }
    }

    /// A day as a heading.
    pub(super) fn day(self, at: u64) -> String {
        let browser = self.store.browser();
        match self.today.get() - browser.local_day(at) {
            0 => Text::Today.text().to_owned(),
            1 => Text::Yesterday.text().to_owned(),
            _ => browser.full_date(at),
        }
    }
}
