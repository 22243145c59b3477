//! Filters and methods beyond the engine's own: Airflow's for dates, Jinja's that are missing, `shquote`.

use minijinja::{
    Environment, Error, State, Value,
    formatting::FormatStyle,
    value::{Kwargs, Rest, Tuple, ValueKind, ValueOrKwargs},
};

use super::{
    args::{Args, bad},
    json::{self, Style},
    moment::Moment,
    operators::{afford, counted, fill_pattern},
    python,
};

/// Every filter, for suggestions.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "ds",
    "ds_nodash",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "format",
    "fromjson",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "shquote",
    "slice",
    "sort",
    "split",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "ts",
    "ts_nodash",
    "ts_nodash_with_tz",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
    "zip",
];

/// Every test, for suggestions.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Makes the filters known.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("ds", |value: Value| date(&value, "%Y-%m-%d"));
    environment.add_filter("ds_nodash", |value: Value| date(&value, "%Y%m%d"));
    environment.add_filter("ts_nodash", |value: Value| date(&value, "%Y%m%dT%H%M%S"));
    environment.add_filter("ts", |value: Value| iso(&value, |text| text));
    environment.add_filter("ts_nodash_with_tz", |value: Value| iso(&value, |text| text.replace(['-', ':'], "")));
    environment.add_filter("tojson", to_json);
    environment.add_filter("fromjson", |text: Value| from_json(&text));
    environment.add_filter("shquote", |value: Value| quote(&value));
    environment.add_filter("string", |value: Value| python::str(&value));
    environment.add_filter("pprint", |value: Value, _verbose: Option<bool>| python::repr(&value));
    environment.add_filter("(int)", minijinja::filters::int);
    environment.add_filter("int", |state: &mut State<'_, '_>, value: Value, args: Rest<ValueOrKwargs>| {
        int(state, value, &values(args))
    });
    environment.add_filter("float", |value: Value, default: Option<Value>| float(&value, default));
    environment.add_filter("(urlencode)", minijinja::filters::urlencode);
    environment.add_filter("urlencode", |state: &mut State<'_, '_>, value: Value| {
        let is_map = value.kind() == ValueKind::Map;
        let text = state.apply_filter("(urlencode)", &[value])?.to_string();
        // Python writes a blank in a query as `+`, elsewhere as `%20`.
        Ok::<_, Error>(if is_map { text.replace("%20", "+") } else { text })
    });
    environment.add_filter("join", join);
    environment.add_filter("replace", |state: &mut State<'_, '_>, text: Value, args: Rest<ValueOrKwargs>| {
        if text.is_undefined() {
            return Err(super::args::undefined(&text));
        }
        let args = values(args);
        let mut args = Args::new("replace", &args)?;
        let (old, new) = (args.text("old")?, args.text("new")?);
        let most = args.int_or("count", -1)?;
        args.finish()?;
        replace(state, &python::str(&text)?, &old, &new, most)
    });
    environment.add_filter("format", |state: &mut State<'_, '_>, pattern: String, args: Rest<ValueOrKwargs>| {
        fill_pattern(state, FormatStyle::Printf, &pattern, &values(args))
    });
    environment.add_filter("(slice)", minijinja::filters::slice);
    environment.add_filter("(batch)", minijinja::filters::batch);
    environment.add_filter("(indent)", minijinja::filters::indent);
    for (name, original) in [("slice", "(slice)"), ("batch", "(batch)"), ("indent", "(indent)")] {
        environment.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let args = values(args);
            modest(&args)?;
            short(args.first())?;
            state.apply_filter(original, &args)
        });
    }
    environment.add_filter("(list)", minijinja::filters::list);
    environment.add_filter("(sort)", minijinja::filters::sort);
    environment.add_filter("(unique)", minijinja::filters::unique);
    environment.add_filter("(split)", minijinja::filters::split);
    environment.add_filter("(lines)", minijinja::filters::lines);
    for (name, original) in
        [("list", "(list)"), ("sort", "(sort)"), ("unique", "(unique)"), ("split", "(split)"), ("lines", "(lines)")]
    {
        environment.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let args = values(args);
            short(args.first())?;
            state.apply_filter(original, &args)
        });
    }
    environment.add_filter("(map)", minijinja::filters::map);
    environment.add_filter("map", |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| map(state, &values(args)));
    environment.add_filter("wordcount", |text: String| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).count()
    });
    environment.add_filter("center", |text: String, width: Option<usize>| center(&text, width.unwrap_or(80)));
    environment.add_filter("truncate", |text: String, args: Rest<ValueOrKwargs>| truncate(&text, &values(args)));
    environment.add_filter("default", |value: Value, args: Rest<ValueOrKwargs>| or_default(value, &values(args)));
    environment.add_filter("d", |value: Value, args: Rest<ValueOrKwargs>| or_default(value, &values(args)));
    environment.add_filter("striptags", minijinja_contrib::filters::striptags);
    environment.add_filter("filesizeformat", minijinja_contrib::filters::filesizeformat);
}

/// Formats a time; `None` stays `None`, as in Airflow.
fn date(value: &Value, pattern: &str) -> Result<Value, Error> {
    on_time(value, |moment| moment.strftime(pattern))
}

fn iso(value: &Value, change: impl Fn(String) -> String) -> Result<Value, Error> {
    on_time(value, |moment| change(moment.isoformat('T')))
}

fn on_time(value: &Value, write: impl Fn(&Moment) -> String) -> Result<Value, Error> {
    if value.is_none() {
        return Ok(Value::from(()));
    }
    if value.is_undefined() {
        return Err(super::args::undefined(value));
    }
    let moment = value.downcast_object_ref::<Moment>();
    moment.map(|moment| Value::from(write(moment))).ok_or_else(|| bad(format!("{} is not a time", value.kind())))
}

/// `tojson`: keys sorted, `< > & '` escaped, as Jinja does.
fn to_json(value: Value, indent: Option<usize>, kwargs: Kwargs) -> Result<String, Error> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => kwargs.get::<Option<usize>>("indent")?,
    };
    kwargs.assert_all_used()?;
    let style = Style { sort_keys: true, indent: indent.map(|n| n.min(16)), ascii: true };
    let text = json::dumps(&json::to_json(&value)?, style);
    Ok(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027"))
}

/// Reads JSON text.
pub(super) fn from_json(text: &Value) -> Result<Value, Error> {
    if text.is_undefined() {
        return Err(super::args::undefined(text));
    }
    let source = text.as_str().ok_or_else(|| bad(format!("fromjson wants text, not {}", text.kind())))?;
    let json: serde_json::Value =
        serde_json::from_str(source).map_err(|error| bad(format!("text is not JSON: {error}")))?;
    Ok(json::from_json(&json))
}

/// Makes one word of a POSIX shell of any text; of a list, words with spaces between.
fn quote(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(super::args::undefined(value));
    }
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let words = value.try_iter()?.checked().map(|word| quote_text(&python::str(&word?)?));
        return Ok(words.collect::<Result<Vec<_>, _>>()?.join(" "));
    }
    quote_text(&python::str(value)?)
}

fn quote_text(text: &str) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(bad("a shell word cannot hold a NUL character"));
    }
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(is_safe) {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', "'\"'\"'")))
}

/// `join`, printing items as Python does.
fn join(state: &mut State<'_, '_>, value: Value, joiner: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    let joiner = match joiner {
        Some(joiner) => joiner,
        None => kwargs.get::<Option<String>>("d")?.unwrap_or_default(),
    };
    let attribute = kwargs.get::<Option<String>>("attribute")?;
    kwargs.assert_all_used()?;
    if value.is_undefined() {
        return Err(super::args::undefined(&value));
    }
    let mut out = String::new();
    for (index, item) in value.try_iter()?.checked().enumerate() {
        let item = item?;
        let item = match &attribute {
            Some(attribute) => item.get_attr(attribute)?,
            None => item,
        };
        if item.is_undefined() {
            return Err(super::args::undefined(&item));
        }
        if index > 0 {
            out.push_str(&joiner);
        }
        python::write_str(&mut out, &item)?;
        afford(state, out.len())?;
    }
    Ok(out)
}

fn center(text: &str, width: usize) -> String {
    let free = width.min(1000).saturating_sub(text.chars().count());
    let left = free / 2 + (free & width & 1);
    format!("{}{text}{}", " ".repeat(left), " ".repeat(free - left))
}

fn values(args: Rest<ValueOrKwargs>) -> Vec<Value> {
    args.iter().map(|value| Value::clone(value)).collect()
}

/// `default(default_value='', boolean=false)`.
fn or_default(value: Value, args: &[Value]) -> Result<Value, Error> {
    let mut args = Args::new("default", args)?;
    let default = args.optional("default_value")?.unwrap_or_else(|| Value::from(""));
    let falsy_too = args.optional("boolean")?.is_some_and(|yes| yes.is_true());
    args.finish()?;
    Ok(if value.is_undefined() || (falsy_too && !value.is_true()) { default } else { value })
}

/// `int(default=0, base=10)`: what is no number becomes the default.
fn int(state: &mut State<'_, '_>, value: Value, args: &[Value]) -> Result<Value, Error> {
    let mut args = Args::new("int", args)?;
    let default = args.optional("default")?.unwrap_or_else(|| Value::from(0));
    let base = u32::try_from(args.int_or("base", 10)?).ok().filter(|base| (2..=36).contains(base));
    args.finish()?;
    let Some(text) = value.as_str() else {
        return Ok(state.apply_filter("(int)", &[value]).unwrap_or(default));
    };
    let base = base.ok_or_else(|| bad("`base` lies between 2 and 36"))?;
    let text = text.trim().replace('_', "").to_lowercase();
    let prefix = [(16, "0x"), (8, "0o"), (2, "0b")].iter().find(|(of, _)| *of == base).map_or("", |(_, prefix)| prefix);
    let digits = text.strip_prefix(prefix).unwrap_or(&text);
    if let Ok(number) = i64::from_str_radix(digits, base) {
        return Ok(Value::from(number));
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    Ok(number.and_then(|number| state.apply_filter("(int)", &[Value::from(number)]).ok()).unwrap_or(default))
}

/// `float(default=0.0)`: what is no number becomes the default.
fn float(value: &Value, default: Option<Value>) -> Value {
    let number = match value.as_str() {
        Some(text) => text.trim().replace('_', "").parse().ok(),
        None if value.is_number() => f64::try_from(value.clone()).ok(),
        None => bool::try_from(value.clone()).ok().map(|yes| f64::from(u8::from(yes))),
    };
    number.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from)
}

/// `truncate(length=255, killwords=false, end='...', leeway=5)`.
fn truncate(text: &str, args: &[Value]) -> Result<String, Error> {
    let mut args = Args::new("truncate", args)?;
    let length = usize::try_from(args.int_or("length", 255)?).unwrap_or(0);
    let kill_words = args.optional("killwords")?.is_some_and(|yes| yes.is_true());
    let end = args.optional("end")?.map_or_else(|| "...".to_owned(), |end| end.to_string());
    let leeway = usize::try_from(args.int_or("leeway", 5)?).unwrap_or(0);
    args.finish()?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text.to_owned());
    }
    let kept: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    let kept = if kill_words { kept.as_str() } else { kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words) };
    Ok(format!("{kept}{end}"))
}

/// Refuses numbers that would make the engine fill the memory.
fn modest(args: &[Value]) -> Result<(), Error> {
    const MOST: i64 = 10_000;
    let is_huge = |value: &Value| value.is_integer() && value.as_i64().is_none_or(|n| n.abs() > MOST);
    for value in args.iter().skip(1) {
        let named = value.is_kwargs() && value.try_iter()?.any(|key| value.get_item(&key).is_ok_and(|v| is_huge(&v)));
        if named || is_huge(value) {
            return Err(bad(format!("number is larger than {MOST}")));
        }
    }
    Ok(())
}

/// Refuses to make a list of a text when its items would fill the memory.
fn short(value: Option<&Value>) -> Result<(), Error> {
    const MOST: usize = 1 << 20;
    if value.and_then(Value::as_str).is_some_and(|text| text.len() > MOST) {
        return Err(bad(format!("a text longer than {} MiB cannot be made a list", MOST >> 20)));
    }
    Ok(())
}

/// `map`, counting each item that it makes: the same text may stand in a list many times, and cost nothing there.
fn map(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let Some((list, how)) = args.split_first() else { return state.apply_filter("(map)", args) };
    short(Some(list))?;
    let (first, is_named) = (how.first(), how.last().is_some_and(Value::is_kwargs));
    if list.is_undefined() || first.is_none_or(Value::is_kwargs) || is_named {
        return state.apply_filter("(map)", args);
    }
    let one = |state: &mut State<'_, '_>, list: Vec<Value>| {
        let args: Vec<Value> = std::iter::once(Value::from(list)).chain(how.iter().cloned()).collect();
        state.apply_filter("(map)", &args)
    };
    // Complains about the filter's name, also when there is nothing to apply it to.
    one(state, Vec::new())?;
    let mut made = Vec::new();
    for item in list.try_iter()?.checked() {
        let item = one(state, vec![item?])?.get_item_by_index(0)?;
        made.push(counted(state, item)?);
    }
    Ok(Value::from(made))
}

/// Replaces text, without making too much of it.
fn replace(state: &mut State<'_, '_>, text: &str, old: &str, new: &str, most: i64) -> Result<String, Error> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let times = text.matches(old).count().min(most);
    afford(state, text.len().saturating_add(times.saturating_mul(new.len())))?;
    Ok(text.replacen(old, new, most))
}

/// Methods of Python's own types.
pub(super) fn unknown_method(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if let (Some(pattern), "format") = (value.as_str(), method) {
        return fill_pattern(state, FormatStyle::StrFormat, pattern, args).map(Value::from);
    }
    if matches!(method, "split" | "rsplit" | "splitlines") {
        short(Some(value))?;
    }
    if let Some(text) = value.as_str()
        && let Some(result) = string_method(state, text, method, args)?
    {
        return Ok(result);
    }
    if method == "index" && value.kind() == ValueKind::Seq {
        let mut args = Args::new(method, args)?;
        let wanted = args.required("value")?;
        args.finish()?;
        let position = value.try_iter()?.position(|item| item == wanted);
        return position.map(Value::from).ok_or_else(|| bad("value is not in the list"));
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
}

/// String methods that the compatibility layer lacks, or has otherwise.
fn string_method(state: &mut State<'_, '_>, text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let mut args = Args::new(method, args)?;
    let width = |args: &mut Args<'_>| -> Result<usize, Error> {
        Ok(usize::try_from(args.int("width")?).unwrap_or(0).min(100_000))
    };
    let result = match method {
        "zfill" => {
            let width = width(&mut args)?;
            let (sign, digits) = match text.strip_prefix(['-', '+']) {
                Some(digits) => (text.get(..1).unwrap_or_default(), digits),
                None => ("", text),
            };
            let missing = width.saturating_sub(text.chars().count());
            Value::from(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "ljust" | "rjust" => {
            let width = width(&mut args)?;
            let fill = args.optional("fillchar")?.map_or_else(|| " ".to_owned(), |fill| fill.to_string());
            if fill.chars().count() != 1 {
                return Err(bad(format!("{method}() fills with one character")));
            }
            let fill = fill.repeat(width.saturating_sub(text.chars().count()));
            Value::from(if method == "ljust" { format!("{text}{fill}") } else { format!("{fill}{text}") })
        }
        "replace" => {
            let (old, new) = (args.text("old")?, args.text("new")?);
            let most = args.int_or("count", -1)?;
            args.finish()?;
            return replace(state, text, &old, &new, most).map(|text| Some(Value::from(text)));
        }
        "removeprefix" => Value::from(text.strip_prefix(args.text("prefix")?.as_str()).unwrap_or(text)),
        "removesuffix" => Value::from(text.strip_suffix(args.text("suffix")?.as_str()).unwrap_or(text)),
        "swapcase" => {
            let swap = |c: char| if c.is_uppercase() { c.to_lowercase().next() } else { c.to_uppercase().next() };
            Value::from(text.chars().filter_map(swap).collect::<String>())
        }
        "casefold" => Value::from(text.to_lowercase()),
        "index" | "rindex" => {
            let part = args.text("sub")?;
            let at = if method == "index" { text.find(&part) } else { text.rfind(&part) };
            let at = at.ok_or_else(|| bad("substring not found"))?;
            Value::from(text.get(..at).unwrap_or_default().chars().count())
        }
        "partition" | "rpartition" => {
            let separator = args.text("sep")?;
            let found = if method == "partition" { text.split_once(&separator) } else { text.rsplit_once(&separator) };
            let parts = match found {
                Some((before, after)) => [before, separator.as_str(), after],
                None if method == "partition" => [text, "", ""],
                None => ["", "", text],
            };
            Value::from(Tuple::from(parts.map(Value::from)))
        }
        "rsplit" => {
            let separator = args.text("sep")?;
            let most = args.int_or("maxsplit", -1)?;
            let most = usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1));
            let mut parts: Vec<Value> = text.rsplitn(most, separator.as_str()).map(Value::from).collect();
            parts.reverse();
            Value::from(parts)
        }
        "join" => {
            let values = args.required("iterable")?;
            args.finish()?;
            let empty = Kwargs::from_iter(Vec::<(String, Value)>::new());
            return join(state, values, Some(text.to_owned()), empty).map(|text| Some(Value::from(text)));
        }
        _ => return Ok(None),
    };
    args.finish()?;
    Ok(Some(result))
}
