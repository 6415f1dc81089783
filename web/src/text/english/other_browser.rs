//! English for when an account's keys are in another browser, or are gone. First what happened, then what it means,
//! then what to do; and nothing sounds smaller than it is.

use crate::text::other_browser::OtherBrowser;

pub(crate) fn other_browser(text: OtherBrowser) -> &'static str {
    match text {
        OtherBrowser::InUse => "Your name is in use in another browser",
        OtherBrowser::MaybeHere => "Or that was this one, before its data was removed.",
        OtherBrowser::InUseChoice => {
            "Your keys and chats are where you used it last. Only one browser at a time can have them. How do you want \
             to go on?"
        }
        OtherBrowser::Lost => "This browser has removed your data",
        OtherBrowser::LostWhat => {
            "You are still signed in, but the chats and keys that were kept here are gone. They were removed, not sent to anyone."
        }
        OtherBrowser::LostWhy => "Why this happens",
        OtherBrowser::LostWhyMore => {
            "Browsers remove what a site has kept when the device runs out of space, when browsing data is cleared, and, \
             in Safari, after seven days without a visit."
        }
        OtherBrowser::LostRest => "What is gone, and what is not",
        OtherBrowser::LostGone => "Gone from this browser: your chats and your keys.",
        OtherBrowser::LostNot => {
            "Not gone: your account, your name, and any backup that you saved. Messages that wait for you can be opened \
             only with your old keys."
        }
        OtherBrowser::LostChoice => "How to go on",
        OtherBrowser::Move => "Move it here",
        OtherBrowser::MoveHow => {
            "In the other browser, open Settings and move your account to another browser. Bring the file that it makes \
             here. Chats, keys and waiting messages come along."
        }
        OtherBrowser::Restore => "Restore a backup",
        OtherBrowser::RestoreHow => {
            "If you saved a backup file, it brings back your keys, and your chats up to the day you saved it."
        }
        OtherBrowser::OpenFile => "Open a file",
        OtherBrowser::StartNew => "Start new here",
        OtherBrowser::StartNewHow => {
            "With new keys and without your chats. What this costs is listed before anything is done."
        }
        OtherBrowser::StartNewTitle => "Start new in this browser?",
        OtherBrowser::StartNewStops => {
            "Any other browser with this name stops: it can no longer send or receive. Its history stays readable there."
        }
        OtherBrowser::StartNewWaiting => "Messages that wait for your old keys can never be opened.",
        OtherBrowser::StartNewCode => "The people you write to are told that your security code changed.",
        OtherBrowser::StartNewHistory => "Your old chats don’t come along.",
        OtherBrowser::StartNewKeeps => "Your account and name stay.",
        OtherBrowser::StartNewConfirm => "Start new here",
        OtherBrowser::WhatNow => "What now?",
        OtherBrowser::Moved => "Your account is used in another browser",
        OtherBrowser::MovedHere => "Everything up to then is still here, and you can read it.",
        OtherBrowser::MovedNot => {
            "Nothing more arrives here and nothing can be sent from here, because only one browser at a time can have \
             your keys."
        }
        OtherBrowser::MovedUseOther => "To write, use the other browser.",
        OtherBrowser::MovedBack => {
            "To come back to this one, move your account here from the other browser. That replaces what is kept here: the \
             other browser’s chats come along, these don’t."
        }
        OtherBrowser::MovedErase => "If you don’t need this history any more, erase it.",
        OtherBrowser::CannotSend => "Can’t be sent from here: your account is used in another browser.",
        OtherBrowser::Damaged => "Your data in this browser can’t be opened",
        OtherBrowser::DamagedWhat => {
            "Something is still kept here, but the key to it is missing or damaged. The browser may have removed a part \
             of it, or the disk may have a fault. Nothing was sent to anyone."
        }
        OtherBrowser::DamagedNow => {
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
