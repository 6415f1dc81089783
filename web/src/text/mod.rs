//! Everything that the pages show as text, in one place. A language is one file that answers every [`Text`] and
//! [`Phrase`]: a missing translation doesn't compile.
//!
//! Neither dates nor numbers are written here; the browser writes those for the person's locale.

mod backup;
mod english;
mod localized;
mod notifications;
mod other_browser;
mod passwordless;
mod phrase;
mod words;

pub use backup::Backup;
pub use localized::{
    backup_left_out, backup_made_at, backup_progress, delivery, go_on_at, in_use_since, issue, message_summary,
    moved_since, partner, sender_with_count, sign_in_at,
};
pub use notifications::Notifications;
pub use other_browser::OtherBrowser;
pub use passwordless::Passwordless;
pub use phrase::{Facts, Phrase};
pub use words::Text;
