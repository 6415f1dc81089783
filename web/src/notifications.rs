//! Plans the notifications on screen: one for each chat with messages that are neither read nor notified.
//!
//! What this module does not know: how a browser shows them, and why the plan is made.

use crate::state::model::Model;
use crate::state::peer_name;
use crate::text::Notifications;
use crate::text::{message_summary, sender_with_count};
use causeway::view::ChatView;

/// Most notifications on screen at once, of the most recently active chats.
const MOST: usize = 16;

/// The text of a notification, and its chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatNotification {
    /// The chat's id.
    pub chat: String,
    /// Sequence number of the chat's newest message.
    pub seq: u64,
    /// First line.
    pub title: String,
    /// Below it.
    pub body: String,
    /// When the message was sent, unix milliseconds.
    pub at: u64,
    /// The text names the sender, so a reply can be offered.
    pub named: bool,
}

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Notifications to show; each replaces its chat's former one.
    pub show: Vec<ChatNotification>,
    /// Chats whose notifications say nothing new any more.
    pub close: Vec<String>,
    /// Messages not read, for the badge.
    pub unread: u32,
}

/// Compares what is known with what is on screen: the chats that have a notification.
pub fn plan(model: &Model, shown: &[String]) -> Plan {
    let hide = model.account.as_ref().is_some_and(|account| account.hide_text);
    let is_read = |id: &String| model.chat(id).is_none_or(|chat| chat.unread == 0);
    Plan {
        show: model.chats().iter().filter_map(|chat| notification(chat, hide)).take(MOST).collect(),
        close: shown.iter().filter(|id| is_read(id)).cloned().collect(),
        unread: model.unread(),
    }
}

fn notification(chat: &ChatView, hide: bool) -> Option<ChatNotification> {
    let last = chat.last.as_ref().filter(|last| !last.outgoing && last.seq > chat.notified_up_to)?;
    if chat.unread == 0 {
        return None;
    }
    let (title, body) = match hide {
        true => (Notifications::Title.text().to_owned(), Notifications::Hidden.text().to_owned()),
        false => (sender_with_count(&peer_name::isolated(&peer_name::title(chat)), chat.unread), message_summary(last)),
    };
    Some(ChatNotification { chat: chat.id.clone(), seq: last.seq, title, body, at: last.at, named: !hide })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::model;
    use causeway::view::{AccountView, MessageView, News, Snapshot};

    fn chat(id: &str, unread: u32, seq: u64) -> ChatView {
        let last = MessageView { seq, text: format!("text {seq}"), at: 5, ..MessageView::default() };
        ChatView { id: id.into(), name: "Bob".into(), unread, last: Some(last), ..ChatView::default() }
    }

    fn model(chats: Vec<ChatView>, hide_text: bool) -> Model {
        let account = Some(Box::new(AccountView { hide_text, ..AccountView::default() }));
        let mut model = Model::default();
        model::apply(&mut model, News::Snapshot(Snapshot { chats, account, ..Snapshot::default() }).into(), 9);
        model
    }

    fn shown(chats: Vec<ChatView>) -> Vec<(String, u64)> {
        plan(&model(chats, false), &[])
            .show
            .into_iter()
            .map(|notification| (notification.chat, notification.seq))
            .collect()
    }

    #[test]
    fn each_chat_with_new_messages_has_a_notification_with_sender_and_text() {
        let plan = plan(&model(vec![chat("a", 1, 3), chat("b", 2, 7), chat("read", 0, 9)], false), &[]);
        let said: Vec<_> =
            plan.show.iter().map(|notification| (notification.title.as_str(), notification.body.as_str())).collect();
        assert_eq!(said, [("Bob", "text 3"), ("Bob (2)", "text 7")]);
        assert_eq!(plan.unread, 3);
    }

    #[test]
    fn a_name_turns_neither_the_count_nor_the_text() {
        let titles = |name: &str| {
            let chat = ChatView { name: name.into(), address: "+4".into(), ..chat("a", 2, 3) };
            plan(&model(vec![chat], false), &[]).show.remove(0).title
        };
        assert_eq!(titles("Bob\u{202E}"), "Bob (2)");
        assert_eq!(titles("דוד"), "\u{2068}דוד\u{2069} (2)");
        assert_eq!(titles("\u{200B}"), "+4 (2)");
        assert_eq!(titles("+49 30 123456"), "~+49 30 123456 (2)");
    }

    #[test]
    fn a_text_that_shows_nothing_is_described() {
        let mut blank = chat("a", 1, 3);
        for (text, said) in [("\u{200B}", "This message shows nothing."), ("\n\n  hi \n\n", "hi")] {
            blank.last.as_mut().unwrap().text = text.into();
            assert_eq!(plan(&model(vec![blank.clone()], false), &[]).show[0].body, said);
        }
    }

    #[test]
    fn a_message_is_notified_only_once() {
        let told = ChatView { notified_up_to: 3, ..chat("a", 1, 3) };
        let more = ChatView { notified_up_to: 3, ..chat("b", 2, 4) };
        assert_eq!(shown(vec![told, more]), [("b".to_owned(), 4)]);
    }

    #[test]
    fn own_messages_are_not_notified() {
        let mut own = chat("a", 1, 3);
        own.last.as_mut().unwrap().outgoing = true;
        assert_eq!(shown(vec![own]), []);
    }

    #[test]
    fn hidden_text_hides_the_sender_too() {
        let plan = plan(&model(vec![chat("a", 4, 3)], true), &[]);
        let notification = &plan.show[0];
        assert!(!format!("{}{}", notification.title, notification.body).contains("Bob"));
        assert!(!notification.body.contains("text 3") && !notification.named, "{notification:?}");
    }

    #[test]
    fn a_notification_goes_when_its_chat_is_read_or_gone() {
        let shown = ["read".to_owned(), "gone".to_owned(), "unread".to_owned()];
        let told = ChatView { notified_up_to: 3, ..chat("unread", 1, 3) };
        let plan = plan(&model(vec![chat("read", 0, 9), told], false), &shown);
        assert_eq!((plan.close, plan.show), (vec!["read".to_owned(), "gone".to_owned()], vec![]));
    }

    #[test]
    fn the_number_of_notifications_is_bounded() {
        let many = (0..100).map(|number| chat(&number.to_string(), 1, 1)).collect();
        assert_eq!(shown(many).len(), MOST);
    }
}
