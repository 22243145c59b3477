//! Tree → draft of a DAG, with every complaint on the way.
//!
//! Reads what each key means, in both dialects, task by task. What needs more than one task (unknown upstream,
//! cycles, groups) is in [`super::check`]. One file a noun: `dag`, `task`, `merge` (default_args, templates),
//! `operator` (uses), `with` (values and markers), `callbacks`, `params`, `groups`, `schedule`; `read` has the typed readers,
//! `keys` the tables of names.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    catalog::Catalog,
    dag::{
        Dag, Dialect, Source, Task, WeightRule,
        diagnostic::Complaints,
        nearest,
        place::Place,
        yaml::{Entry, Node},
    },
    id::TaskId,
};

mod callbacks;
mod dag;
mod groups;
pub(crate) mod keys;
mod merge;
mod operator;
mod params;
mod read;
mod schedule;
mod task;
mod with;

pub(crate) use dag::{document, start_of};
pub(crate) use with::files_named;

/// Most bytes of what the tasks of a file hold. What comes from a template, `default_args` or a `$f` counts in each
/// task anew: a small file can ask for much.
const MAX_TASK_BYTES: usize = 32 << 20;

/// A DAG whose tasks do not know each other yet.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Without tasks and groups.
    pub(crate) dag: Dag,
    pub(crate) id_place: Place,
    pub(crate) tasks: Vec<DraftTask>,
    pub(crate) groups: Vec<DraftGroup>,
}

/// A name that was written somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) place: Place,
}

/// A task with its dependencies as they are written.
#[derive(Debug)]
pub(crate) struct DraftTask {
    /// Without `upstream`, `downstream`, `group` and the final `priority_weight`.
    pub(crate) task: Task,
    pub(crate) id_place: Place,
    pub(crate) needs: Vec<Named>,
    /// Tasks named by `$x`.
    pub(crate) references: Vec<(TaskId, Place)>,
    pub(crate) group: Option<Named>,
    pub(crate) own_weight: i64,
    pub(crate) weight_rule: WeightRule,
    /// Where `trigger_rule` stands.
    pub(crate) rule_place: Option<Place>,
    /// Where `end_date` stands.
    pub(crate) end_place: Option<Place>,
    /// Task ids that a branch names literally.
    pub(crate) targets: Vec<Named>,
    /// What `email` asks for, if it is there.
    pub(crate) mails: Option<callbacks::Mails>,
}

/// A group as it is written.
#[derive(Debug)]
pub(crate) struct DraftGroup {
    pub(crate) id: Named,
    pub(crate) parent: Option<Named>,
    pub(crate) needs: Vec<Named>,
    pub(crate) tooltip: String,
    pub(crate) display_name: Option<String>,
}

/// What lowering a document needs at hand.
pub(crate) struct Cx<'a, 'c, 't> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) complaints: &'c mut Complaints<'t>,
    pub(crate) dialect: Dialect,
    /// The DAG's time zone.
    pub(crate) zone: String,
    /// What is known of the operators used so far.
    pub(crate) operators: BTreeMap<&'static str, Arc<operator::Facts>>,
    /// Bytes that the tasks of the file hold so far.
    pub(crate) spent: usize,
}

impl<'a, 'c, 't> Cx<'a, 'c, 't> {
    pub(crate) fn new(
        source: &'a Source<'a>,
        catalog: &'a Catalog,
        dialect: Dialect,
        complaints: &'c mut Complaints<'t>,
        spent: usize,
    ) -> Self {
        Self { source, catalog, complaints, dialect, zone: "UTC".to_owned(), operators: BTreeMap::new(), spent }
    }

    fn is_airflow(&self) -> bool {
        self.dialect == Dialect::Airflow
    }

    /// Counts what a task is about to hold; `false`: it is too much. Complains once.
    fn spend(&mut self, bytes: usize, place: Place) -> bool {
        let was_spent = self.is_spent();
        self.spent = self.spent.saturating_add(bytes);
        if self.is_spent() && !was_spent {
            let message = format!("the tasks of this file hold more than {} MiB", MAX_TASK_BYTES >> 20);
            let help = "what `extends`, `default_args` and `$f` bring counts in each task; \
                        let the tasks read long texts from a file when they run";
            self.error_with(place, message, help.to_owned());
        }
        !self.is_spent()
    }

    /// Says whether reading on makes no sense: see [`Cx::spend`].
    fn is_spent(&self) -> bool {
        self.spent > MAX_TASK_BYTES
    }

    fn error(&mut self, place: Place, message: impl Into<String>) {
        self.complaints.error(place, message);
    }

    fn error_with(&mut self, place: Place, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.complaints.error_with(place, message, help.into());
    }

    /// Says "did you mean", while there are few enough complaints for anyone to read.
    fn did_you_mean<'k>(&self, written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
        if self.complaints.wants_help() { nearest::did_you_mean(written, known) } else { None }
    }

    /// "did you mean", or else the list of what there is.
    fn meant_or_known(&self, written: &str, known: &[&str], most: usize) -> Option<String> {
        if self.complaints.wants_help() { nearest::meant_or_known(written, known, most) } else { None }
    }

    /// Complains about a key that there is not, or not in this dialect, or not yet.
    fn unknown_key(&mut self, entry: &Entry, known: &[&str], what: &str) {
        let key = entry.key.as_str();
        let help = self.meant_or_known(key, known, 8);
        self.error_with(entry.key_place, format!("unknown key `{key}` {what}"), help);
    }

    /// Complains about the markers of values where they mean nothing; says whether there were any.
    fn refuse_markers(&mut self, node: &Node) -> bool {
        let found = with::marker_entries(node);
        for entry in &found {
            let message = format!("`{}` may only stand inside `with`", entry.key);
            self.complaints.error(entry.key_place, message);
        }
        !found.is_empty()
    }
}
