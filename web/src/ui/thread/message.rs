//! One message: text, time, and delivery state. Text is always a text node.

use causeway::view::{Action, ChatView, Delivery, Issue, MAX_RETRIES, MessageKind, MessageRef, MessageView};
use causeway::visible;
use leptos::prelude::*;
use std::borrow::Cow;

use crate::state::excerpt;
use crate::state::linkify::{self, Piece};
use crate::state::peer_name;
use crate::state::rows::MessageRow;
use crate::text::{self, Phrase, Text};
use crate::ui::app::{App, Sheet, app};
use crate::ui::parts::{Icon, Picture, Tick};

/// A list item with one full name. Built once; body, tick and shape are signals.
#[component]
pub(super) fn Message(chat: RwSignal<ChatView>, row: MessageRow, at: u64) -> impl IntoView {
    let app = app();
    let outgoing = row.outgoing;
    let seq = row.seq;
    let view = RwSignal::from(row.view);
    let shape = RwSignal::from(row.shape);
    let kind = move || view.with(|view| view.kind());
    let delivery = Signal::derive(move || view.with(|view| view.delivery()));
    let failed = move || outgoing && delivery.get() == Delivery::Failed;
    let time = app.store.browser().clock_time(at);
    // How much of a long text is on screen.
    let most = RwSignal::new(excerpt::FIRST);
    let label = {
        let time = time.clone();
        move || {
            let sender = if outgoing { Text::You.text().to_owned() } else { chat.with(peer_name::title) };
            let state = outgoing.then(|| text::delivery(delivery.get()));
            view.with(|view| Phrase::MessageLabel(&sender, &words(view), &time, state).text())
        }
    };
    view! {
        <li class="message" class:out=outgoing class:first=move || shape.get().first class:last=move || shape.get().last
            class:notice=move || kind().is_notice()
            class:faint=move || view.with(is_description)
            class:failed=failed
            data-seq=seq.to_string() data-state=move || state_name(outgoing, delivery.get()) aria-label=label>
            <div class="bubble">
                // The direction of each line is its own, as in the composer (`.said` in thread.css); the bubble's side is the
                // page's.
                <div class="said" dir="auto">
                    {move || view.with(|view| content(app, chat, view, most))}
                    <span class="meta">
                        {move || view.with(|view| view.edited).then(|| view! { <span>{Text::Edited.text()}</span> })}
                        <bdi>{time}</bdi>
                        {outgoing.then(|| view! {
                            <Tick of=delivery/><span class="unseen">{move || text::delivery(delivery.get())}</span>
                        })}
                    </span>
                </div>
            </div>
            {move || failed().then(|| {
                let issue = view.with(|view| view.issue());
                let again = if issue == Issue::NotOpened { Text::SendAgain } else { Text::Retry };
                failure(app, chat, seq, app.explain(issue), again)
            })}
            {move || given_up(&view).then(|| failure(app, chat, seq, Text::GivenUp.text().to_owned(), Text::AskAgain))}
        </li>
    }
}

/// The sender was asked as often as makes sense.
fn given_up(view: &RwSignal<MessageView>) -> bool {
    view.with(|view| view.kind() == MessageKind::Undecryptable && view.asked >= MAX_RETRIES)
}

/// The text without the space at its ends.
fn said(view: &MessageView) -> &str {
    visible::trimmed(&view.text)
}

/// What is shown describes the message, and is not its text.
fn is_description(view: &MessageView) -> bool {
    match view.kind() {
        MessageKind::Text => said(view).is_empty(),
        kind => !kind.is_notice(),
    }
}

/// The message's part of its accessible name.
fn words(view: &MessageView) -> Cow<'_, str> {
    match view.kind() {
        MessageKind::Text if said(view).is_empty() => Text::ShowsNothing.text().into(),
        MessageKind::Text => excerpt::beginning(said(view), excerpt::FIRST).0.into(),
        MessageKind::Unsupported => Text::Unsupported.text().into(),
        MessageKind::Undecryptable => Phrase::Undecryptable(view.asked, MAX_RETRIES).text().into(),
        MessageKind::UnknownDevice => Text::UnknownDevice.text().into(),
        MessageKind::Revoked => Text::Revoked.text().into(),
        MessageKind::IdentityChanged => Text::IdentityChanged.text().into(),
        MessageKind::DeviceAdded => Text::DeviceAdded.text().into(),
    }
}

/// What the bubble says; below a long text, the button that shows more of it.
fn content(app: App, chat: RwSignal<ChatView>, view: &MessageView, most: RwSignal<u32>) -> AnyView {
    let mut is_cut = false;
    let says = match view.kind() {
        MessageKind::Text if !said(view).is_empty() => {
            let (text, cut) = excerpt::beginning(said(view), most.get());
            // The engine may have more of it than it has sent.
            is_cut = cut || view.whole_bytes.is_some();
            let mut pieces = linkify::split(text, &*app.store.browser());
            // An address that may go on behind the cut leads elsewhere.
            if is_cut && let Some(last) = pieces.last_mut() {
                *last = Piece::Text(last.written());
            }
            pieces.into_iter().map(piece).collect_view().into_any()
        }
        MessageKind::Unsupported if !view.text.is_empty() => {
            let kind = Phrase::UnsupportedKind(&view.text).text();
            view! { {Text::Unsupported.text()}" "<small>{kind}</small> }.into_any()
        }
        MessageKind::Undecryptable | MessageKind::UnknownDevice | MessageKind::Revoked => {
            words(view).into_owned().into_any()
        }
        MessageKind::IdentityChanged | MessageKind::DeviceAdded => view! {
            <Icon of=Picture::Key/>
            <span>{words(view).into_owned()}" "</span>
            <button class="link compare" on:click=move |_| app.sheet.set(Some(Sheet::Safety))>
                {Text::CompareCode.text()}
            </button>
        }
        .into_any(),
        _ => words(view).into_owned().into_any(),
    };
    let (seq, held) = (view.seq, view.text.chars().count());
    let more = move |_| {
        most.update(|most| *most += excerpt::MORE);
        if usize::try_from(most.get_untracked()).is_ok_and(|most| most >= held) {
            chat.with_untracked(|chat| app.store.read_text(&chat.id, seq));
        }
    };
    view! {
        <span class="text">{says}</span>
        {is_cut.then(|| view! {
            <button class="link more" on:click=more>
                {Text::ReadMore.text()}
            </button>
        })}
    }
    .into_any()
}

fn piece(piece: Piece<'_>) -> AnyView {
    match piece {
        Piece::Text(text) => text.to_owned().into_any(),
        Piece::Link { address, shown } => view! {
            <a href=address.to_owned() target="_blank" rel="noopener noreferrer" title=Text::OpensInNewTab.text()>
                {shown.into_owned()}
            </a>
        }
        .into_any(),
    }
}

fn failure(app: App, chat: RwSignal<ChatView>, seq: u64, why: impl IntoView + 'static, again: Text) -> AnyView {
    let this = move || MessageRef { chat: chat.with_untracked(|chat| chat.id.clone()), seq };
    view! {
        <div class="failure">
            <p>{why}</p>
            <button class="link retry" on:click=move |_| app.store.send(Action::Retry(this()))>{again.text()}</button>
            <button class="link discard" on:click=move |_| app.store.send(Action::Discard(this()))>
                {Text::Delete.text()}
            </button>
        </div>
    }
    .into_any()
}

fn state_name(outgoing: bool, delivery: Delivery) -> &'static str {
    match (outgoing, delivery) {
        (false, _) => "in",
        (true, Delivery::Queued) => "queued",
        (true, Delivery::Sent) => "sent",
        (true, Delivery::Delivered) => "delivered",
        (true, Delivery::Read) => "read",
        (true, Delivery::Failed) => "failed",
    }
}
