//! Sends queued pushes and acts on the responses of push services.
//!
//! What this module does not know: why a push was queued.

use super::{
    claim::{ClaimId, InstanceId},
    message::Message,
    per_service_limiter::PerServiceLimiter,
    push_response::{PushResponse, backoff, classify, jitter, retry_after},
    queue_repository::{DuePush, QueueRepository},
    service,
    subscription::{Services, Subscription},
    subscription_repository::SubscriptionRepository,
    vapid::{VapidKey, VapidKeys},
};
use crate::{
    clock,
    keys::{Key, KeyEntry, KeyError},
    metrics::PushMetrics,
    store::{Database, StoreError},
    time::UnixMillis,
};
use reqwest::{Client, header};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time,
};

/// Maximum number of concurrent requests.
const MAX_CONCURRENT: usize = 32;
/// Of these, to one push service.
const MAX_PER_SERVICE: usize = 24;
/// Delay of a push whose service has reached its limit.
const SERVICE_BUSY_DELAY: Duration = Duration::from_millis(500);
/// Interval at which the queue is polled for pushes of other instances.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Time until the next poll if another instance has claimed all due pushes.
const CLAIMED_BY_OTHERS: Duration = Duration::from_millis(100);
/// Validity of a claim: longer than [`ATTEMPT_TIMEOUT`].
const LEASE: Duration = Duration::from_secs(30);
/// Time limit of one attempt with all its keys.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum number of attempts: with full jitter about two hours, at most four.
const MAX_ATTEMPTS: i64 = 14;
/// Maximum response body that is read, so that the connection can be reused.
const MAX_ANSWER_BYTES: usize = 16 * 1_024;

/// Sends pushes for one instance.
pub(crate) struct Delivery {
    queue: QueueRepository,
    subscriptions: SubscriptionRepository,
    keys: Arc<VapidKeys>,
    services: Services,
    contact: String,
    client: Client,
    metrics: PushMetrics,
    /// Notified when a push was queued on this instance.
    queued: Notify,
    instance: InstanceId,
}

impl Delivery {
    pub(crate) fn new(
        database: Database,
        keys: Arc<VapidKeys>,
        services: Services,
        contact: String,
        client: Client,
        metrics: PushMetrics,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            queue: QueueRepository::new(database.clone()),
            subscriptions: SubscriptionRepository::new(database),
            keys,
            services,
            contact,
            client,
            metrics,
            queued: Notify::new(),
            instance: InstanceId::random()?,
        })
    }

    /// Wakes the sender: a push was queued.
    pub(crate) fn notify(&self) {
        self.queued.notify_one();
    }

    /// Sends until `stop` becomes true, then waits for pending requests. To end earlier, drop the future.
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
                    Err(error) => tracing::error!(%error, "the push queue cannot be read"),
                }
            }
            tokio::select! {
                () = self.queued.notified(), if sending.len() < MAX_CONCURRENT => {}
                Some(_) = sending.join_next(), if sending.len() >= MAX_CONCURRENT => {}
                () = time::sleep(wait) => {}
                _ = stop.changed() => {}
            }
        }
        while sending.join_next().await.is_some() {}
    }

    /// Releases pushes that this instance has claimed and not sent, so that another instance can send them at once.
    pub(crate) async fn release(&self) {
        if let Err(error) = self.queue.release(&self.instance, clock::unix_milliseconds()).await {
            tracing::warn!(%error, "claimed pushes are sent again only after their lease");
        }
    }

    /// Claims due pushes. Returns the name of the claim, the pushes, and the time until the next poll.
    async fn claim(&self, batch: u64, free: usize) -> Result<(ClaimId, Vec<DuePush>, Duration), StoreError> {
        let claim = self.instance.claim(batch);
        let now = clock::unix_milliseconds();
        // A query costs less than a claim, which writes.
        let next = self.queue.next_due().await?;
        if next.is_none_or(|due| due > now) {
            let until = next.and_then(|due| due.since(now)).map_or(POLL_INTERVAL, |until| until.min(POLL_INTERVAL));
            return Ok((claim, Vec::new(), until));
        }
        let claimed = self.queue.claim(&claim, i64::try_from(free).unwrap_or(i64::MAX), now, now.after(LEASE)).await?;
        // More pushes may be due than there was capacity for; if none was claimed, another instance was faster.
        let until = if claimed.is_empty() { CLAIMED_BY_OTHERS } else { Duration::ZERO };
        Ok((claim, claimed, until))
    }

    /// Releases a push whose service has reached its limit; this does not count as an attempt.
    async fn defer(&self, claim: &ClaimId, due: &DuePush) {
        let at = clock::unix_milliseconds().after(SERVICE_BUSY_DELAY);
        if let Err(error) = self.queue.defer(claim, due, at).await {
            tracing::error!(%error, "a push becomes due again only after its lease");
        }
    }

    async fn deliver(self: Arc<Self>, claim: ClaimId, due: DuePush) {
        let retry = Ok(PushResponse::RetryAfter(Duration::ZERO));
        let response = time::timeout(ATTEMPT_TIMEOUT, self.attempt(&due)).await.unwrap_or(retry);
        let done = match response {
            Ok(response) => self.conclude(&claim, &due, response).await,
            Err(KeyError::Store(error)) => Err(error),
            Err(error) => {
                tracing::error!(%error, "a push could not be encoded");
                self.conclude(&claim, &due, PushResponse::Rejected).await
            }
        };
        // A push without a recorded result becomes due again after its lease.
        if let Err(error) = done {
            tracing::error!(%error, "the result of a push could not be stored");
        }
        self.notify();
    }

    async fn conclude(&self, claim: &ClaimId, due: &DuePush, response: PushResponse) -> Result<(), StoreError> {
        let now = clock::unix_milliseconds();
        let host = due.endpoint.host();
        match response {
            PushResponse::Delivered => {
                self.metrics.delivered.inc();
                self.queue.finish(claim, due, now).await
            }
            PushResponse::Gone => {
                self.metrics.pruned.inc();
                match self.subscription(due) {
                    Some(subscription) => self.subscriptions.delete_gone(&subscription).await?,
                    None => self.queue.finish(claim, due, now).await?,
                }
                // If the browser has renewed the subscription meanwhile, the subscription and its push still exist.
                self.queue.postpone(claim, due, now).await
            }
            PushResponse::RetryAfter(minimum) => {
                let wait = backoff(due.attempts, jitter()).max(minimum);
                let at = now.after(wait);
                if due.attempts >= MAX_ATTEMPTS || at >= due.expires {
                    tracing::warn!(host, attempts = due.attempts, "a push service did not accept a push in time");
                    self.metrics.dropped.inc();
                    return self.queue.finish(claim, due, now).await;
                }
                self.metrics.postponed.inc();
                self.queue.postpone(claim, due, at).await?;
                let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(host, milliseconds, "a push is retried later");
                Ok(())
            }
            PushResponse::WrongKey | PushResponse::Rejected => {
                self.metrics.dropped.inc();
                self.queue.finish(claim, due, now).await
            }
        }
    }

    fn subscription(&self, due: &DuePush) -> Option<Subscription> {
        Subscription::read(&due.endpoint, &due.p256dh, &due.auth, &self.services)
    }

    async fn attempt(&self, due: &DuePush) -> Result<PushResponse, KeyError> {
        let now = clock::unix_milliseconds();
        let (Some(subscription), Some(message)) = (self.subscription(due), Message::parse(&due.message)) else {
            // The entry was removed from `push.services` after the subscription was made.
            tracing::warn!(host = due.endpoint.host(), "a push was dropped: the service is not in push.services");
            return Ok(PushResponse::Rejected);
        };
        if due.expires <= now {
            return Ok(PushResponse::RetryAfter(Duration::ZERO));
        }
        // First the key that the subscription was made for; a service that accepts only another one indicates a
        // rotation in between.
        let entries = self.keys.entries();
        let own = entries.iter().filter(|entry| *entry.key.kid() == due.kid);
        let others = entries.iter().rev().filter(|entry| *entry.key.kid() != due.kid);
        let mut response = PushResponse::WrongKey;
        for entry in own.chain(others) {
            let entry: &KeyEntry<VapidKey> = entry;
            response = self.send(&subscription, message, &entry.key, due.expires).await?;
            if response == PushResponse::WrongKey {
                continue;
            }
            if response == PushResponse::Delivered && *entry.key.kid() != due.kid {
                self.subscriptions.set_key(&due.endpoint, entry.key.kid()).await?;
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
        expires: UnixMillis,
    ) -> Result<PushResponse, KeyError> {
        let now = clock::unix_milliseconds();
        let body = web_push_native::encrypt(message.text().into(), &to.public_key, &to.auth.into())
            .map_err(|_| KeyError::Library("encrypt a push"))?;
        let authorization = key.authorization(&to.url, &self.contact, now.seconds())?;
        let mut authorization = header::HeaderValue::try_from(authorization.as_str())
            .map_err(|_| KeyError::Library("write a header for a push service"))?;
        authorization.set_sensitive(true);
        // Rounded up, so that a push that was queued in this second keeps its full lifetime.
        let left = expires.since(now).unwrap_or_default();
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        let mut request = self
            .client
            .post(to.url.clone())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", seconds)
            .header("urgency", "high");
        if let Some(topic) = message.topic() {
            request = request.header("topic", topic);
        }
        let host = to.url.host_str();
        let response = match request.body(body).send().await {
            Ok(response) => response,
            Err(error) => {
                // The URL in an error would allow readers of the log to send pushes.
                tracing::warn!(host, error = %error.without_url(), "a push service cannot be reached");
                return Ok(PushResponse::RetryAfter(Duration::ZERO));
            }
        };
        let status = response.status();
        let asked = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, clock::unix_milliseconds()));
        service::body(response, MAX_ANSWER_BYTES).await;
        let response = classify(status, asked);
        if !matches!(response, PushResponse::Delivered | PushResponse::Gone) {
            tracing::warn!(host, status = status.as_u16(), "a push service did not accept a push");
        }
        Ok(response)
    }
}
