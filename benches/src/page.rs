//! Exports for the bench page: the contests, and the codec in batches, so that the page can time its JavaScript peer in
//! the same rounds.

use crate::codec::{self, Sample};
use crate::contest::{Clock, Effort};
use std::hint::black_box;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Runs every contest with the page's clock, a function that returns milliseconds.
#[wasm_bindgen]
pub fn figures(clock: &js_sys::Function, glance: bool) -> String {
    let now = || clock.call0(&JsValue::UNDEFINED).ok().and_then(|now| now.as_f64()).unwrap_or_default();
    crate::figures(&Clock(&now), if glance { Effort::Glance } else { Effort::Full })
}

/// The bytes of the message (`false`) or of the prekeys (`true`).
#[wasm_bindgen]
pub fn sample(prekeys: bool) -> Vec<u8> {
    codec::sample(which(prekeys))
}

/// Encodes the sample `times` times into one buffer; returns the number of bytes written last.
#[wasm_bindgen]
pub fn encode(prekeys: bool, times: usize) -> usize {
    let mut work = codec::encode(which(prekeys));
    (0..times).fold(0, |_, _| black_box(work()))
}

/// Decodes the sample `times` times.
#[wasm_bindgen]
pub fn decode(prekeys: bool, times: usize) {
    let mut work = codec::decode(which(prekeys));
    (0..times).for_each(|_| drop(black_box(work())));
}

fn which(prekeys: bool) -> Sample {
    if prekeys { Sample::PreKeys } else { Sample::Message }
}
