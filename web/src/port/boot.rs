//! The first and last words: what a page says when the client does not start, and where a panic is written down.

/// Shows the sentence that index.html holds ready. It is outside of what Leptos mounts, so it works when nothing else does.
pub fn show_failure() {
    let failure = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("boot-failed"));
    if let Some(failure) = failure {
        let _ = failure.remove_attribute("hidden");
    }
}

/// Writes panics to the browser's console, where a developer looks. Only in debug builds: a person has no use for it, and
/// nobody else has any business with it.
pub fn report_panics() {
    #[cfg(debug_assertions)]
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
}
