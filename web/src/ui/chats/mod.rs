//! The list of chats, and how to start one.

mod new_chat;
mod row;

pub(super) use new_chat::NewChat;

use leptos::prelude::*;

use self::row::Row;
pub(super) use self::row::row_id;
use super::app::{Sheet, app};
use super::notifications::Offer;
use super::parts::{Icon, Mark, Picture};
use crate::state::route::Route;
use crate::text::{Phrase, Text};

/// The pane with the list.
#[component]
pub(super) fn ChatList() -> impl IntoView {
    let app = app();
    let settings = Route::Settings.fragment();
    let in_settings = move || app.route.with(|route| *route == Route::Settings).then_some("page");
    let browser = app.store.browser();
    let skip = move |event: leptos::ev::MouseEvent| {
        // Not a fragment of its own: the address bar says which page is open.
        event.prevent_default();
        browser.focus("content");
    };
    view! {
        <nav id="chats" class="list" aria-labelledby="chats-title">
            <a class="skip" href="#content" on:click=skip>{Text::SkipToContent.text()}</a>
            <header class="list-head">
                <Mark/>
                <div class="who">
                    <h1 id="chats-title">{Text::Chats.text()}</h1>
                    <p title=move || Phrase::SignedInAs(&app.identifier()).text()>
                        <bdi>{move || app.identifier()}</bdi>
                    </p>
                </div>
                <a id="open-settings" class="icon-button" href=settings aria-label=Text::Settings.text()
                    aria-current=in_settings>
                    <Icon of=Picture::Gear/>
                </a>
                <button id="new-chat" class="icon-button accent" aria-label=Text::NewChat.text()
                    on:click=move |_| app.sheet.set(Some(Sheet::NewChat))>
                    <Icon of=Picture::Pen/>
                </button>
            </header>
            <Show when=move || app.store.chats.with(Vec::is_empty)>
                <Empty/>
            </Show>
            <Offer/>
            <ul class="rows" role="list">
                <For each=move || app.store.chats.get() key=|row| row.id.clone() let:row>
                    <Row row/>
                </For>
            </ul>
        </nav>
    }
}

#[component]
fn Empty() -> impl IntoView {
    let app = app();
    let number = app.store.browser().suggested_number();
    view! {
        <div class="empty">
            <Icon of=Picture::Chats/>
            <h2>{Text::NoChats.text()}</h2>
            <p>{Text::NoChatsWhy.text()}</p>
            {number.map(|number| view! { <p>{Phrase::SuggestedNumber(&number).text()}</p> })}
            <button class="primary" on:click=move |_| app.sheet.set(Some(Sheet::NewChat))>
                {Text::NewChat.text()}
            </button>
        </div>
    }
}
