//! Rows into a file: CSV or JSON lines, behind gzip or not.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Value};

use super::Cell;

/// A file that rows are written to.
pub struct TableWriter {
    out: Out,
    is_json: bool,
    delimiter: u8,
    columns: Vec<String>,
    line: Vec<u8>,
}

enum Out {
    Plain(BufWriter<File>),
    Packed(GzEncoder<BufWriter<File>>),
}

/// Says how a file of this name is written: whether as JSON lines, and with which delimiter. `None`: its name does not
/// tell.
pub fn format_of(name: &str) -> Option<(bool, u8)> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "csv" => Some((false, b',')),
        "tsv" => Some((false, b'\t')),
        "jsonl" | "ndjson" => Some((true, b',')),
        _ => None,
    }
}

impl TableWriter {
    /// Makes the file `part`; `name` is what it will be called, and says how it is written.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(part: &Path, name: &str) -> io::Result<Self> {
        let (is_json, delimiter) = format_of(name).unwrap_or((false, b','));
        let file = BufWriter::with_capacity(1 << 16, File::create_new(part)?);
        let is_packed = name.to_ascii_lowercase().ends_with(".gz");
        let out = if is_packed { Out::Packed(GzEncoder::new(file, Compression::default())) } else { Out::Plain(file) };
        Ok(Self { out, is_json, delimiter, columns: Vec::new(), line: Vec::new() })
    }

    /// Says what the columns are called; in CSV that is the first line.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn columns(&mut self, names: &[String]) -> io::Result<()> {
        self.columns = names.to_vec();
        if self.is_json || names.is_empty() {
            return Ok(());
        }
        self.line_of(names.iter().map(|name| Some(name.clone())))
    }

    /// Writes a row.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn row(&mut self, row: Vec<Cell>) -> io::Result<()> {
        if !self.is_json {
            return self.line_of(row.into_iter().map(Cell::into_text));
        }
        let names = self.columns.iter().cloned().chain((self.columns.len() + 1..).map(|at| at.to_string()));
        let fields: Map<String, Value> = names.zip(row.into_iter().map(Cell::into_json)).collect();
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        serde_json::to_writer(&mut line, &fields)?;
        line.push(b'\n');
        self.write(&line)?;
        self.line = line;
        Ok(())
    }

    /// Null is nothing, an empty text two quotes.
    fn line_of(&mut self, fields: impl Iterator<Item = Option<String>>) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        for (at, field) in fields.enumerate() {
            if at > 0 {
                line.push(self.delimiter);
            }
            let Some(text) = field else { continue };
            let is_special = |byte: &u8| matches!(*byte, b'"' | b'\n' | b'\r') || *byte == self.delimiter;
            if text.is_empty() || text.as_bytes().iter().any(is_special) {
                line.push(b'"');
                line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                line.push(b'"');
            } else {
                line.extend_from_slice(text.as_bytes());
            }
        }
        line.push(b'\n');
        self.write(&line)?;
        self.line = line;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.out {
            Out::Plain(out) => out.write_all(bytes),
            Out::Packed(out) => out.write_all(bytes),
        }
    }

    /// Writes what is left, and hands it to the disk.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        let out = match self.out {
            Out::Plain(out) => out,
            Out::Packed(out) => out.finish()?,
        };
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}
