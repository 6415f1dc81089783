//! English: notifications.

use crate::text::notifications::Notifications;

pub(crate) fn notifications(words: Notifications) -> &'static str {
    match words {
        Notifications::Title => "New message",
        Notifications::Hidden => "Open Causeway to read it.",
        Notifications::NothingNew => "You are up to date",
        Notifications::NothingNewWhy => "Causeway looked for messages and found none that you haven’t seen.",
        Notifications::Reply => "Reply",
        Notifications::MarkRead => "Mark as read",
        Notifications::ReplyHint => "Message",
        Notifications::Section => "Notifications",
        Notifications::Why => {
            "Be told who wrote, and what, even while Causeway is closed. Messages are opened here, in your browser: the services that wake it learn neither."
        }
        Notifications::Offer => "Know when somebody writes",
        Notifications::TurnOn => "Turn on notifications",
        Notifications::TurnOff => "Turn off notifications",
        Notifications::NotNow => "Not now",
        Notifications::On => "Notifications are on in this browser.",
        Notifications::Off => "Notifications are off in this browser.",
        Notifications::Blocked => "Your browser blocks notifications from this site.",
        Notifications::BlockedHow => "Allow them in the browser’s settings for this site, then come back here.",
        Notifications::Unsupported => "This browser can’t show notifications while Causeway is closed.",
        Notifications::InstallFirst => {
            "On this device, notifications need Causeway on the home screen: open the share menu, choose “Add to Home Screen”, and open it from there."
        }
        Notifications::ServiceSilent => {
            "The service that your browser uses to wake sites doesn’t answer. Check the connection and try again."
        }
        Notifications::NotRegistered => {
            "Your provider couldn’t be told where to reach this browser. Try again in a while."
        }
        Notifications::AddressUnusable => {
            "No notification can reach the address that your browser gave. In the browser’s settings, reset this site’s permission for notifications, then turn them on here again."
        }
        Notifications::LastPush => "Last woken",
        Notifications::Test => "Send a test notification",
        Notifications::TestSent => "On its way. It should appear within seconds.",
        Notifications::TestFailed => "The test couldn’t be sent. Turn notifications off and on again.",
        Notifications::Hide => "Hide sender and text",
        Notifications::HideWhy => "Notifications then say only that there is a message.",
        Notifications::UpdateReady => "A new version of Causeway is ready.",
        Notifications::UpdateNow => "Use it now",
    }
}
