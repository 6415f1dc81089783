//! The command line.
//!
//! What this module does not know: how commands are executed.

use causeway_partner::AccountId;
use std::{ffi::OsString, path::PathBuf};

pub(crate) const HELP: &str = "\
The partner server: signs people in, issues identity tokens, wakes browsers, serves the client.

Usage: partner [--config FILE] [--check]
       partner [--config FILE] COMMAND

  --config FILE        the configuration; partner.example.toml explains every option
  --check              check the configuration, print problems with their remedies, and end
  --version            print the version
  --help               print this

Commands work on the configured database, also while servers run; those read changed keys within half a minute.

  keys list            every signing key: what it signs, its name, when it was made, from when on it signs
  keys rotate          make a key for identity tokens; published now, it signs in ten minutes
  keys rotate-vapid    make a key for push services; browsers subscribe again when they next request it
  users list           every account and when it was made
  users delete ID      delete an account with its sessions and subscriptions
  subscriptions list   every subscription: account, push service, key, when made, when last confirmed
  subscriptions prune  delete those of services that are not in push.services, and those not confirmed for 90 days
  storage list         what every account has in media.store_url or the media folder: files, uploads, bytes, expired
  storage sweep        delete now what has expired there and what deleted accounts left; servers do so every minute

Environment variables CAUSEWAY_PARTNER_<SECTION>_<OPTION> win over the file; RUST_LOG sets what is logged.
SIGHUP reads the TLS certificate again.
Ends with 0 after a signal or a command, 64 for wrong arguments, 78 for a wrong configuration, 1 if it cannot run.";

/// An administrative command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    ListKeys,
    RotateKeys,
    RotateVapid,
    ListUsers,
    DeleteUser(AccountId),
    ListSubscriptions,
    PruneSubscriptions,
    ListStorage,
    SweepStorage,
}

/// What the command line requests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    Run { config: Option<PathBuf>, check: bool },
    Administer { config: Option<PathBuf>, command: Command },
    Version,
    Help,
}

/// Parses the arguments after the program's name.
pub(crate) fn read(mut words: impl Iterator<Item = OsString>) -> Result<Invocation, String> {
    let (mut config, mut check, mut command) = (None, false, Vec::new());
    while let Some(word) = words.next() {
        match word.into_string() {
            Ok(word) if word == "--config" => config = Some(words.next().ok_or("--config needs a file")?.into()),
            Ok(word) if word == "--check" => check = true,
            Ok(word) if word == "--version" => return Ok(Invocation::Version),
            Ok(word) if word == "--help" || word == "-h" => return Ok(Invocation::Help),
            // Identifiers may begin with a dash: after "delete" every argument is one.
            Ok(word) if !word.starts_with('-') || command == ["users", "delete"] => command.push(word),
            Ok(word) => return Err(format!("{word} is not an option")),
            Err(word) => return Err(format!("{} is not text", word.display())),
        }
    }
    if command.is_empty() {
        return Ok(Invocation::Run { config, check });
    }
    if check {
        return Err("--check takes no command".to_owned());
    }
    let words: Vec<_> = command.iter().map(String::as_str).collect();
    let command = match words.as_slice() {
        ["keys", "list"] => Command::ListKeys,
        ["keys", "rotate"] => Command::RotateKeys,
        ["keys", "rotate-vapid"] => Command::RotateVapid,
        ["users", "list"] => Command::ListUsers,
        ["users", "delete", identifier] => Command::DeleteUser(AccountId::new(*identifier)),
        ["users", "delete"] => return Err("users delete needs an identifier".to_owned()),
        ["subscriptions", "list"] => Command::ListSubscriptions,
        ["subscriptions", "prune"] => Command::PruneSubscriptions,
        ["storage", "list"] => Command::ListStorage,
        ["storage", "sweep"] => Command::SweepStorage,
        other => return Err(format!("{} is not a command", other.join(" "))),
    };
    Ok(Invocation::Administer { config, command })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &str) -> Result<Invocation, String> {
        read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_and_commands_in_any_order() {
        let config = || Some(PathBuf::from("a.toml"));
        assert_eq!(line(""), Ok(Invocation::Run { config: None, check: false }));
        assert_eq!(line("--check --config a.toml"), Ok(Invocation::Run { config: config(), check: true }));
        let rotate = Invocation::Administer { config: config(), command: Command::RotateKeys };
        assert_eq!(line("--config a.toml keys rotate").as_ref(), Ok(&rotate));
        assert_eq!(line("keys rotate --config a.toml"), Ok(rotate));
        let delete = Command::DeleteUser(AccountId::new("-x"));
        assert_eq!(line("users delete -x"), Ok(Invocation::Administer { config: None, command: delete }));
        assert_eq!(line("keys list --help"), Ok(Invocation::Help));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (wrong, expected) in [
            ("--configg a.toml", "--configg is not an option"),
            ("--config", "--config needs a file"),
            ("keys", "keys is not a command"),
            ("keys burn", "keys burn is not a command"),
            ("users delete", "users delete needs an identifier"),
            ("users delete a b", "users delete a b is not a command"),
            ("keys list --check", "--check takes no command"),
        ] {
            assert_eq!(line(wrong), Err(expected.to_owned()));
        }
    }

    #[test]
    fn every_command_is_in_the_help() {
        for command in [
            "keys list",
            "keys rotate",
            "keys rotate-vapid",
            "users list",
            "subscriptions list",
            "subscriptions prune",
            "storage list",
            "storage sweep",
        ] {
            assert!(HELP.contains(&format!("  {command}  ")), "{command}");
            assert!(line(command).is_ok(), "{command}");
        }
        assert!(HELP.contains("  users delete ID  "));
    }
}
