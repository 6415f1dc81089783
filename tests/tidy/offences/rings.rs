//! Modules that import each other, and modules that only look like it.

use super::file;
use crate::rings::rings;

#[track_caller]
fn crate_of(modules: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = modules.iter().map(|(path, text)| file(&format!("proto/src/{path}"), text)).collect();
    rings(&files)
}

#[test]
fn two_siblings_that_import_each_other() {
    let found = crate_of(&[
        ("lib.rs", "pub mod a;\npub mod b;"),
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "use super::a::A;\npub struct B;"),
    ]);
    let text = found.join("\n");
    assert!(text.contains("modules of `crate` import each other"), "{text}");
    assert!(text.contains("a -> b  (proto/src/a.rs: crate::b::B)"), "{text}");
    assert!(text.contains("b -> a  (proto/src/b.rs: super::a::A)"), "{text}");
}

#[test]
fn two_modules_of_a_program_that_import_each_other() {
    let found = crate_of(&[
        ("lib.rs", "pub mod a;"),
        ("bin/client/main.rs", "mod a;\nmod b;"),
        ("bin/client/a.rs", "use crate::b::B;\npub struct A;"),
        ("bin/client/b.rs", "use crate::a::A;\npub struct B;"),
    ]);
    assert!(found.join("\n").contains("proto/src/bin/client/: modules of `crate` import each other"), "{found:?}");
}

#[test]
fn a_ring_through_three_modules_and_a_grandchild() {
    let found = crate_of(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a/mod.rs", "mod inner;"),
        ("a/inner.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
    ]);
    assert_eq!(found.iter().filter(|ring| ring.contains("modules of `crate`")).count(), 1, "{found:?}");
}

#[test]
fn a_child_that_imports_from_the_parent_that_calls_it() {
    let found = crate_of(&[
        ("lib.rs", "pub mod a;"),
        ("a/mod.rs", "mod inner;\npub struct Row;\npub fn read() -> Row { inner::parse() }"),
        ("a/inner.rs", "use super::Row;\npub fn parse() -> Row { Row }"),
    ]);
    assert!(found.join("\n").contains("files import each other"), "{found:?}");
}

#[test]
fn groups_aliases_paths_in_the_code_and_visible_imports_are_read() {
    for import in [
        "use crate::{x::Y, b::{self as other, B}};",
        "use super::b as other;",
        "pub(crate) use crate::b::B;",
        "use crate::*;\nfn f() -> crate::b::B { loop {} }",
        "use super::{\n    b::{B},\n};",
        "fn f(b: &mut super::b::B) {}",
        "mod inline { use super::super::b::B; }",
    ] {
        let found = crate_of(&[("lib.rs", "mod a;\nmod b;"), ("a.rs", import), ("b.rs", "use crate::a::A;")]);
        assert!(!found.is_empty(), "not seen: {import}");
    }
}

#[test]
fn a_name_that_was_imported_leads_to_its_module() {
    let found = crate_of(&[
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use crate::b;\nfn f() -> b::inner::B { loop {} }"),
        ("b/mod.rs", "pub mod inner;"),
        ("b/inner.rs", "use crate::a::A;"),
    ]);
    assert!(found.join("\n").contains("files import each other"), "{found:?}");
}

#[test]
fn what_is_no_ring() {
    let none = |modules: &[(&str, &str)]| assert_eq!(crate_of(modules), Vec::<String>::new());
    // A parent may declare and re-export its children, and use them.
    none(&[
        ("lib.rs", "mod a;\npub use a::A;"),
        ("a/mod.rs", "mod inner;\npub use inner::B;\npub(crate) use self::inner::C;"),
        ("a/inner.rs", "use super::Other;"),
    ]);
    // Words in comments and literals, tests, and other crates' modules of the same name.
    none(&[
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use crate::b::B;"),
        (
            "b.rs",
            "// use crate::a::A;\nconst TEXT: &str = \"crate::a::A\";\nuse other::a::A;\n\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}",
        ),
    ]);
    // A module that only tests compile.
    none(&[
        ("lib.rs", "mod a;\nmod b;"),
        ("a/mod.rs", "use crate::b::B;\n#[cfg(test)]\npub(crate) mod testing;"),
        ("a/testing.rs", "use crate::a::A;\nuse super::B;"),
        ("b.rs", ""),
    ]);
}
