//! "Look again": within the process at once, between processes by LISTEN/NOTIFY or by watching the SQLite file.
//!
//! A signal carries no data. Losing one costs a moment, never work: every loop also looks by itself.

use std::{
    os::unix::net::UnixDatagram,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

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
    /// There is something in the queue: for workers.
    Work,
    /// Something that runs should be ended: for workers.
    Stop,
    /// A DAG file should be read again: for who looks after the folder.
    Files,
    /// A callback is due: for workers.
    Callback,
    /// There are new events: for whoever shows them. Given with each commit that tells some, but not sent to other
    /// processes through Postgres, where it would cost each commit: they look by themselves while someone watches.
    Event,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    look: Arc<Notify>,
    work: Arc<Notify>,
    stop: Arc<Notify>,
    files: Arc<Notify>,
    callback: Arc<Notify>,
    event: Arc<Notify>,
    /// Where another process that uses the same SQLite file listens, or would.
    bell: Option<Arc<Bell>>,
}

/// A socket beside the SQLite file: a process that changed it rings, so that another need not wait for its next
/// look at the file.
#[derive(Debug)]
struct Bell {
    path: PathBuf,
    is_ours: AtomicBool,
}

impl Signals {
    fn of(&self, signal: Signal) -> &Notify {
        match signal {
            Signal::Look => &self.look,
            Signal::Work => &self.work,
            Signal::Stop => &self.stop,
            Signal::Files => &self.files,
            Signal::Callback => &self.callback,
            Signal::Event => &self.event,
        }
    }

    pub(crate) fn beside(file: &str) -> Self {
        let bell = Bell { path: PathBuf::from(format!("{file}-bell")), is_ours: AtomicBool::new(false) };
        Self { bell: Some(Arc::new(bell)), ..Self::default() }
    }

    /// Returns the path of a file beside the SQLite file; `None` on Postgres.
    pub(crate) fn beside_file(&self, what: &str) -> Option<PathBuf> {
        self.bell.as_ref().map(|bell| bell.path.with_extension(format!("db-{what}")))
    }

    /// Tells the process that listens beside the SQLite file, if there is one and it is not this one.
    pub(crate) fn ring(&self) {
        let Some(bell) = self.bell.as_ref().filter(|bell| !bell.is_ours.load(Ordering::Relaxed)) else { return };
        // Nobody listening is the usual case; whoever listens looks at the file by itself as well.
        let _ = UnixDatagram::unbound().and_then(|socket| {
            socket.set_nonblocking(true)?;
            socket.send_to(b"!", &bell.path)
        });
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
            Db::Sqlite { .. } => {
                tokio::join!(self.watch_sqlite(), self.hear_bell());
            }
            Db::Postgres { .. } => loop {
                if let Err(error) = self.listen_postgres().await {
                    tracing::debug!(%error, "lost the notification channel; trying again");
                }
                // What was said meanwhile is lost; everyone looks once.
                self.signal_all();
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
                "stop" => self.signal(Signal::Stop),
                "files" => self.signal(Signal::Files),
                "callback" => self.signal(Signal::Callback),
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
            let mut conn = match write.acquire().await {
                Ok(conn) => conn,
                Err(sqlx::Error::PoolClosed) => return,
                // A long transaction has it.
                Err(_) => continue,
            };
            let conn: &mut SqliteConnection = &mut conn;
            if let Ok(version) = sqlx::query_scalar::<_, i64>(DATA_VERSION.sqlite).fetch_one(conn).await {
                if last.is_some_and(|last| last != version) {
                    self.signal_all();
                }
                last = Some(version);
            }
        }
    }

    async fn hear_bell(&self) {
        let Some(bell) = &self.signals.bell else { return };
        // A socket that a killed process left behind is in the way.
        let _ = std::fs::remove_file(&bell.path);
        let socket = match tokio::net::UnixDatagram::bind(&bell.path) {
            Ok(socket) => socket,
            Err(error) => {
                return tracing::debug!(%error, "no bell beside the database; its file is watched all the same");
            }
        };
        bell.is_ours.store(true, Ordering::Relaxed);
        let mut buffer = [0; 8];
        while socket.recv(&mut buffer).await.is_ok() {
            self.signal_all();
        }
    }

    fn signal_all(&self) {
        for signal in [Signal::Look, Signal::Work, Signal::Stop, Signal::Files, Signal::Callback, Signal::Event] {
            self.signal(signal);
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
                Signal::Stop => "stop",
                Signal::Files => "files",
                Signal::Callback => "callback",
                Signal::Event => return Ok(()),
            };
            on!(tx self, ANNOUNCE, |text, conn| { sqlx::query(text).bind(CHANNEL).bind(word).execute(conn).await?; });
        }
        Ok(())
    }
}
