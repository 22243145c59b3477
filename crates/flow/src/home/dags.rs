//! DAGs: the list, one of them, its text, pausing and deleting.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use flow_core::{Dag, DagId, RunId, RunState, Timestamp};
use flow_server::{Logs as _, LogsOf};
use flow_store::{DagRow, Signal, VersionRow};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Home, if_there};
use crate::{client::Declined, context::Cx, output::Refusal};

/// Runs of a DAG that go in one transaction when it is deleted.
const BATCH: u32 = 200;

/// A DAG, for programs: Airflow's names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DagView {
    pub(crate) dag_id: String,
    pub(crate) dag_display_name: String,
    pub(crate) is_paused: bool,
    /// Its file is gone.
    pub(crate) is_stale: bool,
    pub(crate) description: Option<String>,
    pub(crate) relative_fileloc: String,
    pub(crate) timetable_description: String,
    pub(crate) tags: Vec<TagView>,
    pub(crate) owners: Vec<String>,
    pub(crate) max_active_runs: u32,
    pub(crate) has_import_errors: bool,
    pub(crate) last_parsed_time: Timestamp,
    pub(crate) next_dagrun_logical_date: Option<Timestamp>,
    pub(crate) next_dagrun_data_interval_start: Option<Timestamp>,
    pub(crate) next_dagrun_data_interval_end: Option<Timestamp>,
    pub(crate) next_dagrun_run_after: Option<Timestamp>,
    /// Not asked for when only one DAG is.
    #[serde(default)]
    pub(crate) last_run_state: Option<RunState>,
}

/// A tag of a DAG.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TagView {
    pub(crate) name: String,
    dag_id: String,
}

/// Runs that are due as soon as a DAG is unpaused.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Backlog {
    /// The DAG makes up for the past.
    pub(crate) has_catchup: bool,
    /// How many, counted up to [`flow_store::BACKLOG_MAX`] and one.
    pub(crate) due: usize,
    /// The ids of the first four.
    pub(crate) first: Vec<RunId>,
    /// The id of the last, when all were counted.
    pub(crate) last: Option<RunId>,
}

impl DagView {
    fn of(row: &DagRow, broken: &BTreeSet<String>) -> Self {
        Self {
            dag_id: row.dag_id.clone(),
            dag_display_name: row.display_name.clone().unwrap_or_else(|| row.dag_id.clone()),
            is_paused: row.is_paused,
            is_stale: row.is_stale,
            description: row.description.clone(),
            relative_fileloc: row.file.clone(),
            timetable_description: row.schedule.clone(),
            tags: row.tags.iter().map(|tag| TagView { name: tag.clone(), dag_id: row.dag_id.clone() }).collect(),
            owners: row.owners.split(", ").filter(|owner| !owner.is_empty()).map(str::to_owned).collect(),
            max_active_runs: row.max_active_runs,
            has_import_errors: broken.contains(&row.file),
            last_parsed_time: row.parsed_at,
            next_dagrun_logical_date: row.next_logical_date,
            next_dagrun_data_interval_start: row.next_interval_start,
            next_dagrun_data_interval_end: row.next_interval_end,
            next_dagrun_run_after: row.next_run_after,
            last_run_state: None,
        }
        .planned()
    }

    /// Forgets the next run of a DAG that makes none.
    fn planned(mut self) -> Self {
        if self.is_paused || self.is_stale {
            self.next_dagrun_logical_date = None;
            self.next_dagrun_data_interval_start = None;
            self.next_dagrun_data_interval_end = None;
            self.next_dagrun_run_after = None;
        }
        self
    }
}

/// A version of a DAG as a server gives it.
#[derive(Deserialize)]
struct Document {
    version_number: i64,
    file: String,
    document: usize,
    text: String,
    files: BTreeMap<String, DocumentFile>,
}

#[derive(Deserialize)]
struct DocumentFile {
    text: Option<String>,
    problem: Option<String>,
}

impl Document {
    fn row(self, dag_id: &str) -> VersionRow {
        let read = |file: DocumentFile| file.text.ok_or_else(|| file.problem.unwrap_or_default());
        VersionRow {
            id: 0,
            dag_id: dag_id.to_owned(),
            number: self.version_number,
            hash: String::new(),
            file: self.file,
            document: self.document,
            text: self.text,
            files: self.files.into_iter().map(|(name, file)| (name, read(file))).collect(),
            created_at: Timestamp::from_micros(0),
        }
    }
}

impl Home {
    /// All DAGs, by id.
    pub(crate) async fn dags(&self) -> anyhow::Result<Vec<DagView>> {
        let (mut dags, last) = match self {
            Self::Local(parts) => {
                let broken = broken(parts).await?;
                let rows = parts.store.dags().await?;
                let views: Vec<DagView> = rows.iter().map(|row| DagView::of(row, &broken)).collect();
                (views, parts.store.latest_run_states().await?)
            }
            Self::Remote(client) => {
                let query = [("exclude_stale", "false".into()), ("order_by", "dag_id".into())];
                let views: Vec<DagView> = client.list(&["api", "v2", "dags"], &query, "dags", u32::MAX).await?;
                let last: BTreeMap<String, RunState> = client.get(&["ui", "dags", "lastRunStates"], &[]).await?;
                (views.into_iter().map(DagView::planned).collect(), last)
            }
        };
        for dag in &mut dags {
            dag.last_run_state = last.get(&dag.dag_id).copied();
        }
        Ok(dags)
    }

    /// One DAG.
    pub(crate) async fn dag(&self, dag_id: &str) -> anyhow::Result<Option<DagView>> {
        match self {
            Self::Local(parts) => match parts.store.dag(dag_id).await? {
                Some(row) => Ok(Some(DagView::of(&row, &broken(parts).await?))),
                None => Ok(None),
            },
            Self::Remote(client) => {
                let found: Option<DagView> = client.find(&["api", "v2", "dags", dag_id]).await?;
                Ok(found.map(DagView::planned))
            }
        }
    }

    /// Says how many files have errors.
    pub(crate) async fn broken_files(&self) -> anyhow::Result<usize> {
        match self {
            Self::Local(parts) => Ok(broken(parts).await?.len()),
            Self::Remote(client) => {
                let page: Value = client.get(&["api", "v2", "importErrors"], &[("limit", "1".into())]).await?;
                Ok(page["total_entries"].as_u64().and_then(|total| usize::try_from(total).ok()).unwrap_or_default())
            }
        }
    }

    /// Reads the version that new runs of a DAG get; returns also its number.
    pub(crate) async fn version(&self, cx: &Cx, dag_id: &str) -> anyhow::Result<(Arc<Dag>, i64)> {
        match self {
            Self::Local(parts) => {
                let Some(row) = parts.store.dag(dag_id).await? else { return Err(self.no_such_dag(dag_id).await) };
                let cached = parts.dags.read(&parts.store, row.version_id).await?;
                Ok((cached.dag.clone(), cached.number))
            }
            Self::Remote(client) => {
                let Some(document) = client.find::<Document>(&["ui", "dags", dag_id, "document"]).await? else {
                    return Err(self.no_such_dag(dag_id).await);
                };
                let row = document.row(dag_id);
                let dag = row.parse(&cx.catalog()).map_err(|problem| {
                    Refusal::failed(format!("the server's `{dag_id}` cannot be read here: {problem}"))
                        .help("the server may be newer: use the same version on both sides")
                })?;
                Ok((Arc::new(dag), row.number))
            }
        }
    }

    /// Says which runs are due as soon as a DAG is unpaused.
    pub(crate) async fn backlog(&self, cx: &Cx, dag_id: &str) -> anyhow::Result<Backlog> {
        match self {
            Self::Local(parts) => {
                let Some(row) = parts.store.dag(dag_id).await? else { return Ok(Backlog::default()) };
                let backlog = parts.store.backlog(&parts.dags, &row, cx.now()).await?;
                let flow_store::Backlog { has_catchup, due, first, last } = backlog;
                Ok(Backlog { has_catchup, due, first, last })
            }
            Self::Remote(client) => client.get(&["ui", "dags", dag_id, "backlog"], &[]).await,
        }
    }

    /// Pauses or unpauses a DAG.
    pub(crate) async fn set_paused(&self, cx: &Cx, dag_id: &str, is_paused: bool) -> anyhow::Result<()> {
        match self {
            Self::Local(parts) => {
                let mut tx = parts.store.begin().await?;
                if is_paused {
                    tx.pause_dag(dag_id, "", None, cx.now()).await?;
                } else {
                    tx.unpause_dag(dag_id, None, cx.now()).await?;
                    tx.announce(Signal::Look).await?;
                }
                tx.commit().await?;
            }
            Self::Remote(client) => {
                let query = [("update_mask", "is_paused".into())];
                let body = json!({ "is_paused": is_paused });
                let _: Value = client.send(Method::PATCH, &["api", "v2", "dags", dag_id], &query, &body).await?;
            }
        }
        Ok(())
    }

    /// Forgets a DAG with its runs and logs; `tell` is told how far it is.
    pub(crate) async fn delete_dag(&self, cx: &Cx, dag_id: &str, tell: impl Fn(String)) -> anyhow::Result<()> {
        let parts = match self {
            Self::Local(parts) => parts,
            Self::Remote(client) => {
                let path = ["api", "v2", "dags", dag_id];
                loop {
                    // Somebody else may have been faster.
                    match if_there(client.send::<Value>(Method::DELETE, &path, &[], &Value::Null).await) {
                        // A long history goes in several requests; each does a part.
                        Err(error) if Declined::says_again(&error) => tell(error.to_string()),
                        done => return done.map(|_| ()),
                    }
                }
            }
        };
        let mut runs: u64 = 0;
        loop {
            let mut tx = parts.store.begin().await?;
            let is_gone = tx.delete_dag(dag_id, BATCH, None, cx.now()).await?;
            tx.commit().await?;
            if is_gone {
                break;
            }
            runs += u64::from(BATCH);
            tell(format!("{runs} runs deleted"));
        }
        // Logs of a DAG that is gone are in nobody's way; the folder may be on another host.
        let _ = parts.task_logs().remove(&LogsOf::Dag(DagId::new(dag_id))).await;
        Ok(())
    }

    /// Says whether the file of a DAG is still there, so that it comes back when it is next read.
    pub(crate) fn has_file(&self, cx: &Cx, dag: &DagView) -> bool {
        let is_here = || cx.config.dags.folder.join(Path::new(&dag.relative_fileloc)).exists();
        !dag.is_stale && (matches!(self, Self::Remote(_)) || is_here())
    }
}

/// Returns the files that have errors.
async fn broken(parts: &crate::node::Parts) -> anyhow::Result<BTreeSet<String>> {
    Ok(parts.store.import_errors().await?.into_iter().map(|error| error.path).collect())
}
