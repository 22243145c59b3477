//! Plays the pages in tests/scenarios: a DAG, a tape of what happens, and what Flow makes of it.
//!
//! On the left of the tape stands a time and what happens; on the right, after two spaces or more, what changes.
//! `UPDATE_EXPECT=1` rewrites the right side. The words of the tape are those of [`Story::act`]; README.md beside
//! the pages lists them for readers.

use std::{fs, path::Path, time::Duration};

use flow_core::{
    Dag, Outcome, RunState, TaskState, Timestamp,
    catalog::{Catalog, OperatorSpec},
    dag,
    engine::{
        Edit, Room, Selection, Waiting,
        dispatch::in_order,
        explain, explain_dispatch, hand_out,
        testing::{Facts, at},
    },
    run::{Failure, FailureCause, Previous},
};

#[test]
fn the_pages_tell_what_happens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut pages: Vec<_> = fs::read_dir(&folder)
        .expect("a folder of pages")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("README.md"))
        .collect();
    pages.sort();
    assert!(pages.len() >= 15, "only {} pages", pages.len());
    let mut wrong = Vec::new();
    for path in pages {
        let page = fs::read_to_string(&path).expect("a readable page");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let played = play(&page, &name);
        if played == page {
            continue;
        }
        if is_update() {
            fs::write(&path, played).expect("a writable page");
        } else {
            let line = page.lines().zip(played.lines()).find(|(a, b)| a != b).unwrap_or(("", ""));
            wrong.push(format!("{name}:\n  page:   {}\n  played: {}", line.0, line.1));
        }
    }
    assert!(wrong.is_empty(), "pages and engine differ (UPDATE_EXPECT=1 rewrites them):\n{}", wrong.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "whether to rewrite the pages is asked for from outside")]
fn is_update() -> bool {
    std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1")
}

/// Returns the page with the right side of its tape as it is played.
fn play(page: &str, name: &str) -> String {
    let yaml = block(page, "yaml").unwrap_or_else(|| panic!("{name} has no yaml block"));
    let tape = block(page, "tape").unwrap_or_else(|| panic!("{name} has no tape block"));
    let mut story = Story::new(read(yaml, name));
    let mut steps = Vec::new();
    for line in tape.lines() {
        let (time, rest) = line.split_once("  ").unwrap_or_else(|| panic!("{name}: `{line}` has no action"));
        let action = rest.trim_start().split("  ").next().unwrap_or_default().trim_end();
        let now = moment(time).unwrap_or_else(|| panic!("{name}: `{time}` is no time"));
        let result = story.step(now, action).unwrap_or_else(|| panic!("{name}: cannot read `{action}`"));
        steps.push((time, action, result));
    }
    let width = steps.iter().map(|(_, action, _)| action.chars().count()).max().unwrap_or_default();
    let played: String = steps
        .iter()
        .map(|(time, action, result)| format!("{time}  {action:width$}  {result}").trim_end().to_owned() + "\n")
        .collect();
    page.replacen(tape, &played, 1)
}

fn block<'a>(page: &'a str, kind: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("```{kind}\n"))?;
    rest.split_once("```").map(|(text, _)| text)
}

fn read(yaml: &str, name: &str) -> Dag {
    let source = dag::Source { text: yaml, stem: "page", ..dag::Source::default() };
    let mut parsed = dag::parse(&source, &catalog());
    assert!(parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
    parsed.dags.pop().unwrap_or_else(|| panic!("{name}: no DAG")).dag
}

/// The operators of the pages take any arguments; how they end stands on the tape.
fn catalog() -> Catalog {
    let spec = |name, is_inline, is_sensor, is_branch| OperatorSpec {
        name,
        class: "",
        summary: "",
        templated: &[],
        is_sensor,
        is_branch,
        is_inline,
        check: |_| Vec::new(),
        schema: || serde_json::json!({ "type": "object" }),
    };
    Catalog::new(vec![
        spec("bash", false, false, false),
        spec("empty", true, false, false),
        spec("file_sensor", false, true, false),
        spec("branch", false, false, true),
        spec("short_circuit", false, false, true),
    ])
}

/// Reads `00:05` or `00:05:30` as the time since the run's logical date.
fn moment(text: &str) -> Option<Timestamp> {
    let parts: Option<Vec<u64>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts?.as_slice() {
        [hours, minutes] => Some(at(hours * 3600 + minutes * 60)),
        [hours, minutes, seconds] => Some(at(hours * 3600 + minutes * 60 + seconds)),
        _ => None,
    }
}

fn clock(moment: Timestamp) -> String {
    let text = moment.to_string();
    let time = &text[11..19];
    time.strip_suffix(":00").unwrap_or(time).to_owned()
}

/// One run, as its tape goes on.
struct Story {
    facts: Facts,
    pool_sizes: std::collections::BTreeMap<String, i64>,
    wake_at: Option<Timestamp>,
}

impl Story {
    fn new(dag: Dag) -> Self {
        let mut facts = Facts::new(dag);
        facts.run.state = RunState::Queued;
        facts.run.started_at = None;
        Self { facts, pool_sizes: [("default_pool".to_owned(), 128)].into(), wake_at: None }
    }

    /// Does what stands on the left; returns what belongs on the right. `None`: it makes no sense.
    fn step(&mut self, now: Timestamp, action: &str) -> Option<String> {
        if let Some(id) = action.strip_prefix("why ") {
            return Some(self.why(self.place(id)?, now));
        }
        let before = self.facts.clone();
        let woken = self.wake_at;
        if self.act(action, now)? {
            self.wake_at = self.facts.decide(now).wake_at;
        }
        let mut changes: Vec<String> = (0..self.facts.tasks.len())
            .filter(|&place| {
                self.facts.tasks[place].state != before.tasks[place].state || self.is_again(&before, place)
            })
            .map(|place| self.told(place))
            .collect();
        if self.facts.run.state != before.run.state && self.facts.run.state != RunState::Running {
            changes.push(format!("run: {}", self.facts.run.state));
        }
        let mut told = if changes.is_empty() { "–".to_owned() } else { changes.join("; ") };
        if let Some(due) = self.wake_at.filter(|&due| woken != Some(due)) {
            told.push_str(&format!(", wake {}", clock(due)));
        }
        Some(told)
    }

    /// Scheduled before and after, but for another try.
    fn is_again(&self, before: &Facts, place: usize) -> bool {
        self.facts.tasks[place].try_number != before.tasks[place].try_number
    }

    fn told(&self, place: usize) -> String {
        let instance = &self.facts.tasks[place];
        let id = &self.facts.dag.task(instance.task).id;
        let again = if instance.state == TaskState::Scheduled && instance.try_number > 1 {
            format!(" (try {})", instance.try_number)
        } else {
            String::new()
        };
        format!("{id}: {}{again}", instance.state)
    }

    /// Says whether the engine is to look afterwards.
    fn act(&mut self, action: &str, now: Timestamp) -> Option<bool> {
        let words: Vec<&str> = action.split(' ').collect();
        match words.as_slice() {
            ["start"] => self.facts.start(now),
            ["tick"] => {}
            ["slots"] => return self.slots().map(|()| false),
            ["pool", name, "has", size] => {
                self.pool_sizes.insert((*name).to_owned(), size.parse().ok()?);
                return Some(false);
            }
            ["the", "run", "before:", ..] => {
                let tasks: Option<_> = action
                    .strip_prefix("the run before: ")?
                    .split(", ")
                    .map(|part| part.split_once(' ').and_then(|(id, state)| Some((id.into(), state.parse().ok()?))))
                    .collect();
                self.facts.previous = Some(Previous { state: RunState::Running, tasks: tasks? });
            }
            ["clear", what @ ..] => {
                let (names, reach) = what.split_first()?;
                let tasks = self.selection(names, reach)?;
                self.edit(&Edit::Clear { tasks, only_failed: *names == "failed" }, now)?;
            }
            ["mark", "run", state] => self.edit(&Edit::MarkRun { state: state.parse().ok()? }, now)?,
            ["mark", id, state] => {
                let edit = Edit::MarkTasks { tasks: self.selection(id, &[])?, state: state.parse().ok()? };
                self.edit(&edit, now)?;
            }
            ["cancel"] => self.edit(&Edit::Cancel, now)?,
            [id, "is", "granted", "its", "slots"] => {
                let place = self.place(id)?;
                self.facts.grant(place);
            }
            [id, "begins"] => {
                self.facts.begin(id, now);
            }
            [id, "falls", "silent"] => {
                let place = self.place(id)?;
                self.facts.attempts[place].as_mut()?.lease_until = Some(now + Duration::from_secs(120));
            }
            [id, how @ ..] => {
                let place = self.place(id)?;
                let outcome = outcome(&how.join(" "))?;
                self.facts.begin(id, now);
                // A late report of an attempt that was given up is refused, and changes nothing.
                self.facts.report(place, outcome, now);
            }
            [] => return None,
        }
        Some(true)
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Option<()> {
        self.facts.edit(edit, now).ok()?;
        self.facts.start(now);
        Some(())
    }

    fn selection(&self, names: &str, reach: &[&str]) -> Option<Selection> {
        let tasks = match names {
            "all" | "failed" => None,
            id => {
                self.place(id)?;
                Some(vec![(id.into(), None)])
            }
        };
        match reach {
            [] => Some(Selection { tasks, ..Selection::default() }),
            ["and", "downstream"] => Some(Selection { tasks, downstream: true, upstream: false }),
            ["and", "upstream"] => Some(Selection { tasks, downstream: false, upstream: true }),
            _ => None,
        }
    }

    fn place(&self, id: &str) -> Option<usize> {
        let ix = self.facts.dag.task_ix(&id.into())?;
        self.facts.tasks.iter().position(|instance| instance.task == ix)
    }

    fn why(&self, place: usize, now: Timestamp) -> String {
        let mut reasons = explain(&self.facts.view(), place, now);
        if self.facts.tasks[place].state == TaskState::Scheduled {
            let waiting = self.waiting(place);
            let scheduled =
                (0..self.facts.tasks.len()).filter(|&place| self.facts.tasks[place].state == TaskState::Scheduled);
            let others: Vec<Waiting> =
                scheduled.map(|place| self.waiting(place)).filter(|other| other.pool == waiting.pool).collect();
            let ahead = in_order(&others).iter().take_while(|&&place| others[place] != waiting).count();
            reasons = explain_dispatch(&waiting, &self.room(), ahead);
        }
        reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    fn slots(&mut self) -> Option<()> {
        let places: Vec<usize> = (0..self.facts.tasks.len())
            .filter(|&place| self.facts.tasks[place].state == TaskState::Scheduled)
            .collect();
        let waiting: Vec<Waiting> = places.iter().map(|&place| self.waiting(place)).collect();
        let mut room = self.room();
        for granted in hand_out(&waiting, &mut room) {
            self.facts.grant(places[granted]);
        }
        Some(())
    }

    fn room(&self) -> Room {
        let mut room = Room { pools: self.pool_sizes.clone(), pool_sizes: self.pool_sizes.clone(), ..Room::default() };
        for place in (0..self.facts.tasks.len()).filter(|&place| self.facts.attempts[place].is_some()) {
            room.charge(&self.waiting(place));
        }
        room
    }

    fn waiting(&self, place: usize) -> Waiting {
        let (dag, instance) = (&self.facts.dag, &self.facts.tasks[place]);
        let task = dag.task(instance.task);
        Waiting {
            run: self.facts.run.key,
            dag_id: dag.id.clone(),
            task_id: task.id.clone(),
            map_index: instance.map_index,
            pool: task.pool.clone(),
            pool_slots: task.pool_slots,
            priority_weight: task.priority_weight,
            logical_date: at(0),
            max_active_tasks: dag.max_active_tasks,
            max_active_tis_per_dag: task.max_active_tis_per_dag,
            max_active_tis_per_dagrun: task.max_active_tis_per_dagrun,
        }
    }
}

fn outcome(how: &str) -> Option<Outcome> {
    let failed = |message: &str, cause, may_retry| Outcome::Failed {
        failure: Failure::new(message.to_owned(), cause, may_retry),
    };
    if let Some(code) = how.strip_prefix("fails with exit code ") {
        return Some(failed(how, FailureCause::ExitCode(code.parse().ok()?), true));
    }
    if let Some(seconds) = how.strip_prefix("fails, asked to wait ").and_then(|rest| rest.strip_suffix(" s")) {
        let failure = Failure::new(how, FailureCause::HttpStatus(429), true);
        return Some(Outcome::Failed {
            failure: Failure { retry_after_seconds: Some(seconds.parse().ok()?), ..failure },
        });
    }
    if let Some(follow) = how.strip_prefix("follows ") {
        let follow = follow.split(", ").filter(|&id| id != "nothing").map(Into::into).collect();
        return Some(Outcome::Branch { follow });
    }
    if let Some(due) = how.strip_prefix("looks again at ") {
        return Some(Outcome::Reschedule { at: moment(due)? });
    }
    match how {
        "succeeds" => Some(Outcome::Success),
        "skips" => Some(Outcome::Skipped),
        "fails" => Some(failed(how, FailureCause::ExitCode(1), true)),
        "fails for good" => Some(failed(how, FailureCause::Other, false)),
        "times out" => Some(failed(how, FailureCause::Timeout, true)),
        "stops everything" => Some(Outcome::ShortCircuit { ignore_trigger_rules: true }),
        "stops the next" => Some(Outcome::ShortCircuit { ignore_trigger_rules: false }),
        "is lost" => Some(Outcome::Lost { why: "its host is gone".to_owned() }),
        "is ended" => Some(Outcome::Cancelled),
        _ => None,
    }
}
