//! Stories in real browsers: `make test-e2e`, or `cargo test --workspace --test stories` with the client built.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod away;
mod backup;
mod control;
mod device;
mod drafts;
mod first_visit;
mod independent;
mod journey;
mod looks;
mod many_tabs;
mod open_id;
mod passkey;
mod people;
mod push;
mod relay;
mod service_worker;
mod storage;
mod tabs;
mod texts;
mod trouble;
