//! Ids and times that are numbers or texts, and numbers and texts that are neither.

use super::file;
use crate::typed::typed;

fn offences(path: &str, text: &str) -> Vec<String> {
    typed(&[file(path, text)])
}

#[track_caller]
fn sees(text: &str) {
    for path in ["partner/src/push/x.rs", "src/chat/x.rs"] {
        assert_eq!(offences(path, text).len(), 1, "in {path}: {text}");
    }
    assert_eq!(offences("proto/src/x.rs", text), Vec::<String>::new(), "the rule does not hold there");
}

#[track_caller]
fn allows(text: &str) {
    assert_eq!(offences("partner/src/push/x.rs", text), Vec::<String>::new());
}

#[test]
fn a_time_that_is_a_number() {
    sees("fn f(now: u64) {}");
    sees("fn f(\n    &self,\n    mut synced_at: Option<i64>,\n) -> Result<(), Error> {}");
    sees("fn f<'a, F: Fn(&'a str) -> u64>(each: F, since: &'a u64) {}");
    sees("fn f(lifetime_seconds: u64) {}");
    sees("pub(crate) fn expires(&self) -> i64 { 0 }");
    sees("trait T { async fn posted_at(&self) -> Result<Option<u64>, Error>; }");
    sees("struct S { pub(crate) created: i64 }");
    sees("pub type Millis = u64;");
    allows("fn f(now: UnixSeconds, wait: Duration, at: usize, retries: u64) -> u64 {}");
    allows("struct S { created: i64 }");
    allows("type Row = (String, i64);");
    allows("fn f() { let now: u64 = 1; let later = |at: i64| at + 1; }");
}

#[test]
fn an_id_that_is_a_text_or_a_number() {
    sees("fn f(id: u64) {}");
    sees("fn f(id: &str) {}");
    sees("fn f(account: &'static str) {}");
    sees("fn f(id: impl Into<String>) {}");
    sees("fn f(known: u8, device_ids: &[String]) {}");
    sees("fn f(id: Arc<str>) where T: Copy {}");
    sees("fn f(tag: u64) {}");
    allows("fn f(tag: &str) {}");
    sees("impl S { fn kid(&self) -> &str { &self.0 } }");
    sees("struct S {\n    #[doc(hidden)]\n    pub session: String,\n    pub size: u64,\n}");
    allows("fn f(id: &AccountId, ids: Vec<KeyId>, text: &str, digits: [u8; 16], identity: &str) -> String {}");
    allows("fn f(each: fn(u64) -> u64, ids: HashMap<String, Device>) {}");
    allows("fn account(&self) -> Result<AccountId, String> {}");
    allows("struct Id(u64);");
    allows("// fn f(id: u64)\nconst TEXT: &str = \"fn f(id: u64)\";");
    allows("fn f() {}\n#[cfg(test)]\nmod tests {\n    fn f(id: u64) {}\n}");
}

#[test]
fn a_format_prescribes_its_fields() {
    allows("pub struct Row<'a> { pub id: &'a str }\nmessage!(Row<'a> { 1 => id });");
    sees("pub struct Row { pub id: u64 }\nmessage!(Other { 1 => id });");
    allows("#[derive(Debug, Deserialize)]\n#[serde(default)]\npub struct Form { pub id: String }");
    allows("#[derive(prost::Message)]\nstruct Row { #[prost(uint64, tag = \"1\")] pub at: u64 }");
    sees("#[derive(Deserialize)]\nstruct Form { size: u64 }\n#[derive(Debug)]\npub struct S { pub id: String }");
}

#[test]
fn the_sandbox_has_types_for_times() {
    let of = |text: &str| offences("tests/gatekeeper/src/x.rs", text).len();
    assert_eq!(of("fn f(now: u64, id: &str) {}"), 1);
    assert_eq!(of("fn f(now: UnixSeconds, id: &str) {}"), 0);
    assert_eq!(of("fn f() {}\n#[cfg(test)]\nmod tests {\n    fn f(now: u64) {}\n}"), 0);
}
