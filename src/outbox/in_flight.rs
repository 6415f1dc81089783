//! Messages that were sent and are not acknowledged: at most one of a chat, and the time-out of each.
//!
//! The time-out follows the round trips seen so far on this connection, as TCP's does (RFC 6298, much simplified:
//! only messages sent once are measured, by Karn's rule). What this module does not know: the content of messages, and
//! how they are sent again.

use crate::model::PeerId;
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use crate::time::Millis;

/// Time-out before the first round trip was measured.
const FIRST_WAIT: Millis = 3_000;
/// Shortest time-out.
const MIN_WAIT: Millis = 1_000;
/// Longest time-out of the frequent tries.
const MAX_WAIT: Millis = 10_000;
/// Round trips in a time-out.
const ROUND_TRIPS: Millis = 4;
/// Number of tries after which a message is sent again only once a minute: the server may accept it later.
const FREQUENT_TRIES: u64 = 8;
/// Interval of the rare tries.
const RARE_WAIT: Millis = 60_000;

#[derive(Debug)]
struct Transmission {
    chat: String,
    sent: Millis,
    until: Millis,
}

/// Messages in flight on this connection, by order.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    transmissions: SortedMap<u64, Transmission>,
    /// Transmissions of each message whose acks are still to come.
    tries: SortedMap<u64, u64>,
    /// Outstanding acks, by message id, that do not concern the current envelope: the message was acknowledged before,
    /// or its envelope was superseded since it was sent.
    stale: SortedMap<String, u64>,
    round_trip: Option<Millis>,
}

impl InFlight {
    /// A new connection: nothing is in flight.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Chats that have a message in flight.
    pub(super) fn chats(&self) -> SortedSet<String> {
        self.transmissions.values().map(|transmission| transmission.chat.clone()).collect()
    }

    /// A message is sent.
    pub(super) fn begin(&mut self, order: u64, chat: String, now: Millis) {
        let tries = self.tries.get_or_default(order);
        *tries = tries.saturating_add(1);
        let wait = match (*tries, self.round_trip) {
            (FREQUENT_TRIES.., _) => RARE_WAIT,
            (_, None) => FIRST_WAIT,
            (_, Some(round_trip)) => round_trip.saturating_mul(ROUND_TRIPS).clamp(MIN_WAIT, MAX_WAIT),
        };
        self.transmissions.insert(order, Transmission { chat, sent: now, until: now.saturating_add(wait) });
    }

    /// The server acknowledged or refused a message. Returns whether that concerns its current envelope.
    pub(super) fn acknowledged(&mut self, order: u64, id: &str, now: Millis) -> bool {
        if let Some(stale) = self.stale.get_mut(id).filter(|stale| **stale > 0) {
            *stale -= 1;
            return false;
        }
        // A message that was not sent on this connection cannot be acknowledged on it.
        let Some(tries) = self.tries.get_mut(&order).filter(|tries| **tries > 0) else { return false };
        *tries -= 1;
        if let (0, Some(transmission)) = (*tries, self.transmissions.get(&order)) {
            let seen = now.saturating_sub(transmission.sent);
            self.round_trip =
                Some(self.round_trip.map_or(seen, |known| known.saturating_mul(7).saturating_add(seen) / 8));
        }
        self.transmissions.remove(&order);
        true
    }

    /// The message is complete, or another envelope supersedes the one that was sent.
    pub(super) fn forget(&mut self, order: u64, id: &str) {
        self.transmissions.remove(&order);
        if let Some(tries) = self.tries.remove(&order).filter(|tries| *tries > 0) {
            let stale = self.stale.get_or_default(id.to_owned());
            *stale = stale.saturating_add(tries);
        }
    }

    /// Removes and returns the overdue messages. A clock that jumped back counts as overdue.
    pub(super) fn overdue(&mut self, now: Millis) -> Vec<u64> {
        let late = |transmission: &Transmission| transmission.until <= now || transmission.sent > now;
        let overdue: Vec<u64> =
            self.transmissions.iter().filter(|(_, transmission)| late(transmission)).map(|(&order, _)| order).collect();
        for order in &overdue {
            self.transmissions.remove(order);
        }
        overdue
    }

    /// The messages of a chat are in another one now.
    pub(super) fn rename(&mut self, from: &PeerId, to: &PeerId) {
        self.transmissions.retain(|_, transmission| {
            if transmission.chat == from.as_str() {
                transmission.chat = to.to_string();
            }
            true
        });
    }

    /// When the first message is overdue.
    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.transmissions.values().map(|transmission| transmission.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_the_round_trips_within_bounds() {
        let mut in_flight = InFlight::default();
        in_flight.begin(1, "a".into(), 0);
        assert_eq!(in_flight.wake_at(), Some(FIRST_WAIT));
        assert!(in_flight.acknowledged(1, "x", 500));
        in_flight.forget(1, "x");
        in_flight.begin(2, "a".into(), 10_000);
        assert_eq!(in_flight.wake_at(), Some(12_000), "four round trips of half a second");
        assert!(in_flight.acknowledged(2, "x", 10_001));
        in_flight.forget(2, "x");
        for order in 3..40 {
            in_flight.begin(order, "a".into(), 20_000);
            assert!(in_flight.acknowledged(order, "x", 20_001));
            in_flight.forget(order, "x");
        }
        in_flight.begin(50, "a".into(), 30_000);
        assert_eq!(in_flight.wake_at(), Some(30_000 + MIN_WAIT));
    }

    #[test]
    fn a_repeated_message_measures_nothing_and_is_repeated_ever_less_often() {
        let mut in_flight = InFlight::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..9 {
            in_flight.begin(1, "a".into(), now);
            let until = in_flight.wake_at().unwrap_or(0);
            waits.push(until - now);
            now = until;
            assert_eq!(in_flight.overdue(now), [1]);
        }
        assert_eq!(waits, [3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 60_000, 60_000]);
        assert!(in_flight.acknowledged(1, "x", now + 9_000_000));
        assert_eq!(in_flight.round_trip, None);
    }

    #[test]
    fn acks_of_a_superseded_envelope_do_not_count() {
        let mut in_flight = InFlight::default();
        in_flight.begin(1, "a".into(), 0);
        assert_eq!(in_flight.overdue(FIRST_WAIT), [1]);
        in_flight.begin(1, "a".into(), FIRST_WAIT);
        in_flight.forget(1, "x");
        assert!(in_flight.chats().is_empty());
        in_flight.begin(1, "a".into(), FIRST_WAIT + 1);
        assert!(!in_flight.acknowledged(1, "x", 4_000));
        assert!(!in_flight.acknowledged(1, "x", 4_000));
        assert!(in_flight.acknowledged(1, "x", 4_000), "two were of the old envelope, the third is of the new one");
    }

    #[test]
    fn a_clock_that_jumps_back_delays_no_message() {
        let mut in_flight = InFlight::default();
        in_flight.begin(1, "a".into(), 1_000_000_000);
        assert_eq!(in_flight.overdue(5), [1]);
    }

    #[test]
    fn a_late_ack_of_an_acknowledged_message_does_not_count_for_its_resend() {
        let mut in_flight = InFlight::default();
        in_flight.begin(1, "a".into(), 0);
        assert_eq!(in_flight.overdue(FIRST_WAIT), [1]);
        in_flight.begin(1, "a".into(), FIRST_WAIT);
        assert!(in_flight.acknowledged(1, "x", 4_000));
        in_flight.forget(1, "x");
        assert!(!in_flight.acknowledged(2, "x", 4_001), "the second ack of the first envelope");
        assert!(!in_flight.acknowledged(2, "x", 4_002), "the resend has not left yet");
        in_flight.begin(2, "a".into(), 5_000);
        assert!(in_flight.acknowledged(2, "x", 5_001));
    }
}
