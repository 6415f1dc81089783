//! What stands between and around messages: days, the line above what is unread, and which bubbles belong together.

use causeway::view::MessageView;

/// Messages of one side closer than this stand together, in milliseconds.
const TOGETHER: u64 = 5 * 60 * 1000;

/// One row of a thread. The order is the order on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Another day begins: its number, and the message that follows.
    Day(i64, u64),
    /// All that follows is unread.
    Unread,
    /// The message of this sequence number.
    Message(u64),
}

/// How a bubble joins its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Nothing of the same group is above it.
    pub first: bool,
    /// Nothing of the same group is below it.
    pub last: bool,
}

/// Lays messages out. `unread_after` is the newest message that had been read when the chat was opened, if any was
/// unread; `day_of` gives the number of the local day; times are unix milliseconds. A message of the future stands at `now`. The shapes are those of
/// `messages`, in the same order.
pub fn lay_out(
    messages: &[MessageView],
    unread_after: Option<u64>,
    now: u64,
    day_of: &dyn Fn(u64) -> i64,
) -> (Vec<Slot>, Vec<Shape>) {
    let mut slots = Vec::with_capacity(messages.len() + 4);
    let mut shapes: Vec<Shape> = Vec::with_capacity(messages.len());
    let mut day = None;
    let mut unread_after = unread_after;
    let mut above: Option<&MessageView> = None;
    for message in messages {
        let mut joins = above.is_some_and(|above| belong_together(above, message));
        // The order is that of arrival: a message that comes late stands under its own day, too.
        let its_day = Some(day_of(message.at.min(now)));
        if let Some(begins) = its_day.filter(|_| its_day != day) {
            day = its_day;
            slots.push(Slot::Day(begins, message.seq));
            joins = false;
        }
        if unread_after.is_some_and(|read| message.seq > read && !message.outgoing) {
            unread_after = None;
            slots.push(Slot::Unread);
            joins = false;
        }
        if joins && let Some(above) = shapes.last_mut() {
            above.last = false;
        }
        slots.push(Slot::Message(message.seq));
        shapes.push(Shape { first: !joins, last: true });
        above = Some(message);
    }
    (slots, shapes)
}

fn belong_together(above: &MessageView, message: &MessageView) -> bool {
    let is_bubble = |message: &MessageView| !message.kind().is_notice();
    above.outgoing == message.outgoing
        && is_bubble(above)
        && is_bubble(message)
        && message.at.abs_diff(above.at) < TOGETHER
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway::view::MessageKind;

    const DAY: u64 = 24 * 60 * 60 * 1000;

    fn message(seq: u64, outgoing: bool, at: u64) -> MessageView {
        MessageView { seq, outgoing, at, ..Default::default() }
    }

    fn day_of(at: u64) -> i64 {
        i64::try_from(at / DAY).unwrap()
    }

    fn days(days: &[u64], today: u64) -> Vec<(i64, u64)> {
        let messages: Vec<_> = (1..).zip(days).map(|(seq, day)| message(seq, false, day * DAY)).collect();
        let (slots, _) = lay_out(&messages, None, today * DAY, &day_of);
        let day = |slot| if let Slot::Day(day, seq) = slot { Some((day, seq)) } else { None };
        slots.into_iter().filter_map(day).collect()
    }

    #[test]
    fn a_heading_stands_wherever_the_day_differs() {
        assert_eq!(days(&[10, 10, 11, 10, 10, 11], 12), [(10, 1), (11, 3), (10, 4), (11, 6)]);
        assert_eq!(days(&[], 12), []);
    }

    #[test]
    fn a_message_of_the_future_stands_at_now() {
        assert_eq!(days(&[10, 400_000, 10, 11], 12), [(10, 1), (12, 2), (10, 3), (11, 4)]);
        assert_eq!(days(&[12, u64::MAX / DAY, 12], 12), [(12, 1)]);
    }

    #[test]
    fn the_unread_line_stands_above_the_first_unread_message_of_the_peer() {
        let messages = [message(1, false, 0), message(2, true, 1), message(3, false, 2), message(4, false, 3)];
        let (slots, _) = lay_out(&messages, Some(1), DAY, &day_of);
        let expected =
            [Slot::Day(0, 1), Slot::Message(1), Slot::Message(2), Slot::Unread, Slot::Message(3), Slot::Message(4)];
        assert_eq!(slots, expected);
        assert!(!lay_out(&messages, Some(4), DAY, &day_of).0.contains(&Slot::Unread));
    }

    #[test]
    fn bubbles_of_one_side_and_time_stand_together() {
        let messages =
            [message(1, false, 0), message(2, false, 1000), message(3, true, 2000), message(4, true, 2000 + TOGETHER)];
        let (_, shapes) = lay_out(&messages, None, DAY, &day_of);
        let alone = Shape { first: true, last: true };
        assert_eq!(shapes, [Shape { first: true, last: false }, Shape { first: false, last: true }, alone, alone]);
    }

    #[test]
    fn a_notice_stands_alone() {
        let notice = MessageView { kind: MessageKind::IdentityChanged.into(), ..message(2, false, 1) };
        let (_, shapes) = lay_out(&[message(1, false, 0), notice, message(3, false, 2)], None, DAY, &day_of);
        assert!(shapes.iter().all(|shape| shape.first && shape.last));
    }
}
