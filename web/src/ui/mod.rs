//! The pages, and what they are made of. They show [`crate::state`] and send commands; they decide nothing.
//!
//! These element ids and attributes are stable, because tests use them:
//!
//! - Step 1: `#account-create`, `#account-have` (radios), `#identifier`, `#password`, `#show-password`, `#sign-in`
//!   (submit). If the name is in use elsewhere: `#open-restore`, `#start-new`; in the dialog: `#start-new-confirm`.
//!   Step 2: `#consent`, `#agree`. Step 3: `#enlist-retry`, `#enlist-finish`. An error is `[role=alert]`.
//! - List: `#chats` (nav), `#new-chat`, `#open-settings`, `.chat-row[data-chat="‹id›"]`. In the dialog: `#phone`,
//!   `#start-chat`.
//! - Chat: `#content[data-chat="‹id›"]`, `#provenance`, `#open-safety`, `#messages` (the scroller),
//!   `.message[data-seq][data-state]` where the state is `in`, `queued`, `sent`, `delivered`, `read` or `failed`,
//!   `.message .text`, `.retry`, `.discard`, `#unread-line`, `#to-newest`, `#composer` (the text box), `#send`. In the
//!   dialog: `#security-code`, `#fingerprint`.
//! - Connection: `#connection[data-state]` with `off`, `connecting`, `draining`, `online`, `waiting` or `stopped`;
//!   `#connection-action`.
//! - Settings: `#content.settings`, `#fact-login`, `#fact-fingerprint`, `#fact-registration`, `#fact-protocol`,
//!   `#fact-version`, `#fact-prekeys`, `#fact-unknown`, `#fact-synced`, `#theme-system`, `#theme-light`, `#theme-dark`,
//!   `#storage-meter`, `#storage-words`, `#storage-filling`, `#storage-full`, `#storage-kept`, `#storage-forgets`,
//!   `#storage-ask`, `#sign-out`, `#erase`. In the dialog: `#erase-confirm`.
//! - Notifications: `#notices-offer` with `#notices-accept` and `#notices-decline` above the chats; in the settings
//!   `#notices-state`, `#notices-problem`, `#notices-on`, `#notices-off`, `#notices-test`, `#notices-sent`,
//!   `#notices-hide`, `#notices-last`. A newer release: `#update`, `#update-now`, `#update-later`.
//! - Everywhere: `dialog#dialog`, `#dialog-close`, `#announcer` (the live region), `#back`.
#![expect(unreachable_pub, reason = "components' generated types are `pub`, whatever the function is")]

mod app;
mod backup;
mod backup_prompt;
mod chats;
mod connection;
#[cfg(test)]
mod fixture;
mod moved;
mod notifications;
pub mod on_demand;
mod onboarding;
mod parts;
mod pending_page;
mod settings;
mod shell;
mod shortcuts;
mod theme;
mod thread;
mod timing;

use std::cell::OnceCell;
use std::rc::Rc;

use causeway::view::Update;
use leptos::mount::mount_to_body;
use leptos::prelude::*;

use self::on_demand::{FetchPages, SecondaryPages};
use crate::state::browser::Browser;
use crate::state::view_store::ViewStore;

/// Mounts the pages and returns the function that takes the engine's updates. `fetch` loads the pages that are fetched on
/// demand.
pub fn mount(browser: Rc<dyn Browser>, fetch: FetchPages) -> impl Fn(Update) + 'static {
    theme::restore(&*browser);
    let store = Rc::new(OnceCell::new());
    mount_to_body({
        let store = store.clone();
        move || {
            let made = ViewStore::new(browser);
            // Mounting happens once, so the cell is empty.
            let _ = store.set(made);
            view! { <shell::Root store=made fetch/> }
        }
    });
    move |update| {
        if let Some(store) = store.get() {
            store.take(update);
        }
    }
}

/// The pages that are fetched on demand. The module that calls this function carries all of them.
pub fn secondary_pages() -> SecondaryPages {
    SecondaryPages {
        settings: || view! { <settings::Settings/> }.into_any(),
        erase: || view! { <settings::Erase/> }.into_any(),
        backup: || view! { <backup::BackupSheet/> }.into_any(),
        hand_over: || view! { <backup::MoveSheet/> }.into_any(),
        shortcuts: || view! { <shortcuts::Shortcuts/> }.into_any(),
        restore: || view! { <backup::RestorePage/> }.into_any(),
        start_new: || view! { <onboarding::StartNew/> }.into_any(),
        moved: || view! { <moved::MovedSheet/> }.into_any(),
    }
}
