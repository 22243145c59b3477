use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::{DagId, dag::Dialect, engine::LastRun, run::DataInterval, time::parse_time};

fn at(text: &str) -> Timestamp {
    parse_time(text, "UTC").unwrap()
}

/// A DAG without tasks and with this schedule, in UTC.
fn dag(schedule: impl Into<Value>) -> Dag {
    Dag {
        id: DagId::from("d"),
        dialect: Dialect::Flow,
        display_name: None,
        description: None,
        doc_md: None,
        tags: Vec::new(),
        owner_links: BTreeMap::new(),
        access_control: None,
        timetable: Timetable::parse(&schedule.into(), "UTC", Dialect::Flow).unwrap(),
        timezone: "UTC".to_owned(),
        start_date: None,
        end_date: None,
        catchup: false,
        catchup_window: None,
        max_active_runs: 16,
        max_active_tasks: 16,
        max_consecutive_failed_dag_runs: 0,
        dagrun_timeout: None,
        fail_fast: false,
        is_paused_upon_creation: None,
        params: BTreeMap::new(),
        render_template_as_native_obj: false,
        overlap_policy: OverlapPolicy::Queue,
        groups: Vec::new(),
        callbacks: crate::dag::Callbacks::default(),
        notifications: Default::default(),
        tasks: Vec::new(),
    }
}

fn from(start_date: &str, dag: Dag) -> Dag {
    Dag { start_date: Some(at(start_date)), ..dag }
}

fn until(end_date: &str, dag: Dag) -> Dag {
    Dag { end_date: Some(at(end_date)), ..dag }
}

fn catchup(dag: Dag) -> Dag {
    Dag { catchup: true, ..dag }
}

/// First seen then, and never run.
fn seen(enabled_at: &str) -> RunHistory {
    RunHistory { enabled_at: Some(at(enabled_at)), ..RunHistory::default() }
}

/// The last run was at this moment and ended a second later.
fn ran(moment: &str) -> RunHistory {
    ran_for(moment, moment)
}

/// The last run covered this interval and ended a second after it began.
fn ran_for(start: &str, end: &str) -> RunHistory {
    let (start, end) = (at(start), at(end));
    let ended_at = Some(end + Duration::from_secs(1));
    let last = LastRun { logical_date: start, data_interval: DataInterval { start, end }, run_after: end, ended_at };
    RunHistory { last: Some(last), active: 0, busy_until: ended_at, enabled_at: Some(at("2026-01-01")) }
}

fn active(active: u32, history: RunHistory) -> RunHistory {
    let last = history.last.map(|last| LastRun { ended_at: None, ..last });
    RunHistory { active, last, ..history }
}

/// Writes a moment without seconds, or without time of day, if they are zero.
fn show(moment: Timestamp) -> String {
    let text = moment.to_string();
    let text = text.trim_end_matches('Z');
    let short = text.strip_suffix(":00").unwrap_or(text);
    short.strip_suffix("T00:00").unwrap_or(short).to_owned()
}

fn after(run: &NewRun) -> String {
    show(run.run_after)
}

/// What is asked for, in short: the runs; then what comes next, or why nothing does.
fn brief(new: &NewRuns) -> (Vec<String>, String) {
    let next = match (&new.next, new.is_blocked, new.cancel_active) {
        (Some(next), false, false) => after(next),
        (None, true, false) => "blocked".to_owned(),
        (None, true, true) => "cancel".to_owned(),
        (None, false, false) => "never".to_owned(),
        other => panic!("{other:?}"),
    };
    (new.runs.iter().map(after).collect(), next)
}

#[track_caller]
fn check(dag: &Dag, history: &RunHistory, now: &str, runs: &[&str], next: &str) {
    let new = due_runs(dag, history, at(now));
    let runs: Vec<String> = runs.iter().map(|run| (*run).to_owned()).collect();
    assert_eq!(brief(&new), (runs, next.to_owned()));
    assert_eq!(due_runs(dag, history, at(now)), new, "asked twice");
    for run in &new.runs {
        assert!(run.run_after <= at(now));
        assert_eq!(run.run_type, RunType::Scheduled);
        assert_eq!(run.run_id.as_str(), format!("scheduled__{}", run.logical_date.unwrap().to_isoformat()));
    }
}

#[test]
fn a_run_is_named_by_its_logical_date() {
    let history = ran("2026-11-19T03:00");
    let run = due_runs(&dag("0 3 * * *"), &history, at("2026-11-20T03:00:00.25")).runs.remove(0);
    let moment = at("2026-11-20T03:00");
    assert_eq!(run.run_id.as_str(), "scheduled__2026-11-20T03:00:00+00:00");
    assert_eq!((run.logical_date, run.run_after), (Some(moment), moment));
    assert_eq!(run.data_interval, Some(DataInterval { start: moment, end: moment }));
}

#[test]
fn without_schedule_there_is_never_a_run() {
    check(&from("2020-01-01", catchup(dag(Value::Null))), &seen("2026-01-01"), "2026-11-20", &[], "never");
}

#[test]
fn without_start_date_nothing_before_the_dag_was_seen_is_due() {
    let daily = dag("0 3 * * *");
    check(&daily, &seen("2026-11-20T08:00"), "2026-11-20T08:00", &[], "2026-11-21T03:00");
    check(&daily, &seen("2026-11-20T03:00"), "2026-11-20T03:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
    check(&daily, &seen("2026-11-18T08:00"), "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
    let all = catchup(daily);
    check(&all, &seen("2026-11-20T08:00"), "2026-11-20T08:00", &[], "2026-11-21T03:00");
    check(
        &all,
        &seen("2026-11-18T08:00"),
        "2026-11-20T08:00",
        &["2026-11-19T03:00", "2026-11-20T03:00"],
        "2026-11-21T03:00",
    );
}

#[test]
fn when_nobody_knows_since_when_the_newest_moment_is_due() {
    for daily in [dag("0 3 * * *"), catchup(dag("0 3 * * *"))] {
        check(&daily, &RunHistory::default(), "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
    }
}

#[test]
fn without_catchup_only_the_newest_missed_moment_is_due() {
    let daily = from("2026-01-01", dag("0 3 * * *"));
    check(&daily, &seen("2026-11-20T08:00"), "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
    check(&daily, &ran("2026-11-10T03:00"), "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
    check(&daily, &ran("2026-11-20T03:00"), "2026-11-20T08:00", &[], "2026-11-21T03:00");
    check(&dag("0 3 * * *"), &ran("2026-11-10T03:00"), "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
}

#[test]
fn with_catchup_every_missed_moment_is_due_oldest_first() {
    let daily = catchup(from("2026-11-17T03:00", dag("0 3 * * *")));
    let missed = ["2026-11-17T03:00", "2026-11-18T03:00", "2026-11-19T03:00", "2026-11-20T03:00"];
    check(&daily, &seen("2026-11-20T08:00"), "2026-11-20T08:00", &missed, "2026-11-21T03:00");
    check(&daily, &ran("2026-11-18T03:00"), "2026-11-20T08:00", &missed[2..], "2026-11-21T03:00");
    check(&daily, &ran("2026-11-20T03:00"), "2026-11-20T08:00", &[], "2026-11-21T03:00");
}

#[test]
fn catchup_reaches_back_as_far_as_its_window() {
    let window = Some(Duration::from_secs(36 * 3600));
    let daily = Dag { catchup_window: window, ..catchup(from("2026-01-01", dag("0 3 * * *"))) };
    check(
        &daily,
        &seen("2026-11-20T08:00"),
        "2026-11-20T08:00",
        &["2026-11-19T03:00", "2026-11-20T03:00"],
        "2026-11-21T03:00",
    );
    check(
        &daily,
        &ran("2026-03-01T03:00"),
        "2026-11-20T08:00",
        &["2026-11-19T03:00", "2026-11-20T03:00"],
        "2026-11-21T03:00",
    );
    check(&daily, &ran("2026-11-19T03:00"), "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
}

#[test]
fn no_more_runs_are_made_than_may_be_active() {
    let daily = Dag { max_active_runs: 3, ..catchup(from("2026-11-01T03:00", dag("0 3 * * *"))) };
    check(
        &daily,
        &seen("2026-11-20"),
        "2026-11-20T08:00",
        &["2026-11-01T03:00", "2026-11-02T03:00", "2026-11-03T03:00"],
        "blocked",
    );
    check(&daily, &active(2, ran("2026-11-03T03:00")), "2026-11-20T08:00", &["2026-11-04T03:00"], "blocked");
    check(&daily, &active(3, ran("2026-11-03T03:00")), "2026-11-20T08:00", &[], "blocked");
    check(&daily, &active(9, ran("2026-11-03T03:00")), "2026-11-20T08:00", &[], "blocked");
    check(&daily, &active(2, ran("2026-11-19T03:00")), "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
    // Full, but nothing is due: that is no block.
    check(&daily, &active(3, ran("2026-11-20T03:00")), "2026-11-20T08:00", &[], "2026-11-21T03:00");
    let newest = Dag { max_active_runs: 1, ..dag("0 3 * * *") };
    check(&newest, &active(1, ran("2026-11-18T03:00")), "2026-11-20T08:00", &[], "blocked");
    check(
        &Dag { max_active_runs: 0, ..dag("0 3 * * *") },
        &ran("2026-11-18T03:00"),
        "2026-11-20T08:00",
        &[],
        "blocked",
    );
}

#[test]
fn a_large_backlog_is_made_in_goes() {
    let minutely = Dag { max_active_runs: 100_000, ..catchup(from("2020-01-01", dag("* * * * *"))) };
    let new = due_runs(&minutely, &seen("2026-11-20"), at("2026-11-20"));
    assert_eq!(new.runs.len(), MOST_AT_ONCE);
    assert!(!new.is_blocked);
    assert_eq!(after(new.next.as_ref().unwrap()), "2020-01-01T01:40", "due already: ask again at once");
}

#[test]
fn nothing_is_due_before_the_start_or_after_the_end() {
    let week = until("2026-11-18T03:00", from("2026-11-16T03:00", dag("0 3 * * *")));
    check(&week, &seen("2026-11-01"), "2026-11-10T08:00", &[], "2026-11-16T03:00");
    check(&week, &seen("2026-11-01"), "2026-11-16T03:00", &["2026-11-16T03:00"], "2026-11-17T03:00");
    check(&week, &ran("2026-11-17T03:00"), "2026-11-18T03:00", &["2026-11-18T03:00"], "never");
    check(&week, &ran("2026-11-18T03:00"), "2026-11-25T08:00", &[], "never");
    // Missed before the end while the DAG was there: the newest is still due. A DAG that came later has missed nothing.
    check(&week, &ran("2026-11-16T03:00"), "2026-11-25T08:00", &["2026-11-18T03:00"], "never");
    check(&week, &seen("2026-11-17T00:00"), "2026-11-25T08:00", &["2026-11-18T03:00"], "never");
    check(&week, &seen("2026-11-25T00:00"), "2026-11-25T08:00", &[], "never");
    check(
        &catchup(week),
        &seen("2026-11-25"),
        "2026-11-25T08:00",
        &["2026-11-16T03:00", "2026-11-17T03:00", "2026-11-18T03:00"],
        "never",
    );
    // A start date that moved on counts too.
    check(
        &from("2026-12-01", catchup(dag("0 3 * * *"))),
        &ran("2026-11-18T03:00"),
        "2026-11-20T08:00",
        &[],
        "2026-12-01T03:00",
    );
}

#[test]
fn a_clock_that_jumps_back_makes_no_run_twice() {
    for daily in [dag("0 3 * * *"), catchup(from("2026-01-01", dag("0 3 * * *")))] {
        check(&daily, &ran("2026-11-20T03:00"), "2026-11-12T08:00", &[], "2026-11-21T03:00");
        check(&daily, &ran("2026-11-20T03:00"), "2026-11-20T02:59", &[], "2026-11-21T03:00");
    }
    check(&dag("5m"), &ran("2026-11-20T03:00"), "2026-11-12T08:00", &[], "2026-11-20T03:05");
    check(&dag("@once"), &ran("2026-11-20T03:00"), "2026-11-12T08:00", &[], "never");
    let data = dag(json!({"uses": "CronDataIntervalTimetable", "with": {"cron": "@daily"}}));
    check(&data, &ran_for("2026-11-19", "2026-11-20"), "2026-11-12", &[], "2026-11-21");
}

#[test]
fn skip_passes_over_what_comes_while_a_run_is_active() {
    let hourly = Dag { overlap_policy: OverlapPolicy::Skip, ..dag("0 * * * *") };
    check(&hourly, &active(1, ran("2026-11-20T03:00")), "2026-11-20T05:30", &[], "2026-11-20T06:00");
    // It ended at 05:30: 04:00 and 05:00 are gone for good.
    let mut ended = ran("2026-11-20T03:00");
    ended.busy_until = Some(at("2026-11-20T05:30"));
    ended.last.as_mut().unwrap().ended_at = ended.busy_until;
    check(&hourly, &ended, "2026-11-20T05:31", &[], "2026-11-20T06:00");
    check(&hourly, &ended, "2026-11-20T06:00", &["2026-11-20T06:00"], "2026-11-20T07:00");
    // What was missed because nobody was there is not passed over; one at a time, so only the newest, catchup or not.
    check(
        &catchup(hourly.clone()),
        &ran("2026-11-20T03:00"),
        "2026-11-20T05:30",
        &["2026-11-20T05:00"],
        "2026-11-20T06:00",
    );
    check(&hourly, &active(1, ran("2026-11-20T05:00")), "2026-11-20T05:30", &[], "2026-11-20T06:00");
}

#[test]
fn skip_passes_over_what_comes_while_a_run_by_hand_is_active() {
    let hourly = Dag { overlap_policy: OverlapPolicy::Skip, ..dag("0 * * * *") };
    let by_hand = RunHistory { active: 1, ..ran("2026-11-20T03:00") };
    check(&hourly, &by_hand, "2026-11-20T05:00", &[], "2026-11-20T06:00");
    let ended = RunHistory { busy_until: Some(at("2026-11-20T05:30")), ..ran("2026-11-20T03:00") };
    check(&hourly, &ended, "2026-11-20T05:30", &[], "2026-11-20T06:00");
    check(&hourly, &ended, "2026-11-20T06:00", &["2026-11-20T06:00"], "2026-11-20T07:00");
    // A DAG whose only runs were by hand.
    let first = RunHistory { busy_until: Some(at("2026-11-20T05:30")), ..seen("2026-11-20T04:30") };
    check(&hourly, &first, "2026-11-20T05:31", &[], "2026-11-20T06:00");
    let queues = Dag { overlap_policy: OverlapPolicy::Queue, ..hourly };
    check(&queues, &ended, "2026-11-20T05:31", &["2026-11-20T05:00"], "2026-11-20T06:00");
}

#[test]
fn cancel_running_waits_until_the_active_runs_are_gone() {
    let hourly = Dag { overlap_policy: OverlapPolicy::CancelRunning, ..dag("0 * * * *") };
    check(&hourly, &active(1, ran("2026-11-20T03:00")), "2026-11-20T03:30", &[], "2026-11-20T04:00");
    check(&hourly, &active(1, ran("2026-11-20T03:00")), "2026-11-20T04:00", &[], "cancel");
    check(&hourly, &ran("2026-11-20T03:00"), "2026-11-20T04:00:02", &["2026-11-20T04:00"], "2026-11-20T05:00");
}

#[test]
fn once_is_once() {
    check(&dag("@once"), &seen("2026-11-20T08:00"), "2026-11-20T09:00", &["2026-11-20T08:00"], "never");
    check(&from("2026-01-01", dag("@once")), &seen("2026-11-20T08:00"), "2026-11-20T09:00", &["2026-01-01"], "never");
    check(&from("2026-12-01", dag("@once")), &seen("2026-11-20T08:00"), "2026-11-20T09:00", &[], "2026-12-01");
    check(&until("2026-11-01", dag("@once")), &seen("2026-11-20T08:00"), "2026-11-20T09:00", &[], "never");
    check(&dag("@once"), &ran("2026-11-20T08:00"), "2027-11-20T09:00", &[], "never");
    check(&dag("@once"), &active(16, seen("2026-11-20T08:00")), "2026-11-20T09:00", &[], "blocked");
}

#[test]
fn continuous_goes_on_when_the_last_run_has_ended() {
    let continuous = dag("@continuous");
    check(&continuous, &seen("2026-11-20T08:00"), "2026-11-20T08:01", &["2026-11-20T08:00"], "never");
    check(&continuous, &active(1, ran("2026-11-20T08:00")), "2026-11-20T09:00", &[], "blocked");
    check(&continuous, &ran("2026-11-20T08:00"), "2026-11-20T09:00", &["2026-11-20T08:00:01"], "never");
    check(&from("2026-12-01", continuous.clone()), &seen("2026-11-20T08:00"), "2026-11-20T09:00", &[], "2026-12-01");
    check(&until("2026-11-20T08:00", continuous.clone()), &ran("2026-11-20T08:00"), "2026-11-20T09:00", &[], "never");
    check(&Dag { max_active_runs: 0, ..continuous }, &ran("2026-11-20T08:00"), "2026-11-20T09:00", &[], "blocked");
}

#[test]
fn continuous_runs_cover_the_time_without_gaps_and_never_share_a_date() {
    for continuous in [dag("@continuous"), from("2026-11-01", dag("@continuous"))] {
        let mut history = seen("2026-11-20T08:00");
        let mut dates = Vec::new();
        let mut covered_to = None;
        for minute in 0..5 {
            let now = at("2026-11-20T08:00") + Duration::from_secs(60 * minute);
            let run = due_runs(&continuous, &history, now).runs.remove(0);
            let interval = run.data_interval.unwrap();
            assert!(covered_to.is_none_or(|end| end == interval.start));
            covered_to = Some(interval.end);
            dates.push(run.logical_date.unwrap());
            history.last = Some(LastRun {
                logical_date: run.logical_date.unwrap(),
                data_interval: interval,
                run_after: run.run_after,
                ended_at: Some(now + Duration::from_secs(30)),
            });
        }
        assert!(dates.is_sorted_by(|a, b| a < b), "{dates:?}");
    }
}

#[test]
fn an_interval_without_catchup_starts_when_the_dag_is_there_and_keeps_step() {
    let every = |start: Option<&str>| Dag { start_date: start.map(at), ..dag("5m") };
    check(
        &every(None),
        &seen("2026-11-20T08:01:07"),
        "2026-11-20T08:01:08",
        &["2026-11-20T08:01:07"],
        "2026-11-20T08:06:07",
    );
    check(
        &every(Some("2026-01-01")),
        &seen("2026-11-20T08:01:07"),
        "2026-11-20T08:01:08",
        &["2026-11-20T08:01:07"],
        "2026-11-20T08:06:07",
    );
    check(&every(Some("2026-12-01")), &seen("2026-11-20T08:01:07"), "2026-11-20T08:01:08", &[], "2026-12-01");
    check(
        &every(None),
        &ran("2026-11-20T08:01:07"),
        "2026-11-20T08:06:09",
        &["2026-11-20T08:06:07"],
        "2026-11-20T08:11:07",
    );
    // Missed moments are passed over without losing step.
    check(
        &every(None),
        &ran("2026-11-20T08:01:07"),
        "2026-11-20T09:00:00",
        &["2026-11-20T08:56:07"],
        "2026-11-20T09:01:07",
    );
}

#[test]
fn an_interval_with_catchup_counts_from_the_start_date() {
    let every = catchup(from("2026-11-20T07:02", dag("30m")));
    check(
        &every,
        &seen("2026-11-20T08:01"),
        "2026-11-20T08:10",
        &["2026-11-20T07:02", "2026-11-20T07:32", "2026-11-20T08:02"],
        "2026-11-20T08:32",
    );
    check(&every, &ran("2026-11-20T07:32"), "2026-11-20T08:10", &["2026-11-20T08:02"], "2026-11-20T08:32");
    let window = Dag { catchup_window: Some(Duration::from_secs(3600)), ..every };
    check(
        &window,
        &ran("2026-11-01T07:32"),
        "2026-11-20T08:10",
        &["2026-11-20T07:32", "2026-11-20T08:02"],
        "2026-11-20T08:32",
    );
    let monthly = catchup(from("2026-01-31", dag("P1M")));
    check(&monthly, &seen("2026-01-01"), "2026-04-01", &["2026-01-31", "2026-02-28", "2026-03-28"], "2026-04-28");
}

#[test]
fn data_intervals_run_at_their_end() {
    let daily = dag(json!({"uses": "CronDataIntervalTimetable", "with": {"cron": "@daily"}}));
    // The first whole interval after the start date, when it is over.
    let started = from("2026-11-18T12:00", daily.clone());
    check(&catchup(started.clone()), &seen("2026-11-20"), "2026-11-20T08:00", &["2026-11-20"], "2026-11-21");
    check(&started, &seen("2026-11-20"), "2026-11-19T08:00", &[], "2026-11-20");
    let started = catchup(from("2026-11-18", daily.clone()));
    check(&started, &seen("2026-11-20"), "2026-11-20T08:00", &["2026-11-19", "2026-11-20"], "2026-11-21");
    check(&started, &ran_for("2026-11-18", "2026-11-19"), "2026-11-20T08:00", &["2026-11-20"], "2026-11-21");
    let run = due_runs(&started, &ran_for("2026-11-18", "2026-11-19"), at("2026-11-20T08:00")).runs.remove(0);
    assert_eq!(run.run_id.as_str(), "scheduled__2026-11-19T00:00:00+00:00");
    assert_eq!(run.data_interval, Some(DataInterval { start: at("2026-11-19"), end: at("2026-11-20") }));
    // Without catchup the newest whole one; on the very end, the one that ends there.
    let newest = from("2026-01-01", daily.clone());
    check(&newest, &seen("2026-11-20"), "2026-11-20T08:00", &["2026-11-20"], "2026-11-21");
    check(&newest, &ran_for("2026-11-10", "2026-11-11"), "2026-11-20", &["2026-11-20"], "2026-11-21");
    // Without start date, the one that is under way when the DAG is seen.
    check(&daily, &seen("2026-11-20T08:00"), "2026-11-20T09:00", &[], "2026-11-21");
    // An end date is compared with the start of the interval, as in Airflow.
    check(&until("2026-11-20", started), &ran_for("2026-11-19", "2026-11-20"), "2026-11-23", &["2026-11-21"], "never");
}

#[test]
fn delta_data_intervals_follow_each_other() {
    let hourly = dag(json!({"uses": "DeltaDataIntervalTimetable", "with": {"delta": "1h"}}));
    let started = catchup(from("2026-11-20T06:07", hourly.clone()));
    check(
        &started,
        &seen("2026-11-20"),
        "2026-11-20T08:30",
        &["2026-11-20T07:07", "2026-11-20T08:07"],
        "2026-11-20T09:07",
    );
    check(
        &started,
        &ran_for("2026-11-20T06:07", "2026-11-20T07:07"),
        "2026-11-20T08:30",
        &["2026-11-20T08:07"],
        "2026-11-20T09:07",
    );
    // Without catchup, on the grid of whole hours; unless the start date is in the interval under way.
    check(
        &from("2026-01-01T00:07", hourly.clone()),
        &seen("2026-11-20"),
        "2026-11-20T08:30",
        &["2026-11-20T08:00"],
        "2026-11-20T09:00",
    );
    check(&from("2026-11-20T08:07", hourly.clone()), &seen("2026-11-20"), "2026-11-20T08:30", &[], "2026-11-20T09:07");
    check(
        &hourly,
        &ran_for("2026-11-20T06:07", "2026-11-20T07:07"),
        "2026-11-20T12:30",
        &["2026-11-20T12:00"],
        "2026-11-20T13:00",
    );
    check(&hourly, &seen("2026-11-20T08:30"), "2026-11-20T08:31", &[], "2026-11-20T09:00");
}

#[test]
fn events_are_their_dates() {
    let dates = json!(["2026-11-10", "2026-11-18", "2026-11-25"]);
    let events = dag(json!({"uses": "EventsTimetable", "with": {"event_dates": dates}}));
    check(&events, &seen("2026-11-20"), "2026-11-20", &[], "2026-11-25");
    check(&from("2026-01-01", events.clone()), &seen("2026-11-20"), "2026-11-20", &[], "2026-11-25");
    check(
        &catchup(from("2026-01-01", events.clone())),
        &seen("2026-11-20"),
        "2026-11-20",
        &["2026-11-10", "2026-11-18"],
        "2026-11-25",
    );
    check(&events, &ran("2026-11-10"), "2026-11-20", &["2026-11-18"], "2026-11-25");
    check(&events, &ran("2026-11-25"), "2026-12-20", &[], "never");
}

#[test]
fn run_immediately_counts_the_moment_before_the_dag_was_seen() {
    let cron = |run_immediately: Value| {
        dag(json!({"uses": "CronTriggerTimetable", "with": {"cron": "0 3 * * *", "run_immediately": run_immediately}}))
    };
    let (seen_at, now) = (seen("2026-11-20T08:00"), "2026-11-20T08:01");
    check(&cron(json!(false)), &seen_at, now, &[], "2026-11-21T03:00");
    check(&cron(json!(true)), &seen_at, now, &["2026-11-20T03:00"], "2026-11-21T03:00");
    check(&cron(json!("5h")), &seen_at, now, &["2026-11-20T03:00"], "2026-11-21T03:00");
    check(&cron(json!("4h")), &seen_at, now, &[], "2026-11-21T03:00");
    check(&catchup(cron(json!(true))), &seen_at, now, &["2026-11-20T03:00"], "2026-11-21T03:00");
}

#[test]
fn a_trigger_with_an_interval_is_dated_by_its_start() {
    let cron = dag(json!({"uses": "CronTriggerTimetable", "with": {"cron": "0 3 * * *", "interval": "1d"}}));
    let history = ran_for("2026-11-18T03:00", "2026-11-19T03:00");
    check(&cron, &history, "2026-11-20T08:00", &["2026-11-20T03:00"], "2026-11-21T03:00");
    let run = due_runs(&cron, &history, at("2026-11-20T08:00")).runs.remove(0);
    assert_eq!(run.run_id.as_str(), "scheduled__2026-11-19T03:00:00+00:00");
    // The interval was added later: dates that have been used are passed over.
    check(&cron, &ran("2026-11-19T03:00"), "2026-11-20T08:00", &[], "2026-11-21T03:00");
}

#[test]
fn a_changed_schedule_goes_on_after_the_last_run() {
    check(&dag("0 * * * *"), &ran("2026-11-20T03:00"), "2026-11-20T03:30", &[], "2026-11-20T04:00");
    let data = catchup(dag(json!({"uses": "CronDataIntervalTimetable", "with": {"cron": "@daily"}})));
    check(&data, &ran("2026-11-20T00:00"), "2026-11-22T08:00", &["2026-11-22"], "2026-11-23");
    let trigger = catchup(from("2026-01-01", dag("@daily")));
    check(&trigger, &ran_for("2026-11-19", "2026-11-20"), "2026-11-21T08:00", &["2026-11-21"], "2026-11-22");
}

#[test]
fn what_is_planned_shows_what_unpausing_makes_and_what_comes_next() {
    let planned = |dag: &Dag, history: &RunHistory, limit| -> Vec<String> {
        planned_runs(dag, history, at("2026-11-20T08:00")).take(limit).map(|run| after(&run)).collect()
    };
    let daily = from("2026-11-18", dag("0 3 * * *"));
    assert_eq!(planned(&daily, &seen("2026-11-20"), 3), ["2026-11-20T03:00", "2026-11-21T03:00", "2026-11-22T03:00"]);
    assert_eq!(planned(&daily, &ran("2026-11-20T03:00"), 1), ["2026-11-21T03:00"]);
    assert_eq!(
        planned(&catchup(daily), &seen("2026-11-20"), 4),
        ["2026-11-18T03:00", "2026-11-19T03:00", "2026-11-20T03:00", "2026-11-21T03:00"]
    );
    assert_eq!(planned(&dag("@once"), &seen("2026-11-20"), 4), ["2026-11-20"]);
    assert_eq!(planned(&dag("@continuous"), &active(1, ran("2026-11-20")), 4), [""; 0]);
    assert_eq!(
        planned(&until("2026-11-21T04:00", dag("0 3 * * *")), &seen("2026-11-20"), 9),
        ["2026-11-20T03:00", "2026-11-21T03:00"]
    );
}

/// What Airflow's own timetables plan first, and next, for DAGs with a start date (data/make_airflow_vectors.py).
#[test]
fn first_runs_are_those_that_airflow_plans() {
    let vectors = include_str!("../../../tests/data/airflow_runs.jsonl");
    let mut lines = 0;
    for line in vectors.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let moment = |key: &str| case[key].as_str().map(at);
        let now = moment("now").unwrap();
        let dag = Dag {
            start_date: moment("start_date"),
            end_date: moment("end_date"),
            catchup: case["catchup"] == true,
            ..dag(case["schedule"].clone())
        };
        let last = moment("last_start").zip(moment("last_end")).map(|(start, end)| LastRun {
            logical_date: start,
            data_interval: DataInterval { start, end },
            run_after: end,
            ended_at: Some(end),
        });
        let history = RunHistory { last, active: 0, busy_until: None, enabled_at: Some(now) };
        let new = due_runs(&dag, &history, now);
        let first = new.runs.first().or(new.next.as_ref());
        let found = first.and_then(|run| run.data_interval).map(|interval| (interval.start, interval.end));
        assert_eq!(found, moment("start").zip(moment("end")), "{line}");
        lines += 1;
    }
    assert!(lines > 500, "only {lines} cases");
}

/// Plays a scheduler with a clock that stands, runs and jumps, and looks at what it makes.
#[test]
fn whatever_the_clock_does_dates_go_forward_and_limits_hold() {
    let schedules = [
        json!("*/7 * * * *"),
        json!("30 2 * * *"),
        json!("11m"),
        json!("@continuous"),
        json!("@once"),
        json!({"uses": "CronDataIntervalTimetable", "with": {"cron": "*/20 * * * *"}}),
        json!({"uses": "DeltaDataIntervalTimetable", "with": {"delta": "13m"}}),
        json!({"uses": "CronTriggerTimetable", "with": {"cron": "5 * * * *", "interval": "2h"}}),
    ];
    let policies = [OverlapPolicy::Queue, OverlapPolicy::Skip, OverlapPolicy::CancelRunning];
    let mut made = 0;
    for seed in 0..200_u64 {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
        let schedule = schedules[chance.below(schedules.len() as u64) as usize].clone();
        let dag = Dag {
            catchup: chance.below(2) == 0,
            start_date: (chance.below(2) == 0).then(|| at("2026-03-28T20:00")),
            catchup_window: (chance.below(3) == 0).then(|| Duration::from_secs(7200)),
            max_active_runs: 1 + chance.below(4) as u32,
            overlap_policy: policies[chance.below(3) as usize],
            ..dag(schedule)
        };
        let mut now = at("2026-03-28T22:00");
        let mut history = RunHistory { enabled_at: Some(now), ..RunHistory::default() };
        for _ in 0..60 {
            let new = due_runs(&dag, &history, now);
            let again = due_runs(&dag, &history, now);
            assert_eq!(new, again, "seed {seed}");
            assert!(history.active as usize + new.runs.len() <= dag.max_active_runs as usize || new.runs.is_empty());
            assert!(new.next.as_ref().is_none_or(|next| next.run_after > now), "seed {seed}: {new:?} at {now}");
            for run in new.runs {
                let date = run.logical_date.unwrap();
                assert!(history.last.is_none_or(|last| last.logical_date < date), "seed {seed}");
                assert!(history.last.is_none_or(|last| last.run_after < run.run_after), "seed {seed}");
                assert!(run.run_after <= now, "seed {seed}");
                history.active += 1;
                made += 1;
                history.last = Some(LastRun {
                    logical_date: date,
                    data_interval: run.data_interval.unwrap(),
                    run_after: run.run_after,
                    ended_at: None,
                });
            }
            match chance.below(4) {
                0 => now = now + Duration::from_secs(chance.below(90 * 60)),
                1 => now = new.next.map_or(now, |next| next.run_after),
                2 => now = now - Duration::from_secs(chance.below(3600)),
                _ => {}
            }
            if history.active > 0 && chance.below(2) == 0 {
                history.active -= 1;
                history.busy_until = Some(now);
                if history.active == 0 {
                    history.last = history.last.map(|last| LastRun { ended_at: Some(now), ..last });
                }
            }
        }
    }
    assert!(made > 1000, "only {made} runs were made");
}

/// Numbers from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
