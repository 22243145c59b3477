//! Mistakes in arguments, and their words.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::{catalog::ArgError, dag::nearest};

/// The first mistake of a deserialisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Keys and indexes from the arguments down to the mistake.
    pub(super) route: Vec<String>,
    pub(super) kind: Kind,
    /// It is about the key at the end of the route.
    pub(super) is_about_key: bool,
    /// It is about a stand-in for a value that is not known yet: no mistake of the writer's.
    pub(super) is_open: bool,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The key at the end of the route is none of these.
    Unknown { known: Vec<&'static str> },
    /// The map at the end of the route lacks this key.
    Missing(String),
    /// The word at the end of the route is none of these.
    Word { written: String, known: Vec<&'static str> },
    /// The value is of another type: "must be …, not …".
    Type(String),
    /// Anything else, in the type's own words.
    Other(String),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl Mistake {
    fn new(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Says that it happened below `step`.
    pub(super) fn below(mut self, step: &str) -> Self {
        self.route.insert(0, step.to_owned());
        self
    }

    /// Puts it into words.
    pub(super) fn explain(self) -> ArgError {
        let name = name_of(&self.route);
        let mut about_key = self.is_about_key;
        let (message, help) = match self.kind {
            Kind::Unknown { known } => {
                about_key = true;
                let key = self.route.last().map_or("", String::as_str);
                let help = if self.route.len() > 1 {
                    nearest::meant_or_known(key, &known, 12)
                } else {
                    nearest::did_you_mean(key, known.iter().copied())
                };
                (format!("unknown key `{name}`"), help)
            }
            Kind::Missing(key) if self.route.is_empty() => (format!("`{key}` is missing"), None),
            Kind::Missing(key) => (format!("`{key}` is missing in `{name}`"), None),
            Kind::Word { written, known } => {
                (format!("`{name}` cannot be `{written}`"), nearest::meant_or_known(&written, &known, 20))
            }
            Kind::Type(words) => (format!("`{name}` {words}"), None),
            Kind::Other(words) if self.route.is_empty() => (words, None),
            Kind::Other(words) if words.starts_with("data did not match any variant") => {
                (format!("`{name}` has a form that cannot stand here"), None)
            }
            Kind::Other(words) if is_predicate(&words) => (format!("`{name}` {words}"), None),
            Kind::Other(words) => (format!("`{name}`: {words}"), None),
        };
        ArgError { route: self.route, message, help, about_key }
    }
}

fn is_predicate(words: &str) -> bool {
    ["must ", "cannot ", "needs ", "is ", "has ", "may "].iter().any(|start| words.starts_with(start))
}

/// Writes a route as people do: `messages[0].key`.
fn name_of(route: &[String]) -> String {
    let mut name = String::new();
    for (ix, step) in route.iter().enumerate() {
        if ix > 0 && step.bytes().all(|byte| byte.is_ascii_digit()) {
            name.push_str(&format!("[{step}]"));
        } else {
            if ix > 0 {
                name.push('.');
            }
            name.push_str(step);
        }
    }
    name
}

/// What a type expects, in words of the format.
fn expected_words(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    let plain = match words.as_str() {
        "a string" | "a borrowed string" | "string" | "a character" => "text",
        "a boolean" | "bool" => "`true` or `false`",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" | "u128" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" | "i128" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "unit" => "nothing",
        other if other.starts_with("struct ") => "a map",
        other if other.starts_with("enum ") => "a word or a map with one key",
        _ => return words,
    };
    plain.to_owned()
}

fn unexpected_words(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("`{number}`"),
        Unexpected::Signed(number) => format!("`{number}`"),
        Unexpected::Float(number) => format!("`{number}`"),
        Unexpected::Str("") => "an empty text".to_owned(),
        Unexpected::Str(text) => {
            let short: String = text.lines().next().unwrap_or_default().chars().take(40).collect();
            if short.len() < text.len() { format!("`{short}…`") } else { format!("`{short}`") }
        }
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        Unexpected::Char(_)
        | Unexpected::Bytes(_)
        | Unexpected::NewtypeStruct
        | Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant
        | Unexpected::Other(_) => "this".to_owned(),
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.clone().explain().message)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let words = message.to_string();
        // Types that flatten others report unknown keys in this way only.
        let unknown = words.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        match unknown {
            Some(key) => Self { route: vec![key.to_owned()], ..Self::new(Kind::Unknown { known: Vec::new() }) },
            None => Self::new(Kind::Other(words)),
        }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let words = format!("must be {}, not {}", expected_words(expected), unexpected_words(&unexpected));
        Self::new(Kind::Type(words))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(Kind::Type(format!("must be {}, and has {length} items", expected_words(expected))))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Word { written: variant.to_owned(), known: expected.to_vec() })
    }

    fn unknown_field(_field: &str, expected: &'static [&'static str]) -> Self {
        // The map that reads the key adds it to the route.
        Self::new(Kind::Unknown { known: expected.to_vec() })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field.to_owned()))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Kind::Other(format!("`{field}` is there twice, under two names")))
    }
}
