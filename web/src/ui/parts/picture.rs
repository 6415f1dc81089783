//! Pictures: one stroke weight, one grid of 24 units, the colour of the text around them.

use causeway::view::Delivery;
use leptos::prelude::*;

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picture {
    Back,
    Chats,
    Check,
    Cross,
    Down,
    Eye,
    EyeClosed,
    Gear,
    Key,
    Lock,
    Pen,
    Person,
    Phone,
    Send,
    Warning,
}

impl Picture {
    fn path(self) -> &'static str {
        match self {
            Self::Back => "M15 5l-7 7 7 7",
            Self::Chats => "M4 6a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2H9l-5 4z M20 9v11l-4-3h-5",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Down => "M12 5v14M6 13l6 6 6-6",
            Self::Eye => {
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z"
            }
            Self::EyeClosed => "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM4 20L20 4",
            Self::Gear => {
                "M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM10.2 3.5h3.6l.5 2.5 1.8 1 2.4-.8 1.8 3.1-1.9 1.7v2l1.9 1.7-1.8 3.1-2.4-.8\
                 -1.8 1-.5 2.5h-3.6l-.5-2.5-1.8-1-2.4.8-1.8-3.1L5.6 13v-2L3.7 9.3l1.8-3.1 2.4.8 1.8-1z"
            }
            Self::Key => "M15.5 4a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM12.3 11.7L4 20M6.8 17.2L9 19.4",
            Self::Lock => "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
            Self::Pen => "M12 20h8M15.5 4.5l4 4L9 19l-5 1 1-5z",
            Self::Person => "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4.5 20c.7-3.6 3.7-5 7.5-5s6.8 1.4 7.5 5",
            Self::Phone => "M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2",
            Self::Send => "M5 12h13M12 5.5l6.5 6.5L12 18.5",
            Self::Warning => "M12 4L2.5 20h19zM12 10v4.5M12 17.2h.01",
        }
    }
}

/// An icon. Hidden from screen readers: the text beside it is read.
#[component]
pub(crate) fn Icon(of: Picture) -> impl IntoView {
    stroke("icon", of.path())
}

/// A message's delivery state. Hidden from screen readers: it is part of the message's name.
#[component]
pub(crate) fn Tick(#[prop(into)] of: Signal<Delivery>) -> impl IntoView {
    move || {
        let (class, path) = match of.get() {
            Delivery::Queued => ("tick", "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM12 8.5V12l2.5 2"),
            Delivery::Sent => ("tick", "M6 12.5l4 4L18 8"),
            Delivery::Delivered => ("tick", "M2.5 12.5l4 4L14.5 8M11.5 15l1.5 1.5L21 8"),
            Delivery::Read => ("tick read", "M2.5 12.5l4 4L14.5 8M11.5 15l1.5 1.5L21 8"),
            Delivery::Failed => ("tick failed", "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM12 8.5v4M12 15.3h.01"),
        };
        stroke(class, path)
    }
}

fn stroke(class: &'static str, path: &'static str) -> AnyView {
    view! {
        <svg class=class viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=path></path></svg>
    }
    .into_any()
}

/// The product's mark: a deck on two arches.
#[component]
pub(crate) fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
            <path d="M4 14h40v6h-3v16h-4v-4.5a5.5 5.5 0 0 0-11 0V36h-4v-4.5a5.5 5.5 0 0 0-11 0V36H7V20H4z"></path>
        </svg>
    }
}
