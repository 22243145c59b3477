//! What a task's result becomes.

use anyhow::anyhow;
use serde_json::Value;

use crate::operator::OperatorError;

/// Most bytes of one value, as JSON.
pub const MAX_BYTES: usize = 256 * 1024;

/// The key of a task's result.
pub const RETURN_VALUE: &str = "return_value";

/// Makes the XComs of a result: itself, and with `multiple_outputs` each of its entries.
pub(crate) fn from_result(result: Value, multiple_outputs: bool) -> Result<Vec<(String, Value)>, OperatorError> {
    let mut xcoms = Vec::new();
    if result.is_null() {
        return Ok(xcoms);
    }
    if multiple_outputs {
        let Some(map) = result.as_object() else {
            let kind = kind_of(&result);
            return Err(OperatorError::fatal(anyhow!("`multiple_outputs` needs a map as the result, not {kind}")));
        };
        xcoms.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
        xcoms.retain(|(key, _)| key != RETURN_VALUE);
    }
    xcoms.push((RETURN_VALUE.to_owned(), result));
    Ok(xcoms)
}

/// Refuses values that are too large to keep.
pub(crate) fn check_sizes(xcoms: &[(String, Value)]) -> Result<(), OperatorError> {
    for (key, value) in xcoms {
        let mut counter = Counter(0);
        let fits = serde_json::to_writer(&mut counter, value).is_ok();
        if !fits {
            return Err(too_large(key));
        }
    }
    Ok(())
}

/// The failure for a value that is too large.
pub(crate) fn too_large(key: &str) -> OperatorError {
    OperatorError::fatal(anyhow!(
        "XCom `{key}` is larger than 256 KiB; write the data to a file or a table and pass its path"
    ))
}

/// Counts bytes up to the limit.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        // Two more than the limit: the quotes of a string do not count against it.
        if self.0 > MAX_BYTES + 2 { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Names the type of a value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_is_one_xcom_or_one_a_key() {
        assert_eq!(from_result(json!(null), false).unwrap(), vec![]);
        assert_eq!(from_result(json!({"a": 1}), false).unwrap(), vec![("return_value".to_owned(), json!({"a": 1}))]);
        assert_eq!(
            from_result(json!({"a": 1}), true).unwrap(),
            vec![("a".to_owned(), json!(1)), ("return_value".to_owned(), json!({"a": 1}))]
        );
        let error = from_result(json!([1]), true).unwrap_err();
        assert_eq!(error.to_string(), "`multiple_outputs` needs a map as the result, not a list");
    }

    #[test]
    fn a_value_of_256_kib_fits_and_one_byte_more_does_not() {
        let of = |length: usize| vec![("k".to_owned(), json!("x".repeat(length)))];
        assert!(check_sizes(&of(MAX_BYTES)).is_ok());
        assert!(check_sizes(&of(MAX_BYTES + 1)).unwrap_err().to_string().contains("`k` is larger than 256 KiB"));
    }
}
