//! The logs of tasks, as the web server asks for them: files of this host, else of the second place.

use std::{io, path::Path};

use flow_runtime::log::{Chunk, LogId, LogStore, RemoteLogs, UploadState, read_range};
use flow_server::{Later, LogName, LogPart, Logs, LogsOf, LogsSent};

/// The logs below the folder of a [`LogStore`], and where they are copied to.
#[derive(Clone)]
pub(crate) struct TaskLogs {
    pub(crate) files: LogStore,
    pub(crate) remote: Option<RemoteLogs>,
}

impl TaskLogs {
    async fn find(&self, log: &LogName, offset: u64, max: usize) -> io::Result<Option<Chunk>> {
        let LogName { dag_id, run_id, task_id, map_index, try_number } = log.clone();
        let id = LogId { dag_id, run_id, task_id, map_index };
        let path = self.files.path(&id, try_number);
        let read = tokio::task::spawn_blocking(move || read_range(&path, offset, max)).await;
        match read.map_err(io::Error::other)? {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other.map(Some),
        }
        match &self.remote {
            Some(remote) => remote.read(&id, try_number, offset, max).await,
            None => Ok(None),
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
