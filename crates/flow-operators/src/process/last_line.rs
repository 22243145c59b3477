//! The last line of a stream of bytes, in bounded memory.

/// Most bytes of a line that are kept: one more than an XCom may have.
pub(crate) const KEPT: usize = crate::xcom::MAX_BYTES + 1;

/// Remembers the last line of what it is fed.
#[derive(Debug, Default)]
pub(crate) struct LastLine {
    line: Vec<u8>,
    /// The line ended: the next byte starts a new one.
    ended: bool,
    is_cut: bool,
}

impl LastLine {
    /// Takes bytes as they come.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let Some((&last, _)) = bytes.split_last() else { return };
        // Only what follows the last but one line end can matter.
        let body = if last == b'\n' { &bytes[..bytes.len() - 1] } else { bytes };
        match body.iter().rposition(|&byte| byte == b'\n') {
            Some(at) => self.start(&body[at + 1..]),
            None if self.ended => self.start(body),
            None => self.push(body),
        }
        self.ended = last == b'\n';
    }

    fn start(&mut self, bytes: &[u8]) {
        self.line.clear();
        self.is_cut = false;
        self.push(bytes);
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = KEPT - self.line.len();
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.is_cut |= bytes.len() > room;
    }

    /// Returns the line, right-stripped, bytes that are no text written as `\xff`; `None`: it is too long.
    pub(crate) fn text(&self) -> Option<String> {
        if self.is_cut {
            return None;
        }
        let mut text = String::with_capacity(self.line.len());
        for chunk in self.line.utf8_chunks() {
            text.push_str(chunk.valid());
            for byte in chunk.invalid() {
                text.push_str(&format!("\\x{byte:02x}"));
            }
        }
        if text.contains('\0') {
            text = text.replace('\0', "\\x00");
        }
        text.truncate(text.trim_end().len());
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_found_however_the_bytes_are_cut() {
        check("", "");
        check("one", "one");
        check("one\n", "one");
        check("one\ntwo", "two");
        check("one\ntwo  \r\n", "two");
        check("one\n\n", "");
        check("\n", "");
        check("a\nb\nc\nd", "d");
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        for size in 1..=text.len().max(1) {
            let mut line = LastLine::default();
            text.as_bytes().chunks(size).for_each(|chunk| line.feed(chunk));
            assert_eq!(line.text().as_deref(), Some(expected), "{text:?} in chunks of {size}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_said_to_be() {
        let mut line = LastLine::default();
        for _ in 0..100 {
            line.feed(&[b'x'; 10_000]);
        }
        assert_eq!(line.text(), None);
        assert!(line.line.len() <= KEPT);
        line.feed(b"\nshort\n");
        assert_eq!(line.text().as_deref(), Some("short"));
    }

    #[test]
    fn bytes_that_are_no_text_are_written_out() {
        let mut line = LastLine::default();
        line.feed(b"a\xffb\0c");
        assert_eq!(line.text().as_deref(), Some("a\\xffb\\x00c"));
    }
}
