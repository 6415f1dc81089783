//! The channel's two ciphers on 1 KiB, against AES-GCM alone, and against snow's own transport.

use crate::contest::{Clock, Contest, Entrant};
use crate::vectors::{Draws, bytes, key};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use causeway_proto::noise::{StaticKey, Transport, handshake};
use causeway_proto::profile::Profile;
use causeway_proto::secret::Secret;
use std::hint::black_box;

const SIZE: usize = 1024;
const TAG: usize = 16;
/// Within the validity of the vectors' certificates.
const NOW: u64 = 1_800_000_000;

/// A channel as the handshake of the vectors leaves it.
fn channel() -> Transport {
    let profile = Profile { root_key: key("/noise/root_public"), ..Profile::default() };
    let static_key = StaticKey::from_secret(Secret::new(key("/noise/keys_private/client_static")));
    let mut rng = Draws(key("/noise/keys_private/client_ephemeral"));
    let (waiting, _) = handshake::start(&static_key, &profile, &mut rng).expect("the vectors are sound");
    let verified = waiting.read(&bytes("/noise/XX/server_hello"), NOW).expect("the vectors are sound");
    verified.finish(&bytes("/noise/client_payload")).expect("the vectors are sound").1
}

/// AES-GCM and a counter: what no channel can do without.
struct Bare {
    aes: Aes256Gcm,
    counter: u32,
}

impl Bare {
    fn new(key: &[u8; 32]) -> Self {
        Self { aes: Aes256Gcm::new(key.into()), counter: 0 }
    }

    fn nonce(&mut self) -> Nonce<aes_gcm::aead::consts::U12> {
        let [a, b, c, d] = self.counter.to_be_bytes();
        self.counter += 1;
        [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d].into()
    }

    fn seal(&mut self, body: &mut [u8]) -> Tag {
        let nonce = self.nonce();
        self.aes.encrypt_inout_detached(&nonce, &[], body.into()).expect("1 KiB is no length to refuse")
    }

    fn open(&mut self, body: &mut [u8], tag: &Tag) {
        let nonce = self.nonce();
        self.aes.decrypt_inout_detached(&nonce, &[], body.into(), tag).expect("sealed under the same key and counter");
    }

    /// The next sealed frames, tag at the end.
    fn frames(&mut self, count: usize) -> Vec<Vec<u8>> {
        let frame = |_| {
            let mut frame = Vec::with_capacity(SIZE + TAG);
            frame.resize(SIZE, 7);
            let tag = self.seal(&mut frame);
            frame.extend_from_slice(&tag);
            frame
        };
        (0..count).map(frame).collect()
    }
}

fn snow_pair() -> (snow::TransportState, snow::TransportState) {
    let builder = || snow::Builder::new("Noise_NN_25519_AESGCM_SHA256".parse().expect("a pattern that snow knows"));
    let mut ours = builder().build_initiator().expect("nothing is missing");
    let mut theirs = builder().build_responder().expect("nothing is missing");
    let (mut sent, mut read) = ([0; 128], [0; 128]);
    let length = ours.write_message(&[], &mut sent).expect("the first flight");
    theirs.read_message(&sent[..length], &mut read).expect("the first flight");
    let length = theirs.write_message(&[], &mut sent).expect("the second flight");
    ours.read_message(&sent[..length], &mut read).expect("the second flight");
    (ours.into_transport_mode().expect("finished"), theirs.into_transport_mode().expect("finished"))
}

pub(crate) fn contests() -> Vec<Contest> {
    let mut channel = channel();
    let mut buffer = vec![7; SIZE];
    let ours = Entrant::plain("ours", move || {
        buffer.truncate(SIZE);
        channel.seal.seal(&mut buffer, 0).expect("the counter is far from its end");
        buffer.len()
    });
    let mut bare = Bare::new(&[3; 32]);
    let mut buffer = vec![7; SIZE];
    let bare = Entrant::plain("AES-256-GCM alone", move || bare.seal(&mut buffer));
    let (mut sender, _) = snow_pair();
    let (plain, mut sealed) = (vec![7; SIZE], vec![0; SIZE + TAG]);
    let snow =
        Entrant::plain("snow", move || sender.write_message(&plain, &mut sealed).expect("the buffer is large enough"));
    let seal = Contest { name: "noise: seal 1 KiB", entrants: vec![ours, bare, snow] };
    vec![seal, open()]
}

fn open() -> Contest {
    let mut channel = channel();
    let mut server = Bare::new(&key("/noise/XX/key_server_to_client"));
    let ours = Entrant::new("ours", move |times, clock: &Clock<'_>| {
        let mut frames = server.frames(times);
        clock.time(|| {
            for frame in &mut frames {
                channel.open.open(frame).expect("sealed under the same key and counter");
                black_box(frame.len());
            }
        })
    });
    let (mut sender, mut receiver) = (Bare::new(&[3; 32]), Bare::new(&[3; 32]));
    let bare = Entrant::new("AES-256-GCM alone", move |times, clock: &Clock<'_>| {
        let mut frames: Vec<(Vec<u8>, Tag)> = sender.frames(times).into_iter().map(cut).collect();
        clock.time(|| {
            for (body, tag) in &mut frames {
                receiver.open(body, tag);
                black_box(body.len());
            }
        })
    });
    let (mut sender, mut receiver) = snow_pair();
    let snow = Entrant::new("snow", move |times, clock: &Clock<'_>| {
        let frames: Vec<Vec<u8>> = (0..times)
            .map(|_| {
                let mut sealed = vec![0; SIZE + TAG];
                sender.write_message(&[7; SIZE], &mut sealed).expect("the buffer is large enough");
                sealed
            })
            .collect();
        let mut plain = vec![0; SIZE + TAG];
        clock.time(|| {
            for frame in &frames {
                black_box(receiver.read_message(frame, &mut plain).expect("sealed by the other end"));
            }
        })
    });
    Contest { name: "noise: open 1 KiB", entrants: vec![ours, bare, snow] }
}

fn cut(mut frame: Vec<u8>) -> (Vec<u8>, Tag) {
    let (_, tag) = frame.split_last_chunk::<TAG>().expect("a frame ends with its tag");
    let tag = (*tag).into();
    frame.truncate(SIZE);
    (frame, tag)
}
