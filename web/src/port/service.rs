//! The service worker, from the page: registers it, sends it commands, receives its events, and detects newer releases.
//!
//! Where there is none (an old browser, a private window, a page without HTTPS) every command fails.
//!
//! What this module does not know: what is on the page.

use super::clock;
use super::notification::CHAT;
use crate::number;
use crate::state::push_state::{PushCommand, PushProblem, PushState, PushSupport, ServiceWorkerEvent};
use causeway::io::Millis;
use core::cell::Cell;
use core::pin::pin;
use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::{Array, Object, Promise, Reflect};
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event, EventTarget, MessageChannel, MessageEvent, Notification, NotificationPermission, RegistrationOptions,
    ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration, ServiceWorkerUpdateViaCache,
};

/// The file that Trunk puts beside the page. boot.js allows exactly this one through Trusted Types.
const SCRIPT: &str = "/service-worker.js";
/// Time-out of a subscription, which waits for the push service; the time-out in service-worker.js is shorter.
const SUBSCRIBE_TIMEOUT: Millis = Millis(40_000);
/// Time-out of the commands that wait only for the worker to start.
const COMMAND_TIMEOUT: Millis = Millis(8_000);
/// Between two questions for a newer release.
const UPDATE_EVERY: Millis = Millis(60 * 60 * 1000);

fn container() -> Option<ServiceWorkerContainer> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    Reflect::get(&navigator, &"serviceWorker".into()).ok()?.dyn_into().ok()
}

async fn settle<T: JsCast>(promise: Promise) -> Option<T> {
    JsFuture::from(promise).await.ok()?.dyn_into().ok()
}

/// The worker, once there is one that runs. Never completes where it cannot be registered.
async fn ready() -> Option<ServiceWorker> {
    settle::<ServiceWorkerRegistration>(container()?.ready().ok()?).await?.active()
}

async fn registration() -> Option<ServiceWorkerRegistration> {
    settle(container()?.get_registration()).await
}

/// The worker, if one is installed. One that is still being installed downloads the release, which takes its time.
async fn active() -> Option<ServiceWorker> {
    registration().await?.active()
}

/// Whether an earlier visit has registered a worker. It does not serve a page that was loaded without it.
pub async fn is_registered() -> bool {
    registration().await.is_some()
}

thread_local! {
    /// Completes the wait of [`listen_for_events`] for the registration.
    static REGISTER: Cell<Option<oneshot::Sender<()>>> = const { Cell::new(None) };
    /// Number of [`PushCommand::Off`] so far: an earlier [`PushCommand::On`] that still waits for the worker is void.
    static TURNED_OFF: Cell<u32> = const { Cell::new(0) };
}

/// Lets [`listen_for_events`] register the worker. The first call counts.
pub fn register() {
    if let Some(register) = REGISTER.take() {
        // Fails only if nobody listens, as in a browser without service workers.
        let _ = register.send(());
    }
}

/// Passes the worker's events to `on_event` from now on. The worker is registered when [`register`] is called: on a first
/// visit its installation would compete with the page for the connection.
pub fn listen_for_events(on_event: impl Fn(ServiceWorkerEvent) + 'static) {
    let Some(container) = container() else { return };
    let (register, registering) = oneshot::channel();
    REGISTER.set(Some(register));
    let on_event: Rc<dyn Fn(ServiceWorkerEvent)> = Rc::new(on_event);
    listen(&container, "message", {
        let on_event = Rc::clone(&on_event);
        move |event: Event| {
            let Ok(data) = event.unchecked_into::<MessageEvent>().data().dyn_into::<Object>() else { return };
            let field = |name: &str| Reflect::get(&data, &name.into()).unwrap_or(JsValue::UNDEFINED);
            if let Some(fragment) = field("open").as_string() {
                on_event(ServiceWorkerEvent::Open(fragment));
            } else if field("woken").is_truthy() {
                on_event(ServiceWorkerEvent::Woken);
            }
        }
    });
    // A page never goes on with the worker of another release: its own files may be gone.
    let controlled = container.controller().is_some();
    let reloading = Cell::new(false);
    listen(&container, "controllerchange", move |_| {
        if controlled && !reloading.replace(true) {
            super::window::reload();
        }
    });
    super::spawn(async move {
        if registering.await.is_err() {
            return;
        }
        let options = RegistrationOptions::new();
        options.set_type("module");
        options.set_update_via_cache(ServiceWorkerUpdateViaCache::None);
        let registered = settle(container.register_with_options(SCRIPT, &options)).await;
        let Some(registration) = registered else { return };
        watch_for_releases(&registration, controlled, on_event);
        loop {
            clock::sleep(UPDATE_EVERY).await;
            if let Ok(update) = registration.update() {
                let _offline = JsFuture::from(update).await;
            }
        }
    });
}

fn watch_for_releases(
    registration: &ServiceWorkerRegistration,
    controlled: bool,
    on_event: Rc<dyn Fn(ServiceWorkerEvent)>,
) {
    if !controlled {
        // The first worker is no news.
        return;
    }
    if registration.waiting().is_some() {
        on_event(ServiceWorkerEvent::UpdateReady);
    }
    let of = registration.clone();
    listen(registration, "updatefound", move |_| {
        let Some(coming) = of.installing() else { return };
        let (of, on_event) = (of.clone(), Rc::clone(&on_event));
        listen(&coming, "statechange", move |_| {
            if of.waiting().is_some() {
                on_event(ServiceWorkerEvent::UpdateReady);
            }
        });
    });
}

/// Calls back on each event for as long as the page lives.
fn listen(target: &EventTarget, name: &str, call: impl FnMut(Event) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(call);
    let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}

/// Activates the waiting release: every page loads again.
pub fn use_update() {
    super::spawn(async {
        if let Some(waiting) = registration().await.and_then(|registration| registration.waiting()) {
            post(&waiting, "activate");
        }
    });
}

/// Closes the notifications about chats, except about these.
pub fn close_notifications(unread: Vec<String>) {
    super::spawn(async move {
        let Some(registration) = registration().await else { return };
        let Ok(shown) = registration.get_notifications() else { return };
        for one in settle::<Array>(shown).await.unwrap_or_default().iter() {
            let Ok(one) = one.dyn_into::<Notification>() else { continue };
            let about = one.tag().and_then(|tag| Some(tag.strip_prefix(CHAT)?.to_owned()));
            if about.is_some_and(|chat| !unread.contains(&chat)) {
                one.close();
            }
        }
    });
}

/// Makes the worker show notifications about what is new, for a page without focus.
pub fn look() {
    super::spawn(async {
        if let Some(worker) = active().await {
            post(&worker, "look");
        }
    });
}

fn post(worker: &ServiceWorker, order: &str) {
    if let Ok(message) = message(order) {
        let _ = worker.post_message(&message);
    }
}

fn message(order: &str) -> Result<JsValue, JsValue> {
    let message = Object::new();
    Reflect::set(&message, &"order".into(), &order.into())?;
    Ok(message.into())
}

/// Prompts for permission if it was never decided. Must be called in a click handler.
pub fn ask_permission() -> impl Future<Output = ()> {
    // Called at once, not when the future first runs: by then the browser no longer counts it as part of the click.
    let asked = (support() == PushSupport::Unasked).then(|| Notification::request_permission().ok()).flatten();
    async move {
        if let Some(asked) = asked {
            let _answer = JsFuture::from(asked).await;
        }
    }
}

/// Runs a command and returns the push state afterwards.
pub async fn run_push_command(command: PushCommand) -> PushState {
    let support = support();
    if !matches!(support, PushSupport::Unasked | PushSupport::Allowed)
        || (command == PushCommand::On && support != PushSupport::Allowed)
    {
        return PushState { support, ..PushState::default() };
    }
    let name = match command {
        PushCommand::State => "state",
        PushCommand::Keep => "keep",
        PushCommand::On => "on",
        PushCommand::Off => "off",
        PushCommand::Test => "test",
    };
    if command == PushCommand::Off {
        TURNED_OFF.set(TURNED_OFF.get().wrapping_add(1));
    }
    let worker = if command == PushCommand::On {
        let turned_off = TURNED_OFF.get();
        // On a first visit the worker is still being installed, which downloads the release.
        let installed = match select(pin!(ready()), clock::sleep(SUBSCRIBE_TIMEOUT)).await {
            Either::Left((Some(worker), _)) => worker,
            _ => return PushState { support, problem: PushProblem::ServiceSilent, ..PushState::default() },
        };
        (turned_off == TURNED_OFF.get()).then_some(installed)
    } else {
        active().await
    };
    // Before there is a worker, pushes are off.
    let Some(worker) = worker else { return PushState { support, ..PushState::default() } };
    let timeout = if command == PushCommand::On { SUBSCRIBE_TIMEOUT } else { COMMAND_TIMEOUT };
    match select(pin!(answer_of(&worker, name)), clock::sleep(timeout)).await {
        Either::Left((Some(push), _)) => PushState { support, ..push },
        _ => PushState { support, problem: PushProblem::ServiceSilent, ..PushState::default() },
    }
}

async fn answer_of(worker: &ServiceWorker, order: &str) -> Option<PushState> {
    let channel = MessageChannel::new().ok()?;
    let (sender, answer) = oneshot::channel();
    let sender = Cell::new(Some(sender));
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let _nobody_waits = sender.take().map(|sender| sender.send(event.data()));
    });
    channel.port1().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    worker.post_message_with_transferable(&message(order).ok()?, &Array::of1(&channel.port2())).ok()?;
    let data = answer.await.ok()?;
    let field = |name: &str| Reflect::get(&data, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let problem = match field("problem").as_string().as_deref() {
        Some("") => PushProblem::None,
        Some("service-silent") => PushProblem::ServiceSilent,
        Some("test-failed") => PushProblem::TestFailed,
        Some("address-unusable") => PushProblem::AddressUnusable,
        _ => PushProblem::NotRegistered,
    };
    let last = number::from_js(field("last").as_f64().unwrap_or(0.0));
    Some(PushState { support: PushSupport::default(), wanted: field("wanted").is_truthy(), problem, last })
}

/// What the browser and the person allow.
pub fn support() -> PushSupport {
    let has = |of: &JsValue, field: &str| Reflect::has(of, &field.into()).unwrap_or(false);
    let global = JsValue::from(js_sys::global());
    let supported = container().is_some() && has(&global, "PushManager") && has(&global, "Notification");
    if !supported {
        // Browsers of iPhones and iPads have push in installed apps only, and are known by what only they have.
        let navigator = Reflect::get(&global, &"navigator".into()).unwrap_or(JsValue::UNDEFINED);
        let installable = navigator.is_object() && has(&navigator, "standalone");
        let installed = super::window::matches("(display-mode: standalone)");
        return if installable && !installed { PushSupport::InstallFirst } else { PushSupport::Unsupported };
    }
    match Notification::permission() {
        NotificationPermission::Granted => PushSupport::Allowed,
        NotificationPermission::Denied => PushSupport::Blocked,
        _ => PushSupport::Unasked,
    }
}
