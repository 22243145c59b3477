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

/// A place in a list as clients hand it to and fro, written as Airflow does: the values that its row is sorted by, in
/// base64, with a `~` before it when the page before that row is wanted.
pub(crate) struct Cursor;

impl Cursor {
    /// Longest that is read.
    const BYTES_MAX: usize = 4096;

    /// Reads a cursor; an empty one is the first page. `fits` says whether a key is one of the order's at this position.
    ///
    /// # Errors
    ///
    /// When it is not one of this order.
    pub(crate) fn read(
        text: &str,
        length: usize,
        fits: impl Fn(usize, &Key) -> bool,
    ) -> Result<Option<Place>, ApiError> {
        if text.is_empty() {
            return Ok(None);
        }
        let invalid = || ApiError::bad_request("Invalid cursor token");
        let (token, is_backward) = text.strip_prefix('~').map_or((text, false), |token| (token, true));
        if token.len() > Self::BYTES_MAX {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|_| invalid())?;
        let values: Vec<Value> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        let key = |value: Value| match value {
            Value::Null => Some(Key::Null),
            Value::Number(number) => number.as_i64().map(Key::Int),
            Value::String(text) => Some(Key::Text(text)),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let keys: Vec<Key> = values.into_iter().map(key).collect::<Option<_>>().ok_or_else(invalid)?;
        if keys.len() != length || !keys.iter().enumerate().all(|(at, key)| fits(at, key)) {
            return Err(ApiError::bad_request("Cursor token does not match current query shape"));
        }
        Ok(Some(Place { keys, is_backward }))
    }

    /// Writes it.
    pub(crate) fn write(place: &Place) -> String {
        let value = |key: &Key| match key {
            Key::Null => Value::Null,
            Key::Int(number) => Value::from(*number),
            Key::Text(text) => Value::from(text.as_str()),
        };
        let values: Value = place.keys.iter().map(value).collect();
        format!("{}{}", if place.is_backward { "~" } else { "" }, URL_SAFE_NO_PAD.encode(values.to_string()))
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
    fn a_cursor_reads_back_and_fits_its_order() {
        let keys = vec![Key::Int(-7), Key::Text("ö".into()), Key::Null];
        for is_backward in [false, true] {
            let place = Place { keys: keys.clone(), is_backward };
            let text = Cursor::write(&place);
            assert_eq!(Cursor::read(&text, 3, |at, key| keys[at] == *key).unwrap(), Some(place));
            assert!(Cursor::read(&text, 2, |_, _| true).is_err());
            assert!(Cursor::read(&text, 3, |at, _| at < 2).is_err());
        }
        assert_eq!(Cursor::read("", 3, |_, _| true).unwrap(), None);
        for text in ["ä", "~", "e30", "W3RydWVd", "W10"] {
            assert!(Cursor::read(text, 1, |_, _| true).is_err(), "{text}");
        }
    }

    #[test]
    fn patterns_are_texts_or_prefixes() {
        assert_eq!(patterns(Some("a|%b%"), None), [Pattern::Like(vec!["a".into(), "%b%".into()])]);
        assert_eq!(patterns(Some("~"), Some("x")), [Pattern::Prefix("x".into())]);
        assert_eq!(patterns(None, Some("")), []);
    }
}
