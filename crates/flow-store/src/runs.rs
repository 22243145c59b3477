//! Runs: making, reading and deleting them.

use std::collections::{BTreeMap, HashMap};

use flow_core::{
    DagId, RunId, RunKey, RunState, RunType, Timestamp,
    run::{DagRun, DataInterval},
};
use serde_json::{Value, json};

use crate::{
    Event, Happening, Store, StoreError, TaskSeed, Tx,
    db::{on, statements},
    rows::{count, json, list_of, micros, moment, to_json, to_list, word},
    witness::by_operator,
};

/// A run to be made, with a row for each of its tasks.
#[derive(Clone, Debug)]
pub struct CreateRun<'a> {
    pub dag_id: &'a DagId,
    /// The version that it is pinned to.
    pub version_id: i64,
    pub run_id: RunId,
    pub run_type: RunType,
    pub logical_date: Option<Timestamp>,
    pub data_interval: Option<DataInterval>,
    pub run_after: Timestamp,
    pub conf: &'a Value,
    /// `timetable`, `cli`, `rest_api`, `operator`, …
    pub triggered_by: &'a str,
    pub user: Option<&'a str>,
    pub note: Option<&'a str>,
    /// The span that asked for it: the text of a `traceparent` header.
    pub caller: Option<&'a str>,
    pub tasks: &'a [TaskSeed],
}

/// A run with what the engine does not need to know.
#[derive(Clone, Debug)]
pub struct RunRow {
    pub run: DagRun,
    pub version_id: i64,
    pub triggered_by: String,
    pub user: Option<String>,
    pub note: Option<String>,
}

/// Which runs a list shows.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    pub dag_id: Option<String>,
    pub state: Option<RunState>,
}

/// What [`Raw`] is made of.
pub(crate) const COLUMNS: &str = "id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, \
    started_at, ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number";

#[derive(sqlx::FromRow)]
pub(crate) struct Raw {
    id: i64,
    dag_id: String,
    run_id: String,
    run_type: String,
    state: String,
    logical_date: Option<i64>,
    interval_start: Option<i64>,
    interval_end: Option<i64>,
    run_after: i64,
    queued_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    conf: String,
    version_id: i64,
    triggered_by: String,
    triggering_user: Option<String>,
    note: Option<String>,
    clear_number: i64,
}

impl TryFrom<Raw> for RunRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let name = format!("{}/{}", raw.dag_id, raw.run_id);
        Ok(Self {
            run: DagRun {
                key: RunKey(raw.id),
                run_type: word("dag_run", "run_type", &name, &raw.run_type)?,
                state: word("dag_run", "state", &name, &raw.state)?,
                logical_date: moment(raw.logical_date),
                data_interval: raw.interval_start.zip(raw.interval_end).map(|(start, end)| DataInterval {
                    start: Timestamp::from_micros(start),
                    end: Timestamp::from_micros(end),
                }),
                run_after: Timestamp::from_micros(raw.run_after),
                queued_at: Timestamp::from_micros(raw.queued_at),
                started_at: moment(raw.started_at),
                ended_at: moment(raw.ended_at),
                conf: json("dag_run", "conf", &name, &raw.conf)?,
                clear_number: count(raw.clear_number),
                dag_id: DagId::from(raw.dag_id),
                run_id: RunId::from(raw.run_id),
            },
            version_id: raw.version_id,
            triggered_by: raw.triggered_by,
            user: raw.triggering_user,
            note: raw.note,
        })
    }
}

statements! {
    each INSERT = [
        "INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after,
            queued_at, conf, version_id, triggered_by, triggering_user, note, caller)
         SELECT c.value ->> 0, c.value ->> 1, c.value ->> 2, 'queued', CAST(c.value ->> 3 AS BIGINT),
            CAST(c.value ->> 4 AS BIGINT), CAST(c.value ->> 5 AS BIGINT), CAST(c.value ->> 6 AS BIGINT), $2, c.value ->> 7,
            CAST(c.value ->> 8 AS BIGINT), c.value ->> 9, c.value ->> 10, c.value ->> 11, c.value ->> 12
         FROM", "WHERE TRUE ON CONFLICT DO NOTHING RETURNING dag_id, run_id, id"
    ];
    each BY_KEYS = [
        "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
         FROM dag_run WHERE id IN (SELECT CAST(c.value AS BIGINT) FROM", ") ORDER BY run_after, id"
    ];
    both BY_ID = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND run_id = $2";
    both BY_DATE = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND logical_date = $2";
    // SQLite has no LATERAL; Postgres would read every run for IN.
    split QUEUED = {
        sqlite: "SELECT r.id, r.dag_id, r.run_id, r.run_type, r.state, r.logical_date, r.interval_start, r.interval_end, r.run_after, r.queued_at,
                r.started_at, r.ended_at, r.conf, r.version_id, r.triggered_by, r.triggering_user, r.note, r.clear_number
            FROM json_each($1) AS c JOIN dag_run r ON r.id IN (SELECT q.id FROM dag_run q
                WHERE q.dag_id = c.value ->> 0 AND q.state = 'queued' AND q.run_after <= $2 ORDER BY q.run_after, q.id LIMIT $3)
            ORDER BY r.run_after, r.id",
        postgres: "SELECT r.id, r.dag_id, r.run_id, r.run_type, r.state, r.logical_date, r.interval_start, r.interval_end, r.run_after, r.queued_at,
                r.started_at, r.ended_at, r.conf, r.version_id, r.triggered_by, r.triggering_user, r.note, r.clear_number
            FROM jsonb_array_elements($1::jsonb) AS c (value) CROSS JOIN LATERAL (SELECT q.* FROM dag_run q
                WHERE q.dag_id = c.value ->> 0 AND q.state = 'queued' AND q.run_after <= $2 ORDER BY q.run_after, q.id LIMIT $3) AS r
            ORDER BY r.run_after, r.id"
    };
    both ACTIVE = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND state IN ('queued', 'running') ORDER BY run_after, id LIMIT $2";
    each COUNT_ACTIVE = [
        "SELECT dag_id, state, COUNT(*) FROM dag_run WHERE dag_id IN (SELECT c.value ->> 0 FROM",
        ") AND state IN ('queued', 'running') AND run_type <> 'backfill' GROUP BY dag_id, state"
    ];
    each LAST_SCHEDULED = [
        "SELECT r.id, r.dag_id, r.run_id, r.run_type, r.state, r.logical_date, r.interval_start, r.interval_end, r.run_after, r.queued_at,
            r.started_at, r.ended_at, r.conf, r.version_id, r.triggered_by, r.triggering_user, r.note, r.clear_number
         FROM", "JOIN dag_run r ON r.id = (SELECT l.id FROM dag_run l
                WHERE l.dag_id = c.value ->> 0 AND l.run_type = 'scheduled' AND l.logical_date IS NOT NULL
                ORDER BY l.logical_date DESC LIMIT 1)"
    ];
    both PREVIOUS = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND logical_date < $2 ORDER BY logical_date DESC LIMIT 1";
    both NEXT = "SELECT id FROM dag_run WHERE dag_id = $1 AND logical_date > $2 ORDER BY logical_date LIMIT 1";
    both PREVIOUS_SUCCESS = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND logical_date < $2 AND state = 'success' ORDER BY logical_date DESC LIMIT 1";
    each LAST_END = [
        "SELECT c.value ->> 0, (SELECT r.ended_at FROM dag_run r WHERE r.dag_id = c.value ->> 0 AND r.ended_at IS NOT NULL
            AND r.run_type <> 'backfill' ORDER BY r.ended_at DESC LIMIT 1)
         FROM", ""
    ];
    both LAST_STATES = "SELECT state FROM dag_run WHERE dag_id = $1 AND ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT $2";
    both LIST = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run
        WHERE (CAST($1 AS TEXT) IS NULL OR dag_id = $1) AND (CAST($2 AS TEXT) IS NULL OR state = $2)
        ORDER BY id DESC LIMIT $3";
    both LIST_OF_DAG = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run
        WHERE dag_id = $1 AND (CAST($2 AS TEXT) IS NULL OR state = $2)
        ORDER BY run_after DESC, id DESC LIMIT $3";
    both STATE = "SELECT state FROM dag_run WHERE id = $1";
    both DELETE = "DELETE FROM dag_run WHERE id = $1";
    both DELETE_WAKES = "DELETE FROM wake WHERE run = $1";
    both SET_NOTE = "UPDATE dag_run SET note = $2 WHERE id = $1";
    both PIN = "UPDATE dag_run SET version_id = $2 WHERE id = $1";
}

impl CreateRun<'_> {
    /// Returns it as `INSERT` takes it apart.
    fn row(&self) -> Value {
        json!([
            self.dag_id,
            self.run_id,
            self.run_type.as_str(),
            micros(self.logical_date),
            micros(self.data_interval.map(|interval| interval.start)),
            micros(self.data_interval.map(|interval| interval.end)),
            self.run_after.as_micros(),
            to_json(self.conf),
            self.version_id,
            self.triggered_by,
            self.user,
            self.note,
            self.caller,
        ])
    }
}

fn rows(raw: Vec<Raw>) -> Result<Vec<RunRow>, StoreError> {
    raw.into_iter().map(RunRow::try_from).collect()
}

fn row(raw: Option<Raw>) -> Result<Option<RunRow>, StoreError> {
    raw.map(RunRow::try_from).transpose()
}

impl Tx {
    /// Makes a run and its task instances, and asks for a look at it (without a signal). Returns `None` when there is one of that
    /// id or logical date already; then nothing has changed.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn create_run(&mut self, new: &CreateRun<'_>, now: Timestamp) -> Result<Option<RunKey>, StoreError> {
        Ok(self.create_runs(std::slice::from_ref(new), now).await?.pop().flatten())
    }

    /// Makes runs as [`Tx::create_run`] does, and says of each, in their order, which one it became.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn create_runs(
        &mut self,
        new: &[CreateRun<'_>],
        now: Timestamp,
    ) -> Result<Vec<Option<RunKey>>, StoreError> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let list: Vec<Value> = new.iter().map(CreateRun::row).collect();
        let made: Vec<(String, String, i64)> = on!(tx self, INSERT, |text, conn| {
            sqlx::query_as(text).bind(to_list(&list)).bind(now.as_micros()).fetch_all(conn).await?
        });
        let mut made: HashMap<(String, String), i64> =
            made.into_iter().map(|(dag, run, id)| ((dag, run), id)).collect();
        let (mut keys, mut wakes, mut events) = (Vec::with_capacity(new.len()), Vec::new(), Vec::new());
        for run in new {
            let id = made.remove(&(run.dag_id.to_string(), run.run_id.to_string()));
            keys.push(id.map(RunKey));
            let Some(id) = id else { continue };
            let sort_date = run.logical_date.unwrap_or(run.run_after);
            self.insert_task_instances(RunKey(id), run.dag_id.as_str(), sort_date, run.tasks).await?;
            wakes.push((run.dag_id.to_string(), id, run.run_after));
            events.push(Event {
                kind: "run_state",
                dag_id: Some(run.dag_id.to_string()),
                run_id: Some(run.run_id.to_string()),
                state: Some("queued"),
                detail: Some(format!("triggered by {}", run.triggered_by)),
                who: run.user.map(str::to_owned),
                ..Event::default()
            });
        }
        self.wake(&wakes).await?;
        self.tell(&events, now).await?;
        self.witness(|| {
            let made = new.iter().zip(&keys).filter(|(_, key)| key.is_some());
            made.map(|(run, _)| Happening::RunCreated {
                dag_id: run.dag_id.clone(),
                run_type: run.run_type,
                tasks: by_operator(run.tasks),
            })
        });
        Ok(keys)
    }

    /// Returns runs by key, oldest `run_after` first; those that are gone are left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn runs(&mut self, keys: &[RunKey]) -> Result<Vec<RunRow>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        rows(on!(tx self, BY_KEYS, |text, conn| sqlx::query_as(text).bind(to_list(&keys)).fetch_all(conn).await?))
    }

    /// Returns a run by its id.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn run_by_id(&mut self, dag_id: &str, run_id: &str) -> Result<Option<RunRow>, StoreError> {
        row(on!(tx self, BY_ID, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(run_id).fetch_optional(conn).await?
        }))
    }

    /// Returns a run by its logical date.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn run_by_date(&mut self, dag_id: &str, date: Timestamp) -> Result<Option<RunRow>, StoreError> {
        row(on!(tx self, BY_DATE, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(date.as_micros()).fetch_optional(conn).await?
        }))
    }

    /// Returns the queued runs of DAGs that are due, oldest first, at most so many of each.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn queued_runs(&mut self, dags: &[&str], now: Timestamp, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        rows(on!(tx self, QUEUED, |text, conn| {
            sqlx::query_as(text)
                .bind(list_of(dags))
                .bind(now.as_micros())
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await?
        }))
    }

    /// Returns a DAG's queued and running runs, oldest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn active_runs(&mut self, dag_id: &str, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        rows(on!(tx self, ACTIVE, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(i64::from(limit)).fetch_all(conn).await?
        }))
    }

    /// Counts the runs of DAGs that are (queued, running), backfills aside. A DAG without any is left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_active_runs(&mut self, dags: &[&str]) -> Result<BTreeMap<String, (u32, u32)>, StoreError> {
        let found: Vec<(String, String, i64)> =
            on!(tx self, COUNT_ACTIVE, |text, conn| sqlx::query_as(text).bind(list_of(dags)).fetch_all(conn).await?);
        let mut counted: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for (dag_id, state, number) in found {
            let (queued, running) = counted.entry(dag_id).or_default();
            *(if state == "queued" { queued } else { running }) = count(number);
        }
        Ok(counted)
    }

    /// Returns the latest run that the timetable made, of each of these DAGs that has one.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn last_scheduled_runs(&mut self, dags: &[&str]) -> Result<Vec<RunRow>, StoreError> {
        rows(on!(tx self, LAST_SCHEDULED, |text, conn| {
            sqlx::query_as(text).bind(list_of(dags)).fetch_all(conn).await?
        }))
    }

    /// Returns the run with the logical date before this one.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn previous_run(&mut self, dag_id: &str, date: Timestamp) -> Result<Option<RunRow>, StoreError> {
        row(on!(tx self, PREVIOUS, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(date.as_micros()).fetch_optional(conn).await?
        }))
    }

    /// Returns the run with the logical date after this one.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn next_run(&mut self, dag_id: &str, date: Timestamp) -> Result<Option<RunKey>, StoreError> {
        let id: Option<i64> = on!(tx self, NEXT, |text, conn| {
            sqlx::query_scalar(text).bind(dag_id).bind(date.as_micros()).fetch_optional(conn).await?
        });
        Ok(id.map(RunKey))
    }

    /// Returns the states of a DAG's latest ended runs, latest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn last_run_states(&mut self, dag_id: &str, limit: u32) -> Result<Vec<RunState>, StoreError> {
        let words: Vec<String> = on!(tx self, LAST_STATES, |text, conn| {
            sqlx::query_scalar(text).bind(dag_id).bind(i64::from(limit)).fetch_all(conn).await?
        });
        words.iter().map(|text| word("dag_run", "state", dag_id, text)).collect()
    }

    /// Returns when a run of each of these DAGs last ended, backfills aside.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn last_ends(&mut self, dags: &[&str]) -> Result<BTreeMap<String, Timestamp>, StoreError> {
        if dags.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found: Vec<(String, Option<i64>)> =
            on!(tx self, LAST_END, |text, conn| sqlx::query_as(text).bind(list_of(dags)).fetch_all(conn).await?);
        Ok(found.into_iter().filter_map(|(dag_id, end)| Some((dag_id, Timestamp::from_micros(end?)))).collect())
    }

    /// Pins a run to another version of its DAG.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pin_run(&mut self, run: RunKey, version_id: i64) -> Result<(), StoreError> {
        on!(tx self, PIN, |text, conn| { sqlx::query(text).bind(run.0).bind(version_id).execute(conn).await?; });
        Ok(())
    }

    /// Writes a note on a run; `None` takes it away. A note that says the same already is left alone.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn note_run(
        &mut self,
        row: &RunRow,
        note: Option<&str>,
        who: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let note = note.map(|text| text.replace('\0', "\u{fffd}"));
        if row.note == note {
            return Ok(());
        }
        on!(tx self, SET_NOTE, |text, conn| {
            sqlx::query(text).bind(row.run.key.0).bind(note.as_deref()).execute(conn).await?;
        });
        let event = Event {
            kind: "run_note",
            dag_id: Some(row.run.dag_id.to_string()),
            run_id: Some(row.run.run_id.to_string()),
            detail: Some(note.unwrap_or_else(|| "removed".to_owned())),
            who: who.map(str::to_owned),
            ..Event::default()
        };
        self.tell(&[event], now).await
    }

    /// Deletes a run that has ended, with everything that belongs to it; its events stay.
    ///
    /// # Errors
    ///
    /// When the database does, the run has not ended or is gone, or a worker still has an attempt of it.
    pub async fn delete_run(&mut self, run: &DagRun, who: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        match self.lock_dag(run.dag_id.as_str()).await {
            Ok(_) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        // What the caller knows of it may be out of date.
        let state: Option<String> =
            on!(tx self, STATE, |text, conn| sqlx::query_scalar(text).bind(run.key.0).fetch_optional(conn).await?);
        let state = state.ok_or_else(|| StoreError::no_such("run", format!("{}/{}", run.dag_id, run.run_id)))?;
        let state: RunState = word("dag_run", "state", format!("{}/{}", run.dag_id, run.run_id), &state)?;
        if !state.is_finished() {
            return Err(StoreError::Conflict(format!(
                "run `{0}` is still {state}; cancel it first: flow runs cancel {1} {0}",
                run.run_id, run.dag_id
            )));
        }
        if self.attempts_alive(run.key).await? > 0 {
            return Err(StoreError::Conflict(format!(
                "run `{}` still has running tasks; wait until their workers have ended them",
                run.run_id
            )));
        }
        on!(tx self, DELETE, |text, conn| { sqlx::query(text).bind(run.key.0).execute(conn).await?; });
        on!(tx self, DELETE_WAKES, |text, conn| { sqlx::query(text).bind(run.key.0).execute(conn).await?; });
        self.tell(
            &[Event {
                kind: "run_deleted",
                dag_id: Some(run.dag_id.to_string()),
                run_id: Some(run.run_id.to_string()),
                who: who.map(str::to_owned),
                ..Event::default()
            }],
            now,
        )
        .await
    }

    /// Asks for looks at runs: (DAG, run, not before). Gives no signal: announce [`crate::Signal::Look`] unless a
    /// scheduler's own pass asks.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn wake(&mut self, wakes: &[(String, i64, Timestamp)]) -> Result<(), StoreError> {
        if wakes.is_empty() {
            return Ok(());
        }
        let list: Vec<Value> = wakes.iter().map(|(dag, run, due)| json!([dag, run, due.as_micros()])).collect();
        on!(tx self, crate::looks::WAKE, |text, conn| { sqlx::query(text).bind(to_list(&list)).execute(conn).await?; });
        Ok(())
    }
}

impl Store {
    /// Returns a run by its id.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn run_by_key(&self, key: RunKey) -> Result<Option<RunRow>, StoreError> {
        row(on!(read self, BY_KEYS, |text, conn| {
            sqlx::query_as(text).bind(to_list(&[key])).fetch_optional(conn).await?
        }))
    }

    /// Returns a run by its id.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn run(&self, dag_id: &str, run_id: &str) -> Result<Option<RunRow>, StoreError> {
        row(on!(read self, BY_ID, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(run_id).fetch_optional(conn).await?
        }))
    }

    /// Returns a run by its logical date.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn run_at(&self, dag_id: &str, date: Timestamp) -> Result<Option<RunRow>, StoreError> {
        row(on!(read self, BY_DATE, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(date.as_micros()).fetch_optional(conn).await?
        }))
    }

    /// Returns the latest run that the timetable made.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn latest_scheduled_run(&self, dag_id: &str) -> Result<Option<RunRow>, StoreError> {
        row(on!(read self, LAST_SCHEDULED, |text, conn| {
            sqlx::query_as(text).bind(list_of(&[dag_id])).fetch_optional(conn).await?
        }))
    }

    /// Returns the latest successful run before a logical date.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn previous_success(&self, dag_id: &str, date: Timestamp) -> Result<Option<RunRow>, StoreError> {
        row(on!(read self, PREVIOUS_SUCCESS, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(date.as_micros()).fetch_optional(conn).await?
        }))
    }

    /// Lists runs, latest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_runs(&self, filter: &RunFilter, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let statement = if filter.dag_id.is_some() { LIST_OF_DAG } else { LIST };
        rows(on!(read self, statement, |text, conn| {
            sqlx::query_as(text)
                .bind(filter.dag_id.as_deref())
                .bind(filter.state.map(RunState::as_str))
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await?
        }))
    }
}
