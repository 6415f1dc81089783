//! The options of rate limits, connections and timeouts.
//!
//! What this module does not know: what is limited.

use super::checker::{Checker, number};
use serde::Deserialize;

/// Rate limits, connections and timeouts. A *burst* is the number of operations allowed at once after a pause; the
/// *refill* is the number of seconds after which one more is allowed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Sign-ins and new accounts from one address.
    pub address_burst: u32,
    /// Refill for one address.
    pub address_refill_seconds: u32,
    /// Sign-ins to one account, from any address.
    pub account_burst: u32,
    /// Refill of sign-ins for one account.
    pub account_refill_seconds: u32,
    /// Tokens for one account.
    pub token_burst: u32,
    /// Refill of tokens.
    pub token_refill_seconds: u32,
    /// Subscriptions and test notifications of one account.
    pub push_burst: u32,
    /// Refill of subscriptions and test notifications.
    pub push_refill_seconds: u32,
    /// Maximum number of open connections.
    pub connections: usize,
    /// Seconds for a request's headers, and again for its body and response.
    pub request_seconds: u64,
    /// Seconds without write progress after which a connection is closed.
    pub write_seconds: u64,
    /// Seconds between the failure of `/ready` and the last accepted request of a server that shuts down.
    pub drain_seconds: u64,
    /// Seconds for pending requests when the server shuts down.
    pub shutdown_seconds: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            address_burst: 30,
            address_refill_seconds: 4,
            account_burst: 10,
            account_refill_seconds: 30,
            token_burst: 30,
            token_refill_seconds: 5,
            push_burst: 30,
            push_refill_seconds: 5,
            connections: 4_096,
            request_seconds: 15,
            write_seconds: 60,
            drain_seconds: 0,
            shutdown_seconds: 10,
        }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self, checker: &mut Checker) {
        for (option, value) in [
            ("limits.address_burst", self.address_burst),
            ("limits.address_refill_seconds", self.address_refill_seconds),
            ("limits.account_burst", self.account_burst),
            ("limits.account_refill_seconds", self.account_refill_seconds),
            ("limits.token_burst", self.token_burst),
            ("limits.token_refill_seconds", self.token_refill_seconds),
            ("limits.push_burst", self.push_burst),
            ("limits.push_refill_seconds", self.push_refill_seconds),
        ] {
            checker.within(option, value.into(), 1, 100_000);
        }
        checker.within("limits.connections", number(self.connections), 1, 1 << 20);
        checker.within("limits.request_seconds", self.request_seconds, 1, 600);
        checker.within("limits.write_seconds", self.write_seconds, 1, 600);
        checker.within("limits.drain_seconds", self.drain_seconds, 0, 600);
        checker.within("limits.shutdown_seconds", self.shutdown_seconds, 0, 600);
    }
}
