//! Lists: paging, sorting and filters, the same for every list.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flow_core::Timestamp;
use flow_store::{Key, Order, Page, Pattern, Place, Range};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::{ApiError, wire::When};

/// Rows of a page when nothing is said.
const LIMIT: u32 = 50;
/// Most rows of a page; who asks for more gets so many.
const LIMIT_MAX: u32 = 1_000;
/// Most rows before a page. Further back, a filter or a cursor finds what offsets cannot.
const OFFSET_MAX: u32 = 1_000_000;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Most entries to return; more than 1,000 are never returned at once
    #[param(minimum = 0, default = 50)]
    limit: Option<u32>,
    /// Entries to leave out before the first
    #[param(minimum = 0, maximum = 1_000_000, default = 0)]
    offset: Option<u32>,
}

impl Paging {
    /// Takes what a body says.
    pub(crate) fn of(limit: Option<u32>, offset: Option<u32>) -> Self {
        Self { limit, offset }
    }

    /// # Errors
    ///
    /// When the offset is too far.
    pub(crate) fn page(self) -> Result<Page, ApiError> {
        let offset = self.offset.unwrap_or(0);
        if offset > OFFSET_MAX {
            return Err(ApiError::invalid(
                &["query", "offset"],
                format!("at most {OFFSET_MAX}; use filters to go further back"),
            ));
        }
        Ok(Page { limit: self.limit.unwrap_or(LIMIT).min(LIMIT_MAX), offset })
    }
}

/// Reads `order_by`: column names, each with a `-` before it for the other direction.
///
/// # Errors
///
/// When a name is none of `known`.
pub(crate) fn order<C: Copy>(given: &[String], known: &[(&str, C)]) -> Result<Vec<Order<C>>, ApiError> {
    const MOST: usize = 10;
    if given.len() > MOST {
        return Err(ApiError::invalid(&["query", "order_by"], format!("at most {MOST} of them")));
    }
    let one = |text: &String| {
        let (name, is_descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let found = known.iter().find(|(known, _)| *known == name);
        found.map(|(_, by)| Order { by: *by, is_descending }).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            // Airflow's status and words.
            ApiError::bad_request(format!(
                "Ordering with '{name}' is disallowed or the attribute does not exist on the model; there are: {}",
                names.join(", ")
            ))
        })
    };
    given.iter().map(one).collect()
}

/// Reads the two forms of a filter by name: `…_pattern`, in which `%` and `_` stand for any text and any character
/// and `|` for "or"; and `…_prefix_pattern`. `~` means everything.
pub(crate) fn patterns(like: Option<&str>, prefix: Option<&str>) -> Vec<Pattern> {
    const MOST: usize = 20;
    let like = like.filter(|text| !text.is_empty() && *text != "~").map(|text| {
        Pattern::Like(
            text.split('|').map(str::trim).filter(|part| !part.is_empty()).take(MOST).map(str::to_owned).collect(),
        )
    });
    let prefix = prefix.filter(|text| !text.is_empty() && *text != "~").map(|text| Pattern::Prefix(text.to_owned()));
    like.into_iter().chain(prefix).collect()
}

/// Longest cursor that is read.
const CURSOR_MAX: usize = 4_096;

/// Writes a cursor: a place in a list of this shape. `shape`: its order, in words.
pub(crate) fn cursor(shape: &str, keys: &[Key], is_backward: bool) -> String {
    let value = |key: &Key| match key {
        Key::Null => Value::Null,
        Key::Int(number) => Value::from(*number),
        Key::Text(text) => Value::from(text.as_str()),
    };
    let list = serde_json::json!([shape, keys.iter().map(value).collect::<Vec<_>>()]);
    // Airflow marks the way back in the same way.
    format!("{}{}", if is_backward { "~" } else { "" }, URL_SAFE_NO_PAD.encode(list.to_string()))
}

/// Reads a cursor of a list of this shape; `None` = the first page. `fits`: whether keys are those of the list.
///
/// # Errors
///
/// When it is none, or one of another list.
pub(crate) fn place(cursor: &str, shape: &str, fits: impl Fn(&[Key]) -> bool) -> Result<Option<Place>, ApiError> {
    if cursor.is_empty() {
        return Ok(None);
    }
    let wrong = || ApiError::bad_request("Invalid cursor token");
    let (token, is_backward) = cursor.strip_prefix('~').map_or((cursor, false), |token| (token, true));
    let bytes = if token.len() > CURSOR_MAX { None } else { URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).ok() };
    let read = bytes.and_then(|bytes| serde_json::from_slice::<(String, Vec<Value>)>(&bytes).ok());
    let (order, values) = read.ok_or_else(wrong)?;
    if order != shape {
        return Err(ApiError::bad_request("Cursor token does not match current query shape"));
    }
    let keys: Option<Vec<Key>> = values.into_iter().map(key).collect();
    let keys = keys.filter(|keys| fits(keys)).ok_or_else(wrong)?;
    Ok(Some(Place { keys, is_backward }))
}

fn key(value: Value) -> Option<Key> {
    match value {
        Value::Null => Some(Key::Null),
        Value::Number(number) => number.as_i64().map(Key::Int),
        Value::String(text) => Some(Key::Text(text)),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Puts the four bounds of a moment together.
pub(crate) fn between(gte: Option<When>, gt: Option<When>, lte: Option<When>, lt: Option<When>) -> Range<Timestamp> {
    let bound = |when: Option<When>| when.map(|when| when.0);
    Range { gte: bound(gte), gt: bound(gt), lte: bound(lte), lt: bound(lt) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded() {
        assert_eq!(Paging::default().page().unwrap(), Page { limit: 50, offset: 0 });
        assert_eq!(Paging::of(Some(5_000), Some(7)).page().unwrap(), Page { limit: 1_000, offset: 7 });
        assert!(Paging::of(None, Some(2_000_000)).page().is_err());
    }

    #[test]
    fn an_order_is_one_of_the_known_ones() {
        let known = [("id", 'i'), ("name", 'n')];
        let read = order(&["-name".to_owned(), "id".to_owned()], &known).unwrap();
        assert_eq!(read, [Order { by: 'n', is_descending: true }, Order { by: 'i', is_descending: false }]);
        assert!(order(&["password".to_owned()], &known).is_err());
    }

    #[test]
    fn a_cursor_is_read_in_the_list_that_it_was_made_for() {
        let keys = [Key::Int(7), Key::Null, Key::Text("ü".into())];
        let made = cursor("-a,b,c", &keys, true);
        let read = place(&made, "-a,b,c", |keys| keys.len() == 3).unwrap();
        assert_eq!(read, Some(Place { keys: keys.to_vec(), is_backward: true }));
        assert!(place(&made, "a,b,c", |_| true).is_err());
        assert!(place(&made, "-a,b,c", |_| false).is_err());
        for nonsense in ["~", "x", "~~", "W10", &"A".repeat(5_000), "bnVsbA"] {
            assert!(place(nonsense, "-a,b,c", |_| true).is_err(), "{nonsense}");
        }
        assert_eq!(place("", "-a,b,c", |_| true).unwrap(), None);
    }

    #[test]
    fn patterns_are_texts_or_prefixes() {
        assert_eq!(patterns(Some("a|%b%"), None), [Pattern::Like(vec!["a".into(), "%b%".into()])]);
        assert_eq!(patterns(Some("~"), Some("x")), [Pattern::Prefix("x".into())]);
        assert_eq!(patterns(None, Some("")), []);
    }
}
