//! `flow dags next`: when a DAG, or a schedule that somebody is thinking about, is due.

use std::process::ExitCode;

use flow_core::{
    Dag, Timestamp,
    dag::Dialect,
    engine::{RunHistory, planned_runs},
    run::DataInterval,
    timetable::{Moment, Timetable},
};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::{context::Cx, output::Refusal, when};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow dags next tutorial
  flow dags next --schedule '0 3 * * 1-5' --timezone Europe/Berlin
  flow dags next --schedule '30 2 * * *' --timezone Europe/Berlin --after 2026-03-28 -n 3
  flow dags next --schedule '[\"0 3 * * *\", \"0 15 * * 1-5\"]'")]
pub(crate) struct Args {
    /// The DAG's id
    #[arg(required_unless_present = "schedule", conflicts_with = "schedule")]
    dag: Option<String>,
    /// A schedule as in a DAG file: cron, `@daily`, `5m`; a list or a map as JSON
    #[arg(long, value_name = "EXPR")]
    schedule: Option<String>,
    /// Time zone of the schedule [default: the DAG's, or UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// From this moment on, in the time zone if it has no offset, but not before the DAG's start_date [default: now]
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// How many moments
    #[arg(short = 'n', long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    number: u32,
}

#[derive(Debug, Serialize)]
struct Due {
    run_after: Timestamp,
    local: String,
    logical_date: Timestamp,
    data_interval_start: Timestamp,
    data_interval_end: Timestamp,
}

impl Due {
    fn at(run_after: Timestamp, logical_date: Timestamp, interval: DataInterval, zone: &TimeZone) -> Self {
        Self {
            run_after,
            local: when::show(run_after, zone),
            logical_date,
            data_interval_start: interval.start,
            data_interval_end: interval.end,
        }
    }
}

pub(crate) async fn run(args: &Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let dag = match &args.dag {
        Some(id) => Some(super::read(cx, id).await?),
        None => None,
    };
    let zone_of_dag = || dag.as_ref().map_or_else(|| "UTC".to_owned(), |dag| dag.timezone.clone());
    let zone_name = args.timezone.clone().unwrap_or_else(zone_of_dag);
    let timetable = match &dag {
        Some(dag) => dag.timetable.clone(),
        None => parse(args.schedule.as_deref().unwrap_or_default(), &zone_name)?,
    };
    let zone = flow_core::time::zone(&zone_name).ok_or_else(|| {
        Refusal::usage(format!("there is no time zone `{zone_name}`")).help("for example `Europe/Berlin`")
    })?;
    let after = match &args.after {
        None => cx.now(),
        Some(text) => {
            when::read(text, &zone_name, cx.now()).map_err(|why| Refusal::usage(format!("`--after` {why}")))?
        }
    };
    let due = match &dag {
        Some(dag) if start_date(dag).is_some_and(|start| start > after) => {
            first_moments(dag, after, args.number, &zone)
        }
        Some(dag) => moments(&timetable, after, dag.end_date, args.number, &zone),
        None => moments(&timetable, after, None, args.number, &zone),
    };
    cx.out.list(&due, &["due", "due (UTC)", "data interval (UTC)"], |due| {
        let interval = if due.data_interval_start == due.data_interval_end {
            String::new()
        } else {
            format!("{} to {}", due.data_interval_start, due.data_interval_end)
        };
        vec![due.local.clone().into(), due.run_after.to_string().into(), interval.into()]
    })?;
    let words = timetable.describe();
    if due.is_empty() {
        cx.out.remark("Nothing is due: the schedule has no moment after this.")?;
    } else if !words.is_empty() {
        cx.out.remark(&format!("\n{words}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a schedule: JSON if it looks like a list or map, else as the text it would be in a DAG file.
fn parse(text: &str, zone: &str) -> Result<Timetable, Refusal> {
    let value = if text.starts_with(['[', '{']) {
        serde_json::from_str(text).map_err(|error| Refusal::usage(format!("the schedule is not JSON: {error}")))?
    } else {
        Value::from(text)
    };
    Timetable::parse(&value, zone, Dialect::Flow).map_err(|error| {
        let refusal = Refusal::usage(error.message);
        match error.help {
            Some(help) => refusal.help(help),
            None => refusal,
        }
    })
}

fn moments(timetable: &Timetable, after: Timestamp, end: Option<Timestamp>, number: u32, zone: &TimeZone) -> Vec<Due> {
    let next = |from: Timestamp| timetable.next_after(from).filter(|next| next.run_after > from);
    std::iter::successors(next(after), |last: &Moment| next(last.run_after))
        .take_while(|moment| end.is_none_or(|end| moment.logical_date <= end))
        .take(number as usize)
        .map(|moment| Due::at(moment.run_after, moment.logical_date, moment.data_interval, zone))
        .collect()
}

/// The moments of a DAG that has not begun: nothing is missed yet, so they are those that the scheduler plans.
fn first_moments(dag: &Dag, after: Timestamp, number: u32, zone: &TimeZone) -> Vec<Due> {
    let history = RunHistory { enabled_at: Some(after), ..RunHistory::default() };
    planned_runs(dag, &history, after)
        .take(number as usize)
        .filter_map(|run| Some(Due::at(run.run_after, run.logical_date?, run.data_interval?, zone)))
        .collect()
}

/// The DAG's start date; without one, the earliest of its tasks'.
fn start_date(dag: &Dag) -> Option<Timestamp> {
    dag.start_date.or_else(|| dag.tasks.iter().filter_map(|task| task.start_date).min())
}
