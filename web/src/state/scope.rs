//! Callbacks that may be called after the component that made them has been removed from the page.
//!
//! Leptos keeps signals, memos and stored values in an arena. A handle is `Copy` and valid until the reactive owner
//! under which it was made is cleaned up; reading it later panics, and a panic ends the page. Answers of the engine,
//! promises, timers and animation frames come at any time later. All of them therefore take an [`Answer`] or a
//! [`Listener`], and there are two ways to make one:
//!
//! - [`Scope::answer`] and [`Scope::listener`] keep the closure in the arena itself, under the component's owner. It is
//!   dropped together with the handles that it captured, and is not called afterwards.
//! - [`Answer::detached`] and [`Listener::detached`] are called in any case. They take a function that captures nothing
//!   and a state of a type that is marked with [`PageLifetime`].
//!
//! What this module does not know: who calls back, and why.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::reactive::owner::WeakOwner;

/// A closure that is called at most once.
type OnceFn<T> = Box<dyn FnOnce(T)>;

/// The lifetime of a component: from the run of its function until its reactive owner is cleaned up.
#[derive(Clone, Copy)]
pub struct Scope(StoredValue<Option<WeakOwner>>);

impl Scope {
    /// The scope of the component, or the effect, that is running. Call it where the signals are made that the closures
    /// will capture.
    pub fn current() -> Self {
        let owner = Owner::current();
        debug_assert!(owner.is_some(), "a scope is made while a component or an effect runs");
        // The value is disposed with the owner's other handles. So a scope stays dead when the owner is used again, as
        // the owner of an effect is for each run.
        Self(StoredValue::new(owner.map(|owner| owner.downgrade())))
    }

    /// An answer that is dropped with this scope.
    pub fn answer<T: 'static>(self, run: impl FnOnce(T) + 'static) -> Answer<T> {
        let kept = self.keep::<Option<OnceFn<T>>>(Some(Box::new(run)));
        Answer(Box::new(move |value| {
            let Some(kept) = kept else { return };
            let run = kept.try_update_value(Option::take).flatten();
            kept.dispose();
            if let Some(run) = run {
                run(value);
            }
        }))
    }

    /// A listener that is dropped with this scope.
    pub fn listener<T: 'static>(self, run: impl Fn(T) + 'static) -> Listener<T> {
        let kept = self.keep::<Rc<dyn Fn(T)>>(Rc::new(run));
        Listener(Box::new(move |value| {
            // A clone, because the closure may clean up its own scope.
            if let Some(run) = kept.and_then(|kept| kept.try_get_value()) {
                run(value);
            }
        }))
    }

    /// Keeps a value for as long as the scope lives; `None` if it has ended.
    fn keep<F: 'static>(self, value: F) -> Option<StoredValue<F, LocalStorage>> {
        let owner = self.0.try_get_value().flatten()?.upgrade()?;
        Some(owner.with(|| StoredValue::new_local(value)))
    }
}

/// Marks types whose values are valid for as long as the page: they hold no arena handle of a component. Plain data,
/// reference-counted signals, and the handles that are made under the root owner.
pub trait PageLifetime: 'static {}

impl PageLifetime for String {}
impl<A: PageLifetime, B: PageLifetime> PageLifetime for (A, B) {}
// These look whether the component still exists.
impl PageLifetime for Scope {}
impl<T: 'static> PageLifetime for Answer<T> {}
impl<T: 'static> PageLifetime for Listener<T> {}

/// Takes one value of the engine or the browser, at any time later.
pub struct Answer<T>(OnceFn<T>);

impl<T: 'static> Answer<T> {
    /// An answer that is taken whether or not the component still exists. `run` must capture nothing.
    pub fn detached<S: PageLifetime>(state: S, run: fn(S, T)) -> Self {
        Self(Box::new(move |value| run(state, value)))
    }

    /// An answer that is not needed.
    pub fn ignored() -> Self {
        Self(Box::new(drop))
    }

    /// This answer, then another one.
    pub fn and(self, next: Self) -> Self
    where
        T: Clone,
    {
        Self(Box::new(move |value: T| {
            self.run(value.clone());
            next.run(value);
        }))
    }

    /// Hands the value over.
    pub fn run(self, value: T) {
        (self.0)(value);
    }
}

/// Takes any number of values of the engine or the browser, at any time later.
pub struct Listener<T>(Box<dyn Fn(T)>);

impl<T: 'static> Listener<T> {
    /// A listener that is called whether or not the component still exists. `run` must capture nothing.
    pub fn detached<S: PageLifetime>(state: S, run: fn(&S, T)) -> Self {
        Self(Box::new(move |value| run(&state, value)))
    }

    /// This listener, then another one.
    pub fn and(self, next: Self) -> Self
    where
        T: Clone,
    {
        Self(Box::new(move |value: T| {
            self.run(value.clone());
            next.run(value);
        }))
    }

    /// Hands one value over.
    pub fn run(&self, value: T) {
        (self.0)(value);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// A component that holds a signal, and the owner that is cleaned up when it is removed.
    fn component() -> (Owner, Scope, RwSignal<u32>) {
        let owner = Owner::new();
        let (scope, signal) = owner.with(|| (Scope::current(), RwSignal::new(0)));
        (owner, scope, signal)
    }

    /// The reason for this module: what happened at the sign-in on slow machines, in a plain closure.
    #[test]
    #[expect(clippy::disallowed_types, reason = "it shows why they are")]
    fn a_plain_closure_panics_when_its_component_is_gone() {
        let (owner, _scope, signal) = component();
        let callback = owner.with(|| Callback::new(|()| ()));
        let answer: Box<dyn FnOnce()> = Box::new(move || callback.run(()));
        owner.cleanup();
        assert!(catch_unwind(AssertUnwindSafe(answer)).is_err(), "a disposed callback is run");
        assert!(catch_unwind(AssertUnwindSafe(move || signal.get_untracked())).is_err(), "a disposed signal is read");
    }

    #[test]
    fn an_answer_is_run_while_its_component_exists() {
        let (_owner, scope, signal) = component();
        scope.answer(move |value| signal.set(signal.get_untracked() + value)).run(3);
        assert_eq!(signal.get_untracked(), 3);
    }

    #[test]
    fn an_answer_is_not_run_when_its_component_is_gone() {
        let (owner, scope, signal) = component();
        let ran = Rc::new(Cell::new(false));
        let answer = scope.answer({
            let ran = ran.clone();
            move |value: u32| {
                ran.set(true);
                assert_eq!(signal.get_untracked(), value);
            }
        });
        owner.cleanup();
        assert_eq!(Rc::strong_count(&ran), 1, "the closure is dropped with the component, not with the answer");
        answer.run(0);
        assert!(!ran.get());
    }

    #[test]
    fn an_answer_that_is_made_when_its_component_is_gone_is_not_run() {
        let (owner, scope, signal) = component();
        owner.cleanup();
        scope.answer(move |value| assert_eq!(signal.get_untracked(), value)).run(0);
    }

    #[test]
    fn a_scope_does_not_come_back_when_its_owner_is_used_again() {
        let (owner, scope, signal) = component();
        let answer = scope.answer(move |value| assert_eq!(signal.get_untracked(), value));
        owner.with_cleanup(|| ());
        answer.run(0);
        scope.answer(move |value| assert_eq!(signal.get_untracked(), value)).run(0);
        drop(owner);
    }

    #[test]
    fn an_answer_may_remove_its_own_component() {
        let (owner, scope, signal) = component();
        let this = owner.clone();
        scope
            .answer(move |()| {
                signal.set(1);
                this.cleanup();
            })
            .run(());
        assert!(signal.is_disposed());
    }

    #[test]
    fn a_listener_is_run_until_its_component_is_gone() {
        let (owner, scope, signal) = component();
        let listener = scope.listener(move |value: u32| signal.set(signal.get_untracked() + value));
        listener.run(1);
        listener.run(2);
        assert_eq!(signal.get_untracked(), 3);
        owner.cleanup();
        listener.run(4);
    }

    #[test]
    fn detached_answers_and_listeners_are_run_in_any_case() {
        let (owner, scope, signal) = component();
        thread_local!(static HEARD: Cell<u32> = const { Cell::new(0) });
        let answer = Answer::detached("kept".to_owned(), |state, value: u32| {
            assert_eq!(state, "kept");
            HEARD.set(HEARD.get() + value);
        });
        let answer = answer.and(scope.answer(move |value| signal.set(value)));
        let listener = Listener::detached(String::new(), |_, value: u32| HEARD.set(HEARD.get() + value))
            .and(scope.listener(move |value| signal.set(signal.get_untracked() + value)));
        owner.cleanup();
        answer.run(1);
        listener.run(10);
        listener.run(100);
        assert_eq!(HEARD.get(), 111);
    }
}
