//! Accounts, sessions, and every way in which they are refused.

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

use causeway_partner::Server;
use reqwest::header;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};
use support::{DEVICE, PASSWORD, Partner, refused, session_of};

#[tokio::test]
async fn a_person_signs_up_out_and_in_again() {
    let partner = Partner::start().await;
    let response = partner.credentials("/api/account", "  alice ", PASSWORD).await;
    assert_eq!(response.status(), 204);
    let cookie = session_of(&response);
    let who = partner.http.get(partner.url("/api/session")).header(header::COOKIE, &cookie);
    let response = who.try_clone().unwrap().send().await.unwrap();
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(response.text().await.unwrap(), "alice");

    let out = partner.http.delete(partner.url("/api/session")).header(header::COOKIE, &cookie).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert!(out.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    refused(who.send().await.unwrap(), 401, "not_signed_in").await;

    let again = partner.credentials("/api/session", "alice", PASSWORD).await;
    assert_eq!(again.status(), 204);
    assert_ne!(session_of(&again), cookie);
}

#[tokio::test]
async fn the_cookie_is_not_accessible_to_scripts_and_other_sites() {
    let partner = Partner::start().await;
    let response = partner.credentials("/api/account", "alice", PASSWORD).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("causeway_session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"), "{cookie}");

    let partner = Partner::with(|config| config.public_url = Some("https://messenger.example".to_owned())).await;
    let response = partner.credentials("/api/account", "alice", PASSWORD).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-causeway_session="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    assert_eq!(partner.token(&session_of(&response)).await.status(), 200);
}

#[tokio::test]
async fn invalid_new_accounts_are_refused_with_the_reason() {
    let partner = Partner::start().await;
    partner.account("alice").await;
    let forty_one = "a".repeat(41);
    for (identifier, password, status, word) in [
        ("alice", PASSWORD, 409, "identifier_taken"),
        ("ALICE", PASSWORD, 409, "identifier_taken"),
        ("", PASSWORD, 422, "identifier_invalid"),
        (&forty_one, PASSWORD, 422, "identifier_invalid"),
        ("bob\u{202E}ecila", PASSWORD, 422, "identifier_invalid"),
        ("bob", "seven77", 422, "password_too_short"),
        ("bob", &"x".repeat(1_025), 422, "password_too_long"),
    ] {
        refused(partner.credentials("/api/account", identifier, password).await, status, word).await;
    }
    assert_eq!(partner.credentials("/api/account", &"𝒶".repeat(40), PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_identifier_get_the_same_response() {
    let partner = Partner::start().await;
    partner.account("alice").await;
    for (identifier, password) in
        [("alice", "wrong horse"), ("bob", PASSWORD), ("Alice", PASSWORD), ("", PASSWORD), ("alice", "")]
    {
        refused(partner.credentials("/api/session", identifier, password).await, 401, "bad_credentials").await;
    }
}

#[tokio::test]
async fn malformed_requests_are_refused_without_harm() {
    let partner = Partner::start().await;
    let post = || partner.http.post(partner.url("/api/account"));
    let form = "application/x-www-form-urlencoded";
    for (kind, body) in [
        (form, "identifier=alice"),
        (form, ""),
        (form, "identifier=%FF%FE&password=%FF"),
        ("application/json", r#"{"identifier":"alice","password":"correct horse"}"#),
        ("text/plain", "identifier=alice&password=correct horse"),
    ] {
        let sent = post().header(header::CONTENT_TYPE, kind).body(body).send().await.unwrap();
        let status = sent.status();
        assert!(status == 400 || status == 422, "{body:?} got {status}");
        assert!(sent.headers().get(header::SET_COOKIE).is_none());
    }
    let huge = format!("identifier=alice&password={}", "x".repeat(20_000));
    refused(post().header(header::CONTENT_TYPE, form).body(huge).send().await.unwrap(), 413, "too_large").await;
    refused(partner.get("/api/device").await, 405, "method_not_allowed").await;
    refused(partner.get("/api/nothing").await, 404, "not_found").await;
}

#[tokio::test]
async fn requests_from_other_sites_are_refused() {
    let partner = Partner::start().await;
    let cookie = partner.account("alice").await;
    let token = |name: &'static str, value: String| {
        let request = partner.http.post(partner.url("/api/token")).form(&[("device", DEVICE)]);
        request.header(header::COOKIE, &cookie).header(name, value).send()
    };
    refused(token("sec-fetch-site", "cross-site".into()).await.unwrap(), 403, "cross_site").await;
    refused(token("origin", "https://evil.example".into()).await.unwrap(), 403, "cross_site").await;
    assert_eq!(token("sec-fetch-site", "same-origin".into()).await.unwrap().status(), 200);
    assert_eq!(token("origin", partner.url("")).await.unwrap().status(), 200);

    let forged = [("identifier", "mallory"), ("password", PASSWORD)];
    let sign_up = partner.http.post(partner.url("/api/account")).form(&forged).header("sec-fetch-site", "cross-site");
    refused(sign_up.send().await.unwrap(), 403, "cross_site").await;
    let sign_out = partner.http.delete(partner.url("/api/session")).header("origin", "null");
    refused(sign_out.header(header::COOKIE, &cookie).send().await.unwrap(), 403, "cross_site").await;
    assert_eq!(partner.token(&cookie).await.status(), 200, "the session is still valid");
}

#[tokio::test]
async fn an_invented_session_token_is_refused() {
    let partner = Partner::start().await;
    for cookie in ["", "causeway_session=", "causeway_session=AAAA", &format!("causeway_session={}", "A".repeat(43))] {
        refused(partner.token(cookie).await, 401, "not_signed_in").await;
    }
}

#[tokio::test]
async fn sign_ins_to_one_account_are_rate_limited() {
    let partner = Partner::with(|config| {
        config.limits.account_burst = 3;
        config.limits.account_refill_seconds = 1_000;
    })
    .await;
    partner.account("alice").await;
    for _ in 0..3 {
        refused(partner.credentials("/api/session", "alice", "wrong horse").await, 401, "bad_credentials").await;
    }
    // Neither the right password nor another spelling is exempt.
    for identifier in ["alice", "aLiCe"] {
        let response = partner.credentials("/api/session", identifier, PASSWORD).await;
        let wait: u64 = response.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((900..=1_000).contains(&wait), "{wait}");
        refused(response, 429, "rate_limited").await;
    }
    refused(partner.credentials("/api/session", "bob", PASSWORD).await, 401, "bad_credentials").await;
}

#[tokio::test]
async fn sign_ins_from_one_address_are_rate_limited() {
    let partner = Partner::with(|config| {
        config.limits.address_burst = 2;
        config.limits.address_refill_seconds = 1_000;
    })
    .await;
    partner.account("alice").await;
    partner.account("bob").await;
    refused(partner.credentials("/api/account", "carol", PASSWORD).await, 429, "rate_limited").await;
    refused(partner.credentials("/api/session", "alice", PASSWORD).await, 429, "rate_limited").await;
}

#[tokio::test]
async fn the_forwarded_address_counts_only_behind_a_proxy() {
    for (behind_proxy, status) in [(true, 401), (false, 429)] {
        let partner = Partner::with(|config| {
            config.behind_proxy = behind_proxy;
            config.limits.address_burst = 1;
            config.limits.address_refill_seconds = 1_000;
        })
        .await;
        let form = [("identifier", "alice"), ("password", PASSWORD)];
        let from = |address: &'static str| {
            partner.http.post(partner.url("/api/session")).form(&form).header("x-forwarded-for", address).send()
        };
        assert_eq!(from("192.0.2.1").await.unwrap().status(), 401);
        assert_eq!(from("192.0.2.2").await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn accounts_and_sessions_survive_a_restart() {
    let partner = Partner::start().await;
    let cookie = partner.account("alice").await;
    let jwks = partner.get("/.well-known/oauth/openid/jwks").await.text().await.unwrap();
    let Partner { running, http, data } = partner;
    running.stop().await;
    let running = Server::start(support::config(&data)).await.unwrap();
    let partner = Partner { running, http, data };
    assert_eq!(partner.get("/.well-known/oauth/openid/jwks").await.text().await.unwrap(), jwks);
    assert_eq!(partner.token(&cookie).await.status(), 200, "the session is still valid");
    assert_eq!(partner.credentials("/api/session", "alice", PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn instances_of_one_database_share_accounts_and_sessions() {
    let url = support::postgres::database().await;
    let instance = || {
        Partner::with(|config| {
            config.database_url = Some(url.clone().into());
            config.secret = Some(support::SECRET.to_owned().into());
        })
    };
    let (one, other) = (instance().await, instance().await);
    let cookie = one.account("alice").await;
    assert_eq!(other.token(&cookie).await.status(), 200, "a session of one instance is valid at the other");
    refused(other.credentials("/api/account", "Alice", PASSWORD).await, 409, "identifier_taken").await;
    let out = other.http.delete(other.url("/api/session")).header(header::COOKIE, &cookie).send().await.unwrap();
    assert_eq!(out.status(), 204);
    refused(one.token(&cookie).await, 401, "not_signed_in").await;
    let jwks = |partner: &Partner| partner.http.get(partner.url("/.well-known/oauth/openid/jwks")).send();
    let (ones, others) = (jwks(&one).await.unwrap(), jwks(&other).await.unwrap());
    assert_eq!(
        ones.text().await.unwrap(),
        others.text().await.unwrap(),
        "tokens of one instance verify with the keys of the other"
    );
    assert!(!one.data.path().join("partner").exists(), "nothing is stored outside the database");
}

#[tokio::test]
async fn an_unreachable_database_is_an_error_without_its_password() {
    let data = tempfile::tempdir().unwrap();
    let mut config = support::config(&data);
    config.secret = Some(support::SECRET.to_owned().into());
    config.database_url = Some("postgres://partner:hunter2@localhost/partner?host=/nowhere".to_owned().into());
    let error = Server::start(config).await.unwrap_err();
    assert!(error.to_string().starts_with("the database: "), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn stored_files_are_readable_by_the_server_only() {
    let partner = Partner::start().await;
    partner.account("alice").await;
    let folder = partner.data.path().join("partner");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
        }
    }
}
