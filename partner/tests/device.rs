//! The current device of an account: which device gets tokens, and the responses to claims.

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

use reqwest::{Response, header};
use std::time::SystemTime;
use support::{DEVICE, PASSWORD, Partner, refused, session_of};

const OTHER: &str = "ffeeddccbbaa99887766554433221100";

/// The fields of a form response with status 200.
async fn fields(response: Response) -> Vec<(String, String)> {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let body = response.bytes().await.unwrap();
    url::form_urlencoded::parse(&body).into_owned().collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The current device and the time since when.
async fn current(partner: &Partner, cookie: &str) -> (String, u64) {
    let fields = fields(partner.about(cookie).await).await;
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["identifier", "device", "since"]);
    (fields[1].1.clone(), fields[2].1.parse().unwrap())
}

#[tokio::test]
async fn the_first_device_that_requests_a_token_becomes_current() {
    let partner = Partner::start().await;
    let cookie = partner.account("Zoë & co").await;
    let without = pairs([("identifier", "Zoë & co"), ("device", ""), ("since", "0")]);
    assert_eq!(fields(partner.about(&cookie).await).await, without);

    assert_eq!(partner.token(&cookie).await.status(), 200);
    let (device, since) = current(&partner, &cookie).await;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    assert_eq!(device, DEVICE);
    assert!(u128::from(since).abs_diff(now) < 30_000, "{since} is no time in milliseconds near {now}");

    refused(partner.with_device("/api/token", &cookie, OTHER).await, 409, "other_device").await;
    assert_eq!(current(&partner, &cookie).await, (device, since), "a refused request changes nothing");
    assert_eq!(partner.token(&cookie).await.status(), 200);
}

#[tokio::test]
async fn only_the_device_that_replaced_another_gets_tokens() {
    let partner = Partner::start().await;
    let (first, second) =
        (partner.account("alice").await, partner.credentials("/api/session", "alice", PASSWORD).await);
    let second = session_of(&second);
    assert_eq!(partner.token(&first).await.status(), 200);
    let (_, since) = current(&partner, &first).await;

    let claimed = fields(partner.with_device("/api/device", &second, OTHER).await).await;
    assert_eq!(claimed, pairs([("previous", DEVICE), ("since", &since.to_string())]));
    refused(partner.token(&first).await, 409, "other_device").await;
    refused(partner.token(&second).await, 409, "other_device").await;
    assert_eq!(partner.with_device("/api/token", &second, OTHER).await.status(), 200);
    assert_eq!(current(&partner, &first).await.0, OTHER);

    // Claimed again: the previous device is the one in between.
    let back = fields(partner.with_device("/api/device", &first, DEVICE).await).await;
    assert_eq!(back[0], ("previous".to_owned(), OTHER.to_owned()));
    refused(partner.with_device("/api/token", &second, OTHER).await, 409, "other_device").await;
}

#[tokio::test]
async fn a_repeated_claim_gets_the_same_response() {
    let partner = Partner::start().await;
    let cookie = partner.account("alice").await;
    let first = fields(partner.with_device("/api/device", &cookie, DEVICE).await).await;
    assert_eq!(first, pairs([("previous", ""), ("since", "0")]));
    let (_, since) = current(&partner, &cookie).await;

    let took_over = fields(partner.with_device("/api/device", &cookie, OTHER).await).await;
    assert_eq!(took_over, pairs([("previous", DEVICE), ("since", &since.to_string())]));
    let state = current(&partner, &cookie).await;
    assert_eq!(fields(partner.with_device("/api/device", &cookie, OTHER).await).await, took_over);
    assert_eq!(current(&partner, &cookie).await, state, "claiming again does not change the time");
}

#[tokio::test]
async fn accounts_do_not_share_devices() {
    let partner = Partner::start().await;
    let (alice, bob) = (partner.account("alice").await, partner.account("bob").await);
    assert_eq!(partner.token(&alice).await.status(), 200);
    assert_eq!(current(&partner, &bob).await, (String::new(), 0));
    assert_eq!(partner.with_device("/api/token", &bob, OTHER).await.status(), 200);
    assert_eq!(partner.token(&alice).await.status(), 200);
}

#[tokio::test]
async fn an_invalid_device_id_is_refused() {
    let partner = Partner::start().await;
    let cookie = partner.account("alice").await;
    for path in ["/api/device", "/api/token"] {
        for bad in ["", "0", &DEVICE[1..], &format!("{DEVICE}0"), &DEVICE.to_uppercase(), &"g".repeat(32)] {
            refused(partner.with_device(path, &cookie, bad).await, 422, "device_invalid").await;
        }
        // A client from before devices existed sends no form.
        let bare = partner.http.post(partner.url(path)).header(header::COOKIE, &cookie).send().await.unwrap();
        refused(bare, 400, "form_invalid").await;
    }
    assert_eq!(current(&partner, &cookie).await, (String::new(), 0));
}

#[tokio::test]
async fn without_a_session_or_from_another_site_nothing_is_disclosed_or_changed() {
    let partner = Partner::start().await;
    let cookie = partner.account("alice").await;
    let without = partner.about("").await;
    assert_eq!(
        (without.status().as_u16(), &without.headers()[header::CACHE_CONTROL]),
        (204, &"no-store".parse().unwrap())
    );
    refused(partner.with_device("/api/device", "", DEVICE).await, 401, "not_signed_in").await;
    refused(partner.with_device("/api/token", "", DEVICE).await, 401, "not_signed_in").await;
    let forged = partner.http.post(partner.url("/api/device")).form(&[("device", DEVICE)]);
    let forged = forged.header(header::COOKIE, &cookie).header("sec-fetch-site", "cross-site").send().await.unwrap();
    refused(forged, 403, "cross_site").await;
    assert_eq!(current(&partner, &cookie).await, (String::new(), 0));
}

#[tokio::test]
async fn claims_are_rate_limited() {
    let partner = Partner::with(|config| {
        config.limits.token_burst = 2;
        config.limits.token_refill_seconds = 1_000;
    })
    .await;
    let cookie = partner.account("alice").await;
    assert_eq!(partner.with_device("/api/device", &cookie, DEVICE).await.status(), 200);
    assert_eq!(partner.token(&cookie).await.status(), 200);
    refused(partner.with_device("/api/device", &cookie, OTHER).await, 429, "rate_limited").await;
    refused(partner.token(&cookie).await, 429, "rate_limited").await;
}
