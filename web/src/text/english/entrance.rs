//! English: signing in without a password.

use super::super::Entrance;

pub(in crate::text) fn entrance(words: Entrance) -> &'static str {
    match words {
        Entrance::WithPasskey => "Sign in with a passkey",
        Entrance::NotGiven => "No passkey was used. Try again, or sign in with your password.",
        Entrance::Refused => "This passkey wasn’t accepted. Try another one, or sign in with your password.",
        Entrance::AtProvider => {
            "You sign in with the account that you already have there, then come back here to begin."
        }
        Entrance::ProviderFailed => "Signing in there didn’t work, or wasn’t finished. Try again.",
        Entrance::PasskeyWhy => {
            "A passkey signs you in with your fingerprint, face or screen lock instead of a password."
        }
        Entrance::AddPasskey => "Add a passkey",
        Entrance::Added => "The passkey was added. Use it the next time you sign in.",
        Entrance::NotAdded => "No passkey was added.",
    }
}

pub(in crate::text) fn go_on_at(partner: &str) -> String {
    format!("Continue at {partner}")
}
