//! The state of the enlistment that this page asked for.

use causeway::view::Issue;

/// The enlistment that this page asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// None yet.
    None,
    /// Under way.
    Running,
    /// It did not work.
    Failed(Issue),
}
