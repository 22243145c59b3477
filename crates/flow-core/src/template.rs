//! Fills in a task's arguments for one attempt.
//!
//! Jinja templates in the manner of Airflow, rendered with strict undefined values and bounded work. This
//! file is the surface; [`program`] compiles and runs, [`scope`] says what a template sees, [`moment`] is how
//! times behave. Nothing here knows operators, or where answers to [`Facts`] come from.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::{
    dag::{Arg, Callback, Dag},
    id::{TaskId, TaskIx},
    run::DagRun,
    state::TaskState,
    time::Timestamp,
};

mod args;
mod complaint;
mod constants;
mod filters;
mod json;
mod limits;
mod macros;
mod moment;
mod operators;
mod program;
mod python;
mod records;
mod scope;
mod span;
mod strftime;
#[cfg(test)]
mod tests;

/// How long a rendered template may be.
pub const OUTPUT_BYTES_MAX: usize = 4 << 20;

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
    /// What `ti.state` says.
    pub state: TaskState,
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
    if is_plain(source) {
        return Ok(());
    }
    program::compile(source, false).map(|_| ())
}

/// Checks an expression (`if`), which may be written bare or inside `{{ }}`.
///
/// # Errors
///
/// The first mistake.
pub fn check_expression(source: &str) -> Result<(), TemplateError> {
    let (bare, offset) = bare_expression(source);
    program::compile_expression(bare).map(|_| ()).map_err(|error| moved(error, source, offset))
}

/// An expression over names of its own, such as `response.status_code == 200`: compiled once, evaluated often.
pub struct Expression<'s> {
    program: program::Program<'s>,
    source: &'s str,
    offset: usize,
}

impl<'s> Expression<'s> {
    /// Compiles an expression, which may be written bare or inside `{{ }}`.
    ///
    /// # Errors
    ///
    /// The first mistake, with its line.
    pub fn new(source: &'s str) -> Result<Self, TemplateError> {
        let (bare, offset) = bare_expression(source);
        let program = program::compile_expression(bare).map_err(|error| moved(error, source, offset))?;
        Ok(Self { program, source, offset })
    }

    /// Evaluates it over these names; it sees nothing else. Times become ISO 8601.
    ///
    /// # Errors
    ///
    /// What is wrong, with its line; an undefined name among it.
    pub fn evaluate(&self, names: &Map<String, Json>) -> Result<Json, TemplateError> {
        let root = json::object(names);
        self.program.json(&root).map_err(|error| moved(error, self.source, self.offset))
    }

    /// Evaluates it over these names, to a truth value as Python sees it.
    ///
    /// # Errors
    ///
    /// As [`Expression::evaluate`].
    pub fn holds(&self, names: &Map<String, Json>) -> Result<bool, TemplateError> {
        let root = json::object(names);
        let value = self.program.value(&root).map_err(|error| moved(error, self.source, self.offset))?;
        Ok(value.is_true())
    }
}

/// Fills in the arguments of the context's task: templates rendered, references looked up.
///
/// # Errors
///
/// The first template that fails, with its argument and line.
pub fn render(cx: &Context) -> Result<Map<String, Json>, TemplateError> {
    let root = scope::Root::value(cx, Map::new());
    let arguments = cx.dag.task(cx.task).with.iter();
    arguments.map(|(name, arg)| Ok((name.clone(), fill(cx, &root, arg, name)?))).collect()
}

/// Fills in the arguments of a callback, whose templates know more names, such as `exception`.
///
/// # Errors
///
/// The first template that fails, with its argument and line.
pub fn render_callback(
    cx: &Context,
    callback: &Callback,
    extra: Map<String, Json>,
) -> Result<Map<String, Json>, TemplateError> {
    let root = scope::Root::value(cx, extra);
    callback.with.iter().map(|(name, arg)| Ok((name.clone(), fill(cx, &root, arg, name)?))).collect()
}

/// Fills in those arguments that hold a template or a reference: what is worth showing beside a task.
///
/// # Errors
///
/// The first template that fails, with its argument and line.
pub fn rendered_fields(cx: &Context) -> Result<Map<String, Json>, TemplateError> {
    let root = scope::Root::value(cx, Map::new());
    let arguments = cx.dag.task(cx.task).with.iter().filter(|(_, arg)| !matches!(arg, Arg::Value(_)));
    arguments.map(|(name, arg)| Ok((name.clone(), fill(cx, &root, arg, name)?))).collect()
}

/// Renders one template to text.
///
/// # Errors
///
/// What is wrong, with its line.
pub fn render_text(source: &str, cx: &Context) -> Result<String, TemplateError> {
    render_text_with(source, cx, Map::new())
}

/// Renders one template to text with more names than a task has, such as `exception` in a callback.
///
/// # Errors
///
/// What is wrong, with its line.
pub fn render_text_with(source: &str, cx: &Context, extra: Map<String, Json>) -> Result<String, TemplateError> {
    if is_plain(source) {
        return Ok(without_last_newline(source).to_owned());
    }
    program::compile(source, false)?.text(&scope::Root::value(cx, extra))
}

/// Evaluates the context's task's `if`; a task without one goes ahead.
///
/// # Errors
///
/// When the expression fails.
pub fn goes_ahead(cx: &Context) -> Result<bool, TemplateError> {
    let Some(source) = &cx.dag.task(cx.task).condition else { return Ok(true) };
    let (bare, offset) = bare_expression(source);
    let root = scope::Root::value(cx, Map::new());
    let value = program::compile_expression(bare).and_then(|program| program.value(&root));
    value
        .map(|value| value.is_true())
        .map_err(|error| TemplateError { argument: Some("if".to_owned()), ..moved(error, source, offset) })
}

/// Returns `params` as the task sees them: DAG's, then task's, then the run's `conf`.
///
/// As in Airflow, every key of `conf` is a param, also one that the DAG does not name.
pub fn params(dag: &Dag, task: TaskIx, conf: &Json) -> Map<String, Json> {
    let declared = dag.params.iter().chain(&dag.task(task).params);
    let mut params: Map<String, Json> = declared.map(|(name, param)| (name.clone(), param.value())).collect();
    if let Json::Object(conf) = conf {
        params.extend(conf.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    params
}

/// Fills in one argument; `path` names it in errors.
fn fill(cx: &Context, root: &minijinja::Value, arg: &Arg, path: &str) -> Result<Json, TemplateError> {
    match arg {
        Arg::Value(value) => Ok(value.clone()),
        Arg::List(items) => {
            let items = items.iter().enumerate();
            items.map(|(index, item)| fill(cx, root, item, &format!("{path}[{index}]"))).collect()
        }
        Arg::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| {
                let path = format!("{path}.{key}");
                Ok((key.clone(), fill(cx, root, value, &path)?))
            });
            pairs.collect::<Result<Map<_, _>, _>>().map(Json::Object)
        }
        Arg::Template { source } => {
            fill_template(cx, root, source).map_err(|error| TemplateError { argument: Some(path.to_owned()), ..error })
        }
        Arg::XCom { task, key } => {
            let name = key.as_deref().unwrap_or("return_value");
            let (message, help) = match (cx.facts.xcom(task, name, None), key) {
                (Ok(Some(value)), _) => return Ok(value),
                (Ok(None), None) => return Ok(Json::Null),
                (Ok(None), Some(key)) => (
                    format!("task `{task}` pushed nothing under the key `{key}`"),
                    Some("without `key`, `$x` is the task's result, and null when there is none".to_owned()),
                ),
                (Err(reason), _) => (reason, None),
            };
            Err(TemplateError { message, line: 1, range: None, argument: Some(path.to_owned()), help })
        }
    }
}

fn fill_template(cx: &Context, root: &minijinja::Value, source: &str) -> Result<Json, TemplateError> {
    if is_plain(source) {
        return Ok(Json::from(without_last_newline(source)));
    }
    let program = program::compile(source, cx.dag.render_template_as_native_obj)?;
    if program.is_expression { program.json(root) } else { program.text(root).map(Json::from) }
}

/// Says whether a text has nothing to render.
fn is_plain(source: &str) -> bool {
    !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark))
}

/// Drops one newline at the end, as Jinja does.
fn without_last_newline(source: &str) -> &str {
    let source = source.strip_suffix('\n').unwrap_or(source);
    source.strip_suffix('\r').unwrap_or(source)
}

/// Takes an expression out of its braces; also returns where it starts.
fn bare_expression(source: &str) -> (&str, usize) {
    let inner = source
        .trim()
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .filter(|inner| !inner.contains("}}") || !inner.contains("{{"));
    let Some(inner) = inner else { return (source, 0) };
    let offset = source.find("{{").map_or(0, |at| at + 2);
    match inner.strip_prefix(['-', '+']) {
        Some(rest) => (rest.strip_suffix('-').unwrap_or(rest), offset + 1),
        None => (inner, offset),
    }
}

/// Moves an error's place from the bare expression to the text around it.
fn moved(error: TemplateError, source: &str, offset: usize) -> TemplateError {
    let lines = source.get(..offset).map_or(0, |before| before.matches('\n').count());
    let range = error.range.map(|range| range.start + offset..range.end + offset);
    TemplateError { line: error.line + lines, range, ..error }
}
