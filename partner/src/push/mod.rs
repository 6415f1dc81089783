//! Web Push: wakes the browsers of a person for whom a message waits at WhatsApp (seed 001 §3.2; RFC 8030, 8291, 8292).
//!
//! ```text
//! whatsapp       whether a call to /push is WhatsApp's
//! subscription   what a browser may subscribe with, and which push services we speak to
//! queue          what is to be sent, durable
//! delivery       sends it
//! turns          how much of it to one push service at once
//! verdict        what a push service's answer means
//! vapid          proves to push services who we are
//! ```
//!
//! What this module does not know: HTTP's paths, and what waits: a push says that there is something, nothing else.

mod delivery;
mod message;
mod per_service_limiter;
mod push_response;
mod queue;
mod service;
mod subscription;
mod subscriptions;
mod vapid;
mod whatsapp;

pub(crate) use delivery::{Counters, Delivery};
pub(crate) use message::Message;
pub(crate) use queue::{EnqueueOutcome, ReplayGuard};
pub use service::OutboundError;
pub(crate) use service::outbound;
pub(crate) use subscription::{Services, Subscription, host as subscription_host};
#[cfg(test)]
pub(crate) use vapid::VapidKey;
pub(crate) use vapid::VapidKeys;
pub(crate) use whatsapp::{BearerError, KeySource, Verifier};
