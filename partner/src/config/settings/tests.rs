//! Which configurations are accepted, and how each mistake is reported.

use super::{super::options::Config, *};

const BOUND: &str = "127.0.0.1:8100";

fn valid() -> Config {
    let mut config = Config::default();
    config.whatsapp.root_key = Some("ab".repeat(32));
    config
}

fn check(config: Config) -> Result<Settings, ConfigError> {
    Settings::check(config, BOUND.parse().unwrap())
}

fn only_problem(change: impl FnOnce(&mut Config)) -> String {
    let mut config = valid();
    change(&mut config);
    let ConfigError { problems } = check(config).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.into_iter().next().unwrap()
}

#[test]
fn the_defaults_require_only_a_root_key() {
    let settings = check(valid()).unwrap();
    assert_eq!(settings.root_key, [0xAB; 32]);
    assert_eq!(settings.public_origin, "http://127.0.0.1:8100");
    assert_eq!(settings.issuer, "http://127.0.0.1:8100");
    assert!(!settings.secure);
    let ConfigError { problems } = check(Config::default()).unwrap_err();
    assert_eq!(problems, ["whatsapp.root_key: is missing. Set it, or root_key_file, to the chat server's root key"]);
}

#[test]
fn each_problem_names_its_option_and_what_is_valid() {
    type Mistake = (&'static str, fn(&mut Config));
    let cases: &[Mistake] = &[
        ("database_url: must be an address such as", |c| {
            c.database_url = Some("mysql://host/x".to_owned().into());
            c.secret = Some("ab".repeat(32).into());
        }),
        ("secret: must be 64 hex digits", |c| c.secret = Some("hunter2".to_owned().into())),
        ("token.rotate_days: is 0; it must be 1 to 3650", |c| c.token.rotate_days = 0),
        ("push.jwks_url: must begin with https://", |c| c.push.jwks_url = "http://whatsapp.example/".into()),
        ("push.proxy: must be an address such as", |c| c.push.proxy = Some("proxy.internal".into())),
        ("push.services: \"push\" is no host", |c| c.push.services = vec!["push".into()]),
        ("push.services: \"http://push.example\" is plain", |c| c.push.services = vec!["http://push.example".into()]),
        ("push.contact: must begin with mailto:", |c| c.push.contact = Some("ops@messenger.example".into())),
        ("push.leeway_seconds: is 601", |c| c.push.leeway_seconds = 601),
        ("push.audience: must be 1 to 512 bytes", |c| c.push.audience = Some(String::new())),
        ("public_url: must begin with https://", |c| c.public_url = Some("http://messenger.example".into())),
        ("public_url: must be scheme, host and port only", |c| c.public_url = Some("https://a.example/app".into())),
        ("public_url: \"nonsense\" is not an address", |c| c.public_url = Some("nonsense".into())),
        ("whatsapp.chat_url: must begin with wss://", |c| c.whatsapp.chat_url = Some("ws://chat.example/ws".into())),
        ("whatsapp.chat_url: must begin with wss://", |c| c.whatsapp.chat_url = Some("https://chat.example".into())),
        ("whatsapp.enlist_url: must begin with https://", |c| c.whatsapp.enlist_url = Some("http://v.example/".into())),
        ("whatsapp.root_key: must be 64 hex digits, got 3", |c| c.whatsapp.root_key = Some("abc".into())),
        ("whatsapp.integrator: is 1000; it must be 1 to 999", |c| c.whatsapp.integrator = 1_000),
        ("whatsapp.version: is \"2.3\"", |c| c.whatsapp.version = "2.3".into()),
        ("whatsapp.partner_name: must be 1 to 100 bytes", |c| c.whatsapp.partner_name = String::new()),
        ("sign_in.password_min: is 4; it must be 8 to 64", |c| c.sign_in.password_min = 4),
        ("oidc.issuer: must begin with https://", |c| {
            c.oidc.issuer = Some("http://accounts.example".into());
            c.oidc.client_id = Some("us".into());
        }),
        ("oidc.client_id: is missing", |c| c.oidc.issuer = Some("https://accounts.example".into())),
        ("oidc.issuer: is missing", |c| c.oidc.client_id = Some("us".into())),
        ("oidc.scopes: must hold openid", |c| {
            c.oidc.issuer = Some("https://accounts.example".into());
            c.oidc.client_id = Some("us".into());
            c.oidc.scopes = "profile".into();
        }),
        ("oidc.identifier_claim: must be 1 to 512 bytes", |c| {
            c.oidc.issuer = Some("https://accounts.example".into());
            c.oidc.client_id = Some("us".into());
            c.oidc.identifier_claim = String::new();
        }),
        ("token.issuer: must be 1 to 512 bytes", |c| c.token.issuer = Some("x".repeat(513))),
        ("relay.upstream: must begin with wss://", |c| c.relay.upstream = Some("ws://chat.example/ws".into())),
        ("relay.upstream: needs a port", |c| c.relay.upstream = Some("tcp://chat.example".into())),
        ("relay.client_address: is \"udp\"", |c| {
            c.relay.upstream = Some("tcp://chat.example:5222".into());
            c.relay.client_address = Some("udp".into());
        }),
        ("relay.client_address: a tcp:// upstream has no header", |c| {
            c.relay.upstream = Some("tcp://chat.example:5222".into());
            c.relay.client_address = Some("header".into());
        }),
        ("relay.ca_file: /nowhere", |c| {
            c.relay.upstream = Some("wss://chat.example/ws".into());
            c.relay.ca_file = Some("/nowhere".into());
        }),
        ("relay.idle_seconds: is 0", |c| c.relay.idle_seconds = 0),
        ("tls_key: is missing", |c| c.tls_cert = Some("/nowhere".into())),
        ("tls_cert and tls_key: /nowhere", |c| {
            c.tls_cert = Some("/nowhere".into());
            c.tls_key = Some("/nowhere".into());
        }),
        ("log_format: is \"xml\"", |c| c.log_format = "xml".into()),
        ("media.store_url: must begin with s3://", |c| c.media.store_url = Some("ftp://bucket/".into())),
        ("media.access_key_id: and", |c| c.media.store_url = Some("s3://bucket".into())),
        ("media.types: must be", |c| c.media.types = "image".into()),
        ("media.quota_mib: is 50", |c| c.media.quota_mib = 50),
        ("client_dir: /nowhere has no index.html", |c| c.client_dir = Some("/nowhere".into())),
    ];
    for (expected, change) in cases {
        let problem = only_problem(change);
        assert!(problem.starts_with(expected), "{problem:?} should start with {expected:?}");
    }
}

#[test]
fn a_missing_root_key_file_names_the_sandboxs_url() {
    let problem = only_problem(|config| {
        config.whatsapp.root_key = None;
        config.whatsapp.root_key_file = Some("/nowhere/root".into());
    });
    assert!(problem.contains("/nowhere/root") && problem.contains("/control/root"), "{problem}");
}

#[test]
fn a_shared_database_requires_a_secret() {
    let problem = only_problem(|config| config.database_url = Some("postgres://host/x".to_owned().into()));
    assert!(problem.starts_with("secret: is missing") && problem.contains("openssl rand -hex 32"), "{problem}");
    let mut config = valid();
    config.database_url = Some("postgres://host/x".to_owned().into());
    config.secret = Some("ab".repeat(32).into());
    assert!(check(config).is_ok());
}

#[test]
fn a_plain_http_push_service_requires_a_server_on_this_machine() {
    let mut config = valid();
    config.push.services.push("http://127.0.0.1:8202".into());
    assert!(check(config.clone()).is_ok());
    config.public_url = Some("https://messenger.example".into());
    let ConfigError { problems } = check(config).unwrap_err();
    assert!(problems[0].starts_with("push.services: \"http://127.0.0.1:8202\" is plain http"), "{problems:?}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let mut config = valid();
    config.whatsapp.integrator = 0;
    config.whatsapp.version = "two".into();
    config.token.lifetime_seconds = 0;
    assert_eq!(check(config).unwrap_err().problems.len(), 3);
}

#[test]
fn clients_connect_to_the_relay_unless_configured_otherwise() {
    let mut config = valid();
    config.public_url = Some("https://messenger.example".into());
    config.relay.upstream = Some("tcp://chat.example:5222".into());
    config.relay.enlist_url = Some("https://v.example/3p/interop_reg".into());
    let settings = check(config.clone()).unwrap();
    assert_eq!(settings.chat_url.as_str(), "wss://messenger.example/relay");
    assert_eq!(settings.enlist_url.as_str(), "https://messenger.example/relay/enlist");
    config.whatsapp.chat_url = Some("wss://chat.example/ws".into());
    config.whatsapp.enlist_url = Some("https://v.example/3p/interop_reg".into());
    let settings = check(config).unwrap();
    assert_eq!(settings.chat_url.as_str(), "wss://chat.example/ws");
    assert_eq!(settings.enlist_url.as_str(), "https://v.example/3p/interop_reg");
}

#[test]
fn https_makes_cookies_secure() {
    let mut config = valid();
    config.public_url = Some("https://messenger.example".into());
    assert!(check(config).unwrap().secure);
}
