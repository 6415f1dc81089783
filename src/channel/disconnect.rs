//! The end of a connection, or of an attempt, and what follows.

use super::round_trip_probe::RoundTripProbe;
use super::{Channel, DisconnectPolicy, Event, State};
use crate::id::SocketId;
use crate::io::{Millis, Output};
use crate::view::Issue;
use rand_core::CryptoRng;

impl Channel {
    /// The socket is closed.
    pub(crate) fn closed(&mut self, socket: SocketId, now: Millis, rng: &mut dyn CryptoRng) {
        if socket == self.socket && !self.is_idle() {
            self.lose(DisconnectPolicy::Retry(Issue::ChatUnreachable), now, rng);
        }
    }

    /// A connection could not be started: schedules the next attempt.
    pub(crate) fn postpone(&mut self, issue: Issue, now: Millis, rng: &mut dyn CryptoRng) {
        self.lose(DisconnectPolicy::Retry(issue), now, rng);
    }

    /// Stops until the user acts.
    pub(crate) fn stop(&mut self, issue: Issue, now: Millis, rng: &mut dyn CryptoRng) {
        self.lose(DisconnectPolicy::Stop(issue), now, rng);
    }

    pub(super) fn broken(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        self.lose(DisconnectPolicy::Retry(Issue::ChannelBroken), now, rng);
    }

    pub(super) fn lose(&mut self, policy: DisconnectPolicy, now: Millis, rng: &mut dyn CryptoRng) {
        if !self.is_idle() {
            self.out.push_back(Output::Close(self.socket));
        }
        self.keepalive.stop();
        self.probe = RoundTripProbe::default();
        self.state = match policy {
            DisconnectPolicy::Retry(issue) => {
                self.issue = issue;
                State::Waiting { until: self.backoff.next(now, rng) }
            }
            DisconnectPolicy::Immediately => State::Waiting { until: now },
            DisconnectPolicy::Stop(issue) => {
                self.issue = issue;
                State::Stopped
            }
        };
        self.events.push_back(Event::Lost);
    }
}
