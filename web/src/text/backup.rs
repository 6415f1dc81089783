//! Words for backups, for moving to another browser, and for restoring either.

/// Words without a gap to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// Heading: backups.
    Title,
    /// What one is for.
    Why,
    /// What is lost without one, first.
    LosesHistory,
    /// What is lost without one, second.
    LosesWaiting,
    /// What is lost without one, third.
    LosesKeys,
    /// There is none.
    None,
    /// Make one.
    Make,
    /// Heading of the dialog.
    MakeTitle,
    /// What happens to it.
    MakeWhat,
    /// How old it gets.
    MakeAge,
    /// Make it, now that the passphrase is typed.
    MakeConfirm,
    /// It is being made.
    Making,
    /// It is in the downloads.
    Made,

    /// Heading: move.
    Move,
    /// What that is.
    MoveWhy,
    /// Heading of the dialog.
    MoveTitle,
    /// What is done, first.
    MoveFile,
    /// What is done, second.
    MoveBring,
    /// What is done, third.
    MoveOpen,
    /// This browser stops.
    MoveStops,
    /// Do it.
    MoveConfirm,
    /// It is done; what to do next.
    MoveDone,
    /// Heading: it was done here.
    MovedTitle,
    /// Where the account is now.
    Moved,
    /// The file was lost: make it again.
    MoveAgain,
    /// Go on here.
    ContinueHere,
    /// What that means.
    ContinueHereWhy,

    /// The passphrase.
    Passphrase,
    /// The passphrase, once more.
    Again,
    /// They differ.
    Differ,
    /// What is a good one.
    PassphraseHint,
    /// Nobody can help.
    PassphraseLost,
    /// How good it is: refused.
    Refused,
    /// How good it is.
    Fair,
    /// How good it is.
    Good,
    /// How good it is.
    Strong,

    /// Heading: restore.
    RestoreTitle,
    /// What it brings.
    RestoreWhy,
    /// The link to that page.
    RestoreLink,
    /// The file.
    File,
    /// None is chosen.
    FileMissing,
    /// It can't be read.
    FileUnreadable,
    /// There is an account here.
    Replaces,
    /// Agree.
    ReplaceAgree,
    /// Restore.
    RestoreConfirm,
    /// It is being read.
    Restoring,
    /// Leave.
    RestoreCancel,

    /// Heading at the end of an enlistment.
    OfferTitle,
    /// What is lost without one.
    OfferWhy,
    /// Now.
    OfferNow,
    /// Later.
    OfferLater,
    /// Done.
    Close,
}
