//! Notifications. In the service worker only: a page's would end with it, and could not be
//! answered.
//!
//! What this module does not know: when to show what. Where the browser refuses, nothing happens and an error is
//! returned.

use crate::notifications::ChatNotification;
use crate::number;
use crate::text::Notifications;
use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ClientQueryOptions, ClientType, Notification, NotificationOptions, ServiceWorkerGlobalScope, WindowClient,
};

/// What the tags of notifications about a chat begin with; the chat's id follows.
pub(super) const CHAT: &str = "chat:";
/// What the tags of those begin with that say that something came. service-worker.js shows them before it wakes the
/// engine.
const WAITING: &str = "waiting:";
/// Fields of a notification's data, which service-worker.js reads when it is clicked.
const DATA_CHAT: &str = "chat";
const DATA_SEQ: &str = "seq";
const ICON: &str = "/icon-192.png";
const BADGE: &str = "/badge.png";

/// The browser showed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the browser did not show the notification")]
pub struct NotShown;

fn scope() -> Result<ServiceWorkerGlobalScope, NotShown> {
    js_sys::global().dyn_into().map_err(|_| NotShown)
}

async fn settle(promise: Result<Promise, JsValue>) -> Result<JsValue, NotShown> {
    JsFuture::from(promise.map_err(|_| NotShown)?).await.map_err(|_| NotShown)
}

/// Shows one, in the place of the chat's former one.
///
/// # Errors
/// [`NotShown`]: the person has taken the permission back, or this is no service worker.
pub async fn show(notice: &ChatNotification) -> Result<(), NotShown> {
    let fill = |data: &Object, options: &Object, actions: &Array| -> Result<(), JsValue> {
        Reflect::set(data, &DATA_CHAT.into(), &notice.chat.as_str().into())?;
        // Sequence numbers are far below 2^53.
        Reflect::set(data, &DATA_SEQ.into(), &number::to_js(notice.seq).into())?;
        if notice.named {
            actions.push(&action("reply", Notifications::Reply, Some(Notifications::ReplyHint))?);
        }
        actions.push(&action("read", Notifications::MarkRead, None)?);
        for (name, value) in [
            ("body", notice.body.as_str().into()),
            ("tag", format!("{CHAT}{}", notice.chat).into()),
            // Sounds again for another message in the same chat.
            ("renotify", JsValue::TRUE),
            ("timestamp", number::to_js(notice.at).into()),
            ("icon", ICON.into()),
            ("badge", BADGE.into()),
            ("data", data.into()),
            ("actions", actions.into()),
        ] {
            Reflect::set(options, &name.into(), &value)?;
        }
        Ok(())
    };
    let (data, options, actions) = (Object::new(), Object::new(), Array::new());
    fill(&data, &options, &actions).map_err(|_| NotShown)?;
    show_with(&notice.title, &options).await
}

fn action(name: &str, title: Notifications, hint: Option<Notifications>) -> Result<JsValue, JsValue> {
    let action = Object::new();
    Reflect::set(&action, &"action".into(), &name.into())?;
    Reflect::set(&action, &"title".into(), &title.text().into())?;
    if let Some(hint) = hint {
        Reflect::set(&action, &"type".into(), &"text".into())?;
        Reflect::set(&action, &"placeholder".into(), &hint.text().into())?;
    }
    Ok(action.into())
}

/// Shows a silent notification that belongs to no chat; it replaces the one with the same tag.
///
/// # Errors
/// [`NotShown`].
pub async fn say(tag: &str, title: Notifications, body: &str) -> Result<(), NotShown> {
    let options = Object::new();
    for (name, value) in [("body", body.into()), ("tag", tag.into()), ("silent", JsValue::TRUE)] {
        Reflect::set(&options, &name.into(), &value).map_err(|_| NotShown)?;
    }
    Reflect::set(&options, &"icon".into(), &ICON.into()).map_err(|_| NotShown)?;
    show_with(title.text(), &options).await
}

async fn show_with(title: &str, options: &Object) -> Result<(), NotShown> {
    let options: &NotificationOptions = options.unchecked_ref();
    settle(scope()?.registration().show_notification_with_options(title, options)).await.map(drop)
}

/// The chats that have a notification on screen.
pub async fn shown() -> Vec<String> {
    on_screen().await.iter().filter_map(|one| Some(one.tag()?.strip_prefix(CHAT)?.to_owned())).collect()
}

/// Takes a chat's notification away, if there is one.
pub async fn close(chat: &str) {
    let is_its = |tag: &str| tag.strip_prefix(CHAT) == Some(chat);
    on_screen().await.iter().filter(|one| one.tag().as_deref().is_some_and(is_its)).for_each(Notification::close);
}

/// Takes those away that only say that something came.
pub async fn close_waiting() {
    let is_one = |one: &&Notification| one.tag().is_some_and(|tag| tag.starts_with(WAITING));
    on_screen().await.iter().filter(is_one).for_each(Notification::close);
}

async fn on_screen() -> Vec<Notification> {
    let Ok(scope) = scope() else { return Vec::new() };
    let found = settle(scope.registration().get_notifications()).await;
    let found = found.ok().and_then(|found| found.dyn_into::<Array>().ok()).unwrap_or_default();
    found.iter().filter_map(|one| one.dyn_into().ok()).collect()
}

/// Whether a person looks at one of our pages.
pub async fn is_watched() -> bool {
    let Ok(scope) = scope() else { return false };
    let options = ClientQueryOptions::new();
    options.set_include_uncontrolled(true);
    options.set_type(ClientType::Window);
    let pages = settle(Ok(scope.clients().match_all_with_options(&options))).await;
    let pages = pages.ok().and_then(|pages| pages.dyn_into::<Array>().ok()).unwrap_or_default();
    pages.iter().any(|page| page.unchecked_into::<WindowClient>().focused())
}
