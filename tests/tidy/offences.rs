//! Each rule is shown what it forbids, and something close to it that is allowed: a rule that finds nothing guards
//! nothing.

use super::{Rule, manifests, repository::File, size, source, text};

#[path = "offences/citations.rs"]
mod citations;
#[path = "offences/rings.rs"]
mod rings;
#[path = "offences/typed.rs"]
mod typed;
#[path = "offences/words.rs"]
mod words;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[track_caller]
fn sees(rule: Rule, path: &str, content: &str) {
    assert!(!rule(&file(path, content)).is_empty(), "missed in {path}: {content}");
}

#[track_caller]
fn allows(rule: Rule, path: &str, content: &str) {
    assert_eq!(rule(&file(path, content)), Vec::<String>::new());
}

#[test]
fn a_clock_in_the_core() {
    sees(source::pure, "proto/src/frame.rs", "use std::time::Instant;");
    sees(source::pure, "src/engine.rs", "use std::{\n    fmt,\n    time::Duration,\n};");
    sees(source::pure, "src/engine.rs", "let now = js_sys::Date::now();");
    allows(source::pure, "src/engine.rs", "// std::time is an argument\nlet std_time = \"std::time\";");
    allows(source::pure, "src/engine.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}");
    sees(source::pure, "src/engine.rs", "#[cfg(test)]\nuse x;\nuse std::fs;");
    allows(source::pure, "partner/src/rate.rs", "use std::time::Instant;");
}

#[test]
fn a_port_in_a_page() {
    sees(source::pages_name_no_port, "web/src/ui/chat.rs", "use crate::port::clock;");
    sees(source::pages_name_no_port, "web/src/state/mod.rs", "use crate::{link, port};");
    allows(source::pages_name_no_port, "web/src/ui/chat.rs", "// no port here\nlet portable = import_report();");
    allows(source::pages_name_no_port, "web/src/driver.rs", "use crate::port::clock;");
}

#[test]
fn the_browser_outside_a_port() {
    sees(source::only_ports_name_the_browser, "web/src/driver.rs", "let w = web_sys::window();");
    allows(source::only_ports_name_the_browser, "web/src/port/clock.rs", "let w = web_sys::window();");
}

#[test]
fn a_shared_noise() {
    sees(source::sandbox_shares_no_cryptography, "tests/gatekeeper/src/chat.rs", "use causeway_proto::{jid, noise};");
    allows(
        source::sandbox_shares_no_cryptography,
        "tests/gatekeeper/src/chat.rs",
        "use causeway_proto::node; use crate::noise;",
    );
    sees(source::sandbox_shares_no_cryptography, "tests/peer/src/channel.rs", "use causeway_proto::noise::cipher;");
}

#[test]
fn a_change_before_a_look_up() {
    for records in ["cx: &mut Context<'_>", "records: &mut Records"] {
        let offence = format!("pub(crate) fn apply<T>(\n    {records},\n    id: T,\n) -> Result<(), NotLoaded> {{}}");
        sees(source::changes_after_look_ups, "src/inbox/apply.rs", &offence);
        allows(source::changes_after_look_ups, "src/inbox/apply.rs", &format!("fn apply({records}) -> bool {{}}"));
    }
    let plan =
        "fn plan(records: &Records) -> Result<Plan, NotLoaded> {}\nfn apply(cx: &mut Context<'_>, plan: Plan) {}";
    allows(source::changes_after_look_ups, "src/inbox/apply.rs", plan);
}

#[test]
fn a_file_without_purpose_or_name() {
    sees(source::opens_with_its_purpose, "src/outbox.rs", "use core::fmt;\n//! late");
    sees(source::name, "src/utils.rs", "//! Everything.");
}

#[test]
fn a_file_that_is_too_long() {
    for path in ["src/engine.rs", "partner/tests/relay.rs", "web/service-worker.js", "web/style/chats.css"] {
        sees(size::length, path, &"line\n".repeat(501));
        allows(size::length, path, &"line\n".repeat(500));
    }
    sees(size::length, "web/src/ui/chat.rs", &"line\n".repeat(301));
    allows(size::length, "web/src/ui/chat.rs", &format!("{0}mod tests {{\n{0}", "line\n".repeat(300)));
    allows(size::length, "tests/vectors/vectors.json", &"line\n".repeat(501));
}

#[test]
fn files_that_are_long_on_the_whole() {
    let files = |lines: [usize; 3]| lines.map(|lines| file("src/x.rs", &"line\n".repeat(lines)));
    assert_eq!(size::median(&files([400, 121, 10])).len(), 1);
    assert_eq!(size::median(&files([400, 120, 10])), Vec::<String>::new());
}

#[test]
fn a_silenced_lint() {
    sees(source::exceptions_have_reasons, "src/engine.rs", "#[allow(dead_code)]");
    sees(source::exceptions_have_reasons, "src/engine.rs", "#[expect(dead_code)]\nfn reason() {}");
    sees(source::exceptions_have_reasons, "src/engine.rs", "#[ignore]");
    allows(source::exceptions_have_reasons, "src/engine.rs", "#[expect(dead_code, reason = \"shown to a person\")]");
}

#[test]
fn inline_style_and_script() {
    sees(source::no_inline_style, "web/src/ui/chat.rs", "<p style=\"color: red\">");
    sees(source::no_inline_style, "web/src/ui/chat.rs", "<p style=move || width()>");
    sees(source::no_inline_style, "web/src/ui/chat.rs", "<p inner_html=text>");
    allows(source::no_inline_style, "web/src/ui/chat.rs", "<p style:--fill=width class=\"x\">");
    sees(text::no_inline_script, "web/index.html", "<script>go()</script>");
    sees(text::no_inline_script, "web/index.html", "<body onload=\"go()\">");
    allows(text::no_inline_script, "web/index.html", "<script src=\"boot.js\"></script>");
}

#[test]
fn unfinished_or_of_one_machine() {
    sees(text::forbidden, "src/engine.rs", concat!("// TO", "DO: later"));
    sees(text::forbidden, "docs/BENCH.md", concat!("see /ro", "ot/x"));
    sees(text::forbidden, "tests/x/package-lock.json", "\"resolved\": \"https://registry.example/x.tgz\"");
    allows(text::forbidden, "src/engine.rs", "// A day is done.");
}

#[test]
fn an_arrow_turned_round() {
    sees(manifests::arrows, "proto/Cargo.toml", "[dependencies]\ncauseway.workspace = true\n");
    sees(manifests::arrows, "partner/Cargo.toml", "[dependencies]\ncauseway = { path = \"..\" }\n");
    allows(
        manifests::arrows,
        "partner/Cargo.toml",
        "[dependencies]\ncauseway-proto.workspace = true\n[dev-dependencies]\ncauseway.workspace = true\n",
    );
    sees(manifests::lints, "web/Cargo.toml", "[package]\nname = \"x\"\n");
}

#[test]
fn tools_that_disagree() {
    let pinned = |trunk: &str| {
        vec![
            file("Cargo.toml", "[workspace.dependencies]\nwasm-bindgen = \"=0.2.130\"\n"),
            file(
                "Trunk.toml",
                "trunk-version = \"^0.21.14\"\nwasm_bindgen = \"0.2.130\"\nwasm_opt = \"version_132\"\n",
            ),
            file("tests/toolchain/Cargo.toml", "wasm-bindgen-cli = { version = \"=0.2.130\" }\n"),
            file("tests/toolchain/package.json", "\"binaryen\": \"132.0.0\""),
            file("tests/toolchain/setup", trunk),
        ]
    };
    assert_eq!(manifests::pins(&pinned("readonly TRUNK=0.21.14\n")), Ok(()));
    assert!(manifests::pins(&pinned("readonly TRUNK=0.21.13\n")).is_err());
}
