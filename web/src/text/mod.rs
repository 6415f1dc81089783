//! Everything that the pages show as text, in one place. A language is one file that answers every [`Text`] and [`Phrase`]:
//! a missing translation doesn't compile.
//!
//! Neither dates nor numbers are written here; the browser writes those for the person's locale.

mod backup;
mod elsewhere;
mod english;
mod entrance;
mod localized;
mod notifications;
mod phrase;
mod words;

pub use backup::Backup;
pub use elsewhere::Elsewhere;
pub use entrance::Entrance;
pub use localized::{
    backup_left_out, backup_made_at, backup_progress, delivery, go_on_at, in_use_since, issue, message_summary,
    moved_since, partner, sender_with_count, sign_in_at,
};
pub use notifications::Notifications;
pub use phrase::{Facts, Phrase};
pub use words::Text;
