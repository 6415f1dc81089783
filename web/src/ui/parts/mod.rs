//! Small parts that several pages are made of.

mod announcer;
mod dialog;
mod form;
mod picture;
mod typing;

pub(super) use announcer::Announcer;
pub(super) use dialog::Dialog;
pub(super) use form::{PasswordField, Problem};
pub(super) use picture::{Icon, Mark, Picture, Tick};
pub(super) use typing::follow_typing;

use leptos::prelude::*;

/// The first letter of a name in a circle; a number gets a figure instead.
#[component]
pub(super) fn Avatar(#[prop(into)] name: Signal<String>) -> impl IntoView {
    let letter = move || {
        name.with(|name| {
            name.trim().chars().find(|char| char.is_alphabetic()).map(|char| char.to_uppercase().to_string())
        })
    };
    view! {
        <span class="avatar" aria-hidden="true">
            {move || match letter() {
                Some(letter) => letter.into_any(),
                None => view! { <Icon of=Picture::Person/> }.into_any(),
            }}
        </span>
    }
}
