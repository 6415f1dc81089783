//! The backup prompt at the end of an enlistment. Apart from `backup`, so that the onboarding does not need that module.

use leptos::prelude::*;

use super::app::{Sheet, app};
use crate::text::Backup;

/// The backup prompt at the end of an enlistment; it can be put off.
#[component]
pub(super) fn BackupPrompt() -> impl IntoView {
    let app = app();
    let put_off = RwSignal::new(false);
    let due = move || {
        let made = app.store.account.with(|account| {
            account.as_ref().and_then(|account| account.backup).is_some_and(|backup| backup.made_at != 0)
        });
        !made && !put_off.get()
    };
    move || {
        due().then(|| {
            view! {
                <section class="offer" aria-labelledby="backup-offer">
                    <h2 id="backup-offer">{Backup::OfferTitle.text()}</h2>
                    <p>{Backup::OfferWhy.text()}</p>
                    <div class="buttons">
                        <button id="backup-later" class="quiet" on:click=move |_| {
                            put_off.set(true);
                            app.store.browser().focus("enlist-finish");
                        }>{Backup::OfferLater.text()}</button>
                        <button id="backup-now" class="secondary" on:click=move |_| app.sheet.set(Some(Sheet::Backup))>
                            {Backup::OfferNow.text()}
                        </button>
                    </div>
                </section>
            }
        })
    }
}
