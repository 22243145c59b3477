//! The logs of tasks, as the web server asks for them: files of this host, else of the worker's, else of the second place.

use std::{
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use flow_runtime::log::{Chunk, LogId, LogStore, RemoteLogs, UploadState, read_range};
use flow_server::{
    Later, LogName, LogPart, Logs, LogsOf, LogsSent,
    worker_logs::{OFFSET, PART_MAX, PATH, SIZE, WorkerLogQuery, authorization},
};
use flow_store::{LogServer, Store};

/// Longest wait for a worker's host, and for its answer.
const REACH: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(10);

/// The logs below the folder of a [`LogStore`], of workers elsewhere, and where logs are copied to.
#[derive(Clone)]
pub(crate) struct TaskLogs {
    pub(crate) files: LogStore,
    pub(crate) hosts: Option<Hosts>,
    pub(crate) remote: Option<RemoteLogs>,
}

/// The hosts of workers, which serve their logs.
#[derive(Clone)]
pub(crate) struct Hosts {
    store: Store,
    client: reqwest::Client,
}

impl Hosts {
    /// `None` when no client can be made, which is said.
    pub(crate) fn new(store: Store) -> Option<Self> {
        let client = reqwest::Client::builder().connect_timeout(REACH).timeout(ANSWER).no_proxy();
        match client.redirect(reqwest::redirect::Policy::none()).build() {
            Ok(client) => Some(Self { store, client }),
            Err(error) => {
                tracing::warn!(%error, "logs of workers on other hosts cannot be read");
                None
            }
        }
    }

    /// Asks the host of the worker that ran an attempt; `None` when it is gone or has no such log.
    async fn read(&self, log: &LogName, offset: u64, max: usize) -> io::Result<Option<Chunk>> {
        let Some(worker) = &log.worker else { return Ok(None) };
        let mut failure = None;
        for server in self.store.log_servers(worker).await.map_err(io::Error::other)? {
            match self.ask(&server, log, offset, max).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(problem) => {
                    let LogServer { hostname, address, .. } = server;
                    let words = format!(
                        "it is on {hostname}, which could not be asked for it at {address}: {problem}; is the worker \
                         alive, and its port open to the web server?"
                    );
                    failure.get_or_insert(io::Error::other(words));
                }
            }
        }
        failure.map_or(Ok(None), Err)
    }

    async fn ask(&self, server: &LogServer, log: &LogName, offset: u64, max: usize) -> Result<Option<Chunk>, String> {
        let url = format!("http://{}{PATH}", server.address);
        let request = self.client.get(url).query(&WorkerLogQuery::new(log, offset, max)).build();
        let mut request = request.map_err(|error| error.without_url().to_string())?;
        let asked = format!("{PATH}?{}", request.url().query().unwrap_or_default());
        let signed = authorization(&server.secret, &asked, SystemTime::now());
        let signed = signed.parse().map_err(|_| "its secret is damaged".to_owned())?;
        request.headers_mut().insert(reqwest::header::AUTHORIZATION, signed);
        let mut answer = self.client.execute(request).await.map_err(|error| chain(error.without_url()))?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            status => return Err(format!("it answered {status}")),
        }
        let number = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
        let (Some(offset), Some(size)) = (number(OFFSET), number(SIZE)) else {
            return Err("what answers there is no worker".to_owned());
        };
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| chain(error.without_url()))? {
            if bytes.len() + piece.len() > PART_MAX {
                return Err("its answer is too long".to_owned());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(Chunk { bytes, offset, size }))
    }
}

/// Writes an error with what caused it.
fn chain(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = next.to_string();
        cause = next.source();
    }
    text
}

impl TaskLogs {
    async fn find(&self, log: &LogName, offset: u64, max: usize) -> io::Result<Option<Chunk>> {
        let LogName { dag_id, run_id, task_id, map_index, try_number, .. } = log.clone();
        let id = LogId { dag_id, run_id, task_id, map_index };
        let path = self.files.path(&id, try_number);
        let read = tokio::task::spawn_blocking(move || read_range(&path, offset, max)).await;
        match read.map_err(io::Error::other)? {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other.map(Some),
        }
        let of_host = match &self.hosts {
            Some(hosts) => hosts.read(log, offset, max).await,
            None => Ok(None),
        };
        match (&self.remote, of_host) {
            (_, Ok(Some(found))) => Ok(Some(found)),
            (None, other) => other,
            (Some(remote), of_host) => match remote.read(&id, try_number, offset, max).await? {
                Some(found) => Ok(Some(found)),
                None => of_host,
            },
        }
    }
}

impl Logs for TaskLogs {
    fn read<'a>(&'a self, log: &'a LogName, offset: u64, max: usize) -> Later<'a, io::Result<Option<LogPart>>> {
        Box::pin(async move {
            let found = self.find(log, offset, max).await?;
            Ok(found.map(|Chunk { bytes, offset, size }| LogPart { bytes, offset, size }))
        })
    }

    fn remove<'a>(&'a self, of: &'a LogsOf) -> Later<'a, io::Result<()>> {
        let (store, of) = (self.files.clone(), of.clone());
        let nowhere = LogStore::new("", flow_runtime::Clock::system());
        let (folder, is_task) = match &of {
            LogsOf::Dag(dag_id) => (nowhere.dag_folder(dag_id), false),
            LogsOf::Run(dag_id, run_id) => (nowhere.run_folder(dag_id, run_id), false),
            LogsOf::Task { dag_id, run_id, task_id, map_index } => {
                let id = LogId {
                    dag_id: dag_id.clone(),
                    run_id: run_id.clone(),
                    task_id: task_id.clone(),
                    map_index: *map_index,
                };
                (id.folder(Path::new("")), *map_index < 0)
            }
        };
        let remove = move || match of {
            LogsOf::Dag(dag_id) => store.remove_dag(&dag_id),
            LogsOf::Run(dag_id, run_id) => store.remove_run(&dag_id, &run_id),
            LogsOf::Task { dag_id, run_id, task_id, map_index } => {
                store.remove_task(&LogId { dag_id, run_id, task_id, map_index })
            }
        };
        Box::pin(async move {
            tokio::task::spawn_blocking(remove).await.map_err(io::Error::other)??;
            match &self.remote {
                Some(remote) => remote.remove(&folder, is_task).await,
                None => Ok(()),
            }
        })
    }

    fn sent(&self) -> Option<LogsSent> {
        self.remote.as_ref()?;
        let UploadState { waiting, failing_since, error } = UploadState::read(self.files.root()).unwrap_or_default();
        Some(LogsSent { waiting, failing_since, error })
    }
}
