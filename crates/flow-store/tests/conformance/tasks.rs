//! What people ask of task instances, over one run or many.

use std::time::Duration;

use flow_core::TaskState;
use flow_store::{
    ActionError, Dating, EditedRun, NoteFor, RunsAsked, TaskChange, TaskEdit, TriggerRun, XComKey, XComWritten,
};
use serde_json::json;

use crate::{
    support::both,
    world::{World, at, request},
};

fn edit<'a>(runs: RunsAsked<'a>, change: TaskChange) -> TaskEdit<'a> {
    TaskEdit {
        dag_id: "chain",
        runs,
        tasks: Some(vec![("a".into(), None)]),
        group: None,
        upstream: false,
        downstream: false,
        change,
        note: None,
        note_for: None,
        dry_run: false,
        time: Duration::MAX,
        who: Some("ann"),
    }
}

fn touched(runs: &[EditedRun]) -> Vec<(&str, usize)> {
    runs.iter().map(|run| (run.run_id.as_str(), run.edited.len())).collect()
}

/// More runs than one step changes.
async fn with_runs(w: World, number: u64) -> World {
    let w = w.with_chain().await;
    for second in 1..=number {
        let run_id = format!("r{second:02}");
        let asked = TriggerRun { run_id: Some(&run_id), logical_date: Some(at(second)), ..request("chain") };
        w.store.trigger(&w.dags, &asked, at(second)).await.unwrap();
    }
    w
}

both! {
    async fn an_edit_goes_over_many_runs_in_steps(w: World) {
        let w = with_runs(w, 45).await;
        let runs = RunsAsked::Of { run_id: "r25", past: true, future: true };
        let mark = edit(runs, TaskChange::Mark(TaskState::Success));
        let would = w.store.edit_tasks(&w.dags, &TaskEdit { dry_run: true, ..mark.clone() }, at(100)).await.unwrap();
        assert_eq!(touched(&would)[0], ("r25", 1), "the one that was named comes first");
        assert_eq!(would.len(), 45);
        assert_eq!(w.count("task_instance", "state = 'success'").await, 0);
        let done = w.store.edit_tasks(&w.dags, &mark, at(100)).await.unwrap();
        assert_eq!(touched(&done), touched(&would));
        assert_eq!(w.count("task_instance", "state = 'success' AND task_id = 'a'").await, 45);
        assert_eq!(w.count("event", "who = 'ann' AND state = 'success'").await, 45);
        // Once more there is nothing left to do.
        let again = w.store.edit_tasks(&w.dags, &mark, at(101)).await.unwrap();
        assert!(again.iter().all(|run| run.edited.is_empty()));
    }

    async fn an_edit_that_takes_too_long_says_where_to_go_on(w: World) {
        let w = with_runs(w, 3).await;
        let undated = TriggerRun { run_id: Some("r04"), ..request("chain") };
        w.store.trigger_dated(&w.dags, &undated, Dating::None, at(4)).await.unwrap();
        let all = RunsAsked::Between { from: None, to: None };
        let mark = edit(all, TaskChange::Mark(TaskState::Success));
        w.store.edit_tasks(&w.dags, &mark, at(100)).await.unwrap();
        let change = TaskChange::Clear { only_failed: false, only_running: false, keep_runs: false, pin_latest: false, not_running: false };
        let clear = TaskEdit { time: Duration::ZERO, ..edit(all, change) };
        let cleared = "task_id = 'a' AND state = 'no_status'";

        let error = w.store.edit_tasks(&w.dags, &TaskEdit { dry_run: true, ..clear.clone() }, at(101)).await.unwrap_err();
        assert_eq!(error.to_string(), "this takes too long: 1 of 4 runs were looked at; ask for fewer, by dates");
        assert_eq!(w.count("task_instance", cleared).await, 0);
        let error = w.store.edit_tasks(&w.dags, &clear, at(101)).await.unwrap_err();
        let ActionError::Stopped(stopped) = &error else { panic!("{error:?}") };
        assert_eq!((stopped.done, stopped.of, stopped.up_to, stopped.undated), (1, 4, Some(at(1)), 1));
        let (from, to) = stopped.left.unwrap();
        assert_eq!((from, to), (at(2), at(3)));
        let text = error.to_string();
        for part in ["1 of 4 runs are done, up to the logical date ", "do not ask the same again", &from.to_isoformat(), "(1) are left"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(w.count("task_instance", cleared).await, 1);
        // What it says to go on with are the others.
        let rest = TaskEdit { runs: RunsAsked::Between { from: Some(from), to: Some(to) }, time: Duration::MAX, ..clear };
        assert_eq!(touched(&w.store.edit_tasks(&w.dags, &rest, at(102)).await.unwrap()), [("r02", 1), ("r03", 1)]);

        // A mark may be asked again, and gets on each time.
        let mark = TaskEdit { time: Duration::ZERO, ..mark };
        let error = w.store.edit_tasks(&w.dags, &mark, at(103)).await.unwrap_err();
        assert!(error.to_string().ends_with("ask the same again for the rest"), "{error}");
    }

    async fn a_note_is_kept_with_the_change(w: World) {
        let w = with_runs(w, 2).await;
        let run = w.store.run("chain", "r01").await.unwrap().unwrap().run.key;
        let tasks = [(run, "a", -1)];
        let note_for = Some(NoteFor { tasks: &tasks, note: Some("why") });
        let runs = RunsAsked::Of { run_id: "r01", past: false, future: true };
        let alone = RunsAsked::Of { run_id: "r01", past: false, future: false };
        let mark = edit(alone, TaskChange::Mark(TaskState::Success));
        w.store.edit_tasks(&w.dags, &mark, at(100)).await.unwrap();
        // Nothing is changed, so there is nothing to say about it.
        w.store.edit_tasks(&w.dags, &TaskEdit { note_for, ..mark.clone() }, at(101)).await.unwrap();
        assert_eq!(w.count("task_instance", "note = 'why'").await, 0);
        w.store.edit_tasks(&w.dags, &TaskEdit { note_for, runs, ..mark }, at(102)).await.unwrap();
        assert_eq!(w.count("task_instance", "note = 'why'").await, 1);
    }

    async fn a_step_that_is_refused_leaves_those_before(w: World) {
        let w = with_runs(w, 45).await;
        let run = w.store.run("chain", "r44").await.unwrap().unwrap();
        w.running(run.run.key, "w", at(60)).await;
        let clear = TaskChange::Clear { only_failed: false, only_running: false, keep_runs: false, pin_latest: false, not_running: true };
        let mark = edit(RunsAsked::Between { from: None, to: None }, TaskChange::Mark(TaskState::Failed));
        w.store.edit_tasks(&w.dags, &TaskEdit { runs: RunsAsked::Between { from: None, to: Some(at(43)) }, ..mark }, at(100)).await.unwrap();
        let error = w.store.edit_tasks(&w.dags, &edit(RunsAsked::Between { from: None, to: None }, clear), at(101)).await;
        assert!(matches!(error, Err(ActionError::Conflict(_))), "{error:?}");
        // Two steps of twenty runs are done, the third is not.
        assert_eq!(w.count("task_instance", "task_id = 'a' AND state = 'no_status'").await, 41);
        assert_eq!(w.count("task_instance", "task_id = 'a' AND state = 'failed'").await, 3);
    }

    async fn other_versions_are_passed_over(w: World) {
        let w = with_runs(w, 2).await;
        w.save("chain.yaml", "dag_id: chain\ntasks:\n  - { id: a, uses: work }\n  - { id: c, uses: work }\n", at(5)).await;
        let asked = TriggerRun { run_id: Some("r03"), logical_date: Some(at(6)), ..request("chain") };
        w.store.trigger(&w.dags, &asked, at(6)).await.unwrap();
        let mark = TaskEdit {
            tasks: Some(vec![("c".into(), None)]),
            ..edit(RunsAsked::Of { run_id: "r03", past: true, future: false }, TaskChange::Mark(TaskState::Skipped))
        };
        let done = w.store.edit_tasks(&w.dags, &mark, at(7)).await.unwrap();
        assert_eq!(touched(&done), [("r03", 1), ("r01", 0), ("r02", 0)]);
        // Of the run that was named it is a mistake.
        let mark = TaskEdit { runs: RunsAsked::Of { run_id: "r01", past: false, future: false }, ..mark };
        assert!(w.store.edit_tasks(&w.dags, &mark, at(8)).await.is_err());
    }

    async fn an_xcom_is_made_once(w: World) {
        let w = with_runs(w, 1).await;
        let run = w.store.run("chain", "r01").await.unwrap().unwrap().run.key;
        let name = XComKey { run, task_id: "a", map_index: -1, key: "k" };
        assert_eq!(w.store.update_xcom(name, &json!(1), at(2)).await.unwrap(), XComWritten::NotSo);
        assert_eq!(w.store.create_xcom(name, &json!("a\0b"), at(2)).await.unwrap(), XComWritten::Done);
        assert_eq!(w.store.create_xcom(name, &json!(2), at(3)).await.unwrap(), XComWritten::NotSo);
        let (line, value) = w.store.xcom_entry(name).await.unwrap().unwrap();
        assert_eq!((line.key.as_str(), value), ("k", json!("a\0b")));
        assert_eq!(w.store.update_xcom(name, &json!({ "x": [] }), at(4)).await.unwrap(), XComWritten::Done);
        assert_eq!(w.store.xcom(run, "a", "k").await.unwrap(), [(-1, json!({ "x": [] }))]);
        assert!(w.store.delete_xcom(name).await.unwrap());
        assert!(!w.store.delete_xcom(name).await.unwrap());
    }
}
