//! Backups: making one, moving to another browser, restoring either; and where these are offered.

mod export;
mod passphrase;
mod restore;

pub(super) use export::{BackupSheet, MoveSheet};
pub(super) use restore::RestorePage;

use leptos::prelude::*;

use super::app::{Sheet, app};
use crate::text::{Backup, backup_made_at};

/// In the settings.
#[component]
pub(super) fn BackupSection() -> impl IntoView {
    let app = app();
    let last = move || {
        let at = app
            .store
            .account
            .with(|account| account.as_ref().and_then(|account| account.backup).map_or(0, |backup| backup.made_at));
        match at {
            0 => Backup::None.text().to_owned(),
            at => backup_made_at(&format!("{}, {}", app.day(at), app.store.browser().clock_time(at))),
        }
    };
    view! {
        <p id="last-backup"><strong>{last}</strong></p>
        <p>{Backup::Why.text()}</p>
        <Losses/>
        <button id="make-backup" class="secondary" on:click=move |_| app.sheet.set(Some(Sheet::Backup))>
            {Backup::Make.text()}
        </button>
    }
}

/// What is lost without a backup.
#[component]
fn Losses() -> impl IntoView {
    view! {
        <ul class="losses">
            <li>{Backup::LosesHistory.text()}</li>
            <li>{Backup::LosesWaiting.text()}</li>
            <li>{Backup::LosesKeys.text()}</li>
        </ul>
    }
}

/// In the settings.
#[component]
pub(super) fn MoveSection() -> impl IntoView {
    let app = app();
    view! {
        <p>{Backup::MoveWhy.text()}</p>
        <button id="move-away" class="secondary" on:click=move |_| app.sheet.set(Some(Sheet::Move))>
            {Backup::Move.text()}
        </button>
    }
}
