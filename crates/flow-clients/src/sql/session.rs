//! One connection in use: statements, rows, transactions, and how it ends.

use std::time::Duration;

use futures_util::StreamExt as _;
use sqlx::Either;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Cell, Database, DatabaseKind, Parameters,
    conn::{Conn, Items},
    failure,
    text::{self, Bound},
};
use crate::{ClientError, Result};

/// Rows behind the only one that is wanted, and how long they are read.
const UNREAD: usize = 1_000;
const UNREAD_TIME: Duration = Duration::from_secs(1);

/// Statements after which a connection is as it was before. Others may have set something that the next task would find.
const LEAVES_NO_TRACE: [&str; 9] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "MERGE", "REPLACE", "TRUNCATE"];

/// Words in such statements that leave a trace all the same: settings, locks, variables, temporary tables.
const TRACES: [&str; 5] = ["set_config", "advisory", "get_lock", "@", "into temp"];

/// One connection to a database. Dropped after its last statement it is kept for the next task, but on MySQL; dropped in
/// a transaction it is closed, which undoes it; dropped while the server works, the server is told to stop.
#[derive(Debug)]
pub struct Session {
    database: Database,
    conn: Option<Conn>,
    /// A statement is under way, or its rows were not read to the end.
    is_busy: bool,
    in_transaction: bool,
    /// A statement of the transaction failed.
    has_failed: bool,
    leaves_trace: bool,
    /// The server has ended the transaction by itself, and the next statement needs one.
    was_committed: bool,
    _permit: OwnedSemaphorePermit,
}

/// The rows of a statement, as they come.
pub struct Rows<'s> {
    columns: Option<Vec<String>>,
    items: Items<'s>,
    sql: String,
    changed: u64,
    is_busy: &'s mut bool,
    has_failed: &'s mut bool,
}

impl Session {
    pub(super) fn new(database: Database, conn: Conn, permit: OwnedSemaphorePermit) -> Self {
        Self {
            database,
            conn: Some(conn),
            is_busy: false,
            in_transaction: false,
            has_failed: false,
            leaves_trace: false,
            was_committed: false,
            _permit: permit,
        }
    }

    /// Returns which database it is.
    pub fn kind(&self) -> DatabaseKind {
        self.database.kind()
    }

    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn begin(&mut self) -> Result<()> {
        let sql = match self.kind() {
            DatabaseKind::Postgres => "BEGIN",
            DatabaseKind::MySql => "START TRANSACTION",
            // A transaction that becomes a writer later may find that it is too late for that.
            DatabaseKind::Sqlite => "BEGIN IMMEDIATE",
        };
        self.begin_with(sql).await
    }

    /// Begins a transaction that only reads.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn begin_reading(&mut self) -> Result<()> {
        let sql = match self.kind() {
            DatabaseKind::Postgres | DatabaseKind::Sqlite => "BEGIN",
            DatabaseKind::MySql => "START TRANSACTION",
        };
        self.begin_with(sql).await
    }

    async fn begin_with(&mut self, sql: &str) -> Result<()> {
        if self.in_transaction {
            return Err(ClientError::refused("a transaction is open already"));
        }
        // Before the answer: when it never comes, there may be one.
        self.in_transaction = true;
        self.has_failed = false;
        self.run_plain(sql).await
    }

    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// When a statement of it failed: then nothing is kept. And what the database says.
    pub async fn commit(&mut self) -> Result<()> {
        if self.has_failed {
            self.rollback().await?;
            return Err(ClientError::refused("a statement of the transaction failed: nothing of it is kept"));
        }
        self.run_plain("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Undoes the transaction.
    ///
    /// # Errors
    ///
    /// What the database says; it is undone all the same when the session is dropped.
    pub async fn rollback(&mut self) -> Result<()> {
        self.run_plain("ROLLBACK").await?;
        self.in_transaction = false;
        self.has_failed = false;
        Ok(())
    }

    /// Marks a place in the transaction to come back to; the mark before is forgotten.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn mark(&mut self) -> Result<()> {
        self.run_plain("SAVEPOINT flow_mark").await
    }

    /// Undoes what happened since the mark, a failed statement too; the transaction goes on.
    ///
    /// # Errors
    ///
    /// When there is no mark, or the database has undone the whole transaction.
    pub async fn back_to_mark(&mut self) -> Result<()> {
        self.run_plain("ROLLBACK TO SAVEPOINT flow_mark").await?;
        self.has_failed = false;
        Ok(())
    }

    /// Runs one statement, and returns how many rows it changed.
    ///
    /// # Errors
    ///
    /// What the database says, with its SQLSTATE.
    pub async fn execute(&mut self, sql: &str, parameters: &Parameters) -> Result<u64> {
        let mut rows = self.rows(sql, parameters).await?;
        while rows.next().await?.is_some() {}
        Ok(rows.changed())
    }

    /// Runs one statement and returns its rows, at most so many.
    ///
    /// # Errors
    ///
    /// When there are more; and what the database says.
    pub async fn all(&mut self, sql: &str, parameters: &Parameters, most: usize) -> Result<Vec<Vec<Cell>>> {
        let mut rows = self.rows(sql, parameters).await?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().await? {
            if found.len() == most {
                return Err(ClientError::refused(format!("the statement returns more than {most} rows")));
            }
            found.push(row);
        }
        Ok(found)
    }

    /// Runs one statement and returns its first row. The session is of no more use when there are others.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn first(&mut self, sql: &str, parameters: &Parameters) -> Result<Option<Vec<Cell>>> {
        let mut rows = self.rows(sql, parameters).await?;
        let first = rows.next().await?;
        if first.is_some() {
            // What is left unread costs the session, and the statement is ended from another one: a little is read.
            let rest = async {
                for _ in 0..UNREAD {
                    if rows.next().await?.is_none() {
                        break;
                    }
                }
                Ok(())
            };
            if let Ok(read) = tokio::time::timeout(UNREAD_TIME, rest).await {
                read?;
            }
        }
        Ok(first)
    }

    /// Runs one statement; its rows come one by one, and must be read to the end before the next.
    ///
    /// # Errors
    ///
    /// When the parameters do not fit; and what the database says, with its SQLSTATE.
    pub async fn rows(&mut self, sql: &str, parameters: &Parameters) -> Result<Rows<'_>> {
        let kind = self.kind();
        let bound = text::bind(kind, sql, parameters)?;
        let word = text::first_word(kind, sql);
        let lower = sql.to_ascii_lowercase();
        let is_known = LEAVES_NO_TRACE.contains(&word.as_str());
        self.leaves_trace |= !is_known || TRACES.iter().any(|trace| lower.contains(trace));
        let is_in_transaction = self.in_transaction;
        self.begin_anew().await?;
        self.was_committed = is_in_transaction && kind == DatabaseKind::MySql && commits(&word, &lower);
        self.start(bound, false).await
    }

    /// Begins another transaction where MySQL has ended the one that was open: what follows would be kept at once, row by
    /// row, and savepoints would be none.
    pub(super) async fn begin_anew(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.was_committed) || !self.in_transaction {
            return Ok(());
        }
        let mut rows =
            self.start(text::bind(DatabaseKind::MySql, "START TRANSACTION", &Parameters::None)?, true).await?;
        while rows.next().await?.is_some() {}
        Ok(())
    }

    pub(super) async fn start(&mut self, bound: Bound, again: bool) -> Result<Rows<'_>> {
        let Self { conn, is_busy, has_failed, .. } = self;
        let Some(conn) = conn.as_mut().filter(|_| !*is_busy) else {
            return Err(ClientError::refused("the rows of the statement before were not read to their end"));
        };
        *is_busy = true;
        match conn.start(bound, again).await {
            Ok(started) => Ok(Rows {
                columns: started.columns,
                items: started.items,
                sql: started.sql,
                changed: 0,
                is_busy,
                has_failed,
            }),
            Err(error) => {
                // The server has answered; after a broken connection the next statement says so.
                *is_busy = false;
                *has_failed = true;
                Err(error)
            }
        }
    }

    /// What failed was undone: the transaction is whole again.
    pub(super) fn forgive(&mut self) {
        self.has_failed = false;
    }

    /// Flow's own words, without parameters.
    pub(super) async fn run_plain(&mut self, sql: &str) -> Result<()> {
        self.begin_anew().await?;
        let bound = text::bind(self.kind(), sql, &Parameters::None)?;
        let mut rows = self.start(bound, true).await?;
        while rows.next().await?.is_some() {}
        Ok(())
    }

    /// Does what only one database has, with the connection itself. Fails when the server has answered so: after that it
    /// is as free as before.
    pub(super) async fn with_conn<T, E: From<ClientError>>(
        &mut self,
        work: impl AsyncFnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let Some(conn) = self.conn.as_mut().filter(|_| !self.is_busy) else {
            let words = "the rows of the statement before were not read to their end";
            return Err(ClientError::refused(words).into());
        };
        self.is_busy = true;
        let done = work(conn).await;
        self.is_busy = false;
        self.has_failed |= done.is_err();
        done
    }

    /// Ends it now: the server stops, what is not committed is undone, the connection is closed.
    pub async fn abandon(mut self) {
        if let Some(conn) = self.conn.take()
            && self.is_busy
        {
            conn.kill(self.database.shared.target.clone()).await;
        }
    }
}

/// Says whether MySQL commits before such a statement, and after it.
fn commits(word: &str, lower: &str) -> bool {
    let is_of_tables = ["CREATE", "DROP"].contains(&word);
    let is_temporary = lower.split_whitespace().nth(1).is_some_and(|second| second == "temporary");
    let others = ["TRUNCATE", "ALTER", "RENAME", "ANALYZE", "OPTIMIZE", "REPAIR", "GRANT", "REVOKE", "LOCK", "FLUSH"];
    (is_of_tables && !is_temporary) || others.contains(&word)
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        if self.is_busy {
            let kill = conn.kill(self.database.shared.target.clone());
            // Without a runtime the connection is closed, and no more can be done.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(kill);
            }
            return;
        }
        if self.kind() == DatabaseKind::MySql {
            // The driver cannot make a session as new again, and functions and triggers leave things in it too.
            let close = conn.close();
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(close);
            }
        } else if !self.in_transaction && !self.leaves_trace {
            self.database.give_back(conn);
        }
    }
}

impl Rows<'_> {
    /// Returns the names of the columns: none for a statement that returns no rows; of a procedure's rows they are not
    /// known.
    pub fn columns(&self) -> &[String] {
        self.columns.as_deref().unwrap_or_default()
    }

    /// Says whether the statement returns rows, as far as that is known before the first.
    pub fn has_rows(&self) -> Option<bool> {
        self.columns.as_ref().map(|columns| !columns.is_empty())
    }

    /// Returns how many rows were changed, once all rows were read.
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// Waits for the next row; `None` at the end.
    ///
    /// # Errors
    ///
    /// What the database says; it is the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Cell>>> {
        loop {
            match self.items.next().await {
                Some(Ok(Either::Right(row))) => return Ok(Some(row)),
                Some(Ok(Either::Left(changed))) => self.changed += changed,
                Some(Err(error)) => {
                    *self.has_failed = true;
                    // An answer of the server is the end of the statement; a value that cannot be read is not.
                    *self.is_busy = !matches!(error, sqlx::Error::Database(_));
                    return Err(failure::of_statement(error, &self.sql));
                }
                None => {
                    *self.is_busy = false;
                    return Ok(None);
                }
            }
        }
    }
}
