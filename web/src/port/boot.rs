//! The sentence that index.html holds ready for when the client does not start.

/// Shows it. It is outside of what Leptos mounts, so it works when nothing else does.
pub fn show_failure() {
    let failure = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("boot-failed"));
    if let Some(failure) = failure {
        let _ = failure.remove_attribute("hidden");
    }
}
