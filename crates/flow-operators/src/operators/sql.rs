//! Runs SQL statements.

use std::time::Instant;

use anyhow::anyhow;
use flow_clients::{
    ClientError, Kind,
    sql::{Cell, DatabaseKind, Parameters, Rows, Session, TableWriter, export::format_of, split, text::first_word},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    part_file::PartFile,
    sql::{close, open, or_cancelled, parameters, say_statement},
    values::{Flag, OneOrMany},
    xcom,
};

/// Statements that a transaction of its own is made for, when there is only one.
const CHANGES: [&str; 7] = ["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "WITH", "SELECT"];

/// Statements with which people make transactions themselves.
const OWN_TRANSACTION: [&str; 7] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "ABORT"];

/// Bytes of a file that are written at a time.
const BLOCK: usize = 64 << 10;

/// `uses: sql`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// A statement, several with `;` between them, or a list. All are one transaction, unless `autocommit` is true.
    sql: OneOrMany,
    /// Values for the statements' placeholders: a list for `%s`, `?` or `$1`, a map for `%(name)s` or `:name`. They go
    /// beside the statement, never into it. Without it `%` is itself; with it, `%%` is.
    #[serde(default)]
    parameters: Option<Value>,
    /// Let each statement be kept by itself, even when a later one fails. Some, such as `VACUUM`, need it.
    #[serde(default)]
    autocommit: Flag,
    /// False: send each text as it is; it must then be one statement. By default a text is cut at its semicolons.
    #[serde(default)]
    split_statements: Option<Flag>,
    /// Return the rows of the last statement only. A list in `sql` returns those of all.
    #[serde(default = "yes")]
    return_last: Flag,
    /// Write the rows of the last statement to this file instead, by its ending: `.csv`, `.tsv` or `.jsonl`, with `.gz`
    /// behind it too. The result is then the file's path, and the XCom `rows` how many there are.
    #[serde(default)]
    output_file: Option<String>,
    /// Write the result into the log, too.
    #[serde(default)]
    show_return_value_in_logs: Flag,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
}

pub(super) fn yes() -> Flag {
    Flag(true)
}

impl Operator for Sql {
    const NAME: &'static str = "sql";
    const CLASS: &'static str = "airflow.providers.common.sql.operators.sql.SQLExecuteQueryOperator";
    const SUMMARY: &'static str =
        "Runs SQL statements. The result is a list of rows, each a list of values; or a file.";
    const TEMPLATED: &'static [&'static str] = &["sql", "parameters", "conn_id", "database", "output_file"];
    const EXAMPLE: &'static str = "\
id: daily_sum
uses: sql
with:
  conn_id: warehouse
  sql: SELECT region, sum(amount) FROM sales WHERE day = %(day)s GROUP BY region
  parameters: { day: \"{{ ds }}\" }
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let parameters = parameters(self.parameters.clone())?;
        self.output_file.as_deref().map(check_output).transpose()?;
        let mut session = open(cx, &self.conn_id, self.database.as_deref()).await?;
        let statements = self.statements(session.kind())?;
        let done = or_cancelled(cx, self.all(cx, &mut session, &statements, &parameters)).await;
        close(session, done).await
    }
}

/// What statements gave.
struct Given {
    rows: Vec<Value>,
    has_rows: bool,
}

impl Sql {
    fn statements(&self, kind: DatabaseKind) -> Result<Vec<String>, OperatorError> {
        let is_whole = self.split_statements == Some(Flag(false));
        let statements: Vec<String> = match is_whole {
            true => self.sql.items.iter().filter(|text| !text.trim().is_empty()).cloned().collect(),
            false => self.sql.items.iter().flat_map(|text| split(kind, text)).collect(),
        };
        if statements.is_empty() {
            return Err(OperatorError::fatal(anyhow!("`sql` holds no statement")));
        }
        Ok(statements)
    }

    async fn all(
        &self,
        cx: &TaskContext,
        session: &mut Session,
        statements: &[String],
        parameters: &Parameters,
    ) -> Result<Done, OperatorError> {
        let in_transaction = self.begin(session, statements).await?;
        let returns_last = !self.sql.is_list && self.return_last.0;
        let mut budget = xcom::MAX_BYTES;
        let mut results = Vec::new();
        let mut written = None;
        for (at, sql) in statements.iter().enumerate() {
            let is_last = at + 1 == statements.len();
            say_statement(cx, sql);
            let begun = Instant::now();
            let failed = |error| with_advice(error, at + 1, statements.len());
            let mut rows = session.rows(sql, parameters).await.map_err(failed)?;
            let mut count = 0_u64;
            let mut given = Given { rows: Vec::new(), has_rows: rows.has_rows().unwrap_or(false) };
            if let (true, Some(path)) = (is_last, &self.output_file) {
                let mut file = PartFile::begin(cx, path).await?;
                count = write_rows(&mut rows, path, &mut file, failed).await?;
                written = Some((count, file));
            } else {
                let is_kept = cx.do_xcom_push && self.output_file.is_none() && (is_last || !returns_last);
                while let Some(row) = rows.next().await.map_err(failed)? {
                    count += 1;
                    given.has_rows = true;
                    if is_kept {
                        given.rows.push(keep(row, &mut budget)?);
                    }
                }
            }
            let changed = rows.changed();
            drop(rows);
            let what = if given.has_rows || written.is_some() { (count, "") } else { (changed, " changed") };
            let seconds = begun.elapsed().as_secs_f64();
            let plural = if what.0 == 1 { "row" } else { "rows" };
            cx.say(Stream::Info, &format!("{} {plural}{}, {seconds:.2} s", what.0, what.1));
            results.push(if given.has_rows { Value::Array(given.rows) } else { Value::Null });
        }
        if in_transaction {
            session.commit().await?;
        }
        if let Some((count, file)) = written {
            // Last of all: a file that is there is whole, and so is what the database keeps.
            let path = file.finish().await?;
            cx.say(Stream::Info, &format!("wrote {}", path.display()));
            let mut done = Done::success(path.display().to_string());
            done.xcoms.push(("rows".to_owned(), count.into()));
            return Ok(done);
        }
        let result = if returns_last { results.pop().unwrap_or_default() } else { Value::Array(results) };
        if self.show_return_value_in_logs.0 {
            cx.say(Stream::Info, &format!("result: {result}"));
        }
        Ok(Done::success(result))
    }

    /// Begins a transaction, where one is wanted.
    async fn begin(&self, session: &mut Session, statements: &[String]) -> Result<bool, OperatorError> {
        let words: Vec<String> = statements.iter().map(|sql| first_word(session.kind(), sql)).collect();
        let has_own = words.iter().any(|word| OWN_TRANSACTION.contains(&word.as_str()));
        let is_single = words.len() == 1 && !CHANGES.contains(&words[0].as_str());
        if self.autocommit.0 || has_own || is_single {
            return Ok(false);
        }
        if words.iter().all(|word| word == "SELECT") {
            session.begin_reading().await?;
        } else {
            session.begin().await?;
        }
        Ok(true)
    }
}

/// Says which statement it was, where there are others; and what helps when it cannot run in a transaction.
fn with_advice(mut error: ClientError, number: usize, count: usize) -> OperatorError {
    if count > 1 {
        error.message.insert_str(0, &format!("statement {number} of {count}: "));
    }
    if matches!(&error.kind, Kind::SqlState(state) if state == "25001") {
        error.message.push_str("; `autocommit: true` runs it without one");
    }
    error.into()
}

/// A row for the result, as long as there is room.
fn keep(row: Vec<Cell>, budget: &mut usize) -> Result<Value, OperatorError> {
    // Brackets, commas and quotes count too.
    let size: usize = row.iter().map(|cell| cell.size().min(xcom::MAX_BYTES) / 2 + 1).sum();
    if size > *budget {
        return Err(OperatorError::fatal(anyhow!(
            "the rows are more than 256 KiB: write them to a file with `output_file`, or ask for fewer"
        )));
    }
    *budget -= size;
    Ok(row.into_iter().map(Cell::into_json).collect())
}

/// Checks the name of a file that rows are written to.
fn check_output(path: &str) -> Result<(), OperatorError> {
    if format_of(path).is_some() {
        return Ok(());
    }
    Err(OperatorError::fatal(anyhow!(
        "`{path}` must end in `.csv`, `.tsv` or `.jsonl`, with or without `.gz`: that says how rows are written"
    )))
}

/// Writes the rows of a statement, and returns how many there were.
async fn write_rows(
    rows: &mut Rows<'_>,
    name: &str,
    file: &mut PartFile,
    failed: impl Fn(ClientError) -> OperatorError,
) -> Result<u64, OperatorError> {
    let broken = |error: std::io::Error| OperatorError::retry(anyhow!("the rows cannot be packed: {error}"));
    let mut writer = TableWriter::new(name);
    writer.columns(rows.columns()).map_err(broken)?;
    let mut count = 0;
    while let Some(row) = rows.next().await.map_err(&failed)? {
        writer.row(row).map_err(broken)?;
        count += 1;
        if writer.waiting() >= BLOCK {
            file.write(&writer.take()).await?;
        }
    }
    if rows.columns().is_empty() && count == 0 {
        return Err(OperatorError::fatal(anyhow!("the last statement returns no rows for `output_file`")));
    }
    file.write(&writer.finish().map_err(broken)?).await?;
    Ok(count)
}
