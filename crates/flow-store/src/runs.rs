//! Runs: making, reading and deleting them.

use flow_core::{
    DagId, RunId, RunKey, RunState, RunType, Timestamp,
    run::{DagRun, DataInterval},
};
use serde_json::{Value, json};

use crate::{
    Event, Store, StoreError, TaskSeed, Tx,
    db::{on, statements},
    rows::{count, json, micros, moment, to_json, to_list, word},
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

#[derive(sqlx::FromRow)]
struct Raw {
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
    both INSERT = "INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after,
            queued_at, conf, version_id, triggered_by, triggering_user, note)
        VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT DO NOTHING
        RETURNING id";
    both WAKE_NEW = "INSERT INTO wake (dag_id, run, due) VALUES ($1, $2, $3)";
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
    both QUEUED = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND state = 'queued' AND run_after <= $2 ORDER BY run_after, id LIMIT $3";
    both ACTIVE = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND state IN ('queued', 'running') ORDER BY run_after, id LIMIT $2";
    both COUNT_ACTIVE = "SELECT state, COUNT(*) FROM dag_run WHERE dag_id = $1 AND state IN ('queued', 'running') AND run_type <> 'backfill'
        GROUP BY state";
    both LAST_SCHEDULED = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND run_type = 'scheduled' AND logical_date IS NOT NULL ORDER BY logical_date DESC LIMIT 1";
    both PREVIOUS = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND logical_date < $2 ORDER BY logical_date DESC LIMIT 1";
    both NEXT = "SELECT id FROM dag_run WHERE dag_id = $1 AND logical_date > $2 ORDER BY logical_date LIMIT 1";
    both PREVIOUS_SUCCESS = "SELECT id, dag_id, run_id, run_type, state, logical_date, interval_start, interval_end, run_after, queued_at, started_at,
            ended_at, conf, version_id, triggered_by, triggering_user, note, clear_number
        FROM dag_run WHERE dag_id = $1 AND logical_date < $2 AND state = 'success' ORDER BY logical_date DESC LIMIT 1";
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
    both PIN = "UPDATE dag_run SET version_id = $2 WHERE id = $1";
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
        let id: Option<i64> = on!(tx self, INSERT, |text, conn| {
            sqlx::query_scalar(text)
                .bind(new.dag_id.as_str())
                .bind(new.run_id.as_str())
                .bind(new.run_type.as_str())
                .bind(micros(new.logical_date))
                .bind(micros(new.data_interval.map(|interval| interval.start)))
                .bind(micros(new.data_interval.map(|interval| interval.end)))
                .bind(new.run_after.as_micros())
                .bind(now.as_micros())
                .bind(to_json(new.conf))
                .bind(new.version_id)
                .bind(new.triggered_by)
                .bind(new.user)
                .bind(new.note)
                .fetch_optional(conn)
                .await?
        });
        let Some(id) = id else { return Ok(None) };
        let key = RunKey(id);
        let sort_date = new.logical_date.unwrap_or(new.run_after);
        self.insert_task_instances(key, new.dag_id.as_str(), sort_date, new.tasks).await?;
        on!(tx self, WAKE_NEW, |text, conn| {
            sqlx::query(text).bind(new.dag_id.as_str()).bind(id).bind(new.run_after.as_micros()).execute(conn).await?;
        });
        self.tell(
            &[Event {
                kind: "run_state",
                dag_id: Some(new.dag_id.to_string()),
                run_id: Some(new.run_id.to_string()),
                state: Some("queued"),
                detail: Some(format!("triggered by {}", new.triggered_by)),
                who: new.user.map(str::to_owned),
                ..Event::default()
            }],
            now,
        )
        .await?;
        Ok(Some(key))
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

    /// Returns a DAG's queued runs that are due, oldest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn queued_runs(&mut self, dag_id: &str, now: Timestamp, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        rows(on!(tx self, QUEUED, |text, conn| {
            sqlx::query_as(text).bind(dag_id).bind(now.as_micros()).bind(i64::from(limit)).fetch_all(conn).await?
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

    /// Counts a DAG's runs that are (queued, running), backfills aside.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_active_runs(&mut self, dag_id: &str) -> Result<(u32, u32), StoreError> {
        let found: Vec<(String, i64)> =
            on!(tx self, COUNT_ACTIVE, |text, conn| sqlx::query_as(text).bind(dag_id).fetch_all(conn).await?);
        let of = |state: &str| found.iter().find(|(word, _)| word == state).map_or(0, |(_, number)| count(*number));
        Ok((of("queued"), of("running")))
    }

    /// Returns the latest run that the timetable made.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn last_scheduled_run(&mut self, dag_id: &str) -> Result<Option<RunRow>, StoreError> {
        row(on!(tx self, LAST_SCHEDULED, |text, conn| sqlx::query_as(text).bind(dag_id).fetch_optional(conn).await?))
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

    /// Pins a run to another version of its DAG.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pin_run(&mut self, run: RunKey, version_id: i64) -> Result<(), StoreError> {
        on!(tx self, PIN, |text, conn| { sqlx::query(text).bind(run.0).bind(version_id).execute(conn).await?; });
        Ok(())
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
        row(on!(read self, LAST_SCHEDULED, |text, conn| sqlx::query_as(text).bind(dag_id).fetch_optional(conn).await?))
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
