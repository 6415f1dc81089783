//! The administrative commands through the program, beside a running server; and the program killed during delivery.

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

use jsonwebtoken::Algorithm;
use reqwest::{Client, header};
use serde_json::json;
use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::SystemTime,
};
use support::{
    PASSWORD, Partner, ROOT_KEY, SECRET, postgres,
    push_service::PushService,
    refused, session_of,
    whatsapp::{SigningKey, Whatsapp},
};

/// The program on a database: the SQLite file in `data`, or PostgreSQL.
fn program(data: &Path, database: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner"));
    command
        .env_clear()
        .env("CAUSEWAY_PARTNER_DATA_DIR", data)
        .env("CAUSEWAY_PARTNER_WHATSAPP_ROOT_KEY", ROOT_KEY)
        .env("CAUSEWAY_PARTNER_SECRET", SECRET)
        // Proxies of the environment must not be used; this one would refuse everything.
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("http_proxy", "http://127.0.0.1:1")
        .env("NO_COLOR", "1");
    if let Some(url) = database {
        command.env("CAUSEWAY_PARTNER_DATABASE_URL", url);
    }
    command
}

/// Exit code, standard output, standard error.
fn done(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

async fn databases() -> [Option<String>; 2] {
    [None, Some(postgres::database().await)]
}

#[tokio::test]
async fn users_and_their_subscriptions_are_listed_and_deleted() {
    for database in databases().await {
        let service = PushService::start().await;
        let partner = Partner::with(|config| {
            config.database_url = database.clone().map(Into::into);
            config.secret = Some(SECRET.to_owned().into());
            config.push.services.push(service.origin());
        })
        .await;
        let (alice, bob) = (partner.account("Alice & co").await, partner.account("bob").await);
        for (cookie, name) in [(&alice, "laptop"), (&bob, "phone")] {
            let subscribe = partner.http.post(partner.url("/api/push")).header(header::COOKIE, cookie);
            assert_eq!(subscribe.form(&service.browser(name)).send().await.unwrap().status(), 204);
        }
        let data = partner.data.path().join("partner");
        let run = |words: &[&str]| {
            let mut command = program(&data, database.as_deref());
            command.args(words).env("CAUSEWAY_PARTNER_PUSH_SERVICES", service.origin());
            done(command)
        };
        let (code, text, _) = run(&["users", "list"]);
        let users: Vec<_> = text.lines().map(|line| line.split('\t').next().unwrap()).collect();
        assert_eq!((code, users), (0, vec!["Alice & co", "bob"]));
        assert!(text.lines().all(|line| line.ends_with(" GMT")), "{text}");

        let (code, text, _) = run(&["subscriptions", "list"]);
        let lines: Vec<Vec<_>> = text.lines().map(|line| line.split('\t').take(2).collect()).collect();
        assert_eq!((code, lines), (0, vec![vec!["Alice & co", "127.0.0.1"], vec!["bob", "127.0.0.1"]]));
        assert!(!text.contains("laptop"), "the list must not allow waking browsers: {text}");
        assert_eq!(run(&["subscriptions", "prune"]), (0, "0\n".to_owned(), String::new()));

        assert_eq!(run(&["users", "delete", "Alice & co"]), (0, String::new(), String::new()));
        refused(partner.token(&alice).await, 401, "not_signed_in").await;
        refused(partner.credentials("/api/session", "Alice & co", PASSWORD).await, 401, "bad_credentials").await;
        let (code, text, complaint) = run(&["users", "delete", "Alice & co"]);
        assert!(code == 1 && text.is_empty() && complaint.contains("partner users list"), "{complaint}");

        // The service is no longer listed.
        let mut prune = program(&data, database.as_deref());
        prune.args(["subscriptions", "prune"]);
        assert_eq!(done(prune), (0, "1\n".to_owned(), String::new()));
        assert_eq!(run(&["subscriptions", "list"]), (0, String::new(), String::new()));
        assert_eq!(partner.token(&bob).await.status(), 200);
    }
}

#[tokio::test]
async fn storage_is_listed_by_account_and_swept() {
    for database in databases().await {
        let partner = Partner::with(|config| {
            config.database_url = database.clone().map(Into::into);
            config.secret = Some(SECRET.to_owned().into());
        })
        .await;
        let data = partner.data.path().join("partner");
        let run = |words: &[&str]| {
            let mut command = program(&data, database.as_deref());
            command.args(words);
            done(command)
        };
        assert_eq!(run(&["storage", "list"]), (0, String::new(), String::new()));

        let mut references = Vec::new();
        for (name, received) in [("alice", "whole"), ("bob", "whole"), ("bob", "par")] {
            let credentials = partner.credentials("/api/account", name, PASSWORD).await;
            let credentials = match credentials.status().as_u16() {
                204 => credentials,
                _ => partner.credentials("/api/session", name, PASSWORD).await,
            };
            let cookie = session_of(&credentials);
            let begin = partner.http.post(partner.url("/api/media")).header(header::COOKIE, &cookie);
            let begun = begin.form(&[("size", "5"), ("type", "application/octet-stream")]).send().await.unwrap();
            let upload = begun.headers()[header::LOCATION].to_str().unwrap().to_owned();
            let write = partner.http.patch(partner.url(&upload)).header(header::COOKIE, &cookie);
            let write =
                write.header("upload-offset", 0).header(header::CONTENT_TYPE, "application/offset+octet-stream");
            let written = write.body(received).send().await.unwrap().text().await.unwrap();
            references.extend(written.strip_prefix("storage_reference=").map(str::to_owned));
        }
        let (code, text, _) = run(&["storage", "list"]);
        let lines = "alice\tfiles 1\tuploads 0\tbytes 5\texpired 0\nbob\tfiles 1\tuploads 1\tbytes 8\texpired 0\n";
        assert_eq!((code, text.as_str()), (0, lines));
        let [alices, bobs] = references.as_slice() else { panic!("expected two whole files, got {references:?}") };
        assert_eq!(run(&["storage", "sweep"]), (0, "0\n".to_owned(), String::new()), "nothing has expired");
        assert_eq!(partner.get(&format!("/{bobs}")).await.status(), 200);

        // A running server would sweep, too.
        partner.running.stop().await;
        assert_eq!(run(&["users", "delete", "bob"]), (0, String::new(), String::new()));
        let lines = "alice\tfiles 1\tuploads 0\tbytes 5\texpired 0\nbob\tfiles 0\tuploads 0\tbytes 0\texpired 2\n";
        assert_eq!(run(&["storage", "list"]), (0, lines.to_owned(), String::new()));
        assert_eq!(run(&["storage", "sweep"]), (0, "2\n".to_owned(), String::new()));
        let kept: Vec<_> =
            std::fs::read_dir(data.join("media")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(kept, [alices.as_str()]);
        let (code, text, _) = run(&["storage", "list"]);
        assert_eq!((code, text.as_str()), (0, "alice\tfiles 1\tuploads 0\tbytes 5\texpired 0\n"));
    }
}

#[tokio::test]
async fn keys_are_listed_and_rotated_and_need_their_secret() {
    for database in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let run = |words: &[&str]| {
            let mut command = program(folder.path(), database.as_deref());
            command.args(words);
            done(command)
        };
        // Purpose and state by name.
        let keys = || {
            let (code, text, complaint) = run(&["keys", "list"]);
            assert_eq!((code, complaint.as_str()), (0, ""));
            let columns = |line: &str| {
                let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
                (columns[1].clone(), (columns[0].clone(), columns[2].clone()))
            };
            text.lines().map(columns).collect::<HashMap<_, _>>()
        };
        let first = keys();
        assert_eq!(first.len(), 2);
        let (code, token_key, _) = run(&["keys", "rotate"]);
        assert_eq!(code, 0);
        let (code, push_key, _) = run(&["keys", "rotate-vapid"]);
        assert_eq!(code, 0);
        let now = keys();
        let state = |purpose: &str, signs: &str| (purpose.to_owned(), signs.to_owned());
        assert_eq!(now[token_key.trim()], state("token", "-"), "published, but not signing yet");
        assert_eq!(now[push_key.trim()], state("push", "signs"));
        for (kid, (purpose, _)) in &first {
            assert_eq!(now[kid], state(purpose, if purpose == "token" { "signs" } else { "-" }));
        }
        assert_eq!(now.len(), 4);

        let mut other = program(folder.path(), database.as_deref());
        other.args(["keys", "list"]).env("CAUSEWAY_PARTNER_SECRET", "0e".repeat(32));
        let (code, text, complaint) = done(other);
        assert!(code == 1 && text.is_empty() && complaint.contains("`secret`"), "{complaint}");

        // A server publishes both at once.
        let partner = Partner::with(|config| {
            config.data_dir = folder.path().to_owned();
            config.database_url = database.clone().map(Into::into);
            config.secret = Some(SECRET.to_owned().into());
        })
        .await;
        let jwks: serde_json::Value = partner.get("/.well-known/oauth/openid/jwks").await.json().await.unwrap();
        let kids: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(kids.len(), 2);
        assert!(kids.contains(&token_key.trim()) && kids.iter().any(|kid| first.contains_key(*kid)));
        let newest = partner.get("/api/push").await.text().await.unwrap();
        assert_eq!(newest.len(), "key=".len() + 87);
    }
}

#[test]
fn commands_report_a_wrong_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path(), None);
    command.args(["users", "list"]).env("CAUSEWAY_PARTNER_SECRET", "short");
    let (code, _, complaint) = done(command);
    assert!(code == 78 && complaint.contains("secret: must be 64 hex digits"), "{complaint}");
}

/// A running server and its log.
struct Serving {
    child: Child,
    log: std::io::Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.env("CAUSEWAY_PARTNER_LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let address =
            log.find_map(|line| line.unwrap().split_once("listening address=").map(|(_, address)| address.to_owned()));
        Self { child, log, address: address.unwrap() }
    }

    fn until_logged(&mut self, words: &str) {
        assert!(self.log.by_ref().map_while(Result::ok).any(|line| line.contains(words)), "never logged {words:?}");
    }

    fn kill(self) {}
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_pushes_are_sent_after_the_program_was_killed() {
    for database in databases().await {
        let key = SigningKey::new("key");
        let (_whatsapp, jwks) = Whatsapp::serve(&[&key]).await;
        // The port of a push service that starts later; it was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let command = || {
            let mut command = program(folder.path(), database.as_deref());
            command
                .env("CAUSEWAY_PARTNER_PUSH_SERVICES", format!("http://{address}"))
                .env("CAUSEWAY_PARTNER_PUSH_JWKS_URL", jwks.as_str())
                .env("CAUSEWAY_PARTNER_PUSH_AUDIENCE", "https://messenger.example")
                .env("CAUSEWAY_PARTNER_SIGN_IN_HASH_MEMORY_KIB", "7168");
            command
        };
        let mut serving = Serving::start(command());
        let http = Client::builder().no_proxy().build().unwrap();
        let url = |path: &str| format!("http://{}{path}", serving.address);
        let account = [("identifier", "alice"), ("password", PASSWORD)];
        let account = http.post(url("/api/account")).form(&account).send().await.unwrap();
        let cookie = session_of(&account);
        // The browser's keys are created before its service runs.
        let former = PushService::start().await;
        let browser = former.browser("laptop");
        let form = [("endpoint", format!("http://{address}/push/laptop")), browser[1].clone(), browser[2].clone()];
        let subscribed = http.post(url("/api/push")).header(header::COOKIE, cookie).form(&form).send().await.unwrap();
        assert_eq!(subscribed.status(), 204);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let claims =
            json!({"iss": "WHATSAPP", "aud": "https://messenger.example", "iat": now, "exp": now + 60, "jti": "one"});
        let token = key.sign(Algorithm::RS256, &claims);
        let wake = |url: String| http.post(url).bearer_auth(&token).json(&json!({"to": "alice"})).send();
        assert_eq!(wake(url("/push")).await.unwrap().status(), 200);
        serving.until_logged("a push is retried later");
        serving.kill();

        let mut service = PushService::start_at(address).await;
        service.take_over(&former);
        let serving = Serving::start(command());
        assert_eq!(service.next().await.payload, "wake");
        let again = wake(format!("http://{}/push", serving.address)).await.unwrap();
        assert_eq!(again.status(), 401, "the token was used before the kill");
        serving.kill();
    }
}
