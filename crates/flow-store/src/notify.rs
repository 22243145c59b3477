//! "Look again": within the process at once, between processes by LISTEN/NOTIFY or by watching the SQLite file.
//!
//! A signal carries no data. Losing one costs a moment, never work: every loop also looks by itself.

use std::{sync::Arc, time::Duration};

use sqlx::{SqliteConnection, postgres::PgListener};
use tokio::sync::Notify;

use crate::{
    Store, StoreError, Tx,
    db::{Db, Inner, on, statements},
};

/// The Postgres channel; its payload is a [`Signal`]'s word.
const CHANNEL: &str = "flow";
/// How often the SQLite file is asked whether another process has written to it.
const SQLITE_LOOK: Duration = Duration::from_millis(50);
/// Between two tries to hear Postgres again.
const RECONNECT: Duration = Duration::from_secs(1);

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// A run or a DAG should be looked at: for schedulers.
    Look,
    /// There is something in the queue, or something running should be ended: for workers.
    Work,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    look: Arc<Notify>,
    work: Arc<Notify>,
}

impl Signals {
    fn of(&self, signal: Signal) -> &Notify {
        match signal {
            Signal::Look => &self.look,
            Signal::Work => &self.work,
        }
    }

    pub(crate) fn give(&self, signal: Signal) {
        self.of(signal).notify_one();
    }
}

statements! {
    split ANNOUNCE = {
        sqlite: "SELECT $1, $2",
        postgres: "SELECT pg_notify($1, $2)"
    };
    split DATA_VERSION = {
        sqlite: "SELECT data_version FROM pragma_data_version",
        postgres: "SELECT 1::bigint"
    };
}

impl Store {
    /// Waits until someone gives this signal. One that was given since the last wait returns at once.
    pub async fn heard(&self, signal: Signal) {
        self.signals.of(signal).notified().await;
    }

    /// Gives a signal within this process.
    pub fn signal(&self, signal: Signal) {
        self.signals.give(signal);
    }

    /// Hears other processes and passes their signals on, for ever. Run it as a task of its own.
    pub async fn listen(&self) {
        match &self.db {
            Db::Sqlite { .. } => self.watch_sqlite().await,
            Db::Postgres { .. } => loop {
                if let Err(error) = self.listen_postgres().await {
                    tracing::debug!(%error, "lost the notification channel; trying again");
                }
                // What was said meanwhile is lost; everyone looks once.
                self.signal(Signal::Look);
                self.signal(Signal::Work);
                tokio::time::sleep(RECONNECT).await;
            },
        }
    }

    async fn listen_postgres(&self) -> Result<(), sqlx::Error> {
        let Db::Postgres { pool } = &self.db else { return Ok(()) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        while let Some(notification) = listener.try_recv().await? {
            match notification.payload() {
                "work" => self.signal(Signal::Work),
                _ => self.signal(Signal::Look),
            }
        }
        Ok(())
    }

    /// The writer's own commits do not change its `data_version`; another process's do.
    async fn watch_sqlite(&self) {
        let Db::Sqlite { write, .. } = &self.db else { return };
        let mut last: Option<i64> = None;
        loop {
            tokio::time::sleep(SQLITE_LOOK).await;
            let Ok(mut conn) = write.acquire().await else { return };
            let conn: &mut SqliteConnection = &mut conn;
            if let Ok(version) = sqlx::query_scalar::<_, i64>(DATA_VERSION.sqlite).fetch_one(conn).await {
                if last.is_some_and(|last| last != version) {
                    self.signal(Signal::Look);
                    self.signal(Signal::Work);
                }
                last = Some(version);
            }
        }
    }
}

impl Tx {
    /// Gives a signal to every process when this transaction commits, and to this process by [`Tx::commit`].
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn announce(&mut self, signal: Signal) -> Result<(), StoreError> {
        if self.announced.contains(&signal) {
            return Ok(());
        }
        self.announced.push(signal);
        if let Inner::Postgres(_) = self.inner {
            let word = match signal {
                Signal::Look => "look",
                Signal::Work => "work",
            };
            on!(tx self, ANNOUNCE, |text, conn| { sqlx::query(text).bind(CHANNEL).bind(word).execute(conn).await?; });
        }
        Ok(())
    }
}
