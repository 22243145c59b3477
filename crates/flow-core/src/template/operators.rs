//! What `+`, `-`, `*`, `%`, `~` and the comparisons do, beyond numbers and text.
//!
//! The engine's own operators know neither times nor Python's `'%s' % value`. Compiled templates call these
//! functions instead (see [`super::program`]); names are the operators themselves, so that no template can
//! hide them.

use std::cmp::Ordering;

use minijinja::{
    Environment, Error, State, Value,
    formatting::{FormatStyle, format},
    value::{Tuple, ValueKind},
};

use super::{
    args::{bad, undefined},
    moment::Moment,
    python,
    span::Span,
};

/// How many bytes of text one rendering may make, all steps together.
pub(super) const TEXT_MAX: usize = 16 << 20;

/// Bytes of text made so far.
#[derive(Default)]
struct Made(usize);

/// Items of a list from which on it counts like text. What a run brings is never so long.
const LONG_LIST: usize = 100_000;

/// Counts what a filter, method or function has made, and hands it on.
pub(super) fn counted(state: &mut State<'_, '_>, value: Value) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        count(state, text.len())?;
    } else if let Some(length) = value.len().filter(|length| *length > LONG_LIST) {
        count(state, length.saturating_mul(size_of::<Value>()))?;
    }
    Ok(value)
}

/// Fails when there is no room for so much text. For those whose result is counted, before they make it.
pub(super) fn afford(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let made = state.get_or_insert_extension(Made::default()).0;
    if made.saturating_add(bytes) > TEXT_MAX { Err(too_much()) } else { Ok(()) }
}

/// The failure of a template that makes too much text.
pub(super) fn too_much() -> Error {
    bad(format!("template makes more than {} MiB of text", TEXT_MAX >> 20))
}

/// Counts text that was made; fails when a rendering makes too much.
pub(super) fn count(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let made = state.get_or_insert_extension(Made::default());
    made.0 = made.0.saturating_add(bytes);
    if made.0 > TEXT_MAX {
        return Err(too_much());
    }
    Ok(())
}

/// Makes the operators known.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_function("+", |state: &mut State<'_, '_>, a: Value, b: Value| add(state, &a, &b));
    environment.add_function("-", |a: Value, b: Value| subtract(&a, &b));
    environment.add_function("*", |state: &mut State<'_, '_>, a: Value, b: Value| multiply(state, &a, &b));
    environment.add_function("%", |state: &mut State<'_, '_>, a: Value, b: Value| remainder(state, &a, &b));
    environment.add_function("~", |state: &mut State<'_, '_>, a: Value, b: Value| concatenate(state, &a, &b));
    environment.add_function("<", |a: Value, b: Value| compare("<", &a, &b).map(Ordering::is_lt));
    environment.add_function("<=", |a: Value, b: Value| compare("<=", &a, &b).map(Ordering::is_le));
    environment.add_function(">", |a: Value, b: Value| compare(">", &a, &b).map(Ordering::is_gt));
    environment.add_function(">=", |a: Value, b: Value| compare(">=", &a, &b).map(Ordering::is_ge));
}

/// Fails when an operand is undefined, naming it.
fn defined(a: &Value, b: &Value) -> Result<(), Error> {
    [a, b].into_iter().find(|value| value.is_undefined()).map_or(Ok(()), |value| Err(undefined(value)))
}

fn moment(value: &Value) -> Option<&Moment> {
    value.downcast_object_ref()
}

fn span(value: &Value) -> Option<&Span> {
    value.downcast_object_ref()
}

fn impossible(operator: &str, a: &Value, b: &Value) -> Error {
    bad(format!("`{operator}` does not go with {} and {}", name(a), name(b)))
}

/// What a person calls this kind of value.
#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are another crate's, and open")]
fn name(value: &Value) -> String {
    match (moment(value), span(value)) {
        (Some(Moment::Date(_)), _) => "a date".to_owned(),
        (Some(Moment::Zoned(_)), _) => "a time".to_owned(),
        (Some(Moment::Naive(_)), _) => "a time without a zone".to_owned(),
        (None, Some(_)) => "a timedelta".to_owned(),
        (None, None) => match value.kind() {
            ValueKind::None => "None".to_owned(),
            kind => format!("a {kind}"),
        },
    }
}

fn add(state: &mut State<'_, '_>, a: &Value, b: &Value) -> Result<Value, Error> {
    defined(a, b)?;
    match (moment(a), span(a), moment(b), span(b)) {
        (Some(at), _, _, Some(by)) | (_, Some(by), Some(at), _) => at.plus(by, 1).map(Value::from_object),
        (_, Some(x), _, Some(y)) => Ok(Value::from_object(Span::from_micros(x.micros().saturating_add(y.micros())))),
        (None, None, None, None) => plain_add(state, a, b),
        (_, _, _, _) => Err(impossible("+", a, b)),
    }
}

/// Numbers, text, lists, tuples.
fn plain_add(state: &mut State<'_, '_>, a: &Value, b: &Value) -> Result<Value, Error> {
    if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
        count(state, x.len() + y.len())?;
        return Ok(Value::from([x, y].concat()));
    }
    if is_list(a) && is_list(b) && a.is_tuple() == b.is_tuple() {
        let items: Vec<Value> = a.try_iter()?.checked().chain(b.try_iter()?.checked()).collect::<Result<_, _>>()?;
        count(state, items.len().saturating_mul(size_of::<Value>()))?;
        return Ok(if a.is_tuple() { Value::from(Tuple::from(items)) } else { Value::from(items) });
    }
    number(a, b, "+", i64::checked_add, |x, y| x + y)
}

fn subtract(a: &Value, b: &Value) -> Result<Value, Error> {
    defined(a, b)?;
    match (moment(a), span(a), moment(b), span(b)) {
        (Some(at), _, _, Some(by)) => at.plus(by, -1).map(Value::from_object),
        (Some(later), _, Some(earlier), _) => later.minus(earlier).map(Value::from_object),
        (_, Some(x), _, Some(y)) => Ok(Value::from_object(Span::from_micros(x.micros().saturating_sub(y.micros())))),
        (None, None, None, None) => number(a, b, "-", i64::checked_sub, |x, y| x - y),
        (_, _, _, _) => Err(impossible("-", a, b)),
    }
}

fn multiply(state: &mut State<'_, '_>, a: &Value, b: &Value) -> Result<Value, Error> {
    defined(a, b)?;
    if let Some((length, factor)) = span(a).map(|x| (x, b)).or_else(|| span(b).map(|x| (x, a))) {
        let micros = factor.as_i64().and_then(|factor| length.micros().checked_mul(factor));
        return micros.map(|micros| Value::from_object(Span::from_micros(micros))).ok_or_else(|| impossible("*", a, b));
    }
    let repeated = [(a, b), (b, a)].into_iter().find(|(x, n)| (x.as_str().is_some() || is_list(x)) && n.is_integer());
    if let Some((what, times)) = repeated {
        let times = usize::try_from(times.as_i64().unwrap_or(i64::MAX).max(0)).unwrap_or(usize::MAX);
        if let Some(text) = what.as_str() {
            count(state, text.len().saturating_mul(times))?;
            return Ok(Value::from(text.repeat(times)));
        }
        let items: Vec<Value> = what.try_iter()?.checked().collect::<Result<_, _>>()?;
        count(state, items.len().saturating_mul(times).saturating_mul(size_of::<Value>()))?;
        let items: Vec<Value> = std::iter::repeat_n(items, times).flatten().collect();
        return Ok(if what.is_tuple() { Value::from(Tuple::from(items)) } else { Value::from(items) });
    }
    number(a, b, "*", i64::checked_mul, |x, y| x * y)
}

fn remainder(state: &mut State<'_, '_>, a: &Value, b: &Value) -> Result<Value, Error> {
    defined(a, b)?;
    if let Some(pattern) = a.as_str() {
        let values: Vec<Value> = match b.downcast_object_ref::<Tuple>() {
            Some(tuple) => tuple.iter().map(printable).collect::<Result<_, _>>()?,
            None => vec![printable(b)?],
        };
        let text = fill_pattern(state, FormatStyle::Printf, pattern, &values)?;
        count(state, text.len())?;
        return Ok(Value::from(text));
    }
    let is_zero = |value: &Value| f64::try_from(value.clone()).is_ok_and(|n| n == 0.0);
    if is_zero(b) {
        return Err(bad("modulo by zero"));
    }
    let floor = |x: i64, y: i64| {
        let rest = x.checked_rem(y)?;
        Some(if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest })
    };
    number(a, b, "%", floor, |x, y| x - y * (x / y).floor())
}

/// Fills in a pattern, without trusting the widths it asks for. The text is the caller's to count.
pub(super) fn fill_pattern(
    state: &mut State<'_, '_>,
    style: FormatStyle,
    pattern: &str,
    values: &[Value],
) -> Result<String, Error> {
    const WIDTH_MAX: i64 = 10_000;
    let is_wide = pattern
        .split(|c: char| !c.is_ascii_digit())
        .any(|digits| !digits.is_empty() && digits.parse::<i64>().map_or(true, |width| width > WIDTH_MAX));
    // A width may also come from the values: `%*d`, `{:{}}`.
    let from_values = pattern.contains('*') || pattern.contains(":{");
    if is_wide || (from_values && values.iter().any(|value| value.as_i64().is_some_and(|n| n.abs() > WIDTH_MAX))) {
        return Err(bad(format!("format is wider than {WIDTH_MAX}")));
    }
    // A hole with a name or number may ask for the same value again and again; one without takes the next.
    let again = pattern.matches("%(").count()
        + pattern.match_indices('{').filter(|(at, _)| pattern[at + 1..].starts_with(char::is_alphanumeric)).count();
    let lengths: Vec<usize> = values.iter().map(printed_length).collect::<Result<_, _>>()?;
    let longest = lengths.iter().max().copied().unwrap_or(0);
    afford(state, lengths.iter().sum::<usize>().max(again.saturating_mul(longest)).saturating_add(pattern.len()))?;
    format(style, pattern, values)
}

fn printed_length(value: &Value) -> Result<usize, Error> {
    value.as_str().map_or_else(|| python::str(value).map(|text| text.len()), |text| Ok(text.len()))
}

/// What `%s` should print: our own objects as text, everything else as it is.
fn printable(value: &Value) -> Result<Value, Error> {
    if value.is_number() || value.as_str().is_some() || (value.kind() == ValueKind::Map && moment(value).is_none()) {
        return Ok(value.clone());
    }
    python::str(value).map(Value::from)
}

fn concatenate(state: &mut State<'_, '_>, a: &Value, b: &Value) -> Result<Value, Error> {
    defined(a, b)?;
    let mut text = python::str(a)?;
    python::write_str(&mut text, b)?;
    count(state, text.len())?;
    Ok(Value::from(text))
}

fn compare(operator: &str, a: &Value, b: &Value) -> Result<Ordering, Error> {
    defined(a, b)?;
    let comparable = match (moment(a), moment(b), span(a), span(b)) {
        (Some(x), Some(y), _, _) => x.is_comparable(y),
        (None, None, Some(_), Some(_)) => true,
        (None, None, None, None) => {
            let numeric = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
            (numeric(a) && numeric(b)) || (a.kind() == b.kind() && (a.as_str().is_some() || is_list(a)))
        }
        (_, _, _, _) => false,
    };
    if comparable { Ok(a.cmp(b)) } else { Err(impossible(operator, a, b)) }
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// Arithmetic on whole numbers, or floats when one is a float.
fn number(
    a: &Value,
    b: &Value,
    operator: &str,
    whole: impl Fn(i64, i64) -> Option<i64>,
    float: impl Fn(f64, f64) -> f64,
) -> Result<Value, Error> {
    let numeric = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    if !numeric(a) || !numeric(b) {
        return Err(impossible(operator, a, b));
    }
    let int = |value: &Value| {
        if value.kind() == ValueKind::Bool { Some(i64::from(value.is_true())) } else { whole_of(value) }
    };
    if let (Some(x), Some(y)) = (int(a), int(b)) {
        return whole(x, y).map(Value::from).ok_or_else(|| bad(format!("result of `{operator}` is too large")));
    }
    let real = |value: &Value| match int(value) {
        #[expect(clippy::cast_precision_loss, reason = "mixed arithmetic is in floats, as in Python")]
        Some(n) => Ok(n as f64),
        None => f64::try_from(value.clone()),
    };
    Ok(Value::from(float(real(a)?, real(b)?)))
}

fn whole_of(value: &Value) -> Option<i64> {
    if value.is_integer() { value.as_i64() } else { None }
}
