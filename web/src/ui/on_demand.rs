//! Pages that are downloaded when the first of them is opened, so that a first visit does not wait for them: settings and
//! their dialogs, restoring a backup, and the dialogs of a browser that was replaced.
//!
//! They are a WebAssembly module of their own; `src/bin/client/pieces.rs` marks where it is cut off. This module knows how
//! the pages are fetched; it does not know what is in them, nor what is shown until then (`pending_page`).

use leptos::prelude::*;

use crate::state::scope::{Answer, PageLifetime};

/// Makes one page.
pub(super) type MakePage = fn() -> AnyView;

/// The pages of the module, as functions of it.
#[derive(Clone, Copy)]
pub struct SecondaryPages {
    pub(super) settings: MakePage,
    pub(super) erase: MakePage,
    pub(super) backup: MakePage,
    pub(super) hand_over: MakePage,
    pub(super) shortcuts: MakePage,
    pub(super) restore: MakePage,
    pub(super) start_new: MakePage,
    pub(super) moved: MakePage,
}

/// Fetches the module, and passes its pages on; `None` when it could not be fetched. A later call tries again.
pub type FetchPages = fn(Answer<Option<SecondaryPages>>);

/// The module as this page of the browser has it.
#[derive(Clone, Copy)]
pub(super) struct OnDemand {
    state: RwSignal<State>,
    fetch: FetchPages,
}

// The root makes the signal.
impl PageLifetime for OnDemand {}

/// Of the module.
#[derive(Clone, Copy)]
pub(super) enum State {
    /// Nobody has asked for it.
    NotFetched,
    /// On its way.
    Fetching,
    /// The last attempt failed.
    Failed,
    /// It is there.
    Ready(SecondaryPages),
}

impl OnDemand {
    /// To be called under the root owner, which the signal must live as long as.
    pub(super) fn new(fetch: FetchPages) -> Self {
        Self { state: RwSignal::new(State::NotFetched), fetch }
    }

    /// What there is. Reading it in a view makes the view follow it.
    pub(super) fn state(self) -> State {
        self.state.get()
    }

    /// Fetches the module, unless it is there or on its way.
    pub(super) fn load(self) {
        if matches!(self.state.get_untracked(), State::Fetching | State::Ready(_)) {
            return;
        }
        self.state.set(State::Fetching);
        (self.fetch)(Answer::detached(self, |this, pages| this.state.set(pages.map_or(State::Failed, State::Ready))));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        static ASKED: RefCell<Vec<Answer<Option<SecondaryPages>>>> = const { RefCell::new(Vec::new()) };
    }

    fn nothing() -> AnyView {
        ().into_any()
    }

    fn pages() -> SecondaryPages {
        SecondaryPages {
            settings: nothing,
            erase: nothing,
            backup: nothing,
            hand_over: nothing,
            shortcuts: nothing,
            restore: nothing,
            start_new: nothing,
            moved: nothing,
        }
    }

    fn asked() -> usize {
        ASKED.with_borrow(Vec::len)
    }

    fn answer(pages: Option<SecondaryPages>) {
        ASKED.with_borrow_mut(|asked| asked.pop()).unwrap().run(pages);
    }

    #[test]
    fn pages_are_fetched_once_and_again_only_after_a_failure() {
        let owner = Owner::new();
        owner.set();
        let on_demand = OnDemand::new(|answer| ASKED.with_borrow_mut(|asked| asked.push(answer)));
        on_demand.load();
        on_demand.load();
        assert_eq!(asked(), 1, "one fetch is under way");
        answer(None);
        assert!(matches!(on_demand.state.get_untracked(), State::Failed));
        on_demand.load();
        assert_eq!(asked(), 1);
        answer(Some(pages()));
        assert!(matches!(on_demand.state.get_untracked(), State::Ready(_)));
        on_demand.load();
        assert_eq!(asked(), 0, "what is there is not fetched again");
    }
}
