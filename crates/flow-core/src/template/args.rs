//! Reads the arguments of a call from a template, positional and named, as Python would.
//!
//! Knows nothing of the functions it serves; each names its parameters in order and gets its values.

use minijinja::{Error, ErrorKind, Value, value::Kwargs};

/// The arguments of one call.
pub(super) struct Args<'a> {
    function: &'a str,
    positional: &'a [Value],
    named: Kwargs,
    next: usize,
}

impl<'a> Args<'a> {
    /// Takes the arguments of a call of `function`.
    pub(super) fn new(function: &'a str, args: &'a [Value]) -> Result<Self, Error> {
        let (positional, named) = match args.split_last() {
            Some((last, rest)) if last.is_kwargs() => (rest, Kwargs::try_from(last.clone())?),
            Some(_) | None => (args, Kwargs::from_iter(Vec::<(String, Value)>::new())),
        };
        Ok(Self { function, positional, named, next: 0 })
    }

    /// Returns the next parameter, whichever way it was given; `None` when it was not given.
    pub(super) fn optional(&mut self, name: &str) -> Result<Option<Value>, Error> {
        let named = if self.named.has(name) { Some(self.named.get::<Value>(name)?) } else { None };
        let value = match self.positional.get(self.next) {
            Some(value) => {
                self.next += 1;
                if named.is_some() {
                    return Err(bad(format!("{}() got `{name}` twice", self.function)));
                }
                Some(value.clone())
            }
            None => named,
        };
        match value {
            Some(value) if value.is_undefined() => Err(undefined(&value)),
            value => Ok(value),
        }
    }

    /// Returns a parameter that must be given by name.
    pub(super) fn keyword(&self, name: &str) -> Result<Option<Value>, Error> {
        if self.named.has(name) { self.named.get::<Value>(name).map(Some) } else { Ok(None) }
    }

    /// Returns the next parameter, which must be given.
    pub(super) fn required(&mut self, name: &str) -> Result<Value, Error> {
        self.optional(name)?.ok_or_else(|| bad(format!("{}() needs `{name}`", self.function)))
    }

    /// Returns the next parameter as text.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Error> {
        let value = self.required(name)?;
        Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// Returns the next parameter as a whole number, or `default`.
    pub(super) fn int_or(&mut self, name: &str, default: i64) -> Result<i64, Error> {
        self.optional(name)?.map_or(Ok(default), |value| whole(self.function, name, &value))
    }

    /// Returns the next parameter as a whole number.
    pub(super) fn int(&mut self, name: &str) -> Result<i64, Error> {
        let value = self.required(name)?;
        whole(self.function, name, &value)
    }

    /// Returns the next parameter as a number, or zero.
    pub(super) fn number(&mut self, name: &str) -> Result<f64, Error> {
        let Some(value) = self.optional(name)? else { return Ok(0.0) };
        if !value.is_number() {
            return Err(bad(format!("{}() wants a number for `{name}`, not {}", self.function, value.kind())));
        }
        f64::try_from(value).map_err(|_| bad(format!("`{name}` of {}() is too large", self.function)))
    }

    /// Complains about what nobody asked for.
    pub(super) fn finish(self) -> Result<(), Error> {
        if self.next < self.positional.len() {
            return Err(bad(format!("{}() takes at most {} positional arguments", self.function, self.next)));
        }
        self.named
            .assert_all_used()
            .map_err(|error| bad(format!("{}(): {}", self.function, error.detail().unwrap_or("unknown argument"))))
    }
}

fn whole(function: &str, name: &str, value: &Value) -> Result<i64, Error> {
    if !value.is_number() {
        return Err(bad(format!("{function}() wants a whole number for `{name}`, not {}", value.kind())));
    }
    value.as_i64().ok_or_else(|| bad(format!("{function}() wants a whole number for `{name}`, not {value}")))
}

/// Makes an error of a sentence.
pub(super) fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// What a person could do about an error; travels as the error's source.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Help(pub(super) String);

/// Makes an error of a sentence and what could be done about it.
pub(super) fn bad_with_help(message: impl Into<String>, help: impl Into<String>) -> Error {
    bad(message).with_source(Help(help.into()))
}

/// Makes the engine's own error about an undefined value, which remembers where the value came from.
pub(super) fn undefined(value: &Value) -> Error {
    value.get_attr("").err().unwrap_or_else(|| Error::from(ErrorKind::UndefinedError))
}
