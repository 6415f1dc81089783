//! Storage quota and usage of this origin, and whether the browser has promised not to evict its data.
//!
//! What this module does not know: how the browser is asked, and the words for it.

/// The browser's estimates, which are rounded for privacy; some browsers give none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StorageQuota {
    /// Bytes that are taken, and bytes that may be.
    pub used: Option<(u64, u64)>,
    /// Bytes that messages and keys take, where the browser reports them separately.
    pub messages: Option<u64>,
    /// The browser has promised not to remove our data by itself. `None`: it makes no such promises.
    pub persisted: Option<bool>,
}

/// How full it is, as far as a person needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to do.
    Fine,
    /// At 80 percent: time to free space.
    Filling,
    /// At 95 percent: soon nothing more can be saved.
    Full,
}

impl StorageQuota {
    /// Percent of the quota that is taken, rounded down; never more than 100.
    pub fn percent(&self) -> Option<u32> {
        let (used, all) = self.used?;
        let percent = u128::from(used) * 100 / u128::from(all.max(1));
        Some(u32::try_from(percent).unwrap_or(100).min(100))
    }

    /// How full it is.
    pub fn level(&self) -> Level {
        match self.percent() {
            None | Some(..80) => Level::Fine,
            Some(80..95) => Level::Filling,
            Some(95..) => Level::Full,
        }
    }
}

/// A number of bytes in the largest unit that leaves something before the point: whole units, tenths, and which unit,
/// from bytes (0) in steps of a thousand.
pub fn size(bytes: u64) -> (u64, u64, usize) {
    let (mut whole, mut rest, mut unit) = (bytes, 0, 0);
    while whole >= 1000 && unit < 4 {
        (whole, rest, unit) = (whole / 1000, whole % 1000, unit + 1);
    }
    (whole, rest / 100, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(used: u64, all: u64) -> StorageQuota {
        StorageQuota { used: Some((used, all)), ..StorageQuota::default() }
    }

    #[test]
    fn levels_begin_where_they_say() {
        let levels = [0, 79, 80, 94, 95, 100, 250].map(|used| quota(used, 100).level());
        use Level::{Filling, Fine, Full};
        assert_eq!(levels, [Fine, Fine, Filling, Filling, Full, Full, Full]);
        assert_eq!(StorageQuota::default().level(), Fine, "no warning without an estimate");
    }

    #[test]
    fn no_numbers_make_it_fail() {
        assert_eq!(quota(0, 0).percent(), Some(0));
        assert_eq!(quota(1, 0).percent(), Some(100));
        assert_eq!(quota(u64::MAX, u64::MAX).percent(), Some(100));
        assert_eq!(quota(u64::MAX, 1).percent(), Some(100));
    }

    #[test]
    fn sizes_are_cut_to_one_digit_after_the_point() {
        assert_eq!(size(0), (0, 0, 0));
        assert_eq!(size(999), (999, 0, 0));
        assert_eq!(size(1_000), (1, 0, 1));
        assert_eq!(size(2_550_000), (2, 5, 2));
        assert_eq!(size(7_999_999_999), (7, 9, 3));
        assert_eq!(size(u64::MAX).2, 4);
    }
}
