//! The window: address bar, title, focus, painting.

use crate::state::scope::Answer;
use causeway::io::Millis;

/// The window: address bar, title, focus, painting.
pub trait Navigation {
    /// Runs `work` before the next paint after the delay; within 100 ms after the delay if nothing is painted.
    fn before_paint(&self, after: Millis, work: Answer<()>);
    /// The address bar's fragment, with its `#`, or empty.
    fn fragment(&self) -> String;
    /// A parameter of the address, if it has it.
    fn address_parameter(&self, name: &str) -> Option<String>;
    /// Goes to a fragment; `replace` leaves no entry in the history.
    fn go(&self, fragment: &str, replace: bool);
    /// The title of the window.
    fn set_title(&self, title: &str);
    /// Loads the page again.
    fn reload(&self);
    /// Moves the focus to the element of an id, if there is one.
    fn focus(&self, id: &str);
    /// What is typed in the text field of an id: whole characters only. An input method may hand over an emoji in two
    /// halves, and the field has the first one alone meanwhile.
    fn typed(&self, id: &str) -> String;
    /// Puts a text into the field of an id, unless that is what is typed there.
    fn put_typed(&self, id: &str, text: &str);
    /// Whether the device has a network, as far as the browser can see.
    fn has_network(&self) -> bool;
    /// Sets an attribute of the root element, or removes it.
    fn mark_root(&self, attribute: &str, value: Option<&str>);
    /// The person looks at this page: it is visible and has the focus.
    fn is_watched(&self) -> bool;
    /// The main pointer is a finger.
    fn is_touch(&self) -> bool;
    /// A phone number to suggest for a first message, if the operator of this installation configured one.
    fn suggested_number(&self) -> Option<String>;
}
