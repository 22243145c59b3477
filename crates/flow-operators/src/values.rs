//! Values that users may write in more than one way.
//!
//! Each reads every form through one visitor, so that a wrong value gives one clear sentence.

use std::{collections::BTreeMap, fmt, time::Duration};

use flow_core::template::{Expression, TemplateError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A span of time: a number, or `5m`, `1h30m`, `PT5M`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Without a unit: seconds, or what Airflow takes it for.
    Number(f64),
    /// With a unit.
    Exact(Duration),
}

/// The longest span: a hundred years.
const LONGEST: f64 = 100.0 * 366.0 * 86_400.0;

impl Span {
    /// Makes a span of seconds.
    pub const fn seconds(seconds: f64) -> Self {
        Self::Number(seconds)
    }

    /// Returns the span; a number counts seconds.
    pub fn duration(self) -> Duration {
        self.duration_with_unit(1.0)
    }

    /// Returns the span; a number counts units of so many seconds.
    pub fn duration_with_unit(self, unit: f64) -> Duration {
        match self {
            Self::Number(number) => Duration::from_secs_f64((number * unit).clamp(0.0, LONGEST)),
            Self::Exact(duration) => duration.min(Duration::from_secs_f64(LONGEST)),
        }
    }

    /// Reads a span as users write it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(number) = text.parse::<f64>() {
            return (number.is_finite() && number >= 0.0).then_some(Self::Number(number));
        }
        if text.starts_with(['P', 'p']) {
            let span: jiff::SignedDuration = text.parse().ok()?;
            return Duration::try_from(span).ok().map(Self::Exact);
        }
        units(text).map(|seconds| Self::Exact(Duration::from_secs_f64(seconds)))
    }
}

/// Reads `1h30m`: numbers with units, at least one.
fn units(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        seconds += number * unit;
        rest = &rest[letters..];
    }
    (seconds <= LONGEST).then_some(seconds)
}

/// A truth value; rendered templates bring it as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

/// A string, or a list of strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OneOrMany {
    pub items: Vec<String>,
    /// It was written as a list.
    pub is_list: bool,
}

/// A string; numbers and truth values are taken as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scalar(pub String);

/// Exit codes: one, several, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitCodes(pub Vec<i32>);

/// An expression over names of its own, such as `status_code == 200`; checked when the file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr(pub String);

impl Expr {
    /// Compiles it, to be evaluated often.
    ///
    /// # Errors
    ///
    /// The first mistake.
    pub fn compile(&self) -> Result<Expression<'_>, TemplateError> {
        Expression::new(&self.0)
    }
}

/// Environment variables.
pub type Env = BTreeMap<String, Scalar>;

macro_rules! visited {
    ($name:ident, $expecting:literal, $schema:expr, { $($visit:item)* }) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> de::Visitor<'de> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    $($visit)*
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

visited!(
    Span,
    "a duration such as `5m` or `1h30m`, or a number of seconds",
    json_schema!({ "type": ["number", "string"], "minimum": 0, "format": "duration" }),
    {
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Span, E> {
            self.visit_f64(number as f64)
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Span, E> {
            self.visit_f64(number as f64)
        }
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<Span, E> {
            if number.is_finite() && (0.0..=LONGEST).contains(&number) {
                Ok(Span::Number(number))
            } else {
                Err(E::custom(format!("must be a duration between 0 and 100 years, not `{number}`")))
            }
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
            Span::parse(text)
                .ok_or_else(|| E::custom(format!("must be a duration such as `5m` or `1h30m`, not `{text}`")))
        }
    }
);

visited!(Flag, "true or false", json_schema!({ "type": "boolean" }), {
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(value))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Flag, E> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Flag(true)),
            "false" | "0" | "none" | "" => Ok(Flag(false)),
            _ => Err(E::custom(format!("must be true or false, not `{text}`"))),
        }
    }
});

visited!(
    OneOrMany,
    "a string or a list of strings",
    json_schema!({ "type": ["string", "array"], "items": { "type": "string" } }),
    {
        fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
            Ok(OneOrMany { items: vec![text.to_owned()], is_list: false })
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = seq.next_element::<String>()? {
                items.push(item);
            }
            Ok(OneOrMany { items, is_list: true })
        }
    }
);

visited!(Scalar, "a string", json_schema!({ "type": ["string", "number", "boolean"] }), {
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(text.to_owned()))
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
});

visited!(
    ExitCodes,
    "an exit code, a list of exit codes, or null",
    json_schema!({ "type": ["integer", "array", "null"], "items": { "type": "integer" } }),
    {
        fn visit_u64<E: de::Error>(self, code: u64) -> Result<ExitCodes, E> {
            i32::try_from(code)
                .map(|code| ExitCodes(vec![code]))
                .map_err(|_| E::custom(format!("`{code}` is no exit code")))
        }
        fn visit_i64<E: de::Error>(self, code: i64) -> Result<ExitCodes, E> {
            i32::try_from(code)
                .map(|code| ExitCodes(vec![code]))
                .map_err(|_| E::custom(format!("`{code}` is no exit code")))
        }
        fn visit_unit<E: de::Error>(self) -> Result<ExitCodes, E> {
            Ok(ExitCodes(Vec::new()))
        }
        fn visit_none<E: de::Error>(self) -> Result<ExitCodes, E> {
            Ok(ExitCodes(Vec::new()))
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<ExitCodes, A::Error> {
            let mut codes = Vec::new();
            while let Some(code) = seq.next_element::<i32>()? {
                codes.push(code);
            }
            Ok(ExitCodes(codes))
        }
    }
);

visited!(Expr, "an expression such as `status_code == 200`", json_schema!({ "type": "string" }), {
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Expr, E> {
        match Expression::new(text) {
            Ok(_) => Ok(Expr(text.to_owned())),
            Err(error) => Err(E::custom(format!("is no expression: {error}"))),
        }
    }
});

impl serde::Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) if number.fract() == 0.0 => serializer.serialize_u64(*number as u64),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Exact(duration) => serializer.serialize_f64(duration.as_secs_f64()),
        }
    }
}

impl serde::Serialize for ExitCodes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_i32(*one),
            many => serializer.collect_seq(many),
        }
    }
}

impl serde::Serialize for Flag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_span_is_a_number_or_has_units() {
        check("90", Some(90.0));
        check("1.5", Some(1.5));
        check("30s", Some(30.0));
        check("1h30m", Some(5_400.0));
        check("2d", Some(172_800.0));
        check("1w", Some(604_800.0));
        check("PT5M", Some(300.0));
        check("250ms", Some(0.25));
        check("", None);
        check("5", Some(5.0));
        check("5x", None);
        check("m", None);
        check("-5", None);
        check("inf", None);
        check("NaN", None);
        check("999999999999w", None);
        check("5m3", None);
    }

    #[track_caller]
    fn check(text: &str, expected: Option<f64>) {
        assert_eq!(Span::parse(text).map(|span| span.duration().as_secs_f64()), expected, "{text}");
    }

    #[test]
    fn a_span_never_overflows() {
        assert!(serde_json::from_value::<Span>(json!(1e300)).is_err());
        assert!(serde_json::from_value::<Span>(json!(-1)).is_err());
        assert_eq!(Span::Number(1e300).duration_with_unit(60.0).as_secs_f64(), LONGEST);
    }

    #[test]
    fn exit_codes_are_one_several_or_none() {
        let read = |value| serde_json::from_value::<ExitCodes>(value).map(|codes| codes.0).ok();
        assert_eq!(read(json!(99)), Some(vec![99]));
        assert_eq!(read(json!([1, 2])), Some(vec![1, 2]));
        assert_eq!(read(json!(null)), Some(vec![]));
        assert_eq!(read(json!("99")), None);
    }

    #[test]
    fn a_rendered_flag_may_be_text() {
        let read = |value| serde_json::from_value::<Flag>(value).map(|flag| flag.0).ok();
        assert_eq!(read(json!(true)), Some(true));
        assert_eq!(read(json!("True")), Some(true));
        assert_eq!(read(json!("False")), Some(false));
        assert_eq!(read(json!("perhaps")), None);
    }
}
