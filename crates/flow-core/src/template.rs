//! Fills in a task's arguments for one attempt.
//!
//! To be written; the signatures stand.

use std::sync::Arc;

use crate::{
    dag::Dag,
    id::{TaskId, TaskIx},
    run::DagRun,
    time::Timestamp,
};

/// What a template may ask for that is not in the DAG or the run. Answers may block.
pub trait Facts: Send + Sync + 'static {
    /// An XCom of this run; `map_index: None` = not mapped, or of every map index as a list.
    ///
    /// # Errors
    ///
    /// A sentence, when the store cannot be asked.
    fn xcom(&self, task: &TaskId, key: &str, map_index: Option<i32>) -> Result<Option<serde_json::Value>, String>;

    /// A variable's text.
    ///
    /// # Errors
    ///
    /// A sentence, when the store cannot be asked.
    fn variable(&self, key: &str) -> Result<Option<String>, String>;

    /// A connection as an object: `conn_id`, `conn_type`, `host`, `port`, `login`, `password`, `schema`, `extra`.
    ///
    /// # Errors
    ///
    /// A sentence, when the store cannot be asked.
    fn connection(&self, id: &str) -> Result<Option<serde_json::Value>, String>;

    /// The latest successful run of this DAG before this one.
    ///
    /// # Errors
    ///
    /// A sentence, when the store cannot be asked.
    fn previous_success(&self) -> Result<Option<DagRun>, String>;
}

/// What a template may see.
#[derive(Clone)]
pub struct Context {
    pub dag: Arc<Dag>,
    pub task: TaskIx,
    pub run: Arc<DagRun>,
    pub map_index: i32,
    pub try_number: u32,
    pub max_tries: u32,
    /// For `macros.datetime.now()` and the like.
    pub now: Timestamp,
    /// For `macros.random()` and `macros.uuid`; drawn by the caller.
    pub seed: u64,
    pub facts: Arc<dyn Facts>,
}

/// A template that cannot be compiled or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// One sentence, lower case, no full stop; names what is undefined.
    pub message: String,
    /// Line in the template's source, from 1.
    pub line: usize,
    /// Byte range in the template's source, if known.
    pub range: Option<std::ops::Range<usize>>,
    /// The argument it stands in (`bash_command`, `env.PATH`), when rendering.
    pub argument: Option<String>,
    /// What a person could do.
    pub help: Option<String>,
}

/// Checks a template's syntax, and that its filters, tests and functions exist.
///
/// # Errors
///
/// The first mistake, with its line.
pub fn check(source: &str) -> Result<(), TemplateError> {
    let _ = source;
    Ok(())
}

/// Checks an expression (`if`), which may be written bare or inside `{{ }}`.
///
/// # Errors
///
/// The first mistake.
pub fn check_expression(source: &str) -> Result<(), TemplateError> {
    let _ = source;
    Ok(())
}

/// Fills in the arguments of the context's task: templates rendered, references looked up.
///
/// # Errors
///
/// The first template that fails, with its argument and line.
pub fn render(cx: &Context) -> Result<serde_json::Map<String, serde_json::Value>, TemplateError> {
    let _ = cx;
    Ok(serde_json::Map::new())
}

/// Evaluates the context's task's `if`; a task without one goes ahead.
///
/// # Errors
///
/// When the expression fails.
pub fn goes_ahead(cx: &Context) -> Result<bool, TemplateError> {
    let _ = cx;
    Ok(true)
}

/// Returns `params` as the task sees them: DAG's, then task's, then the run's `conf`.
pub fn params(dag: &Dag, task: TaskIx, conf: &serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    let _ = (dag, task, conf);
    serde_json::Map::new()
}
