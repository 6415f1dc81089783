//! One chat: who it is, what was said, and the box to write in.

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
use crate::state::route::Route;
use crate::state::signals::ChatRow;
use crate::text::Text;

/// The pane of a chat. Made anew for each chat.
#[component]
pub(super) fn ThreadPane(id: String) -> impl IntoView {
    let app = app();
    app.store.open(Some(&id));
    leave_well(id.clone());
    // The list may come later than the address: a link that was opened in a new tab.
    let row = Memo::new_with_compare(
        {
            let id = id.clone();
            move |_| app.store.row(&id).map(|row| Known(row))
        },
        |before, now| before.is_some_and(Option::is_some) != now.is_some_and(Option::is_some) || before.is_none(),
    );
    view! {
        <main id="content" class="pane chat" tabindex="-1" data-chat=id.clone()>
            {move || match row.get() {
                Some(Known(row)) => {
                    let chat = RwSignal::from(row.view);
                    view! {
                        <Header chat/>
                        <MessageList chat/>
                        <Composer chat/>
                    }.into_any()
                }
                None => view! { <NoSuchChat/> }.into_any(),
            }}
        </main>
    }
}

/// A row that compares by nothing: it is looked up once.
#[derive(Clone)]
struct Known(ChatRow);

/// On the way back to the list the focus returns to where it came from.
fn leave_well(id: String) {
    let app = app();
    on_cleanup(move || {
        let browser = app.store.browser();
        request_animation_frame(move || {
            if app.route.try_get_untracked() == Some(Route::Chats) {
                browser.focus(&row_id(&id));
            }
        });
    });
}

#[component]
fn NoSuchChat() -> impl IntoView {
    view! {
        <div class="nothing">
            <Icon of=Picture::Chats/>
            <h1>{Text::ChatGone.say()}</h1>
            <a id="back" class="secondary" href=Route::Chats.fragment()>{Text::Back.say()}</a>
        </div>
    }
}
