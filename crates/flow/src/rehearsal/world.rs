//! The facts of one run in memory: what the store is to the real scheduler. Decides nothing itself.

use std::{sync::Arc, time::Duration};

use flow_core::{
    Attempt, Dag, DagRun, Outcome, RunState, TaskInstance, TaskState, Timestamp,
    engine::{self, Change, Decision, Edit, Room, RunView, Waiting},
    run::Skips,
};

/// Slots of each pool: without a database there are no limits of an installation.
const POOL_SLOTS: i64 = i64::MAX / 2;

/// One run, its task instances and their attempts.
#[derive(Clone, Debug)]
pub(crate) struct World {
    dag: Arc<Dag>,
    run: DagRun,
    tasks: Vec<TaskInstance>,
    attempts: Vec<Option<Attempt>>,
    max_infrastructure_retries: u32,
    /// The longest that a retry waits; `None` = as long as the DAG says.
    retry_delay_max: Option<Duration>,
}

impl World {
    /// Makes a run that has just been started, with a task instance for each task.
    pub(crate) fn new(
        dag: Arc<Dag>,
        run: DagRun,
        max_infrastructure_retries: u32,
        retry_delay_max: Option<Duration>,
    ) -> Self {
        let tasks: Vec<TaskInstance> = dag
            .tasks
            .iter()
            .enumerate()
            .map(|(at, task)| TaskInstance {
                task: at.into(),
                map_index: -1,
                state: TaskState::NoStatus,
                try_number: 0,
                max_tries: task.retry.retries,
                lost: 0,
                next_at: None,
                started_at: None,
                ended_at: None,
                skips: Skips::None,
            })
            .collect();
        let attempts = vec![None; tasks.len()];
        Self { dag, run, tasks, attempts, max_infrastructure_retries, retry_delay_max }
    }

    pub(crate) fn dag(&self) -> &Dag {
        &self.dag
    }

    pub(crate) fn run(&self) -> &DagRun {
        &self.run
    }

    pub(crate) fn tasks(&self) -> &[TaskInstance] {
        &self.tasks
    }

    fn view(&self) -> RunView<'_> {
        RunView {
            dag: &self.dag,
            run: &self.run,
            tasks: &self.tasks,
            gone: &[],
            attempts: &self.attempts,
            previous: None,
            max_infrastructure_retries: self.max_infrastructure_retries,
        }
    }

    /// Decides and applies. Returns what changed, and when to look again.
    pub(crate) fn look(&mut self, now: Timestamp) -> (Vec<Change>, Option<Timestamp>) {
        let mut decision = engine::decide(&self.view(), now);
        self.apply(&decision, now);
        let mut wake_at = decision.wake_at;
        if self.shorten_delays(&mut decision.changes, now) {
            wake_at = engine::decide(&self.view(), now).wake_at;
        }
        (decision.changes, wake_at)
    }

    /// Cancels the run, as a person would.
    pub(crate) fn cancel(&mut self, now: Timestamp) -> Vec<Change> {
        // Cancelling is never refused; a run that is over stays as it is.
        let decision = engine::edit(&self.view(), &Edit::Cancel, now).unwrap_or_default();
        self.apply(&decision, now);
        decision.changes
    }

    fn apply(&mut self, decision: &Decision, now: Timestamp) {
        for change in &decision.changes {
            self.tasks[change.at] = change.to.clone();
        }
        if let Some(change) = &decision.run {
            self.run.state = change.to;
            self.run.ended_at = change.to.is_finished().then_some(now);
        }
        for &at in decision.given_up.iter().chain(&decision.settled) {
            self.attempts[at] = None;
        }
    }

    /// Brings retries forward. Says whether there was anything to bring forward.
    fn shorten_delays(&mut self, changes: &mut [Change], now: Timestamp) -> bool {
        let Some(most) = self.retry_delay_max else { return false };
        let mut is_shorter = false;
        for change in changes.iter_mut().filter(|change| change.to.state == TaskState::UpForRetry) {
            let soon = now + most;
            if change.to.next_at.is_some_and(|due| due > soon) {
                change.to.next_at = Some(soon);
                self.tasks[change.at].next_at = Some(soon);
                is_shorter = true;
            }
        }
        is_shorter
    }

    /// Starts what waits for slots, as far as the limits and `free` allow; returns the positions.
    pub(crate) fn grant(&mut self, free: usize, now: Timestamp) -> Vec<usize> {
        let (positions, waiting): (Vec<usize>, Vec<Waiting>) = (0..self.tasks.len())
            .filter(|&at| self.tasks[at].state == TaskState::Scheduled)
            .map(|at| (at, self.waiting(at)))
            .unzip();
        let mut room = self.room();
        let granted: Vec<usize> =
            engine::hand_out(&waiting, &mut room).into_iter().take(free).map(|at| positions[at]).collect();
        for &at in &granted {
            let instance = &mut self.tasks[at];
            instance.state = TaskState::Running;
            instance.started_at.get_or_insert(now);
            self.attempts[at] = Some(Attempt {
                try_number: instance.try_number,
                is_claimed: true,
                started_at: instance.started_at,
                // Its worker is this very process: it cannot fall silent.
                lease_until: None,
                outcome: None,
                ended_at: None,
            });
        }
        granted
    }

    fn waiting(&self, at: usize) -> Waiting {
        let (instance, task) = (&self.tasks[at], self.dag.task(self.tasks[at].task));
        Waiting {
            run: self.run.key,
            dag_id: self.dag.id.clone(),
            task_id: task.id.clone(),
            map_index: instance.map_index,
            pool: task.pool.clone(),
            pool_slots: task.pool_slots,
            priority_weight: task.priority_weight,
            logical_date: self.run.logical_date.unwrap_or(self.run.run_after),
            max_active_tasks: self.dag.max_active_tasks,
            max_active_tis_per_dag: task.max_active_tis_per_dag,
            max_active_tis_per_dagrun: task.max_active_tis_per_dagrun,
        }
    }

    fn room(&self) -> Room {
        let mut room = Room::default();
        for task in &self.dag.tasks {
            room.pools.insert(task.pool.clone(), POOL_SLOTS);
            room.pool_sizes.insert(task.pool.clone(), POOL_SLOTS);
        }
        let is_alive = |at: &usize| self.attempts[*at].as_ref().is_some_and(|attempt| attempt.outcome.is_none());
        for at in (0..self.tasks.len()).filter(is_alive) {
            room.charge(&self.waiting(at));
        }
        room
    }

    /// Says whether this try of a task instance is the one that should run.
    pub(crate) fn is_running(&self, at: usize, try_number: u32) -> bool {
        self.tasks[at].state == TaskState::Running
            && self.attempts[at].as_ref().is_some_and(|attempt| attempt.try_number == try_number)
    }

    /// Writes down how the attempt at a position ended.
    pub(crate) fn report(&mut self, at: usize, outcome: Outcome, now: Timestamp) {
        if let Some(attempt) = &mut self.attempts[at] {
            attempt.outcome = Some(outcome);
            attempt.ended_at = Some(now);
        }
    }

    /// Says whether the run came to a good end.
    pub(crate) fn succeeded(&self) -> bool {
        self.run.state == RunState::Success
    }
}

#[cfg(test)]
mod tests {
    use flow_core::engine::testing::{DagBuilder, Facts, at, failed};

    use super::*;

    fn world(dag: Dag, retry_delay_max: Option<Duration>) -> World {
        let run = Facts::new(dag.clone()).run;
        World::new(Arc::new(dag), run, 3, retry_delay_max)
    }

    fn states(world: &World) -> Vec<TaskState> {
        world.tasks().iter().map(|task| task.state).collect()
    }

    #[test]
    fn tasks_start_in_order_and_the_run_ends_with_the_last() {
        use TaskState::*;
        let mut world = world(DagBuilder::new().task("a", &[]).task("b", &["a"]).build(), None);
        world.look(at(0));
        assert_eq!(world.grant(9, at(0)), [0]);
        assert_eq!(world.grant(9, at(0)), Vec::<usize>::new());
        world.report(0, Outcome::Success, at(1));
        world.look(at(1));
        assert_eq!(states(&world), [Success, Scheduled]);
        assert_eq!(world.grant(9, at(1)), [1]);
        world.report(1, Outcome::Success, at(2));
        world.look(at(2));
        assert!(world.succeeded());
    }

    #[test]
    fn no_more_start_than_there_are_slots_or_the_dag_allows() {
        let dag = DagBuilder::new().task("a", &[]).task("b", &[]).task("c", &[]).dag(|dag| dag.max_active_tasks = 2);
        let mut world = world(dag.build(), None);
        world.look(at(0));
        assert_eq!(world.grant(1, at(0)).len(), 1);
        assert_eq!(world.grant(9, at(0)).len(), 1);
        assert_eq!(world.grant(9, at(0)).len(), 0);
    }

    #[track_caller]
    fn check_retry(retry_delay_max: Option<Duration>, expected: u64) {
        let dag = DagBuilder::new().task("a", &[]).with(|task| task.retry.retries = 1).build();
        let mut world = world(dag, retry_delay_max);
        world.look(at(0));
        world.grant(1, at(0));
        world.report(0, failed(), at(0));
        let (changes, wake_at) = world.look(at(0));
        assert_eq!((changes[0].to.next_at, wake_at), (Some(at(expected)), Some(at(expected))));
        world.look(at(expected));
        assert_eq!(world.grant(1, at(expected)), [0]);
        assert!(world.is_running(0, 2) && !world.is_running(0, 1));
    }

    #[test]
    fn a_retry_waits_as_long_as_it_may() {
        check_retry(None, 300);
        check_retry(Some(Duration::from_secs(1)), 1);
        check_retry(Some(Duration::from_secs(900)), 300);
    }

    #[test]
    fn a_cancelled_run_has_failed_and_nothing_of_it_should_go_on() {
        let mut world = world(DagBuilder::new().task("a", &[]).task("b", &["a"]).build(), None);
        world.look(at(0));
        world.grant(1, at(0));
        assert!(world.is_running(0, 1));
        world.cancel(at(1));
        assert!(!world.is_running(0, 1) && world.run().state == RunState::Failed);
        assert!(states(&world).iter().all(|state| state.is_finished()));
    }
}
