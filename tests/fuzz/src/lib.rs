//! The fuzz targets as a library, so that each libFuzzer binary is one line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod fixture;
mod targets;

pub use targets::*;
