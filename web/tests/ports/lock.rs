//! One holder at a time, granted in the order of requests; a request can be withdrawn.

use super::{async_script, queued, unique};
use causeway_web::port::lock;
use core::pin::pin;
use futures::FutureExt;
use futures::future::{Either, select};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn the_next_in_line_gets_the_lock_when_its_holder_lets_go() {
    let name = unique("lock");
    let first = lock::acquire(&name).await.expect("the lock is free");
    let second = match select(pin!(lock::acquire(&name)), pin!(queued(&name))).await {
        Either::Left(_) => panic!("two hold the lock"),
        // The place in the line is given up here, so this must not be the next holder.
        Either::Right(_) => lock::acquire(&name),
    };
    let mut second = pin!(second);
    assert!(second.as_mut().now_or_never().is_none(), "the lock is held");
    drop(first);
    assert!(second.await.is_ok());
}

#[wasm_bindgen_test]
async fn locks_of_other_names_are_others() {
    let _held = lock::acquire(&unique("lock")).await.expect("the lock is free");
    assert!(lock::acquire(&unique("lock")).await.is_ok());
}

#[wasm_bindgen_test]
async fn a_holder_hears_that_its_lock_was_stolen() {
    let name = unique("stolen");
    let held = lock::acquire(&name).await.expect("the lock is free");
    assert!(held.lost().now_or_never().is_none(), "nobody has stolen it yet");
    async_script("(name) => navigator.locks.request(name, { steal: true }, async () => {})", name.as_str()).await;
    held.lost().await;
}
