//! The key directory: what each user has published, each one-time prekey handed out once (docs/spec/wire.md §5.6,
//! §5.7).
//!
//! In memory. Must not know mailboxes and connections, and which keys a test damages.

use crate::stanza::{iq, keys, session};
use causeway_proto::node::Node;
use causeway_proto::signal::{PreKeyBundle, PublicKey};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The published keys of one user.
#[derive(Debug, Clone)]
pub struct PublishedKeys {
    /// Registration id, identity and signed prekey; no one-time prekey.
    pub bundle: PreKeyBundle,
    /// One-time prekeys that were not handed out, in the order of their upload.
    pub one_time: VecDeque<(u32, PublicKey)>,
    seen: BTreeSet<[u8; 32]>,
}

impl PublishedKeys {
    /// Keys without one-time prekeys.
    pub fn new(bundle: PreKeyBundle) -> Self {
        Self { bundle, one_time: VecDeque::new(), seen: BTreeSet::new() }
    }

    /// Adds a one-time prekey. One that was uploaded before, because an answer was lost, is not added again.
    pub fn add(&mut self, id: u32, key: PublicKey) {
        if self.seen.insert(key.0) {
            self.one_time.push_back((id, key));
        }
    }

    /// A bundle, with a one-time prekey while there are any.
    pub fn hand_out(&mut self) -> PreKeyBundle {
        PreKeyBundle { prekey: self.one_time.pop_front(), ..self.bundle.clone() }
    }
}

/// A key request that no client should send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// An upload without all of its keys.
    #[error("an upload without keys")]
    Upload,
    /// A rotation without a signed prekey.
    #[error("a rotation without a key")]
    Rotation,
    /// A fetch that names no users.
    #[error("a key fetch without users")]
    Fetch,
    /// A rotation by a user without keys.
    #[error("a rotation by a user who has published nothing")]
    Unpublished,
}

/// The published keys of all users, by the user part of their JIDs.
#[derive(Debug, Default)]
pub struct Directory {
    /// By the user part of the JID.
    pub users: BTreeMap<String, PublishedKeys>,
}

impl Directory {
    /// Number of one-time prekeys that a user has left.
    pub fn prekey_count(&self, user: &str) -> usize {
        self.users.get(user).map_or(0, |keys| keys.one_time.len())
    }

    /// Publishes the keys of a user. A bundle that differs from the published one replaces it and its one-time prekeys.
    pub fn publish(&mut self, user: &str, bundle: PreKeyBundle, one_time: impl IntoIterator<Item = (u32, PublicKey)>) {
        let published = self.users.entry(user.to_owned()).or_insert_with(|| PublishedKeys::new(bundle.clone()));
        if published.bundle != bundle {
            *published = PublishedKeys::new(bundle);
        }
        one_time.into_iter().for_each(|(id, key)| published.add(id, key));
    }

    /// The answer to a user's request about keys. `None` for requests of another kind.
    ///
    /// # Errors
    /// [`RequestError`]; nothing is changed then.
    pub fn answer(&mut self, user: &str, request: &Node) -> Result<Option<Node>, RequestError> {
        let answer = match request.children().first().map(|child| child.tag.as_ref()) {
            Some("count") => iq::result(request).with_node(session::prekey_count(self.prekey_count(user))),
            Some("key") => self.fetch(request)?,
            Some("rotate") => {
                self.rotate(user, request)?;
                iq::result(request)
            }
            _ if request.child("registration").is_some() => {
                self.upload(user, request)?;
                iq::result(request)
            }
            _ => return Ok(None),
        };
        Ok(Some(answer))
    }

    fn fetch(&mut self, request: &Node) -> Result<Node, RequestError> {
        let wanted = keys::read_fetch(request).ok_or(RequestError::Fetch)?;
        let users = wanted.iter().map(|jid| match self.users.get_mut(&jid.user) {
            Some(published) => keys::user(jid, &published.hand_out()),
            None => Node::new("user").with("jid", jid).with_node(iq::error_node(404, "unknown")),
        });
        Ok(iq::result(request).with_node(Node::new("list").with_nodes(users.collect())))
    }

    fn upload(&mut self, user: &str, request: &Node) -> Result<(), RequestError> {
        let upload = keys::read_upload(request).ok_or(RequestError::Upload)?;
        let published = self.users.entry(user.to_owned()).or_insert_with(|| PublishedKeys::new(upload.bundle.clone()));
        published.bundle = upload.bundle;
        upload.one_time.into_iter().for_each(|(id, key)| published.add(id, key));
        Ok(())
    }

    fn rotate(&mut self, user: &str, request: &Node) -> Result<(), RequestError> {
        let signed = request.child("rotate").and_then(|rotate| rotate.child("skey"));
        let signed = signed.and_then(keys::read_signed_key).ok_or(RequestError::Rotation)?;
        let published = self.users.get_mut(user).ok_or(RequestError::Unpublished)?;
        published.bundle.signed_prekey_id = signed.id;
        published.bundle.signed_prekey = signed.key;
        published.bundle.signed_prekey_signature = signed.signature;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(registration_id: u32) -> PreKeyBundle {
        PreKeyBundle {
            registration_id,
            identity: PublicKey([1; 32]),
            signed_prekey_id: 1,
            signed_prekey: PublicKey([2; 32]),
            signed_prekey_signature: [3; 64],
            prekey: None,
        }
    }

    #[test]
    fn a_prekey_is_handed_out_once_even_if_it_is_uploaded_twice() {
        let mut directory = Directory::default();
        let keys = [(1, PublicKey([4; 32])), (2, PublicKey([5; 32]))];
        directory.publish("alice", bundle(7), keys);
        let published = directory.users.get_mut("alice").unwrap();
        assert_eq!(published.hand_out().prekey, Some(keys[0]));
        directory.publish("alice", bundle(7), keys);
        let published = directory.users.get_mut("alice").unwrap();
        assert_eq!((published.hand_out().prekey, published.hand_out().prekey), (Some(keys[1]), None));
    }

    #[test]
    fn another_installation_replaces_all_keys() {
        let mut directory = Directory::default();
        directory.publish("bob", bundle(7), [(1, PublicKey([4; 32]))]);
        directory.publish("bob", bundle(8), [(1, PublicKey([5; 32]))]);
        assert_eq!(directory.prekey_count("bob"), 1);
        assert_eq!(directory.users["bob"].bundle.registration_id, 8);
    }

    #[test]
    fn an_upload_is_read_back_as_a_bundle() {
        let request =
            iq::request("1", "set", "encrypt").with_nodes(keys::upload(&bundle(9), &[(3, PublicKey([6; 32]))]));
        let mut directory = Directory::default();
        assert!(directory.answer("alice", &request).unwrap().is_some());
        let fetch = crate::stanza::client::key_fetch("2", &[causeway_proto::jid::Jid::user("alice")]);
        let answer = directory.answer("bob", &fetch).unwrap().unwrap();
        let user = answer.child("list").and_then(|list| list.child("user")).unwrap();
        let read = keys::read_bundle(user.child("registration").unwrap(), user).unwrap();
        assert_eq!(read, PreKeyBundle { prekey: Some((3, PublicKey([6; 32]))), ..bundle(9) });
        let broken = iq::request("3", "set", "encrypt").with_node(keys::registration(9));
        assert_eq!(directory.answer("alice", &broken), Err(RequestError::Upload));
    }
}
