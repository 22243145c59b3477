//! Loads a file into a table.

use std::path::Path;

use anyhow::anyhow;
use flow_clients::sql::{Delimited, Format, Load, Loaded, OnConflict, Session};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sql_transfer::run_all;
use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    sql::{close, open, or_cancelled},
    values::{Flag, OneOrMany},
};

/// What becomes of a row whose key is in the table already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Conflict {
    /// The task fails.
    #[default]
    Error,
    /// The row is left out.
    Ignore,
    /// The row takes the place of the other.
    Update,
}

/// What becomes of a row that does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum BadRows {
    /// The task fails, and nothing is loaded.
    #[default]
    Fail,
    /// It is left out, and the log says which it was.
    Skip,
}

/// How rows stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum FileFormat {
    /// Fields with commas between them.
    Csv,
    /// Fields with tabs between them.
    Tsv,
    /// A JSON object, or a list, on each line.
    Jsonl,
}

/// `uses: sql_load`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlLoad {
    /// The connection: of the type `postgres`, `mysql` or `sqlite`.
    conn_id: String,
    /// The table that takes the rows, with its schema or without.
    table: String,
    /// The file; a relative path is beside the DAG file. One that ends in `.gz` is unpacked on the way.
    file: String,
    /// How rows stand in the file. By default its ending says it: `.csv`, `.tsv`, `.jsonl` or `.ndjson`; else `csv`.
    #[serde(default)]
    format: Option<FileFormat>,
    /// The table's columns, in the order of the file's fields; of a file with names (a header, or JSON objects) those with
    /// these names are taken. By default the file's names, or else all columns of the table.
    #[serde(default)]
    columns: Vec<String>,
    /// The first line of a CSV or TSV file holds names. By default true.
    #[serde(default = "super::sql::yes")]
    header: Flag,
    /// One character between fields. By default `,`, for `tsv` a tab.
    #[serde(default)]
    delimiter: Option<String>,
    /// One character around fields with delimiters or line ends in them; empty: there is none. By default `\"`, for `tsv`
    /// none.
    #[serde(default)]
    quote: Option<String>,
    /// A field like this, and not in quotes, is null. By default the empty one.
    #[serde(default)]
    null: String,
    /// Lines before the header, or the first row, that are passed over. By default 0.
    #[serde(default)]
    skip_lines: u64,
    /// Statements that run before, in the same transaction. On MySQL some, as `TRUNCATE`, end a transaction.
    #[serde(default)]
    preoperator: Option<OneOrMany>,
    /// Statements that run afterwards, in the same transaction.
    #[serde(default)]
    postoperator: Option<OneOrMany>,
    /// What becomes of a row whose key is in the table already. `error`: the task fails. `ignore`: it is left out.
    /// `update`: it takes the other's place, and of several in the file the last one does.
    #[serde(default)]
    on_conflict: Conflict,
    /// The columns of the key, for `on_conflict: update`. MySQL looks at every unique key, whatever stands here.
    #[serde(default)]
    conflict_columns: Vec<String>,
    /// What becomes of a row that does not fit: wrong number of fields, a text where a number belongs, no JSON. `fail`: the
    /// task fails and nothing is loaded. `skip`: it is left out, and the log says which it was. What is
    /// not about a row, such as a lock, a time-out or a full disk, fails the task either way.
    #[serde(default)]
    bad_rows: BadRows,
    /// Most rows that `bad_rows: skip` leaves out; one more fails the task, and nothing is loaded. By default 100.
    #[serde(default = "SqlLoad::bad_rows_max")]
    #[schemars(range(min = 1))]
    bad_rows_max: u64,
    /// Another database than the connection's `schema`.
    #[serde(default)]
    database: Option<String>,
}

impl Operator for SqlLoad {
    const NAME: &'static str = "sql_load";
    const SUMMARY: &'static str = "Loads a CSV, TSV or JSON-lines file into a table, in one transaction: by COPY on Postgres, \
         in batches elsewhere. The result is the number of rows.";
    const TEMPLATED: &'static [&'static str] = &["conn_id", "table", "file", "preoperator", "postoperator", "database"];
    const READS: &'static [&'static str] = &["file"];
    const EXAMPLE: &'static str = "\
id: load
uses: sql_load
with:
  conn_id: warehouse
  table: sales
  file: /data/sales-{{ ds }}.csv.gz
  preoperator: DELETE FROM sales WHERE day = '{{ ds }}'
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let load = self.load(cx)?;
        let mut session = open(cx, &self.conn_id, self.database.as_deref()).await?;
        let done = or_cancelled(cx, self.all(cx, &mut session, &load)).await;
        close(session, done).await
    }
}

impl SqlLoad {
    fn bad_rows_max() -> u64 {
        100
    }

    fn load(&self, cx: &TaskContext) -> Result<Load, OperatorError> {
        Ok(Load {
            path: cx.path_to_read(&self.file)?,
            format: self.format()?,
            skip_lines: self.skip_lines,
            table: self.table.clone(),
            columns: self.columns.clone(),
            on_conflict: on_conflict(self.on_conflict, &self.conflict_columns)?,
            bad_rows_max: match self.bad_rows {
                BadRows::Fail => 0,
                BadRows::Skip => self.bad_rows_max.max(1),
            },
        })
    }

    fn format(&self) -> Result<Format, OperatorError> {
        let name = self.file.to_ascii_lowercase();
        let name = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
        let by_name = match name.extension().and_then(|end| end.to_str()) {
            Some("tsv") => FileFormat::Tsv,
            Some("jsonl" | "ndjson") => FileFormat::Jsonl,
            _ => FileFormat::Csv,
        };
        let (delimiter, quote) = match self.format.unwrap_or(by_name) {
            FileFormat::Jsonl => return Ok(Format::JsonLines),
            FileFormat::Csv => (b',', Some(b'"')),
            FileFormat::Tsv => (b'\t', None),
        };
        let one = |name: &str, text: &str| match text {
            "\\t" | "tab" => Ok(b'\t'),
            text if text.len() == 1 && !["\n", "\r"].contains(&text) => Ok(text.as_bytes()[0]),
            _ => Err(OperatorError::fatal(anyhow!("`{name}` must be one ASCII character such as `;`, not `{text}`"))),
        };
        let delimiter = self.delimiter.as_deref().map_or(Ok(delimiter), |text| one("delimiter", text))?;
        let quote = match self.quote.as_deref() {
            None => quote,
            Some("") => None,
            Some(text) => Some(one("quote", text)?),
        };
        if quote == Some(delimiter) {
            return Err(OperatorError::fatal(anyhow!("`quote` and `delimiter` are the same character")));
        }
        Ok(Format::Delimited(Delimited { delimiter, quote, null: self.null.clone(), header: self.header.0 }))
    }

    async fn all(&self, cx: &TaskContext, session: &mut Session, load: &Load) -> Result<Done, OperatorError> {
        session.begin().await?;
        run_all(cx, session, self.preoperator.as_ref()).await?;
        let loaded = session.load(load).await?;
        run_all(cx, session, self.postoperator.as_ref()).await?;
        session.commit().await?;
        let Loaded { rows, changed, bad, told } = loaded;
        for words in &told {
            cx.say(Stream::Warning, &format!("left out: {words}"));
        }
        if bad > told.len() as u64 {
            cx.say(Stream::Warning, &format!("left out: {} more", bad - told.len() as u64));
        }
        let kept = if changed == rows { String::new() } else { format!(", {changed} inserted or changed") };
        cx.say(Stream::Info, &format!("{rows} rows loaded into {}{kept}", self.table));
        let mut done = Done::success(rows);
        if self.bad_rows == BadRows::Skip {
            done.xcoms.push(("bad_rows".to_owned(), bad.into()));
        }
        Ok(done)
    }
}

/// Reads what is to become of rows that are there already.
pub(super) fn on_conflict(conflict: Conflict, key: &[String]) -> Result<OnConflict, OperatorError> {
    match conflict {
        Conflict::Error => Ok(OnConflict::Error),
        Conflict::Ignore => Ok(OnConflict::Ignore),
        Conflict::Update if key.is_empty() => {
            Err(OperatorError::fatal(anyhow!("`on_conflict: update` needs `conflict_columns`: the columns of the key")))
        }
        Conflict::Update => Ok(OnConflict::Update { key: key.to_vec() }),
    }
}
