//! Times in ISO 8601, from the numbers that databases send.

const DAY: i64 = 86_400_000_000;

/// Days since 2000-01-01, Postgres' first day.
pub(crate) fn pg_date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        days => date(i64::from(days) + 10_957),
    }
}

/// Microseconds since 2000-01-01.
pub(crate) fn pg_timestamp(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        micros => format!("{}T{}{zone}", date(micros.div_euclid(DAY) + 10_957), clock(micros.rem_euclid(DAY))),
    }
}

/// Microseconds since midnight.
pub(crate) fn clock(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let fraction = micros % 1_000_000;
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { text } else { format!("{text}.{fraction:06}") }
}

/// Seconds east of Greenwich.
pub(crate) fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A duration such as `P1Y2M3DT4H5M6.5S`.
pub(crate) fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut text = "P".to_owned();
    for (count, unit) in [(months / 12, 'Y'), (months % 12, 'M'), (days, 'D')] {
        if count != 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if micros != 0 {
        text.push('T');
        let seconds = micros / 1_000_000;
        for (count, unit) in [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M')] {
            if count != 0 {
                text.push_str(&format!("{count}{unit}"));
            }
        }
        let (rest, fraction) = (seconds % 60, micros % 1_000_000);
        if fraction != 0 {
            let sign = if micros < 0 { "-" } else { "" };
            let digits = format!("{:06}", fraction.abs());
            text.push_str(&format!("{sign}{}.{}S", rest.abs(), digits.trim_end_matches('0')));
        } else if rest != 0 {
            text.push_str(&format!("{rest}S"));
        }
    }
    if text == "P" { "PT0S".to_owned() } else { text }
}

/// Days since 1970-01-01, in the Gregorian calendar: years of March to February, in eras of 400.
fn date(days: i64) -> String {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    if year > 0 { format!("{year:04}-{month:02}-{day:02}") } else { format!("{:04}-{month:02}-{day:02} BC", 1 - year) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_iso_8601() {
        assert_eq!(pg_date(0), "2000-01-01");
        assert_eq!(pg_date(59), "2000-02-29");
        assert_eq!(pg_date(-1), "1999-12-31");
        assert_eq!(pg_date(9_497), "2026-01-01");
        assert_eq!(pg_timestamp(-1, ""), "1999-12-31T23:59:59.999999");
        assert_eq!(pg_timestamp(0, "+00:00"), "2000-01-01T00:00:00+00:00");
        assert_eq!(offset(-5 * 3600 - 1800), "-05:30");
        for (parts, expected) in [
            ((0, 0, 0), "PT0S"),
            ((14, 3, 3_661_000_000), "P1Y2M3DT1H1M1S"),
            ((0, 0, -1_500_000), "PT-1.5S"),
            ((0, 0, 60_000_000), "PT1M"),
        ] {
            assert_eq!(interval(parts.0, parts.1, parts.2), expected);
        }
    }
}
