//! Every text of the pages that has no gap to fill, apart from those of one feature (beside this file).

/// Words without a gap to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// The product's name.
    Product,
    /// Jump over the list to the open page.
    SkipToContent,
    /// While the engine has not answered yet.
    Opening,
    /// The engine takes long.
    OpeningSlowly,
    /// Load the page again.
    Reload,
    /// A page that is downloaded when it is opened has not come yet.
    PageLoading,
    /// It could not be downloaded.
    PageNotLoaded,
    /// Close a dialog.
    Close,
    /// Leave it as it is.
    Cancel,
    /// Back to the list.
    Back,

    /// Heading of the first step, where the provider has no name yet.
    ChooseName,
    /// Below it.
    ChooseNameWhy,
    /// The choice between a new account and an old one.
    AccountChoice,
    /// Make an account.
    CreateAccount,
    /// Use an account.
    HaveAccount,
    /// The identifier.
    Name,
    /// What a name may be.
    NameHint,
    /// Nothing is typed.
    NameEmpty,
    /// Too many characters.
    NameTooLong,
    /// Invisible characters.
    NameInvisible,
    /// The password.
    Password,
    /// Advice for a new password.
    PasswordHint,
    /// Nothing is typed.
    PasswordEmpty,
    /// Make the password readable.
    ShowPassword,
    /// Make it unreadable again.
    HidePassword,
    /// Use an account.
    SignIn,
    /// While the server thinks.
    OneMoment,

    /// Heading of the second step.
    SharedTitle,
    /// A point of the second step.
    SharedMessages,
    /// What sharing means for metadata.
    SharedWhen,
    /// Its explanation.
    SharedWhenMore,
    /// Where keys live.
    SharedKeys,
    /// Its explanation.
    SharedKeysMore,
    /// The browser is asked to keep them.
    SharedKept,
    /// Why, how it answers, and what if it says no.
    SharedKeptMore,
    /// This browser forgets sites that are not visited.
    Forgets,
    /// What that means, and what to do.
    ForgetsMore,
    /// What third-party chats can't do.
    SharedLess,
    /// Its explanation.
    SharedLessMore,
    /// The name's way.
    SharedName,
    /// The person agrees.
    Consent,
    /// The person did not agree.
    ConsentMissing,
    /// Agree.
    AgreeAndConnect,
    /// Leave.
    SignOut,

    /// Heading of the third step.
    EnlistTitle,
    /// Its explanation.
    EnlistWhy,
    /// The keys.
    EnlistKeys,
    /// The registration.
    EnlistRegister,
    /// The connection.
    EnlistConnect,
    /// A step that has not begun.
    StepWaiting,
    /// A step under way.
    StepRunning,
    /// A finished step.
    StepDone,
    /// A failed step.
    StepFailed,
    /// Heading when it worked.
    EnlistDoneTitle,
    /// Heading when it did not.
    EnlistFailedTitle,
    /// Try again.
    TryAgain,
    /// To the list, and a first chat.
    StartFirstChat,
    /// To the list.
    GoToChats,

    /// The list of chats.
    Chats,
    /// Start a chat.
    NewChat,
    /// There is no chat.
    NoChats,
    /// What to do about it.
    NoChatsWhy,
    /// No chat is open.
    NothingOpen,
    /// What to do about it.
    NothingOpenWhy,
    /// In front of a draft.
    Draft,
    /// In front of our own message.
    You,
    /// A chat without messages.
    NoMessagesYet,
    /// The phone number.
    PhoneNumber,
    /// How to type it.
    PhoneHint,
    /// It is none.
    PhoneInvalid,
    /// Start the chat.
    StartChat,
    /// No such chat.
    ChatGone,

    /// Where the peer is, and what that means.
    Provenance,
    /// Messages are encrypted.
    Encrypted,
    /// The first thing in a chat.
    EncryptedLine,
    /// Heading of the details.
    SafetyTitle,
    /// What encryption means.
    SafetyWhat,
    /// The code.
    SecurityCode,
    /// What to do with it.
    SecurityCodeWhy,
    /// There is none yet.
    SecurityCodeNone,
    /// Our key.
    KeyFingerprint,
    /// All messages of a chat.
    Messages,
    /// Older messages are read.
    LoadingOlder,
    /// The chat is read.
    LoadingMessages,
    /// The line above what is unread.
    NewMessages,
    /// Down to the newest.
    ToNewest,
    /// The person's message box.
    WriteMessage,
    /// Send.
    Send,
    /// A message that can't be shown.
    Unsupported,
    /// A text without a character that can be seen.
    ShowsNothing,
    /// Shows more of a long text.
    ReadMore,
    /// A message that can't be read, in the list of chats.
    Undecryptable,
    /// Its sender was asked in vain.
    GivenUp,
    /// Ask its sender once more.
    AskAgain,
    /// The peer has new keys.
    IdentityChanged,
    /// The peer writes from a further device.
    DeviceAdded,
    /// Heading of the log for support.
    Support,
    /// What is in the log.
    SupportAbout,
    /// Make the log.
    SupportMake,
    /// Save the log.
    SupportSave,
    /// Its sender has taken it back.
    Revoked,
    /// Its sender has changed it.
    Edited,
    /// A message of a device that the person's phone does not vouch for.
    UnknownDevice,
    /// Compare codes.
    CompareCode,
    /// Send a failed message again.
    Retry,
    /// Send a message that was not opened as another one.
    SendAgain,
    /// Remove a failed message.
    Delete,
    /// A link leaves the page.
    OpensInNewTab,
    /// While it is not connected.
    WillSend,

    /// The state of the connection.
    Connection,
    /// No connection is wanted.
    StateOff,
    /// It connects.
    StateConnecting,
    /// It reads, and does not know how much.
    StateReading,
    /// All is well.
    StateOnline,
    /// It waits.
    StateOffline,
    /// It has stopped.
    StateStopped,
    /// Connect now.
    TryNow,
    /// Connect here.
    UseHere,
    /// Sign in again.
    SignInAgain,
    /// Enlist again.
    EnlistAgain,

    /// Settings.
    Settings,
    /// How the page looks.
    Appearance,
    /// As the device does.
    ThemeSystem,
    /// Light.
    ThemeLight,
    /// Dark.
    ThemeDark,
    /// The account.
    Account,
    /// The provider.
    Provider,
    /// The heading of the section about storage.
    Storage,
    /// The browser does not say how much.
    StorageUnknown,
    /// At 80 percent.
    StorageFilling,
    /// At 95 percent.
    StorageFull,
    /// The browser has promised to keep our data.
    KeptYes,
    /// It has not.
    KeptNo,
    /// It was asked, and has not.
    KeptRefused,
    /// Ask it again.
    KeptAsk,
    /// Technical facts.
    Facts,
    /// The login JID.
    LoginId,
    /// The registration id.
    RegistrationId,
    /// The protocol's version.
    ProtocolVersion,
    /// This build's version.
    ClientVersion,
    /// One-time prekeys.
    Prekeys,
    /// Number of stanzas that were not understood.
    UnknownStanzas,
    /// When the mailbox was last read.
    LastSynced,
    /// Never.
    Never,
    /// Not known.
    Unknown,
    /// What leaving does.
    SignOutWhy,
    /// This browser's data.
    ThisBrowser,
    /// Erase.
    Erase,
    /// What erasing does.
    EraseWhy,
    /// The question.
    EraseTitle,
    /// What is lost, first.
    EraseLosesHistory,
    /// What is lost, second.
    EraseLosesKeys,
    /// What is lost, third.
    EraseLosesWaiting,
    /// What stays.
    EraseKeeps,
    /// Do it.
    EraseConfirm,

    /// The list of shortcuts.
    Shortcuts,
    /// Shortcut.
    ShortcutHelp,
    /// Shortcut.
    ShortcutSend,
    /// Shortcut.
    ShortcutNewline,
    /// Shortcut.
    ShortcutNext,
    /// Shortcut.
    ShortcutPrevious,
    /// Shortcut.
    ShortcutBack,
    /// A day.
    Today,
    /// A day.
    Yesterday,
}
