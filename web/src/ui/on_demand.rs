//! Pages that are downloaded when the first of them is opened, so that a first visit does not wait for them: settings and
//! their dialogs, restoring a backup, and the dialogs of a browser that was replaced.
//!
//! They are a WebAssembly module of their own; `src/bin/client/pieces.rs` marks where it is cut off. This module knows how
//! the pages are fetched and what is shown until then; it does not know what is in them.

use leptos::prelude::*;

use crate::state::scope::{Answer, PageLifetime};
use crate::text::Text;

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

#[derive(Clone, Copy)]
enum State {
    NotFetched,
    Fetching,
    Failed,
    Ready(SecondaryPages),
}

impl OnDemand {
    /// To be called under the root owner, which the signal must live as long as.
    pub(super) fn new(fetch: FetchPages) -> Self {
        Self { state: RwSignal::new(State::NotFetched), fetch }
    }

    fn load(self) {
        if matches!(self.state.get_untracked(), State::Fetching | State::Ready(_)) {
            return;
        }
        self.state.set(State::Fetching);
        (self.fetch)(Answer::detached(self, |this, pages| this.state.set(pages.map_or(State::Failed, State::Ready))));
    }

    /// The page that `choose` takes out of the module; until that is there, that it is loading, or that it could not be
    /// loaded and a button to try again.
    pub(super) fn show(self, choose: fn(&SecondaryPages) -> MakePage) -> AnyView {
        self.load();
        (move || match self.state.get() {
            State::Ready(pages) => choose(&pages)(),
            State::Failed => view! { <Failed pages=self/> }.into_any(),
            State::NotFetched | State::Fetching => {
                view! { <p class="on-demand" role="status">{Text::PageLoading.text()}</p> }.into_any()
            }
        })
        .into_any()
    }
}

#[component]
fn Failed(pages: OnDemand) -> impl IntoView {
    view! {
        <div class="on-demand" role="alert">
            <p>{Text::PageNotLoaded.text()}</p>
            <button class="primary" on:click=move |_| pages.load()>{Text::TryAgain.text()}</button>
        </div>
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
