//! Signal sessions: which session to use, where keys come from, prekey maintenance, identity changes.
//!
//! What this module does not know: chains and keys inside a session (`causeway_proto::signal`), and the meaning of
//! messages.

mod cipher;
mod establish;
mod fetch;
mod iq;
mod own_bundle;
pub(crate) mod prekeys;
mod renewal;
mod rotation;
mod state;

pub(crate) use cipher::{OpenError, decrypt};
pub(crate) use establish::{JoinPlan, begin};
pub(crate) use iq::AnswerPlan;
pub(crate) use own_bundle::own_bundle;
pub(crate) use prekeys::signed_prekey;
pub(crate) use renewal::renew;
pub(crate) use rotation::free_id;
pub(crate) use state::{IdentityPlan, IqOutcome, Sessions};
