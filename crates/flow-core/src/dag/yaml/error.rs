//! What is wrong with the YAML, in words for people who do not know its grammar.

use granit_parser::ErrorKind;

use crate::dag::place::{Lines, Place};

/// Returns where to point, what to say, and a way out.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's own words serve for the kinds that people hardly meet"
)]
pub(super) fn explain(kind: &ErrorKind, at: usize, text: &str, lines: &Lines<'_>) -> (Place, String, Option<String>) {
    // The parser may stop at the start of the line after the mistake, or past the end of the text.
    let at = at.min(text.len());
    let (line, _) = lines.position(at);
    let range = lines.range(line);
    let indent = &text[range.start..at.max(range.start).min(range.end)];
    // The parser may stop at the end of the line before.
    let tab = (line..line + 3).find_map(|line| {
        let range = lines.range(line);
        tab_in_indentation(text, range.start, range.end)
    });
    let is_about_tabs = matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
    );
    let tab = tab.filter(|tab| is_about_tabs || range.contains(tab));
    if let Some(tab) = tab {
        let message = "a tab cannot be used to indent".to_owned();
        return (Place::new(tab, tab + 1), message, Some("use spaces".to_owned()));
    }
    let rest = &text[at..range.end.max(at)];
    let place = if rest.trim().is_empty() && indent.trim().is_empty() {
        last_text_before(text, at)
    } else {
        Place::new(at, at + rest.chars().next().map_or(0, char::len_utf8))
    };
    let (message, help): (String, Option<&str>) = match kind {
        ErrorKind::MappingValueNotAllowed => {
            ("a `:` cannot stand here".to_owned(), Some("check the indentation; a text with `: ` in it needs quotes"))
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
            ("a quote is not closed".to_owned(), None)
        }
        ErrorKind::DocumentIndicatorInQuotedScalar => {
            ("a quote is not closed before the document ends".to_owned(), None)
        }
        ErrorKind::UnclosedFlowCollection { open } => (format!("`{open}` is not closed"), None),
        ErrorKind::UnexpectedEofFlowSequence => ("`[` is not closed".to_owned(), None),
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            ("`{` is not closed".to_owned(), None)
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` cannot be closed with `{close}`"), None)
        }
        ErrorKind::MisplacedFlowCollectionEnd => ("this bracket was never opened".to_owned(), None),
        ErrorKind::ExpectedFlowMappingSeparator => ("expected `,` or `}` here".to_owned(), None),
        ErrorKind::ExpectedFlowSequenceSeparator => ("expected `,` or `]` here".to_owned(), None),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("expected `key: value` here".to_owned(), Some("is there a `:` missing, or the indentation wrong?"))
        }
        ErrorKind::ExpectedBlockMappingKey => {
            ("expected a key here".to_owned(), Some("check the indentation against the lines above"))
        }
        ErrorKind::ExpectedBlockSequenceEntry => {
            ("expected `- ` here".to_owned(), Some("check the indentation against the lines above"))
        }
        ErrorKind::InvalidIndentation | ErrorKind::MappingKeyNotAllowed | ErrorKind::BlockSequenceEntryNotAllowed => {
            ("the indentation does not fit the lines above".to_owned(), None)
        }
        ErrorKind::InvalidBlockScalarIndent => {
            ("this line of a text block is indented less than its first".to_owned(), None)
        }
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("a value cannot start with `{}`", character.escape_default()), Some("put the value in quotes"))
        }
        ErrorKind::UnknownQuotedScalarEscape => (
            "unknown escape in a text in double quotes".to_owned(),
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => ("a tab cannot stand here".to_owned(), Some("use spaces")),
        ErrorKind::RecursionLimitExceeded => {
            (format!("lists and maps are nested more than {} deep", super::MAX_DEPTH), None)
        }
        ErrorKind::ExpectedDocumentStart => {
            ("expected the start of a document here".to_owned(), Some("separate documents with a line `---`"))
        }
        other => (other.to_string().replace('\'', "`").to_lowercase(), None),
    };
    (place, message, help.map(str::to_owned))
}

/// Says why a key is none.
pub(super) fn key_is_no_text(shown: &str, at: usize, text: &str) -> (String, Option<String>) {
    if shown.starts_with('{') && text[..at].ends_with('{') {
        let help = "put the whole value in quotes: \"{{ … }}\"";
        return ("a value that starts with `{{` needs quotes".to_owned(), Some(help.to_owned()));
    }
    ("a key must be text".to_owned(), None)
}

/// Finds a tab before the first other character of a line.
fn tab_in_indentation(text: &str, start: usize, end: usize) -> Option<usize> {
    let line = text.get(start..end)?;
    let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
    line[..blank].find('\t').filter(|_| blank < line.len()).map(|tab| start + tab)
}

/// Returns the place of the last character that is no white space, when the text ended too early.
fn last_text_before(text: &str, at: usize) -> Place {
    let before = text[..at].trim_end();
    let start = before.char_indices().next_back().map_or(0, |(start, _)| start);
    Place::new(start, before.len())
}
