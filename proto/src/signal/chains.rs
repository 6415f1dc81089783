//! The two ends of a ratchet's chains: ours that sends, theirs that we receive, with the keys of messages still to
//! come.
//!
//! What this module does not know: root keys, and which chain belongs to which session.

use crate::width;
use std::collections::VecDeque;

use super::chain_key::ChainKey;
use super::key::{KeyPair, PublicKey};
use super::message_key::MessageSeed;
use crate::secret::Secret;

/// Keys of skipped messages that a chain keeps; beyond it, the oldest are deleted.
pub(super) const MAX_SKIPPED: usize = 2_000;

/// Their ratchet key: it names one of their sending chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RemoteRatchetKey(pub(super) PublicKey);

/// The chain that we send on, and the ratchet key that names it to the other side.
#[derive(Clone, Debug)]
pub(super) struct SenderChain {
    pub(super) ratchet: KeyPair,
    pub(super) chain: ChainKey,
}

/// One chain of the other side.
#[derive(Clone, Debug)]
pub(super) struct ReceiverChain {
    pub(super) remote_ratchet: RemoteRatchetKey,
    pub(super) chain: ChainKey,
    /// Ascending by counter, and all below the chain's index.
    pub(super) skipped: VecDeque<SkippedKey>,
}

/// The key of a message that has not come yet, although a later one has.
#[derive(Clone, Debug)]
pub(super) struct SkippedKey {
    pub(super) counter: u32,
    pub(super) seed: Secret<32>,
}

/// What receiving a message will change in its chain. Nothing changes until the message has proved genuine.
pub(super) enum Advance {
    /// The key at this place is used up.
    Used(usize),
    /// The chain moves on, past some messages that have not come.
    Forward { chain: ChainKey, skipped: Vec<SkippedKey> },
}

/// Why a chain has no key for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// It was used, or deleted as one of too many.
    Gone,
    /// Too many messages are missing before it. `next` is the counter that was due.
    TooFarAhead { next: u32 },
}

impl ReceiverChain {
    pub(super) fn new(remote_ratchet: RemoteRatchetKey, chain: ChainKey) -> Self {
        Self { remote_ratchet, chain, skipped: VecDeque::new() }
    }

    /// The seed for message `counter`, and what to [`commit`](Self::commit) once the message has proved genuine. At
    /// most `max_jump` messages may be missing before it: that bounds the work that an unproven message can cause.
    pub(super) fn seed(&self, counter: u32, max_jump: u32) -> Result<(MessageSeed, Advance), NoKey> {
        let next = self.chain.index();
        let Some(missing) = counter.checked_sub(next) else {
            let place = self.skipped.binary_search_by_key(&counter, |key| key.counter).map_err(|_| NoKey::Gone)?;
            let key = self.skipped.get(place).ok_or(NoKey::Gone)?;
            return Ok((MessageSeed::new(*key.seed.expose()), Advance::Used(place)));
        };
        if missing > max_jump {
            return Err(NoKey::TooFarAhead { next });
        }
        let (skipped, chain) = self.skip(missing).ok_or(NoKey::TooFarAhead { next })?;
        let (seed, chain) = chain.step().ok_or(NoKey::TooFarAhead { next })?;
        Ok((seed, Advance::Forward { chain, skipped }))
    }

    /// The keys of the next `missing` messages, as far as they are kept, and the chain behind them.
    fn skip(&self, missing: u32) -> Option<(Vec<SkippedKey>, ChainKey)> {
        let kept = missing.min(u32::try_from(MAX_SKIPPED).unwrap_or(u32::MAX));
        let mut chain = self.chain.forward(missing - kept)?;
        let mut skipped = Vec::with_capacity(width::to_usize(kept));
        for _ in 0..kept {
            let counter = chain.index();
            let (seed, next) = chain.step()?;
            skipped.push(SkippedKey { counter, seed: Secret::new(*seed.expose()) });
            chain = next;
        }
        Some((skipped, chain))
    }

    /// Makes what [`seed`](Self::seed) announced come true.
    pub(super) fn commit(&mut self, advance: Advance) {
        match advance {
            Advance::Used(place) => {
                self.skipped.remove(place);
            }
            Advance::Forward { chain, skipped } => {
                self.chain = chain;
                self.skipped.extend(skipped);
                let excess = self.skipped.len().saturating_sub(MAX_SKIPPED);
                self.skipped.drain(..excess);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_JUMP: u32 = 25_000;

    fn chain() -> ReceiverChain {
        ReceiverChain::new(RemoteRatchetKey(PublicKey([1; 32])), ChainKey::new(Secret::new([2; 32])))
    }

    fn receive(chain: &mut ReceiverChain, counter: u32) -> Result<[u8; 32], NoKey> {
        let (seed, advance) = chain.seed(counter, MAX_JUMP)?;
        chain.commit(advance);
        Ok(*seed.expose())
    }

    #[test]
    fn every_order_gives_the_same_keys_once() {
        let mut in_order = chain();
        let expected: Vec<_> = (0..6).map(|counter| receive(&mut in_order, counter).unwrap()).collect();
        let mut shuffled = chain();
        for counter in [3, 0, 5, 4, 1, 2] {
            assert_eq!(receive(&mut shuffled, counter), Ok(expected[width::to_usize(counter)]));
            assert_eq!(receive(&mut shuffled, counter), Err(NoKey::Gone));
        }
        assert!(shuffled.skipped.is_empty());
    }

    #[test]
    fn the_oldest_skipped_keys_are_given_up_beyond_the_limit() {
        let mut chain = chain();
        receive(&mut chain, 2_500).unwrap();
        assert_eq!(chain.skipped.len(), MAX_SKIPPED);
        assert_eq!(receive(&mut chain, 499), Err(NoKey::Gone));
        receive(&mut chain, 500).unwrap();
        receive(&mut chain, 2_511).unwrap();
        assert_eq!(chain.skipped.len(), MAX_SKIPPED);
        assert_eq!(receive(&mut chain, 509), Err(NoKey::Gone));
        receive(&mut chain, 511).unwrap();
    }

    #[test]
    fn a_jump_has_a_limit() {
        assert!(receive(&mut chain(), MAX_JUMP).is_ok());
        assert_eq!(receive(&mut chain(), MAX_JUMP + 1), Err(NoKey::TooFarAhead { next: 0 }));
    }

    #[test]
    fn nothing_changes_before_the_commit() {
        let mut chain = chain();
        receive(&mut chain, 2).unwrap();
        assert!(chain.seed(1, MAX_JUMP).is_ok() && chain.seed(9, MAX_JUMP).is_ok());
        assert_eq!((chain.chain.index(), chain.skipped.len()), (3, 2));
    }
}
