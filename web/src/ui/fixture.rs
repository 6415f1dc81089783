//! A page without a window, for tests of what components do with an answer.

use std::rc::Rc;

use causeway::view::{Done, Issue, News};
use leptos::prelude::Owner;

use super::app::App;
use crate::state::browser::fake::Fake;
use crate::state::view_store::ViewStore;

/// The page's owner, the app, and the browser behind it.
pub(crate) fn page() -> (Owner, App, Rc<Fake>) {
    let owner = Owner::new();
    let browser = Rc::new(Fake::default());
    let app = owner.with(|| App::new(ViewStore::new(browser.clone()), |answer| answer.run(None)));
    (owner, app, browser)
}

/// Carries out the command that was sent last, or fails with an issue.
pub(crate) fn answer_last(app: App, browser: &Fake, issue: Issue) {
    let tag = u64::try_from(browser.sent.borrow().len()).unwrap();
    app.store.take(News::Done(Done { tag, issue: issue.into(), ..Done::default() }).into());
}
