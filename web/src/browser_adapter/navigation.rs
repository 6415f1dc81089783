//! The window: address bar, title, focus, painting.

use crate::state::scope::Answer;
use causeway::io::Millis;

use super::BrowserAdapter;
use crate::port::{self, clock, window};
use crate::state::browser::Navigation;

impl Navigation for BrowserAdapter {
    fn before_paint(&self, after: Millis, work: Answer<()>) {
        port::spawn(async move {
            if after > Millis(0) {
                clock::sleep(after).await;
            }
            window::next_frame().await;
            work.run(());
        });
    }

    fn fragment(&self) -> String {
        window::fragment()
    }

    fn address_parameter(&self, name: &str) -> Option<String> {
        window::address_parameter(name)
    }

    fn go(&self, fragment: &str, replace: bool) {
        window::go(fragment, replace);
    }

    fn set_title(&self, title: &str) {
        window::set_title(title);
    }

    fn reload(&self) {
        window::reload();
    }

    fn focus(&self, id: &str) {
        window::focus(id);
    }

    fn typed(&self, id: &str) -> String {
        window::typed(id)
    }

    fn put_typed(&self, id: &str, text: &str) {
        window::put_typed(id, text);
    }

    fn has_network(&self) -> bool {
        window::has_network()
    }

    fn mark_root(&self, attribute: &str, value: Option<&str>) {
        window::mark_root(attribute, value);
    }

    fn is_watched(&self) -> bool {
        window::is_watched()
    }

    fn is_touch(&self) -> bool {
        window::matches("(pointer: coarse)")
    }

    fn suggested_number(&self) -> Option<String> {
        window::meta("causeway-suggested-number")
    }
}
