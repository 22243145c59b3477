//! A file's documents: which are DAGs, in which dialect, and what all of them say together.

use std::collections::BTreeMap;

use super::{
    Diagnostic, Dialect, Parsed, ParsedDag, Source, check,
    diagnostic::Complaints,
    fingerprint,
    lower::{self, Cx},
    nearest,
    place::Place,
    yaml::{self, Document, Entry, Node, Value, scalar},
};
use crate::catalog::Catalog;

/// Largest file.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// `$schema` of documents in Airflow's dialect.
pub const AIRFLOW_SCHEMA: &str = "https://airflow.apache.org/schemas/dag/2026-10-30.json";

/// `$schema` of documents in Flow's dialect, for those who want to write one.
pub const FLOW_SCHEMA: &str = "urn:flow:dag:1";

/// A copy of Flow's schema beside the DAG files, for editors, ends like this.
const FLOW_SCHEMA_FILE: &str = "flow-dag.schema.json";

/// Lists the paths that a text's `$f` references name, each once.
pub(super) fn file_references(text: &str) -> Vec<String> {
    if text.len() > MAX_FILE_BYTES {
        return Vec::new();
    }
    let mut complaints = Complaints::new(text);
    let documents = yaml::read(text, &mut complaints);
    let mut paths: Vec<String> = documents.iter().flat_map(|document| lower::files_named(&document.root)).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Reads a file.
pub(super) fn parse(source: &Source<'_>, catalog: &Catalog) -> Parsed {
    if source.text.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes, more than the limit of 1 MiB", source.text.len());
        return Parsed { dags: Vec::new(), diagnostics: vec![Diagnostic::whole_file(message)] };
    }
    let mut complaints = Complaints::new(source.text);
    let mut documents = yaml::read(source.text, &mut complaints);
    // An empty document between two `---` is nothing.
    documents.retain(|document| document.is_broken || !is_empty(&document.root));
    let is_airflow_file = documents.iter().any(|document| names_airflow(&document.root));
    let count = documents.len();
    let (dags, ids) = (Vec::new(), BTreeMap::new());
    let mut file = File { source, catalog, count, is_airflow_file, dags, ids, spent: 0, drawn: 0 };
    for (position, document) in documents.iter_mut().enumerate() {
        file.read(position, document, &mut complaints);
    }
    let mut dags = file.dags;
    if is_airflow_file && complaints.errors() > 0 {
        // To Airflow a file is good or bad as a whole.
        dags.clear();
    }
    Parsed { dags, diagnostics: complaints.finish() }
}

fn is_empty(node: &Node) -> bool {
    node.is_null() || matches!(&node.value, Value::Plain(text) if scalar::core(text) == Value::Null)
}

fn names_airflow(root: &Node) -> bool {
    root.get("$schema").and_then(|entry| entry.value.text()).is_some_and(is_airflow_schema)
}

fn is_airflow_schema(schema: &str) -> bool {
    schema.contains("airflow.apache.org/")
}

/// What reading a file's documents one by one needs and makes.
struct File<'a> {
    source: &'a Source<'a>,
    catalog: &'a Catalog,
    count: usize,
    is_airflow_file: bool,
    dags: Vec<ParsedDag>,
    /// Where each id was first written.
    ids: BTreeMap<String, Place>,
    /// Bytes that the tasks so far hold.
    spent: usize,
    /// Dependencies of the DAGs so far.
    drawn: usize,
}

impl<'a> File<'a> {
    fn read(&mut self, position: usize, document: &mut Document, complaints: &mut Complaints<'_>) {
        let start = lower::start_of(&document.root, document.start);
        let dialect = self.dialect(&document.root, start, complaints);
        document.resolve(if dialect == Some(Dialect::Airflow) { scalar::yaml_1_1 } else { scalar::core });
        let root = &document.root;
        let Value::Map(_) = root.value else {
            if !document.is_broken {
                let message = "this document is not a map, so it is no DAG";
                match self.is_airflow_file {
                    true => complaints.error(start, message),
                    false => complaints.note(start, message),
                }
            }
            return;
        };
        let Some(dialect) = dialect else { return };
        let is_dag = ["dag_id", "tasks", "$schema"].iter().any(|key| root.get(key).is_some());
        if !is_dag && !self.is_airflow_file {
            if !document.is_broken {
                complaints.note(start, "this document has neither `dag_id` nor `tasks`, so it is no DAG");
            }
            return;
        }
        let before = complaints.errors();
        let default_id = (self.count == 1).then_some(self.source.stem);
        let mut cx = Cx::new(self.source, self.catalog, dialect, complaints, self.spent);
        // What the syntax hides would look like missing keys.
        if document.is_broken && is_cut_short(root) {
            return;
        }
        let draft = lower::document(&mut cx, root, default_id);
        self.spent = cx.spent;
        let Some(draft) = draft else { return };
        let id_place = draft.id_place;
        let Some(dag) = check::finish(draft, before, &mut self.drawn, complaints) else { return };
        if let Some(first) = self.ids.get(dag.id.as_str()) {
            let (line, _) = complaints.lines.position(first.start);
            let help = Some(format!("the first is on line {line}"));
            complaints.error_with(id_place, format!("there are two DAGs `{}` in this file", dag.id), help);
            return;
        }
        self.ids.insert(dag.id.as_str().to_owned(), id_place);
        if document.is_broken || complaints.errors() > before {
            return;
        }
        let hash = fingerprint::of(&dag);
        let (line, _) = complaints.lines.position(start.start);
        self.dags.push(ParsedDag { dag, hash, document: position, line });
    }

    /// Chooses the dialect; `None` when `$schema` is none of the known ones.
    fn dialect(&self, root: &Node, start: Place, complaints: &mut Complaints<'_>) -> Option<Dialect> {
        let Some(entry) = root.get("$schema") else {
            if self.is_airflow_file {
                let help = format!("write `$schema: {AIRFLOW_SCHEMA}`, as another document of this file does");
                complaints.error_with(start, "the document has no `$schema`", Some(help));
                return Some(Dialect::Airflow);
            }
            return Some(Dialect::Flow);
        };
        let schema = entry.value.text().unwrap_or_default();
        if schema == AIRFLOW_SCHEMA {
            return Some(Dialect::Airflow);
        }
        let is_flow = schema == FLOW_SCHEMA || schema.rsplit('/').next() == Some(FLOW_SCHEMA_FILE);
        if is_flow && !self.is_airflow_file {
            return Some(Dialect::Flow);
        }
        self.unknown_schema(entry, schema, complaints);
        None
    }

    fn unknown_schema(&self, entry: &Entry, schema: &str, complaints: &mut Complaints<'_>) {
        let known = [AIRFLOW_SCHEMA, FLOW_SCHEMA];
        let message = match is_airflow_schema(schema) {
            true => format!("unknown version of Airflow's format: `{schema}`"),
            false => format!("unknown `$schema`: `{schema}`"),
        };
        let help = format!("known are {}; without `$schema` it is Flow's", nearest::some_of(known, 4));
        complaints.error_with(entry.place(), message, Some(help));
    }
}

/// Says whether a document with a syntax error ends before its tasks do.
fn is_cut_short(root: &Node) -> bool {
    root.get("dag_id").is_none() || root.get("tasks").is_none()
}
