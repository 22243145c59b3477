//! Handing out slots: what waits, what is in use, and who gets in.

use std::collections::BTreeMap;

use flow_core::{
    DagId, RunKey, TaskId, Timestamp,
    engine::{Room, Waiting},
};
use serde_json::{Value, json};

use crate::{
    Event, Happening, StoreError, Tx,
    db::{Sql, on, statements},
    error::conflict,
    rows::{count, moment, to_list},
};

/// A task instance that waits for its slots.
#[derive(Clone, Debug)]
pub struct WaitingRow {
    pub waiting: Waiting,
    pub queue: String,
    pub try_number: u32,
    /// Since when it waits.
    pub scheduled_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct RawWaiting {
    run: i64,
    task_id: String,
    map_index: i64,
    dag_id: String,
    try_number: i64,
    pool: String,
    pool_slots: i64,
    priority_weight: i64,
    queue: String,
    sort_date: i64,
    max_active_tasks: i64,
    max_per_dag: Option<i64>,
    max_per_run: Option<i64>,
    scheduled_at: Option<i64>,
}

impl From<RawWaiting> for WaitingRow {
    fn from(raw: RawWaiting) -> Self {
        Self {
            waiting: Waiting {
                run: RunKey(raw.run),
                dag_id: DagId::from(raw.dag_id),
                task_id: TaskId::from(raw.task_id),
                map_index: i32::try_from(raw.map_index).unwrap_or(-1),
                pool: raw.pool,
                pool_slots: count(raw.pool_slots),
                priority_weight: raw.priority_weight,
                logical_date: Timestamp::from_micros(raw.sort_date),
                max_active_tasks: count(raw.max_active_tasks),
                max_active_tis_per_dag: raw.max_per_dag.map(count),
                max_active_tis_per_dagrun: raw.max_per_run.map(count),
            },
            queue: raw.queue,
            try_number: count(raw.try_number),
            scheduled_at: moment(raw.scheduled_at),
        }
    }
}

statements! {
    split POOLS = {
        sqlite: "SELECT name, slots FROM pool ORDER BY name",
        postgres: "SELECT name, slots FROM pool ORDER BY name FOR UPDATE"
    };
    both POOLS_SEEN = "SELECT name, slots FROM pool ORDER BY name";
    // SQLite would rather read the whole table in the order of its key than sort what is alive.
    split IN_USE = {
        sqlite: "SELECT run, dag_id, task_id, pool, CAST(SUM(pool_slots) AS BIGINT), COUNT(*)
            FROM attempt INDEXED BY attempt_alive WHERE ended_at IS NULL GROUP BY run, dag_id, task_id, pool",
        postgres: "SELECT run, dag_id, task_id, pool, CAST(SUM(pool_slots) AS BIGINT), COUNT(*)
            FROM attempt WHERE ended_at IS NULL GROUP BY run, dag_id, task_id, pool"
    };
    split WAITING = {
        sqlite: "SELECT t.run, t.task_id, t.map_index, t.dag_id, t.try_number, t.pool, t.pool_slots, t.priority_weight, t.queue,
                t.sort_date, t.max_active_tasks, t.max_per_dag, t.max_per_run, t.scheduled_at
            FROM task_instance t
            WHERE t.state = 'scheduled'
                AND t.pool IN (SELECT c.value ->> 0 FROM json_each($1) AS c WHERE c.value ->> 1 >= t.pool_slots)
                AND t.run NOT IN (SELECT c.value FROM json_each($2) AS c)
                AND NOT EXISTS (SELECT 1 FROM json_each($3) AS c WHERE c.value ->> 0 = t.dag_id AND c.value ->> 1 = t.task_id)
                AND NOT EXISTS (SELECT 1 FROM json_each($4) AS c WHERE c.value ->> 0 = t.run AND c.value ->> 1 = t.task_id)
                AND NOT EXISTS (SELECT 1 FROM dag d WHERE d.dag_id = t.dag_id AND d.is_paused)
            ORDER BY t.priority_weight DESC, t.sort_date, t.dag_id, t.run, t.task_id, t.map_index
            LIMIT $5",
        postgres: "SELECT t.run, t.task_id, t.map_index, t.dag_id, t.try_number, t.pool, t.pool_slots, t.priority_weight, t.queue,
                t.sort_date, t.max_active_tasks, t.max_per_dag, t.max_per_run, t.scheduled_at
            FROM task_instance t
            WHERE t.state = 'scheduled'
                AND t.pool IN (SELECT c.value ->> 0 FROM jsonb_array_elements($1::jsonb) AS c (value)
                    WHERE CAST(c.value ->> 1 AS BIGINT) >= t.pool_slots)
                AND t.run NOT IN (SELECT CAST(c.value AS BIGINT) FROM jsonb_array_elements($2::jsonb) AS c (value))
                AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements($3::jsonb) AS c (value)
                    WHERE c.value ->> 0 = t.dag_id AND c.value ->> 1 = t.task_id)
                AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements($4::jsonb) AS c (value)
                    WHERE CAST(c.value ->> 0 AS BIGINT) = t.run AND c.value ->> 1 = t.task_id)
                AND NOT EXISTS (SELECT 1 FROM dag d WHERE d.dag_id = t.dag_id AND d.is_paused)
            ORDER BY t.priority_weight DESC, t.sort_date, t.dag_id, t.run, t.task_id, t.map_index
            LIMIT $5
            FOR UPDATE OF t SKIP LOCKED"
    };
    each QUEUE = [
        "UPDATE task_instance SET state = 'queued', queued_at = $2
         FROM",
        "WHERE task_instance.run = CAST(c.value ->> 0 AS BIGINT)
            AND task_instance.task_id = c.value ->> 1
            AND task_instance.map_index = CAST(c.value ->> 2 AS BIGINT)
            AND task_instance.state = 'scheduled'"
    ];
    both FIRST_WAITING = "SELECT t.run, t.task_id, t.map_index, t.dag_id, t.try_number, t.pool, t.pool_slots, t.priority_weight, t.queue,
            t.sort_date, t.max_active_tasks, t.max_per_dag, t.max_per_run, t.scheduled_at
        FROM task_instance t WHERE t.state = 'scheduled'
        ORDER BY t.priority_weight DESC, t.sort_date, t.dag_id, t.run, t.task_id, t.map_index LIMIT $1";
    both ANY_WAITING = "SELECT EXISTS (SELECT 1 FROM task_instance WHERE state = 'scheduled')";
}

/// A pool without a limit has this many free slots.
const UNLIMITED: i64 = i64::MAX / 2;

impl Tx {
    /// Says whether anything waits for slots.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn is_anything_waiting(&mut self) -> Result<bool, StoreError> {
        Ok(on!(tx self, ANY_WAITING, |text, conn| sqlx::query_scalar(text).fetch_one(conn).await?))
    }

    /// Returns what is free and what is in use, and locks the pools: until this transaction ends nobody else
    /// hands out slots.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn room(&mut self) -> Result<Room, StoreError> {
        self.room_by(POOLS).await
    }

    /// The same, locking nothing: only good for saying how it is.
    pub(crate) async fn room_seen(&mut self) -> Result<Room, StoreError> {
        self.room_by(POOLS_SEEN).await
    }

    async fn room_by(&mut self, pools: Sql) -> Result<Room, StoreError> {
        let pools: Vec<(String, i64)> = on!(tx self, pools, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        let sizes = pools.into_iter().map(|(name, slots)| (name, if slots < 0 { UNLIMITED } else { slots }));
        let pool_sizes: BTreeMap<String, i64> = sizes.collect();
        let mut room = Room { pools: pool_sizes.clone(), pool_sizes, ..Room::default() };
        let in_use: Vec<(i64, String, String, String, i64, i64)> =
            on!(tx self, IN_USE, |text, conn| sqlx::query_as(text).fetch_all(conn).await?);
        for (run, dag_id, task_id, pool, slots, attempts) in in_use {
            let (run, attempts) = (RunKey(run), count(attempts));
            let (dag_id, task_id) = (DagId::from(dag_id), TaskId::from(task_id));
            if let Some(free) = room.pools.get_mut(&pool) {
                *free -= slots;
            }
            *room.by_run.entry(run).or_default() += attempts;
            *room.by_run_task.entry((run, task_id.clone())).or_default() += attempts;
            *room.by_task.entry((dag_id, task_id)).or_default() += attempts;
        }
        Ok(room)
    }

    /// Returns task instances that wait for slots, best first: of pools that may serve them, and none of the runs,
    /// (DAG, task)s and (run, task)s that are known to be at their limit. Rows that another process is
    /// changing are left out.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn waiting(
        &mut self,
        room: &Room,
        full_runs: &[RunKey],
        full_tasks: &[(DagId, TaskId)],
        full_run_tasks: &[(RunKey, TaskId)],
        limit: usize,
    ) -> Result<Vec<WaitingRow>, StoreError> {
        let pools: Vec<Value> = room.open_pools().map(|(name, most)| json!([name, most])).collect();
        if pools.is_empty() {
            // Otherwise everything that waits would be read to find out that it waits.
            return Ok(Vec::new());
        }
        let raw: Vec<RawWaiting> = on!(tx self, WAITING, |text, conn| {
            sqlx::query_as(text)
                .bind(to_list(&pools))
                .bind(to_list(&full_runs))
                .bind(to_list(&full_tasks))
                .bind(to_list(&full_run_tasks))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(conn)
                .await?
        });
        Ok(raw.into_iter().map(WaitingRow::from).collect())
    }

    /// Returns the first of those that wait, best first, whatever keeps them.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub(crate) async fn first_waiting(&mut self, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        let raw: Vec<RawWaiting> = on!(tx self, FIRST_WAITING, |text, conn| {
            sqlx::query_as(text).bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(conn).await?
        });
        Ok(raw.into_iter().map(|raw| WaitingRow::from(raw).waiting).collect())
    }

    /// Gives slots: `scheduled` becomes `queued`, and an attempt waits for a worker. One whose try has an attempt that
    /// is still alive, which should not be, is left as it is: it must not keep the others. Announce
    /// [`crate::Signal::Work`] when workers elsewhere should take them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when one of them is not `scheduled` any more: drop the transaction.
    pub async fn grant(&mut self, granted: &[&WaitingRow], now: Timestamp) -> Result<(), StoreError> {
        if granted.is_empty() {
            return Ok(());
        }
        let rows: Vec<Value> = granted
            .iter()
            .map(|row| {
                let waiting = &row.waiting;
                json!([
                    waiting.run,
                    waiting.task_id,
                    waiting.map_index,
                    row.try_number,
                    waiting.dag_id,
                    waiting.pool,
                    waiting.pool_slots,
                    row.queue,
                    waiting.priority_weight
                ])
            })
            .collect();
        let queued = self.enqueue(&rows, now).await?;
        let is_queued = |row: &&&WaitingRow| {
            let waiting = &row.waiting;
            let is_there = queued.contains(&(waiting.run.0, waiting.task_id.to_string(), i64::from(waiting.map_index)));
            if !is_there {
                tracing::error!(dag_id = %waiting.dag_id, task_id = %waiting.task_id, "still has an attempt of this try; it waits");
            }
            is_there
        };
        let granted: Vec<&&WaitingRow> = granted.iter().filter(is_queued).collect();
        let rows: Vec<Value> =
            granted.iter().map(|row| json!([row.waiting.run, row.waiting.task_id, row.waiting.map_index])).collect();
        let touched = on!(tx self, QUEUE, |text, conn| {
            sqlx::query(text).bind(to_list(&rows)).bind(now.as_micros()).execute(conn).await?.rows_affected()
        });
        if touched != granted.len() as u64 {
            return Err(conflict(QUEUE, granted.len(), touched));
        }
        let events: Vec<Event> = granted
            .iter()
            .map(|row| Event {
                kind: "task_state",
                dag_id: Some(row.waiting.dag_id.to_string()),
                run: Some(row.waiting.run),
                task_id: Some(row.waiting.task_id.to_string()),
                map_index: Some(row.waiting.map_index),
                try_number: Some(row.try_number),
                state: Some("queued"),
                ..Event::default()
            })
            .collect();
        self.witness(|| {
            granted.iter().map(|row| Happening::TaskQueued {
                dag_id: row.waiting.dag_id.clone(),
                task_id: row.waiting.task_id.clone(),
                waited: row.scheduled_at.map(|since| now.since(since)).unwrap_or_default(),
            })
        });
        self.tell(&events, now).await
    }
}
