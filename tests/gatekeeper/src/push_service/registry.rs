//! State of the push service: subscriptions, connected browsers, waiting messages and their outcomes.
//!
//! A message waits until the browser acknowledges it or its time is over, and goes out again on every connection until
//! then. Time is an argument. Must not know sockets, and whether a server may post.

use super::message::{Delivery, Posted, Rejection, State, Waiting};
use super::subscriptions::{Channels, SubscriptionError, Subscriptions, Target, fresh_agent};
use crate::time::UnixMillis;
use crate::{hex, random};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Messages waiting for one browser.
const MAX_WAITING: usize = 2_000;
/// Most deliveries and rejections kept; the oldest are dropped first.
const MAX_REMEMBERED: usize = 10_000;

/// Time for a message with TTL 0 to reach a connected browser.
const PASSAGE: Duration = Duration::from_secs(10);

struct Link {
    serial: u64,
    wake: Arc<Notify>,
}

/// A connection's slot; notified when there is something to do, also when the slot was taken by another.
pub(crate) struct ConnectionSlot {
    pub(crate) serial: u64,
    pub(crate) wake: Arc<Notify>,
}

/// Answers that a test has ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) status: u16,
    /// Posts that get it.
    pub(crate) count: u32,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u32>,
}

/// The state of the push service.
pub(crate) struct Registry {
    subscriptions: Subscriptions,
    links: HashMap<String, Link>,
    serial: u64,
    waiting: BTreeMap<String, VecDeque<Waiting>>,
    deliveries: VecDeque<Delivery>,
    rejections: VecDeque<Rejection>,
    ordered: Option<Ordered>,
    held: bool,
}

impl Registry {
    pub(crate) fn open(folder: &Path) -> Result<Self, SubscriptionError> {
        Ok(Self {
            subscriptions: Subscriptions::open(folder)?,
            links: HashMap::new(),
            serial: 0,
            waiting: BTreeMap::new(),
            deliveries: VecDeque::new(),
            rejections: VecDeque::new(),
            ordered: None,
            held: false,
        })
    }

    /// Gives a browser its slot. It keeps the id that it names if it has subscriptions under it; an earlier connection
    /// loses the slot.
    pub(crate) fn join(&mut self, named: Option<&str>) -> (String, ConnectionSlot) {
        let known = named.filter(|agent| self.subscriptions.knows(agent));
        let agent = known.map_or_else(fresh_agent, str::to_owned);
        self.serial += 1;
        let wake = Arc::new(Notify::new());
        // What waits is sent at once.
        wake.notify_one();
        let link = Link { serial: self.serial, wake: Arc::clone(&wake) };
        if let Some(replaced) = self.links.insert(agent.clone(), link) {
            replaced.wake.notify_one();
        }
        (agent, ConnectionSlot { serial: self.serial, wake })
    }

    /// Whether this connection still has the browser's slot.
    pub(crate) fn holds_slot(&self, agent: &str, serial: u64) -> bool {
        self.links.get(agent).is_some_and(|link| link.serial == serial)
    }

    /// Releases the slot, unless another connection has it.
    pub(crate) fn leave(&mut self, agent: &str, serial: u64) {
        if self.holds_slot(agent, serial) {
            self.links.remove(agent);
        }
    }

    pub(crate) fn register(
        &mut self,
        agent: &str,
        channel: &str,
        key: Option<&str>,
    ) -> Result<String, SubscriptionError> {
        self.subscriptions.add(agent, channel, key)
    }

    pub(crate) fn unregister(&mut self, agent: &str, channel: &str, now: UnixMillis) -> Result<(), SubscriptionError> {
        self.subscriptions.remove(agent, channel)?;
        self.settle(agent, |message| message.channel == channel, State::Dropped, None, now);
        Ok(())
    }

    /// What an endpoint's token leads to.
    pub(crate) fn find(&self, token: &str) -> Target {
        self.subscriptions.find(token)
    }

    /// Keeps a message and wakes the browser. The message's name; `None` when too many wait.
    pub(crate) fn keep(&mut self, agent: &str, channel: &str, posted: Posted, now: UnixMillis) -> Option<String> {
        self.expire(agent, now);
        if let Some(topic) = &posted.topic {
            let same = |message: &Waiting| message.channel == channel && message.topic.as_ref() == Some(topic);
            self.settle(agent, same, State::Replaced, None, now);
        }
        let queue = self.waiting.entry(agent.to_owned()).or_default();
        if queue.len() >= MAX_WAITING {
            return None;
        }
        let version = hex::encode(&random::bytes::<16>());
        let Posted { ttl, topic, urgency, body } = posted;
        remember(
            &mut self.deliveries,
            Delivery {
                version: version.clone(),
                agent: agent.to_owned(),
                channel: channel.to_owned(),
                ttl,
                topic: topic.clone(),
                urgency,
                bytes: body.len(),
                posted_at: now,
                state: State::Waiting,
                code: None,
                changed_at: now,
            },
        );
        let link = self.links.get(agent).filter(|_| !self.held);
        if link.is_none() && ttl == 0 {
            // RFC 8030 §5.2: to be delivered now or never.
            self.mark(&version, State::Expired, None, now);
            return Some(version);
        }
        let wait = if ttl == 0 { PASSAGE } else { Duration::from_secs(ttl) };
        let expires = now.after(wait);
        queue.push_back(Waiting {
            version: version.clone(),
            channel: channel.to_owned(),
            topic,
            body,
            expires,
            sent_on: None,
        });
        if let Some(link) = link {
            link.wake.notify_one();
        }
        Some(version)
    }

    /// The next message that has not gone out on this connection; it then counts as sent.
    pub(crate) fn next(&mut self, agent: &str, serial: u64, now: UnixMillis) -> Option<Waiting> {
        if self.held || !self.holds_slot(agent, serial) {
            return None;
        }
        self.expire(agent, now);
        let next = self.waiting.get_mut(agent)?.iter_mut().find(|message| message.sent_on != Some(serial))?;
        next.sent_on = Some(serial);
        let next = next.clone();
        self.mark(&next.version, State::Sent, None, now);
        Some(next)
    }

    /// The browser is done with a message.
    pub(crate) fn done(&mut self, agent: &str, version: &str, state: State, code: Option<u64>, now: UnixMillis) {
        self.settle(agent, |message| message.version == version, state, code, now);
    }

    /// Notes a post that was not taken.
    pub(crate) fn reject(&mut self, status: u16, reason: String, now: UnixMillis) {
        remember(&mut self.rejections, Rejection { status, reason, at: now });
    }

    /// The answer that a test has ordered for this post.
    pub(crate) fn ordered(&mut self) -> Option<Ordered> {
        let ordered = self.ordered.as_mut().filter(|ordered| ordered.count > 0)?;
        ordered.count -= 1;
        Some(*ordered)
    }

    /// Orders the next answers.
    pub(crate) fn order(&mut self, ordered: Ordered) {
        self.ordered = Some(ordered);
    }

    /// Keeps messages from browsers that are connected, as if they slept; or no longer.
    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
        self.links.values().for_each(|link| link.wake.notify_one());
    }

    /// Ends connections; subscriptions and messages stay.
    pub(crate) fn disconnect(&mut self, agent: Option<&str>) {
        self.links.retain(|connected, link| {
            let spared = agent.is_some_and(|agent| agent != connected);
            if !spared {
                link.wake.notify_one();
            }
            spared
        });
    }

    /// Forgets browsers: their subscriptions end, and their next hello gets a new id.
    pub(crate) fn drop_agents(&mut self, agent: Option<&str>, now: UnixMillis) -> Result<usize, SubscriptionError> {
        let all = self.subscriptions.agents().map(|(known, _)| known.clone());
        let named: Vec<String> = all.filter(|known| agent.is_none_or(|agent| agent == known)).collect();
        for known in &named {
            self.subscriptions.forget(known)?;
            self.settle(known, |_| true, State::Dropped, None, now);
            self.disconnect(Some(known));
        }
        Ok(named.len())
    }

    /// Browsers with their subscriptions, and whether each is connected.
    pub(crate) fn agents(&self) -> impl Iterator<Item = (&String, &Channels, bool)> {
        self.subscriptions.agents().map(|(agent, channels)| (agent, channels, self.links.contains_key(agent)))
    }

    /// Messages, oldest first.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter()
    }

    /// Posts that were not taken, oldest first.
    pub(crate) fn rejections(&self) -> impl Iterator<Item = &Rejection> {
        self.rejections.iter()
    }

    /// Drops what waits for this browser and is too old.
    fn expire(&mut self, agent: &str, now: UnixMillis) {
        self.settle(agent, |message| message.expires < now, State::Expired, None, now);
    }

    /// Takes messages out of the queue and notes why.
    fn settle(
        &mut self,
        agent: &str,
        which: impl Fn(&Waiting) -> bool,
        state: State,
        code: Option<u64>,
        now: UnixMillis,
    ) {
        let Some(queue) = self.waiting.get_mut(agent) else { return };
        let mut settled = Vec::new();
        queue.retain(|message| {
            let gone = which(message);
            if gone {
                settled.push(message.version.clone());
            }
            !gone
        });
        if queue.is_empty() {
            self.waiting.remove(agent);
        }
        for version in settled {
            self.mark(&version, state, code, now);
        }
    }

    fn mark(&mut self, version: &str, state: State, code: Option<u64>, now: UnixMillis) {
        // What is under way is among the newest.
        if let Some(delivery) = self.deliveries.iter_mut().rev().find(|delivery| delivery.version == version) {
            (delivery.state, delivery.code, delivery.changed_at) = (state, code, now);
        }
    }
}

fn remember<T>(list: &mut VecDeque<T>, entry: T) {
    list.push_back(entry);
    if list.len() > MAX_REMEMBERED {
        list.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Urgency;
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_800_000_000_000);

    fn registry() -> (tempfile::TempDir, Registry) {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path()).unwrap();
        (folder, registry)
    }

    fn posted(ttl: u64, topic: Option<&str>) -> Posted {
        Posted { ttl, topic: topic.map(str::to_owned), urgency: Urgency::High, body: vec![1] }
    }

    fn states(registry: &Registry) -> Vec<State> {
        registry.deliveries().map(|delivery| delivery.state).collect()
    }

    #[test]
    fn what_waits_goes_out_on_every_connection_until_it_is_acknowledged() {
        let (_folder, mut registry) = registry();
        let (agent, slot) = registry.join(None);
        registry.register(&agent, "c", None).unwrap();
        let version = registry.keep(&agent, "c", posted(60, None), NOW).unwrap();
        assert_eq!(registry.next(&agent, slot.serial, NOW).unwrap().version, version);
        assert!(registry.next(&agent, slot.serial, NOW).is_none(), "once a connection");
        registry.leave(&agent, slot.serial);
        let (same, slot) = registry.join(Some(&agent));
        assert_eq!(same, agent);
        assert_eq!(registry.next(&agent, slot.serial, NOW).unwrap().version, version);
        registry.done(&agent, &version, State::Acknowledged, Some(100), NOW);
        let (_, slot) = registry.join(Some(&agent));
        assert!(registry.next(&agent, slot.serial, NOW).is_none());
        assert_eq!(
            (states(&registry), registry.deliveries().next().unwrap().code),
            (vec![State::Acknowledged], Some(100))
        );
    }

    #[test]
    fn time_ends_a_message_and_a_topic_replaces_it() {
        let (_folder, mut registry) = registry();
        let (agent, slot) = registry.join(None);
        registry.register(&agent, "c", None).unwrap();
        registry.leave(&agent, slot.serial);
        registry.keep(&agent, "c", posted(60, Some("a")), NOW).unwrap();
        registry.keep(&agent, "c", posted(60, Some("b")), NOW).unwrap();
        let last = registry.keep(&agent, "c", posted(90, Some("a")), NOW).unwrap();
        registry.keep(&agent, "c", posted(0, None), NOW).unwrap();
        let (_, slot) = registry.join(Some(&agent));
        assert_eq!(registry.next(&agent, slot.serial, NOW.after(Duration::from_secs(61))).unwrap().version, last);
        assert!(registry.next(&agent, slot.serial, NOW.after(Duration::from_secs(61))).is_none());
        assert_eq!(states(&registry), [State::Replaced, State::Expired, State::Sent, State::Expired]);
    }

    #[test]
    fn a_message_with_ttl_0_reaches_a_connected_browser() {
        let (_folder, mut registry) = registry();
        let (agent, slot) = registry.join(None);
        registry.register(&agent, "c", None).unwrap();
        registry.keep(&agent, "c", posted(0, None), NOW).unwrap();
        assert!(registry.next(&agent, slot.serial, NOW.after(Duration::from_millis(1))).is_some());
    }

    #[test]
    fn a_dropped_browser_gets_a_new_id() {
        let (_folder, mut registry) = registry();
        let (agent, slot) = registry.join(None);
        let token = registry.register(&agent, "c", None).unwrap();
        registry.keep(&agent, "c", posted(60, None), NOW).unwrap();
        assert_eq!(registry.drop_agents(None, NOW).unwrap(), 1);
        assert!(!registry.holds_slot(&agent, slot.serial));
        assert_eq!((registry.find(&token), states(&registry)), (Target::Ended, vec![State::Dropped]));
        assert_ne!(registry.join(Some(&agent)).0, agent);
    }

    #[test]
    fn a_sleeping_browser_gets_nothing_until_it_wakes() {
        let (_folder, mut registry) = registry();
        let (agent, slot) = registry.join(None);
        registry.register(&agent, "c", None).unwrap();
        registry.hold(true);
        registry.keep(&agent, "c", posted(60, None), NOW).unwrap();
        assert!(registry.next(&agent, slot.serial, NOW).is_none());
        registry.hold(false);
        assert!(registry.next(&agent, slot.serial, NOW).is_some());
    }

    #[test]
    fn the_number_of_waiting_messages_is_limited() {
        let (_folder, mut registry) = registry();
        let (agent, _) = registry.join(None);
        for _ in 0..MAX_WAITING {
            registry.keep(&agent, "c", posted(60, None), NOW).unwrap();
        }
        assert_eq!(registry.keep(&agent, "c", posted(60, None), NOW), None);
    }
}
