use flow_operators::Stream::{Error, Info, Stderr, Stdout, Warning};

use super::*;

const MAX: usize = 100;

/// 2026-01-01T00:00:00.123Z
const NOW: i64 = 1_767_225_600_123_456;

struct Tape {
    lines: Lines,
    out: Vec<u8>,
    now: Timestamp,
}

impl Tape {
    fn new(secrets: &[&str]) -> Self {
        Self { lines: Lines::new(MAX, Masker::new(secrets)), out: Vec::new(), now: Timestamp::from_micros(NOW) }
    }

    fn push(&mut self, stream: Stream, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.lines.push(&mut self.out, self.now, stream, bytes.as_ref());
        self
    }

    fn show(&mut self) -> &mut Self {
        self.lines.show(&mut self.out, self.now);
        self
    }

    fn finish(&mut self) -> &mut Self {
        self.lines.finish(&mut self.out, self.now);
        self
    }

    /// What the file holds, without the time.
    fn text(&self) -> String {
        let text = String::from_utf8(self.out.clone()).expect("a log is UTF-8");
        text.replace("2026-01-01T00:00:00.123Z ", "")
    }

    #[track_caller]
    fn check(&self, expected: &str) {
        assert_eq!(self.text(), expected);
    }
}

#[test]
fn each_line_has_its_time_and_stream() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "one\ntwo\n")
        .push(Stderr, "oh\n")
        .push(Info, "Started")
        .push(Warning, "hm\n")
        .push(Error, "bad\nworse");
    assert_eq!(String::from_utf8_lossy(&tape.out).lines().next(), Some("2026-01-01T00:00:00.123Z OUT   - one"),);
    tape.check("OUT   - one\nOUT   - two\nERR   - oh\nINFO  - Started\nWARN  - hm\nERROR - bad\nERROR - worse\n");
}

#[test]
fn a_line_carries_the_time_of_its_first_byte() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "slo");
    tape.now = tape.now + std::time::Duration::from_secs(60);
    tape.push(Stdout, "w\nnext\n");
    assert_eq!(
        String::from_utf8_lossy(&tape.out),
        "2026-01-01T00:00:00.123Z OUT   - slow\n2026-01-01T00:01:00.123Z OUT   - next\n"
    );
}

#[test]
fn an_empty_line_stays_and_an_empty_write_is_nothing() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "").push(Info, "").push(Stdout, "\n\na\n").finish();
    tape.check("OUT   - \nOUT   - \nOUT   - a\n");
}

#[test]
fn a_prompt_is_shown_before_its_line_ends() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "Name? ");
    tape.check("");
    tape.show().check("OUT   - Name? ");
    tape.push(Stdout, "Ada\n").check("OUT   - Name? Ada\n");
}

#[test]
fn another_stream_breaks_an_unfinished_line_once_it_was_shown() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "half").push(Stderr, "oh\n").push(Stdout, "whole\n");
    tape.check("ERR   - oh\nOUT   - halfwhole\n");
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "one ").show().push(Stderr, "oh\n").push(Stdout, "two\n").push(Stdout, "three\n");
    tape.check("OUT   - one \nERR   - oh\nOUT   - ↳ two\nOUT   - three\n");
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "one").show().push(Stderr, "oh\n").push(Stdout, "\ntwo\n");
    tape.check("OUT   - one\nERR   - oh\nOUT   - two\n");
}

#[test]
fn an_unfinished_line_ends_with_the_attempt() {
    let mut tape = Tape::new(&["hunter2"]);
    tape.push(Stdout, "hunter").push(Stderr, "x").show().finish().finish();
    tape.check("ERR   - x\nOUT   - hunter\n");
}

#[test]
fn a_long_line_is_folded_and_its_rest_is_marked() {
    let long = "x".repeat(MAX);
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, format!("{long}\n")).check(&format!("OUT   - {long}\n"));
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, format!("{long}{long}tail\nnext\n"));
    tape.check(&format!("OUT   - {long}\nOUT   - ↳ {long}\nOUT   - ↳ tail\nOUT   - next\n"));
}

#[test]
fn an_endless_line_is_written_as_it_comes_and_never_kept() {
    let mut tape = Tape::new(&["hunter2"]);
    for _ in 0..10_000 {
        tape.push(Stdout, "é0123456");
        assert!(tape.lines.streams[0].raw.len() <= MAX + 16);
    }
    tape.finish();
    let text = tape.text();
    assert_eq!(text.matches('é').count(), 10_000);
    assert!(text.lines().all(|line| line.len() <= MAX + "OUT   - ↳ ".len()));
}

#[test]
fn binary_output_becomes_text() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, b"a\0b\xffc\xc3\n").check("OUT   - a␀b\u{fffd}c\u{fffd}\n");
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "tab\tbell\x07del\x7fc1\u{9b}31m°\n").check("OUT   - tab\tbell␇del␡c1\u{fffd}31m°\n");
    let every: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut tape = Tape::new(&[]);
    tape.push(Stderr, &every).finish();
    assert!(tape.text().chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
}

#[test]
fn colours_stay_and_other_escapes_are_shown() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "\x1b[1;31mred\x1b[0m \x1b[2J\x1b]0;title\x07 \x1b\n");
    tape.check("OUT   - \x1b[1;31mred\x1b[0m ␛[2J␛]0;title␇ ␛\n");
}

#[test]
fn a_character_or_colour_split_over_two_writes_stays_whole() {
    let text = "grün 日本 🦀 \x1b[38;5;214mx\x1b[m";
    for at in 0..text.len() {
        let mut tape = Tape::new(&[]);
        let (a, b) = text.as_bytes().split_at(at);
        tape.push(Stdout, a).show().push(Stdout, b).push(Stdout, "\n");
        tape.check(&format!("OUT   - {text}\n"));
    }
}

#[test]
fn windows_line_ends_are_line_ends() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "a\r\nb\r").push(Stdout, "\n").push(Stdout, "c\r\r\n").finish();
    tape.check("OUT   - a\nOUT   - b\nOUT   - c\n");
}

#[test]
fn a_progress_bar_leaves_its_last_state_and_is_shown_once_a_second() {
    let mut tape = Tape::new(&[]);
    tape.push(Stderr, "\r10%\r20%\r100%\n").check("ERR   - 100%\n");

    let mut tape = Tape::new(&[]);
    for percent in 0..100 {
        tape.push(Stderr, format!("\r{percent}%")).show();
        tape.now = tape.now + std::time::Duration::from_millis(100);
    }
    tape.push(Stderr, "\r").push(Stderr, "done\n");
    let lines = String::from_utf8_lossy(&tape.out).lines().count();
    assert!((10..=12).contains(&lines), "{lines} lines");
    assert!(tape.text().ends_with("done\n") || tape.out.ends_with(b"ERR   - done\n"));
}

#[test]
fn an_interrupted_line_goes_on_with_a_mark() {
    let mut tape = Tape::new(&[]);
    tape.push(Stdout, "one ").show();
    tape.lines.interrupt();
    tape.out.push(b'\n');
    tape.push(Stdout, "two\n").check("OUT   - one \nOUT   - ↳ two\n");
}

#[test]
fn a_secret_is_hidden_however_it_is_split() {
    let secrets = ["hunter2", "correct horse", "hun", "grün🦀"];
    let text =
        "hunter2 hunter hunhunter2 correct horse correct hors\ngrün🦀 grün hunter2\r\ncorrect \x1b[31mhunter2\x1b[0mhu";
    let expected =
        "OUT   - *** ***ter ****** *** correct hors\nOUT   - *** grün ***\nOUT   - correct \x1b[31m***\x1b[0mhu\n";
    for seed in 0..2_000_u64 {
        let mut random = Random(seed);
        let mut tape = Tape::new(&secrets);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + random.below(rest.len().min(12)));
            tape.push(Stdout, piece);
            if random.below(2) == 0 {
                tape.show();
            }
            assert!(!tape.text().contains("hunter2"), "seed {seed}");
            rest = after;
        }
        tape.finish();
        assert_eq!(tape.text(), expected, "seed {seed}");
    }
}

#[test]
fn a_stream_is_masked_as_its_whole_text_would_be() {
    const LETTERS: [char; 4] = ['a', 'b', 'ä', '\u{1b}'];
    for seed in 0..3_000_u64 {
        let mut random = Random(seed);
        let mut word = |length: usize| (0..length).map(|_| LETTERS[random.below(LETTERS.len())]).collect::<String>();
        let secrets: Vec<_> = (3..7).map(&mut word).collect();
        let text = word(40);
        let masker = Masker::new(&secrets);
        let expected = masker.mask(&text).replace('\u{1b}', "␛");
        let mut tape = Tape::new(&[]);
        tape.lines.set_masker(masker);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + random.below(rest.len().min(6)));
            tape.push(Stdout, piece);
            if random.below(3) > 0 {
                tape.show();
            }
            rest = after;
        }
        tape.finish();
        assert_eq!(tape.text(), format!("OUT   - {expected}\n"), "seed {seed}: {secrets:?} in {text:?}");
    }
}

#[test]
fn a_secret_over_the_fold_is_hidden() {
    for before in MAX - 10..MAX + 10 {
        let mut tape = Tape::new(&["hunter2"]);
        let text = format!("{}hunter2", "x".repeat(before));
        for byte in text.bytes() {
            tape.push(Stdout, [byte]);
        }
        tape.push(Stdout, "\n");
        let flat = tape.text().replace("\nOUT   - ↳ ", "");
        assert_eq!(flat, format!("OUT   - {}***\n", "x".repeat(before)));
    }
}

#[test]
fn a_secret_of_another_stream_is_hidden_too() {
    let mut tape = Tape::new(&["hunter2"]);
    tape.push(Stdout, "hun").push(Stderr, "hunter2\n").push(Stdout, "ter2\n").push(Error, "hunter2");
    tape.check("ERR   - ***\nOUT   - ***\nERROR - ***\n");
}

/// A small generator of random numbers (xorshift), the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        let mut x = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
        x ^= x >> 29;
        self.0 = x;
        usize::try_from(x >> 33).expect("31 bits") % bound
    }
}
