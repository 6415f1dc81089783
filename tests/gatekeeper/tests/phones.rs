//! Phones among themselves: text there and back, ticks, flight mode, reinstallation, and a sandbox restarted
//! underneath.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod support;

use causeway_gatekeeper::Gatekeeper;
use serde_json::json;
use support::{get, make_phone, post, start, until, until_user};

const ANNA: &str = "14155550101";
const BEN: &str = "14155550102";
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn two_phones_write_to_one_another_and_see_the_ticks() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), NOBODY).await;
    make_phone(&running, ANNA).await;
    make_phone(&running, BEN).await;
    until_user(&running, &format!("{BEN}@s.whatsapp.net"), |user| user["prekeys"] == 100).await;
    let path = |number, what| format!("/control/phones/{number}/{what}");
    let (_, sent) = post(&running, &path(ANNA, "send"), json!({"to": BEN, "text": "Hello Ben"})).await;
    let seen = until(&running, BEN, |entry| entry["text"] == "Hello Ben").await;
    assert_eq!((&seen["id"], &seen["from_me"]), (&sent["id"], &json!(false)));
    until(&running, ANNA, |entry| entry["id"] == sent["id"] && entry["state"] == "delivered").await;
    post(&running, &path(BEN, "read"), json!({})).await;
    until(&running, ANNA, |entry| entry["id"] == sent["id"] && entry["state"] == "read").await;
    post(&running, &path(BEN, "send"), json!({"to": ANNA, "text": "Hello Anna"})).await;
    until(&running, ANNA, |entry| entry["text"] == "Hello Anna").await;
    running.stop().await;
}

#[tokio::test]
async fn the_echo_phone_answers() {
    let data = tempfile::tempdir().unwrap();
    let mut config = support::config(data.path(), NOBODY);
    config.echo = Some("14155550100".to_owned());
    let running = Gatekeeper::start(config).await.unwrap();
    make_phone(&running, ANNA).await;
    until_user(&running, "14155550100@s.whatsapp.net", |user| user["prekeys"] == 100).await;
    post(&running, &format!("/control/phones/{ANNA}/send"), json!({"to": "+1 415 555 0100", "text": "ping"})).await;
    until(&running, ANNA, |entry| entry["text"] == "You said: ping" && entry["from_me"] == false).await;
    running.stop().await;
}

#[tokio::test]
async fn what_is_sent_to_a_phone_in_flight_mode_arrives_after_a_restart_of_the_sandbox() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), NOBODY).await;
    make_phone(&running, ANNA).await;
    make_phone(&running, BEN).await;
    let ben = format!("{BEN}@s.whatsapp.net");
    until_user(&running, &ben, |user| user["prekeys"] == 100).await;
    post(&running, &format!("/control/phones/{BEN}/offline"), json!({})).await;
    let (_, sent) = post(&running, &format!("/control/phones/{ANNA}/send"), json!({"to": BEN, "text": "later"})).await;
    until(&running, ANNA, |entry| entry["id"] == sent["id"] && entry["state"] == "sent").await;
    running.stop().await;

    let running = start(data.path(), NOBODY).await;
    until_user(&running, &ben, |user| user["waiting"] == 1).await;
    post(&running, &format!("/control/phones/{BEN}/online"), json!({})).await;
    until(&running, BEN, |entry| entry["text"] == "later").await;
    until(&running, ANNA, |entry| entry["id"] == sent["id"] && entry["state"] == "delivered").await;
    until_user(&running, &ben, |user| user["waiting"] == 0).await;
    running.stop().await;
}

#[tokio::test]
async fn many_texts_in_one_go_wait_in_their_order_and_each_is_cleared() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), NOBODY).await;
    make_phone(&running, ANNA).await;
    make_phone(&running, BEN).await;
    let ben = format!("{BEN}@s.whatsapp.net");
    until_user(&running, &ben, |user| user["prekeys"] == 100).await;
    post(&running, &format!("/control/phones/{BEN}/offline"), json!({})).await;
    let texts: Vec<String> = (0..30).map(|number| format!("text {number}")).collect();
    let many = format!("/control/phones/{ANNA}/send_all");
    let (_, sent) = post(&running, &many, json!({"to": BEN, "texts": texts})).await;
    assert_eq!(sent["ids"].as_array().unwrap().len(), texts.len());
    assert_eq!(post(&running, &many, json!({"to": BEN, "texts": []})).await.0, 422);
    until_user(&running, &ben, |user| user["waiting"] == texts.len()).await;
    post(&running, &format!("/control/phones/{BEN}/online"), json!({})).await;
    until(&running, BEN, |entry| entry["text"] == "text 29").await;
    until_user(&running, &ben, |user| user["waiting"] == 0).await;
    let answer = get(&running, &format!("/control/phones/{BEN}/messages")).await;
    let received: Vec<_> = answer["messages"].as_array().unwrap().iter().map(|entry| entry["text"].clone()).collect();
    assert_eq!(received, texts);
    running.stop().await;
}

#[tokio::test]
async fn after_a_reinstallation_the_other_side_is_notified_and_texts_arrive_again() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), NOBODY).await;
    make_phone(&running, ANNA).await;
    make_phone(&running, BEN).await;
    until_user(&running, &format!("{BEN}@s.whatsapp.net"), |user| user["prekeys"] == 100).await;
    post(&running, &format!("/control/phones/{ANNA}/send"), json!({"to": BEN, "text": "one"})).await;
    until(&running, ANNA, |entry| entry["text"] == "one" && entry["state"] == "delivered").await;
    post(&running, &format!("/control/phones/{BEN}/reinstall"), json!({})).await;
    until(&running, ANNA, |entry| entry["kind"] == "identity_changed").await;
    post(&running, &format!("/control/phones/{ANNA}/send"), json!({"to": BEN, "text": "two"})).await;
    until(&running, BEN, |entry| entry["text"] == "two").await;
    until(&running, ANNA, |entry| entry["text"] == "two" && entry["state"] == "delivered").await;
    running.stop().await;
}

#[tokio::test]
async fn a_text_sealed_for_keys_that_are_gone_is_asked_for_again() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), NOBODY).await;
    make_phone(&running, ANNA).await;
    make_phone(&running, BEN).await;
    until_user(&running, &format!("{BEN}@s.whatsapp.net"), |user| user["prekeys"] == 100).await;
    post(&running, &format!("/control/phones/{BEN}/offline"), json!({})).await;
    let (_, sent) = post(&running, &format!("/control/phones/{ANNA}/send"), json!({"to": BEN, "text": "lost?"})).await;
    until(&running, ANNA, |entry| entry["id"] == sent["id"] && entry["state"] == "sent").await;
    post(&running, &format!("/control/phones/{BEN}/reinstall"), json!({})).await;
    post(&running, &format!("/control/phones/{BEN}/online"), json!({})).await;
    until(&running, BEN, |entry| entry["text"] == "lost?").await;
    until(&running, ANNA, |entry| entry["id"] == sent["id"] && entry["state"] == "delivered").await;
    running.stop().await;
}

#[tokio::test]
async fn a_number_that_nobody_has_is_an_honest_failure() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), NOBODY).await;
    make_phone(&running, ANNA).await;
    post(&running, &format!("/control/phones/{ANNA}/send"), json!({"to": "+44 20 7946 0000", "text": "anyone?"})).await;
    let entry = until(&running, ANNA, |entry| entry["state"] == "failed").await;
    assert_eq!(entry["error"], 404);
    let (status, answer) = post(&running, "/control/phones", json!({"number": "12"})).await;
    assert_eq!(status, 422, "{answer}");
    let (status, _) = post(&running, "/control/phones/14155559999/send", json!({"to": BEN, "text": "x"})).await;
    assert_eq!(status, 404);
    assert_eq!(get(&running, "/control/phones").await.as_array().unwrap().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_number_that_is_written_in_two_ways_is_one_phone() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), NOBODY).await;
    make_phone(&running, ANNA).await;
    let (own, other) = ("551187654321", "5511987654321");
    let (status, made) = post(&running, "/control/phones", json!({"number": own, "also": [other]})).await;
    assert_eq!((status, &made["also"]), (201, &json!([other])));
    // Neither number is free for another phone, in any role.
    for taken in
        [json!({"number": other}), json!({"number": BEN, "also": [own]}), json!({"number": BEN, "also": [other]})]
    {
        assert_eq!(post(&running, "/control/phones", taken).await.0, 409);
    }
    let too_many: Vec<String> = (0..9).map(|at| format!("1415555020{at}")).collect();
    for refused in [json!({"number": BEN, "also": ["x"]}), json!({"number": BEN, "also": too_many})] {
        assert_eq!(post(&running, "/control/phones", refused).await.0, 422);
    }
    running.stop().await;
    // It is written so still after a restart.
    let running = start(data.path(), NOBODY).await;
    assert_eq!(get(&running, &format!("/control/phones/{own}")).await["also"], json!([other]));
    running.stop().await;
}
