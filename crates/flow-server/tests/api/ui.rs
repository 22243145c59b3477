//! What the screens of the web UI ask for.

mod calendar;
mod callbacks;
mod check;
mod dag_cards;
mod files;
mod gantt;
mod graph;
mod grid;
mod neighbours;
mod processes;

use flow_core::{Outcome, RunKey, Timestamp};
use flow_store::{Claimed, TriggerOutcome, TriggerRun};
use serde_json::Value;

use crate::{
    client::Api,
    world::{at, report, request},
};

/// A DAG that only Ada and her team may see.
const SECRET: &str =
    "{ dag_id: secret, access_control: { ada: [can_read] }, schedule: null, tasks: [{ id: t, uses: work }] }";

/// Makes a run with this id, due at this moment.
async fn run_at(api: &Api, dag_id: &str, run_id: &str, due: Timestamp) -> RunKey {
    let asked = TriggerRun { run_id: Some(run_id), logical_date: Some(due), run_after: Some(due), ..request(dag_id) };
    let made = api.w.store.trigger(&api.w.dags, &asked, due).await.unwrap();
    let TriggerOutcome::Created(row) = made else { panic!("it is there already") };
    row.run.key
}

/// The same, at this second.
async fn run(api: &Api, dag_id: &str, run_id: &str, second: u64) -> RunKey {
    run_at(api, dag_id, run_id, at(second)).await
}

/// Hands out slots and takes what is queued.
async fn claim(api: &Api, second: u64) -> Vec<Claimed> {
    api.w.grant(at(second)).await;
    api.w.claim("w", 100, at(second)).await
}

/// Ends attempts at this second, those of the named tasks with a failure, and decides upon the run.
async fn end(api: &Api, run: RunKey, claimed: &[Claimed], failing: &[&str], second: u64) {
    for one in claimed {
        let fails = failing.contains(&one.key.task_id.as_str());
        let outcome = if fails { crate::world::failed() } else { Outcome::Success };
        assert!(api.w.finish(report(one, outcome, at(second))).await);
    }
    api.w.decide(run, at(second)).await;
}

/// Returns one field of each entry of a list.
fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|one| &one[field]).collect()
}
