//! Configuration text that may hold a password or key.
//!
//! What this module does not know: what the secret is used for.

use serde::Deserialize;
use std::fmt;
use zeroize::Zeroizing;

/// Text that `Debug` does not show and that is overwritten in memory on drop.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_show_the_secret() {
        assert_eq!(format!("{:?}", Some(Secret::from("hunter2".to_owned()))), "Some(Secret(…))");
    }
}
