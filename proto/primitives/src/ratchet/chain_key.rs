//! The chain key: a secret that gives one message key after the other and cannot be wound back.
//!
//! What this module does not know: whether the chain sends or receives, and which of its keys were skipped.

use hmac::Mac;
use zeroize::Zeroizing;

use super::kdf;
use super::message_key::MessageSeed;
use crate::secret::Secret;

const FOR_MESSAGE: &[u8] = &[0x01];
const FOR_NEXT_CHAIN: &[u8] = &[0x02];

/// A chain at the position of its next message.
#[derive(Clone, Debug)]
pub struct ChainKey {
    key: Secret<32>,
    index: u32,
}

impl ChainKey {
    /// A chain before its first message.
    pub fn new(key: Secret<32>) -> Self {
        Self { key, index: 0 }
    }

    /// A chain that was stored before message `index`.
    pub fn at(key: Secret<32>, index: u32) -> Self {
        Self { key, index }
    }

    /// The key, for storing.
    pub fn secret(&self) -> &Secret<32> {
        &self.key
    }

    /// The counter of the message that comes next.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The next message's seed, and the chain after it. `None` when the counter is used up, after 2³² − 1 messages.
    #[must_use]
    pub fn step(&self) -> Option<(MessageSeed, Self)> {
        let index = self.index.checked_add(1)?;
        // Both hashes start from the same keyed state: it is set up once.
        let keyed = kdf::hmac(self.key.expose());
        let seed = kdf::finish(keyed.clone().chain_update(FOR_MESSAGE));
        let key = kdf::finish(keyed.chain_update(FOR_NEXT_CHAIN));
        Some((MessageSeed::new(seed), Self { key: Secret::new(key), index }))
    }

    /// The chain `count` messages further on, without the keys of the messages between. `None` if the counter cannot
    /// go that far. Costs `count` hashes: the caller bounds it.
    #[must_use]
    pub fn forward(&self, count: u32) -> Option<Self> {
        let index = self.index.checked_add(count)?;
        let mut key = Zeroizing::new(*self.key.expose());
        for _ in 0..count {
            *key = kdf::finish(kdf::hmac(&key).chain_update(FOR_NEXT_CHAIN));
        }
        Some(Self { key: Secret::new(*key), index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_goes_where_single_steps_go() {
        let start = ChainKey::new(Secret::new([3; 32]));
        let mut stepped = start.clone();
        for _ in 0..5 {
            stepped = stepped.step().unwrap().1;
        }
        let jumped = start.forward(5).unwrap();
        assert_eq!((jumped.secret(), jumped.index()), (stepped.secret(), 5));
    }

    #[test]
    fn the_counter_never_wraps() {
        let last = ChainKey::at(Secret::new([3; 32]), u32::MAX);
        assert!(last.step().is_none());
        assert!(last.forward(1).is_none());
    }
}
