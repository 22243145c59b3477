//! Callbacks: an outbox. What a DAG asks to be done is written in the transaction of the change that it is about, and
//! taken from here by whoever does it, as often as it needs.

use std::time::Duration;

use flow_core::{
    DagId, RunKey, Timestamp,
    dag::{Callback, CallbackEvent, Notification},
};
use serde_json::{Value, json};

use crate::{
    Happening, Place, Signal, Store, StoreError, Stretch, Tx,
    db::{on, statements},
    looks::at_once,
    rows::{count, micros, to_list, word},
    select::Select,
};

/// Most bytes of what went wrong, of an error and of a log.
const TEXT_MAX: usize = 16 << 10;

/// After so many tries a callback has failed.
pub const CALLBACK_TRIES: u32 = 10;

/// Before the second try; doubles with each.
const DELAY: Duration = Duration::from_secs(10);
const DELAY_MAX: Duration = Duration::from_secs(3600);

/// How long a callback that a program does not understand is left to a newer one, which will be started beside it or in
/// its place. Later each try counts, and in the end it fails for everybody to see.
const HANDOVER: Duration = Duration::from_secs(3600);
/// Until a program that does not understand it sees it again, at most.
const PASS_ON_MAX: Duration = Duration::from_secs(300);

/// Most callbacks of one DAG and one operator that a worker is at, at once: others find room beside them.
pub const CALLBACKS_OF_A_KIND: usize = 4;

/// A callback that is to be done now.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedCallback {
    pub id: i64,
    pub run: RunKey,
    pub version_id: i64,
    /// `None`: it is the run's.
    pub task_id: Option<String>,
    pub map_index: i32,
    /// The try of the task; how often the run was cleared.
    pub number: u32,
    pub event: CallbackEvent,
    /// In the list of its event.
    pub place: usize,
    pub exception: String,
    /// What is to be done, as [`flow_core::dag::Notification::read`] takes it; `None` = the version says it.
    pub given: Option<String>,
    /// Which try to do it this is, from 1.
    pub tries: u32,
    /// When it was written down. No other database has one of the same number, run and moment.
    pub created_at: Timestamp,
    /// The DAG's file as it is now, relative to the DAG folder; empty = not known.
    pub file: String,
}

/// What came of a try to do it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallbackReport {
    pub id: i64,
    /// As in the claim: a later one makes this report void.
    pub tries: u32,
    /// What went wrong; `None` = it is done.
    pub error: Option<String>,
    /// When to try again; `None` = never.
    pub again_at: Option<Timestamp>,
    /// Others of the same DAG and operator wait until then: what they ask for hangs.
    pub hold_up: Option<Timestamp>,
    /// What it said, secrets masked.
    pub log: String,
}

/// Which callbacks a list shows. What is `None` or empty does not filter.
#[derive(Clone, Debug, Default)]
pub struct CallbackFilter {
    pub id: Option<i64>,
    pub dag_id: Option<String>,
    pub run_id: Option<String>,
    /// Empty = those of runs themselves.
    pub task_id: Option<String>,
    pub map_index: Option<i64>,
    /// `pending`, `delivered`, `failed`, or `failing`: pending, and the last try did not work.
    pub state: Option<String>,
    pub hidden_dags: Vec<String>,
}

/// A callback, for people.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CallbackLine {
    pub id: i64,
    pub dag_id: String,
    pub run_id: String,
    /// Empty = of the run.
    pub task_id: String,
    pub map_index: i64,
    pub number: i64,
    pub event: String,
    pub operator: String,
    pub state: String,
    pub tries: i64,
    pub due: i64,
    pub error: Option<String>,
    pub log: Option<String>,
    pub created_at: i64,
    pub ended_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct RawClaim {
    id: i64,
    run: i64,
    version_id: i64,
    task_id: String,
    map_index: i64,
    number: i64,
    event: String,
    place: i64,
    exception: String,
    given: Option<String>,
    tries: i64,
    created_at: i64,
    file: String,
}

const COLUMNS: &str = "c.id, c.dag_id, r.run_id, c.task_id, c.map_index, c.number, c.event, c.operator, c.state, c.tries, c.due, \
    c.error, c.log, c.created_at, c.ended_at";
/// SQLite looks at tables in this order.
const FROM: &str = "callback AS c CROSS JOIN dag_run AS r";

statements! {
    each INSERT = [
        "INSERT INTO callback (run, dag_id, version_id, task_id, map_index, number, event, place, operator, exception, state, tries,
            due, created_at, given)
         SELECT r.id, r.dag_id, COALESCE(CAST(c.value ->> 9 AS BIGINT), r.version_id), c.value ->> 1, CAST(c.value ->> 2 AS BIGINT), CAST(c.value ->> 3 AS BIGINT),
            c.value ->> 4, CAST(c.value ->> 5 AS BIGINT), c.value ->> 6, c.value ->> 7, 'pending', 0, $2, $3, c.value ->> 8
         FROM",
        "JOIN dag_run r ON r.id = CAST(c.value ->> 0 AS BIGINT) WHERE TRUE
         ON CONFLICT (run, task_id, map_index, number, event, place) DO NOTHING"
    ];
    // By turns of each DAG and operator, what this worker is at counted in; of many that are due, the first thousands.
    split CLAIM = {
        sqlite: "UPDATE callback SET tries = tries + 1, worker = $1, due = $2
            WHERE id IN (SELECT q.id FROM (SELECT p.id, p.due, p.dag_id, p.operator,
                        ROW_NUMBER() OVER (PARTITION BY p.dag_id, p.operator ORDER BY p.due, p.id) AS turn
                    FROM (SELECT c.id, c.due, c.dag_id, c.operator FROM callback c
                        WHERE c.state = 'pending' AND c.due <= $3 ORDER BY c.due, c.id LIMIT 5000) p) q
                LEFT JOIN (SELECT b.dag_id, b.operator, COUNT(*) AS busy FROM callback b
                    WHERE b.state = 'pending' AND b.due > $3 AND b.worker = $1 GROUP BY b.dag_id, b.operator) o
                    ON o.dag_id = q.dag_id AND o.operator = q.operator
                WHERE q.turn + COALESCE(o.busy, 0) <= $5
                ORDER BY q.turn + COALESCE(o.busy, 0), q.due, q.id LIMIT $4)
            RETURNING id, run, version_id, task_id, map_index, number, event, place, exception, given, tries, created_at,
                COALESCE((SELECT d.file FROM dag d WHERE d.dag_id = callback.dag_id), '') AS file",
        postgres: "UPDATE callback SET tries = tries + 1, worker = $1, due = $2
            WHERE id = ANY (ARRAY(SELECT l.id FROM callback l WHERE l.state = 'pending' AND l.due <= $3 AND l.id = ANY (ARRAY(
                SELECT q.id FROM (SELECT p.id, p.due, p.dag_id, p.operator,
                        ROW_NUMBER() OVER (PARTITION BY p.dag_id, p.operator ORDER BY p.due, p.id) AS turn
                    FROM (SELECT c.id, c.due, c.dag_id, c.operator FROM callback c
                        WHERE c.state = 'pending' AND c.due <= $3 ORDER BY c.due, c.id LIMIT 5000) p) q
                LEFT JOIN (SELECT b.dag_id, b.operator, COUNT(*) AS busy FROM callback b
                    WHERE b.state = 'pending' AND b.due > $3 AND b.worker = $1 GROUP BY b.dag_id, b.operator) o
                    ON o.dag_id = q.dag_id AND o.operator = q.operator
                WHERE q.turn + COALESCE(o.busy, 0) <= $5
                ORDER BY q.turn + COALESCE(o.busy, 0), q.due, q.id LIMIT $4)) FOR UPDATE SKIP LOCKED))
            RETURNING id, run, version_id, task_id, map_index, number, event, place, exception, given, tries, created_at,
                COALESCE((SELECT d.file FROM dag d WHERE d.dag_id = callback.dag_id), '') AS file"
    };
    // Its report never came, time and again: the next worker would fare no better.
    both GIVE_UP = "UPDATE callback SET state = 'failed', worker = NULL, ended_at = $1, error = $2
        WHERE state = 'pending' AND due <= $1 AND tries >= $3 RETURNING dag_id";
    both FINISH = "UPDATE callback SET state = $3, due = $4, error = $5, log = $6, ended_at = $7, worker = NULL
        WHERE id = $1 AND tries = $2 AND state = 'pending' RETURNING dag_id";
    // That was no try. The number of tries stands for the claim: a later one keeps its own.
    both PASS_ON = "UPDATE callback SET tries = tries - 1, due = $3, error = $4, worker = NULL
        WHERE id = $1 AND tries = $2 AND state = 'pending' AND created_at > $5";
    // By what is due: the index of a DAG leads to all that its callbacks ever were, and `||` keeps SQLite from it.
    both HOLD_UP = "UPDATE callback SET due = $2 WHERE state = 'pending' AND worker IS NULL AND due < $2
        AND dag_id || '' = (SELECT o.dag_id FROM callback o WHERE o.id = $1)
        AND operator = (SELECT o.operator FROM callback o WHERE o.id = $1)";
    both NEXT = "SELECT MIN(due) FROM callback WHERE state = 'pending'";
    both RETRY = "UPDATE callback SET state = 'pending', tries = 0, due = $2, ended_at = NULL WHERE id = $1 AND state = 'failed'";
    // One that waits for its next try is tried at once, one that is being tried is left alone.
    both HURRY = "UPDATE callback SET due = $2 WHERE id = $1 AND state = 'pending' AND worker IS NULL";
    each RELEASE = [
        "UPDATE callback SET worker = NULL,
            due = $2 + CASE WHEN tries > 9 THEN 3600000000 ELSE 10000000 * (CAST(1 AS BIGINT) << CAST(tries - 1 AS INTEGER)) END
         WHERE state = 'pending' AND worker IN (SELECT c.value ->> 0 FROM",
        ")"
    ];
}

/// Whose callbacks they are: of a run, or of a task instance at one of its tries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) run: RunKey,
    pub(crate) task: Option<(&'a str, i32)>,
    pub(crate) number: u32,
}

/// What is written of callbacks of one event, those of the DAG before those of every DAG: run, task, map index, number,
/// event, place, operator, exception, what is to be done.
pub(crate) fn rows(
    caller: Caller<'_>,
    event: CallbackEvent,
    own: &[Callback],
    all: &[Notification],
    exception: &str,
) -> Vec<Value> {
    let Caller { run, task, number } = caller;
    let (task_id, map_index) = task.unwrap_or(("", -1));
    let exception = cut(exception);
    let own = own.iter().map(|callback| (&callback.operator, None));
    let all = all.iter().map(|callback| (&callback.operator, Some(&callback.text)));
    let row = |(place, (operator, given)): (usize, (&String, Option<&String>))| {
        json!([run, task_id, map_index, number, event.as_str(), place, operator, exception, given])
    };
    own.chain(all).enumerate().map(row).collect()
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

/// Postgres keeps no NUL in a text.
fn plain(text: &str) -> String {
    cut(text).replace('\0', "\u{fffd}")
}

impl Tx {
    /// Writes callbacks that are due; one that is there already stays as it is.
    pub(crate) async fn insert_callbacks(&mut self, rows: &[Value], now: Timestamp) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        on!(tx self, INSERT, |text, conn| {
            let due = at_once(now).as_micros();
            sqlx::query(text).bind(to_list(&rows)).bind(due).bind(now.as_micros()).execute(conn).await?;
        });
        self.announce(Signal::Callback).await
    }

    /// Lets others do what these workers were at when they died, after the same pause as when it fails: it may be why.
    pub(crate) async fn release_callbacks(&mut self, dead: &[String], now: Timestamp) -> Result<(), StoreError> {
        let list: Vec<[&str; 1]> = dead.iter().map(|id| [id.as_str()]).collect();
        on!(tx self, RELEASE, |text, conn| {
            sqlx::query(text).bind(to_list(&list)).bind(now.as_micros()).execute(conn).await?;
        });
        Ok(())
    }
}

impl Tx {
    async fn pass_on(
        &mut self,
        (id, tries, created_at): (i64, i64, Timestamp),
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // A quarter of its age: many of them, with no newer program to come, must not keep the workers busy.
        let again_at = now + (now.since(created_at) / 4).clamp(DELAY, PASS_ON_MAX);
        let oldest = now.as_micros().saturating_sub(i64::try_from(HANDOVER.as_micros()).unwrap_or(i64::MAX));
        let touched = on!(tx self, PASS_ON, |text, conn| {
            sqlx::query(text)
                .bind(id)
                .bind(tries)
                .bind(again_at.as_micros())
                .bind(plain(why))
                .bind(oldest)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(touched > 0)
    }

    /// Writes down what came of a try. Returns whether it was still wanted.
    async fn finish_callback(&mut self, report: &CallbackReport, now: Timestamp) -> Result<bool, StoreError> {
        let (state, ended_at) = match (&report.error, report.again_at) {
            (None, _) => ("delivered", Some(now)),
            (Some(_), Some(_)) => ("pending", None),
            (Some(_), None) => ("failed", Some(now)),
        };
        let found: Option<String> = on!(tx self, FINISH, |text, conn| {
            sqlx::query_scalar(text)
                .bind(report.id)
                .bind(i64::from(report.tries))
                .bind(state)
                .bind(report.again_at.unwrap_or(now).as_micros())
                .bind(report.error.as_deref().map(plain))
                .bind(plain(&report.log))
                .bind(micros(ended_at))
                .fetch_optional(conn)
                .await?
        });
        self.witness(|| {
            let (has_failed, is_over) = (report.error.is_some(), ended_at.is_some());
            found.iter().map(move |dag_id| Happening::CallbackTried { dag_id: DagId::new(dag_id), has_failed, is_over })
        });
        Ok(found.is_some())
    }
}

/// When a callback is tried again after so many tries; `None`: it has failed.
pub fn callback_again_at(tries: u32, now: Timestamp) -> Option<Timestamp> {
    let factor = 2_u32.saturating_pow(tries.saturating_sub(1));
    (tries < CALLBACK_TRIES).then(|| now + DELAY.saturating_mul(factor).min(DELAY_MAX))
}

impl RawClaim {
    fn into_claim(self, event: CallbackEvent) -> ClaimedCallback {
        ClaimedCallback {
            event,
            id: self.id,
            run: RunKey(self.run),
            version_id: self.version_id,
            task_id: Some(self.task_id).filter(|id| !id.is_empty()),
            map_index: i32::try_from(self.map_index).unwrap_or(-1),
            number: count(self.number),
            place: usize::try_from(self.place).unwrap_or_default(),
            exception: self.exception,
            given: self.given,
            tries: count(self.tries),
            created_at: Timestamp::from_micros(self.created_at),
            file: self.file,
        }
    }
}

impl Store {
    /// Writes down that a try of a task begins, for its `on_execute_callback`.
    ///
    /// # Errors
    ///
    /// When the database does; then it has not begun.
    pub async fn begin_callbacks(
        &self,
        run: RunKey,
        task: (&str, i32),
        (try_number, version_id): (u32, i64),
        callbacks: &[Callback],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let caller = Caller { run, task: Some(task), number: try_number };
        let mut rows = rows(caller, CallbackEvent::Execute, callbacks, &[], "");
        // The run may have been moved to another version meanwhile, in which that place is another callback's.
        rows.iter_mut().filter_map(Value::as_array_mut).for_each(|row| row.push(version_id.into()));
        tx.insert_callbacks(&rows, now).await?;
        tx.commit().await
    }

    /// Takes callbacks that are due; nobody else gets them until `lease_until`. One that was tried often enough without a
    /// report has failed.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn claim_callbacks(
        &self,
        worker: &str,
        limit: usize,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<ClaimedCallback>, StoreError> {
        // Reading costs nobody anything, a transaction that writes does.
        if limit == 0 || self.next_callback().await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let given_up: Vec<String> = on!(tx tx, GIVE_UP, |text, conn| {
            sqlx::query_scalar(text)
                .bind(now.as_micros())
                .bind("the process that was at it died each time, or did not answer")
                .bind(i64::from(CALLBACK_TRIES))
                .fetch_all(conn)
                .await?
        });
        tx.witness(|| {
            let over =
                |dag_id| Happening::CallbackTried { dag_id: DagId::new(dag_id), has_failed: true, is_over: true };
            given_up.iter().map(over)
        });
        let raw: Vec<RawClaim> = on!(tx tx, CLAIM, |text, conn| {
            sqlx::query_as(text)
                .bind(worker)
                .bind(lease_until.as_micros())
                .bind(now.as_micros())
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .bind(i64::try_from(CALLBACKS_OF_A_KIND).unwrap_or(i64::MAX))
                .fetch_all(conn)
                .await?
        });
        let mut claimed = Vec::with_capacity(raw.len());
        for raw in raw {
            // A newer program may have written what this one does not know: that must not keep the others waiting.
            match word("callback", "event", raw.id, &raw.event) {
                Ok(event) => claimed.push(raw.into_claim(event)),
                Err(error) => {
                    let claim = (raw.id, raw.tries, Timestamp::from_micros(raw.created_at));
                    if tx.pass_on(claim, &error.to_string(), now).await? {
                        tracing::debug!(%error, "a callback is left to a newer program");
                        continue;
                    }
                    tracing::warn!(%error, "a callback failed");
                    let (id, tries) = (raw.id, count(raw.tries));
                    let (error, again_at) = (Some(error.to_string()), callback_again_at(tries, now));
                    let report = CallbackReport { id, tries, error, again_at, hold_up: None, log: String::new() };
                    tx.finish_callback(&report, now).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// Leaves a callback that this program does not understand to a newer one; that was no try.
    /// Returns whether it is: one that has waited too long for that must be reported.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn pass_on_callback(
        &self,
        callback: &ClaimedCallback,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let claim = (callback.id, callback.tries.into(), callback.created_at);
        let is_left = tx.pass_on(claim, why, now).await?;
        tx.commit().await?;
        Ok(is_left)
    }

    /// Writes down what came of a try. Returns whether it was still wanted.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn finish_callback(&self, report: &CallbackReport, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let was_wanted = tx.finish_callback(report, now).await?;
        if let Some(until) = report.hold_up {
            on!(tx tx, HOLD_UP, |text, conn| {
                sqlx::query(text).bind(report.id).bind(until.as_micros()).execute(conn).await?;
            });
        }
        tx.commit().await?;
        Ok(was_wanted)
    }

    /// Returns when the next callback is due.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn next_callback(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = on!(read self, NEXT, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?);
        Ok(due.map(Timestamp::from_micros))
    }

    /// Lets a callback that failed be tried again, from the start, and one that waits at once. Returns whether it is one
    /// of these.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn retry_callback(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let mut touched = 0;
        for statement in [RETRY, HURRY] {
            touched += on!(tx tx, statement, |text, conn| {
                sqlx::query(text).bind(id).bind(at_once(now).as_micros()).execute(conn).await?.rows_affected()
            });
        }
        tx.announce(Signal::Callback).await?;
        tx.commit().await?;
        Ok(touched > 0)
    }

    /// Returns a stretch of callbacks, the latest first.
    ///
    /// # Errors
    ///
    /// When the database does, or it takes too long to find them.
    pub async fn list_callbacks(
        &self,
        filter: &CallbackFilter,
        limit: u32,
        place: Option<&Place>,
    ) -> Result<Stretch<CallbackLine>, StoreError> {
        self.callbacks(filter).stretch(self, place, limit).await
    }

    /// Returns a callback, if the filter lets it through.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn callback(&self, filter: &CallbackFilter) -> Result<Option<CallbackLine>, StoreError> {
        Ok(self.callbacks(filter).fetch(self, crate::Page { limit: 1, offset: 0 }).await?.pop())
    }

    pub(crate) fn callbacks(&self, filter: &CallbackFilter) -> Select {
        let mut select = Select::new(self, COLUMNS, FROM);
        select.only("r.id = c.run");
        for (column, value) in [("c.id", filter.id), ("c.map_index", filter.map_index)] {
            if let Some(value) = value {
                select.filter(&format!("{column} = ?"), [value]);
            }
        }
        if let (Some(dag_id), Some(run_id)) = (&filter.dag_id, &filter.run_id) {
            // By the run: the rule of the table has its index.
            select.filter("c.run = (SELECT q.id FROM dag_run q WHERE q.dag_id = ? AND q.run_id = ?)", [dag_id, run_id]);
        } else {
            for (column, value) in [("c.dag_id", &filter.dag_id), ("r.run_id", &filter.run_id)] {
                if let Some(value) = value {
                    select.filter(&format!("{column} = ?"), [value]);
                }
            }
        }
        if let Some(task_id) = &filter.task_id {
            select.filter("c.task_id = ?", [task_id]);
        }
        match filter.state.as_deref() {
            Some("failing") => {
                // In the words of the index.
                select.only("c.state <> 'delivered'");
                select.only("c.state = 'pending' AND c.error IS NOT NULL");
            }
            Some(state) if state != "delivered" => {
                select.only("c.state <> 'delivered'");
                select.filter("c.state = ?", [state]);
            }
            Some(state) => select.filter("c.state = ?", [state]),
            None => {}
        }
        select.none_of("c.dag_id", &filter.hidden_dags);
        select.order_by_filled("c.id", true);
        select
    }
}
