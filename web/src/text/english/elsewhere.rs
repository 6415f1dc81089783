//! English for when an account's keys are in another browser, or are gone. First what happened, then what it means, then
//! what to do; and nothing sounds smaller than it is.

use crate::text::elsewhere::Elsewhere;

pub(crate) fn elsewhere(text: Elsewhere) -> &'static str {
    match text {
        Elsewhere::InUse => "Your name is in use in another browser",
        Elsewhere::MaybeHere => "Or that was this one, before its data was removed.",
        Elsewhere::InUseChoice => {
            "Your keys and chats are where you used it last. Only one browser at a time can have them. How do you want \
             to go on?"
        }
        Elsewhere::Lost => "This browser has removed your data",
        Elsewhere::LostWhat => {
            "You are still signed in, but the chats and keys that were kept here are gone. They were removed, not sent to anyone."
        }
        Elsewhere::LostWhy => "Why this happens",
        Elsewhere::LostWhyMore => {
            "Browsers remove what a site has kept when the device runs out of space, when browsing data is cleared, and, \
             in Safari, after seven days without a visit."
        }
        Elsewhere::LostRest => "What is gone, and what is not",
        Elsewhere::LostGone => "Gone from this browser: your chats and your keys.",
        Elsewhere::LostNot => {
            "Not gone: your account, your name, and any backup that you saved. Messages that wait for you can be opened \
             only with your old keys."
        }
        Elsewhere::LostChoice => "How to go on",
        Elsewhere::Move => "Move it here",
        Elsewhere::MoveHow => {
            "In the other browser, open Settings and move your account to another browser. Bring the file that it makes \
             here. Chats, keys and waiting messages come along."
        }
        Elsewhere::Restore => "Restore a backup",
        Elsewhere::RestoreHow => {
            "If you saved a backup file, it brings back your keys, and your chats up to the day you saved it."
        }
        Elsewhere::OpenFile => "Open a file",
        Elsewhere::StartNew => "Start new here",
        Elsewhere::StartNewHow => {
            "With new keys and without your chats. What this costs is listed before anything is done."
        }
        Elsewhere::StartNewTitle => "Start new in this browser?",
        Elsewhere::StartNewStops => {
            "Any other browser with this name stops: it can no longer send or receive. Its history stays readable there."
        }
        Elsewhere::StartNewWaiting => "Messages that wait for your old keys can never be opened.",
        Elsewhere::StartNewCode => "The people you write to are told that your security code changed.",
        Elsewhere::StartNewHistory => "Your old chats don’t come along.",
        Elsewhere::StartNewKeeps => "Your account and name stay.",
        Elsewhere::StartNewConfirm => "Start new here",
        Elsewhere::WhatNow => "What now?",
        Elsewhere::Moved => "Your account is used in another browser",
        Elsewhere::MovedHere => "Everything up to then is still here, and you can read it.",
        Elsewhere::MovedNot => {
            "Nothing more arrives here and nothing can be sent from here, because only one browser at a time can have \
             your keys."
        }
        Elsewhere::MovedUseOther => "To write, use the other browser.",
        Elsewhere::MovedBack => {
            "To come back to this one, move your account here from the other browser. That replaces what is kept here: the \
             other browser’s chats come along, these don’t."
        }
        Elsewhere::MovedErase => "If you don’t need this history any more, erase it.",
        Elsewhere::CannotSend => "Can’t be sent from here: your account is used in another browser.",
        Elsewhere::Damaged => "Your data in this browser can’t be opened",
        Elsewhere::DamagedWhat => {
            "Something is still kept here, but the key to it is missing or damaged. The browser may have removed a part \
             of it, or the disk may have a fault. Nothing was sent to anyone."
        }
        Elsewhere::DamagedNow => {
            "Reload the page first. If that doesn’t help, remove this site’s data in the browser’s settings and come \
             back: then you can restore a backup, or start new."
        }
    }
}

pub(crate) fn in_use_since(name: &str, when: Option<&str>) -> String {
    match when {
        Some(when) => format!("“{name}” has been used in another browser since {when}."),
        None => format!("“{name}” is used in another browser."),
    }
}

pub(crate) fn moved_since(when: Option<&str>) -> String {
    match when {
        Some(when) => format!("It has been used there since {when}."),
        None => "Another browser has your keys now.".to_owned(),
    }
}
