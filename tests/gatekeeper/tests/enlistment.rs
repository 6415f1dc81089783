//! Enlistment: what is accepted, and the reason for everything that is not.
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

use causeway_gatekeeper::Running;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use support::client::{User, Way, enlist};
use support::partner::{Partner, claims, now};
use support::{get, start};

async fn sandbox() -> (tempfile::TempDir, Partner, Running) {
    let data = tempfile::tempdir().unwrap();
    let partner = Partner::start().await;
    let running = start(data.path(), &partner.url).await;
    (data, partner, running)
}

fn with(mut form: Vec<(&'static str, String)>, name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    form.retain(|(field, _)| *field != name);
    form.push((name, value.to_owned()));
    form
}

#[tokio::test]
async fn a_good_form_gets_a_login_id_and_the_same_person_keeps_it() {
    let (_data, partner, running) = sandbox().await;
    let alice = User::new("alice");
    let login = alice.enlist(&running, &partner).await;
    assert_eq!((login.integrator, login.user.len()), (1, 14));
    let again = User::new("alice");
    assert_eq!(again.enlist(&running, &partner).await, login);
    let users = get(&running, "/control/users").await;
    let identity: String = again.identity.public().0.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&users[0]["identifier"], &users[0]["identity"]), (&json!("alice"), &json!(identity)));
    assert_ne!(User::new("bob").enlist(&running, &partner).await, login);
}

#[tokio::test]
async fn every_unfit_field_has_its_reason() {
    let (_data, partner, running) = sandbox().await;
    let alice = User::new("alice");
    let good = || alice.form(&partner.token("alice"));
    let cases: Vec<(Vec<(&'static str, String)>, &str)> = vec![
        (with(good(), "integrator_id", "2"), "bad_integrator"),
        (with(good(), "integrator_id", "one"), "bad_integrator"),
        (with(good(), "user_identifier", ""), "bad_identifier"),
        (with(good(), "user_identifier", &"é".repeat(41)), "bad_identifier"),
        (with(good(), "e_keytype", "BA"), "bad_param"),
        (with(good(), "e_ident", "AAAA"), "bad_param"),
        (with(good(), "e_regid", "AAAA"), "bad_param"),
        (with(good(), "e_skey_id", "AAA"), "bad_param"),
        (with(good(), "authkey", "not base64!"), "bad_param"),
        (with(good(), "e_skey_val", &good()[1].1), "bad_signature"),
        (with(good(), "version", "new"), "bad_version"),
        (with(good(), "version", "1.0.0"), "old_version"),
        (with(good(), "token", "a.b.c"), "bad_token"),
        (with(good(), "token", &"x".repeat(5000)), "bad_token"),
    ];
    for (form, reason) in cases {
        assert_eq!(enlist(&running, &form).await, json!({"reason": reason, "status": "fail"}));
    }
    assert_eq!(get(&running, "/control/users").await, json!([]));
}

#[tokio::test]
async fn a_token_must_be_the_partners_for_this_person_and_in_time() {
    let (_data, partner, running) = sandbox().await;
    let alice = User::new("alice");
    let stranger = Partner::start().await;
    let changed = |key: &str, value: Value| {
        let mut claims = claims("alice");
        claims[key] = value;
        partner.sign("k1", &claims)
    };
    let bad = [
        partner.token("bob"),
        stranger.token("alice"),
        partner.sign("k2", &claims("alice")),
        changed("exp", json!(now() - 1)),
        changed("iat", json!(now() + 3600)),
        changed("nbf", json!(now() + 3600)),
        changed("aud", json!("somebody")),
    ];
    for token in bad {
        assert_eq!(enlist(&running, &alice.form(&token)).await["reason"], "bad_token");
    }
    assert_eq!(enlist(&running, &alice.form(&partner.token("alice"))).await["status"], "ok");
}

#[tokio::test]
async fn made_up_key_ids_do_not_make_the_sandbox_hammer_the_partner() {
    let (_data, partner, running) = sandbox().await;
    let alice = User::new("alice");
    for _ in 0..5 {
        enlist(&running, &alice.form(&partner.sign("unknown", &claims("alice")))).await;
    }
    enlist(&running, &alice.form(&partner.token("alice"))).await;
    let fetches = partner.fetches.load(Ordering::Relaxed);
    assert!((1..5).contains(&fetches), "{fetches}");
}

#[tokio::test]
async fn forty_characters_of_any_language_will_do() {
    let (_data, partner, running) = sandbox().await;
    let name = "ü".repeat(40);
    let user = User::new(&name);
    let login = user.enlist(&running, &partner).await;
    let (_client, first) = user.login(&running, Way::Tcp, &login, &partner.token(&name)).await;
    assert_eq!(first.tag, "success");
}
