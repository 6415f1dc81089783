//! What a stanza can do without: it is read as long as there is something to act on. Stanzas are written in the notation
//! of `node::xml`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

use causeway_proto::jid::Jid;
use causeway_proto::node::{self, DecodeError, Node, document, xml};
use causeway_proto::profile::Profile;
use causeway_proto::stanza::{
    Ack, Alias, AliasOf, Ib, Incoming, IqKind, NotificationBody, Receipt, ReceiptKind, RetryRequest, Stanza,
    StanzaError, StreamError,
};
use proptest::prelude::*;

const PEER: &str = "14155551001@s.whatsapp.net";
/// An address of domain type 2.
const UNKNOWN: &str = "&raw;f70209ff0112";

fn node(text: &str) -> Node {
    xml::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn read(text: &str) -> Stanza {
    Stanza::from_node(node(text))
}

fn message(text: &str) -> Incoming {
    match read(text) {
        Stanza::Message(message) => message,
        other => panic!("{text}: {other:?}"),
    }
}

fn receipt(text: &str) -> Receipt {
    match read(text) {
        Stanza::Receipt(receipt, kept) => {
            assert_eq!(kept, node(text));
            receipt
        }
        other => panic!("{text}: {other:?}"),
    }
}

fn retry(text: &str) -> RetryRequest {
    match receipt(text).kind {
        ReceiptKind::Retry(request) => *request,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn sender_and_id_suffice_for_a_message() {
    let bare = message(&format!(r#"<message from="{PEER}" id="1"/>"#));
    assert_eq!((bare.from, bare.id.as_str()), (Jid::user("14155551001"), "1"));
    assert_eq!((bare.t, bare.kind, bare.notify, bare.participant), (None, None, None, None));
    assert!(bare.enc.is_empty() && bare.aliases.is_empty() && bare.device_identity.is_none() && !bare.offline);
    for t in ["-1", "+1", "1.0", "18446744073709551616", "1e3", "", "&raw;f70209ff0112"] {
        assert_eq!(message(&format!(r#"<message from="{PEER}" id="1" t="{t}" type="text"/>"#)).t, None, "{t}");
    }
    assert_eq!(message(&format!(r#"<message from="{PEER}" id="1" participant="{UNKNOWN}"/>"#)).participant, None);

    for (text, error) in [
        (format!(r#"<message from="{PEER}"/>"#), StanzaError::MissingAttribute { tag: "message", attribute: "id" }),
        (
            format!(r#"<message from="{PEER}" id=""/>"#),
            StanzaError::MissingAttribute { tag: "message", attribute: "id" },
        ),
        (r#"<message id="1"/>"#.to_owned(), StanzaError::MissingAttribute { tag: "message", attribute: "from" }),
    ] {
        assert_eq!(read(&text), Stanza::Malformed { node: node(&text), error });
    }
    let unknown = format!(r#"<message from="{UNKNOWN}" id="1"/>"#);
    let Stanza::Malformed { node, error: StanzaError::NotAJid { attribute: "from", .. } } = read(&unknown) else {
        panic!("{unknown}")
    };
    assert_eq!(Ack::for_node(&node, None).and_then(|ack| ack.attr("to").cloned()), node.attr("from").cloned());
}

#[test]
fn one_odd_envelope_does_not_spoil_the_others() {
    let good = r#"<enc v="2" type="msg">#3301</enc>"#;
    for (odd, error) in [
        (r#"<enc type="frskmsg">#00</enc>"#, StanzaError::MissingAttribute { tag: "enc", attribute: "v" }),
        (r#"<enc v="2">#00</enc>"#, StanzaError::MissingAttribute { tag: "enc", attribute: "type" }),
        (r#"<enc v="2" type="">#00</enc>"#, StanzaError::MissingAttribute { tag: "enc", attribute: "type" }),
        (r#"<enc v="two" type="msg">#00</enc>"#, StanzaError::NotANumber { tag: "enc", attribute: "v" }),
        (r#"<enc v="2" type="msg"/>"#, StanzaError::MissingContent { tag: "enc" }),
        (r#"<enc v="2" type="msg"><a/></enc>"#, StanzaError::MissingContent { tag: "enc" }),
    ] {
        for inside in [format!("{odd}{good}"), format!("{good}{odd}"), format!("<meta/>{odd}<meta/>{good}{odd}")] {
            let message = message(&format!(r#"<message from="{PEER}" id="1">{inside}</message>"#));
            let opened: Vec<_> = message.enc.iter().flatten().collect();
            assert_eq!((opened.len(), opened[0].bytes.as_slice()), (1, &[0x33, 1][..]), "{inside}");
            assert!(message.enc.iter().filter_map(|enc| enc.as_ref().err()).all(|got| *got == error), "{inside}");
            assert!(message.enc.len() >= 2, "{inside}");
        }
    }
    // How often it was sent is not needed to open it.
    for count in ["many", "-1", "4294967296", ""] {
        let text =
            format!(r#"<message from="{PEER}" id="1"><enc v="2" type="msg" count="{count}">#33</enc></message>"#);
        assert_eq!(message(&text).enc[0].as_ref().map(|enc| enc.count), Ok(None), "{count}");
    }
    let many = format!(r#"<message from="{PEER}" id="1">{}</message>"#, good.repeat(17));
    assert_eq!(message(&many).enc.iter().flatten().count(), 16);
}

#[test]
fn other_names_of_the_same_people() {
    let text = format!(
        r#"<message from="1@lid" id="1" sender_pn="2@s.whatsapp.net" participant_lid="3@lid" recipient_lid="4@lid"
        peer_recipient_pn="&text;5@c.us" sender_lid="6@s.whatsapp.net" participant_pn="{UNKNOWN}"/>"#
    );
    let alias = |whose, jid: &str| Alias { whose, jid: jid.parse().unwrap() };
    let expected = [
        alias(AliasOf::Sender, "2@s.whatsapp.net"),
        alias(AliasOf::Participant, "3@lid"),
        alias(AliasOf::Recipient, "5@c.us"),
        alias(AliasOf::Recipient, "4@lid"),
    ];
    assert_eq!(message(&text).aliases, expected);
    assert_eq!(receipt(&text.replace("<message", "<receipt")).aliases, expected);
    // Neither a group, nor a server, nor a number where a hidden identifier is promised.
    let text = r#"<message from="1@lid" id="1" sender_pn="7@g.us" sender_lid="&jid;lid" participant_pn="8@lid"/>"#;
    assert_eq!(message(text).aliases, []);
}

#[test]
fn what_vouches_for_a_device_is_read_where_it_is() {
    let with = |inside: &str| {
        message(&format!(r#"<message from="{PEER}" id="1"><enc v="2" type="pkmsg">#33</enc>{inside}</message>"#))
    };
    assert_eq!(with("<device-identity>#0a00</device-identity>").device_identity, Some(vec![0x0A, 0]));
    assert_eq!(with("<device-identity/>").device_identity, None);
    assert_eq!(with("<device-identity><a/></device-identity>").device_identity, None);
    let longest = with(&format!("<device-identity>#{}</device-identity>", "00".repeat(1024)));
    assert_eq!(longest.device_identity.map(|bytes| bytes.len()), Some(1024));
    let longer = with(&format!("<device-identity>#{}</device-identity>", "00".repeat(1025)));
    assert_eq!((longer.device_identity, longer.enc.len()), (None, 1));
}

/// The keys of one device, as in a retry receipt.
fn keys(signature: &str) -> String {
    format!(
        "<keys><type>#05</type><identity>#{}</identity><skey><id>#000007</id><value>#{}</value>\
         <signature>#{}</signature></skey><device-identity>#0a01</device-identity></keys>",
        "11".repeat(32),
        "22".repeat(32),
        signature
    )
}

#[test]
fn the_type_is_all_that_a_retry_needs() {
    let bare = retry(&format!(r#"<receipt from="{PEER}" id="A" type="retry"/>"#));
    assert_eq!((bare.count, bare.id.as_str(), bare.t, bare.error), (1, "A", None, None));
    assert_eq!((bare.registration_id, bare.keys, bare.device_identity), (None, None, None));

    let with = |retry: &str, rest: &str| {
        self::retry(&format!(r#"<receipt from="{PEER}" id="A" type="retry"><retry {retry}/>{rest}</receipt>"#))
    };
    let odd = with(r#"count="many" id="" t="now" error="bad MAC""#, "<registration>#1234</registration>");
    assert_eq!((odd.count, odd.id.as_str(), odd.t, odd.error, odd.registration_id), (1, "A", None, None, None));
    assert_eq!(with(r#"count="0""#, "").count, 1);

    let registration = "<registration>#00001234</registration>";
    let good = with(r#"count="2" id="B" t="9""#, &format!("{registration}{}", keys(&"44".repeat(64))));
    assert_eq!((good.count, good.id.as_str(), good.t, good.registration_id), (2, "B", Some(9), Some(0x1234)));
    assert_eq!(good.keys.map(|keys| (keys.registration_id, keys.signed_prekey_id)), Some((0x1234, 7)));
    assert_eq!(good.device_identity, Some(vec![0x0A, 1]));
    // With keys that cannot be used, or whose owner does not say who it is, it is a retry without keys.
    let short = with(r#"count="2""#, &format!("{registration}{}", keys("44")));
    assert_eq!((short.count, short.registration_id, short.keys), (2, Some(0x1234), None));
    assert_eq!(with(r#"count="2""#, &keys(&"44".repeat(64))).keys, None);
}

#[test]
fn receipts_and_notifications_need_no_more_than_sender_and_id() {
    let odd = receipt(&format!(
        r#"<receipt from="{PEER}" id="1" t="now" participant="{UNKNOWN}" recipient="nobody">
        <list><item/><item id="2"/><item id=""/><item id="3"/></list></receipt>"#
    ));
    assert_eq!((odd.t, odd.participant, odd.recipient, odd.kind), (None, None, None, ReceiptKind::Delivered));
    assert_eq!(odd.ids, ["1", "2", "3"]);

    let Stanza::Notification(odd) = read(&format!(r#"<notification from="{PEER}" id="1" t="now"/>"#)) else { panic!() };
    assert_eq!((odd.kind, odd.t, odd.body), (None, None, NotificationBody::Other));
    let low = r#"<notification from="s.whatsapp.net" id="1" type="encrypt"><count value="few"/></notification>"#;
    assert!(matches!(read(low), Stanza::Notification(odd) if odd.body == NotificationBody::Other));
}

#[test]
fn what_the_stream_says_of_itself_is_read_without_its_numbers() {
    assert!(matches!(read(r#"<success t="now"/>"#), Stanza::Success(success) if success.t.is_none()));
    let failure = r#"<failure reason="402" code="x" expire="soon"/>"#;
    assert!(matches!(read(failure), Stanza::Failure(failure) if failure.reason == 402 && failure.expire.is_none()));
    let preview = r#"<ib><offline_preview count="x" message="3"/></ib>"#;
    assert_eq!(read(preview), Stanza::Ib(Ib::OfflinePreview { count: 0, message: 3 }));
    assert_eq!(read(r#"<ib><offline count="all"/></ib>"#), Stanza::Ib(Ib::Offline { count: 0 }));
    let error = format!(r#"<iq id="1" from="{UNKNOWN}" type="error"><error code="x"/></iq>"#);
    let Stanza::Iq(error) = read(&error) else { panic!() };
    assert!(matches!(error.kind, IqKind::Error(error) if error.code == 0));
}

fn bytes(node: &Node) -> Vec<u8> {
    let mut out = Vec::new();
    node::encode(node, &Profile::default(), &mut out).unwrap();
    out
}

/// What a document is read as whose root is this, with a child whose tag means nothing.
fn undecodable(root: &str) -> Stanza {
    let mut bytes = [&[0], &bytes(&node(root).with_node(Node::new("id")))[..]].concat();
    *bytes.last_mut().unwrap() = 0xF1;
    match document::decode(&bytes, 0) {
        Err(undecodable) => Stanza::from_undecodable(undecodable),
        Ok(node) => panic!("{node}"),
    }
}

#[test]
fn a_stanza_that_the_codec_refuses_is_malformed_and_can_be_acknowledged() {
    let root = format!(r#"<message from="{PEER}" id="A" type="text" offline="1"/>"#);
    let Stanza::Malformed { node: kept, error } = undecodable(&root) else { panic!() };
    assert_eq!(kept, node(&root));
    assert!(matches!(error, StanzaError::Undecodable(DecodeError::UnknownTag { tag: 0xF1, .. })), "{error}");
    let ack = format!(r#"<ack class="message" id="A" to="{PEER}"/>"#);
    assert_eq!(Ack::for_node(&kept, None), Some(node(&ack)));
    // Begin and end of a stream need no children.
    assert!(matches!(undecodable(r#"<success t="5"/>"#), Stanza::Success(success) if success.t == Some(5)));
    assert!(matches!(undecodable(r#"<failure reason="401"/>"#), Stanza::Failure(failure) if failure.reason == 401));
    assert_eq!(undecodable(r#"<stream:error code="515"/>"#), Stanza::StreamError(StreamError::Restart));
    let Stanza::Malformed { node: kept, .. } = Stanza::from_undecodable(document::decode(&[], 0).unwrap_err()) else {
        panic!()
    };
    assert_eq!((Ack::for_node(&kept, None), kept), (None, Node::new("")));
}

/// A message, receipt or notification with sender and id, and any other attributes and children.
fn sendable() -> impl Strategy<Value = Node> {
    let values = prop_oneof![
        Just(String::new()),
        Just("1".to_owned()),
        Just("retry".to_owned()),
        Just("encrypt".to_owned()),
        Just("x@lid".to_owned()),
        any::<String>(),
    ];
    const KEYS: [&str; 12] = [
        "t",
        "type",
        "count",
        "v",
        "participant",
        "recipient",
        "notify",
        "offline",
        "sender_pn",
        "recipient_lid",
        "error",
        "edit",
    ];
    const TAGS: [&str; 9] =
        ["enc", "retry", "registration", "keys", "list", "item", "device-identity", "identity", "skey"];
    let attrs = || prop::collection::vec((prop::sample::select(&KEYS[..]), values.clone()), 0..6);
    let leaf = (prop::sample::select(&TAGS[..]), attrs(), prop::collection::vec(any::<u8>(), 0..70))
        .prop_map(|(tag, attrs, bytes)| with_attrs(Node::new(tag), attrs).with_bytes(bytes));
    let inner = leaf.prop_recursive(3, 20, 5, move |inner| {
        (prop::sample::select(&TAGS[..]), prop::collection::vec(inner, 0..5))
            .prop_map(|(tag, nodes)| Node::new(tag).with_nodes(nodes))
    });
    let tag = prop::sample::select(vec!["message", "receipt", "notification"]);
    (tag, attrs(), prop::collection::vec(inner, 0..5)).prop_map(|(tag, attrs, nodes)| {
        let node = Node::new(tag).with("from", Jid::user("14155551001")).with("id", "A");
        with_attrs(node, attrs).with_nodes(nodes)
    })
}

fn with_attrs(node: Node, attrs: Vec<(&'static str, String)>) -> Node {
    attrs.into_iter().fold(node, |node, (key, value)| node.with(key, value))
}

proptest! {
    #[test]
    fn whatever_has_sender_and_id_is_read_and_can_be_acknowledged(node in sendable()) {
        let stanza = Stanza::from_node(node.clone());
        let is_read = matches!(stanza, Stanza::Message(_) | Stanza::Receipt(..) | Stanza::Notification(_));
        prop_assert!(is_read, "{:?}", stanza);
        let ack = Ack::for_node(&node, None);
        prop_assert_eq!(ack.as_ref().and_then(|ack| ack.attr("to")), node.attr("from"));
        prop_assert!(node::decode(&bytes(&ack.unwrap())).is_ok());
    }

    #[test]
    fn a_damaged_stanza_is_read_or_kept(node in sendable(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut document = [&[0], &bytes(&node)[..]].concat();
        let place = at.index(document.len());
        if cut {
            document.truncate(place);
        } else {
            document[place] = byte;
        }
        if let Err(undecodable) = document::decode(&document, 1 << 16) {
            let (root, error) = (undecodable.root.clone(), undecodable.error);
            if let Stanza::Malformed { node: kept, error: kept_error } = Stanza::from_undecodable(undecodable) {
                prop_assert_eq!((&kept, kept_error), (&*root, StanzaError::Undecodable(error)));
                // Damage behind sender and id leaves enough to acknowledge it.
                if !cut && place > 30 {
                    prop_assert!(Ack::for_node(&kept, None).is_some(), "{} {}", kept, error);
                }
            }
        }
    }
}
