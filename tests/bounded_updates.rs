//! Pages get every update: none is larger than their channel takes, whatever is in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod support;

use causeway::io::Input;
use causeway::view::{
    Action, Command, Issue, MAX_TEXT, MAX_TEXT_PIECE, MAX_UPDATE, MessageKind, MessagePage, MessageView, News,
    OpenChat, SaveDraft, Update,
};
use prost::Message as _;
use support::{BOB, BOB_CHAT, World};

/// What a page's channel takes (`web/src/port/channel.rs`), and what is left between that and the bound.
const CHANNEL: usize = 16 << 20;

fn largest(updates: &[Update]) -> usize {
    updates.iter().map(Update::encoded_len).max().unwrap_or(0)
}

fn open(world: &mut World, open: OpenChat) -> MessagePage {
    let tag = world.next_tag();
    world.input(Input::Command(Command { tag, action: Some(Action::OpenChat(open)), ..Command::default() }));
    let page = world.updates.iter().rev().find_map(|update| match &update.news {
        Some(News::MessagePage(page)) if page.tag == tag => Some(page.clone()),
        _ => None,
    });
    page.expect("a page")
}

/// The whole chat, as a page reads it when it is scrolled to the beginning.
fn scroll(world: &mut World, limit: u32) -> Vec<MessageView> {
    let (mut all, mut before) = (Vec::new(), None);
    for _ in 0..1_000 {
        let mut page = open(world, OpenChat { chat: BOB_CHAT.into(), before, limit, text_from: None });
        assert!(!page.messages.is_empty() || !page.more, "a page without messages that says there are more");
        before = page.messages.first().map(|message| message.seq);
        let more = page.more;
        page.messages.append(&mut all);
        all = page.messages;
        if !more {
            return all;
        }
    }
    panic!("the chat has no beginning");
}

/// A text as "read more" reads it.
fn whole(world: &mut World, message: &MessageView) -> String {
    let mut text = message.text.clone();
    while message.whole_bytes.is_some_and(|whole| whole > text.len() as u64) {
        let read = OpenChat {
            chat: BOB_CHAT.into(),
            before: Some(message.seq + 1),
            limit: 1,
            text_from: Some(text.len() as u64),
        };
        let page = open(world, read);
        assert_eq!(page.messages.len(), 1);
        assert!(!page.messages[0].text.is_empty() && page.messages[0].text.len() <= MAX_TEXT_PIECE);
        text.push_str(&page.messages[0].text);
    }
    text
}

#[test]
fn eighteen_texts_of_a_megabyte_are_read_page_by_page() {
    let mut world = World::enlisted(1);
    let texts: Vec<String> = (0..18).map(|number| format!("{number} {}", "漢".repeat(330_000))).collect();
    for text in &texts {
        world.write_from(BOB, text);
    }
    world.updates.clear();
    for limit in [1, 60, 200] {
        let all = scroll(&mut world, limit);
        assert_eq!(all.len(), 18, "limit {limit}");
        for (message, text) in all.iter().zip(&texts) {
            assert!(message.text.len() <= MAX_TEXT && text.starts_with(&message.text));
            assert_eq!(message.whole_bytes, Some(text.len() as u64));
        }
    }
    let newest = scroll(&mut world, 60).pop().unwrap();
    assert!(whole(&mut world, &newest) == texts[17], "the pieces are not the text");
    assert!(largest(&world.updates) <= MAX_UPDATE + 1_000 && MAX_UPDATE * 4 < CHANNEL, "{}", largest(&world.updates));
}

#[test]
fn a_text_that_fits_is_whole_and_says_so() {
    let mut world = World::enlisted(2);
    for length in [MAX_TEXT - 1, MAX_TEXT, MAX_TEXT + 1] {
        world.write_from(BOB, &"x".repeat(length));
    }
    let all = scroll(&mut world, 60);
    let cut: Vec<_> = all.iter().map(|message| (message.text.len(), message.whole_bytes)).collect();
    let too_long = MAX_TEXT as u64 + 1;
    assert_eq!(cut, [(MAX_TEXT - 1, None), (MAX_TEXT, None), (MAX_TEXT, Some(too_long))]);
    assert_eq!(whole(&mut world, &all[2]).len() as u64, too_long);
}

#[test]
fn a_page_is_cut_by_messages_or_by_bytes_and_more_is_true_only_if_there_are_more() {
    let mut world = World::enlisted(3);
    // Two that fill a page by themselves, between small ones.
    for text in
        ["a", "b"].into_iter().map(str::to_owned).chain((0..14).map(|_| "x".repeat(MAX_TEXT))).chain(["c".into()])
    {
        world.write_from(BOB, &text);
    }
    let page = |world: &mut World, limit, before| {
        let page = open(world, OpenChat { chat: BOB_CHAT.into(), before, limit, text_from: None });
        (page.messages.first().map(|m| m.seq), page.messages.last().map(|m| m.seq), page.more)
    };
    let per_page = (MAX_UPDATE / MAX_TEXT) as u64 - 1;
    assert_eq!(page(&mut world, 200, None), (Some(17 - per_page), Some(17), true));
    assert_eq!(page(&mut world, 2, None), (Some(16), Some(17), true));
    assert_eq!(page(&mut world, 2, Some(3)), (Some(1), Some(2), false));
    assert_eq!(page(&mut world, 1, Some(3)), (Some(2), Some(2), true));
    assert_eq!(page(&mut world, 200, Some(1)), (None, None, false));
}

#[test]
fn a_text_that_is_gone_or_read_past_its_end_gives_nothing() {
    let mut world = World::enlisted(4);
    world.write_from(BOB, "short");
    let read = |world: &mut World, before, from| {
        let read = OpenChat { chat: BOB_CHAT.into(), before: Some(before), limit: 60, text_from: Some(from) };
        open(world, read).messages.into_iter().map(|message| message.text).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut world, 2, 0), ["short"]);
    assert_eq!(read(&mut world, 2, 3), ["rt"]);
    assert_eq!(read(&mut world, 2, 5), [""]);
    assert_eq!(read(&mut world, 2, u64::MAX), [""]);
    assert_eq!(read(&mut world, 3, 0), [] as [&str; 0], "the newest is not the one before this number");
    assert_eq!(read(&mut world, 1, 0), [] as [&str; 0]);
    assert_eq!(read(&mut world, u64::MAX, 0), [] as [&str; 0]);
}

#[test]
fn large_messages_of_one_group_come_in_several_changes() {
    let mut world = World::enlisted(5);
    world.write_from(BOB, "before");
    world.thread(BOB_CHAT);
    world.cut();
    let text = "x".repeat(300_000);
    for _ in 0..12 {
        world.write_from(BOB, &text);
    }
    world.updates.clear();
    world.sleep_until(causeway::view::ConnectionState::Online);
    let shown: Vec<u64> = world
        .updates
        .iter()
        .filter_map(|update| match &update.news {
            Some(News::Messages(messages)) => Some(messages),
            _ => None,
        })
        .flat_map(|messages| messages.messages.iter().filter(|m| m.kind() == MessageKind::Text).map(|m| m.seq))
        .collect();
    assert_eq!(shown, (2..14).collect::<Vec<_>>());
    assert!(largest(&world.updates) <= MAX_UPDATE + 1_000, "{}", largest(&world.updates));
}

#[test]
fn many_chats_with_long_drafts_come_in_several_updates() {
    let mut world = World::enlisted(6);
    let draft = "🙂".repeat(100_000);
    for number in 0..8 {
        let chat = world.start_chat(&format!("+49 151 {:08}", number + 10_000_000));
        world.command(Action::SaveDraft(SaveDraft { chat, text: draft.clone() }));
    }
    world.updates.clear();
    world.snapshot();
    world.kill();
    let mut chats: Vec<&str> = Vec::new();
    let mut cleared = false;
    for update in &world.updates {
        match &update.news {
            Some(News::Snapshot(snapshot)) => {
                cleared = true;
                chats.clear();
                chats.extend(snapshot.chats.iter().map(|chat| chat.id.as_str()));
            }
            Some(News::Chat(chat)) if cleared => chats.push(&chat.id),
            _ => {}
        }
    }
    chats.sort_unstable();
    chats.dedup();
    assert_eq!(chats.len(), 8, "a chat is missing");
    assert!(largest(&world.updates) <= MAX_UPDATE + 1_000, "{}", largest(&world.updates));
}

#[test]
fn a_backup_of_large_messages_is_given_in_small_pieces() {
    let mut world = World::enlisted(7);
    let text = "x".repeat(1_000_000);
    for _ in 0..6 {
        world.write_from(BOB, &text);
    }
    world.updates.clear();
    let file = world.export("a passphrase that is long enough", false).unwrap();
    assert!(file.len() > 2 * MAX_UPDATE);
    assert!(largest(&world.updates) <= MAX_UPDATE + 1_000, "{}", largest(&world.updates));
    let last = |update: &&Update| matches!(&update.news, Some(News::BackupPiece(piece)) if piece.last);
    assert_eq!(world.updates.iter().filter(last).count(), 1);
    world.fresh_browser();
    assert_eq!(world.restore_in("a passphrase that is long enough", &file, 1 << 20, false), Issue::None);
    assert_eq!(scroll(&mut world, 60).len(), 6);
}
