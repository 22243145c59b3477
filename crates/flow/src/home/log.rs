//! Logs: all of one try, and what is added to it while it runs.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use flow_core::TaskState;
use flow_runtime::log::{Follow, LogId, MAX_CHUNK};
use serde::Deserialize;

use super::{Home, TaskPlace, if_there};
use crate::{client::Client, node::Parts};

/// Where a task instance stands.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Standing {
    state: Option<TaskState>,
    pub(crate) try_number: u32,
}

impl Standing {
    /// Says whether the task instance has ended.
    pub(crate) fn is_finished(self) -> bool {
        self.state.is_some_and(TaskState::is_finished)
    }

    /// Says whether it is done with a try.
    fn is_past(self, number: u32) -> bool {
        self.is_finished() || self.try_number > number || self.state == Some(TaskState::UpForRetry)
    }
}

impl Home {
    /// Writes the log of one try; says whether there is one. `is_open`: more may come, so goes on until the try has
    /// ended.
    pub(crate) async fn write_log(
        &self,
        place: &TaskPlace,
        number: u32,
        is_open: bool,
        write: impl Fn(&[u8]) -> io::Result<()>,
    ) -> anyhow::Result<bool> {
        match self {
            Self::Local(parts) => {
                let id = LogId {
                    dag_id: place.dag_id.as_str().into(),
                    run_id: place.run_id.as_str().into(),
                    task_id: place.task_id.as_str().into(),
                    map_index: place.map_index,
                };
                if !is_open && !parts.logs.list_attempts(&id)?.iter().any(|file| file.try_number == number) {
                    return write_remote(parts, &id, number, write).await;
                }
                let path = parts.logs.path(&id, number);
                let failure = Mutex::new(None);
                let mut lines = Follow::new(path, 0, || async {
                    if !is_open {
                        return true;
                    }
                    match standing(parts, place).await {
                        Ok(now) => now.is_none_or(|now| now.is_past(number)),
                        Err(error) => {
                            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                            true
                        }
                    }
                });
                while let Some(piece) = lines.next().await? {
                    write(&piece)?;
                }
                drop(lines);
                match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
                    Some(error) => Err(error.context("cannot see whether the task goes on")),
                    None => Ok(true),
                }
            }
            Self::Remote(client) if is_open => self.follow(client, place, number, write).await.map(|()| true),
            Self::Remote(client) => {
                let pieces = client.stream(&path(place, &number.to_string()), &query(place, None), TEXT).await;
                let Some(mut pieces) = if_there(pieces)? else { return Ok(false) };
                let is_empty = pieces.header(SIZE) == Some("0");
                while let Some(piece) = pieces.next().await? {
                    if is_empty && !piece.is_empty() {
                        // These are words about why there is no log.
                        return Ok(false);
                    }
                    write(&piece)?;
                }
                Ok(true)
            }
        }
    }

    /// Writes a log as it comes. A server that ends, or a connection that breaks, is asked again from where it stopped.
    async fn follow(
        &self,
        client: &Client,
        place: &TaskPlace,
        number: u32,
        write: impl Fn(&[u8]) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let number_text = number.to_string();
        let (mut offset, mut was_past, mut failures) = (0_u64, false, 0);
        loop {
            let mut pieces = match client.stream(&path(place, &number_text), &query(place, Some(offset)), TEXT).await {
                Ok(pieces) => pieces,
                // There is no log before there is a try.
                Err(_) if failures < FAILURES_MAX && !was_past => {
                    failures += 1;
                    was_past = self.standing(place).await?.is_none_or(|now| now.is_past(number));
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            loop {
                match pieces.next().await {
                    Ok(Some(piece)) => {
                        write(&piece)?;
                        offset += piece.len() as u64;
                        failures = 0;
                    }
                    Ok(None) => break,
                    Err(error) if failures >= FAILURES_MAX => return Err(error),
                    Err(_) => {
                        failures += 1;
                        break;
                    }
                }
            }
            if was_past {
                return Ok(());
            }
            // What came between the end of the answer and this look is asked for once more.
            was_past = self.standing(place).await?.is_none_or(|now| now.is_past(number));
            if !was_past {
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// Says where a task instance stands; `None` when it is gone.
    pub(crate) async fn standing(&self, place: &TaskPlace) -> anyhow::Result<Option<Standing>> {
        match self {
            Self::Local(parts) => standing(parts, place).await,
            Self::Remote(client) => {
                let index = place.map_index.to_string();
                let TaskPlace { dag_id, run_id, task_id, .. } = place;
                let whole = ["api", "v2", "dags", dag_id, "dagRuns", run_id, "taskInstances", task_id, &index];
                let path = if place.map_index < 0 { &whole[..8] } else { &whole[..] };
                client.find(path).await
            }
        }
    }
}

/// Writes a log that is no longer on this host; says whether there is one.
async fn write_remote(
    parts: &Parts,
    id: &LogId,
    number: u32,
    write: impl Fn(&[u8]) -> io::Result<()>,
) -> anyhow::Result<bool> {
    let logs = parts.task_logs();
    let LogId { dag_id, run_id, task_id, map_index } = id.clone();
    let Some(row) = parts.store.run(dag_id.as_str(), run_id.as_str()).await? else { return Ok(false) };
    let tries = parts.store.tries(row.run.key, task_id.as_str(), map_index).await?;
    let worker = tries.into_iter().find(|tried| tried.try_number == number).and_then(|tried| tried.worker);
    let name = flow_server::LogName { dag_id, run_id, task_id, map_index, try_number: number, worker };
    let mut at = 0;
    while let Some(part) = flow_server::Logs::read(&logs, &name, at, MAX_CHUNK).await? {
        if part.bytes.is_empty() {
            return Ok(true);
        }
        write(&part.bytes)?;
        at = part.offset + part.bytes.len() as u64;
    }
    Ok(false)
}

async fn standing(parts: &Parts, place: &TaskPlace) -> anyhow::Result<Option<Standing>> {
    let Some(row) = parts.store.run(&place.dag_id, &place.run_id).await? else { return Ok(None) };
    let tasks = parts.store.tasks(row.run.key).await?;
    let found = tasks.into_iter().find(|task| task.task_id == place.task_id && task.map_index == place.map_index);
    Ok(found.map(|task| Standing { state: Some(task.state), try_number: task.try_number }))
}

fn path<'a>(place: &'a TaskPlace, number: &'a str) -> [&'a str; 10] {
    let TaskPlace { dag_id, run_id, task_id, .. } = place;
    ["api", "v2", "dags", dag_id, "dagRuns", run_id, "taskInstances", task_id, "logs", number]
}

/// `offset`: go on from there, and until the try has ended.
fn query(place: &TaskPlace, offset: Option<u64>) -> Vec<(&'static str, std::borrow::Cow<'static, str>)> {
    let mut query = vec![("map_index", place.map_index.to_string().into())];
    if let Some(offset) = offset {
        query.extend([("follow", "true".into()), ("offset", offset.to_string().into())]);
    }
    query
}

/// Bytes as they were written.
const TEXT: &str = "text/plain";
/// The header that says how long a log is.
const SIZE: &str = "flow-log-size";
/// Failures in a row after which a log is followed no more.
const FAILURES_MAX: u32 = 5;
/// Before a server is asked again.
const AGAIN: Duration = Duration::from_millis(250);
