//! Messages that have left and are not acknowledged: one of a chat at a time, and for how long to wait for each.
//!
//! The time to wait follows the round trips seen so far on this connection, as TCP's does (RFC 6298, much simplified:
//! only messages sent once are measured, by Karn's rule). What this module does not know: what a message says, and how it is
//! sent again.

use crate::io::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// To wait for an acknowledgement while no round trip was seen yet.
const FIRST_WAIT: Millis = 3_000;
/// To wait at least, however fast the server is.
const LEAST_WAIT: Millis = 1_000;
/// To wait at most while tries are frequent.
const MOST_WAIT: Millis = 10_000;
/// Round trips to wait.
const ROUND_TRIPS: Millis = 4;
/// After this many tries a message is repeated once a minute only: the server will not have it, but may later.
const FREQUENT_TRIES: u32 = 8;
/// Between the rare tries.
const RARE_WAIT: Millis = 60_000;

#[derive(Debug)]
struct Flight {
    chat: String,
    sent: Millis,
    until: Millis,
}

/// What is in flight on this connection, by order.
#[derive(Debug, Default)]
pub(super) struct Flights {
    flying: BTreeMap<u64, Flight>,
    /// Transmissions of each message that was not acknowledged yet, and how many of them were of an envelope that was
    /// superseded since: as many acks say nothing about the new one.
    tries: BTreeMap<u64, Tries>,
    round_trip: Option<Millis>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tries {
    sent: u32,
    superseded: u32,
}

impl Flights {
    /// The connection is another.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Chats that have a message in flight.
    pub(super) fn chats(&self) -> BTreeSet<String> {
        self.flying.values().map(|flight| flight.chat.clone()).collect()
    }

    /// A message leaves.
    pub(super) fn begin(&mut self, order: u64, chat: String, now: Millis) {
        let tries = self.tries.entry(order).or_default();
        tries.sent = tries.sent.saturating_add(1);
        let wait = match (tries.sent, self.round_trip) {
            (FREQUENT_TRIES.., _) => RARE_WAIT,
            (_, None) => FIRST_WAIT,
            (_, Some(round_trip)) => round_trip.saturating_mul(ROUND_TRIPS).clamp(LEAST_WAIT, MOST_WAIT),
        };
        self.flying.insert(order, Flight { chat, sent: now, until: now.saturating_add(wait) });
    }

    /// The server acknowledged a message, or refused it. Answers whether that is about what we want it to have.
    pub(super) fn acknowledged(&mut self, order: u64, now: Millis) -> bool {
        if let Some(tries) = self.tries.get_mut(&order) {
            tries.sent = tries.sent.saturating_sub(1);
            if tries.superseded > 0 {
                tries.superseded -= 1;
                return false;
            }
        }
        if let Some(flight) = self.flying.remove(&order)
            && self.tries.get(&order).is_none_or(|tries| tries.sent == 0)
        {
            let seen = now.saturating_sub(flight.sent);
            self.round_trip =
                Some(self.round_trip.map_or(seen, |known| known.saturating_mul(7).saturating_add(seen) / 8));
        }
        true
    }

    /// Another envelope takes the place of the one that was sent.
    pub(super) fn supersede(&mut self, order: u64) {
        self.flying.remove(&order);
        if let Some(tries) = self.tries.get_mut(&order) {
            tries.superseded = tries.sent;
        }
    }

    /// The message is done with.
    pub(super) fn forget(&mut self, order: u64) {
        self.flying.remove(&order);
        self.tries.remove(&order);
    }

    /// Messages whose time is up. They are not in flight any more. A clock that jumped back is no reason to wait longer.
    pub(super) fn overdue(&mut self, now: Millis) -> Vec<u64> {
        let late = |flight: &Flight| flight.until <= now || flight.sent > now;
        let overdue: Vec<u64> =
            self.flying.iter().filter(|(_, flight)| late(flight)).map(|(&order, _)| order).collect();
        for order in &overdue {
            self.flying.remove(order);
        }
        overdue
    }

    /// When the first one's time is up.
    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.flying.values().map(|flight| flight.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_the_round_trips_within_bounds() {
        let mut flights = Flights::default();
        flights.begin(1, "a".into(), 0);
        assert_eq!(flights.wake_at(), Some(FIRST_WAIT));
        assert!(flights.acknowledged(1, 500));
        flights.forget(1);
        flights.begin(2, "a".into(), 10_000);
        assert_eq!(flights.wake_at(), Some(12_000), "four round trips of half a second");
        assert!(flights.acknowledged(2, 10_001));
        flights.forget(2);
        for order in 3..40 {
            flights.begin(order, "a".into(), 20_000);
            assert!(flights.acknowledged(order, 20_001));
            flights.forget(order);
        }
        flights.begin(50, "a".into(), 30_000);
        assert_eq!(flights.wake_at(), Some(30_000 + LEAST_WAIT));
    }

    #[test]
    fn a_repeated_message_measures_nothing_and_is_repeated_less_and_less() {
        let mut flights = Flights::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..9 {
            flights.begin(1, "a".into(), now);
            let until = flights.wake_at().unwrap_or(0);
            waits.push(until - now);
            now = until;
            assert_eq!(flights.overdue(now), [1]);
        }
        assert_eq!(waits, [3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 60_000, 60_000]);
        assert!(flights.acknowledged(1, now + 9_000_000));
        assert_eq!(flights.round_trip, None);
    }

    #[test]
    fn acks_of_a_superseded_envelope_do_not_count() {
        let mut flights = Flights::default();
        flights.begin(1, "a".into(), 0);
        assert_eq!(flights.overdue(FIRST_WAIT), [1]);
        flights.begin(1, "a".into(), FIRST_WAIT);
        flights.supersede(1);
        assert!(flights.chats().is_empty());
        flights.begin(1, "a".into(), FIRST_WAIT + 1);
        assert!(!flights.acknowledged(1, 4_000));
        assert!(!flights.acknowledged(1, 4_000));
        assert!(flights.acknowledged(1, 4_000), "two were of the old envelope, the third is of the new one");
    }

    #[test]
    fn a_clock_that_jumps_back_keeps_nobody_waiting() {
        let mut flights = Flights::default();
        flights.begin(1, "a".into(), 1_000_000_000);
        assert_eq!(flights.overdue(5), [1]);
    }
}
