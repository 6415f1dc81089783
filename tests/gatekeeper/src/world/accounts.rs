//! Who exists, and who may log in.
//!
//! A Partner's user exists once enlisted and must prove the enlisted Noise key. A WhatsApp user exists from the first
//! login by number, and keeps the Noise key that came with it: the sandbox's stand-in for confirming a number by SMS.

use super::World;
use super::event::{Event, SignedKey};
use super::journal::JournalError;
use crate::random;
use crate::time::UnixSeconds;
use causeway_proto::jid::Jid;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// A Partner's user who does not connect for this long is un-enlisted (docs/spec/enlistment.md §5).
const UNENLIST: Duration = Duration::from_secs(30 * 86_400);
/// Internal ids are below this: fourteen digits, as in docs/spec/enlistment.md §1.2.3.
const MAX_NUMBER: u64 = 99_999_999_999_999;

/// What an accepted enlistment brings.
pub(crate) struct Enlistment {
    pub(crate) integrator: u16,
    pub(crate) identifier: String,
    pub(crate) noise: [u8; 32],
    pub(crate) registration: u32,
    pub(crate) identity: [u8; 32],
    pub(crate) signed: SignedKey,
}

/// Why a login is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("nobody with this account id is enlisted")]
    Unknown,
    #[error("the user did not connect for 30 days and must enlist again")]
    Unenlisted,
    #[error("the Noise key is not the one that was enlisted or registered")]
    WrongKey,
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl World {
    /// Enlists a user, or replaces the keys of one who enlists again under the same identifier. Mail stays.
    ///
    /// Returns the login JID and the users to notify of a changed identity key.
    pub(crate) fn enlist(&mut self, new: Enlistment, now: UnixSeconds) -> Result<(Jid, Vec<Jid>), JournalError> {
        let known = self.by_identifier.get(&(new.integrator, new.identifier.clone())).cloned();
        let who = known.unwrap_or_else(|| Jid::interop(new.integrator, self.free_number().to_string()));
        let affected = self.contacts_if_changed(&who, &new.identity);
        self.commit(vec![Event::Enlisted {
            who: who.clone(),
            identifier: new.identifier,
            noise: new.noise,
            registration: new.registration,
            identity: new.identity,
            signed: new.signed,
            at: now,
        }])?;
        Ok((who, affected))
    }

    fn free_number(&self) -> u64 {
        loop {
            let number = MAX_NUMBER / 10 + random::up_to(MAX_NUMBER - MAX_NUMBER / 10);
            if !self.by_number.contains_key(&number) {
                return number;
            }
        }
    }

    /// A Partner's user by the number of its login JID, with the identifier that its token must name.
    pub(crate) fn partner_user(&self, number: u64) -> Option<(Jid, String)> {
        let jid = self.by_number.get(&number)?;
        Some((jid.clone(), self.accounts.get(jid)?.identifier.clone()?))
    }

    /// Lets a Partner's user in, token already verified.
    pub(crate) fn admit_partner_user(
        &mut self,
        who: &Jid,
        noise: &[u8; 32],
        now: UnixSeconds,
    ) -> Result<(), LoginError> {
        let account = self.accounts.get(who).ok_or(LoginError::Unknown)?;
        let enlisted = account.noise.ok_or(LoginError::Unknown)?;
        if !bool::from(enlisted.ct_eq(noise)) {
            return Err(LoginError::WrongKey);
        }
        if account.last_seen < now.before(UNENLIST) {
            return Err(LoginError::Unenlisted);
        }
        Ok(self.commit(vec![Event::Seen { who: who.clone(), at: now }])?)
    }

    /// Lets a WhatsApp user in, registering the number with its first Noise key.
    pub(crate) fn admit_phone(&mut self, who: &Jid, noise: &[u8; 32], now: UnixSeconds) -> Result<(), LoginError> {
        match self.accounts.get(who).and_then(|account| account.noise) {
            Some(registered) if !bool::from(registered.ct_eq(noise)) => Err(LoginError::WrongKey),
            Some(_) => Ok(self.commit(vec![Event::Seen { who: who.clone(), at: now }])?),
            None => Ok(self.commit(vec![Event::Registered { who: who.clone(), noise: *noise, at: now }])?),
        }
    }

    /// Forgets the Noise key of a number, so that a reinstalled app may log in with a new one.
    pub(crate) fn release(&mut self, who: &Jid) -> Result<(), JournalError> {
        self.commit(vec![Event::Released { who: who.clone() }])
    }

    /// Notes that a connection is alive, or was until now.
    pub(crate) fn seen(&mut self, who: &Jid, now: UnixSeconds) -> Result<(), JournalError> {
        self.commit(vec![Event::Seen { who: who.clone(), at: now }])
    }

    /// Sets the name that others see.
    pub(crate) fn rename(&mut self, who: &Jid, name: &str) -> Result<(), JournalError> {
        if self.accounts.get(who).is_some_and(|account| account.name.as_deref() != Some(name)) {
            self.commit(vec![Event::Named { who: who.clone(), name: name.to_owned() }])?;
        }
        Ok(())
    }

    /// Sets or lifts a block.
    pub(crate) fn block(&mut self, who: &Jid, target: &Jid, blocked: bool) -> Result<(), JournalError> {
        self.commit(vec![Event::Blocked { who: who.clone(), target: target.clone(), blocked }])
    }

    /// Devices of a WhatsApp user that have keys, and the user's own address for a Partner's.
    pub(crate) fn devices(&self, bare: &Jid) -> Vec<Jid> {
        let same = |who: &&Jid| who.to_bare() == *bare;
        self.accounts
            .iter()
            .filter(|(_, account)| account.keys.is_some())
            .map(|(who, _)| who)
            .filter(same)
            .cloned()
            .collect()
    }
}
