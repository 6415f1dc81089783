//! English.

mod backup;
mod notifications;
mod other_browser;
mod passwordless;

pub(super) use backup::{backup, backup_left_out, backup_made_at, backup_progress};
pub(super) use notifications::notifications;
pub(super) use other_browser::{in_use_since, moved_since, other_browser};
pub(super) use passwordless::{go_on_at, passwordless, sign_in_at};

use causeway::view::{Delivery, Issue};

use crate::state::browser::Plural;
use crate::state::storage_quota;
use crate::text::phrase::{Facts, Phrase};
use crate::text::words::Text;

/// Where the provider has not said its name.
pub(super) const YOUR_PROVIDER: &str = "your provider";

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::Product => "Causeway",
        Text::SkipToContent => "Skip to the conversation",
        Text::Opening => "Opening your messages…",
        Text::OpeningSlowly => "This takes longer than it should. Your messages are safe.",
        Text::Reload => "Reload the page",
        Text::PageLoading => "Loading this page…",
        Text::PageNotLoaded => "This page could not be loaded. Check the connection, then try again.",
        Text::Close => "Close",
        Text::Cancel => "Cancel",
        Text::Back => "Back to chats",

        Text::ChooseName => "Choose your name",
        Text::ChooseNameWhy => "People on WhatsApp will know you by this name.",
        Text::AccountChoice => "Do you have an account?",
        Text::CreateAccount => "Create account",
        Text::HaveAccount => "I have one",
        Text::Name => "Name",
        Text::NameHint => "1 to 40 characters. It can’t be changed later.",
        Text::NameEmpty => "Type the name that people should see.",
        Text::NameTooLong => "That is more than 40 characters. Shorten it a little.",
        Text::NameInvisible => "The name holds a character that nobody can see. Remove it.",
        Text::Password => "Password",
        Text::PasswordHint => "8 characters or more, used nowhere else. Your browser can suggest one.",
        Text::PasswordEmpty => "Type your password.",
        Text::ShowPassword => "Show password",
        Text::HidePassword => "Hide password",
        Text::SignIn => "Sign in",
        Text::OneMoment => "One moment…",

        Text::SharedTitle => "What is shared, and with whom",
        Text::SharedName => "Your name goes to WhatsApp",
        Text::SharedMessages => "Your messages stay between the two of you",
        Text::SharedWhen => "WhatsApp sees who and when",
        Text::SharedWhenMore => {
            "It learns whom you write to, when, and your internet address. It can’t see what you write."
        }
        Text::SharedKeys => "Your keys stay in this browser",
        Text::SharedKeysMore => {
            "So does your history. If this browser’s data is erased, both are gone and can’t be brought back."
        }
        Text::SharedKept => "Your browser is asked to keep them",
        Text::SharedKeptMore => {
            "Browsers may clear what sites keep when a device runs low on space. Yours may ask you now, or decide by \
             itself; if it says no, you can still connect. The settings show the answer and let you ask again."
        }
        Text::Forgets => "This browser forgets after a week",
        Text::ForgetsMore => {
            "If you don’t open this page for seven days, this browser removes your keys and messages. To prevent that, add \
             the page to your Home Screen (on a Mac, to the Dock) and connect there."
        }
        Text::SharedLess => "Chats between apps can do less",
        Text::SharedLessMore => {
            "Text works today. Calls, groups and disappearing messages don’t, and people on WhatsApp choose whether to \
             accept messages from other apps."
        }
        Text::Consent => "I agree that my name is shared with WhatsApp, so that people there can reach me.",
        Text::ConsentMissing => "Tick the box to go on. Without it, nothing is shared.",
        Text::AgreeAndConnect => "Agree and connect",
        Text::SignOut => "Sign out",

        Text::EnlistTitle => "Connecting you to WhatsApp",
        Text::EnlistWhy => "This takes a few seconds.",
        Text::EnlistKeys => "Making your keys in this browser",
        Text::EnlistRegister => "Introducing you to WhatsApp",
        Text::EnlistConnect => "Opening the encrypted connection",
        Text::StepWaiting => "waiting",
        Text::StepRunning => "in progress",
        Text::StepDone => "done",
        Text::StepFailed => "failed",
        Text::EnlistDoneTitle => "You can be reached",
        Text::EnlistFailedTitle => "That didn’t work",
        Text::TryAgain => "Try again",
        Text::StartFirstChat => "Start your first chat",
        Text::GoToChats => "Go to your chats",

        Text::Chats => "Chats",
        Text::NewChat => "New chat",
        Text::NoChats => "No chats yet",
        Text::NoChatsWhy => "Start one with the phone number of someone on WhatsApp.",
        Text::NothingOpen => "Pick up where you left off",
        Text::NothingOpenWhy => "Choose a chat from the list, or start a new one.",
        Text::Draft => "Draft:",
        Text::You => "You",
        Text::NoMessagesYet => "No messages yet",
        Text::PhoneNumber => "Phone number",
        Text::PhoneHint => "With the country code, for example +49 151 23456789.",
        Text::PhoneInvalid => "That is not a phone number yet. Type 5 to 15 digits, starting with the country code.",
        Text::StartChat => "Start chat",
        Text::ChatGone => "This chat is not in this browser.",

        Text::Provenance => "WhatsApp · third-party chat",
        Text::Encrypted => "End-to-end encrypted",
        Text::EncryptedLine => "Messages are end-to-end encrypted. Only the two of you can read them.",
        Text::SafetyTitle => "Encryption",
        Text::SafetyWhat => {
            "What you write is locked in this browser and opened only on the other person’s phone. WhatsApp passes it on \
             without being able to read it."
        }
        Text::SecurityCode => "Security code",
        Text::SecurityCodeWhy => {
            "To be sure that nobody is in between, compare these numbers with the other person, in person or on a call. \
             They should see the same."
        }
        Text::SecurityCodeNone => "The code appears after the first message has been sent or received.",
        Text::KeyFingerprint => "Your key’s fingerprint",
        Text::Messages => "Messages",
        Text::LoadingOlder => "Reading older messages…",
        Text::LoadingMessages => "Reading messages…",
        Text::NewMessages => "New messages",
        Text::ToNewest => "Go to the newest message",
        Text::WriteMessage => "Message",
        Text::Send => "Send",
        Text::Unsupported => "This kind of message can’t be shown here yet. It is kept, and can be seen on WhatsApp.",
        Text::Undecryptable => "Waiting for a message that couldn’t be opened",
        Text::GivenUp => "It has not come. You can ask for it once more, or ask the person to write it again.",
        Text::AskAgain => "Ask again",
        Text::IdentityChanged => "The security code has changed: a new phone, or WhatsApp was installed again.",
        Text::CompareCode => "Compare the new code",
        Text::Retry => "Try again",
        Text::Delete => "Delete",
        Text::OpensInNewTab => "opens in a new tab",
        Text::WillSend => "Will be sent when you are connected.",

        Text::Connection => "Connection",
        Text::StateOff => "Not connected",
        Text::StateConnecting => "Connecting…",
        Text::StateReading => "Reading messages…",
        Text::StateOnline => "Up to date",
        Text::StateOffline => "Offline. What you write is kept and will be sent.",
        Text::StateStopped => "Stopped.",
        Text::TryNow => "Try now",
        Text::UseHere => "Use here",
        Text::SignInAgain => "Sign in again",
        Text::EnlistAgain => "Connect again",

        Text::Settings => "Settings",
        Text::Appearance => "Appearance",
        Text::ThemeSystem => "System",
        Text::ThemeLight => "Light",
        Text::ThemeDark => "Dark",
        Text::Account => "Account",
        Text::Provider => "Provider",
        Text::Storage => "Storage",
        Text::StorageUnknown => "This browser does not say how much room there is.",
        Text::StorageFilling => {
            "The storage is filling up. Make room on this device: remove files and apps that you no longer need."
        }
        Text::StorageFull => {
            "The storage is almost full, and soon nothing new can be saved. Make room on this device now. What is saved \
             stays."
        }
        Text::KeptYes => "This browser has promised not to remove your messages and keys by itself.",
        Text::KeptNo => {
            "This browser has not promised to keep your messages and keys: it may remove them when this device runs low on \
             space."
        }
        Text::KeptRefused => {
            "The browser did not promise it. Many do once you use a page often, bookmark it, install it or allow \
             notifications. Ask again later."
        }
        Text::KeptAsk => "Ask this browser to keep them",
        Text::Facts => "Technical facts",
        Text::LoginId => "Login id",
        Text::RegistrationId => "Registration id",
        Text::ProtocolVersion => "Protocol version",
        Text::ClientVersion => "Client version",
        Text::Prekeys => "One-time keys on the server",
        Text::UnknownStanzas => "Unknown stanzas kept",
        Text::LastSynced => "Last up to date",
        Text::Never => "Never",
        Text::Unknown => "Not known yet",
        Text::SignOutWhy => {
            "Your messages and keys stay in this browser. No new messages arrive until you sign in again."
        }
        Text::ThisBrowser => "This browser",
        Text::Erase => "Erase this browser’s data",
        Text::EraseWhy => "Removes all chats and keys from this browser. There is no copy elsewhere.",
        Text::EraseTitle => "Erase everything in this browser?",
        Text::EraseLosesHistory => "All chats and messages in this browser are gone for good.",
        Text::EraseLosesKeys => "Your keys are gone. The people you write to will see that your security code changed.",
        Text::EraseLosesWaiting => "Messages that wait for you at WhatsApp can no longer be opened.",
        Text::EraseKeeps => "Your account and name stay. You can connect again with new keys.",
        Text::EraseConfirm => "Erase everything",

        Text::Shortcuts => "Keyboard shortcuts",
        Text::ShortcutHelp => "Show this list",
        Text::ShortcutSend => "Send the message",
        Text::ShortcutNewline => "Start a new line",
        Text::ShortcutNext => "Next chat",
        Text::ShortcutPrevious => "Previous chat",
        Text::ShortcutBack => "Back, or close",
        Text::Today => "Today",
        Text::Yesterday => "Yesterday",
    }
}

pub(super) fn phrase(phrase: Phrase<'_>) -> String {
    match phrase {
        Phrase::ChooseNameAt(partner) => format!("Choose your name at {partner}"),
        Phrase::Step(step, steps) => format!("Step {step} of {steps}"),
        Phrase::Characters(used, limit) => format!("{used} of {limit} characters"),
        Phrase::SharedNameMore(name, partner) => {
            if partner == YOUR_PROVIDER {
                return format!("WhatsApp and the people you write to see “{name}” and the name of your provider.");
            }
            format!("WhatsApp and the people you write to see “{name}”, and that you use {partner}.")
        }
        Phrase::SharedMessagesMore(partner) => {
            format!("They are end-to-end encrypted. Neither {partner} nor WhatsApp can read them.")
        }
        Phrase::EnlistDone(name) => {
            format!("You and people on WhatsApp can now write to each other. They see you as “{name}”.")
        }
        Phrase::SuggestedNumber(number) => format!("To try it out, write to {number}: it answers with what you write."),
        Phrase::Reading(count, plural) => format!("Reading {count} {}…", messages(plural)),
        Phrase::RetryIn(count, plural) => {
            format!("Trying again in {count} {}.", one(plural, "second", "seconds"))
        }
        Phrase::SyncedAt(time) => format!("Last up to date: {time}."),
        Phrase::Unread(count, plural) => format!("{count} unread {}", messages(plural)),
        Phrase::Undecryptable(asked, most) if asked < most => format!(
            "This message couldn’t be opened: it was locked for keys that this browser doesn’t have. The sender’s phone was asked to send it again (request {asked} of {most}). It will appear here by itself."
        ),
        Phrase::Undecryptable(asked, _) => format!(
            "This message couldn’t be opened: it was locked for keys that this browser doesn’t have. The sender’s phone was asked {asked} times to send it again."
        ),
        Phrase::LengthRemaining(count, plural) => format!("{count} {} left", one(plural, "byte", "bytes")),
        Phrase::LengthExceeded(count, plural, limit) => format!(
            "{count} {} too long. A message holds {limit} bytes: shorten it, or send it in parts.",
            one(plural, "byte", "bytes")
        ),
        Phrase::UnsupportedKind(kind) => format!("Kind: {kind}"),
        Phrase::MessageLabel(sender, says, time, None) => format!("{sender}: {says}, {time}"),
        Phrase::MessageLabel(sender, says, time, Some(state)) => format!("{sender}: {says}, {time}, {state}"),
        Phrase::NewMessageFrom(sender, "") => format!("New message from {sender}"),
        Phrase::NewMessageFrom(sender, text) => format!("New message from {sender}: {text}"),
        Phrase::StorageUsed(used, all) => format!("{} of {} used.", size(used), size(all)),
        Phrase::StorageOfMessages(bytes) => format!("Messages and keys: {}.", size(bytes)),
        Phrase::SignedInAs(name) => format!("Signed in as {name}"),
        Phrase::SignInAgainAs(name) => format!("Sign in again as {name}"),
        Phrase::ChatWith(name) => format!("Chat with {name}"),
        Phrase::EncryptedWith(name) => format!("Your chat with {name} is end-to-end encrypted."),
        Phrase::Title(0, rest) => rest.to_owned(),
        Phrase::Title(unread, rest) => format!("({unread}) {rest}"),
    }
}

pub(super) fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Queued => "waiting to be sent",
        Delivery::Sent => "sent",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
        Delivery::Failed => "not sent",
    }
}

/// First what happened, then what to do.
pub(super) fn issue(issue: Issue, Facts { partner, max_text_bytes }: Facts<'_>) -> String {
    let said = match issue {
        Issue::None => "",
        Issue::PartnerUnreachable => {
            return format!("{} does not answer. Check your connection and try again.", capital(partner));
        }
        Issue::PartnerAnswer => {
            return format!(
                "{} answered something that this version does not understand. Reload the page and try again.",
                capital(partner)
            );
        }
        Issue::IdentifierInvalid => "The name must have 1 to 40 characters. Change it and try again.",
        Issue::IdentifierTaken => {
            "Someone already has this name. Choose another one, or sign in if the account is yours."
        }
        Issue::BadCredentials => "Name and password do not match. Check both and try again.",
        Issue::PasswordTooShort => "The password is too short. Choose a longer one.",
        Issue::RateLimited => "Too many tries in a row. Wait a minute, then try again.",
        Issue::SignInNeeded => "You were signed out. Sign in again to get your messages.",
        Issue::EnlistUnreachable => "WhatsApp’s registration does not answer. Check your connection and try again.",
        Issue::EnlistAnswer => {
            "WhatsApp’s registration answered something that this version does not understand. Try again later."
        }
        Issue::EnlistBadIntegrator => {
            return format!("WhatsApp does not know {partner}. Ask {partner} for help.");
        }
        Issue::EnlistBadToken => "WhatsApp did not accept the proof of who you are. Sign out, sign in, and try again.",
        Issue::EnlistBadIdentifier => "WhatsApp did not accept this name. Sign out and choose another one.",
        Issue::EnlistBadKeys => "WhatsApp did not accept the keys of this browser. Try again to make new ones.",
        Issue::EnlistOutdated | Issue::Outdated => {
            "This version is too old for WhatsApp. Reload the page to get the new one; nothing is lost."
        }
        Issue::EnlistRefused => {
            return format!("WhatsApp refused the registration. Try again later, or ask {partner} for help.");
        }
        Issue::ChatUnreachable => "WhatsApp can’t be reached. Check your connection; it is tried again by itself.",
        Issue::ServerNotTrusted => {
            return format!(
                "The server could not prove that it is WhatsApp, so nothing was sent. Try another network, or ask \
                 {partner} for help."
            );
        }
        Issue::CertificateDates => {
            "The server’s certificate is not valid at this time. Check that the date and time of this device are right."
        }
        Issue::ChannelBroken => "The connection was disturbed on its way. Try again, or try another network.",
        Issue::LoginRefused => "WhatsApp did not let you in. Connect again; if that does not help, sign out and in.",
        Issue::NotEnlisted => "WhatsApp has ended your registration. Connect again to be reachable.",
        Issue::Replaced => "You are connected in another browser. Use it here to go on in this one.",
        Issue::Banned => "WhatsApp has blocked this account for a while. Wait, and try again later.",
        Issue::PhoneInvalid => "That is not a phone number. Type 5 to 15 digits, starting with the country code.",
        Issue::PeerUnreachable => {
            "This number can’t be reached on WhatsApp. Check it, or ask whether they accept messages from other apps."
        }
        Issue::TextEmpty => "There is nothing to send. Write something first.",
        Issue::TextTooLong => {
            return format!(
                "The message is too long. It can hold {max_text_bytes} bytes: shorten it, or send it in parts."
            );
        }
        Issue::MessageRefused => "WhatsApp refused this message. Try again, or delete it.",
        Issue::StorageFull => {
            "The storage for this site is full. Free some space on this device, then try again; nothing kept was lost."
        }
        Issue::StorageFailed => "The browser could not save. Reload the page and try again.",
        Issue::NoSuchChat => "This chat or message is no longer there. Go back to your chats.",
        Issue::StorageDamaged => {
            "Something saved in this browser is damaged and was left out. If it happens again, erase this browser’s data \
             in the settings."
        }
        Issue::StorageNewer => {
            "What is saved here was written by a newer version of this page. Reload the page to get it; nothing is lost."
        }
        Issue::KeysNotKept => {
            "This browser, or this kind of window, can’t keep the keys that Causeway needs. Open Causeway in a normal \
             window that isn’t private, or in another browser."
        }
        Issue::AccountDamaged => {
            "The keys saved in this browser are damaged, and nothing can be opened without them. Reload the page; if that \
             does not help, clear this site’s data in the browser’s settings and connect again."
        }
        Issue::PeerKeysInvalid => "This person’s keys could not be verified, so nothing was sent. Try again later.",
        Issue::AlreadyEnlisted => "You are already connected to WhatsApp. Go to your chats.",
        Issue::NotYetEnlisted => "You are not connected to WhatsApp yet. Connect first, then try again.",
        Issue::BackupBusy => "Another backup is being made. Wait until it is done, then try again.",
        Issue::PassphraseTooWeak => "This passphrase is too easy to guess. Use at least 12 characters, or 4 words.",
        Issue::BackupTooLarge => {
            "There is too much for one backup in this browser, or too little memory. Try it on another device."
        }
        Issue::BackupNotOne => "This file is not a Causeway backup. Choose one that ends in .backup.",
        Issue::BackupTooNew => "This backup was made by a newer version. Reload the page to get it, then try again.",
        Issue::BackupLocked => "Wrong passphrase, or the file is damaged. Check the passphrase and try again.",
        Issue::BackupDamaged => {
            "This file is damaged or not complete, so nothing was changed. Copy it here again, or use another backup."
        }
        Issue::BackupOtherAccount => {
            "This backup is of another account than the one that is signed in. Sign out first, then restore it."
        }
        Issue::RestoreWouldReplace => {
            "There is an account in this browser already. Say below that it may be replaced, then try again."
        }
        Issue::RestoreInterrupted => "The restore was interrupted, so nothing was changed. Try again.",
        Issue::MovedElsewhere => {
            "This account is used in another browser now. Your history stays readable here; write in the other browser."
        }
        Issue::EnlistedElsewhere => {
            "This name is in use in another browser. Move it from there, restore a backup, or start new here."
        }
    };
    said.to_owned()
}

fn size(bytes: u64) -> String {
    let (whole, tenths, unit) = storage_quota::size(bytes);
    let unit = ["bytes", "kB", "MB", "GB", "TB"].get(unit).copied().unwrap_or_default();
    // Tenths matter only where there is little before the point.
    if whole < 10 && tenths > 0 { format!("{whole}.{tenths} {unit}") } else { format!("{whole} {unit}") }
}

fn messages(plural: Plural) -> &'static str {
    one(plural, "message", "messages")
}

fn one<'a>(plural: Plural, one: &'a str, other: &'a str) -> &'a str {
    if plural == Plural::One { one } else { other }
}

/// A sentence begins with a capital, even where it begins with [`YOUR_PROVIDER`].
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
