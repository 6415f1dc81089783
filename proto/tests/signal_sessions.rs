//! What two people with a session each can count on: order, loss, crossing first messages, reinstallation, limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod party;

use causeway_proto::signal::{
    AgreementError, DecryptError, EncryptError, Envelope, EnvelopeKind, KeyPair, LocalIdentity, PublicKey,
    SessionRecord, WeakPublicKey,
};
use party::{Party, acquainted};

#[test]
fn messages_repeat_the_prekeys_until_a_response_arrives() {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    alice.initiate(&bob.bundle(true));
    let (first, second) = (alice.send(b"1"), alice.send(b"2"));
    assert_eq!((first.kind(), second.kind()), (EnvelopeKind::PreKey, EnvelopeKind::PreKey));

    let decrypted = bob.receive(&first).unwrap();
    assert_eq!(decrypted.used_prekey, Some(1));
    assert_eq!(decrypted.remote_identity, alice.identity.public());
    let decrypted = bob.receive(&second).unwrap();
    assert_eq!((decrypted.plaintext.as_slice(), decrypted.used_prekey), (b"2".as_slice(), None));
    assert_eq!(bob.record.remote_registration_id(), Some(alice.registration_id));

    let answer = bob.send(b"3");
    assert_eq!(answer.kind(), EnvelopeKind::Plain);
    assert_eq!(alice.read(&answer), b"3");
    assert_eq!(alice.send(b"4").kind(), EnvelopeKind::Plain);
}

#[test]
fn a_bundle_without_a_one_time_prekey_is_accepted() {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    alice.initiate(&bob.bundle(false));
    let decrypted = bob.receive(&alice.send(b"hello")).unwrap();
    assert_eq!(decrypted.used_prekey, None);
}

#[test]
fn messages_may_come_in_any_order_and_only_once() {
    let (mut alice, mut bob) = acquainted();
    let sent: Vec<_> = (0..5_u8).map(|n| alice.send(&[n])).collect();
    for at in [4, 1, 3, 0, 2] {
        assert_eq!(bob.read(&sent[at]), [u8::try_from(at).unwrap()]);
        bob.reload();
    }
    for (counter, envelope) in (0..).zip(&sent) {
        assert_eq!(bob.receive(envelope).unwrap_err(), DecryptError::DuplicateMessage { counter });
    }
}

#[test]
fn a_late_message_of_an_older_chain_is_read_and_of_one_too_old_is_not() {
    let (mut alice, mut bob) = acquainted();
    let late: Vec<_> = (0..7_u8)
        .map(|n| {
            let late = alice.send(&[n]);
            let in_time = alice.send(b"in time");
            bob.read(&in_time);
            let answer = bob.send(b"answer");
            alice.read(&answer);
            late
        })
        .collect();
    // Five chains are kept. Of the two given up, the sessions only know that they cannot verify the message.
    for (n, envelope) in late.iter().enumerate() {
        let expected = if n < 2 { Err(DecryptError::BadMac) } else { Ok(vec![u8::try_from(n).unwrap()]) };
        assert_eq!(bob.receive(envelope).map(|decrypted| decrypted.plaintext.to_vec()), expected, "chain {n}");
    }
}

#[test]
fn the_previous_counter_is_the_length_of_the_last_chain() {
    let previous_counter = |envelope: &Envelope| {
        // Version, ratchet key field (35 bytes), counter field (2 bytes), then tag and value.
        let [tag, value] = envelope.as_bytes()[38..40] else { unreachable!() };
        assert_eq!(tag, 0x18);
        value
    };
    let (mut alice, mut bob) = acquainted();
    assert_eq!(previous_counter(&alice.send(b"0")), 0, "one message before: index 1, less one");
    let last = (0..4).map(|_| alice.send(b"more")).last().unwrap();
    bob.read(&last);
    let answer = bob.send(b"answer");
    alice.read(&answer);
    assert_eq!(previous_counter(&alice.send(b"new chain")), 4, "five messages before");
}

#[test]
fn both_may_write_first_at_the_same_moment() {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    alice.initiate(&bob.bundle(true));
    bob.initiate(&alice.bundle(true));
    let (from_alice, from_bob) = (alice.send(b"a"), bob.send(b"b"));
    assert_eq!(bob.read(&from_alice), b"a");
    assert_eq!(alice.read(&from_bob), b"b");
    for _ in 0..3 {
        let (from_alice, from_bob) = (alice.send(b"a"), bob.send(b"b"));
        assert_eq!(bob.read(&from_alice), b"a");
        assert_eq!(alice.read(&from_bob), b"b");
    }
    // One after the other, they come to agree on one session.
    let from_alice = alice.send(b"a");
    bob.read(&from_alice);
    let from_bob = bob.send(b"b");
    alice.read(&from_bob);
    assert_eq!(alice.record.base_key(), bob.record.base_key());
}

#[test]
fn the_other_side_may_reinstall_ten_times_and_nothing_is_dropped() {
    let (mut alice, mut bob) = acquainted();
    let mut late = Vec::new();
    for n in 0..10 {
        late.push(bob.send(b"late"));
        let old_identity = bob.identity.public();
        bob = Party::new(100 + n);
        // She writes to his previous installation: he cannot decrypt it.
        let lost = alice.send(b"to who you were");
        assert!(bob.receive(&lost).is_err());
        // He writes first, under his new identity; the conversation goes on.
        bob.initiate(&alice.bundle(true));
        let hello = bob.send(b"it is me");
        let decrypted = alice.receive(&hello).unwrap();
        assert_ne!(decrypted.remote_identity, old_identity);
        assert_eq!(alice.record.remote_identity(), Some(bob.identity.public()));
        let answer = alice.send(b"good to know");
        assert_eq!(bob.read(&answer), b"good to know");
        alice.reload();
    }
    // What he wrote before is still readable, with its own identity.
    for envelope in &late {
        let decrypted = alice.receive(envelope).unwrap();
        assert_eq!(*decrypted.plaintext, b"late");
        assert_ne!(decrypted.remote_identity, bob.identity.public());
    }
}

#[test]
fn a_session_that_was_replaced_comes_back_with_a_message_of_it() {
    let (mut alice, mut bob) = acquainted();
    let base_key = bob.record.base_key();
    let late = alice.send(b"late");
    alice.initiate(&bob.bundle(true));
    let first = alice.send(b"new session");
    bob.read(&first);
    assert_ne!(bob.record.base_key(), base_key);
    assert_eq!(bob.read(&late), b"late");
    assert_eq!(bob.record.base_key(), base_key);
    // The next of the new session, still with its prekeys, brings that one back without using a prekey again.
    let second = alice.send(b"still here");
    let decrypted = bob.receive(&second).unwrap();
    assert_eq!((decrypted.plaintext.as_slice(), decrypted.used_prekey), (b"still here".as_slice(), None));
    assert_eq!(bob.record.base_key(), alice.record.base_key());
}

#[test]
fn an_archived_session_is_not_encrypted_with_but_still_decrypts() {
    let (mut alice, mut bob) = acquainted();
    let envelope = alice.send(b"meanwhile");
    bob.record.archive_current();
    assert!(!bob.record.has_session());
    assert_eq!((bob.record.remote_identity(), bob.record.base_key()), (None, None));
    let local = LocalIdentity { pair: &bob.identity, registration_id: bob.registration_id };
    assert_eq!(bob.record.encrypt(&local, b"x"), Err(EncryptError::NoSession));
    assert_eq!(bob.read(&envelope), b"meanwhile");
    assert!(bob.record.has_session());
}

#[test]
fn forty_archived_sessions_are_kept() {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    // Each session's second message is kept back.
    let late: Vec<_> = (0..42)
        .map(|_| {
            alice.initiate(&bob.bundle(true));
            let first = alice.send(b"first");
            bob.read(&first);
            alice.send(b"late")
        })
        .collect();
    bob.reload();
    // 41 sessions, of which each message brings one to the front; of the oldest, the prekey is gone too.
    assert_eq!(bob.receive(&late[0]).unwrap_err(), DecryptError::UnknownPreKey { id: 1 });
    for envelope in &late[1..] {
        assert_eq!(bob.read(envelope), b"late");
    }
}

#[test]
fn a_gap_of_25_000_is_bridged_and_no_more() {
    let (mut alice, mut bob) = acquainted();
    let local = LocalIdentity { pair: &alice.identity, registration_id: alice.registration_id };
    let mut record = alice.record.clone();
    let sent: Vec<_> = (0..=25_001).map(|_| record.encrypt(&local, b"x").unwrap()).collect();
    assert_eq!(
        bob.receive(&sent[25_001]).unwrap_err(),
        DecryptError::TooFarAhead { counter: 25_001, next: 0, max_jump: 25_000 }
    );
    assert_eq!(bob.read(&sent[25_000]), b"x");
    // The 2000 newest of the skipped keys are kept.
    assert_eq!(bob.receive(&sent[22_999]).unwrap_err(), DecryptError::DuplicateMessage { counter: 22_999 });
    assert_eq!(bob.read(&sent[23_000]), b"x");
    assert_eq!(bob.read(&sent[24_999]), b"x");
    alice.record = record;
}

#[test]
fn an_archived_session_bridges_a_smaller_gap() {
    let (mut alice, mut bob) = acquainted();
    bob.record.archive_current();
    // The answer in hand, her next message begins a new chain.
    let sent: Vec<_> = (0..=2_001).map(|_| alice.send(b"x")).collect();
    assert_eq!(
        bob.receive(&sent[2_001]).unwrap_err(),
        DecryptError::TooFarAhead { counter: 2_001, next: 0, max_jump: 2_000 }
    );
    assert_eq!(bob.read(&sent[2_000]), b"x");
    assert_eq!(bob.read(&sent[2_001]), b"x");
}

#[test]
fn a_failed_first_message_uses_no_prekey_up() {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    alice.initiate(&bob.bundle(true));
    let genuine = alice.send(b"hello");
    let mut bytes = genuine.as_bytes().to_vec();
    let mac = bytes.len() - 6;
    bytes[mac] ^= 1;
    let forged = Envelope::parse(EnvelopeKind::PreKey, &bytes).unwrap();
    assert_eq!(bob.receive(&forged).unwrap_err(), DecryptError::BadMac);
    assert!(!bob.record.has_session());
    assert_eq!(bob.receive(&genuine).unwrap().used_prekey, Some(1));
}

#[test]
fn errors_name_what_is_missing_and_the_retry_code() {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    alice.initiate(&bob.bundle(true));
    let first = alice.send(b"hello");
    let mut stranger = Party::new(3);
    let error = stranger.receive(&first).unwrap_err();
    assert_eq!((error, error.retry_code()), (DecryptError::UnknownPreKey { id: 1 }, 3));
    stranger.prekeys.signed.clear();
    let error = stranger.receive(&first).unwrap_err();
    assert_eq!((error, error.retry_code()), (DecryptError::UnknownSignedPreKey { id: 1 }, 3));
    bob.read(&first);
    let plain = bob.send(b"answer");
    let error = stranger.receive(&plain).unwrap_err();
    assert_eq!((error, error.retry_code()), (DecryptError::NoSession, 1));
}

#[test]
fn another_identity_cannot_use_a_session() {
    let (mut alice, mut bob) = (Party::new(1), Party::new(2));
    alice.initiate(&bob.bundle(true));
    let (first, second) = (alice.send(b"1"), alice.send(b"2"));
    bob.read(&first);
    let Envelope::PreKey(genuine) = &second else { panic!("the session is unanswered") };
    let identity = genuine.identity_key().serialize();
    let at = second.as_bytes().windows(33).position(|window| window == identity).unwrap();
    let mut bytes = second.as_bytes().to_vec();
    bytes[at + 1..at + 33].copy_from_slice(Party::new(3).identity.public().as_bytes());
    let forged = Envelope::parse(EnvelopeKind::PreKey, &bytes).unwrap();
    assert_eq!(bob.receive(&forged).unwrap_err(), DecryptError::IdentityMismatch);
}

#[test]
fn a_bundle_that_the_identity_did_not_sign_is_refused() {
    let (alice, mut bob) = (Party::new(1), Party::new(2));
    let local = LocalIdentity { pair: &alice.identity, registration_id: 1 };
    let mut record = SessionRecord::default();
    let mut rng = Party::new(3).rng;

    let mut forged = bob.bundle(true);
    forged.signed_prekey = KeyPair::generate(&mut rng).public();
    assert_eq!(record.initiate(&local, &forged, &mut rng), Err(AgreementError::BadSignature));

    let mut weak = bob.bundle(true);
    weak.prekey = Some((1, PublicKey([0; 32])));
    let refused = Err(AgreementError::WeakPublicKey(WeakPublicKey));
    assert_eq!(record.initiate(&local, &weak, &mut rng), refused);
    assert!(!record.has_session());
}

#[test]
fn a_session_of_a_former_identity_of_ours_is_not_encrypted_with() {
    let (mut alice, _) = acquainted();
    let other = KeyPair::generate(&mut alice.rng);
    let local = LocalIdentity { pair: &other, registration_id: 1 };
    assert_eq!(alice.record.encrypt(&local, b"x"), Err(EncryptError::OtherIdentity));
}

#[test]
fn nothing_printed_shows_a_key() {
    let (alice, mut bob) = acquainted();
    let stored = alice.record.to_bytes();
    let shown = format!("{:?}", alice.record);
    assert!(shown.contains("Secret<32>"), "{shown}");
    // No four bytes of the stored record may be found as a list of numbers, but for public keys, which are cut short.
    for window in stored.windows(4) {
        let list = format!("{}, {}, {}, {}", window[0], window[1], window[2], window[3]);
        assert!(!shown.contains(&list), "{list}");
    }
    let envelope = bob.send(b"nobody's business");
    let decrypted = { alice }.receive(&envelope).unwrap();
    assert!(format!("{decrypted:?}").starts_with("Decrypted { plaintext_len: 17, used_prekey: None,"));
}
