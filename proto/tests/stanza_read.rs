//! What the server sends, and what it sends wrongly. Stanzas are written in the notation of `node::xml`.
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
use causeway_proto::node::{Node, xml};
use causeway_proto::stanza::receipt::RetryRequest;
use causeway_proto::stanza::{
    Ack, AckClass, Ib, IqKind, NotificationBody, ReceiptKind, Stanza, StanzaError, StreamError, prekeys,
};
use proptest::prelude::*;

const PEER: &str = "14155551001@s.whatsapp.net";

fn node(text: &str) -> Node {
    xml::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn read(text: &str) -> Stanza {
    Stanza::from_node(node(text))
}

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

/// What is wrong with a stanza, which must have come back unharmed.
fn wrong(text: &str) -> StanzaError {
    match read(text) {
        Stanza::Malformed { node: kept, error } => {
            assert_eq!(kept, node(text));
            error
        }
        other => panic!("{text} was read as {other:?}"),
    }
}

#[test]
fn the_beginning_and_the_ends_of_a_stream() {
    let Stanza::Success(success) = read(r#"<success t="1700000000" props="27"/>"#) else { panic!() };
    assert_eq!(success.t, Some(1_700_000_000));
    let Stanza::Failure(failure) = read(r#"<failure reason="402" code="101" expire="3600" message="wait"/>"#) else {
        panic!()
    };
    assert_eq!((failure.reason, failure.code, failure.expire), (402, Some(101), Some(3600)));
    assert_eq!(failure.message.as_deref(), Some("wait"));
    assert_eq!(read("<xmlstreamend/>"), Stanza::StreamEnd);
}

#[test]
fn every_form_of_stream_error_has_its_meaning() {
    for (text, expected) in [
        (r#"<stream:error code="515"/>"#, StreamError::Restart),
        (r#"<stream:error code="516"/>"#, StreamError::ForcedLogout),
        (r#"<stream:error code="401"><conflict type="device_removed"/></stream:error>"#, StreamError::DeviceRemoved),
        (r#"<stream:error><conflict type="replaced"/></stream:error>"#, StreamError::Replaced),
        (r#"<stream:error code="409"/>"#, StreamError::Replaced),
        (r#"<stream:error code="503"/>"#, StreamError::Unavailable),
        (r#"<stream:error code="429"/>"#, StreamError::RateLimited),
        (r#"<stream:error code="500"><ack id="1"/></stream:error>"#, StreamError::Other { code: Some(500) }),
        ("<stream:error><xml-not-well-formed/></stream:error>", StreamError::Other { code: None }),
        (r#"<stream:error code="gone"/>"#, StreamError::Other { code: None }),
    ] {
        assert_eq!(read(text), Stanza::StreamError(expected), "{text}");
    }
}

#[test]
fn info_stanzas_about_the_mailbox_and_the_route() {
    let preview = r#"<ib from="s.whatsapp.net"><offline_preview count="7" message="3" receipt="4"/></ib>"#;
    assert_eq!(read(preview), Stanza::Ib(Ib::OfflinePreview { count: 7, message: 3 }));
    assert_eq!(read(r#"<ib><offline count="7"/></ib>"#), Stanza::Ib(Ib::Offline { count: 7 }));
    let routing = "<ib><edge_routing><routing_info>#0801100a</routing_info></edge_routing></ib>";
    assert_eq!(read(routing), Stanza::Ib(Ib::EdgeRouting(vec![8, 1, 16, 10])));
    assert!(matches!(read(r#"<ib><dirty type="groups"/></ib>"#), Stanza::Ib(Ib::Other(_))));

    let huge = format!("<ib><edge_routing><routing_info>#{}</routing_info></edge_routing></ib>", "00".repeat(4097));
    assert_eq!(wrong(&huge), StanzaError::TooMany { tag: "routing_info", most: 4096, got: 4097 });
}

#[test]
fn requests_and_responses() {
    let Stanza::Iq(ping) = read(r#"<iq from="s.whatsapp.net" type="get" xmlns="urn:xmpp:ping"/>"#) else { panic!() };
    assert_eq!((ping.id.as_deref(), ping.xmlns.as_deref()), (None, Some("urn:xmpp:ping")));
    assert_eq!((ping.kind, ping.from), (IqKind::Get, Some(Jid::server())));

    let answer = r#"<iq from="s.whatsapp.net" id="1" type="error"><error code="404" text="item-not-found"/></iq>"#;
    let Stanza::Iq(answer) = read(answer) else { panic!() };
    let IqKind::Error(error) = &answer.kind else { panic!() };
    assert_eq!((error.code, error.text.as_str()), (404, "item-not-found"));
    assert_eq!(answer.id.as_deref(), Some("1"));

    let Stanza::Iq(silent) = read(r#"<iq id="1" type="error"/>"#) else { panic!() };
    assert!(matches!(silent.kind, IqKind::Error(error) if error.code == 0));
}

#[test]
fn a_message_with_its_envelopes() {
    let text = r#"<message from="14155551001:7@s.whatsapp.net" id="3EB0" t="1700000000" type="text" notify="joe" offline="2">
        <enc v="2" type="pkmsg" count="1">#3301</enc><enc v="2" type="skmsg">#3302</enc><meta/></message>"#;
    let Stanza::Message(message) = read(text) else { panic!() };
    assert_eq!(message.from, jid("14155551001:7@s.whatsapp.net"));
    assert_eq!((message.id.as_str(), message.t, message.kind.as_deref()), ("3EB0", Some(1_700_000_000), Some("text")));
    assert_eq!((message.notify.as_deref(), message.offline, message.participant), (Some("joe"), true, None));
    assert_eq!(message.node, node(text));
    let enc: Vec<_> = message.enc.iter().flatten().map(|enc| (enc.kind.as_str(), enc.version, enc.count)).collect();
    assert_eq!(enc, [("pkmsg", 2, Some(1)), ("skmsg", 2, None)]);
    assert_eq!(message.enc[0].as_ref().unwrap().bytes, [0x33, 1]);
}

#[test]
fn a_message_without_an_envelope_is_still_a_message() {
    let text = format!(r#"<message from="{PEER}" id="1" t="2" type="text"><unavailable type="view_once"/></message>"#);
    assert!(matches!(read(&text), Stanza::Message(message) if message.enc.is_empty() && !message.offline));
}

#[test]
fn a_sender_that_is_no_address_is_named() {
    let error = wrong(r#"<message from="&text;x:y@s.whatsapp.net" id="1" t="2" type="text"/>"#);
    assert!(matches!(error, StanzaError::NotAJid { tag: "message", attribute: "from", .. }), "{error}");
}

#[test]
fn receipts_of_every_kind() {
    for (kind, expected) in [
        ("", ReceiptKind::Delivered),
        (r#" type="read""#, ReceiptKind::Read),
        (r#" type="played""#, ReceiptKind::Played),
        (r#" type="inactive""#, ReceiptKind::Inactive),
        (r#" type="sender""#, ReceiptKind::Sender),
        (r#" type="hist_sync""#, ReceiptKind::Other("hist_sync".to_owned())),
    ] {
        let Stanza::Receipt(receipt, _) = read(&format!(r#"<receipt from="{PEER}" id="1" t="5"{kind}/>"#)) else {
            panic!()
        };
        assert_eq!((receipt.kind, receipt.jid, receipt.t), (expected, jid(PEER), Some(5)));
        assert_eq!(receipt.ids, ["1"]);
    }
}

#[test]
fn a_receipt_about_several_messages_names_them_all() {
    let text = format!(
        r#"<receipt from="{PEER}" id="1" t="5" type="read"><list><item id="2"/><item id="3"/></list></receipt>"#
    );
    assert!(matches!(read(&text), Stanza::Receipt(receipt, _) if receipt.ids == ["1", "2", "3"]));
    let items = r#"<item id="2"/>"#.repeat(4097);
    let text = format!(r#"<receipt from="{PEER}" id="1"><list>{items}</list></receipt>"#);
    assert!(matches!(read(&text), Stanza::Receipt(receipt, _) if receipt.ids.len() == 1 + 4096));
}

/// The keys of one device, as in a retry receipt or an answer.
fn keys(value: &str, key: &str) -> String {
    format!(
        "<type>#05</type><identity>#{}</identity>{key}<skey><id>#000007</id><value>#{value}</value>\
         <signature>#{}</signature></skey>",
        "11".repeat(32),
        "44".repeat(64)
    )
}

fn one_time() -> String {
    format!("<key><id>#00abcd</id><value>#{}</value></key>", "33".repeat(32))
}

#[test]
fn a_retry_requests_a_message_and_may_carry_keys() {
    let retry = |keys: &str| {
        format!(
            r#"<receipt from="{PEER}" id="1" type="retry"><retry v="1" count="2" id="1" t="9" error="7"/>
            <registration>#c7a83ab4</registration>{keys}</receipt>"#
        )
    };
    let Stanza::Receipt(receipt, _) = read(&retry("")) else { panic!() };
    let ReceiptKind::Retry(request) = receipt.kind else { panic!() };
    let expected = RetryRequest {
        count: 2,
        id: "1".to_owned(),
        t: Some(9),
        error: Some(7),
        registration_id: Some(0xC7A8_3AB4),
        keys: None,
        device_identity: None,
    };
    assert_eq!(*request, expected);

    let inside = keys(&"22".repeat(32), &one_time());
    let Stanza::Receipt(receipt, _) = read(&retry(&format!("<keys>{inside}</keys>"))) else { panic!() };
    let ReceiptKind::Retry(request) = receipt.kind else { panic!() };
    let bundle = request.keys.unwrap();
    assert_eq!((bundle.registration_id, bundle.signed_prekey_id), (0xC7A8_3AB4, 7));
    assert_eq!(bundle.prekey.map(|(id, key)| (id, key.0)), Some((0xABCD, [0x33; 32])));
}

#[test]
fn the_servers_acknowledgements() {
    let ack = |text: &str| match read(text) {
        Stanza::Ack(ack) => ack,
        other => panic!("{text}: {other:?}"),
    };
    let refused = ack(&format!(r#"<ack class="message" id="1" from="{PEER}" t="5" error="475"/>"#));
    let (id, from) = ("1".to_owned(), Some(jid(PEER)));
    let expected = Ack { id, class: AckClass::Message, from, participant: None, error: Some(475) };
    assert_eq!(refused, expected);
    for (class, expected) in [
        ("receipt", AckClass::Receipt),
        ("notification", AckClass::Notification),
        ("call", AckClass::Call),
        ("", AckClass::Other),
        ("Message", AckClass::Other),
    ] {
        assert_eq!(ack(&format!(r#"<ack class="{class}" id="1" from="{PEER}"/>"#)).class, expected);
    }
    let bare = ack(r#"<ack id="1"/>"#);
    assert_eq!((bare.class, bare.from, bare.error), (AckClass::Other, None, None));
    let odd = ack(r#"<ack class="message" id="1" from="&raw;f70209ff0112" participant="x" error="0"/>"#);
    assert_eq!((odd.from, odd.participant, odd.error), (None, None, Some(0)));
    let error = wrong(&format!(r#"<ack class="message" from="{PEER}"/>"#));
    assert_eq!(error, StanzaError::MissingAttribute { tag: "ack", attribute: "id" });
    // What cannot be read must not be good news.
    let error = wrong(&format!(r#"<ack class="message" id="1" from="{PEER}" error="stale"/>"#));
    assert_eq!(error, StanzaError::NotANumber { tag: "ack", attribute: "error" });
}

#[test]
fn notifications_about_keys() {
    let body = |text: &str| match read(text) {
        Stanza::Notification(notification) => notification.body,
        other => panic!("{other:?}"),
    };
    let low = r#"<notification type="encrypt" from="s.whatsapp.net" id="1"><count value="3"/></notification>"#;
    assert_eq!(body(low), NotificationBody::PreKeyCount(3));
    let changed = format!(r#"<notification type="encrypt" from="{PEER}" id="1" t="5"><identity/></notification>"#);
    assert_eq!(body(&changed), NotificationBody::IdentityChanged);
    let devices = format!(r#"<notification type="devices" from="{PEER}" id="1" t="5"><add/></notification>"#);
    assert_eq!(body(&devices), NotificationBody::Other);
    // A peer must not make us believe that the server is out of our keys.
    let forged = format!(r#"<notification type="encrypt" from="{PEER}" id="1"><count value="0"/></notification>"#);
    assert_eq!(body(&forged), NotificationBody::Other);

    let none = r#"<notification type="encrypt" from="s.whatsapp.net" id="1"><count/></notification>"#;
    assert_eq!(body(none), NotificationBody::Other);
}

#[test]
fn fetched_keys_for_each_device_or_why_not() {
    let answer = format!(
        r#"<iq id="1" from="s.whatsapp.net" type="result"><list>
        <user jid="{PEER}" t="5"><registration>#00001234</registration>{}</user>
        <user jid="14155551002@s.whatsapp.net"><error code="404" text="item-not-found"/></user>
        <user jid="1-77@interop"><registration>#00001234</registration>{}</user></list></iq>"#,
        keys(&"22".repeat(32), &one_time()),
        keys(&"22".repeat(32), ""),
    );
    let users = prekeys::parse_fetch_result(&node(&answer)).unwrap();
    let [(first, Ok(bundle)), (second, Err(error)), (third, Ok(exhausted))] = users.as_slice() else {
        panic!("{users:?}")
    };
    assert_eq!((first, second, third), (&jid(PEER), &jid("14155551002@s.whatsapp.net"), &jid("1-77@interop")));
    assert_eq!((bundle.registration_id, bundle.identity.0), (0x1234, [0x11; 32]));
    assert_eq!((bundle.signed_prekey.0, bundle.signed_prekey_signature), ([0x22; 32], [0x44; 64]));
    assert_eq!(bundle.prekey.map(|(id, _)| id), Some(0xABCD));
    assert_eq!(error.code, 404);
    assert_eq!(exhausted.prekey, None);
}

#[test]
fn fetched_keys_must_have_their_shape() {
    let answer = |user: &str| {
        let text = format!(r#"<iq id="1" type="result"><list><user jid="{PEER}">{user}</user></list></iq>"#);
        prekeys::parse_fetch_result(&node(&text)).unwrap_err()
    };
    let registration = "<registration>#00001234</registration>";
    assert_eq!(answer(""), StanzaError::MissingChild { tag: "user", child: "registration" });
    let short = answer("<registration>#1234</registration>");
    assert_eq!(short, StanzaError::WrongLength { tag: "registration", expected: 4, got: 2 });
    let short = answer(&format!("{registration}{}", keys(&"22".repeat(31), "")));
    assert_eq!(short, StanzaError::WrongLength { tag: "value", expected: 32, got: 31 });
    let long = answer(&format!("{registration}{}", keys(&"22".repeat(32), "<key><id>#00000001</id></key>")));
    assert_eq!(long, StanzaError::WrongLength { tag: "id", expected: 3, got: 4 });
    let other = keys(&"22".repeat(32), "").replace("<type>#05", "<type>#06");
    assert_eq!(answer(&format!("{registration}{other}")), StanzaError::UnknownKeyType { got: 6 });

    let users = format!(r#"<user jid="{PEER}"><error code="404"/></user>"#).repeat(1025);
    let error = prekeys::parse_fetch_result(&node(&format!("<iq><list>{users}</list></iq>"))).unwrap_err();
    assert_eq!(error, StanzaError::TooMany { tag: "list", most: 1024, got: 1025 });
}

#[test]
fn the_servers_count_of_our_prekeys() {
    let count = |text: &str| prekeys::parse_count(&node(text));
    assert_eq!(count(r#"<iq id="1" type="result"><count value="12"/></iq>"#), Ok(12));
    let missing = StanzaError::MissingChild { tag: "iq", child: "count" };
    assert_eq!(count(r#"<iq id="1" type="result"/>"#), Err(missing));
}

#[test]
fn an_unknown_stanza_is_kept_as_it_came() {
    let text = r#"<call from="14155551001@s.whatsapp.net" id="1"><offer/></call>"#;
    assert_eq!(read(text), Stanza::Unknown(node(text)));
}

/// Any tree of the words that stanzas are made of, in any place.
fn any_node() -> impl Strategy<Value = Node> {
    const TAGS: [&str; 24] = [
        "success",
        "failure",
        "stream:error",
        "ib",
        "iq",
        "message",
        "receipt",
        "ack",
        "notification",
        "enc",
        "list",
        "item",
        "user",
        "key",
        "skey",
        "id",
        "value",
        "signature",
        "identity",
        "registration",
        "retry",
        "keys",
        "count",
        "error",
    ];
    const KEYS: [&str; 12] =
        ["id", "from", "to", "type", "t", "v", "count", "jid", "code", "class", "reason", "participant"];
    const VALUES: [&str; 8] = ["1", "", "retry", "error", "encrypt", "a@b", "x@s.whatsapp.net", "result"];
    let attrs = prop::collection::vec((prop::sample::select(&KEYS[..]), prop::sample::select(&VALUES[..])), 0..6);
    let leaf = (prop::sample::select(&TAGS[..]), attrs.clone(), prop::collection::vec(any::<u8>(), 0..70));
    let leaf = leaf.prop_map(|(tag, attrs, bytes)| with_attrs(tag, attrs).with_bytes(bytes));
    leaf.prop_recursive(4, 40, 6, move |inner| {
        (prop::sample::select(&TAGS[..]), attrs.clone(), prop::collection::vec(inner, 0..6))
            .prop_map(|(tag, attrs, nodes)| with_attrs(tag, attrs).with_nodes(nodes))
    })
}

fn with_attrs(tag: &'static str, attrs: Vec<(&'static str, &'static str)>) -> Node {
    attrs.into_iter().fold(Node::new(tag), |node, (key, value)| node.with(key, value))
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_kept(node in any_node()) {
        match Stanza::from_node(node.clone()) {
            Stanza::Malformed { node: kept, .. } | Stanza::Unknown(kept) => prop_assert_eq!(kept, node),
            _ => {}
        }
    }
}
