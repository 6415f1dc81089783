//! Sends what is queued, and decides what an answer means.
//!
//! What this module does not know: why something was queued.

use super::{
    Message, Services, Subscription, VapidKeys,
    per_service_limiter::PerServiceLimiter,
    push_response::{PushResponse, backoff, classify, jitter, retry_after},
    queue::DuePush,
    service,
    subscription::host,
    vapid::VapidKey,
};
use crate::{
    clock,
    keys::{Key, KeyEntry, KeyError},
    store::{Database, StoreError},
};
use reqwest::{Client, header};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time,
};

/// Requests under way at replay_guard.
const MAX_CONCURRENT: usize = 32;
/// Of these, to one push service.
const MAX_PER_SERVICE: usize = 24;
/// Who gets no turn at its service is looked at again after so many milliseconds.
const SERVICE_BUSY_DELAY: i64 = 500;
/// How often to look for what another instance left, in milliseconds.
const POLL_INTERVAL: u64 = 5_000;
/// How long a claim holds, in milliseconds: longer than [`ATTEMPT_TIMEOUT`].
const LEASE: i64 = 30_000;
/// Longest time for one attempt with all its keys.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// Attempts before we give up: with full jitter about two hours, at most four.
const MAX_ATTEMPTS: i64 = 14;
/// Largest answer that is read: only to use the connection again.
const MAX_ANSWER_BYTES: usize = 16 * 1_024;

/// What became of pushes since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// A push service took it.
    pub(crate) delivered: AtomicU64,
    /// It is tried again later.
    pub(crate) postponed: AtomicU64,
    /// A push service will never take it, or not in time.
    pub(crate) dropped: AtomicU64,
    /// The subscription had ended.
    pub(crate) pruned: AtomicU64,
}

/// Sends pushes for one instance.
pub(crate) struct Delivery {
    store: Database,
    keys: Arc<VapidKeys>,
    services: Services,
    contact: String,
    client: Client,
    counters: Arc<Counters>,
    /// Rings when something was queued here.
    queued: Notify,
    /// What this instance's claims begin with.
    instance: String,
}

impl Delivery {
    pub(crate) fn new(
        store: Database,
        keys: Arc<VapidKeys>,
        services: Services,
        contact: String,
        client: Client,
    ) -> Result<Self, KeyError> {
        let mut id = [0; 8];
        getrandom::fill(&mut id)?;
        let instance = format!("{:016x}", u64::from_be_bytes(id));
        Ok(Self { store, keys, services, contact, client, counters: Arc::default(), queued: Notify::new(), instance })
    }

    /// Something was queued.
    pub(crate) fn notify(&self) {
        self.queued.notify_one();
    }

    /// Sends until `stop` says so, then lets what is under way finish. Whoever cannot wait for that drops it.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (mut sending, mut limiter) = (JoinSet::new(), PerServiceLimiter::new(MAX_PER_SERVICE));
        let mut batch = 0_u64;
        while !*stop.borrow() {
            while sending.try_join_next().is_some() {}
            let free = MAX_CONCURRENT.saturating_sub(sending.len());
            let mut wait = POLL_INTERVAL;
            if free > 0 {
                batch += 1;
                match self.claim(batch, free).await {
                    Ok((claim, claimed, until)) => {
                        wait = until;
                        for due in claimed {
                            match limiter.acquire(&due.endpoint) {
                                Some(permit) => {
                                    let delivery = self.clone().deliver(claim.clone(), due);
                                    sending.spawn(async move {
                                        delivery.await;
                                        drop(permit);
                                    });
                                }
                                None => self.defer(&claim, &due).await,
                            }
                        }
                    }
                    Err(error) => tracing::error!(%error, "the queue of pushes cannot be read"),
                }
            }
            tokio::select! {
                () = self.queued.notified(), if sending.len() < MAX_CONCURRENT => {}
                Some(_) = sending.join_next(), if sending.len() >= MAX_CONCURRENT => {}
                () = time::sleep(Duration::from_millis(wait)) => {}
                _ = stop.changed() => {}
            }
        }
        while sending.join_next().await.is_some() {}
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Puts back what was not sent when the instance stopped, for another to send at replay_guard.
    pub(crate) async fn release(&self) {
        if let Err(error) = self.store.release_pushes(&self.instance, clock::unix_milliseconds()).await {
            tracing::warn!(%error, "pushes under way are sent again only after their lease");
        }
    }

    /// What to send now, under which claim, and the milliseconds until it is worth looking again.
    async fn claim(&self, batch: u64, free: usize) -> Result<(Arc<str>, Vec<DuePush>, u64), StoreError> {
        let claim: Arc<str> = format!("{}.{batch}", self.instance).into();
        let now = clock::unix_milliseconds();
        // A look costs less than a claim, which writes.
        let next = self.store.next_push().await?;
        if next.is_none_or(|due| due > now) {
            let until = next.map_or(POLL_INTERVAL, |due| {
                u64::try_from(due.saturating_sub(now)).unwrap_or(POLL_INTERVAL).min(POLL_INTERVAL)
            });
            return Ok((claim, Vec::new(), until));
        }
        let claimed = self.store.claim_pushes(&claim, free as i64, now, now.saturating_add(LEASE)).await?;
        // More may be due than there was free for; if another instance was faster, nothing is.
        let until = if claimed.is_empty() { 100 } else { 0 };
        Ok((claim, claimed, until))
    }

    /// Its service has enough to do; this was no attempt.
    async fn defer(&self, claim: &str, due: &DuePush) {
        let at = clock::unix_milliseconds().saturating_add(SERVICE_BUSY_DELAY);
        if let Err(error) = self.store.defer_push(claim, due, at).await {
            tracing::error!(%error, "a push is looked at again only after its lease");
        }
    }

    async fn deliver(self: Arc<Self>, claim: Arc<str>, due: DuePush) {
        let response =
            time::timeout(ATTEMPT_TIMEOUT, self.attempt(&due)).await.unwrap_or(Ok(PushResponse::RetryAfter(0)));
        let done = match response {
            Ok(response) => self.conclude(&claim, &due, response).await,
            Err(KeyError::Store(error)) => Err(error),
            Err(error) => {
                tracing::error!(%error, "a push could not be made");
                self.conclude(&claim, &due, PushResponse::Rejected).await
            }
        };
        // What is not concluded is due again after its lease.
        if let Err(error) = done {
            tracing::error!(%error, "what became of a push could not be kept");
        }
        self.notify();
    }

    async fn conclude(&self, claim: &str, due: &DuePush, response: PushResponse) -> Result<(), StoreError> {
        let now = clock::unix_milliseconds();
        let host = host(&due.endpoint);
        match response {
            PushResponse::Delivered => {
                count(&self.counters.delivered);
                self.store.finish_push(claim, due, now).await
            }
            PushResponse::Gone => {
                count(&self.counters.pruned);
                match self.subscription(due) {
                    Some(subscription) => self.store.delete_gone(&subscription).await?,
                    None => self.store.finish_push(claim, due, now).await?,
                }
                // A subscription that was made anew meanwhile is still there, and what waits for it as well.
                self.store.postpone_push(claim, due, now).await
            }
            PushResponse::RetryAfter(asked) => {
                let at = now.saturating_add(backoff(due.attempts, jitter()).max(asked));
                if due.attempts >= MAX_ATTEMPTS || at >= due.expires {
                    tracing::warn!(host, attempts = due.attempts, "a push service did not take a push in time");
                    count(&self.counters.dropped);
                    return self.store.finish_push(claim, due, now).await;
                }
                count(&self.counters.postponed);
                self.store.postpone_push(claim, due, at).await?;
                tracing::info!(host, milliseconds = at - now, "a push is sent again later");
                Ok(())
            }
            PushResponse::WrongKey | PushResponse::Rejected => {
                count(&self.counters.dropped);
                self.store.finish_push(claim, due, now).await
            }
        }
    }

    fn subscription(&self, due: &DuePush) -> Option<Subscription> {
        Subscription::read(&due.endpoint, &due.p256dh, &due.auth, &self.services)
    }

    async fn attempt(&self, due: &DuePush) -> Result<PushResponse, KeyError> {
        let now = clock::unix_milliseconds();
        let (Some(subscription), Some(message)) = (self.subscription(due), Message::named(&due.message)) else {
            // The list of services has become shorter since.
            tracing::warn!(host = host(&due.endpoint), "a push was dropped: the service is not in push.services");
            return Ok(PushResponse::Rejected);
        };
        if due.expires <= now {
            return Ok(PushResponse::RetryAfter(0));
        }
        // The key that the subscription was made for; if the service takes another one only, a rotation came in between.
        let entries = self.keys.entries();
        let own = entries.iter().filter(|entry| entry.key.kid() == due.kid);
        let others = entries.iter().rev().filter(|entry| entry.key.kid() != due.kid);
        let mut response = PushResponse::WrongKey;
        for entry in own.chain(others) {
            let entry: &KeyEntry<VapidKey> = entry;
            response = self.send(&subscription, message, &entry.key, due.expires).await?;
            if response == PushResponse::WrongKey {
                continue;
            }
            if response == PushResponse::Delivered && entry.key.kid() != due.kid {
                self.store.set_key(&due.endpoint, entry.key.kid()).await?;
            }
            break;
        }
        Ok(response)
    }

    async fn send(
        &self,
        to: &Subscription,
        message: Message,
        key: &VapidKey,
        expires: i64,
    ) -> Result<PushResponse, KeyError> {
        let now = clock::unix_milliseconds();
        let body = web_push_native::encrypt(message.text().into(), &to.public_key, &to.auth.into())
            .map_err(|_| KeyError::Library("encrypt a push"))?;
        let authorization = key.authorization(&to.endpoint, &self.contact, now / 1_000)?;
        let mut authorization = header::HeaderValue::try_from(authorization.as_str())
            .map_err(|_| KeyError::Library("write a header for a push service"))?;
        authorization.set_sensitive(true);
        // Rounded up: what was queued this very moment has all its time.
        let seconds = expires.saturating_sub(now).saturating_add(999) / 1_000;
        let mut request = self
            .client
            .post(to.endpoint.clone())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", seconds)
            .header("urgency", "high");
        if let Some(topic) = message.topic() {
            request = request.header("topic", topic);
        }
        let host = to.endpoint.host_str().unwrap_or_default();
        let response = match request.body(body).send().await {
            Ok(response) => response,
            Err(error) => {
                // The address in an error would let who reads the log send pushes.
                tracing::warn!(host, error = %error.without_url(), "a push service cannot be reached");
                return Ok(PushResponse::RetryAfter(0));
            }
        };
        let status = response.status();
        let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
        service::body(response, MAX_ANSWER_BYTES).await;
        let response = classify(status, asked.unwrap_or(0));
        if !matches!(response, PushResponse::Delivered | PushResponse::Gone) {
            tracing::warn!(host, status = status.as_u16(), "a push service did not take a push");
        }
        Ok(response)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
