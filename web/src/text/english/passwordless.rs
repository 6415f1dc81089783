//! English: signing in without a password.

use crate::text::passwordless::Passwordless;

pub(crate) fn passwordless(words: Passwordless) -> &'static str {
    match words {
        Passwordless::WithPasskey => "Sign in with a passkey",
        Passwordless::NotGiven => "No passkey was used. Try again, or sign in with your password.",
        Passwordless::Unreadable => {
            "Your password manager gave a passkey that can’t be read. Choose another place for it, or use your password."
        }
        Passwordless::Refused => "This passkey wasn’t accepted. Try another one, or sign in with your password.",
        Passwordless::AtProvider => "Use the account that you already have. You come back here afterwards.",
        Passwordless::NameFromThere => "People on WhatsApp will know you by the name that you have there.",
        Passwordless::ProviderFailed => "Signing in there didn’t work, or wasn’t finished. Try again.",
        Passwordless::PasskeyWhy => {
            "A passkey signs you in with your fingerprint, face or screen lock instead of a password."
        }
        Passwordless::AddPasskey => "Add a passkey",
        Passwordless::Added => "The passkey was added. Use it the next time you sign in.",
        Passwordless::NotAdded => "No passkey was added.",
    }
}

pub(crate) fn sign_in_at(partner: &str) -> String {
    format!("Sign in at {partner}")
}

pub(crate) fn go_on_at(partner: &str) -> String {
    format!("Continue at {partner}")
}
