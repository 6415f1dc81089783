//! Whose account it is, and which browser holds it.
//!
//! What this module does not know: which identifiers are allowed, and how a device id is drawn.

/// Types for names that are texts, each kind on its own.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The one that this text is.
            pub fn new(text: String) -> Self {
                Self(text)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The one in a field that is empty if there is none.
            pub fn from_field(text: &str) -> Option<Self> {
                (!text.is_empty()).then(|| Self(text.to_owned()))
            }

            /// The text for a field that is empty if there is none.
            pub fn to_field(this: Option<&Self>) -> &str {
                this.map_or("", Self::as_str)
            }
        }
    )*};
}

names! {
    /// Names the user to other people: chosen at the Partner, 1 to 40 characters.
    Identifier,
    /// Identifies a browser profile at the partner server: 32 lower-case hexadecimal digits, drawn at random.
    DeviceId,
}
