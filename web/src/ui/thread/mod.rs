//! One chat: header, messages, and the composer.

mod composer;
mod header;
mod list;
mod message;
mod safety;

pub(super) use safety::Safety;

use leptos::prelude::*;

use self::composer::Composer;
use self::header::Header;
use self::list::MessageList;
use super::app::app;
use super::chats::row_id;
use super::parts::{Icon, Picture};
use super::timing::next_frame;
use crate::state::route::Route;
use crate::state::scope::Answer;
use crate::text::Text;

/// The pane of a chat, created for each chat that is opened.
#[component]
pub(super) fn ThreadPane(id: String) -> impl IntoView {
    let app = app();
    app.store.open(Some(&id));
    leave_well(id.clone());
    // The list may come later than the address: a link that was opened in a new tab.
    let known = {
        let id = id.clone();
        Memo::new(move |_| app.store.row(&id).is_some())
    };
    Effect::new({
        let id = id.clone();
        move |_| {
            if !known.get()
                && let Some(whole) = app.store.joined(&id)
            {
                app.move_on(&Route::Chat(whole));
            }
        }
    });
    let content = {
        let id = id.clone();
        move || match known.get().then(|| untrack(|| app.store.row(&id))).flatten() {
            Some(row) => {
                let chat = RwSignal::from(row.view);
                view! {
                    <Header chat/>
                    <MessageList chat/>
                    <Composer chat/>
                }
                .into_any()
            }
            None => view! { <NoSuchChat/> }.into_any(),
        }
    };
    view! {
        <main id="content" class="pane chat" tabindex="-1" data-chat=id>
            {content}
        </main>
    }
}

/// On the way back to the list the focus returns to where it came from.
fn leave_well(id: String) {
    let app = app();
    on_cleanup(move || {
        next_frame(Answer::detached((app, id), |(app, id), ()| {
            if app.route.get_untracked() == Route::Chats {
                app.store.browser().focus(&row_id(&id));
            }
        }));
    });
}

#[component]
fn NoSuchChat() -> impl IntoView {
    view! {
        <div class="nothing">
            <Icon of=Picture::Chats/>
            <h1>{Text::ChatGone.text()}</h1>
            <a id="back" class="secondary" href=Route::Chats.fragment()>{Text::Back.text()}</a>
        </div>
    }
}
