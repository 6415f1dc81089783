//! What we send: against the vectors where they have it, against the forms of docs/spec/wire.md §5 elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod vectors;

use causeway_proto::jid::Jid;
use causeway_proto::node::{Content, Node, Value, document, xml};
use causeway_proto::profile::Profile;
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, PreKeyBundle, PreKeyPair, PublicKey, SignedPreKeyPair};
use causeway_proto::stanza::message::Again;
use causeway_proto::stanza::receipt::RetryRequest;
use causeway_proto::stanza::{Ack, Iq, Outgoing, Receipt, ReceiptKind, passive, ping, prekeys, presence};
use vectors::bytes;

const MAX: usize = 1 << 20;

fn node(text: &str) -> Node {
    xml::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

/// What the other end reads of a stanza: the order of attributes means nothing, nor whether the server's name came as
/// an address or as a word (docs/spec/wire.md §10 row 6).
fn sent(node: &Node) -> Node {
    let mut out = Vec::new();
    document::encode(node, &Profile::default(), &mut out).unwrap();
    normal(document::decode(&out, MAX).unwrap())
}

fn normal(mut node: Node) -> Node {
    for (_, value) in &mut node.attrs {
        if *value == Value::from("s.whatsapp.net") {
            *value = Value::from(Jid::server());
        }
    }
    node.attrs.sort_by(|(left, _), (right, _)| left.cmp(right));
    if let Content::Nodes(nodes) = node.content {
        node.content = Content::Nodes(nodes.into_iter().map(normal).collect());
    }
    node
}

fn assert_sends(node: &Node, expected: &str) {
    assert_eq!(sent(node).to_string(), sent(&self::node(expected)).to_string());
}

/// A vector, decoded.
fn vector(name: &str) -> Node {
    normal(document::decode(&bytes(&format!("/binary_codec/{name}/flag_and_node_hex")), MAX).unwrap())
}

#[test]
fn a_ping_is_the_vector() {
    let ping = ping::request("1A.2-1");
    assert_eq!(sent(&ping), vector("ping"));
}

#[test]
fn the_servers_ping_is_answered_with_its_id_or_without() {
    let question = |text: &str| Iq::from_node(&node(text)).unwrap();
    let with = question(r#"<iq from="s.whatsapp.net" id="7" type="get" xmlns="urn:xmpp:ping"/>"#);
    assert_sends(&ping::answer(&with), r#"<iq id="7" to="s.whatsapp.net" type="result"/>"#);
    let without = question(r#"<iq type="get" xmlns="urn:xmpp:ping"/>"#);
    assert_sends(&ping::answer(&without), r#"<iq to="s.whatsapp.net" type="result"/>"#);
    let refusal =
        r#"<iq id="7" to="s.whatsapp.net" type="error"><error code="501" text="feature-not-implemented"/></iq>"#;
    assert_sends(&with.refuse(), refusal);
}

fn pair(byte: u8) -> KeyPair {
    KeyPair::from_secret(Secret::new([byte; 32]))
}

#[test]
fn an_upload_has_the_shape_of_the_vector() {
    let identity = pair(1).public();
    let signed = SignedPreKeyPair { id: 1, pair: pair(3), signature: [0x44; 64], created: 0 };
    let one_time = [PreKeyPair { id: 1, pair: pair(2) }];
    let upload = prekeys::upload_request("7.8-2", 8000, &identity, &signed, &one_time);
    // The vector's public keys are of no known secret, so they are put in place of ours before comparing.
    let replace = |text: String, key: PublicKey, byte: &str| text.replace(&hex(&key.0), &byte.repeat(32));
    let text = replace(sent(&upload).to_string(), identity, "11");
    let text = replace(replace(text, one_time[0].pair.public(), "22"), signed.pair.public(), "33");
    assert_eq!(node(&text), vector("prekey_upload"));

    let borrowed: Vec<&PreKeyPair> = one_time.iter().collect();
    assert_eq!(prekeys::upload_request("7.8-2", 8000, &identity, &signed, &borrowed), upload);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn ids_of_prekeys_have_three_bytes() {
    let signed = SignedPreKeyPair { id: 0xFE_D749, pair: pair(3), signature: [0x44; 64], created: 0 };
    let rotate = prekeys::rotate_request("1", &signed);
    let expected = format!(
        r#"<iq id="1" to="s.whatsapp.net" type="set" xmlns="encrypt"><rotate><skey><id>#fed749</id>
        <value>#{}</value><signature>#{}</signature></skey></rotate></iq>"#,
        hex(&signed.pair.public().0),
        "44".repeat(64)
    );
    assert_sends(&rotate, &expected);
}

#[test]
fn requests_about_keys() {
    let fetch = prekeys::fetch_request("1", &[jid("14155551001@s.whatsapp.net"), jid("1-77:3@interop")], false);
    assert_sends(
        &fetch,
        r#"<iq id="1" to="s.whatsapp.net" type="get" xmlns="encrypt"><key>
        <user jid="14155551001@s.whatsapp.net"/><user jid="1-77:3@interop"/></key></iq>"#,
    );
    let count = r#"<iq id="2" to="s.whatsapp.net" type="get" xmlns="encrypt"><count/></iq>"#;
    assert_sends(&prekeys::count_request("2"), count);
}

#[test]
fn what_follows_login() {
    let active = r#"<iq id="1" to="s.whatsapp.net" type="set" xmlns="passive"><active/></iq>"#;
    assert_sends(&passive::active_request("1"), active);
    assert_sends(&passive::offline_batch(100), r#"<ib><offline_batch count="100"/></ib>"#);
    assert_sends(&presence::available(Some("joe")), r#"<presence type="available" name="joe"/>"#);
    assert_sends(&presence::available(None), r#"<presence type="available"/>"#);
    assert_sends(&presence::unavailable(), r#"<presence type="unavailable"/>"#);
}

#[test]
fn a_message_goes_out_with_one_envelope() {
    let to = jid("14155551001@s.whatsapp.net");
    let first = Outgoing::text(to.clone(), "3EB0".to_owned(), "pkmsg", vec![0x33, 8], None);
    assert_sends(
        &first.to_node(),
        r#"<message id="3EB0" to="14155551001@s.whatsapp.net" type="text"><enc type="pkmsg" v="2">#3308</enc></message>"#,
    );
    let again = Outgoing::text(
        to.on_device(7),
        "3EB0".to_owned(),
        "msg",
        vec![0x33, 9],
        Some(Again { count: 2, t: 1_800_000_000 }),
    );
    assert_sends(
        &again.to_node(),
        r#"<message device_fanout="false" id="3EB0" t="1800000000" to="14155551001:7@s.whatsapp.net" type="text">
        <enc count="2" type="msg" v="2">#3309</enc></message>"#,
    );
}

#[test]
fn a_delivery_receipt_has_no_type() {
    let receipt = Receipt::new(jid("14155551001@s.whatsapp.net"), "1".to_owned(), ReceiptKind::Delivered);
    assert_sends(&receipt.to_node(), r#"<receipt id="1" to="14155551001@s.whatsapp.net"/>"#);
}

fn bundle(prekey: Option<(u32, PublicKey)>) -> PreKeyBundle {
    PreKeyBundle {
        registration_id: 0xC7A8_3AB4,
        identity: pair(1).public(),
        signed_prekey_id: 7,
        signed_prekey: pair(3).public(),
        signed_prekey_signature: [0x44; 64],
        prekey,
    }
}

#[test]
fn receipts_come_back_as_they_were() {
    let retry = |keys: Option<PreKeyBundle>| {
        let device_identity = keys.is_some().then(|| vec![7; 150]);
        let registration_id = Some(0xC7A8_3AB4);
        let (id, t, error) = ("1".to_owned(), Some(9), Some(7));
        ReceiptKind::Retry(Box::new(RetryRequest { count: 2, id, t, error, registration_id, keys, device_identity }))
    };
    let kinds = [
        ReceiptKind::Delivered,
        ReceiptKind::Read,
        ReceiptKind::Played,
        ReceiptKind::Inactive,
        ReceiptKind::Sender,
        ReceiptKind::Other("read-self".to_owned()),
        retry(None),
        retry(Some(bundle(None))),
        retry(Some(bundle(Some((0xABCD, pair(2).public()))))),
    ];
    for kind in kinds {
        let receipt = Receipt {
            participant: Some(jid("14155551002:3@s.whatsapp.net")),
            recipient: Some(jid("1-77@interop")),
            ids: vec!["1".to_owned(), "2".to_owned(), "3".to_owned()],
            t: Some(1_700_000_000),
            ..Receipt::new(jid("120363040237990503@g.us"), "1".to_owned(), kind)
        };
        assert_eq!(Receipt::from_node(&sent(&receipt.to_node())), Ok(receipt));
    }
}

#[test]
fn an_ack_repeats_addresses_as_they_came() {
    // An address of domain type 2, one that is text, and one in a form that this client does not write.
    let unknown = "&raw;f70209ff0112";
    for (from, to) in [
        (unknown, unknown),
        ("&text;j.doe@lid", "&text;j.doe@lid"),
        ("&text;s.whatsapp.net", "&text;s.whatsapp.net"),
        ("@", "@"),
        ("1-77:3@interop", "1-77:3@interop"),
    ] {
        let message = node(&format!(r#"<message from="{from}" id="1" participant="{from}" recipient="{from}"/>"#));
        let ack = format!(r#"<ack class="message" id="1" to="{to}" participant="{to}" recipient="{to}"/>"#);
        assert_eq!(Ack::for_node(&message, None), Some(node(&ack)));
        sent(&node(&ack));
    }
    let nothing = node(r#"<message from="" id="1"/>"#);
    assert_eq!(Ack::for_node(&nothing, None), None);
}

#[test]
fn each_class_is_acknowledged_in_its_own_way() {
    let ack = |text: &str, error| Ack::for_node(&node(text), error).map(|ack| sent(&ack).to_string());
    let is = |text: &str| Some(sent(&node(text)).to_string());
    let peer = "14155551001@s.whatsapp.net";

    let message = format!(r#"<message from="{peer}" id="1" t="2" type="text" participant="2@s.whatsapp.net"/>"#);
    let plain = format!(r#"<ack class="message" id="1" to="{peer}" participant="2@s.whatsapp.net"/>"#);
    assert_eq!(ack(&message, None), is(&plain), "the type of a message is not repeated");
    let failed = format!(r#"<ack class="message" id="1" to="{peer}" participant="2@s.whatsapp.net" error="487"/>"#);
    assert_eq!(ack(&message, Some(487)), is(&failed));

    let read = format!(r#"<receipt from="{peer}" id="1" type="read"/>"#);
    assert_eq!(ack(&read, None), is(&format!(r#"<ack class="receipt" id="1" to="{peer}" type="read"/>"#)));
    let delivered = format!(r#"<receipt from="{peer}" id="1"/>"#);
    assert_eq!(ack(&delivered, None), is(&format!(r#"<ack class="receipt" id="1" to="{peer}"/>"#)));

    let devices = format!(r#"<notification from="{peer}" id="1" type="devices"/>"#);
    assert_eq!(ack(&devices, None), is(&format!(r#"<ack class="notification" id="1" to="{peer}" type="devices"/>"#)));
    let identity = format!(r#"<notification from="{peer}" id="1" type="encrypt"><identity/></notification>"#);
    assert_eq!(ack(&identity, None), is(&format!(r#"<ack class="notification" id="1" to="{peer}"/>"#)));

    assert_eq!(ack(r#"<iq id="1" from="s.whatsapp.net" type="get"/>"#, None), None);
    assert_eq!(ack(&format!(r#"<message from="{peer}"/>"#), None), None, "nothing to refer to");
}
