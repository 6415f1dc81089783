//! Words for when an account's keys are in another browser, or are gone: before they are replaced, and after.

/// Words without a gap to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherBrowser {
    /// Heading: another browser has the keys, and this one has none.
    InUse,
    /// It may have been this browser.
    MaybeHere,
    /// What can be done about it.
    InUseChoice,
    /// Heading: the browser has removed the data.
    Lost,
    /// What happened.
    LostWhat,
    /// Heading: why.
    LostWhy,
    /// Why browsers do that.
    LostWhyMore,
    /// Heading: what is gone and what is not.
    LostRest,
    /// Gone.
    LostGone,
    /// Not gone.
    LostNot,
    /// Heading of the choice.
    LostChoice,
    /// Take everything over from the other browser.
    Move,
    /// How.
    MoveHow,
    /// Restore a backup.
    Restore,
    /// What that brings.
    RestoreHow,
    /// The link to that page, for both.
    OpenFile,
    /// Start with new keys.
    StartNew,
    /// What that means.
    StartNewHow,
    /// The question.
    StartNewTitle,
    /// What it does, first.
    StartNewStops,
    /// What it does, second.
    StartNewWaiting,
    /// What it does, third.
    StartNewCode,
    /// What it does, fourth.
    StartNewHistory,
    /// What it does not.
    StartNewKeeps,
    /// Do it.
    StartNewConfirm,
    /// What can be done now that this browser was replaced.
    WhatNow,
    /// Heading: this browser was replaced.
    Moved,
    /// What is still here.
    MovedHere,
    /// What is not possible.
    MovedNot,
    /// Use the other browser.
    MovedUseOther,
    /// Come back.
    MovedBack,
    /// Erase.
    MovedErase,
    /// Below the composer.
    CannotSend,
    /// Heading: the data in this browser can't be opened.
    Damaged,
    /// What happened, and what is certain.
    DamagedWhat,
    /// What to do.
    DamagedNow,
}
