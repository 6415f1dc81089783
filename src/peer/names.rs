//! The name that a person chose: unverified text.

use super::change;
use crate::context::Context;
use crate::model::PeerId;

/// Characters kept of a name.
const MAX_NAME: usize = 100;

/// Keeps the name that the person chose, without control characters and cut to [`MAX_NAME`] characters.
pub(crate) fn rename(cx: &mut Context<'_>, id: &PeerId, name: &str) {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let known = cx.records.peers.get(id.as_str().as_bytes()).and_then(|peer| peer.name.as_deref());
    if name.is_empty() || known == Some(name.as_str()) {
        return;
    }
    change(cx, id).name = Some(name);
    cx.group_commit.show_chat(id.chat());
}
