//! `edit`: what a person asks for.
//!
//! Says which task instances an edit touches and how; what follows from it downstream is left to the next
//! [`super::decide`]. Attempts under way are never cut off here: their worker sees that they are not wanted,
//! and ends them.

use std::collections::BTreeMap;

use super::{
    Change, Decision, Edit, GONE, Refused, RunChange, RunView, Selection,
    pass::{Pulse, end, matters_to_next_run, pulse, restart},
};
use crate::{
    id::{TaskId, TaskIx},
    run::{Skips, TaskInstance},
    state::{RunState, TaskState},
    time::Timestamp,
};

/// Says what an edit changes.
///
/// # Errors
///
/// A [`Refused`] when the request makes no sense for this run.
pub fn edit(view: &RunView<'_>, request: &Edit, now: Timestamp) -> Result<Decision, Refused> {
    let mut editor = Editor { view, now, decision: Decision::default() };
    match request {
        Edit::Clear { tasks, only_failed } => {
            let selected = select(view, tasks)?;
            editor.clear(|at| selected[at] && (!only_failed || view.tasks[at].state.is_failure()));
        }
        Edit::MarkTasks { tasks, state } => {
            if !matches!(state, TaskState::Success | TaskState::Failed | TaskState::Skipped) {
                return Err(Refused::NotAMark(*state));
            }
            editor.mark_tasks(&select(view, tasks)?, *state);
        }
        Edit::MarkRun { state } => match state {
            RunState::Success => editor.mark_run(RunState::Success, TaskState::Success, "marked"),
            RunState::Failed => editor.mark_run(RunState::Failed, TaskState::Failed, "marked"),
            RunState::Queued | RunState::Running => return Err(Refused::NotARunMark(*state)),
        },
        Edit::Cancel => {
            if !view.run.state.is_finished() {
                editor.mark_run(RunState::Failed, TaskState::Failed, "cancelled");
            }
        }
    }
    Ok(editor.finish())
}

struct Editor<'a> {
    view: &'a RunView<'a>,
    now: Timestamp,
    decision: Decision,
}

impl Editor<'_> {
    /// Sends these back to their beginning; a run that has ended is queued again.
    fn clear(&mut self, is_wanted: impl Fn(usize) -> bool) {
        let mut has_work = false;
        for at in (0..self.view.tasks.len()).filter(|&at| is_wanted(at)) {
            let mut to = self.view.tasks[at].clone();
            let Some(task) = self.view.dag.tasks.get(to.task.index()) else {
                if !to.state.is_finished() {
                    end(&mut to, TaskState::Removed, self.now);
                    self.change(at, to, GONE);
                }
                continue;
            };
            match to.state {
                // What is not meant for this run has no beginning to go back to.
                TaskState::Removed => continue,
                TaskState::Running | TaskState::Restarting => to.state = TaskState::Restarting,
                TaskState::Queued if self.pulse(at) == Pulse::Alive => to.state = TaskState::Restarting,
                TaskState::NoStatus
                | TaskState::Scheduled
                | TaskState::Queued
                | TaskState::Success
                | TaskState::Failed
                | TaskState::Skipped
                | TaskState::UpstreamFailed
                | TaskState::UpForRetry
                | TaskState::UpForReschedule
                | TaskState::Deferred
                | TaskState::AwaitingInput => restart(&mut to),
            }
            to.max_tries = to.try_number.saturating_add(task.retry.retries);
            to.lost = 0;
            // A task that is new to the run is at its beginning already.
            has_work = true;
            self.change(at, to, "cleared");
        }
        if (has_work || !self.decision.changes.is_empty()) && self.view.run.state.is_finished() {
            self.run(RunState::Queued, "cleared");
        }
    }

    /// Says how these ended. A mark other than `failed` lets what failed because of them try again, as in Airflow.
    fn mark_tasks(&mut self, selected: &[bool], state: TaskState) {
        for at in (0..self.view.tasks.len()).filter(|&at| selected[at]) {
            let before = &self.view.tasks[at];
            if before.state == state || before.state == TaskState::Removed {
                continue;
            }
            self.mark(at, state, "marked");
        }
        if state == TaskState::Failed || self.decision.changes.is_empty() {
            return;
        }
        let mut below = vec![false; self.view.dag.tasks.len()];
        for change in &self.decision.changes {
            if let Some(is_below) = below.get_mut(change.to.task.index()) {
                *is_below = true;
            }
        }
        spread_down(self.view, &mut below);
        let tasks = self.view.tasks;
        self.clear(|at| {
            !selected[at] && below.get(tasks[at].task.index()) == Some(&true) && tasks[at].state.is_failure()
        });
        self.decision.changes.sort_by_key(|change| change.at);
    }

    /// Ends the run: what is under way ends in `running`, what has not begun is skipped.
    fn mark_run(&mut self, to: RunState, running: TaskState, why: &str) {
        use TaskState::*;
        for at in 0..self.view.tasks.len() {
            match self.view.tasks[at].state {
                Success | Failed | Skipped | UpstreamFailed | Removed => {}
                Running | UpForReschedule | Deferred | AwaitingInput => self.mark(at, running, why),
                NoStatus | Scheduled | Queued | UpForRetry | Restarting => self.mark(at, Skipped, why),
            }
        }
        if self.view.run.state != to {
            self.run(to, why);
        }
    }

    fn mark(&mut self, at: usize, state: TaskState, why: &str) {
        let mut to = self.view.tasks[at].clone();
        to.skips = Skips::None;
        end(&mut to, state, self.now);
        self.change(at, to, why);
    }

    fn change(&mut self, at: usize, to: TaskInstance, why: &str) {
        let before = &self.view.tasks[at];
        if *before == to {
            return;
        }
        if to.state != TaskState::Queued && self.pulse(at) == Pulse::Unclaimed {
            self.decision.given_up.push(at);
        }
        self.decision.changes.push(Change { at, from: before.state, to, why: why.to_owned() });
    }

    fn run(&mut self, to: RunState, why: &str) {
        self.decision.run = Some(RunChange { from: self.view.run.state, to, why: why.to_owned() });
    }

    fn pulse(&self, at: usize) -> Pulse {
        pulse(self.view.attempts.get(at).and_then(Option::as_ref), self.now)
    }

    fn finish(mut self) -> Decision {
        self.decision.given_up.sort_unstable();
        self.decision.given_up.dedup();
        self.decision.wake_next_run = matters_to_next_run(self.view, &self.decision.changes);
        if !self.decision.changes.is_empty() || self.decision.run.is_some() {
            self.decision.wake_at = Some(self.now);
        }
        self.decision
    }
}

/// Says for each position whether it is selected.
///
/// A map index selects that instance alone; the tasks upstream and downstream of it are selected whole.
fn select(view: &RunView<'_>, selection: &Selection) -> Result<Vec<bool>, Refused> {
    let Some(wanted) = &selection.tasks else { return Ok(vec![true; view.tasks.len()]) };
    let names: BTreeMap<&TaskId, TaskIx> =
        view.dag.tasks.iter().enumerate().map(|(ix, task)| (&task.id, TaskIx::from(ix))).collect();
    let places: BTreeMap<(TaskIx, i32), usize> =
        view.tasks.iter().enumerate().map(|(at, instance)| ((instance.task, instance.map_index), at)).collect();

    let mut roots = vec![false; view.dag.tasks.len()];
    let mut whole = vec![false; view.dag.tasks.len()];
    let mut selected = vec![false; view.tasks.len()];
    for (id, map_index) in wanted {
        let &ix = names.get(id).ok_or_else(|| Refused::NoSuchTask(id.clone()))?;
        roots[ix.index()] = true;
        match *map_index {
            None => whole[ix.index()] = true,
            Some(map_index) => {
                let &at = places.get(&(ix, map_index)).ok_or_else(|| Refused::NoSuchMapIndex(id.clone(), map_index))?;
                selected[at] = true;
            }
        }
    }
    for (is_asked, spread) in
        [(selection.downstream, spread_down as fn(&RunView<'_>, &mut [bool])), (selection.upstream, spread_up)]
    {
        if !is_asked {
            continue;
        }
        let mut reached = roots.clone();
        spread(view, &mut reached);
        for ix in (0..reached.len()).filter(|&ix| reached[ix] && !roots[ix]) {
            whole[ix] = true;
        }
    }
    for (at, instance) in view.tasks.iter().enumerate() {
        selected[at] |= whole.get(instance.task.index()) == Some(&true);
    }
    Ok(selected)
}

/// Adds everything downstream of what is marked.
fn spread_down(view: &RunView<'_>, marked: &mut [bool]) {
    for (ix, task) in view.dag.tasks.iter().enumerate() {
        if marked[ix] {
            task.downstream.iter().for_each(|down| marked[down.index()] = true);
        }
    }
}

/// Adds everything upstream of what is marked.
fn spread_up(view: &RunView<'_>, marked: &mut [bool]) {
    for (ix, task) in view.dag.tasks.iter().enumerate().rev() {
        if marked[ix] {
            task.upstream.iter().for_each(|up| marked[up.index()] = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use TaskState::*;

    use super::*;
    use crate::{
        engine::testing::{DagBuilder, Facts, at, failed},
        run::Outcome,
    };

    fn diamond() -> Facts {
        let dag = DagBuilder::new()
            .task("a", &[])
            .with(|task| task.retry.retries = 2)
            .task("b", &["a"])
            .task("c", &["a"])
            .task("d", &["b", "c"]);
        Facts::new(dag.build())
    }

    fn these(ids: &[&str]) -> Selection {
        let tasks = Some(ids.iter().map(|&id| (id.into(), None)).collect());
        Selection { tasks, upstream: false, downstream: false }
    }

    fn clear(tasks: Selection) -> Edit {
        Edit::Clear { tasks, only_failed: false }
    }

    fn set(facts: &mut Facts, states: &[TaskState]) {
        for (instance, &state) in facts.tasks.iter_mut().zip(states) {
            instance.state = state;
        }
    }

    #[track_caller]
    fn check(facts: &Facts, expected: &[TaskState]) {
        let states: Vec<_> = facts.tasks.iter().map(|instance| instance.state).collect();
        assert_eq!(states, expected);
    }

    #[test]
    fn a_clear_reaches_as_far_as_it_is_told() {
        for (upstream, downstream, expected) in [
            (false, false, [Success, NoStatus, Success, Success]),
            (false, true, [Success, NoStatus, Success, NoStatus]),
            (true, false, [NoStatus, NoStatus, Success, Success]),
            (true, true, [NoStatus, NoStatus, Success, NoStatus]),
        ] {
            let mut facts = diamond();
            set(&mut facts, &[Success; 4]);
            facts.edit(&clear(Selection { upstream, downstream, ..these(&["b"]) }), at(9)).unwrap();
            check(&facts, &expected);
        }
    }

    #[test]
    fn clearing_all_is_clearing_every_task() {
        let mut facts = diamond();
        set(&mut facts, &[Success, Failed, Skipped, UpstreamFailed]);
        facts.edit(&clear(Selection::default()), at(9)).unwrap();
        check(&facts, &[NoStatus; 4]);
    }

    #[test]
    fn only_failed_leaves_the_rest() {
        let mut facts = diamond();
        set(&mut facts, &[Success, Failed, Skipped, UpstreamFailed]);
        facts.edit(&Edit::Clear { tasks: Selection::default(), only_failed: true }, at(9)).unwrap();
        check(&facts, &[Success, NoStatus, Skipped, NoStatus]);
    }

    #[test]
    fn a_cleared_task_gets_its_retries_again() {
        let mut facts = diamond();
        facts.decide(at(0));
        facts.play("a", Outcome::Lost { why: "gone".into() }, at(1));
        facts.play("a", Outcome::Success, at(2));
        assert_eq!((facts.tasks[0].try_number, facts.tasks[0].max_tries, facts.tasks[0].lost), (2, 3, 1));
        facts.edit(&clear(these(&["a"])), at(3)).unwrap();
        assert_eq!((facts.tasks[0].try_number, facts.tasks[0].max_tries, facts.tasks[0].lost), (2, 4, 0));
        assert_eq!((facts.tasks[0].started_at, facts.tasks[0].ended_at), (None, None));
        facts.decide(at(3));
        assert_eq!(facts.tasks[0].try_number, 3);
    }

    #[test]
    fn each_state_is_cleared_in_its_way() {
        for &state in TaskState::ALL {
            let mut facts = diamond();
            facts.tasks[0].state = state;
            facts.edit(&clear(these(&["a"])), at(1)).unwrap();
            let expected = match state {
                Removed => Removed,
                Running | Restarting => Restarting,
                NoStatus | Scheduled | Queued | Success | Failed | Skipped | UpstreamFailed | UpForRetry
                | UpForReschedule | Deferred | AwaitingInput => NoStatus,
            };
            assert_eq!(facts.tasks[0].state, expected, "{state}");
        }
    }

    #[test]
    fn clearing_what_waits_for_a_worker_takes_it_back_from_the_queue() {
        let mut facts = diamond();
        facts.decide(at(0));
        facts.grant(0);
        let decision = facts.edit(&clear(these(&["a"])), at(1)).unwrap();
        assert_eq!(decision.given_up, [0]);
        check(&facts, &[NoStatus; 4]);
        facts.decide(at(1));
        facts.grant(0);
    }

    #[test]
    fn what_the_version_lacks_is_removed_instead_of_cleared() {
        for &state in TaskState::ALL {
            let mut facts = Facts::new(DagBuilder::new().task("a", &[]).task("old", &[]).build());
            facts.dag.tasks.truncate(1);
            set(&mut facts, &[Success, state]);
            facts.edit(&clear(Selection::default()), at(1)).unwrap();
            check(&facts, &[NoStatus, if state.is_finished() { state } else { Removed }]);
        }
        let mut facts = Facts::new(DagBuilder::new().task("a", &[]).task("old", &[]).build());
        facts.decide(at(0));
        facts.grant(1);
        facts.dag.tasks.truncate(1);
        let decision = facts.edit(&clear(Selection::default()), at(1)).unwrap();
        assert_eq!(decision.given_up, [1], "nobody takes it from the queue");
    }

    #[test]
    fn clearing_what_runs_ends_its_attempt_first() {
        let mut facts = diamond();
        facts.decide(at(0));
        facts.begin("a", at(1));
        facts.edit(&clear(these(&["a"])), at(2)).unwrap();
        facts.decide(at(2));
        check(&facts, &[Restarting, NoStatus, NoStatus, NoStatus]);
        facts.report(0, Outcome::Cancelled, at(3));
        facts.decide(at(3));
        check(&facts, &[Scheduled, NoStatus, NoStatus, NoStatus]);
    }

    #[test]
    fn clearing_a_task_of_a_finished_run_queues_the_run() {
        let mut facts = diamond();
        set(&mut facts, &[Success, Failed, Success, UpstreamFailed]);
        facts.decide(at(1));
        assert_eq!(facts.run.state, RunState::Failed);
        let nothing = facts.edit(&clear(Selection { tasks: Some(vec![]), ..Selection::default() }), at(2)).unwrap();
        assert_eq!(nothing, Decision::default());
        facts.edit(&clear(Selection { downstream: true, ..these(&["b"]) }), at(2)).unwrap();
        assert_eq!((facts.run.state, facts.run.clear_number), (RunState::Queued, 1));
        assert_eq!(facts.decide(at(2)).changes, []);
        facts.start(at(3));
        facts.decide(at(3));
        check(&facts, &[Success, Scheduled, Success, NoStatus]);
    }

    #[test]
    fn marking_success_lets_what_failed_below_try_again() {
        let mut facts = diamond();
        set(&mut facts, &[Success, Failed, Success, UpstreamFailed]);
        facts.decide(at(1));
        let mark = Edit::MarkTasks { tasks: these(&["b"]), state: Success };
        facts.edit(&mark, at(2)).unwrap();
        check(&facts, &[Success, Success, Success, NoStatus]);
        assert_eq!(facts.run.state, RunState::Queued);
        assert_eq!(facts.edit(&mark, at(3)).unwrap(), Decision::default());
    }

    #[test]
    fn marking_failed_is_judged_by_the_next_pass() {
        let mut facts = diamond();
        facts.decide(at(0));
        facts.edit(&Edit::MarkTasks { tasks: these(&["b"]), state: Failed }, at(1)).unwrap();
        check(&facts, &[Scheduled, Failed, NoStatus, NoStatus]);
        facts.decide(at(1));
        check(&facts, &[Scheduled, Failed, NoStatus, UpstreamFailed]);
    }

    #[test]
    fn marking_what_runs_leaves_its_attempt_to_the_worker() {
        let mut facts = diamond();
        facts.decide(at(0));
        facts.begin("a", at(1));
        facts.edit(&Edit::MarkTasks { tasks: these(&["a"]), state: Skipped }, at(2)).unwrap();
        facts.decide(at(2));
        check(&facts, &[Skipped; 4]);
        assert!(facts.attempts[0].is_some());
        facts.report(0, failed(), at(3));
        facts.decide(at(3));
        check(&facts, &[Skipped; 4]);
        assert!(facts.attempts[0].is_none());
    }

    #[test]
    fn a_marked_branch_skips_nobody() {
        let dag = DagBuilder::new().task("branch", &[]).task("x", &["branch"]);
        let mut facts = Facts::new(dag.build());
        facts.decide(at(0));
        facts.play("branch", Outcome::Branch { follow: vec![] }, at(1));
        check(&facts, &[Success, Skipped]);
        facts.edit(&Edit::MarkTasks { tasks: these(&["branch"]), state: Failed }, at(2)).unwrap();
        facts.edit(&Edit::MarkTasks { tasks: these(&["branch"]), state: Success }, at(3)).unwrap();
        facts.edit(&clear(these(&["x"])), at(4)).unwrap();
        facts.start(at(4));
        facts.decide(at(4));
        check(&facts, &[Success, Scheduled]);
    }

    #[test]
    fn a_run_is_marked_as_airflow_does() {
        use RunState::{Failed as RunFailed, Success as RunSuccess};
        for (edit, run, running) in [
            (Edit::MarkRun { state: RunSuccess }, RunSuccess, Success),
            (Edit::MarkRun { state: RunFailed }, RunFailed, Failed),
            (Edit::Cancel, RunFailed, Failed),
        ] {
            for &state in TaskState::ALL {
                let mut facts = diamond();
                facts.tasks[0].state = state;
                facts.edit(&edit, at(1)).unwrap();
                let expected = match state {
                    Running | UpForReschedule | Deferred | AwaitingInput => running,
                    NoStatus | Scheduled | Queued | UpForRetry | Restarting => Skipped,
                    Success | Failed | Skipped | UpstreamFailed | Removed => state,
                };
                assert_eq!((facts.tasks[0].state, facts.tasks[1].state), (expected, Skipped), "{state}");
                assert_eq!(facts.run.state, run);
                assert_eq!(facts.decide(at(1)).changes, []);
            }
        }
    }

    #[test]
    fn a_finished_run_may_be_marked_but_not_cancelled() {
        let mut facts = diamond();
        set(&mut facts, &[Success; 4]);
        facts.decide(at(1));
        assert_eq!(facts.edit(&Edit::Cancel, at(2)).unwrap(), Decision::default());
        facts.edit(&Edit::MarkRun { state: RunState::Failed }, at(2)).unwrap();
        assert_eq!(facts.run.state, RunState::Failed);
        check(&facts, &[Success; 4]);
    }

    #[test]
    fn a_queued_run_may_be_cancelled() {
        let mut facts = diamond();
        facts.run.state = RunState::Queued;
        facts.edit(&Edit::Cancel, at(2)).unwrap();
        assert_eq!(facts.run.state, RunState::Failed);
        check(&facts, &[Skipped; 4]);
    }

    #[test]
    fn a_map_index_selects_one_instance_and_its_neighbours_whole() {
        let dag = DagBuilder::new().task("a", &[]).task("m", &["a"]).task("z", &["m"]);
        let mut facts = Facts::mapped(dag.build(), &[1, 3, 1]);
        set(&mut facts, &[Success; 5]);
        let tasks = Selection { tasks: Some(vec![("m".into(), Some(1))]), upstream: false, downstream: true };
        facts.edit(&clear(tasks), at(1)).unwrap();
        check(&facts, &[Success, Success, NoStatus, Success, NoStatus]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |edit: Edit| diamond().edit(&edit, at(0)).unwrap_err();
        let unknown = clear(these(&["a", "nope"]));
        assert_eq!(refused(unknown), Refused::NoSuchTask("nope".into()));
        let tasks = Selection { tasks: Some(vec![("a".into(), Some(7))]), ..Selection::default() };
        assert_eq!(refused(clear(tasks)), Refused::NoSuchMapIndex("a".into(), 7));
        for &state in TaskState::ALL {
            if !matches!(state, Success | Failed | Skipped) {
                let mark = Edit::MarkTasks { tasks: these(&["a"]), state };
                assert_eq!(refused(mark), Refused::NotAMark(state));
            }
        }
        for state in [RunState::Queued, RunState::Running] {
            assert_eq!(refused(Edit::MarkRun { state }), Refused::NotARunMark(state));
        }
    }
}
