//! Texts in the page's language.

use causeway::view::{Delivery, Issue, MessageKind, MessageView};
use causeway::visible;

use super::backup::Backup;
use super::english;
use super::notifications::Notifications;
use super::other_browser::OtherBrowser;
use super::passwordless::Passwordless;
use super::phrase::{Facts, Phrase};
use super::words::Text;

impl Text {
    /// In the page's language.
    pub fn text(self) -> &'static str {
        english::text(self)
    }
}

impl Phrase<'_> {
    /// In the page's language.
    pub fn text(self) -> String {
        english::phrase(self)
    }
}

/// What went wrong, and what the person can do.
pub fn issue(issue: Issue, facts: Facts<'_>) -> String {
    let partner = if facts.partner.is_empty() { english::YOUR_PROVIDER } else { facts.partner };
    english::issue(issue, Facts { partner, ..facts })
}

/// The delivery state of a message.
pub fn delivery(delivery: Delivery) -> &'static str {
    english::delivery(delivery)
}

/// The provider's name, or a generic term if it is not known.
pub fn partner(name: &str) -> &str {
    if name.is_empty() { english::YOUR_PROVIDER } else { name }
}

impl Backup {
    /// In the page's language.
    pub fn text(self) -> &'static str {
        english::backup(self)
    }
}

/// When the last backup was made: a date.
pub fn backup_made_at(when: &str) -> String {
    english::backup_made_at(when)
}

/// How far it is, in percent.
pub fn backup_progress(percent: u32) -> String {
    english::backup_progress(percent)
}

/// Rows that are not in it.
pub fn backup_left_out(count: u64) -> String {
    english::backup_left_out(count)
}

impl OtherBrowser {
    /// In the page's language.
    pub fn text(self) -> &'static str {
        english::other_browser(self)
    }
}

/// Since when another browser has the account: the name, and a time if one is known.
pub fn in_use_since(name: &str, when: Option<&str>) -> String {
    english::in_use_since(name, when)
}

/// Since when this browser is replaced: a time, if one is known.
pub fn moved_since(when: Option<&str>) -> String {
    english::moved_since(when)
}

impl Passwordless {
    /// In the page's language.
    pub fn text(self) -> &'static str {
        english::passwordless(self)
    }
}

/// Title of the first step, where people sign in at the provider.
pub fn sign_in_at(partner: &str) -> String {
    english::sign_in_at(partner)
}

/// The link to the provider's own sign-in.
pub fn go_on_at(partner: &str) -> String {
    english::go_on_at(partner)
}

impl Notifications {
    /// In the page's language.
    pub fn text(self) -> &'static str {
        english::notifications(self)
    }
}

/// Who wrote, and how many messages are not read if there are several.
pub fn sender_with_count(name: &str, unread: u32) -> String {
    if unread > 1 { format!("{name} ({unread})") } else { name.to_owned() }
}

/// A message's text, or a description of its kind.
pub fn message_summary(message: &MessageView) -> String {
    match message.kind() {
        MessageKind::Text if visible::is_blank(&message.text) => Text::ShowsNothing.text().to_owned(),
        MessageKind::Text => visible::trimmed(&message.text).to_owned(),
        MessageKind::Unsupported => Text::Unsupported.text().to_owned(),
        MessageKind::Undecryptable => Text::Undecryptable.text().to_owned(),
        MessageKind::DeviceAdded => Text::DeviceAdded.text().to_owned(),
        MessageKind::Revoked => Text::Revoked.text().to_owned(),
        MessageKind::UnknownDevice => Text::UnknownDevice.text().to_owned(),
        MessageKind::IdentityChanged => Text::IdentityChanged.text().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::browser::Plural;

    #[test]
    fn every_issue_says_what_happened_and_what_to_do() {
        for known in (1..=999).filter_map(|number| Issue::try_from(number).ok()) {
            let said = issue(known, Facts { partner: "Partner", max_text_bytes: 1000 });
            assert!(said.split_inclusive(['.', ':']).count() >= 2, "{known:?}: {said}");
            assert!(said.ends_with('.'), "{known:?}: {said}");
        }
        assert_eq!(issue(Issue::None, Facts::default()), "");
    }

    #[test]
    fn counts_agree_with_their_words() {
        assert_eq!(Phrase::Unread(1, Plural::One).text(), "1 unread message");
        assert_eq!(Phrase::Unread(2, Plural::Other).text(), "2 unread messages");
        assert_eq!(Phrase::Title(0, "Causeway").text(), "Causeway");
        assert_eq!(Phrase::Title(3, "Causeway").text(), "(3) Causeway");
    }

    #[test]
    fn a_limit_that_is_passed_is_named() {
        let said = issue(Issue::TextTooLong, Facts { partner: "", max_text_bytes: 4096 });
        assert!(said.contains("4096"), "{said}");
    }

    #[test]
    fn a_date_that_is_not_known_leaves_no_gap() {
        for said in [in_use_since("alice", None), moved_since(None)] {
            assert!(said.ends_with('.') && !said.contains("  ") && !said.contains("since"), "{said}");
        }
        assert!(in_use_since("alice", Some("Monday")).contains("“alice”"));
        assert!(moved_since(Some("Monday")).contains("since Monday"));
    }
}
