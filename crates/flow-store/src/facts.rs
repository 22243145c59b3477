//! Everything that is known about runs, as the engine wants to see it.

use std::{collections::HashMap, sync::Arc};

use flow_core::{Attempt, RunKey, TaskId, TaskInstance, TaskState, engine::RunView, run::Previous};

use crate::{
    AttemptKey, CachedDag, DagCache, RunRow, StoreError, Tx,
    task_instances::{place_of, unpack},
};

/// One run with everything that a decision needs.
#[derive(Clone, Debug)]
pub struct RunFacts {
    pub row: RunRow,
    pub dag: Arc<CachedDag>,
    tasks: Vec<TaskInstance>,
    gone: Vec<TaskId>,
    attempts: Vec<Option<Attempt>>,
    previous: Option<Previous>,
    max_infrastructure_retries: u32,
}

impl RunFacts {
    /// Returns the engine's view of the run.
    pub fn view(&self) -> RunView<'_> {
        RunView {
            dag: &self.dag.dag,
            run: &self.row.run,
            tasks: &self.tasks,
            gone: &self.gone,
            attempts: &self.attempts,
            previous: self.previous.as_ref(),
            max_infrastructure_retries: self.max_infrastructure_retries,
        }
    }
}

impl Tx {
    /// Reads what is known about runs. A run whose version cannot be read any more is left out and told to `broken`.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn facts(
        &mut self,
        rows: Vec<RunRow>,
        dags: &DagCache,
        max_infrastructure_retries: u32,
        broken: impl FnMut(&RunRow, StoreError),
    ) -> Result<Vec<RunFacts>, StoreError> {
        let (facts, strays) = self.look_at(rows, dags, max_infrastructure_retries, broken).await?;
        self.settle(&strays.iter().collect::<Vec<_>>()).await?;
        Ok(facts)
    }

    /// The same, without writing anything: also returns the attempts that nothing waits for any more.
    pub(crate) async fn look_at(
        &mut self,
        rows: Vec<RunRow>,
        dags: &DagCache,
        max_infrastructure_retries: u32,
        mut broken: impl FnMut(&RunRow, StoreError),
    ) -> Result<(Vec<RunFacts>, Vec<AttemptKey>), StoreError> {
        let keys: Vec<RunKey> = rows.iter().map(|row| row.run.key).collect();
        let mut tasks: HashMap<i64, String> = self.packed_tasks(&keys).await?.into_iter().collect();
        let mut attempts: HashMap<RunKey, Vec<(AttemptKey, Attempt)>> = HashMap::new();
        for (key, attempt) in self.unsettled_attempts(&keys).await? {
            attempts.entry(key.run).or_default().push((key, attempt));
        }
        let mut facts = Vec::with_capacity(rows.len());
        let mut strays = Vec::new();
        for row in rows {
            let dag = match dags.get(self, row.version_id).await {
                Ok(dag) => dag,
                Err(error @ (StoreError::Inconsistent { .. } | StoreError::NotFound { .. })) => {
                    broken(&row, error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let previous = if dag.looks_back { self.previous(&row).await? } else { None };
            let (instances, gone) = match tasks.remove(&row.run.key.0) {
                Some(text) => unpack(row.run.key, &text, &dag)?,
                None => (Vec::new(), Vec::new()),
            };
            let mut beside: Vec<Option<Attempt>> = vec![None; instances.len()];
            for (key, attempt) in attempts.remove(&row.run.key).unwrap_or_default() {
                let at = place_of(&key.task_id, &dag, &gone).and_then(|ix| {
                    instances.binary_search_by_key(&(ix, key.map_index), |ti| (ti.task, ti.map_index)).ok()
                });
                match at {
                    // The two were read one after the other. Slots are handed out by whoever holds the pools, not the
                    // DAG: a task instance that waited for them has got them in between.
                    Some(at)
                        if instances[at].state == TaskState::Scheduled
                            && attempt.try_number == instances[at].try_number =>
                    {
                        return Err(StoreError::Conflict(format!(
                            "`{}` of {} got its slots while it was looked at",
                            key.task_id, key.run
                        )));
                    }
                    // Sorted by try: a later one takes the place of one that was superseded.
                    Some(at) => {
                        if let Some(old) = beside[at].replace(attempt)
                            && old.ended_at.is_some()
                        {
                            strays.push(AttemptKey { try_number: old.try_number, ..key });
                        }
                    }
                    None if attempt.ended_at.is_some() => strays.push(key),
                    None => {}
                }
            }
            facts.push(RunFacts {
                row,
                dag,
                tasks: instances,
                gone,
                attempts: beside,
                previous,
                max_infrastructure_retries,
            });
        }
        Ok((facts, strays))
    }

    async fn previous(&mut self, row: &RunRow) -> Result<Option<Previous>, StoreError> {
        let Some(date) = row.run.logical_date else { return Ok(None) };
        let Some(previous) = self.previous_run(row.run.dag_id.as_str(), date).await? else { return Ok(None) };
        let tasks = self.task_rows(&[previous.run.key]).await?;
        Ok(Some(Previous {
            state: previous.run.state,
            tasks: tasks.into_iter().map(|task| (task.task_id.into(), task.state)).collect(),
        }))
    }
}
