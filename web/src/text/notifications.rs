//! Words of notifications, and of the settings about them.

/// Words without a gap to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notifications {
    /// Title of an unspecific notification. service-worker.js has a copy for the case that WebAssembly does not start.
    Title,
    /// Below it, where the person wants nothing to be quoted.
    Hidden,
    /// A push came, and there was nothing that the person did not know.
    NothingNew,
    /// Below it.
    NothingNewWhy,
    /// Button: answer.
    Reply,
    /// Button: it is read.
    MarkRead,
    /// In the box of the answer.
    ReplyHint,
    /// Heading in the settings.
    Section,
    /// What turning them on does.
    Why,
    /// Heading of the offer above the chats.
    Offer,
    /// Turn them on.
    TurnOn,
    /// Turn them off.
    TurnOff,
    /// Not now.
    NotNow,
    /// They are on.
    On,
    /// They are off.
    Off,
    /// The browser refuses.
    Blocked,
    /// What can be done about it.
    BlockedHow,
    /// This browser has none.
    Unsupported,
    /// It would, as an installed app.
    InstallFirst,
    /// The browser's push service does not answer.
    ServiceSilent,
    /// The partner server did not take it.
    NotRegistered,
    /// No push can be sent to the address that the browser gave.
    AddressUnusable,
    /// When the last push came.
    LastPush,
    /// Send one to oneself.
    Test,
    /// It is on its way.
    TestSent,
    /// It did not leave.
    TestFailed,
    /// Hide sender and text.
    Hide,
    /// What that means.
    HideWhy,
    /// A newer release is ready.
    UpdateReady,
    /// Use it.
    UpdateNow,
}
