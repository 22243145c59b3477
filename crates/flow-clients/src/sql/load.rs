//! A file into a table: by `COPY` on Postgres, in batches elsewhere; in one transaction, in constant memory.
//!
//! A thread reads the file and checks the rows; at most a few batches wait for the database.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::{
    Cell, DatabaseKind, Insert, OnConflict, Parameters, Session,
    conn::CopyFailed,
    failure,
    insert::{quote, quote_table},
    postgres,
    records::{Format, Record, Records},
};
use crate::{ClientError, Result};

/// Bytes of a batch for `COPY`.
const COPY_BYTES: usize = 256 << 10;

/// Rows of a batch elsewhere, and when a row may be passed over: what is tried again when one of them is bad.
const BATCH_ROWS: usize = 1_000;

/// Batches that wait for the database.
const WAITING: usize = 4;

/// The server says what is wrong with a row only at the end of a `COPY`: a long file is several.
const ONE_COPY: usize = 64 << 20;

/// Bad rows that are told one by one.
const TOLD_MAX: usize = 20;

/// Longest piece of a bad value that is shown.
const SHOWN_MAX: usize = 60;

/// What to load, and where to.
#[derive(Clone, Debug)]
pub struct Load {
    pub path: PathBuf,
    pub format: Format,
    /// Lines before the first row, or the header, that are passed over.
    pub skip_lines: u64,
    pub table: String,
    /// Empty: the names in the file, or else all columns of the table.
    pub columns: Vec<String>,
    pub on_conflict: OnConflict,
    /// Most bad rows that are passed over; 0: the first one is the end.
    pub bad_rows_max: u64,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows that were taken.
    pub rows: u64,
    /// Rows that were inserted or changed, as the database counts them.
    pub changed: u64,
    pub bad: u64,
    /// The first of them, in words.
    pub told: Vec<String>,
}

/// Rows on their way.
#[derive(Debug, Default)]
struct Batch {
    /// For `COPY`.
    text: Vec<u8>,
    /// For the others.
    cells: Vec<Vec<Cell>>,
    /// The line of each row, and where its text ends.
    rows: Vec<(u64, usize)>,
    bad: Vec<(u64, String)>,
}

/// Which fields of the file go into which columns.
#[derive(Clone, Debug)]
struct Plan {
    columns: Vec<String>,
    /// Fields that a row must have.
    width: usize,
    /// The field for each column.
    fields: Vec<usize>,
    /// For each column, whether Postgres has an array there.
    arrays: Vec<bool>,
}

impl Session {
    /// Loads a file, in the transaction that is open.
    ///
    /// # Errors
    ///
    /// When a row does not fit, with its line and column; what the database says; when the file cannot be read.
    pub async fn load(&mut self, load: &Load) -> Result<Loaded> {
        let kind = self.kind();
        let table_columns = if load.columns.is_empty() { self.columns_of(&load.table).await? } else { Vec::new() };
        let is_typed = kind == DatabaseKind::Postgres && load.format == Format::JsonLines;
        let arrays = if is_typed { self.array_columns(&load.table).await? } else { Vec::new() };
        let (sender, mut batches) = mpsc::channel(WAITING);
        let (planned, plan) = tokio::sync::oneshot::channel();
        let job = load.clone();
        let reader = tokio::task::spawn_blocking(move || read(&job, kind, table_columns, &arrays, planned, &sender));
        let loaded = match plan.await {
            Ok(plan) if kind == DatabaseKind::Postgres => self.load_by_copy(load, &plan, &mut batches).await,
            Ok(plan) => self.load_by_insert(load, &plan, &mut batches).await,
            // It ended before there was a plan: its error says why.
            Err(_) => Ok(Loaded::default()),
        };
        // Nobody listens: the reader ends with its next batch.
        drop(batches);
        let read = reader.await.map_err(|error| ClientError::refused(format!("reading the file failed: {error}")))?;
        match (loaded, read) {
            // A batch that was not sent is no error of its own.
            (Err(error), _) => Err(failure::about_columns(error, &load.table, &load.path)),
            (Ok(_), Err(error)) => Err(error),
            (Ok(loaded), Ok(())) => Ok(loaded),
        }
    }

    pub(super) async fn columns_of(&mut self, table: &str) -> Result<Vec<String>> {
        let sql = format!("SELECT * FROM {} WHERE 1 = 0", quote_table(self.kind(), table));
        // The statement is not the user's: it is not shown.
        let told = |error| failure::about_table(error, table);
        let mut rows = self.rows(&sql, &Parameters::None).await.map_err(told)?;
        let columns = rows.columns().to_vec();
        while rows.next().await.map_err(told)?.is_some() {}
        Ok(columns)
    }

    async fn load_by_copy(
        &mut self,
        load: &Load,
        plan: &Plan,
        batches: &mut mpsc::Receiver<Result<Batch>>,
    ) -> Result<Loaded> {
        let kind = DatabaseKind::Postgres;
        let names = plan.columns.iter().map(|name| quote(kind, name)).collect::<Vec<_>>().join(", ");
        let table = quote_table(kind, &load.table);
        let insert = load.insert(plan);
        insert.check_key()?;
        let is_direct = load.on_conflict == OnConflict::Error;
        let target = if is_direct { table.clone() } else { "flow_rows".to_owned() };
        if !is_direct {
            let sql =
                format!("CREATE TEMPORARY TABLE flow_rows ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA");
            self.execute(&sql, &Parameters::None).await?;
        }
        let copy = format!("COPY {target} ({names}) FROM STDIN");
        let mut loaded = Loaded::default();
        if load.bad_rows_max == 0 {
            self.copy_all(load, &copy, batches, &mut loaded).await?;
        } else {
            while let Some(batch) = batches.recv().await {
                let mut batch = batch?;
                loaded.pass_over(load, std::mem::take(&mut batch.bad))?;
                self.copy_good(load, &copy, batch, &mut loaded).await?;
            }
        }
        loaded.changed = loaded.rows;
        if !is_direct {
            // Of rows with the same key the last one in the file stays.
            let (distinct, order) = match &load.on_conflict {
                OnConflict::Update { key } => {
                    let key = key.iter().map(|name| quote(kind, name)).collect::<Vec<_>>().join(", ");
                    (format!("DISTINCT ON ({key}) "), format!(" ORDER BY {key}, ctid DESC"))
                }
                OnConflict::Error | OnConflict::Ignore => (String::new(), String::new()),
            };
            let tail = insert.tail(kind);
            let sql = format!("INSERT INTO {table} ({names}) SELECT {distinct}{names} FROM flow_rows{order}{tail}");
            loaded.changed = self.execute(&sql, &Parameters::None).await?;
        }
        Ok(loaded)
    }

    /// Sends everything; the first bad row is the end.
    async fn copy_all(
        &mut self,
        load: &Load,
        copy: &str,
        batches: &mut mpsc::Receiver<Result<Batch>>,
        loaded: &mut Loaded,
    ) -> Result<()> {
        let mut next = batches.recv().await;
        while let Some(first) = next.take() {
            let before = loaded.rows;
            let mut sent = 0;
            let batches = &mut *batches;
            let done = self
                .with_conn(async |conn| {
                    let mut copy = conn.copy(copy).await?;
                    let mut batch = Some(first);
                    loop {
                        match batch {
                            Some(Ok(batch)) => {
                                sent += batch.text.len();
                                copy.send(&batch.text).await?;
                            }
                            Some(Err(error)) => return copy.abort(error).await,
                            None => return copy.finish().await,
                        }
                        if sent >= ONE_COPY {
                            return copy.finish().await;
                        }
                        batch = batches.recv().await;
                    }
                })
                .await;
            match done {
                Ok(rows) => loaded.rows += rows,
                Err(failed) => return Err(failed.told(load, |row| line_of(load, before + row))),
            }
            next = batches.recv().await;
        }
        Ok(())
    }

    /// Sends a batch without its bad rows.
    async fn copy_good(&mut self, load: &Load, copy: &str, mut batch: Batch, loaded: &mut Loaded) -> Result<()> {
        while !batch.rows.is_empty() {
            self.savepoint().await?;
            let text = &batch.text;
            let done = self
                .with_conn(async |conn| {
                    let mut copy = conn.copy(copy).await?;
                    copy.send(text).await?;
                    copy.finish().await
                })
                .await;
            match done {
                Ok(rows) => {
                    self.release().await?;
                    loaded.rows += rows;
                    return Ok(());
                }
                // Whatever ends a `COPY` names the line that it was at: a time-out, too.
                Err(failed) if !failed.error.is_about_a_row() => return Err(failed.error),
                Err(failed) => {
                    let at = failed.row.and_then(|row| usize::try_from(row).ok()?.checked_sub(1));
                    let Some((line, end)) = at.and_then(|at| batch.rows.get(at).copied()) else {
                        return Err(failed.told(load, |_| None));
                    };
                    self.undo().await?;
                    let at = at.unwrap_or_default();
                    let begin = if at == 0 { 0 } else { batch.rows[at - 1].1 };
                    batch.text.drain(begin..end);
                    batch.rows.remove(at);
                    for row in &mut batch.rows[at..] {
                        row.1 -= end - begin;
                    }
                    loaded.pass_over(load, vec![(line, failed.words())])?;
                }
            }
        }
        Ok(())
    }

    async fn load_by_insert(
        &mut self,
        load: &Load,
        plan: &Plan,
        batches: &mut mpsc::Receiver<Result<Batch>>,
    ) -> Result<Loaded> {
        let insert = load.insert(plan);
        insert.check_key()?;
        let mut loaded = Loaded::default();
        while let Some(batch) = batches.recv().await {
            let batch = batch?;
            loaded.pass_over(load, batch.bad)?;
            self.savepoint().await?;
            match self.insert(&insert, batch.cells.clone()).await {
                Ok(changed) => {
                    loaded.rows += batch.rows.len() as u64;
                    loaded.changed += changed;
                }
                Err(error) if error.is_about_a_row() => {
                    self.undo().await?;
                    // Which one it is comes out when they go one by one.
                    for ((line, _), cells) in batch.rows.into_iter().zip(batch.cells) {
                        self.savepoint().await?;
                        match self.insert(&insert, vec![cells]).await {
                            Ok(changed) => {
                                loaded.rows += 1;
                                loaded.changed += changed;
                            }
                            Err(error) if error.is_about_a_row() => {
                                self.undo().await?;
                                if load.bad_rows_max == 0 {
                                    let place = place(&load.path, line);
                                    return Err(ClientError::new(error.kind, format!("{place}: {}", error.message)));
                                }
                                loaded.pass_over(load, vec![(line, error.message)])?;
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
            self.release().await?;
        }
        Ok(loaded)
    }

    async fn savepoint(&mut self) -> Result<()> {
        self.run_plain("SAVEPOINT flow_batch").await
    }

    async fn release(&mut self) -> Result<()> {
        self.run_plain("RELEASE SAVEPOINT flow_batch").await
    }

    async fn undo(&mut self) -> Result<()> {
        self.run_plain("ROLLBACK TO SAVEPOINT flow_batch").await?;
        self.forgive();
        Ok(())
    }
}

impl Load {
    fn insert(&self, plan: &Plan) -> Insert {
        Insert { table: self.table.clone(), columns: plan.columns.clone(), on_conflict: self.on_conflict.clone() }
    }
}

impl Loaded {
    fn pass_over(&mut self, load: &Load, bad: Vec<(u64, String)>) -> Result<()> {
        for (line, words) in bad {
            let words = format!("{}: {words}", place(&load.path, line));
            self.bad += 1;
            if self.bad > load.bad_rows_max {
                let most = load.bad_rows_max;
                return Err(ClientError::refused(match most {
                    0 => words,
                    most => format!("more than {most} rows are bad, and nothing is loaded; the last was {words}"),
                }));
            }
            if self.told.len() < TOLD_MAX {
                self.told.push(words);
            }
        }
        Ok(())
    }
}

impl CopyFailed {
    /// The words for a bad row: with its line in the file.
    fn told(self, load: &Load, line: impl FnOnce(u64) -> Option<u64>) -> ClientError {
        match self.row.and_then(line) {
            Some(line) => {
                let words = format!("{}{}", place(&load.path, line), if self.column.is_some() { ", " } else { ": " });
                ClientError::new(self.error.kind.clone(), words + &self.words())
            }
            None => self.error,
        }
    }

    fn words(&self) -> String {
        match &self.column {
            Some(column) => format!("column `{column}`: {}", self.error.message),
            None => self.error.message.clone(),
        }
    }
}

fn place(path: &Path, line: u64) -> String {
    format!("`{}`, line {line}", path.display())
}

/// Finds the line of a row, from 1 on, by reading the file again.
fn line_of(load: &Load, row: u64) -> Option<u64> {
    let mut records = Records::open(&load.path, &load.format, load.skip_lines).ok()?;
    records.names().ok()?;
    let mut record = Record::default();
    for _ in 0..row {
        if !records.read(&mut record).ok()? {
            return None;
        }
    }
    Some(record.line)
}

/// Reads the file to its end, on a thread of its own.
fn read(
    load: &Load,
    kind: DatabaseKind,
    table_columns: Vec<String>,
    arrays: &[String],
    planned: tokio::sync::oneshot::Sender<Plan>,
    batches: &mpsc::Sender<Result<Batch>>,
) -> Result<()> {
    let mut records = Records::open(&load.path, &load.format, load.skip_lines)?;
    let names = records.names()?;
    let mut plan = Plan::of(load, names, table_columns)?;
    let is_array = |column: &String| arrays.iter().any(|name| name.eq_ignore_ascii_case(column.trim_matches('"')));
    plan.arrays = plan.columns.iter().map(is_array).collect();
    records.take_keys(&plan.columns, load.columns.is_empty());
    if planned.send(plan.clone()).is_err() {
        return Ok(());
    }
    let mut record = Record::default();
    loop {
        let mut batch = Batch { text: Vec::with_capacity(COPY_BYTES + (COPY_BYTES >> 3)), ..Batch::default() };
        let is_full = |batch: &Batch| match kind {
            DatabaseKind::Postgres => batch.text.len() >= COPY_BYTES,
            DatabaseKind::MySql | DatabaseKind::Sqlite => {
                batch.text.len() >= COPY_BYTES || batch.rows.len() >= BATCH_ROWS
            }
        };
        let mut is_end = false;
        while !is_full(&batch) && batch.bad.len() < BATCH_ROWS {
            match records.read(&mut record) {
                Ok(true) => batch.take(kind, &plan, &record),
                Ok(false) => {
                    is_end = true;
                    break;
                }
                Err(error) => {
                    // Those before it first: they may be worse.
                    let _ = batches.blocking_send(Ok(batch));
                    let _ = batches.blocking_send(Err(error));
                    return Ok(());
                }
            }
            if load.bad_rows_max == 0
                && let Some((line, words)) = batch.bad.pop()
            {
                let error = ClientError::refused(format!("{}: {words}", place(&load.path, line)));
                let _ = batches.blocking_send(Ok(batch));
                let _ = batches.blocking_send(Err(error));
                return Ok(());
            }
        }
        let is_empty = batch.rows.is_empty() && batch.bad.is_empty();
        if !is_empty && batches.blocking_send(Ok(batch)).is_err() || is_end {
            return Ok(());
        }
    }
}

impl Plan {
    fn of(load: &Load, names: Option<Vec<String>>, table_columns: Vec<String>) -> Result<Self> {
        let whole = |columns: Vec<String>| Self {
            width: columns.len(),
            fields: (0..columns.len()).collect(),
            columns,
            arrays: Vec::new(),
        };
        let is_json = load.format == Format::JsonLines;
        match names {
            _ if is_json && !load.columns.is_empty() => Ok(whole(load.columns.clone())),
            Some(names) if load.columns.is_empty() => Ok(whole(names)),
            Some(names) => {
                let fields = load.columns.iter().map(|column| {
                    names.iter().position(|name| name == column).ok_or_else(|| {
                        ClientError::refused(format!(
                            "`{}`: the header has no `{column}` (it has: {}); if the file has no header, write \
                             `header: false`; if its names are others, pass over it with `skip_lines: 1` too",
                            load.path.display(),
                            cut(&names.join(", "))
                        ))
                    })
                });
                let fields = fields.collect::<Result<Vec<_>>>()?;
                Ok(Self { columns: load.columns.clone(), width: names.len(), fields, arrays: Vec::new() })
            }
            None if load.columns.is_empty() => Ok(whole(table_columns)),
            None => Ok(whole(load.columns.clone())),
        }
    }
}

impl Batch {
    fn take(&mut self, kind: DatabaseKind, plan: &Plan, record: &Record) {
        if let Some(problem) = &record.problem {
            self.bad.push((record.line, problem.clone()));
            return;
        }
        if record.len() != plan.width {
            let shown = if record.is_json { String::new() } else { format!("; it is: {}", show(record)) };
            let words = format!("the row has {} fields, not {}{shown}", record.len(), plan.width);
            self.bad.push((record.line, words));
            return;
        }
        if kind == DatabaseKind::Postgres {
            for (at, field) in plan.fields.iter().enumerate() {
                if at > 0 {
                    self.text.push(b'\t');
                }
                if record.is_json {
                    let is_array = plan.arrays.get(at).copied().unwrap_or_default();
                    let text = record.json.get(*field).cloned().and_then(|cell| postgres::text_of(cell, is_array));
                    copy_field(&mut self.text, text.as_deref().map(str::as_bytes));
                } else {
                    copy_field(&mut self.text, record.field(*field));
                }
            }
            self.text.push(b'\n');
            self.rows.push((record.line, self.text.len()));
            return;
        }
        let mut cells = Vec::with_capacity(plan.fields.len());
        for field in &plan.fields {
            let cell = if record.is_json {
                record.json.get(*field).cloned().unwrap_or(Cell::Null)
            } else {
                match record.field(*field).map(std::str::from_utf8) {
                    None => Cell::Null,
                    Some(Ok(text)) => Cell::Text(text.to_owned()),
                    Some(Err(_)) => {
                        let column = plan.columns.get(cells.len()).map_or("", String::as_str);
                        self.bad.push((record.line, format!("column `{column}`: the text is not UTF-8")));
                        return;
                    }
                }
            };
            cells.push(cell);
        }
        self.cells.push(cells);
        self.rows.push((record.line, 0));
        // Only their size counts here.
        self.text.resize(self.text.len() + record.data.len(), 0);
    }
}

/// A field in the text form of `COPY`.
fn copy_field(out: &mut Vec<u8>, field: Option<&[u8]>) {
    let Some(field) = field else {
        out.extend_from_slice(b"\\N");
        return;
    };
    let is_special = |byte: &u8| matches!(*byte, b'\\' | b'\n' | b'\r' | b'\t');
    let mut rest = field;
    while let Some(at) = rest.iter().position(is_special) {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\\');
        out.push(match rest[at] {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            other => other,
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

fn show(record: &Record) -> String {
    let fields = (0..record.len()).map(|at| String::from_utf8_lossy(record.field(at).unwrap_or_default()).into_owned());
    cut(&fields.take(20).collect::<Vec<_>>().join(" | "))
}

fn cut(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
