//! The names under which instances claim pushes.
//!
//! What this module does not know: the pushes.

use std::fmt;

/// One run of one instance: 64 random bits in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InstanceId(String);

impl InstanceId {
    /// Fails only if the operating system has no randomness.
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{:016x}", u64::from_be_bytes(bytes))))
    }

    #[cfg(test)]
    pub(super) fn named(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name of one claim; `batch` was never used before in this run.
    pub(super) fn claim(&self, batch: u64) -> ClaimId {
        ClaimId { instance: self.clone(), batch }
    }

    /// The pattern of SQL's `LIKE` that fits all claims of this run.
    pub(super) fn pattern(&self) -> String {
        format!("{}.%", self.0)
    }
}

/// Names the pushes that were claimed by one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimId {
    instance: InstanceId,
    batch: u64,
}

impl fmt::Display for ClaimId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.instance.0, self.batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_named_by_its_instance_and_its_number() {
        let instance = InstanceId::random().unwrap();
        let claim = instance.claim(7).to_string();
        let (run, number) = claim.split_once('.').unwrap();
        assert_eq!((run.len(), number), (16, "7"));
        assert_eq!(instance.pattern(), format!("{run}.%"));
    }
}
