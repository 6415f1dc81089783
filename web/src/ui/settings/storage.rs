//! Settings: storage usage, advice when it runs out, and persistence.

use leptos::prelude::*;

use crate::state::scope::Scope;
use crate::state::storage_quota::{Level, StorageQuota};
use crate::text::{Phrase, Text};
use crate::ui::app::{App, app};
use crate::ui::parts::{Icon, Picture};

/// Looked at when the settings open, and again whenever messages have changed.
#[component]
pub(super) fn Storage() -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let quota = RwSignal::new(None::<StorageQuota>);
    Effect::new(move |_| {
        app.store.chats.track();
        app.store.incoming.track();
        app.store.connection.track();
        look(app, scope, quota);
    });
    let words = move || match quota.get() {
        None => Text::OneMoment.text().to_owned(),
        Some(StorageQuota { used: None, .. }) => Text::StorageUnknown.text().to_owned(),
        Some(StorageQuota { used: Some((used, all)), messages, .. }) => {
            let mut words = Phrase::StorageUsed(used, all).text();
            if let Some(messages) = messages {
                words.push(' ');
                words.push_str(&Phrase::StorageOfMessages(messages).text());
            }
            words
        }
    };
    let percent = move || quota.get().and_then(|quota| quota.percent());
    let advice = move || match quota.get().map_or(Level::Fine, |quota| quota.level()) {
        Level::Fine => None,
        Level::Filling => Some(("storage-filling", Text::StorageFilling)),
        Level::Full => Some(("storage-full", Text::StorageFull)),
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
                <p id=id class="advice"><Icon of=Picture::Warning/><span>{text.text()}</span></p>
            })}
        </div>
        <Kept quota/>
    }
}

/// Whether the browser keeps it, and the question, as often as a person likes to put it.
#[component]
fn Kept(quota: RwSignal<Option<StorageQuota>>) -> impl IntoView {
    let app = app();
    let scope = Scope::current();
    let refused = RwSignal::new(false);
    let browser = app.store.browser();
    let forgets = browser.evicts_after_a_week();
    let kept = Memo::new(move |_| quota.get().and_then(|quota| quota.persisted));
    let ask = move |_| {
        app.store.browser().request_persistence(scope.answer(move |kept: bool| {
            refused.set(!kept);
            look(app, scope, quota);
        }));
    };
    let words = move || match kept.get() {
        Some(true) => Text::KeptYes,
        Some(false) if refused.get() => Text::KeptRefused,
        Some(false) | None => Text::KeptNo,
    };
    view! {
        <p id="storage-kept" role="status">{move || quota.get().map(|_| words().text())}</p>
        {forgets.then(|| view! {
            <p id="storage-forgets" class="advice">
                <Icon of=Picture::Warning/><span>{Text::ForgetsMore.text()}</span>
            </p>
        })}
        {move || (kept.get() == Some(false)).then(|| view! {
            <button id="storage-ask" class="secondary" on:click=ask>{Text::KeptAsk.text()}</button>
        })}
    }
}

fn look(app: App, scope: Scope, quota: RwSignal<Option<StorageQuota>>) {
    app.store.browser().estimate_storage(scope.answer(move |seen| quota.set(Some(seen))));
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
            let (scope, quota) = settings.with(|| (Scope::current(), RwSignal::new(None)));
            look(app, scope, quota);
            if gone {
                settings.cleanup();
            }
            browser.answer();
            assert_eq!(quota.try_get_untracked().flatten().is_some(), !gone);
        }
    }
}
