//! Places in a file's text: byte ranges, and the lines and columns that people read.

use std::ops::Range;

/// A byte range of the file's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Place {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// Says whether there is no text at the place, as with the value of `key:`.
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Returns `self`, or `other` when `self` has no text to point at.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }

    /// Cuts the text at the place.
    pub(crate) fn slice(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Returns the whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Returns line and column (in characters), both from 1.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts[line - 1];
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    /// Returns the byte range of a line (from 1), without its break; empty past the end.
    pub(crate) fn range(&self, line: usize) -> Range<usize> {
        let Some(start) = line.checked_sub(1).and_then(|ix| self.starts.get(ix)).copied() else {
            return self.text.len()..self.text.len();
        };
        let end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        let end = if end > start && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end };
        start..end
    }

    /// Cuts a place so that it ends on the line where it starts.
    pub(crate) fn first_line(&self, place: Place) -> Place {
        let (line, _) = self.position(place.start);
        Place::new(place.start, place.end.min(self.range(line).end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_may_end_in_cr_lf() {
        let lines = Lines::new("a: ä\r\nbü: c\n");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position("a: ä\r\nbü".len()), (2, 3));
        assert_eq!(lines.range(1), 0..5);
        assert_eq!(lines.range(9), 14..14);
        assert_eq!(lines.position(999), (3, 1));
    }
}
