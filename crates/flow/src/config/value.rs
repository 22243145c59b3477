//! Kinds of settings: how each is read from text and shown again.
//!
//! Every source ends as text first (a TOML number is written out again), so a value means the same wherever it
//! was set. Knows no names of settings.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use flow_core::secret::redact;
use regex::Regex;
use serde_json::{Value, json};

/// A type that a setting may have.
pub(crate) trait Setting: Sized {
    /// What to call it in the reference page and in errors.
    const KIND: &'static str;
    /// A TOML list may stand for it.
    const IS_LIST: bool = false;
    /// Its text is JSON: in TOML it may be lists and maps.
    const IS_JSON: bool = false;

    /// Reads the text; the error is what would be right, to follow "must be".
    fn read(text: &str) -> Result<Self, String>;

    /// The value for `flow config show`.
    fn show(&self) -> Value;
}

impl Setting for String {
    const KIND: &'static str = "text";

    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("some text".to_owned()) } else { Ok(text.to_owned()) }
    }

    fn show(&self) -> Value {
        json!(self)
    }
}

impl Setting for bool {
    const KIND: &'static str = "true or false";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("`true` or `false`".to_owned()),
        }
    }

    fn show(&self) -> Value {
        json!(self)
    }
}

/// A number of things of which there must be at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u32);

impl Setting for Count {
    const KIND: &'static str = "number from 1";

    fn read(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number @ 1..=1_000_000) => Ok(Self(number)),
            Ok(_) | Err(_) => Err("a whole number from 1 to 1000000".to_owned()),
        }
    }

    fn show(&self) -> Value {
        json!(self.0)
    }
}

impl Setting for u32 {
    const KIND: &'static str = "number";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "a whole number from 0".to_owned())
    }

    fn show(&self) -> Value {
        json!(self)
    }
}

impl Setting for u16 {
    const KIND: &'static str = "port";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "a port from 0 (any free one) to 65535".to_owned())
    }

    fn show(&self) -> Value {
        json!(self)
    }
}

impl Setting for PathBuf {
    const KIND: &'static str = "path";

    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("a path".to_owned()) } else { Ok(Self::from(text)) }
    }

    fn show(&self) -> Value {
        json!(self.to_string_lossy())
    }
}

impl Setting for Vec<String> {
    const KIND: &'static str = "list of names";
    const IS_LIST: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) { Err("names with commas between them".to_owned()) } else { Ok(names) }
    }

    fn show(&self) -> Value {
        json!(self)
    }
}

impl Setting for Duration {
    const KIND: &'static str = "duration";

    fn read(text: &str) -> Result<Self, String> {
        duration(text).ok_or_else(|| "a duration such as `500ms`, `10s`, `5m` or `1h30m`".to_owned())
    }

    fn show(&self) -> Value {
        json!(in_words(*self))
    }
}

/// What someone may do who has not logged in; none = nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnonymousRole(pub(crate) Option<flow_server::Role>);

impl Setting for AnonymousRole {
    const KIND: &'static str = "role, or nothing";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "" => Ok(Self(None)),
            text => text
                .parse()
                .map(|role| Self(Some(role)))
                .map_err(|_| "empty, `Viewer`, `User`, `Op` or `Admin`".to_owned()),
        }
    }

    fn show(&self) -> Value {
        json!(self.0.map_or("", flow_server::Role::as_str))
    }
}

/// Names of hosts, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hosts(pub(crate) Vec<String>);

impl Setting for Hosts {
    const KIND: &'static str = "list of host names";
    const IS_LIST: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        let is_host =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c));
        let names: Vec<String> = split(text).map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
        let wrong =
            || "names such as `flow.example.com`, with commas between them; without `https://` and path".to_owned();
        if names.iter().all(|name| is_host(name)) { Ok(Self(names)) } else { Err(wrong()) }
    }

    fn show(&self) -> Value {
        json!(self.0)
    }
}

/// Addresses and networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxies(pub(crate) Vec<flow_server::Network>);

impl Setting for Proxies {
    const KIND: &'static str = "list of addresses";
    const IS_LIST: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        let wrong =
            |_| "addresses or networks such as `127.0.0.1` or `10.0.0.0/8`, with commas between them".to_owned();
        split(text).map(str::parse).collect::<Result<_, String>>().map(Self).map_err(wrong)
    }

    fn show(&self) -> Value {
        json!(self.0.iter().map(ToString::to_string).collect::<Vec<_>>())
    }
}

/// An address and a port to listen on, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) Option<SocketAddr>);

impl Setting for Listen {
    const KIND: &'static str = "address and port, or nothing";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "" => Ok(Self(None)),
            text => text
                .parse()
                .map(|address| Self(Some(address)))
                .map_err(|_| "empty, or an address and a port such as `127.0.0.1:9102` or `0.0.0.0:9102`".to_owned()),
        }
    }

    fn show(&self) -> Value {
        json!(self.0.map(|address| address.to_string()).unwrap_or_default())
    }
}

/// What names of metrics begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(pub(crate) String);

impl Setting for Prefix {
    const KIND: &'static str = "name, or nothing";

    fn read(text: &str) -> Result<Self, String> {
        let is_name = text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let wrong = || "letters, digits, `.`, `_` and `-`, at most 100 of them".to_owned();
        if is_name { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }

    fn show(&self) -> Value {
        json!(self.0)
    }
}

/// Regular expressions.
#[derive(Clone, Debug)]
pub(crate) struct Patterns(pub(crate) Vec<Regex>);

impl Setting for Patterns {
    const KIND: &'static str = "list of regular expressions";
    const IS_LIST: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        let wrong = |_| "regular expressions such as `^scheduler` or `pool`, with commas between them".to_owned();
        split(text).map(Regex::new).collect::<Result<_, _>>().map(Self).map_err(wrong)
    }

    fn show(&self) -> Value {
        json!(self.0.iter().map(Regex::as_str).collect::<Vec<_>>())
    }
}

/// Takes a list apart that may be empty.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(move |_| !text.trim().is_empty())
}

/// Callbacks as they would be written in a DAG; what is in them is checked when all settings are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CallbackList(pub(crate) Vec<Value>);

impl Setting for CallbackList {
    const KIND: &'static str = "list of callbacks";
    const IS_JSON: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        match serde_json::from_str(if text.is_empty() { "[]" } else { text }) {
            Ok(Value::Array(list)) => Ok(Self(list)),
            Ok(map @ Value::Object(_)) => Ok(Self(vec![map])),
            Ok(_) | Err(_) => {
                let example = json!([{ "uses": "email", "with": { "to": "ops@example.org", "subject": "…" } }]);
                Err(format!("a list of callbacks such as `{example}`, in a variable as JSON"))
            }
        }
    }

    fn show(&self) -> Value {
        redact("", &json!(self.0))
    }
}

/// How much Flow says about itself: a level for all, and others for modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Levels(pub(crate) String);

impl Setting for Levels {
    const KIND: &'static str = "levels";

    fn read(text: &str) -> Result<Self, String> {
        let is_level = |level: &str| ["error", "warn", "info", "debug", "trace", "off"].contains(&level);
        let is_module =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        let is_right = text.split(',').all(|part| match part.trim().split_once('=') {
            Some((module, level)) => is_module(module) && is_level(level),
            None => is_level(part.trim()),
        });
        let wrong = "`error`, `warn`, `info`, `debug` or `trace`, and for modules such as `info,flow_runtime=debug`";
        if is_right { Ok(Self(text.replace(' ', ""))) } else { Err(wrong.to_owned()) }
    }

    fn show(&self) -> Value {
        json!(self.0)
    }
}

/// The name of a host; none = its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host(pub(crate) String);

impl Setting for Host {
    const KIND: &'static str = "host name, or nothing";

    fn read(text: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if text.chars().all(is_plain) { Ok(Self(text.to_owned())) } else { Err("a host name or an address".to_owned()) }
    }

    fn show(&self) -> Value {
        json!(self.0)
    }
}

/// A path that may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionalPath(pub(crate) Option<PathBuf>);

impl Setting for OptionalPath {
    const KIND: &'static str = "whole path, or nothing";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "" => Ok(Self(None)),
            path if path.starts_with('/') => Ok(Self(Some(PathBuf::from(path)))),
            _ => Err("a path from the root on".to_owned()),
        }
    }

    fn show(&self) -> Value {
        json!(self.0.as_ref().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default())
    }
}

/// A URL that may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url(pub(crate) Option<String>);

impl Setting for Url {
    const KIND: &'static str = "URL, or nothing";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "" => Ok(Self(None)),
            url if url.contains("://") => Ok(Self(Some(url.to_owned()))),
            _ => Err("a URL such as `s3://bucket/logs` or `file:///mnt/logs`".to_owned()),
        }
    }

    fn show(&self) -> Value {
        json!(self.0.as_deref().unwrap_or_default())
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Units of sizes, the longer names first.
const SIZES: [(&str, u32); 9] =
    [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("K", 10), ("M", 20), ("G", 30), ("T", 40), ("B", 0)];

impl Setting for Size {
    const KIND: &'static str = "size";

    fn read(text: &str) -> Result<Self, String> {
        let (digits, bits) =
            SIZES.iter().find_map(|(name, bits)| Some((text.strip_suffix(name)?, *bits))).unwrap_or((text, 0));
        let number = digits.trim_end().parse::<u64>().ok();
        let bytes = number.and_then(|number| number.checked_mul(1 << bits));
        bytes.map(Self).ok_or_else(|| "a size such as `500MiB` or `20GiB`, or 0".to_owned())
    }

    fn show(&self) -> Value {
        let fits = |bits: u32| self.0 > 0 && self.0.is_multiple_of(1 << bits);
        let unit = SIZES[..4].iter().rev().find(|(_, bits)| fits(*bits));
        json!(unit.map_or_else(|| self.0.to_string(), |(name, bits)| format!("{}{name}", self.0 >> bits)))
    }
}

/// Units of durations, the largest first.
const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];

/// Reads `90` (seconds), `500ms`, `30s`, `10m`, `1h30m`, `2d`, `1w`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u64>() {
        return (seconds <= u64::from(u32::MAX)).then(|| Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (name, unit) = UNITS.iter().find(|(name, _)| rest.starts_with(name))?;
        rest = &rest[name.len()..];
        millis = millis.checked_add(number.checked_mul(*unit)?)?;
    }
    (!text.is_empty() && millis <= 1_000 * u64::from(u32::MAX)).then(|| Duration::from_millis(millis))
}

/// Writes a duration as [`duration`] reads it: `1h30m`, `250ms`.
pub(crate) fn in_words(span: Duration) -> String {
    let mut millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, unit) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if millis >= unit {
            text.push_str(&format!("{}{name}", millis / unit));
            millis %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(text: &str, millis: Option<u64>) {
        assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        check_duration("90", Some(90_000));
        check_duration("500ms", Some(500));
        check_duration("1h30m", Some(5_400_000));
        check_duration("2d", Some(172_800_000));
        check_duration("1m5ms", Some(60_005));
        check_duration("", None);
        check_duration("m", None);
        check_duration("5x", None);
        check_duration("5 m", None);
        check_duration("-5m", None);
        check_duration("99999999999999999999w", None);
        check_duration("9999999999w", None);
    }

    #[test]
    fn levels_are_for_all_and_for_modules() {
        for right in ["info", "off", "warn,flow_runtime=debug,sqlx::query=trace"] {
            assert_eq!(Levels::read(right), Ok(Levels(right.to_owned())));
        }
        assert_eq!(Levels::read("info, flow=debug"), Ok(Levels("info,flow=debug".to_owned())));
        for wrong in ["", "INFO", "loud", "flow", "flow=", "=info", "flow=loud", "info,", "[a]=info"] {
            assert!(Levels::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes, shown) in [
            ("0", 0, "0"),
            ("700", 700, "700"),
            ("20GiB", 20 << 30, "20GiB"),
            ("1536M", 1536 << 20, "1536MiB"),
            ("1 KiB", 1024, "1KiB"),
            ("5B", 5, "5"),
        ] {
            assert_eq!(Size::read(text), Ok(Size(bytes)));
            assert_eq!(Size(bytes).show(), json!(shown));
        }
        for wrong in ["", "G", "-1", "1.5G", "20GB!", "99999999999T"] {
            assert!(Size::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_may_come_in_and_from_where_is_read() {
        assert_eq!(AnonymousRole::read(""), Ok(AnonymousRole(None)));
        assert_eq!(AnonymousRole::read("Viewer"), Ok(AnonymousRole(Some(flow_server::Role::Viewer))));
        assert!(AnonymousRole::read("Root").is_err());
        assert_eq!(Hosts::read(""), Ok(Hosts(Vec::new())));
        assert_eq!(Hosts::read("Flow.Example.com, other:81").unwrap().0, ["flow.example.com", "other:81"]);
        for wrong in ["https://x", "a,,b", "a/b", "*"] {
            assert!(Hosts::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Proxies::read("127.0.0.1, 10.0.0.0/8").unwrap().show(), json!(["127.0.0.1", "10.0.0.0/8"]));
        assert!(Proxies::read("proxy").is_err() && Proxies::read("").unwrap().0.is_empty());
    }

    #[test]
    fn what_metrics_want_is_read() {
        assert_eq!(Listen::read(""), Ok(Listen(None)));
        assert_eq!(Listen::read("[::1]:9102").unwrap().show(), json!("[::1]:9102"));
        assert!(Listen::read("9102").is_err() && Listen::read("localhost:9102").is_err());
        assert_eq!(Prefix::read(""), Ok(Prefix(String::new())));
        assert!(Prefix::read("air flow").is_err() && Prefix::read("a:b").is_err());
        assert_eq!(Patterns::read("^scheduler, pool").unwrap().show(), json!(["^scheduler", "pool"]));
        assert!(Patterns::read("").unwrap().0.is_empty() && Patterns::read("(").is_err());
    }

    #[test]
    fn a_shown_duration_is_read_back_as_the_same() {
        for millis in [0, 1, 999, 1_000, 61_001, 86_400_000, 90_061_001] {
            let span = Duration::from_millis(millis);
            assert_eq!(duration(&in_words(span)), Some(span), "{}", in_words(span));
        }
    }
}
