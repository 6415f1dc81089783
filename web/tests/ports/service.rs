//! Commands to the service worker wait for its installation only if they need it.

use super::script;
use causeway::io::Millis;
use causeway_web::port::clock;
use causeway_web::port::service;
use causeway_web::state::push_state::{PushCommand, PushProblem, PushState, PushSupport};
use core::pin::pin;
use futures::FutureExt;
use futures::future::{Either, select};
use wasm_bindgen_test::wasm_bindgen_test;

/// In a page: a container whose worker is being installed until `installed()` is called, and what was posted to it. Returns
/// whether this is a page.
const INSTALLING: &str = "(isRegistered) => {
    if (!globalThis.window || !navigator.serviceWorker) return false;
    globalThis.PushManager ??= class {};
    globalThis.Notification ??= class {};
    Object.defineProperty(Notification, 'permission', { configurable: true, value: 'granted' });
    globalThis.orders = [];
    const active = {
        postMessage({ order }, [port]) {
            orders.push(order);
            port.postMessage({ problem: order === 'test' ? 'address-unusable' : '', wanted: order !== 'off', last: 5 });
        },
    };
    const registration = Object.create(ServiceWorkerRegistration.prototype, { active: { get: () => isThere ? active : null } });
    let isThere = isRegistered;
    const ready = new Promise((go) => { globalThis.installed = () => { isThere = true; go(registration); }; });
    Object.defineProperty(navigator.serviceWorker, 'ready', { configurable: true, get: () => ready });
    Object.defineProperty(navigator.serviceWorker, 'getRegistration', {
        configurable: true, value: async () => isThere ? registration : undefined,
    });
    globalThis.restore = () => {
        delete navigator.serviceWorker.ready;
        delete navigator.serviceWorker.getRegistration;
        delete Notification.permission;
        return orders.join();
    };
    return true;
}";

async fn soon(command: PushCommand) -> PushState {
    match select(pin!(service::run_push_command(command)), clock::sleep(Millis(2_000))).await {
        Either::Left((state, _)) => state,
        Either::Right(_) => panic!("{command:?} waits for the installation"),
    }
}

#[wasm_bindgen_test]
async fn before_there_is_a_worker_pushes_are_off_and_nothing_waits_for_it() {
    if script(INSTALLING, false).is_falsy() {
        return;
    }
    let off = PushState { support: PushSupport::Allowed, ..PushState::default() };
    for command in [PushCommand::Off, PushCommand::State, PushCommand::Keep, PushCommand::Test] {
        assert_eq!(soon(command).await, off, "{command:?}");
    }
    let registered = service::is_registered().await;
    assert_eq!((registered, script("() => restore()", "").as_string().as_deref()), (false, Some("")));
}

#[wasm_bindgen_test]
async fn a_page_that_was_loaded_without_its_worker_asks_it_all_the_same() {
    if script(INSTALLING, true).is_falsy() {
        return;
    }
    assert!(service::is_registered().await);
    let state = soon(PushCommand::State).await;
    assert_eq!((state.wanted, state.last, state.problem), (true, 5, PushProblem::None));
    assert_eq!(soon(PushCommand::Test).await.problem, PushProblem::AddressUnusable);
    assert!(!soon(PushCommand::Off).await.wanted);
    assert_eq!(script("() => restore()", "").as_string().as_deref(), Some("state,test,off"));
}

#[wasm_bindgen_test]
async fn turning_off_undoes_a_turning_on_that_waits_for_the_installation() {
    if script(INSTALLING, false).is_falsy() {
        return;
    }
    let mut on = Box::pin(service::run_push_command(PushCommand::On));
    assert!((&mut on).now_or_never().is_none(), "it waits for the worker");
    assert!(!soon(PushCommand::Off).await.wanted);
    script("() => installed()", "");
    assert!(!on.await.wanted);
    // Later it is turned on as usual.
    assert!(soon(PushCommand::On).await.wanted);
    assert_eq!(script("() => restore()", "").as_string().as_deref(), Some("on"));
}
