//! Cron expressions against what two other programs say: croniter (which Airflow uses) in UTC, and cronsim (which
//! follows Debian's cron) around changes of the clocks. The vectors are made by data/make_cron_vectors.py.

use flow_core::{Timestamp, dag::Dialect, timetable::Timetable};

const UTC: &str = include_str!("data/cron_utc.tsv");
const ZONES: &str = include_str!("data/cron_zones.tsv");

/// Expressions that mean something else here, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("20-10/3 * * * *", "croniter loses a step where the range wraps around; here the steps go on evenly"),
    ("0 0 30W * *", "croniter takes the last day of a shorter month; here such a month has no 30th"),
];

/// Vectors in which cronsim leaves out times that the clocks do show, on the days after a half-hour change.
const CRONSIM_MISSES: &[(&str, &str, &str)] = &[
    ("Australia/Lord_Howe", "*/15 0 * * *", "2026-10-03T03:00:00"),
    ("Australia/Lord_Howe", "15 */2 * * *", "2027-04-03T03:00:00"),
    ("Australia/Lord_Howe", "*/15 0 * * *", "2027-04-03T03:00:00"),
];

fn timetable(expression: &str, zone: &str) -> Timetable {
    // Seven fields exist in Airflow's documents only.
    let dialect = if expression.split(' ').count() == 7 { Dialect::Airflow } else { Dialect::Flow };
    Timetable::parse(&expression.into(), zone, dialect)
        .unwrap_or_else(|error| panic!("{expression}: {error} ({:?})", error.help))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}Z")).unwrap_or_else(|| panic!("{text}"))
}

/// Compares, and goes back the same way; returns a complaint.
fn compare(expression: &str, zone: &str, start: &str, expected: &[&str]) -> Option<String> {
    let timetable = timetable(expression, zone);
    let count = expected.iter().filter(|moment| **moment != "end").count();
    let found: Vec<Timestamp> = timetable.upcoming(at(start)).take(count).map(|moment| moment.run_after).collect();
    let expected: Vec<Timestamp> = expected.iter().take(count).map(|moment| at(moment)).collect();
    if found != expected {
        let show = |moments: &[Timestamp]| moments.iter().map(Timestamp::to_string).collect::<Vec<_>>().join(" ");
        return Some(format!(
            "{expression} in {zone} after {start}\n  here  {}\n  there {}",
            show(&found),
            show(&expected)
        ));
    }
    for pair in found.windows(2) {
        let back = timetable.prev_before(pair[1]).map(|moment| moment.run_after);
        assert_eq!(back, Some(pair[0]), "{expression} in {zone}, backward");
    }
    None
}

#[test]
fn cron_in_utc_is_what_airflow_makes_of_it() {
    let (mut wrong, mut lines) = (Vec::new(), 0);
    for line in UTC.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (expression, start, expected) = (fields[0], fields[1], &fields[2..]);
        if DIFFERENT.iter().any(|(different, _)| *different == expression) {
            continue;
        }
        lines += 1;
        wrong.extend(compare(expression, "UTC", start, expected));
    }
    assert!(wrong.is_empty(), "{} of {lines}\n{}", wrong.len(), wrong.join("\n"));
    assert!(lines > 1000, "only {lines} vectors");
}

#[test]
fn cron_at_clock_changes_is_what_debians_cron_does() {
    let (mut wrong, mut lines) = (Vec::new(), 0);
    for line in ZONES.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (zone, expression, start, expected) = (fields[0], fields[1], fields[2], &fields[3..]);
        if CRONSIM_MISSES.contains(&(zone, expression, start)) {
            continue;
        }
        lines += 1;
        wrong.extend(compare(expression, zone, start, expected));
    }
    assert!(wrong.is_empty(), "{} of {lines}\n{}", wrong.len(), wrong.join("\n"));
    assert!(lines > 200, "only {lines} vectors");
}
