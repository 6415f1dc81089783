//! The other names of the people whom a stanza is about: the phone number beside the hidden identifier, and the other
//! way round (docs/spec/wire.md §5.19).
//!
//! The server says so; nobody vouches for it. It does not know which names belong to which chat.

use super::fields::Fields;
use crate::jid::{Jid, Server};

/// Another name of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Whose.
    pub whose: AliasOf,
    /// A phone-number JID or a LID.
    pub jid: Jid,
}

/// Whose other name an [`Alias`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasOf {
    /// Of the address in `from`.
    Sender,
    /// Of the address in `participant`.
    Participant,
    /// Of the recipient: ours, or in a copy of a message of ours the other end's.
    Recipient,
}

/// The attributes that hold one: its name, whose it is, and whether it is a LID.
const ATTRIBUTES: [(&str, AliasOf, bool); 6] = [
    ("sender_pn", AliasOf::Sender, false),
    ("sender_lid", AliasOf::Sender, true),
    ("participant_pn", AliasOf::Participant, false),
    ("participant_lid", AliasOf::Participant, true),
    ("peer_recipient_pn", AliasOf::Recipient, false),
    ("recipient_lid", AliasOf::Recipient, true),
];

/// Reads those that are a person's address of the kind that the attribute stands for; others are left out.
pub(super) fn read(fields: &Fields<'_>) -> Vec<Alias> {
    let found = ATTRIBUTES.iter().filter_map(|(attribute, whose, is_lid)| {
        let jid = fields.jid_if_any(attribute)?;
        let fits = match jid.server {
            Server::User | Server::Legacy => !is_lid,
            Server::Lid => *is_lid,
            _ => false,
        };
        (fits && !jid.user.is_empty()).then_some(Alias { whose: *whose, jid })
    });
    found.collect()
}
