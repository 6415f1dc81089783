//! What the page shows when the client cannot start or has stopped: sentences that index.html holds ready, outside of
//! what Leptos mounts. boot.js covers the page with them after a failure and keeps its reason.

use js_sys::{Function, Reflect};
use std::panic::{PanicHookInfo, set_hook};
use wasm_bindgen::{JsCast, JsValue};

/// The function of boot.js that covers the page and keeps a reason in localStorage, for a support log.
const FAIL: &str = "causewayFailed";
/// Longest reason that is kept, in characters.
const LONGEST_REASON: usize = 1_000;
/// Components that are kept of a source file's path; the ones before them are the build machine's.
const PATH_COMPONENTS: usize = 4;

/// Shows the sentence of index.html beside the page.
pub fn show_failure() {
    let failure = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("boot-failed"));
    if let Some(failure) = failure {
        let _ = failure.remove_attribute("hidden");
    }
}

/// In the page: a panic ends the program, so its reason is kept and the page is covered by the sentence of index.html.
/// The hook runs before the trap.
pub fn cover_page_on_panic() {
    set_hook(Box::new(|panic| {
        log(panic);
        cover_page(&reason(panic));
    }));
}

/// In the worker: its page replaces it after a panic, so there is nothing to show.
pub fn log_panics() {
    #[cfg(debug_assertions)]
    set_hook(Box::new(log));
}

/// Writes a panic to the browser's console, in debug builds only: the message may hold what a person wrote.
fn log(panic: &PanicHookInfo<'_>) {
    #[cfg(debug_assertions)]
    web_sys::console::error_1(&panic.to_string().into());
    let _in_release = panic;
}

/// Covers the page with the sentence of index.html and keeps the reason, bounded in length, for a support log.
pub fn cover_page(reason: &str) {
    let fail = Reflect::get(&js_sys::global(), &FAIL.into()).ok().and_then(|fail| fail.dyn_into::<Function>().ok());
    let covered = fail.is_some_and(|fail| fail.call1(&JsValue::UNDEFINED, &reason.into()).is_ok());
    if !covered {
        show_failure();
    }
}

fn reason(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let message = match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(literal), _) => literal,
        (None, Some(formatted)) => without_values(formatted),
        (None, None) => "",
    };
    let place = panic.location().map_or((String::new(), 0), |place| (relative(place.file()), place.line()));
    describe(message, &place.0, place.1)
}

fn describe(message: &str, file: &str, line: u32) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("{version}: panicked at {file}:{line}: {message}").chars().take(LONGEST_REASON).collect()
}

/// The beginning of a formatted message, up to the first value in it: a value may be what a person wrote.
fn without_values(message: &str) -> &str {
    message.split([':', ';', '`', '\'', '"', '(', '[', '{', '<']).next().unwrap_or_default().trim_end()
}

/// The end of a source file's path.
fn relative(path: &str) -> String {
    let mut components: Vec<&str> = path.rsplit(['/', '\\']).take(PATH_COMPONENTS).collect();
    components.reverse();
    components.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_which_build_panicked_where() {
        let reason = describe("no such row", "web/src/ui/chats/row.rs", 7);
        assert_eq!(
            reason,
            format!("{}: panicked at web/src/ui/chats/row.rs:7: no such row", env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(describe(&"é".repeat(5_000), "a.rs", 1).chars().count(), LONGEST_REASON);
    }

    #[test]
    fn a_reason_holds_no_values() {
        for (message, kept) in [
            (
                "byte index 3 is not a char boundary; it is inside 'é' of `secret`",
                "byte index 3 is not a char boundary",
            ),
            ("called `Result::unwrap()` on an `Err` value: \"secret\"", "called"),
            ("assertion `left == right` failed\n  left: \"secret\"", "assertion"),
            ("index out of bounds: the len is 3 but the index is 5", "index out of bounds"),
        ] {
            assert_eq!(without_values(message), kept);
        }
    }

    #[test]
    fn a_reason_does_not_name_the_build_machine() {
        assert_eq!(
            relative("/builds/someone/registry/reactive_graph-0.2.16/src/traits.rs"),
            "registry/reactive_graph-0.2.16/src/traits.rs"
        );
        assert_eq!(relative("web/src/lib.rs"), "web/src/lib.rs");
        assert_eq!(relative("C:\\build\\a\\b\\c.rs"), "build/a/b/c.rs");
    }
}
