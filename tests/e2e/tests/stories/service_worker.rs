//! The service worker while the browser refuses: promises that reject, replies that no message can hold, an address for pushes
//! that is none.

use crate::away::{Away, BOB, bob};
use anyhow::{Context, Result, ensure};
use causeway_e2e::service_worker::ServiceWorker;
use serde_json::{Value, json};

async fn notified(away: &Away, worker: &ServiceWorker<'_>, text: &str) -> Result<()> {
    away.servers.phone_writes(BOB, "carla", text).await?;
    worker.push("wake").await?;
    worker.shows(&[(&bob(), "Bob", text)]).await
}

/// A reply is sent whole; one that no message can hold is shown again, whole, and is the chat's draft.
async fn long_replies() -> Result<()> {
    let away = Away::begin().await?;
    let worker = away.worker().await?;
    notified(&away, &worker, "Are you there?").await?;
    // An emoji lies across the place where replies used to be cut, and everywhere else.
    let whole = "👍🏽a".repeat(1_000) + "end";
    ensure!(whole.encode_utf16().count() == 5_003);
    worker.click(&bob(), "reply", Some(&whole)).await?;
    ensure!(away.servers.phone_received(BOB, &whole).await? == 1, "the reply came twice");

    worker.dismiss_all().await?;
    notified(&away, &worker, "Well?").await?;
    let too_long = "👍🏽".repeat(10_000);
    worker.click(&bob(), "reply", Some(&too_long)).await?;
    let shown = worker.shown().await?;
    let lost = shown.iter().find(|one| one.tag.starts_with("lost:")).context("nothing says that it was not sent")?;
    ensure!(lost.body == too_long, "{} bytes of it are shown", lost.body.len());
    ensure!(away.servers.received(BOB).await?.len() == 1, "a part of it was sent");
    let tab = away.browser.open(&away.servers.url()?).await?;
    tab.person(&format!("person.open('{BOB}')")).await?;
    let draft = tab.person("document.querySelector('#composer').value").await?;
    ensure!(draft == json!(too_long), "the draft holds {} bytes", draft.as_str().map_or(0, str::len));
    away.end().await
}

#[tokio::test]
async fn a_reply_is_sent_whole_or_shown_again() {
    long_replies().await.unwrap();
}

/// A page that cannot be focused does not keep a click from opening the chat.
async fn unfocusable() -> Result<()> {
    let away = Away::begin().await?;
    let worker = away.worker().await?;
    for (name, focus) in [
        ("rejects", "async () => { throw new DOMException('no', 'InvalidAccessError'); }"),
        ("throws", "() => { throw new TypeError('no'); }"),
        ("never settles", "() => new Promise(() => {})"),
    ] {
        let click = format!(
            "(async () => {{
                const {{ matchAll, openWindow }} = Clients.prototype;
                const opened = [];
                const page = {{ visibilityState: 'hidden', postMessage() {{}}, focus: {focus} }};
                Clients.prototype.matchAll = async () => [page];
                Clients.prototype.openWindow = async (url) => {{ opened.push(url); throw new TypeError('no'); }};
                const until = [];
                const notification = {{ close() {{}}, data: {{ chat: 'chat' }} }};
                dispatchEvent(Object.assign(new Event('notificationclick'),
                    {{ notification, action: '', waitUntil: (it) => until.push(it) }}));
                const outcomes = await Promise.allSettled(until);
                Object.assign(Clients.prototype, {{ matchAll, openWindow }});
                return [opened, outcomes.map(({{ status }}) => status)];
            }})()"
        );
        let seen = worker.run(&click).await?;
        ensure!(seen == json!([["/#/chat/chat"], ["fulfilled"]]), "focus() {name}: {seen}");
    }
    away.end().await
}

#[tokio::test]
async fn a_click_opens_the_chat_even_if_no_page_can_be_focused() {
    unfocusable().await.unwrap();
}

/// Whatever the browser refuses beside it, the messages are fetched and shown, and the app loads.
async fn beside_failures() -> Result<()> {
    let away = Away::begin().await?;
    let worker = away.worker().await?;
    worker.stop().await?;
    // In force as long as the worker runs.
    let broken = "(() => {
        const no = async () => { throw new DOMException('no', 'QuotaExceededError'); };
        CacheStorage.prototype.open = no;
        CacheStorage.prototype.match = no;
        const { matchAll } = Clients.prototype;
        Clients.prototype.matchAll = function (options) { return options.type === 'window' ? no() : matchAll.call(this, options); };
        const { getNotifications } = ServiceWorkerRegistration.prototype;
        let left = 1;
        ServiceWorkerRegistration.prototype.getNotifications = function (...all) {
            return left-- > 0 ? no() : getNotifications.apply(this, all);
        };
        return true;
    })()";
    worker.run(broken).await?;
    notified(&away, &worker, "Are you there?").await?;
    let fetched = "fetch('/index.html').then((it) => it.text())";
    let tab = away.browser.open(&away.servers.url()?).await?;
    tab.person("person.online()").await?;
    let shell = tab.person(fetched).await?;
    ensure!(shell.as_str().is_some_and(|shell| shell.contains("Causeway")), "the app did not load: {shell}");
    away.end().await
}

#[tokio::test]
async fn a_push_is_shown_although_caches_and_pages_cannot_be_reached() {
    beside_failures().await.unwrap();
}

/// Turns notifications on while the browser gives these addresses, one after the other. Returns the problem, what was
/// registered at the partner server, and how often the browser was told to unsubscribe and to subscribe.
async fn turn_on(worker: &ServiceWorker<'_>, existing: &str, given: &str, status: u16) -> Result<Value> {
    let script = format!(
        "(async () => {{
            const {{ getSubscription, subscribe }} = PushManager.prototype;
            const fetched = globalThis.fetch, seen = {{ registered: [], ended: 0, made: 0 }};
            const key = 'BAAA';
            const subscription = (endpoint) => ({{
                endpoint, expirationTime: null,
                options: {{ applicationServerKey: new Uint8Array([4, 0, 0]).buffer }},
                getKey: () => new ArrayBuffer(3),
                unsubscribe: async () => {{ seen.ended += 1; return true; }},
            }});
            PushManager.prototype.getSubscription = async () => {existing} ? subscription({existing}) : null;
            PushManager.prototype.subscribe = async () => {{ seen.made += 1; return subscription({given}); }};
            globalThis.fetch = async (path, {{ body }}) => {{
                if (!body) return new Response(`key=${{key}}`);
                const endpoint = body.get('endpoint');
                seen.registered.push(endpoint);
                return new Response(null, {{ status: endpoint.includes('refused') ? {status} : 204 }});
            }};
            const {{ port1, port2 }} = new MessageChannel(), until = [];
            const answer = new Promise((go) => {{ port1.onmessage = ({{ data }}) => go(data); }});
            dispatchEvent(Object.assign(new Event('message'),
                {{ data: {{ order: 'on' }}, ports: [port2], waitUntil: (it) => until.push(it) }}));
            const {{ problem }} = await answer;
            await Promise.all(until);
            Object.assign(PushManager.prototype, {{ getSubscription, subscribe }});
            globalThis.fetch = fetched;
            return [problem, seen.registered, seen.ended, seen.made];
        }})()",
        existing = json!(existing),
        given = json!(given),
    );
    worker.run(&script).await
}

async fn unusable_addresses() -> Result<()> {
    const GONE: &str = "https://permanently-removed.invalid/fcm/send/abc";
    const GOOD: &str = "https://push.example/good";
    const REFUSED: &str = "https://refused.example/send";
    let away = Away::begin().await?;
    let worker = away.worker().await?;
    for (existing, given, status, expected) in [
        ("", GOOD, 422, json!(["", [GOOD], 0, 1])),
        (GOOD, GOOD, 422, json!(["", [GOOD], 0, 0])),
        (GONE, GOOD, 422, json!(["", [GOOD], 1, 1])),
        ("no address", GOOD, 422, json!(["", [GOOD], 1, 1])),
        (GONE, GONE, 422, json!(["address-unusable", [], 1, 1])),
        ("", GONE, 422, json!(["address-unusable", [], 0, 1])),
        (REFUSED, GOOD, 422, json!(["", [REFUSED, GOOD], 1, 1])),
        (REFUSED, REFUSED, 422, json!(["address-unusable", [REFUSED, REFUSED], 1, 1])),
        // The partner server is in trouble: the subscription stays.
        (REFUSED, GOOD, 503, json!(["not-registered", [REFUSED], 0, 0])),
    ] {
        let seen = turn_on(&worker, existing, given, status).await?;
        ensure!(seen == expected, "from {existing:?} to {given:?}, {status}: {seen}, not {expected}");
    }
    away.end().await
}

#[tokio::test]
async fn an_address_that_no_push_can_reach_is_given_up_once_and_then_explained() {
    unusable_addresses().await.unwrap();
}
