//! Web Push: wakes the browsers of a person for whom a message waits at WhatsApp (docs/spec/enlistment.md §3.2; RFC
//! 8030, 8291, 8292).
//!
//! ```text
//! whatsapp                 verifies WhatsApp's calls to /push
//! endpoint                 names a subscription
//! subscription             validates subscriptions and the allowed push services
//! subscription_repository  subscriptions in the database
//! queue_repository         the durable queue of pushes, and used tokens
//! claim                    the names under which instances claim pushes
//! delivery                 sends queued pushes
//! per_service_limiter      bounds concurrent requests to one push service
//! push_response            classifies responses and computes retry times
//! message                  the payloads
//! vapid                    authenticates this server to push services
//! service                  outgoing HTTP requests
//! ```
//!
//! What this module does not know: the paths of the HTTP interface, and what waits: a push carries no content.

mod claim;
mod delivery;
mod endpoint;
mod message;
mod per_service_limiter;
mod push_response;
mod queue_repository;
mod service;
mod subscription;
mod subscription_repository;
mod vapid;
mod whatsapp;

pub(crate) use delivery::Delivery;
pub(crate) use endpoint::Endpoint;
pub(crate) use queue_repository::{EnqueueOutcome, QueueRepository};
pub use service::OutboundError;
pub(crate) use service::outbound;
pub(crate) use subscription::{DEFAULT_SERVICES, Services, Subscription};
pub(crate) use subscription_repository::SubscriptionRepository;
#[cfg(test)]
pub(crate) use vapid::VapidKey;
pub(crate) use vapid::VapidKeys;
pub(crate) use whatsapp::{BearerError, KeySource, Verifier};
