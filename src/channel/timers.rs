//! Time-outs of the connection: log-in, mailbox, dead link, a clock that was set back.

use super::keepalive::Due;
use super::{Channel, DRAIN_PAUSE, DRAIN_TIMEOUT, DisconnectPolicy, Event, LOGIN_TIMEOUT, Phase, State, backoff};
use crate::io::UnixMillis;
use crate::view::Issue;
use rand_core::CryptoRng;

impl Channel {
    /// Handles time-outs and keep-alive pings that are due.
    pub(crate) fn elapsed(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        match &mut self.state {
            State::Opening { until, .. }
            | State::Hello { until, .. }
            | State::Live { phase: Phase::Login { until }, .. }
                if *until <= now =>
            {
                self.lose(DisconnectPolicy::Retry(Issue::ChatUnreachable), now, rng);
            }
            State::Live { .. } if self.probe.is_late(now) => {
                self.lose(DisconnectPolicy::Retry(Issue::ChatUnreachable), now, rng);
            }
            State::Live { phase, .. } => {
                match phase {
                    // The device may have slept, or its clock jumped: then more mail may be in transit.
                    Phase::Draining { until, .. } if *until <= now => {
                        *phase = Phase::Online;
                        self.send_probe(now, rng);
                    }
                    Phase::Draining { pause, .. } if *pause <= now => {
                        *pause = now.after(DRAIN_PAUSE);
                        self.events.push_back(Event::Paused);
                    }
                    _ => {}
                }
                match self.keepalive.due(now, rng) {
                    Due::Nothing => {}
                    Due::Ping(ping) => self.transmit(&ping, now, rng),
                    Due::Dead => self.lose(DisconnectPolicy::Retry(Issue::ChatUnreachable), now, rng),
                }
            }
            _ => {}
        }
    }

    /// The device's clock was set back: restarts every timer that would now expire too late.
    pub(crate) fn clock_set_back(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.attempts.clock_set_back(now);
        self.restarted = self.restarted.map(|at| at.min(now));
        match &mut self.state {
            State::Opening { until, .. }
            | State::Hello { until, .. }
            | State::Live { phase: Phase::Login { until }, .. } => {
                *until = (*until).min(now.after(LOGIN_TIMEOUT));
            }
            State::Live { phase, .. } => {
                if let Phase::Draining { until, pause } = phase {
                    *until = (*until).min(now.after(DRAIN_TIMEOUT));
                    *pause = (*pause).min(now.after(DRAIN_PAUSE));
                }
                self.backoff.live(now);
                self.keepalive.start(now, rng);
                self.probe.clock_set_back(now);
            }
            State::Waiting { until } => *until = (*until).min(now.after(backoff::CEILING)),
            State::Off | State::Stopped => {}
        }
    }

    /// When [`elapsed`](Self::elapsed) has something to do.
    pub(crate) fn wake_at(&self) -> Option<UnixMillis> {
        match &self.state {
            State::Opening { until, .. }
            | State::Hello { until, .. }
            | State::Waiting { until }
            | State::Live { phase: Phase::Login { until }, .. } => Some(*until),
            State::Live { phase: Phase::Draining { until, pause }, .. } => {
                [self.keepalive.wake_at(), self.probe.wake_at(), Some(*until), Some(*pause)].into_iter().flatten().min()
            }
            State::Live { phase: Phase::Online, .. } => {
                [self.keepalive.wake_at(), self.probe.wake_at()].into_iter().flatten().min()
            }
            State::Off | State::Stopped => None,
        }
    }
}
