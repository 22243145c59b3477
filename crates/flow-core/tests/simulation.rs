//! Seeded random worlds: DAGs, runs, workers that die, fall silent, report late or twice, clears, marks and
//! clocks that jump.
//!
//! The world looks at a run only when the engine asked for it (`wake_at`, `wake_next_run`) or a fact was added,
//! as the real loops do; a wake-up that is forgotten shows as a run that never ends. `FLOW_SEED=n` plays one
//! world again, `FLOW_SEEDS=n` plays that many.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use flow_core::{
    Dag, Outcome, RunState, TaskId, TaskIx, TaskState, Timestamp, TriggerRule,
    engine::{
        Decision, Edit, Room, Selection, Waiting, decide, explain, explain_dispatch, hand_out, start_runs,
        testing::{Choices, DagBuilder, Facts, at, failed},
        trigger_rule::{Tally, Verdict, judge},
    },
    id::RunKey,
    run::{Attempt, Previous, Skips},
};

/// How many worlds are played without `FLOW_SEEDS`.
const SEEDS: u64 = 30_000;
/// Random steps before everyone behaves and the runs must end.
const STEPS: usize = 60;
/// More looks than any world of this size needs.
const LOOKS_MAX: usize = 3_000;
const LEASE: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "which worlds to play is asked for from outside")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_run_ends_whatever_the_workers_do() {
    if let Some(seed) = number("FLOW_SEED") {
        World::new(seed).play();
        return;
    }
    let seeds = number("FLOW_SEEDS").unwrap_or(SEEDS);
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64).min(8);
    let ended: u64 = std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || {
                    let mut ended = 0;
                    for seed in (first..seeds).step_by(threads as usize) {
                        let played = std::panic::catch_unwind(|| World::new(seed).play());
                        assert!(played.is_ok(), "world {seed} is broken; FLOW_SEED={seed} plays it again");
                        ended += 1;
                    }
                    ended
                })
            })
            .collect();
        players.into_iter().map(|player| player.join().expect("a world is broken")).sum()
    });
    assert_eq!(ended, seeds);
}

/// What a worker will do with its attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Keeps its lease and reports.
    Works,
    /// Dies: never heard of again.
    Dies,
    /// Falls silent, and reports long after its lease.
    Late,
}

#[derive(Clone, Debug)]
struct Worker {
    run: usize,
    place: usize,
    /// The fencing token: which attempt of the task instance it took.
    token: u32,
    fate: Fate,
    /// When it is done, in the world's time.
    until: Timestamp,
}

struct World {
    choose: Choices,
    dag: Dag,
    runs: Vec<Facts>,
    /// By run and position: how many attempts were taken so far.
    tokens: Vec<Vec<u32>>,
    workers: Vec<Worker>,
    pool_sizes: BTreeMap<String, i64>,
    /// By run: someone asked for a look.
    is_due: Vec<bool>,
    wake_at: Vec<Option<Timestamp>>,
    now: Timestamp,
    edits_left: usize,
    /// The arrows that the engine, not an edit, has taken.
    seen: BTreeSet<(TaskState, TaskState)>,
}

/// Worlds that never get anywhere would prove nothing.
#[test]
fn the_worlds_go_over_every_arrow_of_a_pass() {
    use TaskState::*;
    let mut seen = BTreeSet::new();
    for seed in 0..2_000 {
        seen.append(&mut World::new(seed).play());
    }
    for (from, to) in [
        (NoStatus, Scheduled),
        (NoStatus, Success),
        (NoStatus, Skipped),
        (NoStatus, UpstreamFailed),
        (NoStatus, Removed),
        (Scheduled, Skipped),
        (Queued, Skipped),
        (Running, Success),
        (Running, Failed),
        (Running, Skipped),
        (Running, UpForRetry),
        (Running, UpForReschedule),
        (Running, Scheduled),
        (UpForRetry, Scheduled),
        (UpForRetry, Skipped),
        (UpForReschedule, Scheduled),
        (UpForReschedule, Skipped),
        (Restarting, NoStatus),
        (Restarting, Scheduled),
        (Restarting, Skipped),
    ] {
        assert!(seen.contains(&(from, to)), "no world goes from {from} to {to}: {seen:?}");
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut choose = Choices::random(seed);
        let dag = random_dag(&mut choose);
        let copies: Vec<i32> = dag
            .tasks
            .iter()
            .map(|task| if !task.is_inline && choose.once_in(8) { 2 + choose.below(2) as i32 } else { 1 })
            .collect();
        let count = 1 + choose.below(3);
        let runs: Vec<Facts> = (0..count)
            .map(|place| {
                let mut facts = Facts::mapped(dag.clone(), &copies);
                facts.max_infrastructure_retries = 1 + choose.below(3) as u32;
                facts.run.key = RunKey(place as i64);
                facts.run.logical_date = Some(at(place as u64 * 10));
                facts.run.state = RunState::Queued;
                facts.run.started_at = None;
                facts
            })
            .collect();
        let tokens = runs.iter().map(|facts| vec![0; facts.tasks.len()]).collect();
        let pool_sizes =
            [("default_pool".to_owned(), 4), ("small".to_owned(), 1 + choose.below(3) as i64)].into_iter().collect();
        Self {
            choose,
            dag,
            is_due: vec![true; runs.len()],
            wake_at: vec![None; runs.len()],
            runs,
            tokens,
            workers: Vec::new(),
            pool_sizes,
            now: at(100),
            edits_left: 4,
            seen: BTreeSet::new(),
        }
    }

    /// Plays to the end; returns the arrows that were taken.
    fn play(mut self) -> BTreeSet<(TaskState, TaskState)> {
        for _ in 0..STEPS {
            self.step();
        }
        self.settle();
        self.seen
    }

    fn step(&mut self) {
        match self.choose.below(12) {
            0..=2 => self.look_at_due(),
            3 | 4 => self.hand_out(),
            5 | 6 => self.claim_some(),
            7 | 8 => self.work(),
            9 => self.start_runs(),
            10 => self.move_clock(),
            _ => self.edit(),
        }
    }

    /// Everyone behaves; every run must end.
    fn settle(&mut self) {
        for _ in 0..LOOKS_MAX {
            self.start_runs();
            self.look_at_due();
            self.hand_out();
            self.claim_all();
            self.work();
            if (0..self.runs.len()).any(|run| self.must_look(run)) {
                continue;
            }
            let ended = self.runs.iter().all(|facts| facts.run.state.is_finished());
            if ended && self.wake_at.iter().all(Option::is_none) {
                self.check_end();
                return;
            }
            let next = self.wake_at.iter().flatten().chain(self.workers.iter().map(|worker| &worker.until)).min();
            match next.copied() {
                Some(next) => self.now = self.now.max(next),
                // A run that has just ended lets a queued one start.
                None if self.running() == 0 => {}
                None => self.free_what_waits_for_the_past(),
            }
        }
        panic!("the runs do not end: {:#?}", self.runs.iter().map(|facts| &facts.tasks).collect::<Vec<_>>());
    }

    /// With nothing left to wait for, only `depends_on_past` may hold a run.
    fn free_what_waits_for_the_past(&mut self) {
        let is_running = |facts: &Facts| facts.run.state == RunState::Running;
        let run = self.runs.iter().position(is_running).expect("asked only while a run is under way");
        let view = self.runs[run].view();
        let blocked = (0..view.tasks.len())
            .filter(|&place| !view.tasks[place].state.is_finished())
            .any(|place| explain(&view, place, self.now).iter().any(|reason| reason.kind == "depends_on_past"));
        assert!(
            blocked,
            "run {run} hangs at {}: {:?} {:?} {:?} of {:?}",
            self.now, self.runs[run].tasks, self.runs[run].attempts, self.runs[run].previous, self.dag.tasks
        );
        self.apply_edit(run, &Edit::Cancel);
    }

    fn must_look(&self, run: usize) -> bool {
        self.is_due[run] || self.wake_at[run].is_some_and(|due| due <= self.now)
    }

    fn look_at_due(&mut self) {
        for run in 0..self.runs.len() {
            if self.must_look(run) {
                self.look(run);
            }
        }
    }

    fn look(&mut self, run: usize) {
        // Cleared before reading, never after.
        self.is_due[run] = false;
        self.wake_at[run] = None;
        self.runs[run].previous = run.checked_sub(1).map(|before| previous(&self.runs[before]));
        let before = self.choose.once_in(4).then(|| self.runs[run].clone());
        let had = self.runs[run].attempts.clone();
        let decision = self.runs[run].decide(self.now);
        self.wake_at[run] = decision.wake_at;
        if decision.wake_next_run && run + 1 < self.runs.len() {
            self.is_due[run + 1] = true;
        }
        self.seen.extend(decision.changes.iter().map(|change| (change.from, change.to.state)));
        self.check_decision(run, &decision, &had);
        if let Some(before) = before {
            self.check_shuffled(&before, &decision);
            self.check_explained(&before, &decision);
        }
    }

    fn start_runs(&mut self) {
        let queued: Vec<usize> =
            (0..self.runs.len()).filter(|&run| self.runs[run].run.state == RunState::Queued).collect();
        let rows: Vec<_> = queued.iter().map(|&run| self.runs[run].run.clone()).collect();
        let running = self.running();
        for place in start_runs(&self.dag, &rows, running) {
            self.runs[queued[place]].start(self.now);
            self.is_due[queued[place]] = true;
        }
        assert!(self.running() <= self.dag.max_active_runs.max(running), "more runs than max_active_runs");
    }

    fn running(&self) -> u32 {
        self.runs.iter().filter(|facts| facts.run.state == RunState::Running).count() as u32
    }

    fn hand_out(&mut self) {
        let (mut waiting, mut places) = (Vec::new(), Vec::new());
        for (run, facts) in self.runs.iter().enumerate() {
            for (place, instance) in facts.tasks.iter().enumerate() {
                if instance.state == TaskState::Scheduled && facts.attempts[place].is_none() {
                    places.push((run, place));
                    waiting.push(self.waiting(run, place));
                }
            }
        }
        let mut room = self.room();
        let mut shuffled: Vec<usize> = (0..waiting.len()).collect();
        self.choose.shuffle(&mut shuffled);
        let other: Vec<_> = shuffled.iter().map(|&place| waiting[place].clone()).collect();
        let granted = hand_out(&waiting, &mut room);
        let again: Vec<_> = hand_out(&other, &mut self.room()).into_iter().map(|place| shuffled[place]).collect();
        assert_eq!(granted, again, "the order of the candidates changed who gets the slots");
        for (place, candidate) in waiting.iter().enumerate() {
            assert!(granted.contains(&place) || !explain_dispatch(candidate, &room, 0).is_empty());
        }
        for place in granted {
            let (run, place) = places[place];
            self.runs[run].grant(place);
        }
        self.check_limits();
    }

    fn waiting(&self, run: usize, place: usize) -> Waiting {
        let facts = &self.runs[run];
        let instance = &facts.tasks[place];
        let task = self.dag.task(instance.task);
        Waiting {
            run: facts.run.key,
            dag_id: self.dag.id.clone(),
            task_id: task.id.clone(),
            map_index: instance.map_index,
            pool: task.pool.clone(),
            pool_slots: task.pool_slots,
            priority_weight: task.priority_weight,
            logical_date: facts.run.logical_date.unwrap_or(facts.run.run_after),
            max_active_tasks: self.dag.max_active_tasks,
            max_active_tis_per_dag: task.max_active_tis_per_dag,
            max_active_tis_per_dagrun: task.max_active_tis_per_dagrun,
        }
    }

    fn room(&self) -> Room {
        let mut room = Room { pools: self.pool_sizes.clone(), pool_sizes: self.pool_sizes.clone(), ..Room::default() };
        for (run, facts) in self.runs.iter().enumerate() {
            for place in (0..facts.tasks.len()).filter(|&place| facts.attempts[place].is_some()) {
                room.charge(&self.waiting(run, place));
            }
        }
        room
    }

    fn check_limits(&self) {
        let room = self.room();
        assert!(room.pools.values().all(|&free| free >= 0), "a pool is over its slots: {room:?}");
        assert!(room.by_run.values().all(|&used| used <= self.dag.max_active_tasks), "max_active_tasks: {room:?}");
        for task in &self.dag.tasks {
            let used = room.by_task.get(&(self.dag.id.clone(), task.id.clone())).copied().unwrap_or_default();
            assert!(task.max_active_tis_per_dag.is_none_or(|most| used <= most), "max_active_tis_per_dag: {room:?}");
        }
        for ((_, id), &used) in &room.by_run_task {
            let task = self.dag.task(self.dag.task_ix(id).expect("a task of this DAG"));
            assert!(task.max_active_tis_per_dagrun.is_none_or(|most| used <= most), "per_dagrun: {room:?}");
        }
    }

    fn claim_some(&mut self) {
        for (run, place) in self.queued() {
            if self.choose.once_in(2) {
                let fate = self.choose.pick(&[Fate::Works, Fate::Works, Fate::Works, Fate::Dies, Fate::Late]);
                self.claim(run, place, fate);
            }
        }
    }

    fn claim_all(&mut self) {
        for (run, place) in self.queued() {
            self.claim(run, place, Fate::Works);
        }
    }

    fn queued(&self) -> Vec<(usize, usize)> {
        let all = self.runs.iter().enumerate();
        all.flat_map(|(run, facts)| (0..facts.tasks.len()).map(move |place| (run, place)))
            .filter(|&(run, place)| self.runs[run].tasks[place].state == TaskState::Queued)
            .collect()
    }

    fn claim(&mut self, run: usize, place: usize, fate: Fate) {
        let lease = self.now + LEASE;
        self.runs[run].claim(place, self.now, lease);
        // Who takes a lease asks for a look at its end: the engine cannot know of it before it looks again.
        self.wake_at[run] = Some(self.wake_at[run].map_or(lease, |due| due.min(lease)));
        self.tokens[run][place] += 1;
        let span = Duration::from_secs(self.choose.below(40) as u64 + if fate == Fate::Late { 60 } else { 0 });
        let worker = Worker { run, place, token: self.tokens[run][place], fate, until: self.now + span };
        self.workers.push(worker);
    }

    /// Workers keep their leases, or report, or are gone.
    fn work(&mut self) {
        for worker in std::mem::take(&mut self.workers) {
            let is_current = self.tokens[worker.run][worker.place] == worker.token;
            if worker.until <= self.now {
                if worker.fate != Fate::Dies {
                    self.report(&worker, is_current);
                }
                continue;
            }
            let facts = &mut self.runs[worker.run];
            let is_wanted = facts.tasks[worker.place].state == TaskState::Running;
            let attempt = facts.attempts[worker.place].as_mut();
            match attempt.filter(|attempt| is_current && attempt.outcome.is_none()) {
                // Its attempt was given up, and it has noticed.
                None if worker.fate == Fate::Works => {}
                Some(_) if worker.fate == Fate::Works && !is_wanted => {
                    facts.report(worker.place, Outcome::Cancelled, self.now);
                    self.is_due[worker.run] = true;
                }
                Some(attempt) if worker.fate == Fate::Works => {
                    attempt.lease_until = attempt.lease_until.max(Some(self.now + LEASE));
                    self.workers.push(worker);
                }
                Some(_) | None => self.workers.push(worker),
            }
        }
    }

    fn report(&mut self, worker: &Worker, is_current: bool) {
        let outcome = self.outcome(worker);
        let facts = &mut self.runs[worker.run];
        if !is_current {
            return;
        }
        if facts.report(worker.place, outcome.clone(), self.now) {
            self.is_due[worker.run] = true;
            assert!(!facts.report(worker.place, outcome, self.now), "a second report was taken");
        }
    }

    fn outcome(&mut self, worker: &Worker) -> Outcome {
        let task = self.dag.task(self.runs[worker.run].tasks[worker.place].task);
        let downstream: Vec<TaskId> = task.downstream.iter().map(|&down| self.dag.task(down).id.clone()).collect();
        match self.choose.below(14) {
            0..=5 => Outcome::Success,
            6 | 7 => failed(),
            8 => Outcome::Skipped,
            9 => Outcome::Reschedule { at: self.now + Duration::from_secs(self.choose.below(20) as u64) },
            10 => Outcome::Branch { follow: downstream.into_iter().filter(|_| self.choose.once_in(2)).collect() },
            11 => Outcome::ShortCircuit { ignore_trigger_rules: self.choose.once_in(2) },
            12 => Outcome::Lost { why: "host gone".into() },
            _ => Outcome::Cancelled,
        }
    }

    fn move_clock(&mut self) {
        let seconds = |choose: &mut Choices, most| Duration::from_secs(choose.below(most) as u64);
        match self.choose.below(8) {
            0 => self.now = self.now + seconds(&mut self.choose, 500),
            1 => self.now = self.now - seconds(&mut self.choose, 20),
            _ => self.now = self.now + seconds(&mut self.choose, 15),
        }
    }

    fn edit(&mut self) {
        if self.edits_left == 0 {
            return;
        }
        self.edits_left -= 1;
        let run = self.choose.below(self.runs.len());
        let tasks =
            if self.choose.once_in(4) { None } else { Some(vec![(self.choose.pick(&self.dag.tasks).id, None)]) };
        let tasks = Selection { tasks, upstream: self.choose.once_in(3), downstream: self.choose.once_in(2) };
        let edit = match self.choose.below(8) {
            0..=3 => Edit::Clear { tasks, only_failed: self.choose.once_in(3) },
            4 | 5 => {
                let state = self.choose.pick(&[TaskState::Success, TaskState::Failed, TaskState::Skipped]);
                Edit::MarkTasks { tasks, state }
            }
            6 => Edit::MarkRun { state: self.choose.pick(&[RunState::Success, RunState::Failed]) },
            _ => Edit::Cancel,
        };
        self.apply_edit(run, &edit);
    }

    fn apply_edit(&mut self, run: usize, edit: &Edit) {
        let decision = self.runs[run].edit(edit, self.now).expect("every request makes sense");
        self.is_due[run] = true;
        if decision.wake_next_run && run + 1 < self.runs.len() {
            self.is_due[run + 1] = true;
        }
    }

    fn check_decision(&self, run: usize, decision: &Decision, had: &[Option<Attempt>]) {
        let facts = &self.runs[run];
        for &place in &decision.given_up {
            let attempt = had[place].as_ref().expect("only what is there can be given up");
            let is_over = attempt.lease_until.is_some_and(|until| until <= self.now);
            assert!(attempt.outcome.is_none() && (!attempt.is_claimed || is_over), "{attempt:?} was given up");
        }
        for &place in &decision.settled {
            assert!(had[place].as_ref().is_some_and(|attempt| attempt.outcome.is_some()));
        }
        for change in &decision.changes {
            assert!(!change.from.is_finished(), "a finished task moved by itself: {change:?}");
            assert!(change.to.next_at.is_none() || !change.to.state.is_finished(), "{change:?}");
            assert_eq!(
                change.to.ended_at.is_some(),
                change.to.state.is_finished() || change.to.state == TaskState::UpForRetry,
                "{change:?}"
            );
            assert!(change.to.lost <= facts.max_infrastructure_retries, "{change:?}");
            let task = self.dag.task(change.to.task);
            let is_start =
                change.to.state == TaskState::Scheduled || task.is_inline && change.to.state == TaskState::Success;
            if is_start {
                assert!(change.to.try_number <= change.to.max_tries + 1, "{change:?}");
                self.check_start(facts, change.to.task);
            }
        }
        let all_finished = facts.tasks.iter().all(|instance| instance.state.is_finished());
        match facts.run.state {
            RunState::Running => assert!(!all_finished, "all tasks ended, the run did not"),
            RunState::Success | RunState::Failed => assert!(all_finished, "the run ended before its tasks"),
            RunState::Queued => assert!(decision.changes.is_empty()),
        }
        if facts.run.state == RunState::Running {
            self.check_skips(facts);
        }
    }

    fn check_start(&self, facts: &Facts, ix: TaskIx) {
        let task = self.dag.task(ix);
        let upstream = facts.tasks.iter().filter(|instance| task.upstream.contains(&instance.task));
        let tally = Tally::of(upstream.map(|instance| instance.state));
        assert_eq!(judge(task.trigger_rule, tally), Verdict::Run, "`{}` started against its rule", task.id);
        if let Some(previous) = facts.previous.as_ref().filter(|_| task.depends_on_past) {
            let state = previous.tasks[&task.id];
            let is_good = matches!(state, TaskState::Success | TaskState::Skipped | TaskState::Removed);
            assert!(is_good, "`{}` started although it was {state} in the run before", task.id);
        }
    }

    /// What a branch does not follow has not started and will not.
    fn check_skips(&self, facts: &Facts) {
        for (place, instance) in facts.tasks.iter().enumerate() {
            use TaskState::*;
            if !matches!(instance.state, NoStatus | Scheduled | UpForRetry | UpForReschedule) {
                continue;
            }
            let task = self.dag.task(instance.task);
            for up in facts.tasks.iter().filter(|up| up.state == Success && task.upstream.contains(&up.task)) {
                let is_skipped = match &up.skips {
                    Skips::None => false,
                    Skips::AllBut(follow) => !follow.contains(&task.id),
                    Skips::Everything => true,
                };
                assert!(!is_skipped, "task instance {place} should have been skipped");
            }
        }
    }

    /// The order in which the rows come changes nothing.
    fn check_shuffled(&mut self, before: &Facts, decision: &Decision) {
        let mut order: Vec<usize> = (0..before.tasks.len()).collect();
        self.choose.shuffle(&mut order);
        let mut other = before.clone();
        other.tasks = order.iter().map(|&place| before.tasks[place].clone()).collect();
        other.attempts = order.iter().map(|&place| before.attempts[place].clone()).collect();
        let mut shuffled = decide(&other.view(), self.now);
        for change in &mut shuffled.changes {
            change.at = order[change.at];
        }
        shuffled.changes.sort_by_key(|change| change.at);
        for places in [&mut shuffled.given_up, &mut shuffled.settled] {
            places.iter_mut().for_each(|place| *place = order[*place]);
            places.sort_unstable();
        }
        // Which of several failed leaves is named may differ.
        let (mut a, mut b) = (shuffled.run.take(), decision.run.clone());
        a.iter_mut().chain(&mut b).for_each(|change| change.why.clear());
        assert_eq!((a, shuffled), (b, Decision { run: None, ..decision.clone() }));
    }

    /// `explain` says something about every task, and knows what `decide` is about to do.
    fn check_explained(&self, before: &Facts, decision: &Decision) {
        for (place, instance) in before.tasks.iter().enumerate() {
            let reasons = explain(&before.view(), place, self.now);
            assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.text.is_empty()));
            let moves = decision.changes.iter().any(|change| change.at == place && change.from != change.to.state);
            assert_eq!(reasons[0].kind == "next_pass", moves, "{instance:?}: {reasons:?}");
        }
    }

    fn check_end(&self) {
        for facts in &self.runs {
            assert!(facts.tasks.iter().all(|instance| instance.state.is_finished()));
            assert!(facts.attempts.iter().all(Option::is_none), "an attempt was left behind: {:?}", facts.attempts);
        }
    }
}

/// What the store tells the next run: of a mapped task, the instance that is furthest from good.
fn previous(before: &Facts) -> Previous {
    let mut tasks = BTreeMap::new();
    for instance in &before.tasks {
        let id = before.dag.task(instance.task).id.clone();
        let is_good = matches!(instance.state, TaskState::Success | TaskState::Skipped | TaskState::Removed);
        let slot = tasks.entry(id).or_insert(instance.state);
        if !is_good {
            *slot = instance.state;
        }
    }
    Previous { state: before.run.state, tasks }
}

fn random_dag(choose: &mut Choices) -> Dag {
    let mut dag = DagBuilder::new();
    let is_hasty = choose.once_in(10);
    let names: Vec<String> = (0..1 + choose.below(8)).map(|place| format!("t{place}")).collect();
    for (place, name) in names.iter().enumerate() {
        let needs: Vec<&str> = names[..place].iter().filter(|_| choose.once_in(3)).map(String::as_str).collect();
        dag = dag.task(name, &needs).with(|task| {
            if choose.once_in(2) && !is_hasty {
                task.trigger_rule = choose.pick(TriggerRule::ALL);
            }
            task.is_inline = choose.once_in(5);
            task.retry.retries = choose.below(3) as u32;
            task.retry.delay = Duration::from_secs(choose.pick(&[0, 1, 30]));
            task.retry.backoff = choose.pick(&[None, Some(2.0)]);
            task.depends_on_past = choose.once_in(8);
            task.wait_for_downstream = choose.once_in(16);
            task.pool = choose.pick(&["default_pool", "default_pool", "small"]).to_owned();
            task.pool_slots = 1 + if task.pool == "small" { 0 } else { choose.pick(&[0, 0, 0, 3]) };
            task.priority_weight = choose.below(3) as i64;
            task.max_active_tis_per_dag = choose.pick(&[None, None, Some(1)]);
            task.max_active_tis_per_dagrun = choose.pick(&[None, None, Some(1)]);
            task.start_date = choose.once_in(16).then(|| at(5));
        });
    }
    dag.dag(|dag| {
        dag.fail_fast = is_hasty;
        dag.max_active_runs = 1 + choose.below(3) as u32;
        dag.max_active_tasks = 1 + choose.below(4) as u32;
        dag.dagrun_timeout = choose.once_in(6).then(|| Duration::from_secs(60 + choose.below(200) as u64));
    })
    .build()
}
