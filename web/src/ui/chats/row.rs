//! One chat in the list.

use causeway::view::ChatView;
use causeway::visible;
use leptos::prelude::*;

use crate::state::model;
use crate::state::peer_name;
use crate::state::route::Route;
use crate::state::rows::ChatRow;
use crate::text::{self, Phrase, Text};
use crate::ui::app::app;
use crate::ui::parts::{Avatar, Tick};

/// Name, newest message, time, unread. A link, so that it opens in another tab when a person wants that.
#[component]
pub(super) fn Row(row: ChatRow) -> impl IntoView {
    let app = app();
    let id = row.id.to_string();
    let view = RwSignal::from(row.view);
    let link = Route::Chat(id.clone()).fragment();
    let current = {
        let id = id.clone();
        Memo::new(move |_| app.route.with(|route| matches!(route, Route::Chat(open) if *open == id)))
    };
    let name = Signal::derive(move || view.with(peer_name::title));
    let delivery =
        move || view.with(|chat| chat.last.as_ref().filter(|last| last.outgoing).map(|last| last.delivery()));
    let unread = move || view.with(|chat| chat.unread);
    let drafting = move || !current.get() && view.with(|chat| !visible::is_blank(&chat.draft));
    view! {
        <li>
            <a id=row_id(&id) class="chat-row" href=link data-chat=id.clone() class:unread=move || { unread() > 0 }
                aria-current=move || current.get().then_some("page")>
                <Avatar name/>
                <span class="chat-name"><bdi>{name}</bdi></span>
                <span class="chat-time">
                    {move || {
                        let at = view.with(model::listed_at);
                        (at > 0).then(|| app.briefly(at))
                    }}
                </span>
                <span class="chat-last">
                    {move || {
                        if drafting() {
                            view! {
                                <b class="draft">{Text::Draft.text()}</b>" "
                                <bdi>{view.with(|chat| one_line(&chat.draft))}</bdi>
                            }.into_any()
                        } else {
                            view! {
                                {delivery().map(|delivery| view! {
                                    <Tick of=delivery/><span class="unseen">{text::delivery(delivery)}": "</span>
                                })}
                                <bdi>{view.with(preview)}</bdi>
                            }.into_any()
                        }
                    }}
                </span>
                {move || (unread() > 0).then(|| {
                    let count = unread();
                    let plural = app.store.browser().plural(count);
                    view! {
                        <span class="badge">
                            <span aria-hidden="true">
                                {if count > 999 { "999+".to_owned() } else { count.to_string() }}
                            </span>
                            <span class="unseen">{Phrase::Unread(count, plural).text()}</span>
                        </span>
                    }
                })}
            </a>
        </li>
    }
}

/// The id of a chat's row, for the focus.
pub(crate) fn row_id(chat: &str) -> String {
    format!("chat-{chat}")
}

fn preview(chat: &ChatView) -> String {
    let Some(last) = &chat.last else { return Text::NoMessagesYet.text().to_owned() };
    one_line(&text::message_summary(last))
}

/// As much as a row can show, without line breaks.
fn one_line(text: &str) -> String {
    const SHOWN: usize = 120;
    visible::trimmed(text).chars().take(SHOWN).map(|char| if char.is_whitespace() { ' ' } else { char }).collect()
}
