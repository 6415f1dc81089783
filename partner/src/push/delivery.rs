//! Sends what is queued, and decides what an answer means.
//!
//! What this module does not know: why something was queued.

use super::{
    Message, Services, Subscription, VapidKeys,
    queue::Due,
    service,
    subscription::host,
    turns::Turns,
    vapid::VapidKey,
    verdict::{Verdict, asked, jitter, verdict, wait},
};
use crate::{
    clock,
    keys::{Entry, Key, KeyError},
    store::{Store, StoreError},
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

/// Requests under way at once.
const AT_ONCE: usize = 32;
/// Of these, to one push service.
const AT_ONE_SERVICE: usize = 24;
/// Who gets no turn at its service is looked at again after so many milliseconds.
const NO_TURN: i64 = 500;
/// How often to look for what another instance left, in milliseconds.
const LOOK: u64 = 5_000;
/// How long a claim holds, in milliseconds: longer than [`ATTEMPT`].
const LEASE: i64 = 30_000;
/// Longest time for one attempt with all its keys.
const ATTEMPT: Duration = Duration::from_secs(20);
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
    store: Store,
    keys: Arc<VapidKeys>,
    services: Services,
    contact: String,
    client: Client,
    counters: Arc<Counters>,
    /// Rings when something was queued here.
    bell: Notify,
    /// What this instance's claims begin with.
    instance: String,
}

impl Delivery {
    pub(crate) fn new(
        store: Store,
        keys: Arc<VapidKeys>,
        services: Services,
        contact: String,
        client: Client,
    ) -> Result<Self, KeyError> {
        let mut id = [0; 8];
        getrandom::fill(&mut id)?;
        let instance = format!("{:016x}", u64::from_be_bytes(id));
        Ok(Self { store, keys, services, contact, client, counters: Arc::default(), bell: Notify::new(), instance })
    }

    /// Something was queued.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Sends until `stop` says so, then lets what is under way finish. Whoever cannot wait for that drops it.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (mut sending, mut turns) = (JoinSet::new(), Turns::new(AT_ONE_SERVICE));
        let mut batch = 0_u64;
        while !*stop.borrow() {
            while sending.try_join_next().is_some() {}
            let room = AT_ONCE.saturating_sub(sending.len());
            let mut wait = LOOK;
            if room > 0 {
                batch += 1;
                match self.claim(batch, room).await {
                    Ok((claim, claimed, until)) => {
                        wait = until;
                        for due in claimed {
                            match turns.take(&due.endpoint) {
                                Some(turn) => {
                                    let delivery = self.clone().deliver(claim.clone(), due);
                                    sending.spawn(async move {
                                        delivery.await;
                                        drop(turn);
                                    });
                                }
                                None => self.put_off(&claim, &due).await,
                            }
                        }
                    }
                    Err(error) => tracing::error!(%error, "the queue of pushes cannot be read"),
                }
            }
            tokio::select! {
                () = self.bell.notified(), if sending.len() < AT_ONCE => {}
                Some(_) = sending.join_next(), if sending.len() >= AT_ONCE => {}
                () = time::sleep(Duration::from_millis(wait)) => {}
                _ = stop.changed() => {}
            }
        }
        while sending.join_next().await.is_some() {}
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Puts back what was not sent when the instance stopped, for another to send at once.
    pub(crate) async fn release(&self) {
        if let Err(error) = self.store.release_pushes(&self.instance, clock::unix_milliseconds()).await {
            tracing::warn!(%error, "pushes under way are sent again only after their lease");
        }
    }

    /// What to send now, under which claim, and the milliseconds until it is worth looking again.
    async fn claim(&self, batch: u64, room: usize) -> Result<(Arc<str>, Vec<Due>, u64), StoreError> {
        let claim: Arc<str> = format!("{}.{batch}", self.instance).into();
        let now = clock::unix_milliseconds();
        // A look costs less than a claim, which writes.
        let next = self.store.next_push().await?;
        if next.is_none_or(|due| due > now) {
            let until = next.map_or(LOOK, |due| u64::try_from(due.saturating_sub(now)).unwrap_or(LOOK).min(LOOK));
            return Ok((claim, Vec::new(), until));
        }
        let claimed = self.store.claim_pushes(&claim, room as i64, now, now.saturating_add(LEASE)).await?;
        // More may be due than there was room for; if another instance was faster, nothing is.
        let until = if claimed.is_empty() { 100 } else { 0 };
        Ok((claim, claimed, until))
    }

    /// Its service has enough to do; this was no attempt.
    async fn put_off(&self, claim: &str, due: &Due) {
        let at = clock::unix_milliseconds().saturating_add(NO_TURN);
        if let Err(error) = self.store.put_off_push(claim, due, at).await {
            tracing::error!(%error, "a push is looked at again only after its lease");
        }
    }

    async fn deliver(self: Arc<Self>, claim: Arc<str>, due: Due) {
        let verdict = time::timeout(ATTEMPT, self.attempt(&due)).await.unwrap_or(Ok(Verdict::Later(0)));
        let done = match verdict {
            Ok(verdict) => self.conclude(&claim, &due, verdict).await,
            Err(KeyError::Store(error)) => Err(error),
            Err(error) => {
                tracing::error!(%error, "a push could not be made");
                self.conclude(&claim, &due, Verdict::Refused).await
            }
        };
        // What is not concluded is due again after its lease.
        if let Err(error) = done {
            tracing::error!(%error, "what became of a push could not be kept");
        }
        self.ring();
    }

    async fn conclude(&self, claim: &str, due: &Due, verdict: Verdict) -> Result<(), StoreError> {
        let now = clock::unix_milliseconds();
        let host = host(&due.endpoint);
        match verdict {
            Verdict::Delivered => {
                count(&self.counters.delivered);
                self.store.finish_push(claim, due, now).await
            }
            Verdict::Ended => {
                count(&self.counters.pruned);
                match self.subscription(due) {
                    Some(subscription) => self.store.end_subscription(&subscription).await?,
                    None => self.store.finish_push(claim, due, now).await?,
                }
                // A subscription that was made anew meanwhile is still there, and what waits for it as well.
                self.store.postpone_push(claim, due, now).await
            }
            Verdict::Later(asked) => {
                let at = now.saturating_add(wait(due.attempts, jitter()).max(asked));
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
            Verdict::WrongKey | Verdict::Refused => {
                count(&self.counters.dropped);
                self.store.finish_push(claim, due, now).await
            }
        }
    }

    fn subscription(&self, due: &Due) -> Option<Subscription> {
        Subscription::read(&due.endpoint, &due.p256dh, &due.auth, &self.services)
    }

    async fn attempt(&self, due: &Due) -> Result<Verdict, KeyError> {
        let now = clock::unix_milliseconds();
        let (Some(subscription), Some(message)) = (self.subscription(due), Message::named(&due.message)) else {
            // The list of services has become shorter since.
            tracing::warn!(host = host(&due.endpoint), "a push was dropped: the service is not in push.services");
            return Ok(Verdict::Refused);
        };
        if due.expires <= now {
            return Ok(Verdict::Later(0));
        }
        // The key that the subscription was made for; if the service takes another one only, a rotation came in between.
        let entries = self.keys.entries();
        let own = entries.iter().filter(|entry| entry.key.kid() == due.kid);
        let others = entries.iter().rev().filter(|entry| entry.key.kid() != due.kid);
        let mut verdict = Verdict::WrongKey;
        for entry in own.chain(others) {
            let entry: &Entry<VapidKey> = entry;
            verdict = self.send(&subscription, message, &entry.key, due.expires).await?;
            if verdict == Verdict::WrongKey {
                continue;
            }
            if verdict == Verdict::Delivered && entry.key.kid() != due.kid {
                self.store.made_for(&due.endpoint, entry.key.kid()).await?;
            }
            break;
        }
        Ok(verdict)
    }

    async fn send(
        &self,
        to: &Subscription,
        message: Message,
        key: &VapidKey,
        expires: i64,
    ) -> Result<Verdict, KeyError> {
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
                return Ok(Verdict::Later(0));
            }
        };
        let status = response.status();
        let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| asked(value.to_str().ok()?));
        service::body(response, MAX_ANSWER_BYTES).await;
        let verdict = verdict(status, asked.unwrap_or(0));
        if !matches!(verdict, Verdict::Delivered | Verdict::Ended) {
            tracing::warn!(host, status = status.as_u16(), "a push service did not take a push");
        }
        Ok(verdict)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
