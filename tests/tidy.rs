//! The repository's rules that neither the compiler nor clippy checks: imports inside a crate, length of files, words,
//! citations, and what must never be committed.
//!
//! A rule is a function from files to offences. Each has a test that shows it an offence and a close case that is allowed
//! (`tidy/offences.rs`). It must not know formatting or types: `make check` asks cargo for those.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests fail by panicking"
)]

#[path = "tidy/citations.rs"]
mod citations;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/offences.rs"]
mod offences;
#[path = "tidy/repository.rs"]
mod repository;
#[path = "tidy/rings.rs"]
mod rings;
#[path = "tidy/size.rs"]
mod size;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/syntax.rs"]
mod syntax;
#[path = "tidy/text.rs"]
mod text;
#[path = "tidy/typed.rs"]
mod typed;
#[path = "tidy/words.rs"]
mod words;

use repository::{File, files};

/// A rule on one file: returns one line for each offence, with its place and the correction.
type Rule = fn(&File) -> Vec<String>;

/// Fails with one line for each offence.
fn none(offences: &[String]) {
    assert!(offences.is_empty(), "{} offences:\n  {}", offences.len(), offences.join("\n  "));
}

fn hold(rule: Rule) {
    none(&files().iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn the_walk_sees_the_repository() {
    let files = files();
    for path in
        ["Cargo.toml", "proto/src/lib.rs", "src/lib.rs", "web/index.html", "tests/tidy.rs", "tests/toolchain/setup"]
    {
        assert!(files.iter().any(|file| file.path == path), "{path} was not visited");
    }
    assert!(!files.iter().any(|file| file.path.starts_with("target/")), "target is not ours");
}

#[test]
fn proto_and_src_have_no_clock_no_randomness_no_io() {
    hold(source::pure);
}

#[test]
fn pages_and_state_never_name_a_port() {
    hold(source::pages_name_no_port);
}

#[test]
fn only_ports_name_the_browser() {
    hold(source::only_ports_name_the_browser);
}

#[test]
fn the_other_side_of_the_wire_has_a_noise_of_its_own() {
    hold(source::sandbox_shares_no_cryptography);
}

#[test]
fn every_module_opens_with_what_it_is_for() {
    hold(source::opens_with_its_purpose);
}

#[test]
fn no_file_is_too_long() {
    hold(size::length);
    none(&size::median(&files()));
}

#[test]
fn no_modules_import_each_other_in_a_ring() {
    none(&rings::rings(&files()));
}

#[test]
fn ids_and_times_have_types_of_their_own() {
    none(&typed::typed(&files()));
}

#[test]
fn code_and_documents_use_the_terms_of_the_field() {
    hold(words::words);
}

#[test]
fn every_citation_resolves_inside_the_repository() {
    none(&citations::citations(&files()));
}

#[test]
fn file_names_name_an_idea() {
    hold(source::name);
}

#[test]
fn what_changes_rows_misses_none() {
    hold(source::changes_after_look_ups);
}

#[test]
fn lints_are_excepted_with_a_reason() {
    hold(source::exceptions_have_reasons);
}

#[test]
fn no_inline_style_script_or_html() {
    hold(source::no_inline_style);
    hold(text::no_inline_script);
}

#[test]
fn nothing_unfinished_and_nothing_of_one_machine() {
    hold(text::forbidden);
}

#[test]
fn crates_depend_in_one_direction() {
    hold(manifests::arrows);
}

#[test]
fn every_crate_keeps_the_lints() {
    hold(manifests::lints);
}

#[test]
fn tool_versions_agree() {
    manifests::pins(&files()).unwrap();
}
