//! The one place that prints.
//!
//! A command hands over what it has to say as data; this decides on tables, JSON, colours. Answers go to stdout,
//! everything else (errors, notes) to stderr. A reader that went away is no error: see [`is_broken_pipe`].

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell as TableCell, ContentArrangement, presets};
use flow_core::{RunState, TaskState};
use serde::Serialize;

mod yaml;

pub(crate) use yaml::document as yaml_document;

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: aligned columns
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
    /// Tab-separated, no headings
    Plain,
}

/// Where and how to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// Stdout may have colours.
    pub(crate) colour: bool,
}

/// A cell of a table: text, and how it looks on a terminal.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    colour: Option<AnsiColor>,
}

impl Cell {
    /// Returns a cell that stands out in a colour.
    pub(crate) fn coloured(text: impl ToString, colour: AnsiColor) -> Self {
        Self { text: text.to_string(), colour: Some(colour) }
    }

    /// Says whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns an empty cell for nothing.
    pub(crate) fn maybe(text: Option<impl ToString>) -> Self {
        text.map_or_else(String::new, |text| text.to_string()).into()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), colour: None }
    }
}

/// Colours of task states, as near to Airflow's as sixteen colours allow.
pub(crate) fn task_state(state: TaskState) -> Cell {
    use TaskState::*;
    let colour = match state {
        Success | Running => AnsiColor::Green,
        Failed => AnsiColor::Red,
        UpstreamFailed | UpForRetry => AnsiColor::Yellow,
        Skipped => AnsiColor::Magenta,
        Queued | NoStatus | Removed => AnsiColor::BrightBlack,
        Scheduled | UpForReschedule | Deferred | AwaitingInput | Restarting => AnsiColor::Cyan,
    };
    Cell::coloured(state, colour)
}

/// Colours of run states.
pub(crate) fn run_state(state: RunState) -> Cell {
    let colour = match state {
        RunState::Success | RunState::Running => AnsiColor::Green,
        RunState::Failed => AnsiColor::Red,
        RunState::Queued => AnsiColor::BrightBlack,
    };
    Cell::coloured(state, colour)
}

impl Output {
    /// Colours are for terminals, unless `NO_COLOR` or its kin say otherwise.
    pub(crate) fn new(format: Format) -> Self {
        let colour = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Self { format, colour }
    }

    /// Says whether people read this, so that a closing remark is welcome.
    pub(crate) fn is_for_people(&self) -> bool {
        self.format == Format::Table
    }

    /// Prints a list: a row for each item.
    pub(crate) fn list<T: Serialize>(
        &self,
        items: &[T],
        headings: &[&str],
        row: impl Fn(&T) -> Vec<Cell>,
    ) -> io::Result<()> {
        match self.format {
            Format::Json | Format::Yaml => self.data(&items),
            Format::Plain => {
                let lines: Vec<String> = items.iter().map(|item| plain(&row(item))).collect();
                self.raw(&lines.concat())
            }
            Format::Table if items.is_empty() => Ok(()),
            Format::Table => self.raw(&self.table(headings, items.iter().map(row))),
        }
    }

    /// Prints `whole` as data, or a plain row for each of its `items`.
    pub(crate) fn list_or<T>(
        &self,
        whole: &impl Serialize,
        items: &[T],
        row: impl Fn(&T) -> Vec<Cell>,
    ) -> io::Result<()> {
        match self.format {
            Format::Json | Format::Yaml => self.data(whole),
            Format::Plain | Format::Table => {
                let lines: Vec<String> = items.iter().map(|item| plain(&row(item))).collect();
                self.raw(&lines.concat())
            }
        }
    }

    /// Prints one thing: a line for each of its properties.
    pub(crate) fn one<T: Serialize>(&self, item: &T, properties: Vec<(&str, Cell)>) -> io::Result<()> {
        match self.format {
            Format::Json | Format::Yaml => self.data(item),
            Format::Plain => {
                let lines: Vec<String> =
                    properties.into_iter().map(|(name, cell)| plain(&[name.into(), cell])).collect();
                self.raw(&lines.concat())
            }
            Format::Table => {
                self.raw(&self.table(&[], properties.into_iter().map(|(name, cell)| vec![name.into(), cell])))
            }
        }
    }

    /// Prints data for programs: YAML if that was asked for, else JSON.
    pub(crate) fn data(&self, item: &impl Serialize) -> io::Result<()> {
        let value = serde_json::to_value(item).map_err(io::Error::other)?;
        match self.format {
            Format::Yaml => self.raw(&yaml::document(&value)),
            Format::Table | Format::Json | Format::Plain => self.raw(&format!("{value:#}\n")),
        }
    }

    /// Prints a line for people, and nothing for programs.
    pub(crate) fn remark(&self, line: &str) -> io::Result<()> {
        if self.is_for_people() { self.raw(&format!("{line}\n")) } else { Ok(()) }
    }

    /// Prints a line for people on stderr, where it disturbs no program that reads the answer.
    pub(crate) fn note(&self, line: &str) -> io::Result<()> {
        writeln!(anstream::stderr().lock(), "{line}")
    }

    /// Prints the fields of an object: a heading and the text for people, the object for programs.
    pub(crate) fn fields(&self, fields: &serde_json::Value) -> io::Result<()> {
        let Some(object) = fields.as_object().filter(|_| self.is_for_people()) else { return self.data(fields) };
        for (name, value) in object {
            let text = value.as_str().map_or_else(|| format!("{value:#}"), str::to_owned);
            let heading = if self.colour { paint(name, AnsiColor::Cyan) } else { name.clone() };
            self.raw(&format!("{heading}:\n{}\n", text.trim_end_matches('\n')))?;
        }
        Ok(())
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Prints text as it is.
    pub(crate) fn raw(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    fn table(&self, headings: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if !headings.is_empty() {
            table.set_header(headings.iter().map(|name| TableCell::new(name).add_attribute(Attribute::Bold)));
        }
        for row in rows {
            table.add_row(row.into_iter().map(|cell| match cell.colour {
                Some(colour) if self.colour => TableCell::new(paint(&cell.text, colour)),
                Some(_) | None => TableCell::new(cell.text),
            }));
        }
        let mut text = String::new();
        for line in table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Returns a row as tab-separated text; tabs and line breaks inside a cell are written `\t` and `\n`.
fn plain(row: &[Cell]) -> String {
    let cells: Vec<String> = row
        .iter()
        .map(|cell| cell.text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r"))
        .collect();
    format!("{}\n", cells.join("\t"))
}

/// Returns text in a colour.
pub(crate) fn paint(text: &str, colour: AnsiColor) -> String {
    let style = Style::new().fg_color(Some(colour.into()));
    format!("{style}{text}{style:#}")
}

/// An error with a way out, and whose mistake it was.
#[derive(Debug)]
pub(crate) struct Refusal {
    message: String,
    help: Option<String>,
    /// The command line or the configuration is wrong: exit code 2.
    is_usage: bool,
}

impl Refusal {
    /// It did not work.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, is_usage: false }
    }

    /// It was asked for in the wrong way.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, is_usage: true }
    }

    /// Adds what a person could do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// Says whether an error means that whoever read our output went away.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe))
}

/// Prints an error, its causes once and the way out; returns the exit code.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    let mut stderr = anstream::stderr().lock();
    let bold = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    // Nothing can be done when stderr is gone as well.
    let _ = writeln!(stderr, "{bold}error:{bold:#} {}", sentence(error));
    let refusal = error.downcast_ref::<Refusal>();
    if let Some(help) = refusal.and_then(|refusal| refusal.help.as_ref()) {
        let _ = writeln!(stderr, "  {help}");
    }
    let is_usage =
        refusal.is_some_and(|refusal| refusal.is_usage) || error.downcast_ref::<crate::config::ConfigError>().is_some();
    if is_usage { 2 } else { 1 }
}

/// Returns an error with its causes; a cause whose words are in the message already is left out.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_is_one_sentence_with_every_cause_once() {
        let error = anyhow::anyhow!("disk is full").context("could not write `x`: disk is full");
        assert_eq!(sentence(&error), "could not write `x`: disk is full");
        let error = Err::<(), _>(anyhow::anyhow!("c")).context("b").context("a").expect_err("it is one");
        assert_eq!(sentence(&error), "a: b: c");
    }

    #[test]
    fn plain_rows_stay_on_one_line() {
        assert_eq!(plain(&["a\tb".into(), "c\nd\\".into()]), "a\\tb\tc\\nd\\\\\n");
    }

    #[test]
    fn a_table_without_colours_has_no_escapes_and_no_trailing_blanks() {
        let out = Output { format: Format::Table, colour: false };
        let rows = vec![vec![Cell::coloured("x", AnsiColor::Red), "long text".into()], vec!["yy".into(), "".into()]];
        assert_eq!(out.table(&["a", "b"], rows.into_iter()), " a   b\n x   long text\n yy\n");
    }

    #[test]
    fn a_reader_that_left_is_recognised_below_other_words() {
        let error = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("could not print");
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow::anyhow!("broken pipe")));
    }
}
