//! One complaint with its place, and how it prints.
//!
//! Knows nothing of DAGs: a sentence, a byte range, a way out. [`Complaints`] collects them while a file is
//! read, sorts them by place and drops repeats.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::dag::place::{Lines, Place};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The DAG cannot be used.
    Error,
    /// It can, but look here.
    Warning,
    /// Worth knowing; shown by `flow dags check` only.
    Note,
}

/// A complaint about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// One sentence, lower case, no full stop, names in backticks.
    pub message: String,
    /// Shown under the caret, or after the frame.
    pub help: Option<String>,
    /// From 1; 0 when the complaint is about the whole file.
    pub line: usize,
    /// In characters, from 1; 0 when the complaint is about the whole file.
    pub column: usize,
    /// Byte range in the file's text.
    pub span: Range<usize>,
}

/// A help of at most this many characters stands beside the caret; a longer one below the frame.
const SHORT_HELP: usize = 60;

/// A line longer than this is not shown whole around the caret.
const FRAME_WIDTH: usize = 140;

impl Diagnostic {
    /// Makes a complaint about a whole file.
    pub fn whole_file(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), help: None, line: 0, column: 0, span: 0..0 }
    }

    /// Says whether the DAG cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Prints it as a compiler would, with the line and a caret. `colour`: with ANSI colours.
    ///
    /// `text` is the text the complaint was made about; with another text the frame is left out.
    pub fn render(&self, path: &str, text: &str, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(FRAME_WIDTH);
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let title = level.primary_title(self.message.as_str());
        let Some((source, span)) = self.frame(text) else {
            let place = if self.line == 0 { path.to_owned() } else { format!("{path}:{}:{}", self.line, self.column) };
            let mut group = Group::with_title(title).element(annotate_snippets::Origin::path(place));
            if let Some(help) = &self.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            return renderer.render(&[group]);
        };
        let beside = self.help.as_deref().filter(|help| help.chars().count() <= SHORT_HELP);
        let below = self.help.as_deref().filter(|help| help.chars().count() > SHORT_HELP);
        let annotation = AnnotationKind::Primary.span(span).label(beside);
        let snippet = Snippet::source(source).line_start(self.line).path(path).annotation(annotation);
        let mut group = Group::with_title(title).element(snippet);
        if let Some(help) = below {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }

    /// Returns the line to show, and the range in it to point at.
    fn frame<'t>(&self, text: &'t str) -> Option<(&'t str, Range<usize>)> {
        if self.line == 0 {
            return None;
        }
        let lines = Lines::new(text);
        let line = lines.range(self.line);
        let source = text.get(line.clone())?;
        if source.is_empty() {
            return None;
        }
        let clip = |at: usize| at.clamp(line.start, line.end) - line.start;
        let (start, end) = (clip(self.span.start), clip(self.span.end));
        let is_boundary = source.is_char_boundary(start) && source.is_char_boundary(end);
        is_boundary.then_some((source, start..end.max(start)))
    }
}

/// Complaints about one file, as they come.
#[derive(Debug)]
pub(crate) struct Complaints<'a> {
    pub(crate) lines: Lines<'a>,
    list: Vec<Diagnostic>,
    errors: usize,
    /// Complaints that were not kept.
    dropped: usize,
}

/// More complaints than this about one file help nobody.
const MOST: usize = 200;

/// Near names are searched for so many complaints; each search may look at thousands of names.
const MOST_SEARCHES: usize = 50;

/// So many are kept to choose from.
const MOST_KEPT: usize = 2_000;

impl<'a> Complaints<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { lines: Lines::new(text), list: Vec::new(), errors: 0, dropped: 0 }
    }

    pub(crate) fn error(&mut self, place: Place, message: impl Into<String>) {
        self.add(Severity::Error, place, message.into(), None);
    }

    pub(crate) fn error_with(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        self.add(Severity::Error, place, message.into(), help);
    }

    pub(crate) fn warning(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        self.add(Severity::Warning, place, message.into(), help);
    }

    pub(crate) fn note(&mut self, place: Place, message: impl Into<String>) {
        self.add(Severity::Note, place, message.into(), None);
    }

    fn add(&mut self, severity: Severity, place: Place, message: String, help: Option<String>) {
        self.errors += usize::from(severity == Severity::Error);
        if self.list.len() >= MOST_KEPT {
            self.dropped += 1;
            return;
        }
        let place = self.lines.first_line(place);
        let (line, column) = self.lines.position(place.start);
        self.list.push(Diagnostic { severity, message, help, line, column, span: place.start..place.end });
    }

    /// Counts the errors so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Says whether a search for a near name is still worth its time.
    pub(crate) fn wants_help(&self) -> bool {
        self.list.len() < MOST_SEARCHES
    }

    /// Returns the complaints in the order of the text, each once.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| (a.span.start, a.severity, &a.message).cmp(&(b.span.start, b.severity, &b.message)));
        self.list.dedup();
        if self.list.len() + self.dropped > MOST {
            self.list.sort_by_key(|complaint| complaint.severity);
            let rest = self.list.len() + self.dropped - MOST.min(self.list.len());
            self.list.truncate(MOST);
            self.list.sort_by_key(|complaint| complaint.span.start);
            let message = format!("there are {rest} more complaints about this file");
            let end = Diagnostic { severity: Severity::Note, ..Diagnostic::whole_file(message) };
            self.list.push(end);
        }
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str, at: &str, message: &str, help: Option<&str>) -> Diagnostic {
        let mut complaints = Complaints::new(text);
        let start = text.find(at).unwrap();
        complaints.error_with(Place::new(start, start + at.len()), message, help.map(str::to_owned));
        complaints.finish().remove(0)
    }

    #[test]
    fn a_short_help_stands_beside_the_caret() {
        let text = "tasks:\n  - id: load\n    needs: [extrct]\n";
        let message = "task `load` depends on `extrct`, which does not exist";
        let shown = complaint(text, "extrct", message, Some("did you mean `extract`?")).render(
            "dags/nightly.yaml",
            text,
            false,
        );
        assert_eq!(
            shown,
            "error: task `load` depends on `extrct`, which does not exist\n \
             --> dags/nightly.yaml:3:13\n  \
             |\n\
             3 |     needs: [extrct]\n  \
             |             ^^^^^^ did you mean `extract`?"
        );
    }

    #[test]
    fn a_long_help_stands_below_the_frame() {
        let text = "a: b\n";
        let help = "a sentence that is far too long to stand beside the caret without hiding what matters";
        let shown = complaint(text, "b", "wrong", Some(help)).render("x.yaml", text, false);
        assert!(shown.ends_with(&format!("= help: {help}")), "{shown}");
    }

    #[test]
    fn a_complaint_about_the_whole_file_names_the_file() {
        let shown = Diagnostic::whole_file("too large").render("x.yaml", "", false);
        assert_eq!(shown, "error: too large\n--> x.yaml");
    }

    #[test]
    fn another_text_than_the_one_complained_about_does_no_harm() {
        let text = "first: 1\nsecond: ääää\n";
        let complaint = complaint(text, "ääää", "wrong", None);
        for other in ["", "x", "first: 1\n", "first: 1\nsecond: aäää\n", "\n\n\n"] {
            assert!(complaint.render("x.yaml", other, true).contains("wrong"));
        }
    }

    #[test]
    fn complaints_come_in_the_order_of_the_text_and_once() {
        let mut complaints = Complaints::new("a b c");
        complaints.error(Place::new(4, 5), "third");
        complaints.error(Place::new(0, 1), "first");
        complaints.error(Place::new(0, 1), "first");
        let messages: Vec<_> = complaints.finish().into_iter().map(|complaint| complaint.message).collect();
        assert_eq!(messages, ["first", "third"]);
    }
}
