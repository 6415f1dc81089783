//! Checks a run from outside: what the page shows, what the phones show, and what was sent.
//!
//! What this module does not know: the faults of the run. It compares lists.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use causeway_proto::schema::signal::{PreKeySignalMessage, SignalMessage};
use prost::Message as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes of the MAC at the end of an encrypted message.
const MAC: usize = 8;

/// One chat as both sides show it at the end.
pub(crate) struct Chat {
    /// The phone.
    pub(crate) number: String,
    /// What the page shows: text and state, from the first message to the last.
    pub(crate) page: Vec<(String, String)>,
    /// What the phone shows, as the sandbox's control API lists it.
    pub(crate) phone: Vec<Value>,
    /// Number of the phone's first texts that came over a link without loss: those must be in order. A lost one is sent
    /// again after later ones.
    pub(crate) in_order: usize,
    /// Every text that the person entered, in that order.
    pub(crate) entered: Vec<String>,
    /// The entered texts that the page has shown at any time.
    pub(crate) painted: BTreeSet<String>,
}

impl Chat {
    /// Checks both directions for messages lost, duplicated, out of order, or unreadable.
    pub(crate) fn check(&self) -> Result<()> {
        let number = &self.number;
        let with = |wanted: bool| self.page.iter().filter(move |(_, state)| (state == "in") == wanted);
        for (text, state) in &self.page {
            ensure!(
                matches!(state.as_str(), "in" | "delivered" | "read"),
                "the chat with {number} shows {text:?} in state {state:?} in the end"
            );
        }
        for entry in &self.phone {
            ensure!(entry["kind"] == "text", "{number} shows {entry}");
            let state = entry["state"].as_str().unwrap_or_default();
            let arrived = matches!(state, "delivered" | "read" | "received" | "seen");
            ensure!(arrived, "{number} shows {entry} in the end");
        }
        let phone = |from_me: bool| {
            let entries = self.phone.iter().filter(move |entry| entry["from_me"] == from_me);
            entries.map(|entry| entry["text"].as_str().unwrap_or_default()).collect::<Vec<_>>()
        };
        let shown: Vec<&str> = with(true).map(|(text, _)| text.as_str()).collect();
        same(&phone(true), &shown, self.in_order).with_context(|| format!("from {number} to the page"))?;
        let own: Vec<&str> = with(false).map(|(text, _)| text.as_str()).collect();
        same(&own, &phone(false), usize::MAX).with_context(|| format!("from the page to {number}"))?;
        self.check_own(&own).with_context(|| format!("to {number}"))
    }

    /// Every entered text that was ever shown is there, each once, in the order of entering.
    fn check_own(&self, own: &[&str]) -> Result<()> {
        let place: HashMap<&str, usize> =
            self.entered.iter().enumerate().map(|(index, text)| (text.as_str(), index)).collect();
        let mut last = None;
        for text in own {
            let at = place.get(text).with_context(|| format!("{text:?} was never entered"))?;
            ensure!(last.is_none_or(|last| last < at), "{text:?} is shown twice or out of order");
            last = Some(at);
        }
        let own: BTreeSet<&str> = own.iter().copied().collect();
        let lost: Vec<_> = self.painted.iter().filter(|text| !own.contains(text.as_str())).collect();
        ensure!(lost.is_empty(), "shown once and lost: {lost:?}");
        Ok(())
    }
}

/// Both lists hold the same texts, each once, and the first `in_order` of them in the same order. The error names the
/// first difference.
fn same(sent: &[&str], shown: &[&str], in_order: usize) -> Result<()> {
    let lost: Vec<_> = sent.iter().filter(|text| !shown.contains(text)).collect();
    ensure!(lost.is_empty(), "lost: {lost:?}");
    let invented: Vec<_> = shown.iter().filter(|text| !sent.contains(text)).collect();
    ensure!(invented.is_empty(), "shown and never sent: {invented:?}");
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = shown.iter().filter(|text| !seen.insert(**text)).collect();
    ensure!(twice.is_empty(), "shown twice: {twice:?}");
    let strict: Vec<_> = sent.iter().take(in_order).copied().collect();
    let shown = shown.iter().filter(|text| strict.contains(text));
    for (index, (sent, shown)) in strict.iter().zip(shown).enumerate() {
        ensure!(sent == shown, "message {index} should be {sent:?}, and {shown:?} is shown");
    }
    Ok(())
}

/// Checks everything that the client sent, lost and repeated messages included: a ratchet key encrypts one plaintext
/// only, and a message has one ciphertext unless the other side requests another.
pub(crate) fn check_line(heard: &[Value]) -> Result<()> {
    let mut keys: HashMap<(Vec<u8>, u32), Vec<u8>> = HashMap::new();
    let mut ciphertexts: BTreeMap<String, String> = BTreeMap::new();
    for record in heard {
        let text = |key: &str| record[key].as_str().unwrap_or_default();
        let name = format!("{} to {} count {}", text("id"), text("to"), record["count"]);
        let known = ciphertexts.entry(name.clone()).or_insert_with(|| text("ciphertext").to_owned());
        ensure!(known == text("ciphertext"), "two ciphertexts for message {name}");
        let envelope = BASE64.decode(text("ciphertext")).context("no base64")?;
        let inner = match text("kind") {
            "pkmsg" => PreKeySignalMessage::decode(envelope.get(1..).unwrap_or_default())?.message.unwrap_or_default(),
            "msg" => envelope,
            kind => bail!("message {name} is a {kind:?}"),
        };
        let body = inner.get(1..inner.len().saturating_sub(MAC)).context("a short message")?;
        let message = SignalMessage::decode(body)?;
        let key = (message.ratchet_key.unwrap_or_default(), message.counter.unwrap_or_default());
        let counter = key.1;
        let known = keys.entry(key).or_insert_with(|| inner.clone());
        ensure!(*known == inner, "key {counter} of a chain encrypts two different messages, one of them {name}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(id: &str, counter: u32, ciphertext: &[u8]) -> Value {
        let message = SignalMessage {
            ratchet_key: Some(vec![5; 33]),
            counter: Some(counter),
            previous_counter: Some(0),
            ciphertext: Some(ciphertext.to_vec()),
        };
        let mut bytes = vec![0x33];
        bytes.extend(message.encode_to_vec());
        bytes.extend([0; MAC]);
        json!({"id": id, "to": "1", "kind": "msg", "ciphertext": BASE64.encode(bytes)})
    }

    #[test]
    fn the_same_bytes_again_are_accepted() {
        check_line(&[record("A", 0, b"one"), record("A", 0, b"one"), record("B", 1, b"two")]).unwrap();
    }

    #[test]
    fn a_key_that_is_used_twice_is_rejected() {
        let error = check_line(&[record("A", 0, b"one"), record("B", 0, b"two")]).unwrap_err();
        assert!(error.to_string().contains("encrypts two different messages"), "{error}");
    }

    #[test]
    fn a_message_with_two_ciphertexts_is_rejected_unless_a_retry_was_requested() {
        assert!(check_line(&[record("A", 0, b"one"), record("A", 1, b"one")]).is_err());
        let mut resend = record("A", 1, b"one");
        resend["count"] = json!("1");
        check_line(&[record("A", 0, b"one"), resend]).unwrap();
    }

    fn chat(page: &[(&str, &str)], phone: &[(bool, &str)]) -> Chat {
        let entry = |(from_me, text): &(bool, &str)| json!({"from_me": from_me, "text": text, "kind": "text", "state": if *from_me { "delivered" } else { "received" }});
        Chat {
            number: "1".into(),
            page: page.iter().map(|(text, state)| ((*text).into(), (*state).into())).collect(),
            phone: phone.iter().map(entry).collect(),
            in_order: usize::MAX,
            entered: ["x", "y", "z"].map(str::to_owned).into(),
            painted: BTreeSet::from(["x".to_owned()]),
        }
    }

    #[test]
    fn a_complete_run_passes() {
        let page = [("a", "in"), ("x", "delivered"), ("b", "in"), ("z", "read")];
        chat(&page, &[(true, "a"), (true, "b"), (false, "x"), (false, "z")]).check().unwrap();
    }

    #[test]
    fn reordering_passes_only_for_texts_of_the_lossy_link() {
        let page = [("a", "in"), ("c", "in"), ("b", "in"), ("x", "read")];
        let mut chat = chat(&page, &[(true, "a"), (true, "b"), (true, "c"), (false, "x")]);
        chat.in_order = 1;
        chat.check().unwrap();
        chat.in_order = 3;
        assert!(chat.check().is_err());
    }

    #[test]
    fn every_kind_of_damage_is_named() {
        let says = |page: &[(&str, &str)], phone: &[(bool, &str)], what: &str| {
            let error = format!("{:#}", chat(page, phone).check().unwrap_err());
            assert!(error.contains(what), "{error}");
        };
        says(&[("x", "delivered")], &[(true, "a"), (false, "x")], "lost: [\"a\"]");
        says(&[("a", "in"), ("a", "in")], &[(true, "a")], "shown twice");
        says(&[("b", "in"), ("a", "in")], &[(true, "a"), (true, "b")], "message 0");
        says(&[("x", "queued")], &[(false, "x")], "queued");
        says(&[("x", "delivered")], &[(false, "x"), (false, "x")], "shown twice");
        says(&[("y", "read"), ("x", "read")], &[(false, "y"), (false, "x")], "out of order");
        says(&[("y", "read")], &[(false, "y")], "shown once and lost");
        says(&[("?", "faint")], &[], "faint");
    }
}
