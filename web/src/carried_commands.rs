//! Commands with what a person wrote that outlive their page: kept in the tab when the page is left before the engine
//! has answered, and given again by the next page of the tab (docs/decisions/0060-unanswered-text-outlives-its-page.md).
//!
//! What this module does not know: when a page is left, and how commands are sent.

use crate::port::{clock, tab};
use causeway::io::{Millis, UnixMillis};
use causeway::protobuf::Message;
use causeway::view::{Action, Command, SaveDraft};
use zeroize::Zeroizing;

/// A command with its tag, encoded.
pub type Encoded = (u64, Zeroizing<Vec<u8>>);

/// Where the tab keeps them.
const KEY: &str = "causeway-unanswered";
/// Most bytes that are kept; browsers give a tab 5 MB and more.
const MOST_BYTES: usize = 1024 * 1024;
/// A message that was kept for longer is not sent any more, but becomes a draft: the person may have forgotten it.
const LONGEST: Millis = Millis(60_000);

/// Keeps those of the commands that hold what a person wrote, in place of what was kept before; passwords are not among
/// them. Past `MOST_BYTES` they are dropped.
pub fn keep<'a>(commands: impl Iterator<Item = &'a [u8]>) {
    let text = encode(clock::now(), commands).map(|bytes| {
        // No byte takes more than two; a text that grew would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(2)));
        text.extend(bytes.iter().copied().map(char::from));
        text
    });
    tab::keep(KEY, text.as_ref().map(|text| text.as_str()));
}

/// Forgets what was kept.
pub fn forget() {
    tab::keep(KEY, None);
}

/// What the tab's former page has kept. It is kept no longer.
pub fn take() -> Vec<Encoded> {
    let Some(text) = tab::take(KEY).map(Zeroizing::new) else { return Vec::new() };
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    // Another character was not written here; what does not decode is left out.
    bytes.extend(text.chars().map_while(|character| u8::try_from(character).ok()));
    decode(&bytes, clock::now())
}

/// The time in eight bytes, then each command after its length in four.
fn encode<'a>(now: UnixMillis, commands: impl Iterator<Item = &'a [u8]>) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(now.0.to_be_bytes().to_vec());
    let time_len = bytes.len();
    for command in commands {
        let is_short = command.len() <= MOST_BYTES.saturating_sub(bytes.len());
        if is_short && Command::decode(command).is_ok_and(|command| is_written(&command)) {
            bytes.extend(u32::try_from(command.len()).unwrap_or(0).to_be_bytes());
            bytes.extend_from_slice(command);
        }
    }
    (bytes.len() > time_len).then_some(bytes)
}

fn is_written(command: &Command) -> bool {
    matches!(command.action, Some(Action::Send(_) | Action::SaveDraft(_)))
}

fn decode(bytes: &[u8], now: UnixMillis) -> Vec<Encoded> {
    let Some((kept_at, mut rest)) = bytes.split_first_chunk() else { return Vec::new() };
    let is_late = Millis(now.0.abs_diff(u64::from_be_bytes(*kept_at))) > LONGEST;
    let mut commands = Vec::new();
    while let Some((command, behind)) = split(rest) {
        rest = behind;
        let Ok(mut command) = Command::decode(command) else { continue };
        command.action = match command.action {
            Some(Action::Send(message)) if is_late => {
                Some(Action::SaveDraft(SaveDraft { chat: message.chat, text: message.text }))
            }
            // It removed the draft that the message before it was.
            Some(Action::SaveDraft(draft)) if is_late && draft.text.is_empty() => None,
            action => action,
        };
        if is_written(&command) {
            commands.push((command.tag, Zeroizing::new(command.encode_to_vec())));
        }
    }
    commands
}

/// The first command, and what is behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway::view::{Hello, Send, SignIn};

    fn command(tag: u64, action: Action) -> Vec<u8> {
        Command { tag, action: Some(action), ..Command::default() }.encode_to_vec()
    }

    fn send(text: &str) -> Action {
        Action::Send(Send { chat: "1@s".to_owned(), text: text.to_owned() })
    }

    fn draft(text: &str) -> Action {
        Action::SaveDraft(SaveDraft { chat: "1@s".to_owned(), text: text.to_owned() })
    }

    fn carried(commands: &[Vec<u8>], after: u64) -> Vec<Command> {
        let bytes = encode(UnixMillis(1_000_000), commands.iter().map(Vec::as_slice)).unwrap_or_default();
        let text: String = bytes.iter().copied().map(char::from).collect();
        let bytes: Vec<u8> = text.chars().map(|character| u8::try_from(character).unwrap()).collect();
        let decoded = decode(&bytes, UnixMillis(1_000_000 + after));
        decoded.iter().map(|(_, command)| Command::decode(command.as_slice()).unwrap()).collect()
    }

    #[test]
    fn what_a_person_wrote_is_carried_with_its_tag_and_nothing_else_is() {
        let written = [command(3, send("zwei 👍🏽\u{0}")), command(5, draft(""))];
        let others = [command(1, Action::Hello(Hello {})), command(2, Action::SignIn(SignIn::default()))];
        let all: Vec<_> = others.iter().chain(&written).cloned().collect();
        let found: Vec<_> = carried(&all, 20).iter().map(Message::encode_to_vec).collect();
        assert_eq!(found, written);
        assert!(encode(UnixMillis(0), others.iter().map(Vec::as_slice)).is_none(), "there is nothing to keep");
    }

    #[test]
    fn a_message_of_long_ago_is_a_draft() {
        for (after, expected) in [(LONGEST.0, vec![send("late"), draft("")]), (LONGEST.0 + 1, vec![draft("late")])] {
            let found = carried(&[command(3, send("late")), command(5, draft(""))], after);
            assert_eq!(found.into_iter().filter_map(|command| command.action).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_damaged_is_left_out() {
        let long = command(1, draft(&"x".repeat(MOST_BYTES)));
        let all = [long, command(2, draft("short"))];
        assert_eq!(carried(&all, 0).iter().map(|command| command.tag).collect::<Vec<_>>(), [2]);
        let whole = encode(UnixMillis(0), all.iter().map(Vec::as_slice)).unwrap();
        for len in 0..whole.len() {
            assert_eq!(decode(&whole[..len], UnixMillis(0)), []);
        }
        assert_eq!(decode(&[0xff; 64], UnixMillis(0)), []);
    }
}
