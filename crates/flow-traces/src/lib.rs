//! Traces: a run is a trace, a try of a task is a span in it.
//!
//! Ids are derived from what the database knows, so that schedulers and workers on all hosts agree about them, before and
//! after a restart, without keeping any. Spans are made when something has ended, with the times of the database, and
//! sent by OTLP when this was built with the feature `otel`.

#[cfg(feature = "otel")]
mod otlp;

use std::{fmt, future::Future, pin::Pin, str::FromStr, time::Duration};

use sha2::{Digest, Sha256};

/// Names a trace: a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub [u8; 16]);

/// Names a span in a trace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(pub [u8; 8]);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Derives ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    database: i64,
}

impl Ids {
    /// `database`: what tells this database from others, whose runs may have the same names.
    pub fn new(database: i64) -> Self {
        Self { database }
    }

    /// Returns the trace of a run. `key`: tells it from one of the same name that was deleted.
    pub fn run(&self, key: i64, dag_id: &str, run_id: &str) -> TraceId {
        TraceId(first(digest(&[
            b"run",
            &self.database.to_be_bytes(),
            &key.to_be_bytes(),
            dag_id.as_bytes(),
            run_id.as_bytes(),
        ])))
    }
}

impl TraceId {
    /// Returns the span of the run as a whole. A run that was cleared has another one each time.
    pub fn whole(&self, clear_number: u32) -> SpanId {
        SpanId(first(digest(&[b"whole", &self.0, &clear_number.to_be_bytes()])))
    }

    /// Returns the span of a try.
    pub fn attempt(&self, task_id: &str, map_index: i32, try_number: u32) -> SpanId {
        SpanId(first(digest(&[
            b"try",
            &self.0,
            task_id.as_bytes(),
            &map_index.to_be_bytes(),
            &try_number.to_be_bytes(),
        ])))
    }

    /// Returns what makes others go on with a span of this trace.
    pub fn parent_of_others(&self, span: SpanId) -> Parent {
        Parent { trace: *self, span }
    }
}

/// The span that something is done for, as a `traceparent` header hands it on (W3C Trace Context, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    pub trace: TraceId,
    pub span: SpanId,
}

impl Parent {
    /// Returns the one that this process was started for, by the environment variable `TRACEPARENT`.
    pub fn of_process() -> Option<Self> {
        std::env::var("TRACEPARENT").ok()?.parse().ok()
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace, self.span)
    }
}

impl FromStr for Parent {
    type Err = NoParent;

    fn from_str(text: &str) -> Result<Self, NoParent> {
        let mut parts = text.split('-');
        let (Some(version), Some(trace), Some(span), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoParent);
        };
        let [version] = from_hex(version).ok_or(NoParent)?;
        let [_] = from_hex(flags).ok_or(NoParent)?;
        let (trace, span) = (from_hex(trace).ok_or(NoParent)?, from_hex(span).ok_or(NoParent)?);
        // Later versions may say more behind it; this one may not.
        let has_more = parts.next().is_some();
        if version == 0xff || (version == 0 && has_more) || trace == [0; 16] || span == [0; 8] {
            return Err(NoParent);
        }
        Ok(Self { trace: TraceId(trace), span: SpanId(span) })
    }
}

/// A text is not that of a `traceparent` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a `traceparent`, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`")]
pub struct NoParent;

/// Reads small hexadecimal digits, two for each byte.
fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Hashes parts so that no two lists of parts are alike.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Takes the first bytes. Never all zero, which would be no id: that has a chance of one in 2^64.
fn first<const N: usize>(digest: [u8; 32]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest[..N]);
    if bytes == [0; N] {
        bytes[N - 1] = 1;
    }
    bytes
}

/// What a span says about what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// How what a span stands for ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Ok,
    /// Neither well nor badly: somebody ended it.
    Unset,
    /// Badly. `message` and `kind` are for people, secrets masked.
    Error { message: String, kind: String },
}

/// Something that was done, from its start to its end, in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub trace: TraceId,
    pub id: SpanId,
    /// The span it was done for.
    pub parent: Option<SpanId>,
    pub name: String,
    pub start: i64,
    pub end: i64,
    pub attributes: Vec<(&'static str, Value)>,
    /// Spans that it goes back to, such as the try before it.
    pub links: Vec<(TraceId, SpanId)>,
    pub status: Status,
}

/// A future that is handed through a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends spans somewhere.
pub trait Export: fmt::Debug + Send + Sync {
    /// Sends some; an error is a sentence. Ends by itself after a time.
    fn send(&self, spans: Vec<Span>) -> BoxFuture<'_, Result<(), String>>;

    /// Where to, for people.
    fn target(&self) -> &str;
}

/// Where spans are sent, and in whose name.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whole URL of the collector.
    pub endpoint: String,
    /// The name under which Flow goes there. `None`: the environment has one.
    pub service: Option<String>,
    pub version: &'static str,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Says whether this can send spans at all.
pub const IS_BUILT: bool = cfg!(feature = "otel");

/// Says what to do about a program that cannot send spans.
pub const NOT_BUILT: &str = "this flow was built without OpenTelemetry: `cargo build --release --package flow --features otel` makes one with it";

/// Makes what sends spans by OTLP over HTTP. Headers, compression and attributes of the resource come from the environment
/// (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES`, …).
///
/// # Errors
///
/// A sentence, when the settings are wrong, or when this was built without it.
#[cfg(feature = "otel")]
pub fn open(settings: &Settings) -> Result<Box<dyn Export>, String> {
    Ok(Box::new(otlp::Otlp::new(settings)?))
}

/// Says that spans cannot be sent.
///
/// # Errors
///
/// Always: a sentence.
#[cfg(not(feature = "otel"))]
pub fn open(_settings: &Settings) -> Result<Box<dyn Export>, String> {
    Err(NOT_BUILT.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_for_everybody_and_for_ever() {
        // Written down once: another version of Flow beside this one must derive the same.
        let trace = Ids::new(7).run(1, "d", "r");
        assert_eq!(trace.to_string(), "16b213f31ea98bdfda727634f7914df8");
        let span = trace.attempt("t", -1, 1);
        let text = "00-16b213f31ea98bdfda727634f7914df8-da8473302def745a-01";
        assert_eq!(trace.parent_of_others(span).to_string(), text);
        assert_eq!(text.parse(), Ok(Parent { trace, span }));
    }

    #[test]
    fn what_is_no_parent_is_refused() {
        let (trace, span) = ("16b213f31ea98bdfda727634f7914df8", "da8473302def745a");
        let later = format!("01-{trace}-{span}-01-more").parse::<Parent>();
        assert!(later.is_ok());
        for text in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{trace}-{span}-1"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{}é-{span}-01", &trace[2..]),
            format!("00-{span}-{trace}-01"),
        ] {
            assert_eq!(text.parse::<Parent>(), Err(NoParent), "{text}");
        }
    }

    #[test]
    fn what_differs_has_another_id() {
        let ids = Ids::new(7);
        let trace = ids.run(1, "d", "r");
        for other in [ids.run(2, "d", "r"), ids.run(1, "dr", ""), ids.run(1, "d", "s"), Ids::new(8).run(1, "d", "r")] {
            assert_ne!(trace, other);
        }
        let spans = [
            trace.whole(0),
            trace.whole(1),
            trace.attempt("t", -1, 1),
            trace.attempt("t", -1, 2),
            trace.attempt("t", 0, 1),
            trace.attempt("u", -1, 1),
        ];
        let different: std::collections::BTreeSet<_> = spans.iter().collect();
        assert_eq!(different.len(), spans.len());
    }

    #[cfg(not(feature = "otel"))]
    #[test]
    fn a_program_without_it_says_how_to_get_one() {
        let endpoint = "http://127.0.0.1:4318/v1/traces".to_owned();
        let settings = Settings { endpoint, service: None, version: "0", timeout: Duration::from_secs(1) };
        assert!(open(&settings).unwrap_err().contains("--features otel"));
    }
}
