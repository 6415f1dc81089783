//! English: signing in without a password.

use crate::text::entrance::Entrance;

pub(crate) fn entrance(words: Entrance) -> &'static str {
    match words {
        Entrance::WithPasskey => "Sign in with a passkey",
        Entrance::NotGiven => "No passkey was used. Try again, or sign in with your password.",
        Entrance::Refused => "This passkey wasn’t accepted. Try another one, or sign in with your password.",
        Entrance::AtProvider => "Use the account that you already have. You come back here afterwards.",
        Entrance::NameFromThere => "People on WhatsApp will know you by the name that you have there.",
        Entrance::ProviderFailed => "Signing in there didn’t work, or wasn’t finished. Try again.",
        Entrance::PasskeyWhy => {
            "A passkey signs you in with your fingerprint, face or screen lock instead of a password."
        }
        Entrance::AddPasskey => "Add a passkey",
        Entrance::Added => "The passkey was added. Use it the next time you sign in.",
        Entrance::NotAdded => "No passkey was added.",
    }
}

pub(crate) fn sign_in_at(partner: &str) -> String {
    format!("Sign in at {partner}")
}

pub(crate) fn go_on_at(partner: &str) -> String {
    format!("Continue at {partner}")
}
