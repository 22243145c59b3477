use serde_json::{Value, json};

use super::*;
use crate::time::parse_time;

fn parse(schedule: Value, zone: &str) -> Timetable {
    let shown = schedule.to_string();
    Timetable::parse(&schedule, zone, Dialect::Flow).unwrap_or_else(|error| panic!("{shown}: {error}"))
}

fn at(text: &str) -> Timestamp {
    parse_time(text, "UTC").unwrap()
}

fn times(moments: impl Iterator<Item = Moment>) -> Vec<String> {
    moments.map(|moment| moment.run_after.to_string().trim_end_matches('Z').to_owned()).collect()
}

/// Checks the moments after a time, forward, and that going backward meets the same ones.
#[track_caller]
fn check(schedule: Value, zone: &str, after: &str, expected: &[&str]) {
    let timetable = parse(schedule.clone(), zone);
    let moments: Vec<Moment> = timetable.upcoming(at(after)).take(expected.len()).collect();
    assert_eq!(times(moments.iter().copied()), expected, "{schedule} in {zone} after {after}");
    for pair in moments.windows(2) {
        assert_eq!(timetable.prev_before(pair[1].run_after), Some(pair[0]), "{schedule} in {zone}, backward");
    }
}

#[track_caller]
fn check_error(schedule: Value, dialect: Dialect, route: &[&str], part: &str) {
    let error = Timetable::parse(&schedule, "UTC", dialect).expect_err(&schedule.to_string());
    assert!(error.message.contains(part), "{schedule}: {}", error.message);
    assert_eq!(error.route, route, "{schedule}: {}", error.message);
}

#[test]
fn cron_follows_vixies_rules_and_airflows_additions() {
    for (expression, after, expected) in [
        // Sunday is 0 and 7. 22 November 2026 is one.
        ("0 0 * * 0", "2026-11-20", ["2026-11-22T00:00:00", "2026-11-29T00:00:00"]),
        ("0 0 * * 7", "2026-11-20", ["2026-11-22T00:00:00", "2026-11-29T00:00:00"]),
        ("0 0 * * Sun", "2026-11-20", ["2026-11-22T00:00:00", "2026-11-29T00:00:00"]),
        // Day of month or day of week, when both are given; a star leaves the other one alone.
        ("0 0 13 * 5", "2026-11-20", ["2026-11-27T00:00:00", "2026-12-04T00:00:00"]),
        ("0 0 13 * 5", "2026-12-12", ["2026-12-13T00:00:00", "2026-12-18T00:00:00"]),
        ("0 0 13 * *", "2026-11-20", ["2026-12-13T00:00:00", "2027-01-13T00:00:00"]),
        ("0 0 13 * ?", "2026-11-20", ["2026-12-13T00:00:00", "2027-01-13T00:00:00"]),
        ("0 0 */1 * 5", "2026-11-20T01:00", ["2026-11-27T00:00:00", "2026-12-04T00:00:00"]),
        // Steps, ranges, lists, names.
        ("*/20 9 * * *", "2026-11-20T09:10", ["2026-11-20T09:20:00", "2026-11-20T09:40:00"]),
        ("5/25 9 * * *", "2026-11-20T09:10", ["2026-11-20T09:30:00", "2026-11-20T09:55:00"]),
        ("0 8-18/5 * * MON-FRI", "2026-11-20T12:30", ["2026-11-20T13:00:00", "2026-11-20T18:00:00"]),
        ("0 0 1 jan,Jul *", "2026-11-20", ["2027-01-01T00:00:00", "2027-07-01T00:00:00"]),
        // Ranges that wrap around.
        ("0 22-1 * * *", "2026-11-20T23:30", ["2026-11-21T00:00:00", "2026-11-21T01:00:00"]),
        ("0 0 * * FRI-MON", "2026-11-22T01:00", ["2026-11-23T00:00:00", "2026-11-27T00:00:00"]),
        ("0 0 1 nov-feb/2 *", "2026-11-20", ["2027-01-01T00:00:00", "2027-11-01T00:00:00"]),
        ("0 0 7-7 * *", "2026-11-20", ["2026-12-07T00:00:00", "2027-01-07T00:00:00"]),
        // Last days, nearest weekdays, counted weekdays.
        ("0 0 L * *", "2028-02-01", ["2028-02-29T00:00:00", "2028-03-31T00:00:00"]),
        ("0 0 LW * *", "2027-01-01", ["2027-01-29T00:00:00", "2027-02-26T00:00:00"]),
        ("0 0 15W * *", "2026-11-01", ["2026-11-16T00:00:00", "2026-12-15T00:00:00"]),
        ("0 0 1W * *", "2027-05-01", ["2027-05-03T00:00:00", "2027-06-01T00:00:00"]),
        ("0 0 * * 5#2", "2026-11-20", ["2026-12-11T00:00:00", "2027-01-08T00:00:00"]),
        ("0 0 * * FRI#5", "2026-11-20", ["2027-01-29T00:00:00", "2027-04-30T00:00:00"]),
        ("0 0 * * L5", "2026-11-20", ["2026-11-27T00:00:00", "2026-12-25T00:00:00"]),
        ("0 0 * * 5L", "2026-11-20", ["2026-11-27T00:00:00", "2026-12-25T00:00:00"]),
        ("0 0 29 2 *", "2026-11-20", ["2028-02-29T00:00:00", "2032-02-29T00:00:00"]),
        ("0 0 29 2 *", "2096-03-01", ["2104-02-29T00:00:00", "2108-02-29T00:00:00"]),
        // A sixth field is seconds.
        ("0 3 * * * */30", "2026-11-20T03:00:10", ["2026-11-20T03:00:30", "2026-11-21T03:00:00"]),
        // Presets.
        ("@hourly", "2026-11-20T08:45", ["2026-11-20T09:00:00", "2026-11-20T10:00:00"]),
        ("@daily", "2026-11-20T08:45", ["2026-11-21T00:00:00", "2026-11-22T00:00:00"]),
        ("@midnight", "2026-11-20T08:45", ["2026-11-21T00:00:00", "2026-11-22T00:00:00"]),
        ("@weekly", "2026-11-20T08:45", ["2026-11-22T00:00:00", "2026-11-29T00:00:00"]),
        ("@monthly", "2026-11-20T08:45", ["2026-12-01T00:00:00", "2027-01-01T00:00:00"]),
        ("@quarterly", "2026-11-20T08:45", ["2027-01-01T00:00:00", "2027-04-01T00:00:00"]),
        ("@yearly", "2026-11-20T08:45", ["2027-01-01T00:00:00", "2028-01-01T00:00:00"]),
        ("@Annually", "2026-11-20T08:45", ["2027-01-01T00:00:00", "2028-01-01T00:00:00"]),
    ] {
        check(expression.into(), "UTC", after, &expected);
    }
}

#[test]
fn a_fixed_time_in_the_gap_runs_at_the_first_instant_after_it() {
    // Berlin jumps from 02:00 to 03:00 at 01:00 UTC on 29 March 2026.
    let berlin = "Europe/Berlin";
    check(
        "30 2 * * *".into(),
        berlin,
        "2026-03-28",
        &["2026-03-28T01:30:00", "2026-03-29T01:00:00", "2026-03-30T00:30:00"],
    );
    check("0 2 * * *".into(), berlin, "2026-03-28T02:00", &["2026-03-29T01:00:00", "2026-03-30T00:00:00"]);
    check("30 1 * * *".into(), berlin, "2026-03-28T02:00", &["2026-03-29T00:30:00", "2026-03-29T23:30:00"]);
    check("0 3 * * *".into(), berlin, "2026-03-28T02:30", &["2026-03-29T01:00:00", "2026-03-30T01:00:00"]);
    // Several in the gap are one run, and one that also falls on its end is no second.
    check(
        "0,30 2,3 * * *".into(),
        berlin,
        "2026-03-29",
        &["2026-03-29T01:00:00", "2026-03-29T01:30:00", "2026-03-30T00:00:00"],
    );
    // Seconds do not make more of it.
    check("30 2 * * * 0,20,40".into(), berlin, "2026-03-29", &["2026-03-29T01:00:00", "2026-03-30T00:30:00"]);
    // Lord Howe jumps half an hour, 02:00 to 02:30 on 4 October 2026 (15:30 UTC the day before).
    check("15 2 * * *".into(), "Australia/Lord_Howe", "2026-10-03", &["2026-10-03T15:30:00", "2026-10-04T15:15:00"]);
    check("45 2 * * *".into(), "Australia/Lord_Howe", "2026-10-03", &["2026-10-03T15:45:00", "2026-10-04T15:45:00"]);
    // Where midnight does not exist, the day's run is at 01:00.
    check("0 0 * * *".into(), "America/Havana", "2027-03-13T06:00", &["2027-03-14T05:00:00", "2027-03-15T04:00:00"]);
    check("0 0 * * *".into(), "America/Sao_Paulo", "2018-11-03T12:00", &["2018-11-04T03:00:00", "2018-11-05T02:00:00"]);
    check("0 0 * * 0".into(), "Asia/Beirut", "2027-03-27T12:00", &["2027-03-27T22:00:00", "2027-04-03T21:00:00"]);
    // New York jumps from 02:00 to 03:00 at 07:00 UTC on 14 March 2027.
    check("30 2 * * *".into(), "America/New_York", "2027-03-13T12:00", &["2027-03-14T07:00:00", "2027-03-15T06:30:00"]);
}

#[test]
fn a_fixed_time_in_the_overlap_runs_in_the_first_pass_only() {
    // Berlin repeats 02:00 to 03:00 from 01:00 UTC on 25 October 2026.
    let berlin = "Europe/Berlin";
    check("30 2 * * *".into(), berlin, "2026-10-24T12:00", &["2026-10-25T00:30:00", "2026-10-26T01:30:00"]);
    check("0 2 * * *".into(), berlin, "2026-10-24T12:00", &["2026-10-25T00:00:00", "2026-10-26T01:00:00"]);
    check("0 3 * * *".into(), berlin, "2026-10-24T12:00", &["2026-10-25T02:00:00", "2026-10-26T02:00:00"]);
    check(
        "0,15,30,45 2 * * *".into(),
        berlin,
        "2026-10-25T00:20",
        &["2026-10-25T00:30:00", "2026-10-25T00:45:00", "2026-10-26T01:00:00"],
    );
    check("30 1 * * *".into(), "America/New_York", "2026-10-31T12:00", &["2026-11-01T05:30:00", "2026-11-02T06:30:00"]);
    check(
        "45 1 * * *".into(),
        "Australia/Lord_Howe",
        "2027-04-03T10:00",
        &["2027-04-03T14:45:00", "2027-04-04T15:15:00"],
    );
    check("0 0 * * *".into(), "America/Havana", "2027-11-06T12:00", &["2027-11-07T04:00:00", "2027-11-08T05:00:00"]);
    check(
        "30 23 * * *".into(),
        "America/Sao_Paulo",
        "2018-02-17T12:00",
        &["2018-02-18T01:30:00", "2018-02-19T02:30:00"],
    );
}

#[test]
fn a_job_with_a_star_or_step_follows_the_clock() {
    let berlin = "Europe/Berlin";
    // Nothing in the gap; no hour is longer or shorter.
    check(
        "30 * * * *".into(),
        berlin,
        "2026-03-29",
        &["2026-03-29T00:30:00", "2026-03-29T01:30:00", "2026-03-29T02:30:00"],
    );
    check("*/30 2 * * *".into(), berlin, "2026-03-28T12:00", &["2026-03-30T00:00:00", "2026-03-30T00:30:00"]);
    // Both passes of the overlap.
    check(
        "*/30 2 * * *".into(),
        berlin,
        "2026-10-25",
        &[
            "2026-10-25T00:00:00",
            "2026-10-25T00:30:00",
            "2026-10-25T01:00:00",
            "2026-10-25T01:30:00",
            "2026-10-26T01:00:00",
        ][1..],
    );
    check(
        "0 * * * *".into(),
        "Australia/Lord_Howe",
        "2027-04-03T13:30",
        &["2027-04-03T14:00:00", "2027-04-03T15:30:00", "2027-04-03T16:30:00"],
    );
    check(
        "*/30 * * * *".into(),
        "Australia/Lord_Howe",
        "2027-04-03T14:00",
        &["2027-04-03T14:30:00", "2027-04-03T15:00:00", "2027-04-03T15:30:00"],
    );
}

#[test]
fn forward_and_backward_agree_all_year_in_every_zone() {
    let expressions = ["30 2 * * *", "0 0 * * *", "15 */3 * * *", "*/45 * * * *", "0 1 1,15 * 1", "10 0,1,2,23 * * *"];
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Havana",
        "Asia/Beirut",
        "Africa/Casablanca",
        "Pacific/Apia",
    ];
    for zone in zones {
        for expression in expressions {
            let Timetable::CronTrigger { crons, .. } = parse(expression.into(), zone) else { panic!("{expression}") };
            let cron = &crons[0];
            let mut last = cron.next_after(at("2026-02-20")).unwrap();
            // Around both changes of the year, and a stretch in between.
            for start in ["2026-02-20", "2026-03-20", "2026-09-25", "2026-10-20"] {
                let mut moment = cron.next_after(at(start)).unwrap();
                for _ in 0..50 {
                    let next = cron.next_after(moment).unwrap();
                    assert!(next > moment);
                    assert_eq!(cron.prev_before(next), Some(moment), "{expression} in {zone} before {next}");
                    let between = Timestamp::from_micros(moment.as_micros().midpoint(next.as_micros()));
                    assert_eq!(cron.next_after(between), Some(next), "{expression} in {zone} after {between}");
                    assert_eq!(cron.prev_before(between), Some(moment), "{expression} in {zone} before {between}");
                    moment = next;
                }
                last = last.max(moment);
            }
            assert!(last > at("2026-10-20"));
        }
    }
}

#[test]
fn a_fixed_time_runs_exactly_once_on_each_local_day() {
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"] {
        for expression in ["0 0 * * *", "30 0 * * *", "15 1 * * *", "15 2 * * *", "0 3 * * *", "45 23 * * *"] {
            let timetable = parse(expression.into(), zone);
            let tz = crate::time::zone(zone).unwrap();
            let mut day = tz.to_datetime(at("2026-06-15T12:00").to_jiff()).date();
            let noon = Timestamp::from_jiff(day.at(12, 0, 0, 0).to_zoned(tz.clone()).unwrap().timestamp());
            for moment in timetable.upcoming(noon).take(400) {
                let date = tz.to_datetime(moment.run_after.to_jiff()).date();
                let expected =
                    if expression.starts_with("45 23") && date == day { day } else { day.tomorrow().unwrap() };
                assert_eq!(date, expected, "{expression} in {zone}");
                day = expected;
            }
        }
    }
}

#[test]
fn fractions_of_a_second_count() {
    let timetable = parse("0 3 * * *".into(), "UTC");
    let exact = at("2026-11-20T03:00");
    let just_before = Timestamp::from_micros(exact.as_micros() - 1);
    let just_after = Timestamp::from_micros(exact.as_micros() + 1);
    assert_eq!(timetable.next_after(just_before).unwrap().run_after, exact);
    assert_eq!(timetable.next_after(exact).unwrap().run_after, at("2026-11-21T03:00"));
    assert_eq!(timetable.prev_before(just_after).unwrap().run_after, exact);
    assert_eq!(timetable.prev_before(exact).unwrap().run_after, at("2026-11-19T03:00"));
}

#[test]
fn searches_end_at_the_ends_of_time() {
    let timetable = parse("0 0 29 2 *".into(), "Europe/Berlin");
    assert_eq!(timetable.next_after(Timestamp::MAX), None);
    assert_eq!(timetable.prev_before(Timestamp::MIN), None);
    assert!(timetable.prev_before(Timestamp::MAX).is_some());
    let years = json!({"uses": "airflow.timetables.trigger.CronTriggerTimetable",
        "with": {"cron": "0 0 1 1 * 0 2030", "timezone": "UTC"}});
    let once = Timetable::parse(&years, "UTC", Dialect::Airflow).unwrap();
    assert_eq!(times(once.upcoming(at("2026-01-01"))), ["2030-01-01T00:00:00"]);
    assert_eq!(once.prev_before(at("2030-01-01")), None);
}

#[test]
fn several_crons_make_one_run_at_each_moment() {
    check(
        json!(["0 3 * * *", "0 15 * * 1-5", "0 3 * * 5"]),
        "UTC",
        "2026-11-20",
        &[
            "2026-11-20T03:00:00",
            "2026-11-20T15:00:00",
            "2026-11-21T03:00:00",
            "2026-11-22T03:00:00",
            "2026-11-23T03:00:00",
            "2026-11-23T15:00:00",
        ],
    );
}

#[test]
fn intervals_are_fixed_or_count_months() {
    for (schedule, expected) in [
        ("30s", ["2026-01-31T00:00:30", "2026-01-31T00:01:00"]),
        ("PT5M", ["2026-01-31T00:05:00", "2026-01-31T00:10:00"]),
        ("1w", ["2026-02-07T00:00:00", "2026-02-14T00:00:00"]),
        ("P1M", ["2026-02-28T00:00:00", "2026-03-28T00:00:00"]),
        ("P1Y1D", ["2027-02-01T00:00:00", "2028-02-02T00:00:00"]),
    ] {
        let timetable = parse(schedule.into(), "Europe/Berlin");
        assert_eq!(times(timetable.upcoming(at("2026-01-31")).take(2)), expected, "{schedule}");
    }
    assert_eq!(parse("5m".into(), "UTC").prev_before(at("2026-01-31T00:05")).unwrap().run_after, at("2026-01-31"));
}

fn with(uses: &str, with: Value) -> Value {
    json!({"uses": uses, "with": with})
}

#[test]
fn a_trigger_covers_its_interval_and_a_data_interval_runs_at_its_end() {
    let dates = |schedule: Value| {
        let moment = parse(schedule, "UTC").next_after(at("2026-11-20T08:45")).unwrap();
        assert_eq!(moment.logical_date, moment.data_interval.start);
        (moment.logical_date, moment.data_interval.end, moment.run_after)
    };
    let (noon, yesterday, tomorrow) = (at("2026-11-20T12:00"), at("2026-11-20T00:00"), at("2026-11-21T00:00"));
    assert_eq!(dates("0 12 * * *".into()), (noon, noon, noon));
    assert_eq!(
        dates(with("CronTriggerTimetable", json!({"cron": "0 12 * * *", "interval": "12h"}))),
        (yesterday, noon, noon)
    );
    assert_eq!(dates(with("CronDataIntervalTimetable", json!({"cron": "@daily"}))), (yesterday, tomorrow, tomorrow));
    let (now, later) = (at("2026-11-20T08:45"), at("2026-11-20T09:45"));
    assert_eq!(dates(with("DeltaTriggerTimetable", json!({"delta": "1h"}))), (later, later, later));
    assert_eq!(dates(with("DeltaDataIntervalTimetable", json!({"delta": "1h"}))), (now, later, later));
    assert_eq!(
        dates(with("EventsTimetable", json!({"event_dates": ["2026-11-20T12:00", "2026-01-01"]}))),
        (noon, noon, noon)
    );
}

#[test]
fn runs_by_hand_cover_what_airflow_says() {
    let interval = |schedule: Value, when: &str| {
        let interval = parse(schedule, "UTC").manual_interval(at(when));
        [interval.start, interval.end].map(|moment| moment.to_string())
    };
    assert_eq!(interval("@daily".into(), "2026-11-20T08:45"), ["2026-11-20T08:45:00Z", "2026-11-20T08:45:00Z"]);
    let daily = with("CronDataIntervalTimetable", json!({"cron": "@daily"}));
    assert_eq!(interval(daily.clone(), "2026-11-20T08:45"), ["2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"]);
    assert_eq!(interval(daily, "2026-11-20T00:00"), ["2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"]);
    let hourly = with("DeltaDataIntervalTimetable", json!({"delta": "1h"}));
    assert_eq!(interval(hourly, "2026-11-20T08:45"), ["2026-11-20T07:45:00Z", "2026-11-20T08:45:00Z"]);
    let events =
        with("EventsTimetable", json!({"event_dates": ["2026-11-01", "2026-12-01"], "restrict_to_events": true}));
    assert_eq!(interval(events.clone(), "2026-11-20"), ["2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"]);
    assert_eq!(interval(events, "2026-10-20"), ["2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"]);
}

#[test]
fn two_ways_of_writing_a_schedule_are_one_schedule() {
    for (one, other) in [
        (json!("@daily"), json!("0 0 * * *")),
        (json!("0 3 * * 0"), json!("0  3 * *  sun")),
        (json!("0 3 * * 7"), json!("0 3 * * SUN,0")),
        (json!("0 9-11 * * *"), json!("0 9,10,11 * * *")),
        (json!("0 3 * * *"), json!(["0 3 * * *", "00 03 ? * ?"])),
        (json!("5m"), json!("PT300S")),
        (json!("5m"), with("DeltaTriggerTimetable", json!({"delta": 300}))),
        (json!("0 3 * * *"), with("CronTriggerTimetable", json!({"cron": "0 3 * * *", "timezone": "UTC"}))),
        (json!("0 3 * * *"), with("airflow.sdk.CronTriggerTimetable", json!({"expression": "0 3 * * *"}))),
        (Value::Null, with("NullTimetable", json!({}))),
    ] {
        let (left, right) = (parse(one, "UTC"), parse(other, "UTC"));
        assert_eq!(left, right);
        assert_eq!(serde_json::to_value(&left).unwrap(), serde_json::to_value(&right).unwrap());
    }
    let (daily, berlin) = (parse("@daily".into(), "UTC"), parse("@daily".into(), "Europe/Berlin"));
    assert_ne!(daily, berlin);
    assert_ne!(serde_json::to_value(&daily).unwrap(), serde_json::to_value(&berlin).unwrap());
    // The same minutes, but one of them follows the clock at a change.
    assert_ne!(parse("0 0,12 * * *".into(), "UTC"), parse("0 */12 * * *".into(), "UTC"));
}

#[test]
fn what_is_wrong_with_a_cron_names_the_field_and_what_is_allowed() {
    for (expression, part) in [
        ("0 3 * *", "five fields (minute, hour, day of month, month, day of week), `0 3 * *` has 4"),
        ("0 3 * * * * * *", "has 8"),
        ("0 3 * * * 0 2030", "this one has 7"),
        ("60 * * * *", "minute must be 0 to 59, not `60`"),
        ("* 24 * * *", "hour must be 0 to 23, not `24`"),
        ("* * 0 * *", "day of month must be 1 to 31, not `0`"),
        ("* * 32 * *", "day of month must be 1 to 31, not `32`"),
        ("* * * 13 *", "month must be 1 to 12 or jan to dec, not `13`"),
        ("* * * january *", "month must be 1 to 12 or jan to dec, not `JANUARY`"),
        ("* * * * 8", "day of week must be 0 to 7 or sun to sat, not `8`"),
        ("* * * * 1-9", "day of week must be 0 to 7 or sun to sat, not `9` in `1-9`"),
        ("* * * * * 60", "second must be 0 to 59, not `60`"),
        ("*/0 * * * *", "minute has the step 0 in `*/0`"),
        ("*/x * * * *", "minute must have a number after `/`, not `X`"),
        ("*/ * * * *", "minute must have a number after `/`"),
        ("1//2 * * * *", "minute must have a number after `/`"),
        ("1, * * * *", "minute has a comma too many in `1,`"),
        ("-1 * * * *", "minute must be 0 to 59"),
        ("1-2-3 * * * *", "minute must be 0 to 59, not `2-3` in `1-2-3`"),
        ("** * * * *", "minute must be 0 to 59, not `**`"),
        ("? * * * *", "minute must be 0 to 59, not `?`"),
        ("/5 * * * *", "minute must be 0 to 59"),
        ("1.5 * * * *", "minute must be 0 to 59, not `1.5`"),
        ("٣ * * * *", "minute must be 0 to 59"),
        ("H H * * *", "minute must be 0 to 59, not `H`"),
        ("* * W * *", "day of month must be 1 to 31, not `W`"),
        ("* * L-3 * *", "day of month must be 1 to 31, not `L-3`"),
        ("* * 32W * *", "day of month must be 1 to 31, not `32W`"),
        ("* * L,LW * *", "`L` or `LW`, not both"),
        ("* * * * L", "day of week must say which day is last"),
        ("* * * * 5#6", "day of week must have 1 to 5 after `#`, not `6` in `5#6`"),
        ("* * * * 1-5#2", "day of week must be 0 to 7 or sun to sat, not `1-5`"),
        ("L * * * *", "minute must be 0 to 59, not `L`"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("0 0 30,31 feb *", "never fires"),
    ] {
        check_error(expression.into(), Dialect::Flow, &[], part);
    }
}

#[test]
fn what_is_no_schedule_is_refused() {
    for (schedule, route, part) in [
        (json!(""), &[][..], "must not be empty"),
        (json!("  "), &[], "must not be empty"),
        (json!("@dayly"), &[], "`@dayly` is no preset; there are @once, @continuous"),
        (json!("daily"), &[], "`schedule` must be a cron expression"),
        (json!("5x"), &[], "not `5x`"),
        (json!("0s"), &[], "longer than nothing"),
        (json!("90"), &[], "needs a unit"),
        (json!("-5m"), &[], "not `-5m`"),
        (json!("37000d"), &[], "`schedule` must be"),
        (json!(5), &[], "must not be `5`"),
        (json!(true), &[], "must not be `true`"),
        (json!([]), &[], "must hold 1 to 100, not 0"),
        (json!(["0 3 * * *", "61 * * * *"]), &["1"], "minute must be"),
        (json!(["0 3 * * *", 5]), &["1"], "not a number"),
        (json!(["@once"]), &["0"], "stands alone"),
        (json!({"assets": ["a"]}), &["assets"], "not supported yet"),
        (json!({"any": ["a"]}), &["any"], "not supported yet"),
        (json!({"kafka": {}}), &["kafka"], "needs `topic`"),
        (json!({"kafka": {"topic": "t"}}), &["kafka"], "needs `group_id`"),
        (json!({"kafka": "t"}), &["kafka"], "must be a map with `topic`"),
        (
            json!({"kafka": {"topic": "t", "group": "g"}}),
            &["kafka", "group"],
            "`group` is not a key of a schedule by Kafka",
        ),
        (
            json!({"kafka": {"topic": "t", "group_id": "g", "max_messages": 0}}),
            &["kafka", "max_messages"],
            "from 1 to 10000",
        ),
        (json!({"kafka": {"topic": "t", "group_id": "g", "max_wait": "soon"}}), &["kafka", "max_wait"], "soon"),
        (json!({"kafka": {"topic": "t", "group_id": "g"}, "uses": "x"}), &["uses"], "`kafka` stands alone"),
        (json!({"use": "x"}), &["use"], "`use` is not a key of a schedule"),
        (json!({}), &[], "needs `uses`"),
        (json!({"uses": "CronTimetable"}), &["uses"], "there is no timetable `CronTimetable`"),
        (json!({"uses": "CronPartitionTimetable"}), &["uses"], "not supported yet"),
        (json!({"uses": "airflow.sdk.OnceTimetable"}), &["uses"], "there is no timetable"),
        (json!({"uses": "OnceTimetable", "with": {"a": 1}}), &["with", "a"], "takes no arguments"),
        (json!({"uses": "OnceTimetable", "with": []}), &["with"], "must be a map, not a list"),
        (with("CronTriggerTimetable", json!({})), &["with"], "needs `cron`"),
        (with("CronTriggerTimetable", json!({"cron": 5})), &["with", "cron"], "not a number"),
        (with("CronTriggerTimetable", json!({"cron": "0 25 * * *"})), &["with", "cron"], "hour must be"),
        (
            with("CronTriggerTimetable", json!({"cron": "@daily", "zone": "UTC"})),
            &["with", "zone"],
            "it takes cron, timezone",
        ),
        (
            with("CronTriggerTimetable", json!({"cron": "@daily", "timezone": "Europe/Berln"})),
            &["with", "timezone"],
            "not a known time zone",
        ),
        (with("CronTriggerTimetable", json!({"cron": "@daily", "interval": "1x"})), &["with", "interval"], "not `1x`"),
        (
            with("CronTriggerTimetable", json!({"cron": "@daily", "run_immediately": "x"})),
            &["with", "run_immediately"],
            "duration",
        ),
        (
            with("CronDataIntervalTimetable", json!({"cron": "@daily", "interval": "1d"})),
            &["with", "interval"],
            "not an argument",
        ),
        (with("DeltaTriggerTimetable", json!({})), &["with"], "needs `delta`"),
        (with("DeltaTriggerTimetable", json!({"delta": 0})), &["with", "delta"], "longer than nothing"),
        (with("DeltaTriggerTimetable", json!({"delta": 1.5})), &["with", "delta"], "whole number"),
        (with("DeltaTriggerTimetable", json!({"delta": 99_999_999_999_u64})), &["with", "delta"], "36500d"),
        (with("MultipleCronTriggerTimetable", json!({})), &["with"], "needs `crons`"),
        (with("MultipleCronTriggerTimetable", json!({"crons": ["x y"]})), &["with", "crons", "0"], "five fields"),
        (with("EventsTimetable", json!({})), &["with"], "needs `event_dates`"),
        (
            with("EventsTimetable", json!({"event_dates": ["2026-01-01", "soon"]})),
            &["with", "event_dates", "1"],
            "not `soon`",
        ),
    ] {
        check_error(schedule, Dialect::Flow, route, part);
    }
    let help =
        |schedule: Value| Timetable::parse(&schedule, "UTC", Dialect::Flow).unwrap_err().help.unwrap_or_default();
    assert_eq!(help(json!("@dayly")), "did you mean `@daily`?");
    assert_eq!(help(json!("daily")), "did you mean `@daily`?");
    assert_eq!(help(json!({"uses": "CronTrigerTimetable"})), "did you mean `CronTriggerTimetable`?");
    assert_eq!(
        help(with("CronTriggerTimetable", json!({"cron": "@daily", "timezone": "Europe/Berln"}))),
        "did you mean `Europe/Berlin`?"
    );
    assert_eq!(help(json!("none")), "write `null` without quotes for a DAG without schedule");
}

#[test]
fn a_hostile_schedule_costs_little() {
    let long = "1,".repeat(100_000) + " * * * *";
    check_error(long.into(), Dialect::Flow, &[], "at most 1000 characters");
    check_error("9".repeat(500).into(), Dialect::Flow, &[], "`schedule` must be");
    check_error(json!(vec!["@daily"; 101]), Dialect::Flow, &[], "not 101");
    let events = with("EventsTimetable", json!({"event_dates": vec!["2026-01-01"; 10_001]}));
    check_error(events, Dialect::Flow, &["with", "event_dates"], "at most 10000");
}

#[test]
fn airflows_documents_take_what_airflow_takes() {
    let airflow = |schedule: Value| Timetable::parse(&schedule, "UTC", Dialect::Airflow);
    for schedule in [
        Value::Null,
        json!("@once"),
        json!("@continuous"),
        json!("@Daily"),
        json!("@midnight"),
        json!("0 3 * * * 30"),
        json!("0 3 * * * 30 2030"),
        json!("0 3 * * * 0 2026-2030"),
        json!("0 0 30 2 *"),
        json!("0 0 * * L5"),
        json!("0 0 W15 * *"),
        json!("0 0 1,L * *"),
        json!("*,5 * * * *"),
        json!("*/70 * * * *"),
        json!(" 0 3 * * * "),
        with(
            "airflow.timetables.trigger.CronTriggerTimetable",
            json!({"cron": "0 3 * * *", "timezone": "UTC", "interval": "1d", "run_immediately": "1h"}),
        ),
        with("airflow.sdk.CronTriggerTimetable", json!({"expression": "0 3 * * *", "timezone": "UTC"})),
        with(
            "airflow.sdk.definitions.timetables.interval.CronDataIntervalTimetable",
            json!({"expression": "0 3 * * *", "timezone": "UTC"}),
        ),
        with("airflow.timetables.interval.DeltaDataIntervalTimetable", json!({"delta": "P1M"})),
        with("airflow.timetables.events.EventsTimetable", json!({"event_dates": []})),
        with("airflow.timetables.simple.NullTimetable", json!({})),
    ] {
        assert!(airflow(schedule.clone()).is_ok(), "{schedule}: {:?}", airflow(schedule.clone()));
    }
    assert_eq!(airflow(json!("0 0 30 2 *")).unwrap().next_after(at("2026-01-01")), None);
    for (schedule, route, part) in [
        (json!("@Once"), &[][..], "is no preset"),
        (json!("5m"), &[], "not allowed in Airflow's documents"),
        (json!("PT5M"), &[], "not allowed in Airflow's documents"),
        (json!(["0 3 * * *"]), &[], "not allowed in Airflow's documents"),
        (json!("0 0 * * 5L"), &[], "write `L5`"),
        (json!("0 0 LW * *"), &[], "`LW`"),
        (json!("0 0 1W,15W * *"), &[], "`W` in a list"),
        (json!("0 0 * * 1,5#2"), &[], "plain days beside"),
        (json!("0 3 * * * 0 1900"), &[], "year must be 1970 to 2099"),
        (json!({"uses": "CronTriggerTimetable"}), &["uses"], "full path"),
        (json!({"uses": "airflow.sdk.OnceTimetable"}), &["uses"], "there is no timetable"),
        (
            with(
                "airflow.timetables.trigger.CronTriggerTimetable",
                json!({"expression": "0 3 * * *", "timezone": "UTC"}),
            ),
            &["with", "expression"],
            "not an argument",
        ),
        (
            with("airflow.sdk.CronTriggerTimetable", json!({"cron": "0 3 * * *", "timezone": "UTC"})),
            &["with", "cron"],
            "not an argument",
        ),
        (with("airflow.sdk.CronTriggerTimetable", json!({"expression": "0 3 * * *"})), &["with"], "needs `timezone`"),
        (with("airflow.sdk.DeltaTriggerTimetable", json!({"delta": 300})), &["with", "delta"], "not a number"),
        (
            with("airflow.sdk.MultipleCronTriggerTimetable", json!({"crons": ["@daily"], "timezone": "UTC"})),
            &["uses"],
            "cannot hand",
        ),
    ] {
        check_error(schedule, Dialect::Airflow, route, part);
    }
}

#[test]
fn schedules_are_described_in_words() {
    for (schedule, words) in [
        (Value::Null, "never by itself"),
        (json!("@once"), "once, as soon as possible"),
        (json!("@continuous"), "again as soon as the last run has ended"),
        (json!("5m"), "every 5m"),
        (json!("P1M"), "every month"),
        (json!("0 3 * * *"), "at 03:00 every day, Europe/Berlin"),
        (json!("@daily"), "at 00:00 every day, Europe/Berlin"),
        (json!("@hourly"), "every hour, Europe/Berlin"),
        (json!("* * * * *"), "every minute, Europe/Berlin"),
        (json!("*/5 * * * *"), "every 5 minutes, Europe/Berlin"),
        (json!("30 * * * *"), "every hour at :30, Europe/Berlin"),
        (json!("0 */6 * * *"), "every 6 hours, Europe/Berlin"),
        (json!("0 9,17 * * 1-5"), "at 09:00 and 17:00 Monday to Friday, Europe/Berlin"),
        (json!("0 3 * * SUN"), "at 03:00 on Sundays, Europe/Berlin"),
        (json!("0 0 1 * *"), "at 00:00 on day 1 of the month, Europe/Berlin"),
        (json!("0 0 L * *"), "at 00:00 on the last day of the month, Europe/Berlin"),
        (json!("0 0 1 1 *"), "at 00:00 on day 1 of the month in January, Europe/Berlin"),
        (json!("0 0 LW * *"), "at 00:00 on the last weekday of the month, Europe/Berlin"),
        (json!("0 0 15W 6 *"), "at 00:00 on the weekday nearest to day 15 of the month in June, Europe/Berlin"),
        (json!("0 0 1,L * *"), "at 00:00 on day 1 and the last day of the month, Europe/Berlin"),
        (json!("0 0 * * 5#2"), "at 00:00 on the second Friday of the month, Europe/Berlin"),
        (json!("0 0 * * L5"), "at 00:00 on the last Friday of the month, Europe/Berlin"),
        (json!("0 9-17 * * 1-5"), "every hour from 09:00 to 17:00 Monday to Friday, Europe/Berlin"),
        (json!("30 9-17 * * *"), "every hour from 09:30 to 17:30 every day, Europe/Berlin"),
        (json!("*/15 9-16 * * *"), "every 15 minutes from 09:00 to 16:45 every day, Europe/Berlin"),
        (json!("0 0 13 * 0-6"), "at 00:00 every day, Europe/Berlin"),
        (json!("0 0 13 * 5"), "at 00:00 on day 13 of the month and on Fridays, Europe/Berlin"),
        (json!(["0 3 * * *", "0 15 * * 1-5"]), "at 03:00 every day; at 15:00 Monday to Friday, Europe/Berlin"),
        (
            with("CronDataIntervalTimetable", json!({"cron": "@daily", "timezone": "UTC"})),
            "at 00:00 every day, UTC, for the interval before",
        ),
        (with("DeltaDataIntervalTimetable", json!({"delta": "1h"})), "every 1h, for the interval before"),
        (with("EventsTimetable", json!({"event_dates": ["2026-01-01T00:00Z"]})), "once, at 2026-01-01T00:00:00Z"),
    ] {
        assert_eq!(parse(schedule.clone(), "Europe/Berlin").describe(), words, "{schedule}");
    }
    // Whatever it is, it is said in one line that is no empty phrase.
    for schedule in ["0 0 * * 5#2", "0 0 15W 1-6 *", "*/7 3-5 * * *", "0 0 * * 1 30", "0 0 */10 * *", "0 0 13 * 0-6"] {
        let words = parse(schedule.into(), "UTC").describe();
        assert!(words.len() > 15 && !words.contains('\n'), "{schedule}: {words}");
    }
    assert_eq!(parse(json!(["0 3 * * *", "@daily"]), "UTC").summary().unwrap(), "0 3 * * *, @daily");
}

/// Text made of what cron expressions are made of, sensible and not.
#[test]
fn no_text_makes_reading_or_searching_stumble() {
    let words = [
        "*", "?", "L", "LW", "W", "15W", "W31", "0", "1", "5", "7", "12", "23", "59", "60", "99999", "-", "/", ",",
        "#", "5#2", "L5", "5L", "mon", "FRI", "jan", "*/2", "*/7", "1-5", "22-2", "fri-mon", "5/15", "2030", "@daily",
        "@", "é", "PT5M", "1h", "", "1-1", "30", "31", "29", "2",
    ];
    let zones = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana"];
    let mut state = 88_172_645_463_325_252_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let (mut read, mut refused) = (0, 0);
    for round in 0..20_000 {
        let field = |below: &mut dyn FnMut(usize) -> usize| match below(6) {
            0..3 => "*".to_owned(),
            3 | 4 => words[below(words.len())].to_owned(),
            _ => format!("{}{}{}", words[below(words.len())], ["", ",", "-", "/"][below(4)], words[below(words.len())]),
        };
        let count = [5, 5, 5, 5, 6, 7, 1, 4][below(8)];
        let text = (0..count).map(|_| field(&mut below)).collect::<Vec<_>>().join(" ");
        let dialect = if round % 2 == 0 { Dialect::Flow } else { Dialect::Airflow };
        let zone = zones[below(zones.len())];
        let start = at("2026-03-28T23:10") + std::time::Duration::from_secs(below(400 * 86_400) as u64);
        let Ok(timetable) = Timetable::parse(&text.clone().into(), zone, dialect) else {
            refused += 1;
            continue;
        };
        read += 1;
        let moments: Vec<Timestamp> = timetable.upcoming(start).take(3).map(|moment| moment.run_after).collect();
        assert!(moments.is_sorted_by(|a, b| a < b), "{text} in {zone}");
        for pair in moments.windows(2) {
            assert_eq!(timetable.prev_before(pair[1]).unwrap().run_after, pair[0], "{text} in {zone}");
        }
        assert!(!timetable.describe().is_empty(), "{text}");
    }
    assert!(read > 1000 && refused > 1000, "{read} read, {refused} refused");
}
