//! Writes values as Python writes them: `True`, `None`, `['a']`, `{'k': 1.0}`.
//!
//! Templates come from people who know Jinja, and shell commands that were written against Airflow compare
//! with these spellings.

use std::fmt::{self, Write};

use minijinja::{
    Error, Value,
    value::{Tuple, ValueKind},
};

use super::{
    args::{bad, undefined},
    limits::DEPTH_MAX,
    moment::Moment,
    operators::TEXT_MAX,
    span::Span,
};

/// Writes `str(value)`.
pub(super) fn write_str(out: &mut String, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) => out.push_str(text),
        None if value.downcast_object_ref::<Moment>().is_some() || value.downcast_object_ref::<Span>().is_some() => {
            write!(out, "{value}").map_err(Error::from)?;
        }
        None if value.is_undefined() => {}
        None => write_repr(out, value, 0)?,
    }
    Ok(())
}

/// Returns `str(value)`.
pub(super) fn str(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write_str(&mut out, value)?;
    Ok(out)
}

/// Returns `repr(value)`.
pub(super) fn repr(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write_repr(&mut out, value, 0)?;
    Ok(out)
}

/// Writes `repr(value)`.
#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are another crate's, and open")]
fn write_repr(out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(bad(format!("value is nested more than {DEPTH_MAX} deep")));
    }
    if out.len() > TEXT_MAX {
        return Err(bad(format!("value prints to more than {} MiB", TEXT_MAX >> 20)));
    }
    if let Some(moment) = value.downcast_object_ref::<Moment>() {
        return moment.write_repr(out).map_err(Error::from);
    }
    if let Some(span) = value.downcast_object_ref::<Span>() {
        return span.write_repr(out).map_err(Error::from);
    }
    match value.kind() {
        ValueKind::Undefined => return Err(undefined(value)),
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if value.is_integer() => write!(out, "{value}")?,
        ValueKind::Number => write_float(out, f64::try_from(value.clone()).unwrap_or(f64::NAN))?,
        ValueKind::String => write_quoted(out, value.as_str().unwrap_or_default())?,
        ValueKind::Seq | ValueKind::Iterable => {
            let tuple = value.downcast_object_ref::<Tuple>();
            out.push(if tuple.is_some() { '(' } else { '[' });
            for (index, item) in value.try_iter()?.checked().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(out, &item?, depth + 1)?;
            }
            match tuple {
                Some(tuple) if tuple.len() == 1 => out.push_str(",)"),
                Some(_) => out.push(')'),
                None => out.push(']'),
            }
        }
        ValueKind::Map if value.len().is_some() && !is_named_object(value) => {
            out.push('{');
            for (index, key) in value.try_iter()?.checked().enumerate() {
                let key = key?;
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(out, &key, depth + 1)?;
                out.push_str(": ");
                write_repr(out, &value.get_item(&key)?, depth + 1)?;
            }
            out.push('}');
        }
        _ => write!(out, "{value}")?,
    }
    Ok(())
}

/// Says whether a map prints itself: `dag`, `ti` and the like, which are objects in Python.
fn is_named_object(value: &Value) -> bool {
    value.downcast_object_ref::<super::scope::Record>().is_some()
}

/// Writes a float as `repr` does: the shortest digits that read back, an exponent only when far from one.
pub(super) fn write_float(out: &mut String, number: f64) -> fmt::Result {
    if number.is_nan() {
        return out.write_str("nan");
    }
    if number.is_infinite() {
        return out.write_str(if number > 0.0 { "inf" } else { "-inf" });
    }
    let text = format!("{number:?}");
    if let Some((digits, exponent)) = text.split_once('e') {
        let digits = digits.strip_suffix(".0").unwrap_or(digits);
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        return write!(out, "{digits}e{sign}{exponent:0>2}");
    }
    if number != 0.0 && number.abs() < 1e-4 {
        let text = format!("{number:e}");
        if let Some((digits, exponent)) = text.split_once("e-") {
            return write!(out, "{digits}e-{exponent:0>2}");
        }
    }
    out.write_str(&text)
}

/// Writes text in quotes: single ones, unless only single ones occur in it.
fn write_quoted(out: &mut String, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => match u32::from(c) {
                code @ 0..=0xff => write!(out, "\\x{code:02x}")?,
                code => write!(out, "\\u{code:04x}")?,
            },
            c => out.push(c),
        }
    }
    out.push(quote);
    Ok(())
}
