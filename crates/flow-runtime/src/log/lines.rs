//! Bytes as a task writes them → lines as the log shows them. Pure: no files, no clock.
//!
//! A line is `2026-01-01T00:00:00.123Z OUT   - text`. Streams are kept apart: when one breaks into the unfinished
//! line of another, that line ends, and its rest follows on a line of its own, marked with `↳`.

use flow_core::{
    Timestamp,
    mask::{MASK, Masker, Scan},
};
use flow_operators::Stream;

/// Begins the rest of a line that was folded or interrupted.
pub const CONTINUATION: &str = "↳ ";

/// An escape sequence for colours is shorter; a longer one is shown, not obeyed.
const MAX_ESCAPE: usize = 32;

/// How often a line that redraws itself (a progress bar) is shown, in microseconds.
const REDRAW_MICROS: i64 = 1_000_000;

const STREAMS: [Stream; 5] = [Stream::Stdout, Stream::Stderr, Stream::Info, Stream::Warning, Stream::Error];

/// The streams of one attempt, on their way into one file.
pub(super) struct Lines {
    max_line: usize,
    masker: Masker,
    streams: [Line; STREAMS.len()],
    prefix: Prefix,
}

/// One stream's unfinished line.
#[derive(Default)]
struct Line {
    /// What came and is not written yet. At most `max_line` and the longest part of a secret.
    raw: Vec<u8>,
    /// When its first byte came.
    since: Timestamp,
    place: Place,
    /// Bytes of text on the line that is open in the file.
    shown: usize,
    /// A carriage return came; the next byte tells what it means.
    returned: bool,
    /// When a line that redraws itself was shown last.
    redrawn: Option<Timestamp>,
}

/// Where a stream's unfinished line stands in the file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Nothing of it is there.
    #[default]
    Absent,
    /// The file ends with it.
    Open,
    /// A part of it is there, on a line that has ended.
    Interrupted,
}

/// The time as text, kept because most lines share it with the one before.
#[derive(Default)]
struct Prefix {
    millis: Option<i64>,
    text: String,
}

impl Lines {
    /// Starts with nothing. A line longer than `max_line` is folded.
    pub(super) fn new(max_line: usize, masker: Masker) -> Self {
        Self { max_line: max_line.max(64), masker, streams: Default::default(), prefix: Prefix::default() }
    }

    /// Returns what is hidden.
    pub(super) fn masker(&self) -> &Masker {
        &self.masker
    }

    /// Changes what is hidden, from the next byte written on.
    pub(super) fn set_masker(&mut self, masker: Masker) {
        self.masker = masker;
    }

    /// Takes bytes; appends to `out` the lines they complete. Flow's own words end their line by themselves.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, now: Timestamp, stream: Stream, bytes: &[u8]) {
        let ix = index(stream);
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.streams[ix].returned) {
                match first {
                    b'\n' => {
                        self.end_line(out, now, ix, &[]);
                        rest = &rest[1..];
                        continue;
                    }
                    b'\r' => {}
                    _ => self.redraw(out, ix),
                }
            }
            let length = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(rest.len());
            let (piece, after) = rest.split_at(length);
            if after.first() == Some(&b'\n') && self.streams[ix].raw.is_empty() {
                self.end_line(out, now, ix, piece);
            } else {
                self.keep(out, now, ix, piece);
                match after.first() {
                    Some(b'\n') => self.end_line(out, now, ix, &[]),
                    Some(_) => self.streams[ix].returned = true,
                    None => {}
                }
            }
            rest = after.get(1..).unwrap_or_default();
        }
        if !matches!(stream, Stream::Stdout | Stream::Stderr) {
            self.end(out, now, ix);
        }
    }

    /// Writes the unfinished lines as far as they are known, so that a prompt can be seen.
    pub(super) fn show(&mut self, out: &mut Vec<u8>, now: Timestamp) {
        for ix in 0..STREAMS.len() {
            let line = &mut self.streams[ix];
            if line.raw.is_empty() {
                continue;
            }
            if let Some(last) = line.redrawn {
                if now.as_micros().saturating_sub(last.as_micros()).unsigned_abs() < REDRAW_MICROS.unsigned_abs() {
                    continue;
                }
                line.redrawn = Some(now);
            }
            self.emit(out, now, ix, false);
        }
    }

    /// Ends every unfinished line.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>, now: Timestamp) {
        for ix in 0..STREAMS.len() {
            self.end(out, now, ix);
        }
    }

    /// Ends every unfinished line and drops what is not known to hold no secret: its rest will not come.
    pub(super) fn cut(&mut self, out: &mut Vec<u8>, now: Timestamp) {
        for ix in 0..STREAMS.len() {
            self.emit(out, now, ix, false);
            self.streams[ix].raw.clear();
            self.end(out, now, ix);
        }
    }

    /// Says whether a line waits for its end, or to be shown.
    pub(super) fn is_waiting(&self) -> bool {
        self.streams.iter().any(|line| !line.raw.is_empty())
    }

    /// Notes that what was written of an unfinished line is lost or on a line that has ended.
    pub(super) fn interrupt(&mut self) {
        for line in &mut self.streams {
            if line.place == Place::Open {
                line.place = Place::Interrupted;
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize) {
        let line = &mut self.streams[ix];
        line.returned = false;
        if !line.raw.is_empty() || line.place == Place::Open {
            self.end_line(out, now, ix, &[]);
        }
    }

    /// Keeps a piece of an unfinished line; what gets too long is written.
    fn keep(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, piece: &[u8]) {
        for part in piece.chunks(self.max_line) {
            let line = &mut self.streams[ix];
            if line.raw.is_empty() {
                line.since = now;
            }
            line.raw.extend_from_slice(part);
            if line.raw.len() >= self.max_line {
                self.emit(out, now, ix, false);
            }
        }
    }

    /// What follows replaces the line so far, as on a terminal. What was written of it stays.
    fn redraw(&mut self, out: &mut Vec<u8>, ix: usize) {
        let line = &mut self.streams[ix];
        if line.raw.is_empty() && line.place == Place::Absent {
            return;
        }
        line.raw.clear();
        if line.place == Place::Open {
            out.push(b'\n');
        }
        line.place = Place::Absent;
        line.shown = 0;
        line.redrawn.get_or_insert(line.since);
    }

    /// Ends a line. `piece`: its text, when nothing of it was kept before.
    fn end_line(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, piece: &[u8]) {
        if self.streams[ix].raw.is_empty() {
            self.streams[ix].since = now;
            self.emit_all(out, now, ix, piece);
        } else {
            self.emit(out, now, ix, true);
        }
        if self.streams[ix].place == Place::Absent {
            self.begin(out, now, ix);
        }
        let line = &mut self.streams[ix];
        if line.place == Place::Open {
            out.push(b'\n');
        }
        line.place = Place::Absent;
        line.shown = 0;
        line.redrawn = None;
    }

    /// Writes what is kept: all of it, or as far as it is known to hold no secret and no half character.
    fn emit(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, is_last: bool) {
        let mut raw = std::mem::take(&mut self.streams[ix].raw);
        let written = if is_last {
            self.emit_all(out, now, ix, &raw);
            raw.len()
        } else {
            self.emit_known(out, now, ix, &raw)
        };
        raw.drain(..written);
        self.streams[ix].raw = raw;
    }

    fn emit_all(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, bytes: &[u8]) {
        self.emit_masked(out, now, ix, bytes, bytes.len(), true);
    }

    fn emit_known(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, bytes: &[u8]) -> usize {
        self.emit_masked(out, now, ix, bytes, half_tail(bytes), false)
    }

    fn emit_masked(
        &mut self,
        out: &mut Vec<u8>,
        now: Timestamp,
        ix: usize,
        bytes: &[u8],
        limit: usize,
        is_last: bool,
    ) -> usize {
        let Scan { secrets, clear } = self.masker.scan(bytes, is_last);
        let mut at = 0;
        for (from, to) in secrets.into_iter().take_while(|(from, _)| *from < limit) {
            self.text(out, now, ix, &bytes[at..from]);
            self.put(out, now, ix, MASK);
            at = to;
        }
        let to = clear.min(limit).max(at);
        self.text(out, now, ix, &bytes[at..to]);
        to
    }

    /// Writes masked bytes: what is not text is made visible.
    fn text(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            let valid = chunk.valid();
            if valid.bytes().all(|byte| (byte >= b' ' || byte == b'\t') && byte != 0x7f && byte != 0xc2) {
                self.put(out, now, ix, valid);
            } else {
                self.neutralise(out, now, ix, valid);
            }
            if !chunk.invalid().is_empty() {
                self.put(out, now, ix, "\u{fffd}");
            }
        }
    }

    fn neutralise(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, text: &str) {
        let mut plain = 0;
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let colour = if c == '\u{1b}' { colour_escape(&text.as_bytes()[at..]) } else { None };
            if let Some(length) = colour {
                at += length;
                continue;
            }
            let next = at + c.len_utf8();
            if let Some(picture) = picture(c) {
                self.put(out, now, ix, &text[plain..at]);
                self.put(out, now, ix, picture.encode_utf8(&mut [0; 4]));
                plain = next;
            }
            at = next;
        }
        self.put(out, now, ix, &text[plain..]);
    }

    /// Appends text to the stream's line, folding it where it gets too long.
    fn put(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            if self.streams[ix].place != Place::Open {
                self.begin(out, now, ix);
            }
            let room = self.max_line.saturating_sub(self.streams[ix].shown);
            let (part, after) = rest.split_at(rest.floor_char_boundary(room));
            out.extend_from_slice(part.as_bytes());
            let line = &mut self.streams[ix];
            line.shown += part.len();
            if !after.is_empty() {
                out.push(b'\n');
                line.place = Place::Interrupted;
            }
            rest = after;
        }
    }

    /// Begins a line in the file, ending the one that is open.
    fn begin(&mut self, out: &mut Vec<u8>, now: Timestamp, ix: usize) {
        if self.streams.iter().any(|line| line.place == Place::Open) {
            out.push(b'\n');
            self.interrupt();
        }
        let line = &mut self.streams[ix];
        let is_rest = line.place == Place::Interrupted;
        self.prefix.write(out, if is_rest { now } else { line.since });
        out.extend_from_slice(tag(STREAMS[ix]).as_bytes());
        if is_rest {
            out.extend_from_slice(CONTINUATION.as_bytes());
        }
        line.place = Place::Open;
        line.shown = 0;
    }
}

impl Prefix {
    fn write(&mut self, out: &mut Vec<u8>, moment: Timestamp) {
        let millis = moment.as_micros().div_euclid(1_000);
        if self.millis != Some(millis) {
            self.millis = Some(millis);
            self.text = stamp(moment);
        }
        out.extend_from_slice(self.text.as_bytes());
    }
}

fn stamp(moment: Timestamp) -> String {
    moment.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%3fZ ").to_string()
}

/// Returns a line of Flow's own, whole.
pub(super) fn notice(moment: Timestamp, stream: Stream, text: &str) -> String {
    format!("{}{}{text}\n", stamp(moment), tag(stream))
}

fn tag(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "OUT   - ",
        Stream::Stderr => "ERR   - ",
        Stream::Info => "INFO  - ",
        Stream::Warning => "WARN  - ",
        Stream::Error => "ERROR - ",
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
        Stream::Info => 2,
        Stream::Warning => 3,
        Stream::Error => 4,
    }
}

/// Returns where a character or colour begins that may not be complete yet.
fn half_tail(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(MAX_ESCAPE);
    if let Some(escape) = bytes[from..].iter().rposition(|&byte| byte == 0x1b) {
        let rest = &bytes[from + escape + 1..];
        let is_half = rest.is_empty() || rest[0] == b'[' && rest[1..].iter().all(|&byte| (0x30..=0x3f).contains(&byte));
        if is_half {
            return from + escape;
        }
    }
    let last = bytes.len().saturating_sub(3);
    let Some(lead) = bytes[last..].iter().rposition(|&byte| byte >= 0xc0) else { return bytes.len() };
    match std::str::from_utf8(&bytes[last + lead..]) {
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => last + lead,
        Ok(_) | Err(_) => bytes.len(),
    }
}

/// Returns the length of the colour escape that `bytes` begins with.
fn colour_escape(bytes: &[u8]) -> Option<usize> {
    let parameters = bytes.strip_prefix(b"\x1b[")?;
    let length = parameters
        .iter()
        .take(MAX_ESCAPE)
        .position(|byte| !(byte.is_ascii_digit() || *byte == b';' || *byte == b':'))?;
    (parameters[length] == b'm').then_some(2 + length + 1)
}

/// Returns what stands for a control character.
fn picture(c: char) -> Option<char> {
    match c {
        '\t' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some('\u{fffd}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
