//! Stories in real browsers: `make test-e2e`, or `cargo test --workspace --test stories` with the client built.

mod backup;
mod control;
mod device;
mod independent;
mod journey;
mod looks;
mod many_tabs;
mod open_id;
mod passkey;
mod push;
mod relay;
mod storage;
mod tabs;
mod trouble;
