//! Points in time, as people and the formats of others write them.
//!
//! Days are counted in years that begin in March, so that the leap day stands
//! at the end, in the proleptic Gregorian calendar.

/// Seconds from the year 1, with which KeePass counts, to 1970.
pub const YEAR_ONE: u64 = 62_135_596_800;

/// Seconds since 1970 of a time like `2024-01-30T14:09:33.753Z`; the part
/// behind the seconds is not looked at, programs write UTC. `None` if it is
/// something else, or before 1970.
pub fn from_iso(text: &str) -> Option<u64> {
    let part = |range: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let between = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let bytes = text.as_bytes();
    if between.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
        return None;
    }
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let year = if month < 3 { year.checked_sub(1)? } else { year };
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    Some(days.checked_sub(719_468)? * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The day of seconds since 1970, in UTC, like `2024-01-30`.
pub fn date(epoch: u64) -> String {
    let days = epoch / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Seconds since 1970 as a time like `2024-01-30T14:09:33.000Z`.
pub fn to_iso(epoch: u64) -> String {
    let (day, seconds) = (date(epoch), epoch % 86_400);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{day}T{hour:02}:{minute:02}:{second:02}.000Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_date() {
        for (epoch, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(epoch), expected);
        }
    }

    #[test]
    fn times_go_both_ways() {
        for (epoch, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_706_623_773, "2024-01-30T14:09:33.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(to_iso(epoch), text);
            assert_eq!(from_iso(text), Some(epoch), "{text}");
        }
        assert_eq!(from_iso("2024-01-30T14:09:33Z"), Some(1_706_623_773));
        for day in 0..200_000 {
            assert_eq!(from_iso(&to_iso(day * 86_400 + 5)), Some(day * 86_400 + 5));
        }
        for wrong in [
            "",
            "2024",
            "2024-13-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2024-01-30 14:09:33",
            "é024-01-30T14:09:33Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(from_iso(wrong), None, "{wrong}");
        }
    }
}
