//! The end of a connection, or of an attempt, and what follows.
//!
//! Only a person ends [`State::Stopped`]: what fails or is requested by the server meanwhile schedules nothing.

use super::round_trip_probe::RoundTripProbe;
use super::{Channel, DisconnectPolicy, Event, State};
use crate::id::SocketId;
use crate::io::{Millis, Output, UnixMillis};
use crate::view::Issue;
use rand_core::CryptoRng;

/// A server that requests a restart within this time of the last one is reconnected to with backoff.
const RESTART_INTERVAL: Millis = Millis(60_000);

impl Channel {
    /// The socket is closed.
    pub(crate) fn closed(&mut self, socket: SocketId, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if socket == self.socket && !self.is_idle() {
            self.lose(DisconnectPolicy::Retry(Issue::ChatUnreachable), now, rng);
        }
    }

    /// A connection could not be started: schedules the next attempt.
    pub(crate) fn postpone(&mut self, issue: Issue, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.lose(DisconnectPolicy::Retry(issue), now, rng);
    }

    /// Stops until the user acts.
    pub(crate) fn stop(&mut self, issue: Issue, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.lose(DisconnectPolicy::Stop(issue), now, rng);
    }

    /// Ends the connection, or the stop: the account that it was for is replaced.
    pub(crate) fn close(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.resume();
        self.lose(DisconnectPolicy::Close, now, rng);
    }

    pub(super) fn broken(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.lose(DisconnectPolicy::Retry(Issue::ChannelBroken), now, rng);
    }

    pub(super) fn lose(&mut self, policy: DisconnectPolicy, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let schedules = matches!(policy, DisconnectPolicy::Restart | DisconnectPolicy::Retry(_));
        if schedules && matches!(self.state, State::Stopped) {
            return;
        }
        if !self.is_idle() {
            self.out.push_back(Output::Close(self.socket));
        }
        self.waiting = 0;
        self.keepalive.stop();
        self.probe = RoundTripProbe::default();
        self.state = match policy {
            DisconnectPolicy::Retry(issue) => {
                self.issue = issue;
                State::Waiting { until: self.backoff.next(now, rng) }
            }
            DisconnectPolicy::Restart => {
                let last = self.restarted.replace(now);
                let is_frequent = last.is_some_and(|at| now.since(at) < RESTART_INTERVAL);
                State::Waiting { until: if is_frequent { self.backoff.next(now, rng) } else { now } }
            }
            DisconnectPolicy::Close => {
                self.issue = Issue::None;
                State::Off
            }
            DisconnectPolicy::Stop(issue) => {
                self.issue = issue;
                State::Stopped
            }
        };
        self.events.push_back(Event::Lost);
    }
}
