//! Passkeys of the person.

use crate::state::scope::Answer;

use super::BrowserAdapter;
use crate::port;
use crate::port::passkey::{self, PasskeyError};
use crate::state::browser::{Passkey, Passkeys};

impl Passkeys for BrowserAdapter {
    fn has_passkeys(&self) -> bool {
        passkey::is_supported()
    }

    fn passkey(&self, fresh: bool, answer: Answer<Passkey>) {
        port::spawn(async move {
            let given = if fresh { passkey::register().await } else { passkey::sign_in().await };
            answer.run(match given {
                Ok(()) => Passkey::Accepted,
                Err(PasskeyError::NotGiven) => Passkey::NotGiven,
                Err(PasskeyError::Unreadable) => Passkey::Unreadable,
                Err(PasskeyError::Unreachable) => Passkey::Unreachable,
                Err(PasskeyError::Refused(_)) => Passkey::Refused,
            });
        });
    }
}
