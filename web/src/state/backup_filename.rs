//! What a backup file is called.

/// `causeway-NAME-YEAR-MONTH-DAY.backup`. The day is a local calendar day, counted from 1970-01-01.
pub fn backup_filename(identifier: &str, day: i64) -> String {
    // A name may hold what no file system takes.
    let name: String = identifier
        .chars()
        .map(|char| if char.is_alphanumeric() || "-_.".contains(char) { char } else { '-' })
        .collect();
    let (year, month, day) = date(day);
    format!("causeway-{}-{year:04}-{month:02}-{day:02}.backup", name.trim_matches('.'))
}

/// Year, month and day of a day, in the Gregorian calendar; years begin in March here, so that a leap day is their
/// last.
fn date(day: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let since = day + 719_468;
    let (era, of_era) = (since.div_euclid(ERA), since.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days() {
        for (day, expected) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_412, (2025, 11, 20)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date(day), expected);
        }
    }

    #[test]
    fn a_name_becomes_one_that_every_file_system_takes() {
        assert_eq!(backup_filename("alice", 0), "causeway-alice-1970-01-01.backup");
        assert_eq!(backup_filename("Büro X/../:*", 0), "causeway-Büro-X-..----1970-01-01.backup");
    }
}
