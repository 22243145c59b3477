//! What a plain scalar means: YAML 1.2's core schema, and YAML 1.1 as PyYAML reads it.
//!
//! Only scalars without quotes come here. The Flow dialect uses the first, the Airflow dialect the second.

use super::Value;

/// Reads a plain scalar by the core schema of YAML 1.2.
pub(crate) fn core(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => core_number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

fn core_number(text: &str) -> Option<Value> {
    let (negative, digits) = sign(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return whole(false, hex, 16);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return whole(false, octal, 8);
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(negative, digits, 10);
    }
    float(text, digits)
}

/// Reads a plain scalar by the rules of YAML 1.1, as PyYAML applies them.
pub(crate) fn yaml_1_1(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ if is_date(text) => Value::Date(text.to_owned()),
        _ => old_number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

fn old_number(text: &str) -> Option<Value> {
    let (negative, digits) = sign(text);
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Some(hex) = plain.strip_prefix("0x") {
        return whole(negative, hex, 16);
    }
    if let Some(binary) = plain.strip_prefix("0b") {
        return whole(negative, binary, 2);
    }
    if plain.contains(':') {
        return sexagesimal(negative, &plain);
    }
    if plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        // `08` has a digit that octal lacks: text, as in PyYAML.
        return whole(negative, &plain[1..], 8);
    }
    if plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(negative, &plain, 10);
    }
    // YAML 1.1 wants a dot in a float, and a sign in its exponent.
    let exponent = plain.find(['e', 'E']);
    let signed = exponent.is_none_or(|at| plain[at + 1..].starts_with(['+', '-']));
    if !plain.contains('.') || !signed {
        return None;
    }
    let signed_text = if negative { format!("-{plain}") } else { plain.clone() };
    float(&signed_text, &plain)
}

/// `1:30` is 90: base 60.
fn sexagesimal(negative: bool, text: &str) -> Option<Value> {
    if text.starts_with('0') || text.contains('.') {
        return None;
    }
    let mut total: i64 = 0;
    for (ix, part) in text.split(':').enumerate() {
        let short = part.len() <= if ix == 0 { 12 } else { 2 };
        let digit: i64 = part.parse().ok().filter(|_| short && !part.starts_with(['+', '-']))?;
        if ix > 0 && digit >= 60 {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(digit)?;
    }
    Some(Value::Whole(if negative { -total } else { total }))
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn whole(negative: bool, digits: &str, radix: u32) -> Option<Value> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok().map(|number| if negative { -number } else { number });
    match number.and_then(|number| i64::try_from(number).ok()) {
        Some(number) => Some(Value::Whole(number)),
        // Beyond 64 bits a number is kept as a float, as JSON readers do; the spelling stays beside it.
        None => digits
            .parse()
            .ok()
            .filter(|_| radix == 10)
            .map(|number: f64| Value::Float(if negative { -number } else { number })),
    }
}

fn float(text: &str, unsigned: &str) -> Option<Value> {
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(Value::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let shape = unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let digits = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || (unsigned.starts_with('.') && unsigned[1..].starts_with(|c: char| c.is_ascii_digit()));
    if !shape || !digits {
        return None;
    }
    text.parse().ok().map(Value::Float)
}

/// `2026-01-01`, or that followed by a time, as YAML 1.1 resolves timestamps.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    if bytes.len() < 8 || !digits(0..4) || bytes[4] != b'-' {
        return false;
    }
    if bytes.len() == 10 {
        return digits(5..7) && bytes[7] == b'-' && digits(8..10);
    }
    // With a time: 2026-1-1 02:03:04, 2026-01-01T02:03:04Z, 2026-01-01 02:03:04.5 +2.
    let Some(at) = text.find(['T', 't', ' ', '\t']) else { return false };
    let date: Vec<&str> = text[..at].split('-').collect();
    let short = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    let date_fits = date.len() == 3 && short(date[1]) && short(date[2]);
    let time = text[at + 1..].trim_start();
    let clock: Vec<&str> = time.split(':').collect();
    let time_fits =
        clock.len() >= 3 && short(clock[0]) && clock[1].len() == 2 && clock[1].bytes().all(|b| b.is_ascii_digit());
    date_fits && time_fits && clock[2].len() >= 2 && clock[2].as_bytes()[..2].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_takes_only_true_and_false_for_booleans() {
        for word in ["yes", "no", "on", "off", "y", "n", "Yes", "OFF"] {
            assert_eq!(core(word), Value::Text(word.to_owned()));
        }
        assert_eq!(core("true"), Value::Bool(true));
        assert_eq!(core("FALSE"), Value::Bool(false));
        assert_eq!(core("~"), Value::Null);
        assert_eq!(core("2026-01-01"), Value::Text("2026-01-01".to_owned()));
    }

    #[test]
    fn the_core_schema_reads_numbers() {
        for (text, number) in [("0", 0), ("-7", -7), ("+7", 7), ("010", 10), ("0o10", 8), ("0xFf", 255)] {
            assert_eq!(core(text), Value::Whole(number), "{text}");
        }
        for (text, number) in [("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0), ("1.", 1.0), ("-.inf", f64::NEG_INFINITY)]
        {
            assert_eq!(core(text), Value::Float(number), "{text}");
        }
        for text in ["1_000", "0b11", "1:30", "-", "+", ".", "e3", "1e", "--1", "0x", "1.2.3", "inf", "nan", "+0x1"] {
            assert_eq!(core(text), Value::Text(text.to_owned()), "{text}");
        }
        assert_eq!(core("99999999999999999999"), Value::Float(1e20));
    }

    #[test]
    fn yaml_1_1_reads_as_pyyaml_does() {
        for (text, value) in [
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("010", Value::Whole(8)),
            ("0b11", Value::Whole(3)),
            ("1_000", Value::Whole(1000)),
            ("1:30", Value::Whole(90)),
            ("-1:00:01", Value::Whole(-3601)),
            ("1.5", Value::Float(1.5)),
            ("1.5e+3", Value::Float(1500.0)),
            ("2026-01-01", Value::Date("2026-01-01".to_owned())),
            ("2026-01-01T02:03:04Z", Value::Date("2026-01-01T02:03:04Z".to_owned())),
            ("2026-1-1 2:03:04.5 +2", Value::Date("2026-1-1 2:03:04.5 +2".to_owned())),
        ] {
            assert_eq!(yaml_1_1(text), value, "{text}");
        }
        for text in ["y", "n", "08", "1e3", "1.5e3", "0o10", "2026-1-1", "12:60", "1:2x", "0 3 * * *", "5m"] {
            assert_eq!(yaml_1_1(text), Value::Text(text.to_owned()), "{text}");
        }
    }
}
