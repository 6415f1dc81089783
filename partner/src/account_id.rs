//! Names an account in rows, sessions and requests.
//!
//! What this module does not know: which names a person may choose ([`crate::sign_in::Identifier`]), and whether the
//! account exists.

use std::fmt;

/// An account, by its user-visible identifier as it is stored. `Debug` does not show it: it is personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// Takes a text from a row or from an operator as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The user-visible identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that must be unique: identifiers that differ only in case look alike.
    pub(crate) fn folded(&self) -> FoldedId {
        FoldedId(self.0.to_lowercase())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccountId(…)")
    }
}

/// An identifier without the differences that a person does not see; one account at most has it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct FoldedId(String);

impl FoldedId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_differ_in_case_fold_alike() {
        assert!(AccountId::new("ALICE").folded() == AccountId::new("alice").folded());
        assert!(AccountId::new("ALICE") != AccountId::new("alice"));
    }

    #[test]
    fn debug_output_does_not_show_the_person() {
        assert_eq!(format!("{:?}", Some(AccountId::new("alice"))), "Some(AccountId(…))");
    }
}
