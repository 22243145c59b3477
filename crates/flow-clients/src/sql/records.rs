//! Rows in a file: CSV, TSV and other delimited text, and JSON lines; behind gzip or not.
//!
//! Reads in constant memory. Each row knows the line it begins on, and each field whether it was in quotes, for only
//! then an empty one is not null.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek as _},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::Cell;
use crate::{ClientError, Result};

/// Longest row: a quote that is left open would otherwise take the rest of the file into memory.
const ROW_MAX: usize = 16 << 20;

/// Bytes that are read at a time.
const BLOCK: usize = 256 << 10;

/// How rows stand in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// Fields between delimiters.
    Delimited(Delimited),
    /// An object, or a list, on each line.
    JsonLines,
}

/// How fields stand in a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Delimited {
    pub delimiter: u8,
    /// Around fields that hold delimiters or line ends; `None`: quotes mean nothing.
    pub quote: Option<u8>,
    /// A field like this, without quotes, is null.
    pub null: String,
    /// The first line has the names of the fields.
    pub header: bool,
}

/// A row: its fields one after another, and where each ends.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) line: u64,
    pub(crate) data: Vec<u8>,
    /// Where a field ends, and whether it is null.
    pub(crate) ends: Vec<(usize, bool)>,
    pub(crate) json: Vec<Cell>,
    pub(crate) is_json: bool,
    /// Why it is no row.
    pub(crate) problem: Option<String>,
}

impl Record {
    fn clear(&mut self) {
        self.problem = None;
        self.data.clear();
        self.ends.clear();
        self.json.clear();
    }

    pub(crate) fn len(&self) -> usize {
        if self.is_json { self.json.len() } else { self.ends.len() }
    }

    /// The bytes of a field; `None`: null.
    pub(crate) fn field(&self, at: usize) -> Option<&[u8]> {
        let (end, is_null) = *self.ends.get(at)?;
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(end, _)| *end);
        if is_null { None } else { self.data.get(begin..end) }
    }
}

/// A file whose rows are read one by one.
pub(crate) struct Records {
    input: BufReader<Box<dyn Read + Send>>,
    path: PathBuf,
    format: Format,
    /// Of JSON objects: which key goes where.
    keys: Vec<String>,
    /// An object with other keys is no row.
    is_strict: bool,
    /// The line that comes next.
    line: u64,
}

impl Records {
    /// Opens a file, behind gzip when its name says so, and passes over its first lines.
    pub(crate) fn open(path: &Path, format: &Format, skip_lines: u64) -> Result<Self> {
        let failed = |error: io::Error| ClientError::refused(format!("`{}` cannot be read: {error}", path.display()));
        // A pipe or a device might never end, or never begin.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(ClientError::refused(format!("`{}` is no file", path.display())));
        }
        let mut file = File::open(path).map_err(failed)?;
        let is_packed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        let input: Box<dyn Read + Send> = if is_packed {
            let mut start = Vec::new();
            (&mut file).take(2).read_to_end(&mut start).map_err(failed)?;
            if start != [0x1f, 0x8b] {
                return Err(ClientError::refused(format!("`{}` is no gzip, though its name says so", path.display())));
            }
            file.rewind().map_err(failed)?;
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(BLOCK, file)))
        } else {
            Box::new(file)
        };
        let input = BufReader::with_capacity(BLOCK, input);
        let mut records =
            Self { input, path: path.to_owned(), format: format.clone(), keys: Vec::new(), is_strict: false, line: 1 };
        let start = records.peek()?;
        if start.starts_with(b"\xef\xbb\xbf") {
            records.input.consume(3);
        }
        for _ in 0..skip_lines {
            records.skip_line()?;
        }
        Ok(records)
    }

    /// Reads the names of the fields: a header, or the keys of the first object. `None`: there are no names.
    pub(crate) fn names(&mut self) -> Result<Option<Vec<String>>> {
        let mut record = Record::default();
        match &self.format {
            Format::Delimited(delimited) if delimited.header => {
                if !self.read(&mut record)? {
                    return Err(self.wrong(1, "the file is empty: it has not even a header"));
                }
                let names = (0..record.len()).map(|at| {
                    let name = record.field(at).unwrap_or_default();
                    std::str::from_utf8(name).map(|name| name.trim().to_owned())
                });
                let names: std::result::Result<Vec<_>, _> = names.collect();
                names.map(Some).map_err(|_| self.wrong(1, "the header is not UTF-8"))
            }
            Format::Delimited(_) => Ok(None),
            Format::JsonLines => {
                let line = self.line;
                // Only looked at: the row is read again as one.
                let first = self.peek_line()?;
                let first = first.trim_ascii();
                match serde_json::from_slice::<Value>(first) {
                    Ok(Value::Object(fields)) => Ok(Some(fields.keys().cloned().collect())),
                    Ok(Value::Array(_)) => Ok(None),
                    _ if first.is_empty() => Ok(None),
                    Ok(_) | Err(_) => Err(self.wrong(line, "is neither a JSON object nor a list")),
                }
            }
        }
    }

    /// Says which keys of objects are read, in this order.
    pub(crate) fn take_keys(&mut self, keys: &[String], is_strict: bool) {
        self.keys = keys.to_vec();
        self.is_strict = is_strict;
    }

    /// Reads the next row; `false` at the end. Lines with nothing on them are none.
    pub(crate) fn read(&mut self, record: &mut Record) -> Result<bool> {
        loop {
            record.clear();
            record.line = self.line;
            let found = match self.format.clone() {
                Format::Delimited(delimited) => self.read_delimited(&delimited, record)?,
                Format::JsonLines => self.read_json(record)?,
            };
            let is_blank = found && record.ends.len() == 1 && record.data.is_empty() && record.ends[0].1;
            let is_blank = is_blank || found && record.is_json && record.json.is_empty() && record.problem.is_none();
            if !is_blank {
                return Ok(found);
            }
        }
    }

    fn read_delimited(&mut self, format: &Delimited, record: &mut Record) -> Result<bool> {
        #[derive(PartialEq)]
        enum In {
            Start,
            Plain,
            Quotes,
            /// Behind a quote within quotes: the end, or half of a doubled one.
            Closing,
        }
        let mut place = In::Start;
        let mut was_quoted = false;
        let mut begin = 0;
        record.is_json = false;
        loop {
            let buffer = self.input.fill_buf().map_err(|error| failed(&self.path, self.line, &error))?;
            if buffer.is_empty() {
                if place == In::Quotes {
                    return Err(wrong(&self.path, record.line, "a quote is opened and never closed"));
                }
                if place == In::Start && record.ends.is_empty() {
                    return Ok(false);
                }
                end_field(format, record, &mut begin, was_quoted, true);
                return Ok(true);
            }
            let mut at = 0;
            let mut is_done = false;
            while at < buffer.len() {
                match place {
                    In::Quotes => {
                        let rest = &buffer[at..];
                        let len = rest.iter().position(|byte| Some(*byte) == format.quote).unwrap_or(rest.len());
                        self.line += count_lines(&rest[..len]);
                        record.data.extend_from_slice(&rest[..len]);
                        at += len;
                        if at < buffer.len() {
                            at += 1;
                            place = In::Closing;
                        }
                    }
                    In::Closing if Some(buffer[at]) == format.quote => {
                        record.data.push(buffer[at]);
                        at += 1;
                        place = In::Quotes;
                    }
                    In::Start if Some(buffer[at]) == format.quote => {
                        was_quoted = true;
                        at += 1;
                        place = In::Quotes;
                    }
                    In::Start | In::Plain | In::Closing => {
                        let rest = &buffer[at..];
                        let is_end = |byte: &u8| *byte == format.delimiter || *byte == b'\n';
                        let len = rest.iter().position(is_end).unwrap_or(rest.len());
                        record.data.extend_from_slice(&rest[..len]);
                        at += len;
                        place = In::Plain;
                        if at < buffer.len() {
                            is_done = buffer[at] == b'\n';
                            end_field(format, record, &mut begin, was_quoted, is_done);
                            at += 1;
                            (place, was_quoted) = (In::Start, false);
                            if is_done {
                                self.line += 1;
                                break;
                            }
                        }
                    }
                }
            }
            self.input.consume(at);
            if is_done {
                return Ok(true);
            }
            if record.data.len() > ROW_MAX {
                return Err(wrong(&self.path, record.line, "the row is longer than 16 MiB: is a quote left open?"));
            }
        }
    }

    fn read_json(&mut self, record: &mut Record) -> Result<bool> {
        record.is_json = true;
        let (path, line) = (&self.path, self.line);
        let most = u64::try_from(ROW_MAX).unwrap_or(u64::MAX);
        let read = (&mut self.input).take(most).read_until(b'\n', &mut record.data);
        if read.map_err(|error| failed(path, line, &error))? == 0 {
            return Ok(false);
        }
        if record.data.len() >= ROW_MAX {
            return Err(wrong(path, line, "the row is longer than 16 MiB"));
        }
        self.line += 1;
        let text = record.data.trim_ascii();
        if text.is_empty() {
            return Ok(true);
        }
        match serde_json::from_slice(text) {
            Ok(Value::Object(mut fields)) => {
                record.json.extend(self.keys.iter().map(|key| fields.remove(key).map_or(Cell::Null, Cell::from)));
                if self.is_strict
                    && let Some(key) = fields.keys().next()
                {
                    record.problem = Some(format!("there is no column for `{key}`"));
                }
                Ok(true)
            }
            Ok(Value::Array(values)) => {
                record.json.extend(values.into_iter().map(Cell::from));
                Ok(true)
            }
            Ok(_) => {
                record.problem = Some("is neither a JSON object nor a list".to_owned());
                Ok(true)
            }
            Err(error) => {
                record.problem = Some(format!("is no JSON: {error}"));
                Ok(true)
            }
        }
    }

    fn skip_line(&mut self) -> Result<()> {
        loop {
            let buffer = self.input.fill_buf().map_err(|error| failed(&self.path, self.line, &error))?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let len = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(len);
            if end.is_some() || len == 0 {
                self.line += 1;
                return Ok(());
            }
        }
    }

    fn peek(&mut self) -> Result<&[u8]> {
        self.input.fill_buf().map_err(|error| failed(&self.path, self.line, &error))
    }

    /// Returns the line that comes, which may be longer than what is read at a time.
    fn peek_line(&mut self) -> Result<Vec<u8>> {
        let mut line = Vec::new();
        let most = u64::try_from(ROW_MAX).unwrap_or(u64::MAX);
        let read = (&mut self.input).take(most).read_until(b'\n', &mut line);
        read.map_err(|error| failed(&self.path, self.line, &error))?;
        let rest = std::mem::replace(&mut self.input, BufReader::with_capacity(0, Box::new(std::io::empty())));
        self.input = BufReader::with_capacity(BLOCK, Box::new(std::io::Cursor::new(line.clone()).chain(rest)));
        Ok(line)
    }

    fn wrong(&self, line: u64, words: &str) -> ClientError {
        wrong(&self.path, line, words)
    }
}

fn end_field(format: &Delimited, record: &mut Record, begin: &mut usize, was_quoted: bool, is_last: bool) {
    if is_last && !was_quoted && record.data.len() > *begin && record.data.last() == Some(&b'\r') {
        record.data.pop();
    } else if is_last && was_quoted && record.data.last() == Some(&b'\r') {
        // Behind the closing quote.
        record.data.pop();
    }
    let is_null = !was_quoted && record.data[*begin..] == *format.null.as_bytes();
    record.ends.push((record.data.len(), is_null));
    *begin = record.data.len();
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn failed(path: &Path, line: u64, error: &io::Error) -> ClientError {
    ClientError::refused(format!("`{}` cannot be read at line {line}: {error}", path.display()))
}

fn wrong(path: &Path, line: u64, words: &str) -> ClientError {
    ClientError::refused(format!("`{}`, line {line}: {words}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (u64, Vec<Option<String>>);

    fn rows(text: &[u8], format: &Format, skip: u64) -> Result<Vec<Row>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, text).unwrap();
        let mut records = Records::open(&path, format, skip)?;
        let names = records.names()?;
        records.take_keys(&names.unwrap_or_default(), true);
        let (mut record, mut found) = (Record::default(), Vec::new());
        while records.read(&mut record)? {
            if let Some(problem) = &record.problem {
                return Err(records.wrong(record.line, problem));
            }
            let field = |at: usize| match record.is_json {
                true => record.json[at].clone().into_text(),
                false => record.field(at).map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            };
            found.push((record.line, (0..record.len()).map(field).collect()));
        }
        Ok(found)
    }

    fn csv() -> Format {
        Format::Delimited(Delimited { delimiter: b',', quote: Some(b'"'), null: String::new(), header: false })
    }

    #[track_caller]
    fn check(text: &str, expected: &[(u64, &[Option<&str>])]) {
        let expected: Vec<Row> = expected
            .iter()
            .map(|(line, fields)| (*line, fields.iter().map(|field| field.map(str::to_owned)).collect()))
            .collect();
        assert_eq!(rows(text.as_bytes(), &csv(), 0).unwrap(), expected, "{text:?}");
    }

    #[test]
    fn fields_are_cut_and_quotes_taken_off() {
        check("", &[]);
        check("a,b\n", &[(1, &[Some("a"), Some("b")])]);
        check("a,b", &[(1, &[Some("a"), Some("b")])]);
        check("a,\r\n\"\",c\r\n", &[(1, &[Some("a"), None]), (2, &[Some(""), Some("c")])]);
        check("\"a\"\"b\",\"x,\ny\"\nz,1\n", &[(1, &[Some("a\"b"), Some("x,\ny")]), (3, &[Some("z"), Some("1")])]);
        check("\n\na,b\n\n", &[(3, &[Some("a"), Some("b")])]);
        check("\u{feff}a,b\n", &[(1, &[Some("a"), Some("b")])]);
        check("a\"b,\"c\"d\n", &[(1, &[Some("a\"b"), Some("cd")])]);
        check("a,", &[(1, &[Some("a"), None])]);
        check("\"x\"\r\n", &[(1, &[Some("x")])]);
        let error = rows(b"a,b\nc,\"d\ne\n", &csv(), 0).unwrap_err();
        assert!(error.message.contains("line 2: a quote is opened and never closed"), "{error}");
    }

    #[test]
    fn rows_are_the_same_however_they_are_cut_into_blocks() {
        let line = |at: usize| format!("{at},\"a\"\"\n{}\",{}\r\n", "x".repeat(at % 700), "y".repeat(at % 300));
        let text: String = (0..3_000).map(line).collect();
        let found = rows(text.as_bytes(), &csv(), 0).unwrap();
        assert_eq!(found.len(), 3_000);
        for (at, (line, fields)) in found.iter().enumerate() {
            assert_eq!(*line, at as u64 * 2 + 1);
            assert_eq!(fields[1].as_deref(), Some(format!("a\"\n{}", "x".repeat(at % 700)).as_str()));
            assert_eq!(fields[2].as_deref().unwrap_or_default(), "y".repeat(at % 300));
        }
    }

    #[test]
    fn json_lines_are_objects_or_lists() {
        let found = rows(b"{\"a\": 1, \"b\": \"x\"}\n\n{\"b\": null, \"a\": [2]}\n[3, \"y\"]\n", &Format::JsonLines, 0)
            .unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [(1, vec![text("1"), text("x")]), (3, vec![text("[2]"), None]), (4, vec![text("3"), text("y")])]
        );
        let long = "x".repeat(3 * BLOCK);
        let found = rows(format!("{{\"a\": \"{long}\"}}\n{{\"a\": 2}}\n").as_bytes(), &Format::JsonLines, 0).unwrap();
        assert_eq!(found, [(1, vec![Some(long)]), (2, vec![text("2")])]);
        let error = rows(b"{\"a\": 1}\n{\"a\": \n", &Format::JsonLines, 0).unwrap_err();
        assert!(error.message.contains("line 2: is no JSON"), "{error}");
    }

    #[test]
    fn lines_are_passed_over_and_a_quote_may_mean_nothing() {
        let format = Format::Delimited(Delimited { delimiter: b'\t', quote: None, null: "\\N".into(), header: false });
        let found = rows(b"# a\n# b\n5\"\t\\N\t\n", &format, 2).unwrap();
        assert_eq!(found, [(3, vec![Some("5\"".into()), None, Some(String::new())])]);
    }

    #[test]
    fn a_row_without_end_is_refused() {
        let text = vec![b'"'; 1].into_iter().chain(std::iter::repeat_n(b'x', ROW_MAX + BLOCK * 2)).collect::<Vec<_>>();
        assert!(rows(&text, &csv(), 0).unwrap_err().message.contains("longer than 16 MiB"));
    }
}
