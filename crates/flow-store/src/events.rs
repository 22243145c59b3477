//! What happened, in order: written in the transaction of the change it tells, never changed afterwards. But to what
//! someone asked for, what it came to is added.

use flow_core::Timestamp;
use serde_json::json;

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
    rows::to_list,
};

/// Something that happened.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// `task_state`, `run_state`, `dag_paused`, …
    pub kind: &'static str,
    pub dag_id: Option<String>,
    pub run_id: Option<String>,
    /// Instead of `run_id`, when only the number is at hand.
    pub run: Option<flow_core::RunKey>,
    pub task_id: Option<String>,
    pub map_index: Option<i32>,
    pub try_number: Option<u32>,
    pub state: Option<&'static str>,
    pub detail: Option<String>,
    /// The user, for what a person did.
    pub who: Option<String>,
}

/// An event as it was kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EventRow {
    pub id: i64,
    pub at: i64,
    pub kind: String,
    pub dag_id: Option<String>,
    pub run_id: Option<String>,
    pub task_id: Option<String>,
    pub map_index: Option<i64>,
    pub try_number: Option<i64>,
    pub state: Option<String>,
    pub detail: Option<String>,
    pub who: Option<String>,
}

statements! {
    each INSERT = [
        "INSERT INTO event (at, kind, dag_id, run_id, task_id, map_index, try_number, state, detail, who)
         SELECT CAST(c.value ->> 0 AS BIGINT), c.value ->> 1, c.value ->> 2,
                COALESCE(c.value ->> 3, (SELECT r.run_id FROM dag_run r WHERE r.id = CAST(c.value ->> 10 AS BIGINT))), c.value ->> 4,
                CAST(c.value ->> 5 AS BIGINT), CAST(c.value ->> 6 AS BIGINT), c.value ->> 7, c.value ->> 8, c.value ->> 9
         FROM", "WHERE TRUE"
    ];
    both AFTER = "SELECT id, at, kind, dag_id, run_id, task_id, map_index, try_number, state, detail, who
        FROM event WHERE id > $1 ORDER BY id LIMIT $2";
    both IDS_AFTER = "SELECT id FROM event WHERE id > $1 ORDER BY id LIMIT $2";
    both ADD_WORDS = "UPDATE event SET detail = $4
        WHERE id = (SELECT MAX(id) FROM event WHERE id > $5 AND who = $1 AND kind = $2 AND at = $3)";
    both LAST = "SELECT COALESCE(MAX(id), 0) FROM event";
    both FIRST = "SELECT COALESCE(MIN(id), 0) FROM event";
    each AMONG = [
        "SELECT id, at, kind, dag_id, run_id, task_id, map_index, try_number, state, detail, who
         FROM event WHERE id IN (SELECT CAST(c.value AS BIGINT) FROM", ") ORDER BY id"
    ];
}

impl Tx {
    /// Adds events, in this order. They are written together when this transaction commits.
    ///
    /// # Errors
    ///
    /// Never by itself; the commit fails when they cannot be written.
    pub async fn tell(&mut self, events: &[Event], now: Timestamp) -> Result<(), StoreError> {
        self.told.extend(events.iter().map(|event| {
            json!([
                now.as_micros(),
                event.kind,
                event.dag_id,
                event.run_id,
                event.task_id,
                event.map_index,
                event.try_number,
                event.state,
                event.detail,
                event.who,
                event.run
            ])
        }));
        std::future::ready(Ok(())).await
    }

    /// Says whether there were any.
    pub(crate) async fn write_events(&mut self) -> Result<bool, StoreError> {
        if self.told.is_empty() {
            return Ok(false);
        }
        let rows = to_list(&std::mem::take(&mut self.told));
        on!(tx self, INSERT, |text, conn| { sqlx::query(text).bind(rows).execute(conn).await?; });
        Ok(true)
    }
}

impl Store {
    /// Puts words before what an event says, which was told at this moment: a line of their own. `after`: the number of
    /// an event before it, so that history is not looked through.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn add_words(&self, event: &Event, words: &str, at: Timestamp, after: i64) -> Result<(), StoreError> {
        let detail = match &event.detail {
            Some(detail) => format!("{words}\n{detail}"),
            None => words.to_owned(),
        };
        let mut tx = self.begin().await?;
        on!(tx &mut tx, ADD_WORDS, |text, conn| {
            sqlx::query(text).bind(&event.who).bind(event.kind).bind(at.as_micros()).bind(detail).bind(after).execute(conn).await?;
        });
        tx.commit().await
    }

    /// Returns events after a number, oldest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        Ok(on!(read self, AFTER, |text, conn| {
            sqlx::query_as(text).bind(id).bind(i64::from(limit)).fetch_all(conn).await?
        }))
    }

    /// Returns the numbers of events after a number, the smallest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn event_ids_after(&self, id: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
        Ok(on!(read self, IDS_AFTER, |text, conn| {
            sqlx::query_scalar(text).bind(id).bind(i64::from(limit)).fetch_all(conn).await?
        }))
    }

    /// Returns the number of the latest event, 0 when there is none.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        Ok(on!(read self, LAST, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?))
    }

    /// Returns the number of the oldest event that is still kept, 0 when there is none.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn first_event(&self) -> Result<i64, StoreError> {
        Ok(on!(read self, FIRST, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?))
    }

    /// Returns those of these events that are there, oldest first.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn events_among(&self, ids: &[i64]) -> Result<Vec<EventRow>, StoreError> {
        Ok(on!(read self, AMONG, |text, conn| sqlx::query_as(text).bind(to_list(&ids)).fetch_all(conn).await?))
    }
}
