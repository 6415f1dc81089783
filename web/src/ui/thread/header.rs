//! Who the chat is with, and by which way: never out of sight.

use causeway::view::ChatView;
use leptos::prelude::*;

use crate::state::peer_name;
use crate::state::route::Route;
use crate::text::Text;
use crate::ui::app::{Sheet, app};
use crate::ui::parts::{Avatar, Icon, Picture};

/// Name, address, provenance, encryption.
#[component]
pub(super) fn Header(chat: RwSignal<ChatView>) -> impl IntoView {
    let app = app();
    let name = Signal::derive(move || chat.with(peer_name::title));
    let address = move || chat.with(|chat| (peer_name::title(chat) != chat.address).then(|| chat.address.clone()));
    view! {
        <header class="pane-head">
            <a id="back" class="icon-button" href=Route::Chats.fragment() aria-label=Text::Back.text()>
                <Icon of=Picture::Back/>
            </a>
            <Avatar name/>
            <div class="peer">
                <h1 id="chat-title" tabindex="-1"><bdi>{name}</bdi></h1>
                <p>
                    <span id="provenance">{Text::Provenance.text()}</span>
                    {move || address().map(|address| view! { <bdi class="address">{address}</bdi> })}
                </p>
            </div>
            <button id="open-safety" class="safety" on:click=move |_| app.sheet.set(Some(Sheet::Safety))>
                <Icon of=Picture::Lock/>
                <span>{Text::Encrypted.text()}</span>
            </button>
        </header>
    }
}
