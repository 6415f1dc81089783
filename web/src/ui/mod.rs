//! The pages.

/// Shows the page.
pub fn mount() {}
