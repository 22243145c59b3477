//! Rows as the bytes of a file: CSV or JSON lines, behind gzip or not.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Value};

use super::Cell;

/// Turns rows into bytes; whoever has the file takes them now and then.
pub struct TableWriter {
    out: Out,
    is_json: bool,
    delimiter: u8,
    columns: Vec<String>,
    line: Vec<u8>,
}

enum Out {
    Plain(Vec<u8>),
    Packed(GzEncoder<Vec<u8>>),
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
    /// Begins a file; its name says how it is written.
    pub fn new(name: &str) -> Self {
        let (is_json, delimiter) = format_of(name).unwrap_or((false, b','));
        let is_packed = name.to_ascii_lowercase().ends_with(".gz");
        let out = if is_packed {
            Out::Packed(GzEncoder::new(Vec::new(), Compression::default()))
        } else {
            Out::Plain(Vec::new())
        };
        Self { out, is_json, delimiter, columns: Vec::new(), line: Vec::new() }
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

    /// Returns how many bytes wait to be taken.
    pub fn waiting(&self) -> usize {
        match &self.out {
            Out::Plain(bytes) => bytes.len(),
            Out::Packed(out) => out.get_ref().len(),
        }
    }

    /// Takes the bytes that are ready.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.out {
            Out::Plain(bytes) => std::mem::take(bytes),
            Out::Packed(out) => std::mem::take(out.get_mut()),
        }
    }

    /// Returns the last bytes.
    ///
    /// # Errors
    ///
    /// When they cannot be packed.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self.out {
            Out::Plain(bytes) => Ok(bytes),
            Out::Packed(out) => out.finish(),
        }
    }
}
