//! Bounds the names in labels: whatever people call their DAGs, there are only so many series.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What names are put together under for which there is no room.
pub(crate) const OTHER: &str = "other";

/// Names of a label that has no setting of its own.
const MOST: usize = 200;

/// Labels whose values are Flow's own words.
const FIXED: [&str; 11] =
    ["state", "run_type", "job_name", "part", "result", "place", "version", "method", "route", "status", "label"];

/// The names that were seen and have a series.
#[derive(Debug)]
pub(crate) struct Names {
    dags_max: usize,
    tasks_max: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    dags: HashMap<String, HashSet<String>>,
    tasks: usize,
    others: HashMap<&'static str, HashSet<String>>,
    /// How often there was no room, by label.
    folded: BTreeMap<&'static str, u64>,
}

impl Names {
    pub(crate) fn new(dags_max: usize, tasks_max: usize) -> Self {
        Self { dags_max, tasks_max, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the values, with [`OTHER`] for those that have no room. A task's room is beside its DAG's: `dag_id` comes
    /// before `task_id`.
    pub(crate) fn fold<'a>(&self, labels: impl Iterator<Item = (&'static str, &'a str)>) -> Vec<&'a str> {
        let mut seen = self.seen();
        let mut dag = None;
        labels
            .map(|(label, value)| {
                let has_room = match label {
                    _ if FIXED.contains(&label) => true,
                    "dag_id" => {
                        let has_room = seen.has_dag(value, self.dags_max);
                        dag = has_room.then_some(value);
                        has_room
                    }
                    "task_id" => dag.is_some_and(|dag| seen.has_task(dag, value, self.tasks_max)),
                    _ => seen.has_other(label, value),
                };
                if has_room {
                    value
                } else {
                    *seen.folded.entry(label).or_default() += 1;
                    OTHER
                }
            })
            .collect()
    }

    /// Returns how often there was no room since the last time this was asked, by label.
    pub(crate) fn folded_since(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.seen().folded)
    }
}

impl Seen {
    fn has_dag(&mut self, dag: &str, most: usize) -> bool {
        if !self.dags.contains_key(dag) {
            if self.dags.len() >= most {
                return false;
            }
            self.dags.insert(dag.to_owned(), HashSet::new());
        }
        true
    }

    fn has_task(&mut self, dag: &str, task: &str, most: usize) -> bool {
        let Some(tasks) = self.dags.get_mut(dag) else { return false };
        if !tasks.contains(task) {
            if self.tasks >= most {
                return false;
            }
            self.tasks += 1;
            tasks.insert(task.to_owned());
        }
        true
    }

    fn has_other(&mut self, label: &'static str, value: &str) -> bool {
        let names = self.others.entry(label).or_default();
        if !names.contains(value) {
            if names.len() >= MOST {
                return false;
            }
            names.insert(value.to_owned());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold<'a>(names: &Names, dag: &'a str, task: &'a str) -> Vec<&'a str> {
        names.fold([("dag_id", dag), ("task_id", task)].into_iter())
    }

    #[test]
    fn past_the_limit_the_rest_are_others() {
        let names = Names::new(2, 3);
        assert_eq!(fold(&names, "a", "1"), ["a", "1"]);
        assert_eq!(fold(&names, "a", "2"), ["a", "2"]);
        assert_eq!(fold(&names, "b", "1"), ["b", "1"]);
        assert_eq!(fold(&names, "b", "2"), ["b", OTHER]);
        assert_eq!(fold(&names, "c", "1"), [OTHER, OTHER]);
        // Those that have room keep it.
        assert_eq!(fold(&names, "b", "1"), ["b", "1"]);
        assert_eq!(names.folded_since(), BTreeMap::from([("dag_id", 1), ("task_id", 2)]));
        assert_eq!(names.folded_since(), BTreeMap::new());
    }

    #[test]
    fn any_label_that_people_fill_is_bounded() {
        let names = Names::new(1, 1);
        let pools: Vec<String> = (0..=MOST).map(|at| format!("pool{at}")).collect();
        let folded: HashSet<&str> =
            pools.iter().flat_map(|pool| names.fold([("pool_name", pool.as_str())].into_iter())).collect();
        assert_eq!(folded.len(), MOST + 1);
        assert!(folded.contains(OTHER));
        assert_eq!(names.fold([("state", "success")].into_iter()), ["success"]);
    }
}
