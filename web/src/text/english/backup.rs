//! English for backups, for moving to another browser, and for restoring either. What would be lost is said before it
//! can be, and in full.

use crate::text::backup::Backup;

pub(crate) fn backup(text: Backup) -> &'static str {
    match text {
        Backup::Title => "Backup",
        Backup::Why => {
            "Your keys and chats are only in this browser. If its data is removed, or the device is lost, and there is no \
             backup, this is lost for good:"
        }
        Backup::LosesHistory => "all your chats,",
        Backup::LosesWaiting => "every message that waits for you and can be opened only with your keys,",
        Backup::LosesKeys => "your keys: everybody you write to is told that your security code changed.",
        Backup::None => "You have no backup yet.",
        Backup::Make => "Make a backup",
        Backup::MakeTitle => "Make a backup",
        Backup::MakeWhat => {
            "You get one encrypted file with your keys and chats. Keep it away from this device. Nobody can open it \
             without the passphrase, not even your provider."
        }
        Backup::MakeAge => {
            "It holds what is here now. What you write and receive later is not in it: make a new one now and then."
        }
        Backup::MakeConfirm => "Save the backup",
        Backup::Making => "The backup is being made. Leave this page open.",
        Backup::Made => "The backup is in your downloads. Put it where you will find it.",

        Backup::Move => "Move to another browser",
        Backup::MoveWhy => {
            "Takes everything along, also messages that wait. This browser stops: only one at a time can have your keys."
        }
        Backup::MoveTitle => "Move to another browser",
        Backup::MoveFile => "Choose a passphrase. You get one encrypted file.",
        Backup::MoveBring => "Bring the file to the other browser or device.",
        Backup::MoveOpen => {
            "Open this site there, choose “Restore a backup or move”, and give the file and the passphrase."
        }
        Backup::MoveStops => {
            "As soon as the file is made, this browser no longer sends or receives. What comes meanwhile waits, and arrives \
             in the other browser. Until you have moved, you can still go on here instead."
        }
        Backup::MoveConfirm => "Stop here and save the file",
        Backup::MoveDone => {
            "The file is in your downloads, and this browser has stopped. Bring the file to the other browser now."
        }
        Backup::MovedTitle => "You have moved out of this browser",
        Backup::Moved => {
            "Open the file in the other browser to go on there. Until then, messages wait for you. What is here can still \
             be read."
        }
        Backup::MoveAgain => "Make the file again",
        Backup::ContinueHere => "Continue here instead",
        Backup::ContinueHereWhy => {
            "If the file was not used, everything goes on here, and the file becomes an ordinary, older backup. If it was \
             used, the other browser stops, and what was written there stays there."
        }

        Backup::Passphrase => "Passphrase",
        Backup::Again => "The same passphrase again",
        Backup::Differ => "The two are not the same. Type the passphrase again.",
        Backup::PassphraseHint => {
            "At least 12 characters, or 4 words. Six words that have nothing to do with each other are good."
        }
        Backup::PassphraseLost => "Write it down. If it is lost, the file can’t be opened by anybody.",
        Backup::Refused => "Too easy to guess",
        Backup::Fair => "Fair: longer is better",
        Backup::Good => "Good",
        Backup::Strong => "Strong",

        Backup::RestoreTitle => "Restore a backup, or move here",
        Backup::RestoreWhy => {
            "Choose the file that you saved, or that the other browser made, and type its passphrase. The file stays on this \
             device; only what is in it is used."
        }
        Backup::RestoreLink => "Restore a backup or move",
        Backup::File => "File",
        Backup::FileMissing => "Choose a file first.",
        Backup::FileUnreadable => "The file can’t be read. Choose it again.",
        Backup::Replaces => {
            "There is an account in this browser. Its keys and chats are erased and replaced by those in the file."
        }
        Backup::ReplaceAgree => "Erase what is here and use the file",
        Backup::RestoreConfirm => "Restore",
        Backup::Restoring => "The file is being read. Leave this page open.",
        Backup::RestoreCancel => "Back",

        Backup::OfferTitle => "Save a backup now?",
        Backup::OfferWhy => {
            "Your keys are only in this browser. Without a backup, chats and waiting messages are lost if its data is ever \
             removed. You can do it later in the settings, too."
        }
        Backup::OfferNow => "Save a backup now",
        Backup::OfferLater => "Later",
        Backup::Close => "Close",
    }
}

pub(crate) fn backup_made_at(when: &str) -> String {
    format!("Last backup: {when}.")
}

pub(crate) fn backup_progress(percent: u32) -> String {
    format!("{percent} %")
}

pub(crate) fn backup_left_out(count: u64) -> String {
    format!("{count} damaged entries of this browser are not in it.")
}
