//! The log for support: versions, states, counts, and what happened lately. It holds nothing that a person or a peer chose,
//! and no address or key.

use super::state::Engine;
use crate::time::UnixMillis;
use causeway_proto::width;
use core::fmt::Write as _;

impl Engine {
    /// The log as text.
    pub(super) fn support_log(&mut self, now: UnixMillis) -> String {
        let connection = self.connection_view();
        let mut log = String::new();
        let account = self.records.account();
        let (stage, unknown) = (i32::from(account.stage), account.unknown_stanzas);
        let lines = [
            ("stage", u64::from(stage.unsigned_abs())),
            ("connection", connection.state.unsigned_abs().into()),
            ("connection issue", connection.issue.unsigned_abs().into()),
            ("storage issue", i32::from(self.storage).unsigned_abs().into()),
            ("unknown stanzas", unknown.into()),
            ("chats", count(self.records.chats.iter())),
            ("people", count(self.records.peers.iter())),
            ("messages not receipted", count(self.records.outbox.iter())),
            ("messages not applied", count(self.records.opened.iter())),
        ];
        // Writing to a string cannot fail.
        let _infallible = writeln!(log, "version {}", self.client_version);
        for (name, number) in lines {
            let _infallible = writeln!(log, "{name} {number}");
        }
        log.push_str("\nseconds ago, event\n");
        log.push_str(&self.trace.print(now));
        log
    }
}

fn count(rows: impl Iterator) -> u64 {
    width::to_u64(rows.count())
}
