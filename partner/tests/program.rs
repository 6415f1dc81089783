//! The program from an operator's view: arguments, exit codes, output.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

fn partner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner"));
    command.env_clear();
    command
}

fn said(output: &Output) -> (i32, String) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn help_version_and_wrong_arguments() {
    let (code, text) = said(&partner().arg("--help").output().unwrap());
    assert!(code == 0 && text.contains("--config FILE"), "{text}");
    let (code, text) = said(&partner().arg("--version").output().unwrap());
    assert_eq!((code, text), (0, format!("partner {}\n", env!("CARGO_PKG_VERSION"))));
    for words in [&["--config"][..], &["--verbose"], &["serve"], &["keys"], &["users", "delete"]] {
        let (code, text) = said(&partner().args(words).output().unwrap());
        assert!(code == 64 && text.contains("--help"), "{text}");
    }
}

#[test]
fn check_reports_every_problem_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("partner.toml");
    let data = folder.path().join("data");
    let text = format!(
        "data_dir = {data:?}\npublic_url = \"http://a.example\"\n[whatsapp]\nroot_key = \"{}\"\n",
        "ab".repeat(32)
    );
    std::fs::write(&file, text).unwrap();
    let check = || {
        let mut command = partner();
        command.arg("--check").arg("--config").arg(&file);
        command
    };
    let (code, text) = said(&check().env("CAUSEWAY_PARTNER_WHATSAPP_INTEGRATOR", "0").output().unwrap());
    assert_eq!(code, 78);
    assert_eq!(text.lines().count(), 2, "{text}");
    let (code, text) = said(&check().env("CAUSEWAY_PARTNER_PUBLIC_URL", "https://a.example").output().unwrap());
    assert_eq!((code, text.as_str()), (0, "The configuration is in order.\n"));
    assert!(!data.exists());
    let (code, text) = said(&partner().args(["--check", "--config", "/nowhere.toml"]).output().unwrap());
    assert!(code == 78 && text.contains("/nowhere.toml") && text.contains("partner.example.toml"), "{text}");
}

#[test]
fn it_serves_until_a_signal_and_logs_no_identifiers() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = partner()
        .env("CAUSEWAY_PARTNER_LISTEN", "127.0.0.1:0")
        .env("CAUSEWAY_PARTNER_DATA_DIR", folder.path().join("data"))
        .env("CAUSEWAY_PARTNER_WHATSAPP_ROOT_KEY", "ab".repeat(32))
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening =
        lines.find_map(|line| line.unwrap().split_once("listening address=").map(|(_, addr)| addr.to_owned()));
    let url = format!("http://{}/api/session", listening.unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let form = [("identifier", "verysecretalice"), ("password", "verysecretpassword")];
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        assert_eq!(http.post(url).form(&form).send().await.unwrap().status(), 401);
    });
    let stopped = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(stopped.success());
    assert!(child.wait().unwrap().success());
    let log: Vec<_> = lines.map(Result::unwrap).collect();
    assert!(log.iter().any(|line| line.contains("route=\"/api/session\" status=401")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("verysecret")), "{log:?}");
}

#[test]
fn the_json_log_is_parseable_and_sighup_reloads_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut child = partner()
        .env("CAUSEWAY_PARTNER_LISTEN", "127.0.0.1:0")
        .env("CAUSEWAY_PARTNER_DATA_DIR", folder.path().join("data"))
        .env("CAUSEWAY_PARTNER_WHATSAPP_ROOT_KEY", "ab".repeat(32))
        .env("CAUSEWAY_PARTNER_TLS_CERT", &certificate)
        .env("CAUSEWAY_PARTNER_TLS_KEY", &key)
        .env("CAUSEWAY_PARTNER_LOG_FORMAT", "json")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = lines.map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        line["fields"]["message"].as_str().unwrap().to_owned()
    });
    let signal = |name: &str| Command::new("kill").arg(name).arg(child.id().to_string()).status().unwrap();
    assert!(said.any(|message| message == "listening"));
    assert!(signal("-HUP").success());
    assert!(said.any(|message| message == "read the certificate again"));
    std::fs::write(&certificate, "nonsense").unwrap();
    assert!(signal("-HUP").success());
    assert!(said.any(|message| message == "the certificate stays what it was"));
    assert!(signal("-TERM").success());
    assert!(said.any(|message| message == "stopping"));
    assert!(child.wait().unwrap().success());
}
