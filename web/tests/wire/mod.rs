//! The wire crate against the vectors, as wasm: 32-bit arithmetic and this target's code paths instead of the native
//! ones.

#[path = "../../../proto/tests/vectors/mod.rs"]
mod vectors;

use causeway_proto::node::document;
use causeway_proto::noise::{StaticKey, handshake};
use causeway_proto::profile::Profile;
use causeway_proto::secret::Secret;
use causeway_proto::signal::{Envelope, EnvelopeKind, KeyPair, LocalIdentity, PreKeys, PublicKey, SessionRecord};
use vectors::{Draws, bytes, list, secret, text};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn nodes_are_read_and_written_as_the_vectors_have_them() {
    for name in ["seed_corrected", "ping", "ad_jid", "lid_ad_jid", "hex_packed_odd", "nibble_dash_dot", "prekey_upload"]
    {
        let written = bytes(&format!("/binary_codec/{name}/flag_and_node_hex"));
        let node = document::decode(&written, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut out = Vec::new();
        document::encode(&node, &Profile::default(), &mut out).expect("what was read can be written");
        assert_eq!(out, written, "{name}");
    }
    let (packed, node) =
        ("/binary_codec/compressed_frame/flag_and_zlib_hex", "/binary_codec/compressed_frame/inflates_to_node_hex");
    let inflated = document::decode(&bytes(packed), 1 << 16);
    assert_eq!(inflated.map_err(|undecodable| undecodable.error), causeway_proto::node::decode(&bytes(node)));
}

#[wasm_bindgen_test]
fn the_handshake_and_its_frames_are_the_vectors_byte_for_byte() {
    let profile = Profile { root_key: bytes("/noise/root_public").try_into().expect("32 bytes"), ..Profile::default() };
    let key = StaticKey::from_secret(secret("/noise/keys_private/client_static"));
    let mut draws = Draws::new(bytes("/noise/keys_private/client_ephemeral"));
    let (state, hello) = handshake::start(&key, &profile, &mut draws).expect("a handshake starts");
    assert_eq!(hello, bytes("/noise/XX/client_hello_frame_payload"));
    let verified = state.read(&bytes("/noise/XX/server_hello"), 1_800_000_000).expect("the server is the one");
    let (finish, mut transport) = verified.finish(&bytes("/noise/client_payload")).expect("the handshake ends");
    assert_eq!(finish, bytes("/noise/XX/client_finish"));
    for number in 0..list("/noise/XX/transport") {
        let at = |field| format!("/noise/XX/transport/{number}/{field}");
        let (plaintext, ciphertext) = (bytes(&at("plaintext")), bytes(&at("ciphertext")));
        if text(&at("dir")) == "c2s" {
            let mut sealed = plaintext;
            transport.seal.seal(&mut sealed, 0).expect("the counter is not exhausted");
            assert_eq!(sealed, ciphertext, "frame {number}");
        } else {
            let mut opened = ciphertext;
            transport.open.open(&mut opened).expect("the frame is whole");
            assert_eq!(opened, plaintext, "frame {number}");
        }
    }
}

#[wasm_bindgen_test]
fn signatures_verify_and_agreements_agree() {
    let identity = PublicKey::from_slice(&bytes("/xeddsa/seed_enlistment_example/e_ident")).expect("32 bytes");
    let signed =
        PublicKey::from_slice(&bytes("/xeddsa/seed_enlistment_example/e_skey_val")).expect("32 bytes").serialize();
    let mut signature: [u8; 64] = bytes("/xeddsa/seed_enlistment_example/e_skey_sig").try_into().expect("64 bytes");
    assert!(identity.verify(&signed, &signature));
    signature[5] ^= 1;
    assert!(!identity.verify(&signed, &signature));

    let alice = KeyPair::from_secret(secret("/xeddsa/libsignal_agreement/alice_private"));
    let bob = PublicKey::from_slice(&bytes("/xeddsa/libsignal_agreement/bob_public")).expect("32 bytes");
    let shared = Secret::from_slice(&bytes("/xeddsa/libsignal_agreement/shared")).expect("32 bytes");
    assert!(alice.agree(&bob).is_ok_and(|agreed| agreed == shared));
}

/// Bob's two prekeys of the vectors.
struct BobsPreKeys {
    prekey: KeyPair,
    signed_prekey: KeyPair,
}

impl PreKeys for BobsPreKeys {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        (id == 43981).then_some(&self.prekey)
    }

    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        (id == 7).then_some(&self.signed_prekey)
    }
}

#[wasm_bindgen_test]
fn a_session_reads_and_writes_the_vectors_messages() {
    let pair = |name| KeyPair::from_secret(secret(&format!("/signal_session/keys_private/{name}")));
    let identity = pair("bob_identity");
    let bob = LocalIdentity { pair: &identity, registration_id: 1 };
    let prekeys = BobsPreKeys { prekey: pair("bob_one_time_prekey"), signed_prekey: pair("bob_signed_prekey") };
    let plaintext = bytes("/signal_session/message_plaintext_padded");
    let mut record = SessionRecord::default();
    let mut draws = Draws::new(bytes("/signal_session/keys_private/bob_ratchet1"));
    for number in 0..2 {
        let sent = bytes(&format!("/signal_session/messages/{number}/prekey_signal_message"));
        let envelope = Envelope::parse(EnvelopeKind::PreKey, &sent).expect("an envelope");
        let read = record.decrypt(&bob, &envelope, &prekeys, &mut draws).expect("it is for Bob");
        assert_eq!(*read.plaintext, plaintext, "message {number}");
        record = SessionRecord::from_bytes(&record.to_bytes()).expect("a record survives its store");
    }
    // "hi back", padded with three bytes: the vectors hold it only encrypted.
    let answer = record.encrypt(&bob, &vectors::hex("0a076869206261636b030303")).expect("there is a session");
    assert_eq!(answer.as_bytes(), bytes("/signal_session/messages/2/signal_message"));
}
