//! The handshake and the channel against the vectors, and against a server hello that is not what it should be.
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

use causeway_proto::noise::StaticKey;
use causeway_proto::noise::cipher::CipherError;
use causeway_proto::noise::handshake::{self, AwaitServerHello, HandshakeError, Verified};
use causeway_proto::noise::trust::{Certificate, TrustError};
use causeway_proto::profile::Profile;
use causeway_proto::schema::handshake::{HandshakeMessage, ServerHello};
use causeway_proto::secret::Secret;
use prost::Message;
use vectors::{Draws, bytes, list, text};

/// Within the validity of the vectors' certificates.
const NOW: u64 = 1_800_000_000;

fn profile() -> Profile {
    Profile { root_key: bytes("/noise/root_public").try_into().unwrap(), ..Profile::default() }
}

fn static_key() -> StaticKey {
    StaticKey::from_secret(Secret::from_slice(&bytes("/noise/keys_private/client_static")).unwrap())
}

fn start(profile: &Profile) -> (AwaitServerHello, Vec<u8>) {
    let mut rng = Draws::new(bytes("/noise/keys_private/client_ephemeral"));
    let started = handshake::start(&static_key(), profile, &mut rng).unwrap();
    assert_eq!(rng.left(), 0, "the ephemeral key is all that is drawn");
    started
}

fn read(hello: &[u8]) -> Result<Verified, HandshakeError> {
    start(&profile()).0.read(hello, NOW)
}

#[test]
fn every_flight_is_the_vector_byte_for_byte() {
    assert_eq!(static_key().public().to_vec(), bytes("/noise/keys_public/client_static"));
    let (state, hello) = start(&profile());
    assert_eq!(hello, bytes("/noise/XX/client_hello_frame_payload"));
    let verified = state.read(&bytes("/noise/XX/server_hello"), NOW).unwrap();
    let server = verified.server();
    assert_eq!(server.key().to_vec(), bytes("/noise/keys_public/server_static"));
    assert_eq!((server.leaf_serial(), server.intermediate_serial()), (2, 1));
    let (finish, _) = verified.finish(&bytes("/noise/client_payload")).unwrap();
    assert_eq!(finish, bytes("/noise/XX/client_finish"));
}

#[test]
fn frames_of_both_directions_are_the_vector_byte_for_byte() {
    let verified = read(&bytes("/noise/XX/server_hello")).unwrap();
    let (_, mut transport) = verified.finish(&bytes("/noise/client_payload")).unwrap();
    let frames = list("/noise/XX/transport");
    assert_eq!(frames, 3);
    for number in 0..frames {
        let at = |field| format!("/noise/XX/transport/{number}/{field}");
        let (plaintext, ciphertext) = (bytes(&at("plaintext")), bytes(&at("ciphertext")));
        if text(&at("dir")) == "c2s" {
            let mut buf = plaintext;
            transport.seal.seal(&mut buf, 0).unwrap();
            assert_eq!(buf, ciphertext, "frame {number}");
        } else {
            let mut buf = ciphertext;
            transport.open.open(&mut buf).unwrap();
            assert_eq!(buf, plaintext, "frame {number}");
        }
    }
}

#[test]
fn a_frame_far_beyond_the_noise_limit_goes_through() {
    let transport = || read(&bytes("/noise/XX/server_hello")).unwrap().finish(b"payload").unwrap().1;
    let mut buf = vec![7; 1 << 20];
    transport().seal.seal(&mut buf, 0).unwrap();
    assert_eq!(buf.len(), (1 << 20) + 16);
    // The two directions have keys of their own: what we sent cannot be played back at us.
    assert!(matches!(transport().open.open(&mut buf), Err(CipherError::BadTag { counter: 0, .. })));
}

#[test]
fn no_flipped_bit_of_the_server_hello_is_accepted() {
    let hello = bytes("/noise/XX/server_hello");
    for at in 0..hello.len() {
        for bit in 0..8 {
            let mut altered = hello.clone();
            altered[at] ^= 1 << bit;
            assert!(read(&altered).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn no_truncated_server_hello_is_accepted() {
    let hello = bytes("/noise/XX/server_hello");
    for len in 0..hello.len() {
        assert!(read(&hello[..len]).is_err(), "{len} bytes");
    }
}

fn altered(alter: impl FnOnce(&mut ServerHello)) -> Result<Verified, HandshakeError> {
    let mut message = HandshakeMessage::decode(bytes("/noise/XX/server_hello").as_slice()).unwrap();
    alter(message.server_hello.as_mut().unwrap());
    read(&message.encode_to_vec())
}

#[test]
fn each_missing_or_misshapen_field_is_named() {
    assert_eq!(read(&[]).unwrap_err(), HandshakeError::Missing("server hello"));
    assert_eq!(altered(|hello| hello.ephemeral = None).unwrap_err(), HandshakeError::Missing("ephemeral key"));
    assert_eq!(altered(|hello| hello.r#static = None).unwrap_err(), HandshakeError::Missing("static key"));
    assert_eq!(altered(|hello| hello.payload = None).unwrap_err(), HandshakeError::Missing("certificate chain"));
    let wrong = |field, expected, got| HandshakeError::WrongLength { field, expected, got };
    assert_eq!(altered(|hello| hello.ephemeral = Some(vec![1; 31])).unwrap_err(), wrong("ephemeral key", 32, 31));
    assert_eq!(altered(|hello| hello.r#static = Some(vec![1; 32])).unwrap_err(), wrong("static key", 48, 32));
    assert_eq!(altered(|hello| hello.payload = Some(vec![])).unwrap_err(), HandshakeError::BadTag);
    assert_eq!(altered(|hello| hello.ephemeral = Some(vec![0; 32])).unwrap_err(), HandshakeError::WeakKey);
    assert_eq!(
        altered(|hello| hello.payload = Some(vec![0; 1 << 20])).unwrap_err(),
        HandshakeError::TooLong { max: 65_535, got: (1 << 20) + 80 }
    );
}

#[test]
fn another_root_or_another_header_ends_the_handshake() {
    let other_root = Profile { root_key: bytes("/noise/keys_public/client_static").try_into().unwrap(), ..profile() };
    let error = start(&other_root).0.read(&bytes("/noise/XX/server_hello"), NOW).unwrap_err();
    assert_eq!(error, HandshakeError::Trust(TrustError::BadSignature(Certificate::Intermediate)));

    let other_header = Profile { connection_header: *b"WA\x06\x02", ..profile() };
    let error = start(&other_header).0.read(&bytes("/noise/XX/server_hello"), NOW).unwrap_err();
    assert_eq!(error, HandshakeError::BadTag);
}

#[test]
fn a_payload_beyond_one_noise_message_is_refused_and_the_longest_is_not() {
    let most = 65_535 - 48 - 16;
    let verified = || read(&bytes("/noise/XX/server_hello")).unwrap();
    assert!(verified().finish(&vec![0; most]).is_ok());
    assert_eq!(
        verified().finish(&vec![0; most + 1]).unwrap_err(),
        HandshakeError::TooLong { max: 65_535, got: 65_536 }
    );
}

#[test]
fn nothing_secret_is_printed() {
    let (state, _) = start(&profile());
    assert_eq!(format!("{state:?}"), "AwaitServerHello { .. }");
    assert_eq!(format!("{:?}", static_key()), "StaticKey { .. }");
    let (_, transport) = read(&bytes("/noise/XX/server_hello")).unwrap().finish(b"").unwrap();
    assert_eq!(
        format!("{transport:?}"),
        "Transport { seal: SealingCipher { next: 0, .. }, open: OpeningCipher { next: 0, .. } }"
    );
}
