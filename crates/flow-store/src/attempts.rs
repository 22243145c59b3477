//! Attempts: one row per try. The queue, the leases and the outcomes.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use flow_core::{Attempt, DagId, Outcome, RunKey, TaskId, Timestamp, run::Failure};
use serde_json::{Value, json};

use crate::{
    Event, Happening, Signal, Store, StoreError, Tx,
    db::{on, statements},
    error::conflict,
    looks::at_once,
    rows::{can_be_kept, count, json, moment, to_json, to_list},
};

/// Names a try of a task instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptKey {
    pub run: RunKey,
    pub task_id: String,
    pub map_index: i32,
    pub try_number: u32,
}

/// An attempt that a worker has taken.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub key: AttemptKey,
    pub dag_id: String,
    /// Goes into the report; an older one is refused.
    pub token: i64,
    /// Start of the try: of a sensor's first look.
    pub started_at: Timestamp,
    pub max_tries: u32,
    /// Tries lost to the infrastructure since the last clear.
    pub lost: u32,
    /// What the sensor kept at its last look.
    pub memory: Value,
    /// The DAG's file as it is now, relative to the DAG folder; empty = not known.
    pub file: String,
}

/// What a worker says about an attempt that has ended.
#[derive(Clone, Debug)]
pub struct Report {
    pub key: AttemptKey,
    pub dag_id: String,
    pub token: i64,
    pub outcome: Outcome,
    pub xcoms: Vec<(String, Value)>,
    /// The arguments as they were filled in, secrets masked; null = not known.
    pub rendered: Value,
    pub memory: Value,
    pub ended_at: Timestamp,
}

/// An attempt that its worker should go on with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kept {
    pub key: AttemptKey,
    pub token: i64,
    pub dag_id: String,
}

#[derive(sqlx::FromRow)]
struct RawAttempt {
    run: i64,
    task_id: String,
    map_index: i64,
    try_number: i64,
    worker: Option<String>,
    started_at: Option<i64>,
    lease_until: Option<i64>,
    outcome: Option<String>,
    ended_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct RawClaim {
    run: i64,
    task_id: String,
    map_index: i64,
    try_number: i64,
    dag_id: String,
    token: i64,
    started_at: i64,
    memory: Option<String>,
    file: String,
}

/// A try of a task instance, for people.
#[derive(Clone, Debug)]
pub struct Try {
    pub try_number: u32,
    pub worker: Option<String>,
    pub hostname: Option<String>,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub outcome: Option<Outcome>,
}

statements! {
    each UNSETTLED = [
        "SELECT run, task_id, map_index, try_number, worker, started_at, lease_until, outcome, ended_at
         FROM attempt WHERE NOT settled AND run IN (SELECT CAST(c.value AS BIGINT) FROM", ") ORDER BY run, task_id, map_index, try_number"
    ];
    each INSERT = [
        "INSERT INTO attempt (run, task_id, map_index, try_number, token, dag_id, pool, pool_slots, queue, priority_weight, queued_at, settled)
         SELECT CAST(c.value ->> 0 AS BIGINT), c.value ->> 1, CAST(c.value ->> 2 AS BIGINT), CAST(c.value ->> 3 AS BIGINT), 0,
            c.value ->> 4, c.value ->> 5, CAST(c.value ->> 6 AS BIGINT), c.value ->> 7, CAST(c.value ->> 8 AS BIGINT), $2, FALSE
         FROM",
        "WHERE TRUE
         ON CONFLICT (run, task_id, map_index, try_number) DO UPDATE SET
            queued_at = excluded.queued_at, pool = excluded.pool, pool_slots = excluded.pool_slots, queue = excluded.queue,
            worker = NULL, lease_until = NULL, ended_at = NULL, outcome = NULL, settled = FALSE
         WHERE attempt.ended_at IS NOT NULL
         RETURNING run, task_id, map_index"
    ];
    split CLAIM = {
        sqlite: "UPDATE attempt SET worker = $1, hostname = $2, started_at = COALESCE(started_at, $3), lease_until = $4, token = token + 1
            WHERE (run, task_id, map_index, try_number) IN (
                SELECT run, task_id, map_index, try_number FROM attempt
                WHERE worker IS NULL AND ended_at IS NULL AND queue IN (SELECT value ->> 0 FROM json_each($5))
                ORDER BY priority_weight DESC, queued_at, run, task_id, map_index LIMIT $6)
            RETURNING run, task_id, map_index, try_number, dag_id, token, started_at, memory,
                COALESCE((SELECT d.file FROM dag d WHERE d.dag_id = attempt.dag_id), '') AS file",
        postgres: "WITH free AS (
                SELECT a.run, a.task_id, a.map_index, a.try_number
                FROM attempt a JOIN task_instance t ON t.run = a.run AND t.task_id = a.task_id AND t.map_index = a.map_index
                WHERE a.worker IS NULL AND a.ended_at IS NULL
                    AND a.queue IN (SELECT value ->> 0 FROM jsonb_array_elements($5::jsonb))
                ORDER BY a.priority_weight DESC, a.queued_at, a.run, a.task_id, a.map_index
                LIMIT $6 FOR UPDATE OF a, t SKIP LOCKED)
            UPDATE attempt SET worker = $1, hostname = $2, started_at = COALESCE(started_at, $3), lease_until = $4, token = token + 1
            FROM free
            WHERE attempt.run = free.run AND attempt.task_id = free.task_id AND attempt.map_index = free.map_index
                AND attempt.try_number = free.try_number
            RETURNING attempt.run, attempt.task_id, attempt.map_index, attempt.try_number, attempt.dag_id, attempt.token,
                attempt.started_at, attempt.memory,
                COALESCE((SELECT d.file FROM dag d WHERE d.dag_id = attempt.dag_id), '') AS file"
    };
    each START = [
        "UPDATE task_instance SET state = 'running', hostname = $2, started_at = CAST(c.value ->> 4 AS BIGINT)
         FROM",
        "WHERE task_instance.run = CAST(c.value ->> 0 AS BIGINT)
            AND task_instance.task_id = c.value ->> 1
            AND task_instance.map_index = CAST(c.value ->> 2 AS BIGINT)
            AND task_instance.try_number = CAST(c.value ->> 3 AS BIGINT)
            AND task_instance.state = 'queued'
         RETURNING task_instance.run, task_instance.task_id, task_instance.map_index, task_instance.max_tries, task_instance.lost,
            task_instance.queued_at"
    ];
    // `outcome IS NULL` says the same as `ended_at IS NULL`, but does not lead the planner to the index of all that are alive.
    each FINISH = [
        "UPDATE attempt SET ended_at = CAST(c.value ->> 5 AS BIGINT), outcome = c.value ->> 6, memory = c.value ->> 7
         FROM",
        "WHERE attempt.run = CAST(c.value ->> 0 AS BIGINT) AND attempt.task_id = c.value ->> 1
            AND attempt.map_index = CAST(c.value ->> 2 AS BIGINT) AND attempt.try_number = CAST(c.value ->> 3 AS BIGINT)
            AND attempt.token = CAST(c.value ->> 4 AS BIGINT) AND attempt.outcome IS NULL AND attempt.worker IS NOT NULL
         RETURNING attempt.run, attempt.task_id, attempt.map_index, attempt.try_number"
    ];
    each GIVE_UP = [
        "UPDATE attempt SET ended_at = $2, settled = TRUE,
            outcome = CASE WHEN worker IS NULL THEN '{\"outcome\":\"cancelled\"}'
                ELSE '{\"outcome\":\"lost\",\"why\":\"its worker has not been heard of\"}' END
         FROM",
        "WHERE attempt.run = CAST(c.value ->> 0 AS BIGINT) AND attempt.task_id = c.value ->> 1
            AND attempt.map_index = CAST(c.value ->> 2 AS BIGINT) AND attempt.try_number = CAST(c.value ->> 3 AS BIGINT)
            AND attempt.ended_at IS NULL AND (attempt.worker IS NULL OR attempt.lease_until <= $2)
         RETURNING attempt.run, attempt.task_id, attempt.map_index, attempt.try_number"
    ];
    each SETTLE = [
        "UPDATE attempt SET settled = TRUE
         FROM",
        "WHERE attempt.run = CAST(c.value ->> 0 AS BIGINT) AND attempt.task_id = c.value ->> 1
            AND attempt.map_index = CAST(c.value ->> 2 AS BIGINT) AND attempt.try_number = CAST(c.value ->> 3 AS BIGINT)
            AND attempt.ended_at IS NOT NULL"
    ];
    both KEPT = "SELECT a.run, a.task_id, a.map_index, a.try_number, a.token, a.dag_id
        FROM attempt a
        JOIN task_instance t ON t.run = a.run AND t.task_id = a.task_id AND t.map_index = a.map_index
        WHERE a.worker = $1 AND a.ended_at IS NULL AND t.state = 'running' AND t.try_number = a.try_number";
    both ALIVE = "SELECT COUNT(*) FROM attempt WHERE run = $1 AND ended_at IS NULL AND worker IS NOT NULL";
    both TRIES = "SELECT try_number, worker, hostname, queued_at, started_at, ended_at, outcome
        FROM attempt WHERE run = $1 AND task_id = $2 AND map_index = $3 ORDER BY try_number";
}

/// Run, task, map index and try, as they are in a row.
pub(crate) type RawKey = (i64, String, i64, i64);

pub(crate) fn key_of((run, task_id, map_index, try_number): RawKey) -> AttemptKey {
    let map_index = i32::try_from(map_index).unwrap_or(-1);
    AttemptKey { run: RunKey(run), task_id, map_index, try_number: count(try_number) }
}

/// Rows that are written together until there are too many bytes of them.
#[derive(Default)]
struct Batch {
    rows: Vec<Value>,
    bytes: usize,
}

/// Bytes of values that are written in one statement.
const BATCH_BYTES: usize = 1024 * 1024;

impl Batch {
    /// Adds a row. Returns those before it when they are to be written first.
    fn add(&mut self, row: Value, bytes: usize) -> Option<Vec<Value>> {
        let is_full = !self.rows.is_empty() && self.bytes + bytes > BATCH_BYTES;
        let full = is_full.then(|| std::mem::take(self).rows);
        self.rows.push(row);
        self.bytes += bytes;
        full
    }
}

/// What is written of an attempt that has ended.
fn ending(report: &Report) -> Value {
    let key = &report.key;
    let memory = (!report.memory.is_null() && can_be_kept(&report.memory)).then(|| to_json(&report.memory));
    json!([
        key.run,
        key.task_id,
        key.map_index,
        key.try_number,
        report.token,
        report.ended_at.as_micros(),
        to_json(&report.outcome),
        memory
    ])
}

fn rows_of<'a>(keys: impl IntoIterator<Item = &'a AttemptKey>) -> String {
    let rows: Vec<Value> =
        keys.into_iter().map(|key| json!([key.run, key.task_id, key.map_index, key.try_number])).collect();
    to_list(&rows)
}

impl Tx {
    /// Returns the attempts of runs that are alive or whose outcome has not been used, sorted by run, task,
    /// map index and try.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn unsettled_attempts(&mut self, runs: &[RunKey]) -> Result<Vec<(AttemptKey, Attempt)>, StoreError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let raw: Vec<RawAttempt> =
            on!(tx self, UNSETTLED, |text, conn| sqlx::query_as(text).bind(to_list(&runs)).fetch_all(conn).await?);
        raw.into_iter()
            .map(|raw| {
                // A newer worker may say what this program does not know: that must cost the attempt, not everything.
                let outcome = raw.outcome.map(|text| {
                    json("attempt", "outcome", format!("{}/{}", raw.run, raw.task_id), &text)
                        .unwrap_or_else(|error| Outcome::Lost { why: error.to_string() })
                });
                let attempt = Attempt {
                    try_number: count(raw.try_number),
                    is_claimed: raw.worker.is_some(),
                    started_at: moment(raw.started_at),
                    lease_until: moment(raw.lease_until),
                    outcome,
                    ended_at: moment(raw.ended_at),
                };
                let key = AttemptKey {
                    run: RunKey(raw.run),
                    task_id: raw.task_id,
                    map_index: i32::try_from(raw.map_index).unwrap_or(-1),
                    try_number: attempt.try_number,
                };
                Ok((key, attempt))
            })
            .collect()
    }

    /// Puts attempts in the queue. `rows`: run, task, map index, try, DAG, pool, slots, queue, priority. Returns
    /// (run, task, map index) of those that are; one that is alive is not.
    pub(crate) async fn enqueue(
        &mut self,
        rows: &[Value],
        now: Timestamp,
    ) -> Result<HashSet<(i64, String, i64)>, StoreError> {
        let queued: Vec<(i64, String, i64)> = on!(tx self, INSERT, |text, conn| {
            sqlx::query_as(text).bind(to_list(&rows)).bind(now.as_micros()).fetch_all(conn).await?
        });
        Ok(queued.into_iter().collect())
    }

    /// Takes attempts from the queue for a worker: best first, never one that another worker is taking.
    /// An attempt whose task instance has moved on meanwhile is ended and not returned.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn claim(
        &mut self,
        worker: (&str, &str),
        queues: &[String],
        limit: usize,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let (worker, hostname) = worker;
        let queues: Vec<[&str; 1]> = queues.iter().map(|queue| [queue.as_str()]).collect();
        let raw: Vec<RawClaim> = on!(tx self, CLAIM, |text, conn| {
            sqlx::query_as(text)
                .bind(worker)
                .bind(hostname)
                .bind(now.as_micros())
                .bind(lease_until.as_micros())
                .bind(to_list(&queues))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(conn)
                .await?
        });
        if raw.is_empty() {
            return Ok(Vec::new());
        }
        let starts: Vec<Value> = raw
            .iter()
            .map(|raw| json!([raw.run, raw.task_id, raw.map_index, raw.try_number, raw.started_at]))
            .collect();
        let started: Vec<(i64, String, i64, i64, i64, Option<i64>)> = on!(tx self, START, |text, conn| {
            sqlx::query_as(text).bind(to_list(&starts)).bind(hostname).fetch_all(conn).await?
        });
        let mut started: HashMap<_, _> = started
            .into_iter()
            .map(|(run, task, map, tries, lost, queued)| ((run, task, map), (tries, lost, queued)))
            .collect();
        let mut happened = Vec::with_capacity(started.len());
        let mut claimed = Vec::with_capacity(raw.len());
        let mut events = Vec::with_capacity(raw.len());
        let mut moved_on = Vec::new();
        for raw in raw {
            let key = AttemptKey {
                run: RunKey(raw.run),
                map_index: i32::try_from(raw.map_index).unwrap_or(-1),
                try_number: count(raw.try_number),
                task_id: raw.task_id,
            };
            let Some((max_tries, lost, queued_at)) = started.remove(&(raw.run, key.task_id.clone(), raw.map_index))
            else {
                moved_on.push((key, raw.token, raw.dag_id));
                continue;
            };
            happened.push(Happening::TaskStarted {
                dag_id: DagId::new(&raw.dag_id),
                task_id: TaskId::new(&key.task_id),
                waited: moment(queued_at).map(|since| now.since(since)).unwrap_or_default(),
            });
            events.push(Event {
                kind: "task_state",
                dag_id: Some(raw.dag_id.clone()),
                task_id: Some(key.task_id.clone()),
                map_index: Some(key.map_index),
                try_number: Some(key.try_number),
                state: Some("running"),
                run: Some(key.run),
                ..Event::default()
            });
            claimed.push(Claimed {
                dag_id: raw.dag_id,
                token: raw.token,
                started_at: Timestamp::from_micros(raw.started_at),
                max_tries: count(max_tries),
                lost: count(lost),
                // What cannot be read again is forgotten, as if it were the first look.
                memory: raw
                    .memory
                    .and_then(|text| json("attempt", "memory", format!("{}/{}", key.run, key.task_id), &text).ok())
                    .unwrap_or(Value::Null),
                file: raw.file,
                key,
            });
        }
        self.tell(&events, now).await?;
        self.witness(|| happened);
        // Nobody has looked at these runs since: should the worker fall silent, someone must notice.
        let mut watched: Vec<(String, i64, Timestamp)> =
            claimed.iter().map(|claimed: &Claimed| (claimed.dag_id.clone(), claimed.key.run.0, lease_until)).collect();
        watched.sort_unstable();
        watched.dedup();
        self.wake(&watched).await?;
        let mut reports = Vec::new();
        for (key, token, dag_id) in moved_on {
            reports.push(Report {
                key,
                dag_id,
                token,
                outcome: Outcome::Cancelled,
                xcoms: Vec::new(),
                rendered: Value::Null,
                memory: Value::Null,
                ended_at: now,
            });
        }
        self.finish_all(&reports).await?;
        Ok(claimed)
    }

    /// Writes down how an attempt ended; see [`Tx::finish_all`].
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn finish(&mut self, report: &Report) -> Result<bool, StoreError> {
        Ok(self.finish_all(std::slice::from_ref(report)).await?.contains(&true))
    }

    /// Writes down how attempts ended, with their XComs, and asks for a look at their runs (without a signal). Says of
    /// each whether it was taken: not when the attempt was given up meanwhile; then nothing is written of it.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn finish_all(&mut self, reports: &[Report]) -> Result<Vec<bool>, StoreError> {
        let mut taken = vec![false; reports.len()];
        let mut waiting: Vec<usize> = (0..reports.len()).collect();
        // Of several words about one attempt, each is heard after the one before; one round is the rule.
        while !waiting.is_empty() {
            let mut now: HashMap<AttemptKey, usize> = HashMap::with_capacity(waiting.len());
            let mut later = Vec::new();
            for at in waiting {
                match now.entry(reports[at].key.clone()) {
                    Entry::Vacant(entry) => drop(entry.insert(at)),
                    Entry::Occupied(_) => later.push(at),
                }
            }
            let rows: Vec<Value> = now.values().map(|at| ending(&reports[*at])).collect();
            let ended: Vec<RawKey> =
                on!(tx self, FINISH, |text, conn| sqlx::query_as(text).bind(to_list(&rows)).fetch_all(conn).await?);
            let mut results = Vec::with_capacity(ended.len());
            for raw in ended {
                let key = key_of(raw);
                if let Some(at) = now.get(&key) {
                    taken[*at] = true;
                    results.push(&reports[*at]);
                }
            }
            let ends = |report: &&&Report| !matches!(report.outcome, Outcome::Reschedule { .. });
            self.witness(|| {
                [Happening::TriesEnded(results.iter().filter(ends).map(|report| report.key.clone()).collect())]
            });
            self.write_results(&results).await?;
            waiting = later;
        }
        Ok(taken)
    }

    /// Writes what attempts leave behind, and asks for looks at their runs.
    async fn write_results(&mut self, reports: &[&Report]) -> Result<(), StoreError> {
        let fresh: Vec<Value> = reports
            .iter()
            .filter(|report| report.key.try_number > 1 || !matches!(report.outcome, Outcome::Reschedule { .. }))
            .map(|report| json!([report.key.run, report.key.task_id, report.key.map_index]))
            .collect();
        self.forget_xcoms(&fresh).await?;
        let mut xcoms = Batch::default();
        let mut rendered = Batch::default();
        for report in reports {
            let (key, at) = (&report.key, report.ended_at.as_micros());
            let mut names = HashSet::new();
            // Of two values with one name the later counts.
            for (name, value) in report.xcoms.iter().rev().filter(|(name, _)| names.insert(name)) {
                let value = to_json(value);
                let size = value.len();
                if let Some(full) = xcoms.add(json!([key.run, key.task_id, key.map_index, name, value, at]), size) {
                    self.put_xcoms(&full).await?;
                }
            }
            if !report.rendered.is_null() {
                let fields = to_json(&report.rendered);
                let size = fields.len();
                if let Some(full) = rendered.add(json!([key.run, key.task_id, key.map_index, fields]), size) {
                    self.put_rendered(&full).await?;
                }
            }
        }
        self.put_xcoms(&xcoms.rows).await?;
        self.put_rendered(&rendered.rows).await?;
        let mut wakes: Vec<(String, i64, Timestamp)> =
            reports.iter().map(|report| (report.dag_id.clone(), report.key.run.0, at_once(report.ended_at))).collect();
        wakes.sort_unstable();
        // The earliest of each run is enough.
        wakes.dedup_by(|later, earlier| later.1 == earlier.1);
        self.wake(&wakes).await
    }

    /// `must_all`: their task instances have moved on, so that it is a conflict when one of them is alive after all.
    pub(crate) async fn give_up(
        &mut self,
        keys: &[&AttemptKey],
        must_all: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let rows = rows_of(keys.iter().copied());
        let touched: Vec<RawKey> = on!(tx self, GIVE_UP, |text, conn| {
            sqlx::query_as(text).bind(rows).bind(now.as_micros()).fetch_all(conn).await?
        });
        // One was taken, has ended, or its worker gave a sign of life after all: then the decision is out of date,
        // and another try beside that one would be a second at once.
        if must_all && touched.len() != keys.len() {
            return Err(conflict(GIVE_UP, keys.len(), touched.len() as u64));
        }
        self.tries_ended(touched);
        self.announce(Signal::Stop).await
    }

    /// Tells a witness of tries that are over.
    pub(crate) fn tries_ended(&mut self, ended: Vec<RawKey>) {
        if !ended.is_empty() {
            self.witness(|| [Happening::TriesEnded(ended.into_iter().map(key_of).collect())]);
        }
    }

    pub(crate) async fn settle(&mut self, keys: &[&AttemptKey]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let rows = rows_of(keys.iter().copied());
        on!(tx self, SETTLE, |text, conn| { sqlx::query(text).bind(rows).execute(conn).await?; });
        Ok(())
    }

    /// Returns the attempts of a worker that should go on. One that it runs and that is not among them was given
    /// up, or its task instance has moved on: it should be ended.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn kept_attempts(&mut self, worker: &str) -> Result<Vec<Kept>, StoreError> {
        let rows: Vec<(i64, String, i64, i64, i64, String)> =
            on!(tx self, KEPT, |text, conn| sqlx::query_as(text).bind(worker).fetch_all(conn).await?);
        Ok(kept(rows))
    }

    pub(crate) async fn attempts_alive(&mut self, run: RunKey) -> Result<i64, StoreError> {
        Ok(on!(tx self, ALIVE, |text, conn| sqlx::query_scalar(text).bind(run.0).fetch_one(conn).await?))
    }
}

fn kept(rows: Vec<(i64, String, i64, i64, i64, String)>) -> Vec<Kept> {
    rows.into_iter()
        .map(|(run, task_id, map_index, try_number, token, dag_id)| Kept {
            dag_id,
            key: AttemptKey {
                run: RunKey(run),
                task_id,
                map_index: i32::try_from(map_index).unwrap_or(-1),
                try_number: count(try_number),
            },
            token,
        })
        .collect()
}

impl Store {
    /// Returns the tries of a task instance, oldest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn tries(&self, run: RunKey, task_id: &str, map_index: i32) -> Result<Vec<Try>, StoreError> {
        type Row = (i64, Option<String>, Option<String>, i64, Option<i64>, Option<i64>, Option<String>);
        let rows: Vec<Row> = on!(read self, TRIES, |text, conn| {
            sqlx::query_as(text).bind(run.0).bind(task_id).bind(i64::from(map_index)).fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(try_number, worker, hostname, queued_at, started_at, ended_at, outcome)| {
                Ok(Try {
                    try_number: count(try_number),
                    worker,
                    hostname,
                    queued_at: Timestamp::from_micros(queued_at),
                    started_at: moment(started_at),
                    ended_at: moment(ended_at),
                    outcome: outcome
                        .map(|text| json("attempt", "outcome", format!("{run}/{task_id}"), &text))
                        .transpose()?,
                })
            })
            .collect()
    }
}

impl Try {
    /// Returns the failure, if it failed.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Some(Outcome::Failed { failure }) => Some(failure),
            _ => None,
        }
    }
}
