//! The logs of tasks, as the web server asks for them: files of this host.

use std::io;

use flow_runtime::log::{LogId, LogStore, read_range};
use flow_server::{Later, LogName, LogPart, Logs, LogsOf};

/// The logs below the folder of a [`LogStore`].
pub(crate) struct TaskLogs(pub(crate) LogStore);

impl Logs for TaskLogs {
    fn read<'a>(&'a self, log: &'a LogName, offset: u64, max: usize) -> Later<'a, io::Result<Option<LogPart>>> {
        let LogName { dag_id, run_id, task_id, map_index, try_number } = log.clone();
        let path = self.0.path(&LogId { dag_id, run_id, task_id, map_index }, try_number);
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || read_range(&path, offset, max)).await;
            match read.map_err(io::Error::other)? {
                Ok(chunk) => Ok(Some(LogPart { bytes: chunk.bytes, offset: chunk.offset, size: chunk.size })),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn remove<'a>(&'a self, of: &'a LogsOf) -> Later<'a, io::Result<()>> {
        let (store, of) = (self.0.clone(), of.clone());
        let remove = move || match of {
            LogsOf::Dag(dag_id) => store.remove_dag(&dag_id),
            LogsOf::Run(dag_id, run_id) => store.remove_run(&dag_id, &run_id),
            LogsOf::Task { dag_id, run_id, task_id, map_index } => {
                store.remove_task(&LogId { dag_id, run_id, task_id, map_index })
            }
        };
        Box::pin(async move { tokio::task::spawn_blocking(remove).await.map_err(io::Error::other)? })
    }
}
