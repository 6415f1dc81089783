//! One row of each table with every field set, each to a value of its own, as the release knew them. A field that is
//! lost, takes another's number or changes its meaning shows here, and no decoder would notice it.
//!
//! What this module does not know: fields that are newer than the release. Those have no value in its rows.
#![allow(clippy::needless_update, reason = "fields that are newer than the release are left at their default")]

use causeway::deployment::Deployment;
use causeway::id::{Order, PreKeyId, RegistrationId};
use causeway::io::UnixMillis;
use causeway::model::Identifier;
use causeway::protobuf::Message as _;
use causeway::store::account::{Account, AccountKeys};
use causeway::store::changes::Table;
use causeway::store::chats::{ChatRow, MessageRow, PositionRow, UnknownRow};
use causeway::store::prekeys::{OneTimePreKeyRow, SignedPreKeyRow};
use causeway::store::row::Row;
use causeway::store::rows::recipient::OutboxRow;
use causeway::view::{Delivery, Issue, MessageKind, MessageView, Stage};
use causeway_proto::noise::StaticKey;
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, PreKeyPair, SignedPreKeyPair};

/// Where the servers are, as release 0.1.0 wrote it.
const DEPLOYMENT: &str = "partner_name=Test&enlist_url=https%3A%2F%2Fgatekeeper.example%2F3p%2Finterop_reg&chat_url=wss%3A%2F%2Fchat.example%2Fws&integrator=1&root_key=1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f&root_serial=3&version=2.3000.7";

/// Every table's specimen as the release wrote it, without the sessions: their format is `proto`'s, and the snapshot
/// holds real ones.
pub(crate) fn all() -> Vec<(Table, Vec<u8>)> {
    fn bytes(row: &impl Specimen) -> (Table, Vec<u8>) {
        (table_of(row), row.to_bytes().to_vec())
    }
    vec![
        bytes(&account()),
        bytes(&OneTimePreKeyRow { key: PreKeyPair { id: 11, pair: pair(12) }, uploaded: true, in_receipt: false }),
        bytes(&SignedPreKeyRow {
            key: SignedPreKeyPair { id: 13, pair: pair(14), signature: [15; 64], created: 16 },
            replaced: None,
        }),
        bytes(&chat()),
        bytes(&message()),
        bytes(&PositionRow { seq: Some(41) }),
        (Table::Outbox, outgoing().encode_to_vec()),
        bytes(&UnknownRow { xml: "<a/>".into(), at: 51 }),
    ]
}

trait Specimen: Row {}
impl<R: Row> Specimen for R {}

fn table_of<R: Row>(_: &R) -> Table {
    R::TABLE
}

fn pair(byte: u8) -> KeyPair {
    KeyPair::from_secret(Secret::new([byte; 32]))
}

fn account() -> Account {
    Account {
        stage: Stage::Enlisted,
        identifier: Some(Identifier::new("alice".into())),
        login: Some("1-10853634039893@interop".parse().expect("a JID")),
        keys: Some(AccountKeys {
            identity: pair(1),
            noise: StaticKey::from_secret(Secret::new([2; 32])),
            registration_id: RegistrationId(3),
            signed_prekey_id: PreKeyId(4),
            next_signed_prekey_id: None,
        }),
        deployment: Some(Deployment::from_form(DEPLOYMENT.as_bytes()).expect("a deployment")),
        prekeys_on_server: Some(5),
        next_prekey_id: PreKeyId(6),
        unknown_stanzas: 7,
        next_order: Order(8),
        synced_at: Some(UnixMillis(9)),
        ..Account::default()
    }
}

fn chat() -> ChatRow {
    ChatRow {
        id: "14155550123@s.whatsapp.net".into(),
        name: "Bob".into(),
        unread: 21,
        next_seq: 22,
        last: Some(MessageView {
            seq: 23,
            id: "VIEW".into(),
            outgoing: true,
            kind: MessageKind::Unsupported.into(),
            text: "the newest".into(),
            at: 24,
            delivery: Delivery::Read.into(),
            issue: Issue::MessageRefused.into(),
            ..MessageView::default()
        }),
        active_at: 25,
        draft: "a draft".into(),
        identity: vec![26; 32],
        read_up_to: 27,
        ..ChatRow::default()
    }
}

fn message() -> MessageRow {
    MessageRow {
        seq: 31,
        id: "MESSAGE".into(),
        outgoing: true,
        kind: MessageKind::Undecryptable.into(),
        text: "a text".into(),
        at: 32,
        delivery: Delivery::Failed.into(),
        issue: Issue::PeerUnreachable.into(),
        content: vec![33],
        retries: 34,
        ..MessageRow::default()
    }
}

fn outgoing() -> OutboxRow<'static> {
    OutboxRow {
        chat: "a chat",
        seq: 42,
        id: "OUTGOING",
        text: "to be sent",
        envelope: &[43],
        envelope_kind: "pkmsg",
        resend: 44,
        address: "14155550123:2@s.whatsapp.net",
        ..OutboxRow::default()
    }
}
