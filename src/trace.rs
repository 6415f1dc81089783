//! What happened lately, for support: a bounded list of events that hold no content, name, number, address or key.
//!
//! An event is a case of an enumeration and at most one number of ours or of the protocol's (an error code, a count).
//! Nothing that a person, a peer or a server chose as text can be recorded.

use crate::time::UnixMillis;
use core::fmt::Write as _;
use std::collections::VecDeque;

/// Largest number of events that are kept; the oldest go first.
const MAX_EVENTS: usize = 500;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The engine has read the store.
    Started,
    /// A row of the table with this number does not open or decode.
    RowDamaged(u8),
    /// A transaction or a read failed.
    StoreFailed,
    /// Logged in.
    LoggedIn,
    /// The mailbox is read.
    MailboxRead,
    /// The connection ended; the number is the issue's.
    Disconnected(i32),
    /// A stanza lacks something, or is of an unknown kind.
    StanzaRefused,
    /// A message could not be decrypted; the number is the retry receipt's code.
    NotDecrypted(u32),
    /// A message came from a device that nobody vouches for.
    UnknownDevice,
    /// A message was asked for again, for this time.
    AskedAgain(u32),
    /// A peer's request for a message was not served.
    ResendRefused(ResendRefusal),
    /// The server refused a message of ours with this code.
    MessageRefused(u32),
    /// A message was given up: nobody opened it.
    NotOpened,
    /// An ack belongs to no message of ours.
    AckIgnored,
    /// Keys of a peer could not be had; the number is the issue's.
    KeysRefused(i32),
    /// An IQ was not answered in time.
    IqTimeout,
    /// The partner server or the enlistment API answered with this status, or not at all.
    HttpAnswered(Option<u16>),
}

/// Why a message is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResendRefusal {
    /// There is no such message, or its recipient has receipted it.
    Finished,
    /// It was encrypted for another device.
    OtherDevice,
    /// It is older than the mailbox.
    TooOld,
    /// It was sent again as often as it may be.
    LastTry,
    /// The request was served before.
    Served,
    /// Its sender asked too often in an hour.
    TooOften,
}

/// The latest events.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    events: VecDeque<(UnixMillis, Event)>,
    /// Number of events that were dropped.
    dropped: u64,
}

impl Trace {
    /// Records an event.
    pub(crate) fn note(&mut self, now: UnixMillis, event: Event) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.events.push_back((now, event));
    }

    /// The events as text, one line each: seconds before `now`, what happened, and its number.
    pub(crate) fn print(&self, now: UnixMillis) -> String {
        let mut text = String::new();
        for (at, event) in &self.events {
            let (name, number) = describe(*event);
            // Writing to a string cannot fail.
            let _infallible = match number {
                Some(number) => writeln!(text, "{} {name} {number}", now.since(*at).seconds().0),
                None => writeln!(text, "{} {name}", now.since(*at).seconds().0),
            };
        }
        if self.dropped > 0 {
            let _infallible = writeln!(text, "earlier events: {}", self.dropped);
        }
        text
    }
}

fn describe(event: Event) -> (&'static str, Option<u32>) {
    match event {
        Event::Started => ("started", None),
        Event::RowDamaged(table) => ("row damaged, table", Some(table.into())),
        Event::StoreFailed => ("store failed", None),
        Event::LoggedIn => ("logged in", None),
        Event::MailboxRead => ("mailbox read", None),
        Event::Disconnected(issue) => ("disconnected, issue", Some(issue.unsigned_abs())),
        Event::StanzaRefused => ("stanza refused", None),
        Event::NotDecrypted(code) => ("not decrypted, code", Some(code)),
        Event::UnknownDevice => ("unknown device", None),
        Event::AskedAgain(time) => ("asked again, time", Some(time)),
        Event::ResendRefused(ResendRefusal::Finished) => ("resend refused: finished", None),
        Event::ResendRefused(ResendRefusal::OtherDevice) => ("resend refused: other device", None),
        Event::ResendRefused(ResendRefusal::TooOld) => ("resend refused: too old", None),
        Event::ResendRefused(ResendRefusal::LastTry) => ("resend refused: last try", None),
        Event::ResendRefused(ResendRefusal::Served) => ("resend refused: served", None),
        Event::ResendRefused(ResendRefusal::TooOften) => ("resend refused: too often", None),
        Event::MessageRefused(code) => ("message refused, code", Some(code)),
        Event::NotOpened => ("not opened", None),
        Event::AckIgnored => ("ack ignored", None),
        Event::KeysRefused(issue) => ("keys refused, issue", Some(issue.unsigned_abs())),
        Event::IqTimeout => ("iq not answered", None),
        Event::HttpAnswered(Some(status)) => ("http status", Some(status.into())),
        Event::HttpAnswered(None) => ("no http answer", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixSeconds;

    #[test]
    fn the_latest_events_are_kept_and_printed_with_their_age() {
        let at = |second| UnixSeconds(second).millis();
        let mut trace = Trace::default();
        for second in 0..600 {
            trace.note(at(second), Event::HttpAnswered(Some(429)));
        }
        trace.note(at(600), Event::UnknownDevice);
        let text = trace.print(at(610));
        assert_eq!(text.lines().count(), MAX_EVENTS + 1);
        assert!(text.starts_with("509 http status 429\n"), "{text}");
        assert!(text.ends_with("10 unknown device\nearlier events: 101\n"), "{text}");
    }
}
