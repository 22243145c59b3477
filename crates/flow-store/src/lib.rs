//! The only SQL of Flow: SQLite and Postgres behind one interface.
//!
//! Knows nothing of what a change *means*: it reads facts, and writes decisions made in `flow_core::engine`,
//! each with the state it expects to find. A [`Tx`] that is dropped has done nothing.
//!
//! # Who may write what, and in which order things are locked
//!
//! A scheduler works on a DAG at a time: [`Tx::take_due`] locks the `dag` rows it returns, and everything about
//! the runs of those DAGs (state, limits on runs, the previous run) is then its own. Slots are handed out under
//! a lock on the pools ([`Tx::room`]). Order: DAGs by id, then task instances, then pools; queued and waiting
//! rows are taken with SKIP LOCKED and never waited for. Workers touch only `attempt`, `xcom` and `wake` rows,
//! and move `queued` task instances to `running`.

mod access;
mod actions;
mod attempts;
mod cache;
mod callbacks;
mod cleanup;
mod connections;
mod dags;
mod db;
mod dispatch;
mod error;
mod events;
mod facts;
mod files;
mod kafka;
mod keyring;
mod lanes;
mod lists;
mod load;
mod log_use;
mod looks;
mod notify;
mod open;
mod overview;
mod pools;
mod processes;
mod rotation;
mod rows;
mod runs;
mod select;
mod sessions;
mod spans;
mod task_instances;
mod tokens;
mod users;
mod variables;
mod witness;
mod xcoms;

use std::{sync::Arc, time::Instant};

use db::{Db, Inner, on};

pub use access::AccessList;
pub use actions::{
    ActionError, BACKLOG_MAX, Backlog, Dating, EditOptions, Edited, EditedRun, NoteFor, RunChange, RunsAsked, Stopped,
    TaskChange, TaskEdit, TriggerOutcome, TriggerRun,
};
pub use attempts::{AttemptKey, Claimed, Kept, Report, Try};
pub use cache::{CacheUse, CachedDag, DagCache};
pub use callbacks::{
    CALLBACK_TRIES, CALLBACKS_OF_A_KIND, CallbackFilter, CallbackLine, CallbackReport, ClaimedCallback,
    callback_again_at,
};
pub use cleanup::{Cleaned, CleanupPlan, CleanupStep};
pub use connections::ConnectionRow;
pub use dags::{DagRow, Plan, VersionRow};
pub use dispatch::WaitingRow;
pub use error::StoreError;
pub use events::{Event, EventRow};
pub use facts::RunFacts;
pub use files::{DagSave, FileSave, ImportError};
pub use kafka::{KafkaReader, KafkaTopic, KafkaTopicRow, Offsets as KafkaOffsets};
pub use keyring::{Keyring, Unreadable, VARIABLE as KEY_VARIABLE};
pub use lists::*;
pub use load::{Load, TaskLoad};
pub use log_use::{LogInUse, LogServer};
pub use looks::{DueDag, NextDue};
pub use notify::Signal;
pub use open::Schema;
pub use overview::{ROWS_COUNTED, TableSize};
pub use pools::{Pool, PoolUse};
pub use processes::{Process, ProcessKind};
pub use rotation::{Rotated, RotationStep};
pub use rows::can_be_kept;
pub use runs::{CreateRun, RunFilter, RunRow};
pub use select::{COUNTED_MAX, Key, Listed, Order, Page, Pattern, Place, Range, Stretch};
pub use sessions::SessionHolder;
pub use spans::{EndedRun, EndedTry};
pub use task_instances::{RunDecision, TaskRow, TaskSeed};
pub use tokens::{NewToken, Token, TokenHolder};
pub use users::{NewUser, User, UserChange, UserOrder};
pub use variables::Variable;
pub use witness::{Happening, Witness};

/// A database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    signals: notify::Signals,
    keyring: Keyring,
    /// For lists whose filters someone chose.
    lanes: lanes::Lanes,
    witness: Option<Arc<witness::Witnesses>>,
}

/// A transaction: on SQLite the only writer.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    announced: Vec<Signal>,
    /// Rows of `event`, written at the end in one statement.
    told: Vec<serde_json::Value>,
    signals: notify::Signals,
    keyring: Keyring,
    began: Instant,
    witness: Option<Arc<witness::Witnesses>>,
    happened: Vec<Happening>,
}

impl Store {
    /// Takes keys, without which variables and connections can neither be read nor written.
    #[must_use]
    pub fn with_keyring(self, keyring: Keyring) -> Self {
        Self { keyring, ..self }
    }

    /// Tells someone what is changed from here on, and whoever was told before.
    #[must_use]
    pub fn with_witness(self, witness: Arc<dyn Witness>) -> Self {
        let all = self.witness.iter().flat_map(|all| all.0.iter().cloned()).chain([witness]);
        Self { witness: Some(Arc::new(witness::Witnesses(all.collect()))), ..self }
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    ///
    /// When the database does not answer, or is held by another process for too long.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.db {
            Db::Sqlite { write, .. } => Inner::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres { pool } => Inner::Postgres(pool.begin().await?),
        };
        Ok(self.tx(inner))
    }

    fn tx(&self, inner: Inner) -> Tx {
        Tx {
            inner,
            announced: Vec::new(),
            told: Vec::new(),
            signals: self.signals.clone(),
            keyring: self.keyring.clone(),
            began: Instant::now(),
            witness: self.witness.clone(),
            happened: Vec::new(),
        }
    }

    /// Begins a transaction that only reads, all of it as of one moment, and waits for nobody.
    pub(crate) async fn snapshot(&self) -> Result<Tx, StoreError> {
        let inner = match &self.db {
            Db::Sqlite { read, .. } => Inner::Sqlite(read.begin().await?),
            Db::Postgres { pool } => {
                Inner::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?)
            }
        };
        Ok(self.tx(inner))
    }

    /// Asks the database whether it is there.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const PING: db::Sql = db::Sql { name: "PING", sqlite: "SELECT 1", postgres: "SELECT 1" };
        on!(read self, PING, |text, conn| { sqlx::query(text).execute(conn).await?; });
        Ok(())
    }
}

impl Tx {
    /// Keeps what a witness is told when this transaction commits; nothing is looked for when there is none.
    pub(crate) fn witness<H: IntoIterator<Item = Happening>>(&mut self, happened: impl FnOnce() -> H) {
        if self.witness.is_some() {
            self.happened.extend(happened());
        }
    }

    /// Makes everything of this transaction happen, and gives its signals.
    ///
    /// # Errors
    ///
    /// When the database does; then nothing has happened.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.write_events().await? {
            self.announced.push(Signal::Event);
        }
        match self.inner {
            Inner::Sqlite(inner) => inner.commit().await?,
            Inner::Postgres(inner) => inner.commit().await?,
        }
        for signal in &self.announced {
            self.signals.give(*signal);
        }
        if let Some(witness) = &self.witness {
            let took = self.began.elapsed();
            witness.0.iter().for_each(|witness| witness.committed(&self.happened, took));
        }
        if self.announced.iter().any(|signal| *signal != Signal::Event) {
            self.signals.ring();
        }
        Ok(())
    }

    /// Drops everything of this transaction.
    ///
    /// # Errors
    ///
    /// When the database does; nothing has happened in any case.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(inner) => inner.rollback().await?,
            Inner::Postgres(inner) => inner.rollback().await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
