//! Messages that were sent and are not acknowledged: at most one of a chat, and the time-out of each.
//!
//! The time-out follows the round trips seen so far on this connection, as TCP's does (RFC 6298, much simplified:
//! only messages sent once are measured, by Karn's rule). What this module does not know: the content of messages, and
//! how they are sent again.

use crate::id::Order;
use crate::model::{ChatId, PeerId, StanzaId};
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use crate::time::{Millis, UnixMillis};

/// Time-out before the first round trip was measured.
const FIRST_WAIT: Millis = Millis(3_000);
/// Shortest time-out.
const MIN_WAIT: Millis = Millis(1_000);
/// Longest time-out of the frequent tries.
const MAX_WAIT: Millis = Millis(10_000);
/// Round trips in a time-out.
const ROUND_TRIPS: u64 = 4;
/// Number of tries after which a message is sent again only once a minute: the server may accept it later.
const FREQUENT_TRIES: u64 = 8;
/// Interval of the rare tries.
const RARE_WAIT: Millis = Millis(60_000);

#[derive(Debug)]
struct Transmission {
    chat: ChatId,
    sent: UnixMillis,
    until: UnixMillis,
}

/// Messages in flight on this connection, by order.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    transmissions: SortedMap<Order, Transmission>,
    /// Transmissions of each message whose acks are still to come.
    tries: SortedMap<Order, u64>,
    /// Outstanding acks, by message id, that do not concern the current envelope: the message was acknowledged before,
    /// or its envelope was superseded since it was sent.
    stale: SortedMap<StanzaId, u64>,
    round_trip: Option<Millis>,
}

impl InFlight {
    /// A new connection: nothing is in flight.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Chats that have a message in flight.
    pub(super) fn chats(&self) -> SortedSet<ChatId> {
        self.transmissions.values().map(|transmission| transmission.chat.clone()).collect()
    }

    /// A message is about to be sent, when its envelope is durable: its chat has a message in flight.
    pub(super) fn begin(&mut self, order: Order, chat: ChatId, now: UnixMillis) {
        let tries = self.tries.get(&order).copied().unwrap_or_default().saturating_add(1);
        let wait = match (tries, self.round_trip) {
            (FREQUENT_TRIES.., _) => RARE_WAIT,
            (_, None) => FIRST_WAIT,
            (_, Some(round_trip)) => Millis(round_trip.0.saturating_mul(ROUND_TRIPS)).clamp(MIN_WAIT, MAX_WAIT),
        };
        self.transmissions.insert(order, Transmission { chat, sent: now, until: now.after(wait) });
    }

    /// A message is sent: an ack of it is to come.
    pub(super) fn sent(&mut self, order: Order) {
        let tries = self.tries.get_or_default(order);
        *tries = tries.saturating_add(1);
    }

    /// A message that was about to be sent is not.
    pub(super) fn withhold(&mut self, order: Order) {
        self.transmissions.remove(&order);
    }

    /// The server acknowledged or refused a message. Returns whether that concerns its current envelope.
    pub(super) fn acknowledged(&mut self, order: Order, id: &StanzaId, now: UnixMillis) -> bool {
        if let Some(stale) = self.stale.get_mut(id.as_str()).filter(|stale| **stale > 0) {
            *stale -= 1;
            return false;
        }
        // A message that was not sent on this connection cannot be acknowledged on it.
        let Some(tries) = self.tries.get_mut(&order).filter(|tries| **tries > 0) else { return false };
        *tries -= 1;
        if let (0, Some(transmission)) = (*tries, self.transmissions.get(&order)) {
            let seen = now.since(transmission.sent);
            self.round_trip = Some(
                self.round_trip.map_or(seen, |known| Millis(known.0.saturating_mul(7).saturating_add(seen.0) / 8)),
            );
        }
        self.transmissions.remove(&order);
        true
    }

    /// The message is complete, or another envelope supersedes the one that was sent.
    pub(super) fn forget(&mut self, order: Order, id: &StanzaId) {
        self.transmissions.remove(&order);
        if let Some(tries) = self.tries.remove(&order).filter(|tries| *tries > 0) {
            let stale = self.stale.get_or_default(id.clone());
            *stale = stale.saturating_add(tries);
        }
    }

    /// Removes and returns the overdue messages, with their chats. A clock that jumped back counts as overdue.
    pub(super) fn overdue(&mut self, now: UnixMillis) -> Vec<(Order, ChatId)> {
        let mut overdue = Vec::new();
        self.transmissions.retain(|&order, transmission| {
            let is_late = transmission.until <= now || transmission.sent > now;
            if is_late {
                overdue.push((order, transmission.chat.clone()));
            }
            !is_late
        });
        overdue
    }

    /// The messages of a chat are in another one now.
    pub(super) fn rename(&mut self, from: &PeerId, to: &PeerId) {
        self.transmissions.retain(|_, transmission| {
            if transmission.chat == *from.chat() {
                transmission.chat = to.chat().clone();
            }
            true
        });
    }

    /// When the first message is overdue.
    pub(super) fn wake_at(&self) -> Option<UnixMillis> {
        self.transmissions.values().map(|transmission| transmission.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn x() -> StanzaId {
        StanzaId::new("x".to_owned())
    }

    fn send(in_flight: &mut InFlight, order: Order, now: UnixMillis) {
        in_flight.begin(order, ChatId::named("a"), now);
        in_flight.sent(order);
    }

    #[test]
    fn the_wait_follows_the_round_trips_within_bounds() {
        let mut in_flight = InFlight::default();
        send(&mut in_flight, Order(1), UnixMillis(0));
        assert_eq!(in_flight.wake_at(), Some(UnixMillis(FIRST_WAIT.0)));
        assert!(in_flight.acknowledged(Order(1), &x(), UnixMillis(500)));
        in_flight.forget(Order(1), &x());
        send(&mut in_flight, Order(2), UnixMillis(10_000));
        assert_eq!(in_flight.wake_at(), Some(UnixMillis(12_000)), "four round trips of half a second");
        assert!(in_flight.acknowledged(Order(2), &x(), UnixMillis(10_001)));
        in_flight.forget(Order(2), &x());
        for order in (3..40).map(Order) {
            send(&mut in_flight, order, UnixMillis(20_000));
            assert!(in_flight.acknowledged(order, &x(), UnixMillis(20_001)));
            in_flight.forget(order, &x());
        }
        send(&mut in_flight, Order(50), UnixMillis(30_000));
        assert_eq!(in_flight.wake_at(), Some(UnixMillis(30_000).after(MIN_WAIT)));
    }

    #[test]
    fn a_repeated_message_measures_nothing_and_is_repeated_ever_less_often() {
        let mut in_flight = InFlight::default();
        let mut now = UnixMillis(0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            send(&mut in_flight, Order(1), now);
            let until = in_flight.wake_at().unwrap();
            waits.push(until.since(now).0);
            now = until;
            assert_eq!(in_flight.overdue(now), [(Order(1), ChatId::named("a"))]);
        }
        assert_eq!(waits, [3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 60_000, 60_000]);
        assert!(in_flight.acknowledged(Order(1), &x(), now.after(Millis(9_000_000))));
        assert_eq!(in_flight.round_trip, None);
    }

    #[test]
    fn acks_of_a_superseded_envelope_do_not_count() {
        let mut in_flight = InFlight::default();
        send(&mut in_flight, Order(1), UnixMillis(0));
        assert_eq!(in_flight.overdue(UnixMillis(FIRST_WAIT.0)), [(Order(1), ChatId::named("a"))]);
        send(&mut in_flight, Order(1), UnixMillis(FIRST_WAIT.0));
        in_flight.forget(Order(1), &x());
        assert!(in_flight.chats().is_empty());
        send(&mut in_flight, Order(1), UnixMillis(FIRST_WAIT.0 + 1));
        assert!(!in_flight.acknowledged(Order(1), &x(), UnixMillis(4_000)));
        assert!(!in_flight.acknowledged(Order(1), &x(), UnixMillis(4_000)));
        assert!(
            in_flight.acknowledged(Order(1), &x(), UnixMillis(4_000)),
            "two were of the old envelope, the third is of the new one"
        );
    }

    #[test]
    fn a_clock_that_jumps_back_delays_no_message() {
        let mut in_flight = InFlight::default();
        send(&mut in_flight, Order(1), UnixMillis(1_000_000_000));
        assert_eq!(in_flight.overdue(UnixMillis(5)), [(Order(1), ChatId::named("a"))]);
    }

    #[test]
    fn a_late_ack_of_an_acknowledged_message_does_not_count_for_its_resend() {
        let mut in_flight = InFlight::default();
        send(&mut in_flight, Order(1), UnixMillis(0));
        assert_eq!(in_flight.overdue(UnixMillis(FIRST_WAIT.0)), [(Order(1), ChatId::named("a"))]);
        send(&mut in_flight, Order(1), UnixMillis(FIRST_WAIT.0));
        assert!(in_flight.acknowledged(Order(1), &x(), UnixMillis(4_000)));
        in_flight.forget(Order(1), &x());
        assert!(!in_flight.acknowledged(Order(2), &x(), UnixMillis(4_001)), "the second ack of the first envelope");
        assert!(!in_flight.acknowledged(Order(2), &x(), UnixMillis(4_002)), "the resend has not left yet");
        send(&mut in_flight, Order(2), UnixMillis(5_000));
        assert!(in_flight.acknowledged(Order(2), &x(), UnixMillis(5_001)));
    }
}
