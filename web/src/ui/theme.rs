//! Light, dark, or as the device does. The choice is an attribute of the root element; the style sheets do the rest.

use crate::state::browser::Browser;

/// Where the choice is remembered. boot.js reads it too, so that the first paint has the right colours.
const KEY: &str = "causeway-theme";
const ATTRIBUTE: &str = "data-theme";

/// How the page looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Theme {
    /// As the device does.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The name, as it is remembered.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The remembered choice.
pub(super) fn chosen(browser: &dyn Browser) -> Theme {
    match browser.recall(KEY).as_deref() {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        _ => Theme::System,
    }
}

/// Shows the remembered choice.
pub(super) fn restore(browser: &dyn Browser) {
    show(browser, chosen(browser));
}

/// Shows a choice and remembers it.
pub(super) fn choose(browser: &dyn Browser, theme: Theme) {
    browser.remember(KEY, theme.name());
    show(browser, theme);
}

fn show(browser: &dyn Browser, theme: Theme) {
    browser.mark_root(ATTRIBUTE, (theme != Theme::System).then(|| theme.name()));
}
