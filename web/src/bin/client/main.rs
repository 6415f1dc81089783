//! The client: one program for the page, the dedicated worker of every tab and the service worker, so that what they share
//! is downloaded and compiled once. Where it runs decides what it does.
//!
//! `tests/toolchain` cuts it into modules (`pieces.rs`): the engine and what everything shares are the main one, which all
//! three load; the user interface is loaded by the page, and some of its pages only when they are opened.

mod page;
mod pieces;
mod worker;

use causeway_web::port::{boot, spawn, window};
use causeway_web::state::scope::Answer;
use causeway_web::ui::on_demand::SecondaryPages;

fn main() {
    if !window::is_page() {
        return worker::start();
    }
    boot::cover_page_on_panic();
    spawn(async {
        if pieces::start_page(fetch_secondary_pages).await.is_err() {
            boot::cover_page("the module of the page could not be loaded");
        }
    });
}

fn fetch_secondary_pages(answer: Answer<Option<SecondaryPages>>) {
    spawn(async move { answer.run(pieces::secondary_pages().await.ok()) });
}
