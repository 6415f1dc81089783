//! One session: the double ratchet between our identity and one of theirs (docs/spec/wire.md §6.4).
//!
//! Opening a message happens in two halves. [`Session::open`] computes everything and changes nothing;
//! [`Session::commit`] cannot fail. So a forged message leaves no trace, and nothing is copied to get there.
//!
//! What this module does not know: that there are other sessions with the same person, and how any is stored.

use std::collections::VecDeque;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::agreement::{self, AgreementError, Responder};
use super::chains::{Advance, NoKey, ReceiverChain, RemoteRatchetKey, SenderChain};
use super::envelope::{Envelope, Introduction, PlainEnvelope, PreKeyEnvelope};
use super::error::{DecryptError, EncryptError};
use super::key::{KeyPair, PublicKey, WeakPublicKey};
use super::message::{Header, Message};
use super::message_key::{Direction, MessageKeys};
use super::prekey::PreKeyBundle;
use super::root_key::RootKey;
use super::{LocalIdentity, RemoteIdentity};

/// Chains of the other side that are kept; a message of an older one can no longer be read.
pub(super) const MAX_RECEIVER_CHAINS: usize = 5;

/// The state of a double ratchet that is past its first agreement.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) local_identity: PublicKey,
    pub(super) remote: RemoteIdentity,
    /// The initiator's base key: both sides know the session by it.
    pub(super) base_key: PublicKey,
    pub(super) root: RootKey,
    pub(super) sender: SenderChain,
    /// Told to the other side: how far our previous sending chain went.
    pub(super) previous_counter: u32,
    /// The newest last.
    pub(super) receivers: VecDeque<ReceiverChain>,
    /// The prekeys that every message must repeat until the peer has shown that it has the session.
    pub(super) unproven: Option<UsedPreKeys>,
    /// Restored from an older copy: the sending chain may have advanced since, so nothing is encrypted with it.
    pub(super) frozen: bool,
}

/// The peer's prekeys that a session was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UsedPreKeys {
    pub(super) prekey_id: Option<u32>,
    pub(super) signed_prekey_id: u32,
}

/// A message that proved genuine, and what it changes.
pub(super) struct Opened {
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    pub(super) step: Step,
}

/// What an opened message changes in its session.
pub(super) enum Step {
    /// It belongs to the known chain at `place`.
    Chain { place: usize, advance: Advance },
    /// It began a new chain of theirs, which we answer with a new one of ours.
    Ratchet { root: RootKey, receiver: ReceiverChain, sender: SenderChain },
}

impl Session {
    /// The session that we build from a bundle.
    pub(super) fn initiate(
        local: &LocalIdentity<'_>,
        bundle: &PreKeyBundle,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, AgreementError> {
        let base = KeyPair::generate(rng);
        let agreed = agreement::initiate(local.pair, &base, bundle)?;
        let remote_ratchet = RemoteRatchetKey(bundle.signed_prekey);
        let (root, sender) = new_sender(&agreed.root, remote_ratchet, rng)?;
        Ok(Self {
            local_identity: local.pair.public(),
            remote: RemoteIdentity { key: bundle.identity, registration_id: bundle.registration_id },
            base_key: base.public(),
            root,
            sender,
            previous_counter: 0,
            receivers: [ReceiverChain::new(remote_ratchet, agreed.responder_chain)].into(),
            unproven: Some(UsedPreKeys {
                prekey_id: bundle.prekey.map(|(id, _)| id),
                signed_prekey_id: bundle.signed_prekey_id,
            }),
            frozen: false,
        })
    }

    /// Builds the session that a peer started with a bundle of ours. Does not decrypt the message of `envelope`.
    pub(super) fn respond(ours: &Responder<'_>, envelope: &PreKeyEnvelope) -> Result<Self, AgreementError> {
        let remote = RemoteIdentity { key: envelope.identity_key(), registration_id: envelope.registration_id() };
        let agreed = agreement::respond(ours, &remote.key, &envelope.base_key())?;
        Ok(Self {
            local_identity: ours.identity.public(),
            remote,
            base_key: envelope.base_key(),
            root: agreed.root,
            sender: SenderChain { ratchet: ours.signed_prekey.clone(), chain: agreed.responder_chain },
            previous_counter: 0,
            receivers: VecDeque::new(),
            unproven: None,
            frozen: false,
        })
    }

    /// Encrypts the next message.
    pub(super) fn seal(&mut self, registration_id: u32, plaintext: &[u8]) -> Result<Envelope, EncryptError> {
        if self.frozen {
            return Err(EncryptError::Frozen);
        }
        let (seed, next) = self.sender.chain.step().ok_or(EncryptError::ChainExhausted)?;
        let header = Header {
            ratchet_key: self.sender.ratchet.public(),
            counter: self.sender.chain.index(),
            previous_counter: self.previous_counter,
        };
        let keys = MessageKeys::derive(&seed);
        let direction = Direction { sender: self.local_identity, receiver: self.remote.key };
        let envelope = match self.unproven {
            None => Envelope::Plain(PlainEnvelope::seal(&header, &keys, &direction, plaintext)),
            Some(UsedPreKeys { prekey_id, signed_prekey_id }) => {
                let introduction = Introduction {
                    prekey_id,
                    signed_prekey_id,
                    base_key: self.base_key,
                    identity_key: self.local_identity,
                    registration_id,
                };
                Envelope::PreKey(PreKeyEnvelope::seal(introduction, &header, &keys, &direction, plaintext))
            }
        };
        self.sender.chain = next;
        Ok(envelope)
    }

    /// Whether `message` was encrypted with a chain that this session has.
    pub(super) fn knows_chain_of(&self, message: &Message<'_>) -> bool {
        self.place_of(message).is_some()
    }

    /// Decrypts `message` and returns what to [`commit`](Self::commit). At most `max_jump` messages may be missing
    /// before it in its chain.
    pub(super) fn open(
        &self,
        message: &Message<'_>,
        max_jump: u32,
        rng: &mut dyn CryptoRng,
    ) -> Result<Opened, DecryptError> {
        if let Some((place, receiver)) = self.place_of(message) {
            let (plaintext, advance) = self.open_with(receiver, message, max_jump)?;
            return Ok(Opened { plaintext, step: Step::Chain { place, advance } });
        }
        let remote_ratchet = RemoteRatchetKey(message.header.ratchet_key);
        let (root, chain) = self.root.step(&self.sender.ratchet, &remote_ratchet.0).map_err(AgreementError::from)?;
        let mut receiver = ReceiverChain::new(remote_ratchet, chain);
        let (plaintext, advance) = self.open_with(&receiver, message, max_jump)?;
        // Our next chain is computed only now, because the message has been authenticated.
        receiver.commit(advance);
        let (root, sender) = new_sender(&root, remote_ratchet, rng).map_err(AgreementError::from)?;
        Ok(Opened { plaintext, step: Step::Ratchet { root, receiver, sender } })
    }

    /// Applies the changes of a decrypted message. Its sender has the session, so later messages need no prekey
    /// envelope.
    pub(super) fn commit(&mut self, step: Step) {
        self.unproven = None;
        match step {
            Step::Chain { place, advance } => {
                if let Some(receiver) = self.receivers.get_mut(place) {
                    receiver.commit(advance);
                }
            }
            Step::Ratchet { root, receiver, sender } => {
                self.previous_counter = self.sender.chain.index().saturating_sub(1);
                self.root = root;
                self.sender = sender;
                // The chain starts with a key made just now, so it cannot have been used elsewhere.
                self.frozen = false;
                if self.receivers.len() >= MAX_RECEIVER_CHAINS {
                    self.receivers.pop_front();
                }
                self.receivers.push_back(receiver);
            }
        }
    }

    fn place_of(&self, message: &Message<'_>) -> Option<(usize, &ReceiverChain)> {
        // The newest chain is the likeliest.
        let mut chains = self.receivers.iter().enumerate().rev();
        chains.find(|(_, receiver)| receiver.remote_ratchet.0 == message.header.ratchet_key)
    }

    fn open_with(
        &self,
        receiver: &ReceiverChain,
        message: &Message<'_>,
        max_jump: u32,
    ) -> Result<(Zeroizing<Vec<u8>>, Advance), DecryptError> {
        let counter = message.header.counter;
        let (seed, advance) = receiver.seed(counter, max_jump).map_err(|no_key| match no_key {
            NoKey::Gone => DecryptError::DuplicateMessage { counter },
            NoKey::TooFarAhead { next } => DecryptError::TooFarAhead { counter, next, max_jump },
        })?;
        let keys = MessageKeys::derive(&seed);
        let direction = Direction { sender: self.remote.key, receiver: self.local_identity };
        if !keys.verify(&direction, message.authenticated, message.mac) {
            return Err(DecryptError::BadMac);
        }
        let plaintext = keys.decrypt(message.ciphertext).ok_or(DecryptError::BadCiphertext)?;
        Ok((plaintext, advance))
    }
}

/// A new sending chain of ours, towards their ratchet key.
fn new_sender(
    root: &RootKey,
    remote_ratchet: RemoteRatchetKey,
    rng: &mut dyn CryptoRng,
) -> Result<(RootKey, SenderChain), WeakPublicKey> {
    let ratchet = KeyPair::generate(rng);
    let (root, chain) = root.step(&ratchet, &remote_ratchet.0)?;
    Ok((root, SenderChain { ratchet, chain }))
}
