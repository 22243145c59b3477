//! Hides secrets: each is replaced by `***`.
//!
//! Bytes come in pieces; what may be the beginning of a secret is held back until it is known. Knows nothing of
//! lines; whoever cuts lines tells when a piece is the last. What begins as a secret and ends in `…` or `...` is one too: who
//! shows the start of a long text does not know where its secrets are.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use crate::connection;
pub use crate::secret::MASK;

/// Where a text was cut: by Flow, by others.
const CUTS: [&str; 2] = ["…", "..."];

/// Shorter ones would hide every other word, and are guessed anyway.
const MIN_SECRET: usize = 3;

/// A secret of several lines is hidden line by line; braces and blank lines of it are not.
const MIN_LINE: usize = 6;

/// Longer secrets are hidden in parts, so that little has to be held back.
const MAX_PART: usize = 4 * 1024;

/// Shorter ones are not looked for in base64, and not fewer characters of them: those are in every other word.
const MIN_ENCODED: usize = 5;
/// Longer ones neither: nobody encodes megabytes by accident.
const MAX_ENCODED: usize = 64 * 1024;

/// A set of secrets. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Masker {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    secrets: BTreeSet<String>,
    find: AhoCorasick,
    /// Secrets by their first byte.
    by_first: Vec<Vec<String>>,
    longest: usize,
}

/// What can be said of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Scan {
    /// The secrets that begin before `clear`, from and to, in their order.
    pub secrets: Vec<(usize, usize)>,
    /// What follows here may be the beginning of a secret, unless one of `secrets` ends behind it.
    pub clear: usize,
}

impl Masker {
    /// Takes secrets. Each is also hidden as it looks in a URL, in JSON and in base64.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let mut all = BTreeSet::new();
        for secret in secrets {
            add(&mut all, secret.as_ref());
        }
        Self::of(all)
    }

    /// Returns a masker that hides more.
    pub fn with<S: AsRef<str>>(&self, secrets: impl IntoIterator<Item = S>) -> Self {
        let before = self.inner.as_ref().map(|inner| inner.secrets.clone()).unwrap_or_default();
        let mut all = before.clone();
        for secret in secrets {
            add(&mut all, secret.as_ref());
        }
        if all == before { self.clone() } else { Self::of(all) }
    }

    /// Hides the secrets in a whole text.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(inner) = &self.inner else { return Cow::Borrowed(text) };
        let secrets = inner.secrets(text.as_bytes());
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut masked, mut at) = (String::with_capacity(text.len()), 0);
        for (from, to) in secrets {
            masked.push_str(&text[at..from]);
            masked.push_str(MASK);
            at = to;
        }
        masked.push_str(&text[at..]);
        Cow::Owned(masked)
    }

    /// Says whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.inner.is_none()
    }

    /// Looks at `bytes`. `is_last`: nothing follows that could complete a secret.
    pub fn scan(&self, bytes: &[u8], is_last: bool) -> Scan {
        let Some(inner) = &self.inner else { return Scan { secrets: Vec::new(), clear: bytes.len() } };
        let clear = if is_last { bytes.len() } else { inner.tail(bytes) };
        let mut secrets = inner.secrets(bytes);
        secrets.retain(|(from, _)| *from < clear);
        Scan { secrets, clear }
    }

    fn of(secrets: BTreeSet<String>) -> Self {
        if secrets.is_empty() {
            return Self::default();
        }
        // The default may be a table of states and bytes: hundreds of megabytes for a few long keys.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let find = match AhoCorasick::builder().kind(kind).match_kind(MatchKind::LeftmostLongest).build(&secrets) {
            Ok(find) => find,
            Err(_) => {
                // Only with gigabytes of secrets. Hiding everything is the one safe answer.
                let every_byte = (0..=u8::MAX).map(|byte| [byte]);
                AhoCorasick::new(every_byte).expect("256 patterns of one byte are few")
            }
        };
        let mut by_first = vec![Vec::new(); 256];
        for secret in &secrets {
            by_first[usize::from(secret.as_bytes()[0])].push(secret.clone());
        }
        let longest = secrets.iter().map(String::len).max().unwrap_or(0);
        Self { inner: Some(Arc::new(Inner { secrets, find, by_first, longest })) }
    }
}

impl Inner {
    /// Returns where secrets are, whole or cut. Those that overlap are one.
    fn secrets(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut all: Vec<_> = self.find.find_iter(bytes).map(|found| (found.start(), found.end())).collect();
        let whole = all.len();
        self.add_cut(bytes, &mut all);
        if all.len() > whole {
            all.sort_unstable();
            all.dedup_by(|later, before| {
                let overlaps = later.0 < before.1;
                if overlaps {
                    before.1 = before.1.max(later.1);
                }
                overlaps
            });
        }
        all
    }

    /// Adds where the beginnings of secrets are that `…` or `...` follows.
    fn add_cut(&self, bytes: &[u8], all: &mut Vec<(usize, usize)>) {
        let (mut before, mut at) = (0, 0);
        let firsts = CUTS.map(|mark| mark.as_bytes()[0]);
        while let Some(found) = bytes[at..].iter().position(|byte| firsts.contains(byte)) {
            let end = at + found;
            at = end + 1;
            if let Some(mark) = CUTS.iter().find(|mark| bytes[end..].starts_with(mark.as_bytes())) {
                let from = before + self.tail(&bytes[before..end]);
                if end - from >= MIN_SECRET {
                    all.push((from, end));
                }
                at = end + mark.len();
                before = at;
            }
        }
    }

    /// Returns where the longest tail begins that may be the beginning of a secret.
    fn tail(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(self.longest.saturating_sub(1));
        (from..bytes.len())
            .find(|&at| {
                let tail = &bytes[at..];
                self.by_first[usize::from(tail[0])]
                    .iter()
                    .any(|secret| secret.len() > tail.len() && secret.as_bytes().starts_with(tail))
            })
            .unwrap_or(bytes.len())
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.secrets.len())
    }
}

fn add(all: &mut BTreeSet<String>, secret: &str) {
    let secret = secret.trim_matches(['\r', '\n']);
    let is_one_line = !secret.contains(['\r', '\n']);
    for line in secret.split(['\r', '\n']) {
        if line.trim().len() < if is_one_line { MIN_SECRET } else { MIN_LINE } {
            continue;
        }
        // Messages of one line have single spaces.
        let spaced = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let forms = in_urls(line).into_iter().chain(in_json(line)).chain(in_shells(line));
        for form in forms.chain([line.to_owned(), spaced]) {
            parts(&form, all);
        }
    }
    for form in in_base64(secret.as_bytes()) {
        parts(&form, all);
    }
}

/// Cuts what is too long into parts of about the same length.
fn parts(form: &str, all: &mut BTreeSet<String>) {
    let length = form.len().div_ceil(form.len().div_ceil(MAX_PART).max(1)) + 4;
    let mut rest = form;
    while rest.len() > MAX_PART {
        let (part, after) = rest.split_at(rest.floor_char_boundary(length.min(MAX_PART)));
        all.insert(part.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        all.insert(rest.to_owned());
    }
}

/// The ways in which programs write a text as a part of an address: few agree.
fn in_urls(text: &str) -> [String; 5] {
    let upper = connection::encode(text);
    let slashes = upper.replace("%2F", "/");
    let form = upper.replace("%20", "+");
    let lower = lower_escapes(&upper);
    let lower_form = lower_escapes(&form);
    [upper, slashes, form, lower, lower_form]
}

fn lower_escapes(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        text.push('%');
        text.push_str(&digits.to_lowercase());
        text.push_str(rest);
    }
    text
}

/// As it stands within the quotes of JSON, with other alphabets as they are and escaped.
fn in_json(text: &str) -> [String; 2] {
    let quoted = serde_json::Value::from(text).to_string();
    let plain = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let mut ascii = String::with_capacity(plain.len());
    for c in plain.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    [plain, ascii]
}

/// As a shell shows it that traces its commands, or lists its variables: in quotes, and in `$'…'`.
fn in_shells(text: &str) -> [String; 2] {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'\\' | b'\'' => escaped.extend(['\\', char::from(byte)]),
            b'\t' => escaped.push_str("\\t"),
            b'\x1b' => escaped.push_str("\\E"),
            b' '..=b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\{byte:03o}")),
        }
    }
    [text.replace('\'', "'\\''"), escaped]
}

/// What base64 makes of it, wherever in the encoded text it begins; of both alphabets.
fn in_base64(secret: &[u8]) -> Vec<String> {
    // The first characters that depend on nothing before, by the number of bytes before.
    const SKIPPED: [usize; 3] = [0, 2, 3];
    let mut forms = Vec::new();
    if secret.len() < MIN_ENCODED || secret.len() > MAX_ENCODED {
        return forms;
    }
    for (before, skipped) in SKIPPED.into_iter().enumerate() {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        let known = bytes.len() * 8 / 6;
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        if let Some(form) = encoded.get(skipped..known).filter(|form| form.len() >= MIN_ENCODED) {
            forms.push(form.to_owned());
            forms.push(form.replace('+', "-").replace('/', "_"));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secrets: &[&str], text: &str, expected: &str) {
        assert_eq!(Masker::new(secrets).mask(text), expected);
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        check(&[], "nothing to hide", "nothing to hide");
        check(&["hunter2"], "hunter2", "***");
        check(&["hunter2"], "a hunter2b, hunter2", "a ***b, ***");
        check(&["hunter2"], "hunter", "hunter");
        check(&["pass", "password"], "password pass passwor", "*** *** ***wor");
        check(&["", "a", "ab"], "abab", "abab");
        check(&["grün"], "das ist grün", "das ist ***");
    }

    #[test]
    fn a_secret_is_hidden_in_urls_and_in_json_too() {
        check(&["p@ss/w:rd"], "postgres://me:p%40ss%2Fw%3Ard@host", "postgres://me:***@host");
        check(&["say \"hi\""], r#"{"password":"say \"hi\""}"#, r#"{"password":"***"}"#);
        check(&["\"quoted\""], r#""\"quoted\"""#, r#""***""#);
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        check(&["a b/ü"], "a%20b/%C3%BC a+b%2F%C3%BC a%20b%2f%c3%bc", "*** *** ***");
        check(&["grün"], r#"{"x": "gr\u00fcn"}"#, r#"{"x": "***"}"#);
        check(&["a🔑b"], r"a\ud83d\udd11b", "***");
        check(&["it's grün\t"], r"+ echo $'it\'s gr\303\274n\t' 'it'\''s grün	'", "+ echo $'***' '***'");
    }

    #[test]
    fn a_secret_is_hidden_in_base64_wherever_it_begins() {
        for before in ["", "x", "me:", "user:", "another:"] {
            for after in ["", "y", "yz", "yzz"] {
                let plain = format!("{before}hunter2?>ü{after}");
                for encoded in
                    [STANDARD_NO_PAD.encode(&plain), base64::engine::general_purpose::URL_SAFE.encode(&plain)]
                {
                    let masked = Masker::new(["hunter2?>ü"]).mask(&encoded).into_owned();
                    assert!(masked.contains(MASK) && masked.len() <= encoded.len() - 8, "{plain}: {encoded} {masked}");
                }
            }
        }
        check(&["ab"], "YWI= YWI", "YWI= YWI");
    }

    #[test]
    fn a_secret_is_hidden_where_a_text_was_cut() {
        check(&["hunter2hunter2"], "it is hunter2h… and hu…", "it is ***… and hu…");
        check(&["hunter2"], "near 'hunt...' at line 1; hu... a.b..", "near '***...' at line 1; hu... a.b..");
        check(&["hunter2.."], "hunter2.... hunter2..", "***.. ***");
        check(&["hunter2", "hunter2long"], "hunter2lo…, hunter2", "***…, ***");
        check(&["abcdef", "defghi"], "abcdef…", "***…");
        check(&["grün und gut", "x…y"], "…grün und… grü… x…y", "…***… ***… ***");
        check(&["hunter2"], "hunter… hunter2…", "***… ***…");
        check(&["two  spaces"], "two spaces, two  spaces", "***, ***");
        let masker = Masker::new(["hunter2"]);
        let many = "hun…".repeat(100_000);
        assert_eq!(masker.mask(&many), "***…".repeat(100_000));
    }

    #[test]
    fn a_secret_of_several_lines_is_hidden_line_by_line() {
        check(&["{\n  first line\r\n  second\n}\n"], "{\n  first line\n  second\n}", "{\n***\n***\n}");
    }

    #[test]
    fn a_secret_too_long_to_hold_back_is_hidden_in_parts() {
        let secret: String = ('a'..='z').cycle().take(100_000).collect();
        let masked = Masker::new([&secret]).mask(&secret).into_owned();
        assert!(masked.chars().all(|c| c == '*'), "{} bytes", masked.len());
    }

    #[test]
    fn what_may_become_a_secret_is_held_back() {
        let masker = Masker::new(["hunter2", "terrible"]);
        let check = |text: &str, is_last: bool, secrets: &[(usize, usize)], clear: usize| {
            assert_eq!(masker.scan(text.as_bytes(), is_last), Scan { secrets: secrets.to_vec(), clear }, "{text}");
        };
        check("the hun", false, &[], 4);
        check("the hun", true, &[], 7);
        check("the hunx", false, &[], 8);
        check("a hunter", false, &[], 2);
        check("a hunter2", false, &[(2, 9)], 9);
        check("a hunt…, hunter2 h", false, &[(2, 6), (11, 18)], 19);
    }

    #[test]
    fn adding_secrets_keeps_the_earlier_ones() {
        let masker = Masker::new(["first"]).with(["second"]);
        assert_eq!(masker.mask("first second"), "*** ***");
        assert!(!format!("{masker:?}").contains("first"));
    }
}
