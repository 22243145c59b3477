//! One complaint with its place, and how it prints. To be written; the shape stands.

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
    pub span: std::ops::Range<usize>,
}

impl Diagnostic {
    /// Prints it as a compiler would, with the line and a caret. `colour`: with ANSI colours.
    pub fn render(&self, path: &str, text: &str, colour: bool) -> String {
        let _ = (text, colour);
        format!("{path}:{}:{}: {}", self.line, self.column, self.message)
    }
}
