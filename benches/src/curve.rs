//! X25519 as the product uses it, against the multiplication alone.

use crate::contest::{Contest, Entrant};
use causeway_proto::secret::Secret;
use causeway_proto::signal::KeyPair;
use curve25519_dalek::MontgomeryPoint;
use std::hint::black_box;

pub(crate) fn contests() -> Vec<Contest> {
    let (ours, theirs) = (KeyPair::from_secret(Secret::new([4; 32])), KeyPair::from_secret(Secret::new([5; 32])));
    let remote = theirs.public();
    let agree = Entrant::plain("ours", move || ours.agree(black_box(&remote)).expect("a sound key"));
    let point = MontgomeryPoint(remote.0);
    let bare = Entrant::plain("one multiplication", move || black_box(&point).mul_clamped([4; 32]));
    vec![Contest { name: "X25519: agree", entrants: vec![agree, bare] }]
}
