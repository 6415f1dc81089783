//! A phone as it lies on disk: one JSON file, replaced as a whole before anything that stands on it is sent.
//!
//! Must not know messages and connections.

use super::conversation::Conversation;
use super::state::State;
use crate::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use causeway_peer::keyring::Keyring;
use causeway_proto::jid::Jid;
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, SessionRecord, SignedPreKeyPair};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file of one phone.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredState {
    name: String,
    #[serde(default)]
    also: Vec<String>,
    echo: bool,
    online: bool,
    installation: u64,
    keys: StoredKeyring,
    conversation: Conversation,
}

/// Secret keys in hexadecimal, sessions in base64.
#[derive(Serialize, Deserialize)]
struct StoredKeyring {
    noise: String,
    identity: String,
    registration: u32,
    signed_id: u32,
    signed: String,
    signature: String,
    signed_created: u64,
    one_time: BTreeMap<u32, String>,
    next_prekey: u32,
    sessions: BTreeMap<String, String>,
}

impl From<&State> for StoredState {
    fn from(state: &State) -> Self {
        Self {
            name: state.name.clone(),
            also: state.also.clone(),
            echo: state.echo,
            online: state.online,
            installation: state.installation,
            keys: StoredKeyring::new(&state.noise, &state.keys),
            conversation: state.conversation.clone(),
        }
    }
}

impl StoredState {
    /// `None` when any part is not what this module has written.
    pub(super) fn open(self) -> Option<State> {
        let (noise, keys) = self.keys.open()?;
        Some(State {
            name: self.name,
            also: self.also,
            echo: self.echo,
            online: self.online,
            installation: self.installation,
            noise,
            keys,
            conversation: self.conversation,
            retries: BTreeMap::new(),
        })
    }
}

impl StoredKeyring {
    fn new(noise: &KeyPair, keys: &Keyring) -> Self {
        let secret = |pair: &KeyPair| hex::encode(pair.secret().expose());
        let session = |(jid, record): (&Jid, &SessionRecord)| (jid.to_string(), BASE64.encode(&*record.to_bytes()));
        Self {
            noise: secret(noise),
            identity: secret(&keys.identity),
            registration: keys.registration,
            signed_id: keys.signed.id,
            signed: secret(&keys.signed.pair),
            signature: hex::encode(&keys.signed.signature),
            signed_created: keys.signed.created,
            one_time: keys.one_time.iter().map(|(id, pair)| (*id, secret(pair))).collect(),
            next_prekey: keys.next_prekey,
            sessions: keys.sessions.iter().map(session).collect(),
        }
    }

    fn open(self) -> Option<(KeyPair, Keyring)> {
        let pair = |text: &String| hex::decode::<32>(text).map(|bytes| KeyPair::from_secret(Secret::new(bytes)));
        let session = |(jid, text): (&String, &String)| {
            Some((jid.parse().ok()?, SessionRecord::from_bytes(&BASE64.decode(text).ok()?).ok()?))
        };
        let keys = Keyring {
            identity: pair(&self.identity)?,
            registration: self.registration,
            signed: SignedPreKeyPair {
                id: self.signed_id,
                pair: pair(&self.signed)?,
                signature: hex::decode(&self.signature)?,
                created: self.signed_created,
            },
            one_time: self.one_time.iter().map(|(id, text)| Some((*id, pair(text)?))).collect::<Option<_>>()?,
            next_prekey: self.next_prekey,
            sessions: self.sessions.iter().map(session).collect::<Option<_>>()?,
        };
        Some((pair(&self.noise)?, keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use crate::time::UnixSeconds;

    #[test]
    fn a_phone_is_read_back_with_its_keys_and_sessions() {
        let mut state = State::new("Bob".to_owned(), vec!["14155550199".to_owned()], true, UnixSeconds::new(7));
        let other = Keyring::generate(7, &mut random::rng());
        let alice = Jid::interop(1, "10853634039893");
        state.keys.start_session(&alice, &other.bundle(), &mut random::rng()).unwrap();
        state.keys.more_prekeys(3, &mut random::rng());
        let json = serde_json::to_string(&StoredState::from(&state)).unwrap();
        let read = serde_json::from_str::<StoredState>(&json).unwrap().open().unwrap();
        assert_eq!(serde_json::to_string(&StoredState::from(&read)).unwrap(), json);
        assert!(read.keys.has_session(&alice) && read.keys.one_time.len() == 3);
    }
}
