//! A line of a log as Airflow's API shows it. Pure.

use flow_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::When;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct StructuredLogMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    timestamp: Option<When>,
    event: String,
    /// `info`, `warning` or `error`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    level: Option<&'static str>,
    /// `task.stdout`, `task.stderr`, or `flow` for Flow's own words
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    logger: Option<&'static str>,
}

impl StructuredLogMessage {
    /// Reads a line, without its end: `2026-01-01T00:00:00.123Z OUT   - text`. What is no such line is text.
    pub(super) fn of(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(line);
        let read = || {
            let (stamp, rest) = line.split_at_checked(STAMP)?;
            let stamp = Timestamp::parse_rfc3339(stamp.strip_suffix(' ')?)?;
            let (tag, text) = rest.split_at_checked(TAG)?;
            let (level, logger) = match tag.strip_suffix("- ")?.trim_end() {
                "OUT" => ("info", "task.stdout"),
                "ERR" => ("error", "task.stderr"),
                "INFO" => ("info", "flow"),
                "WARN" => ("warning", "flow"),
                "ERROR" => ("error", "flow"),
                _ => return None,
            };
            Some(Self {
                timestamp: Some(When(stamp)),
                event: text.to_owned(),
                level: Some(level),
                logger: Some(logger),
            })
        };
        read().unwrap_or_else(|| Self { timestamp: None, event: line.clone().into_owned(), level: None, logger: None })
    }

    /// A word of the server about the log.
    pub(super) fn remark(text: String) -> Self {
        Self { timestamp: None, event: text, level: Some("info"), logger: Some("flow") }
    }

    /// Appends it as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        // Plain data becomes JSON, and a `Vec` takes it.
        let _ = serde_json::to_writer(out, self);
    }
}

/// Length of `2026-01-01T00:00:00.123Z `.
const STAMP: usize = 25;
/// Length of `OUT   - `.
const TAG: usize = 8;

/// Returns the lines of a text, without their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, event: &str, level: Option<&str>, has_time: bool) {
        let read = StructuredLogMessage::of(line.as_bytes());
        assert_eq!((read.event.as_str(), read.level, read.timestamp.is_some()), (event, level, has_time));
    }

    #[test]
    fn a_line_has_a_time_and_a_level() {
        check("2026-01-01T00:00:00.123Z OUT   - hello - you", "hello - you", Some("info"), true);
        check("2026-01-01T00:00:00.123Z ERR   - ", "", Some("error"), true);
        check("2026-01-01T00:00:00.123Z WARN  - careful", "careful", Some("warning"), true);
    }

    #[test]
    fn what_is_no_such_line_is_text() {
        let begun = "2026-01-01T00:00:00.123Z OUT";
        for line in ["", "x", begun, "the rest of a line", "2026-01-01T00:00:00.123Z LOUD  - x", "ööööööööööööööööööö"]
        {
            check(line, line, None, false);
        }
        check("2026-99-01T00:00:00.123Z OUT   - x", "2026-99-01T00:00:00.123Z OUT   - x", None, false);
        assert_eq!(StructuredLogMessage::of(b"a\xff").event, "a\u{fffd}");
    }

    #[test]
    fn lines_end_with_a_newline_or_the_text() {
        assert_eq!(lines(b"a\n\nb").collect::<Vec<_>>(), [b"a".as_slice(), b"", b"b"]);
        assert_eq!(lines(b"").count(), 0);
    }
}
