//! English: notifications.

use crate::text::notices::Notices;

pub(crate) fn notices(words: Notices) -> &'static str {
    match words {
        Notices::Title => "New message",
        Notices::Hidden => "Open Causeway to read it.",
        Notices::NothingNew => "You are up to date",
        Notices::NothingNewWhy => "Causeway looked for messages and found none that you haven’t seen.",
        Notices::Reply => "Reply",
        Notices::MarkRead => "Mark as read",
        Notices::ReplyHint => "Message",
        Notices::Section => "Notifications",
        Notices::Why => {
            "Be told who wrote, and what, even while Causeway is closed. Messages are opened here, in your browser: the services that wake it learn neither."
        }
        Notices::Offer => "Know when somebody writes",
        Notices::TurnOn => "Turn on notifications",
        Notices::TurnOff => "Turn off notifications",
        Notices::NotNow => "Not now",
        Notices::On => "Notifications are on in this browser.",
        Notices::Off => "Notifications are off in this browser.",
        Notices::Blocked => "Your browser blocks notifications from this site.",
        Notices::BlockedHow => "Allow them in the browser’s settings for this site, then come back here.",
        Notices::Unsupported => "This browser can’t show notifications while Causeway is closed.",
        Notices::InstallFirst => {
            "On this device, notifications need Causeway on the home screen: open the share menu, choose “Add to Home Screen”, and open it from there."
        }
        Notices::ServiceSilent => {
            "The service that your browser uses to wake sites doesn’t answer. Check the connection and try again."
        }
        Notices::NotRegistered => "Your provider couldn’t be told where to reach this browser. Try again in a while.",
        Notices::LastPush => "Last woken",
        Notices::Test => "Send a test notification",
        Notices::TestSent => "On its way. It should appear within seconds.",
        Notices::TestFailed => "The test couldn’t be sent. Turn notifications off and on again.",
        Notices::Hide => "Hide sender and text",
        Notices::HideWhy => "Notifications then say only that there is a message.",
        Notices::UpdateReady => "A new version of Causeway is ready.",
        Notices::UpdateNow => "Use it now",
    }
}
