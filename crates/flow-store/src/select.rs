//! Lists whose filters and order a caller chooses: the one place where a statement is put together while running.
//!
//! It is put together from texts of this crate, and numbered arguments; nothing that a user wrote becomes SQL. Every
//! list has a limit, and counts stop at [`COUNTED_MAX`], so that neither grows with history. What makes a list fast
//! is an index for its usual filters and orders: the tests of this crate look at the plans. What no index serves ends
//! all the same, see [`crate::lanes`].

use std::fmt::Write as _;

use flow_core::Timestamp;
use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::{Store, StoreError, db::Db, rows::to_list};

/// Rows of a list are counted up to this many.
pub const COUNTED_MAX: u64 = 10_000;

/// Part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: u32,
    /// Rows before the first one.
    pub offset: u32,
}

/// Bounds of a value; those that are `None` do not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range<T> {
    pub gte: Option<T>,
    pub gt: Option<T>,
    pub lte: Option<T>,
    pub lt: Option<T>,
}

/// What a name must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Holds one of these, whatever the case; `%` and `_` stand for any text and any character.
    Like(Vec<String>),
    /// Begins with this.
    Prefix(String),
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<C> {
    pub by: C,
    pub is_descending: bool,
}

/// Part of a list, and how long the whole list is.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    pub rows: Vec<T>,
    /// At most [`COUNTED_MAX`], which then means "so many or more", or that counting would take too long.
    pub total: u64,
    /// Whether they were counted.
    pub is_counted: bool,
}

/// A value that a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Null,
    Int(i64),
    Text(String),
}

/// Where a page of a list begins: beside a row that was seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What the row was sorted by, in the order of the list.
    pub keys: Vec<Key>,
    /// The page ends before that row, instead of beginning after it.
    pub is_backward: bool,
}

/// Part of a list, and whether there is more in the direction in which it was read.
#[derive(Clone, Debug)]
pub struct Stretch<T> {
    pub rows: Vec<T>,
    pub has_more: bool,
    /// As [`Listed::total`]; `None` when counting would take too long.
    pub total: Option<u64>,
}

impl<T> Range<T> {
    pub(crate) fn has_start(&self) -> bool {
        self.gte.is_some() || self.gt.is_some()
    }

    pub(crate) fn has_end(&self) -> bool {
        self.lte.is_some() || self.lt.is_some()
    }

    /// Says whether it lets everything through.
    pub fn is_open(&self) -> bool {
        self.gte.is_none() && self.gt.is_none() && self.lte.is_none() && self.lt.is_none()
    }
}

impl<T: Copy> Range<T> {
    /// Returns the bounds that hold, with their signs.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = (&'static str, T)> {
        [(">=", self.gte), (">", self.gt), ("<=", self.lte), ("<", self.lt)]
            .into_iter()
            .filter_map(|(sign, bound)| Some((sign, bound?)))
    }

    /// Returns the bounds of something else.
    pub fn map<U>(&self, f: impl Fn(T) -> U) -> Range<U> {
        Range { gte: self.gte.map(&f), gt: self.gt.map(&f), lte: self.lte.map(&f), lt: self.lt.map(&f) }
    }
}

// Derived, it would ask for a default of `T`.
impl<T> Default for Range<T> {
    fn default() -> Self {
        Self { gte: None, gt: None, lte: None, lt: None }
    }
}

/// An argument of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Int(i64),
    Real(f64),
    Text(String),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<&String> for Arg {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<f64> for Arg {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}
impl From<Timestamp> for Arg {
    fn from(moment: Timestamp) -> Self {
        Self::Int(moment.as_micros())
    }
}

/// What a statement is sorted by.
#[derive(Clone, Debug)]
struct Sort {
    expression: String,
    is_descending: bool,
    may_be_null: bool,
}

/// Stands before a column that has an index, see [`Select::conditions`]. No text of ours has it.
const INDEXED: char = '\u{1}';

/// How a page is found. The databases guess how many rows a filter lets through, and where they are; a wrong guess
/// reads through all of history for a page. Here it is said, or counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// Goes through the rows in the order of the list until the page is full.
    #[default]
    Walk,
    /// Takes all rows that the filter lets through and sorts them: there are few, or an index has all that is needed.
    Sort,
    /// Sorts if there are fewer than [`COUNTED_MAX`], else walks, and then without an index for the filter.
    Count,
}

/// A `SELECT` that is being put together.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    columns: &'static str,
    from: &'static str,
    conditions: String,
    sorts: Vec<Sort>,
    args: Vec<Arg>,
    way: Way,
    walks: bool,
    has_id: bool,
    is_postgres: bool,
}

impl Select {
    /// Begins `SELECT columns FROM from`.
    pub(crate) fn new(store: &Store, columns: &'static str, from: &'static str) -> Self {
        Self {
            columns,
            from,
            conditions: String::new(),
            sorts: Vec::new(),
            args: Vec::new(),
            way: Way::default(),
            walks: false,
            has_id: false,
            is_postgres: matches!(store.db, Db::Postgres { .. }),
        }
    }

    /// Reads other columns.
    pub(crate) fn read(&mut self, columns: &'static str) {
        self.columns = columns;
    }

    /// Adds a condition; each `?` in it is the next of the arguments.
    pub(crate) fn filter<A: Into<Arg>>(&mut self, condition: &str, args: impl IntoIterator<Item = A>) {
        self.conditions.push_str(if self.conditions.is_empty() { " WHERE (" } else { " AND (" });
        let mut args = args.into_iter();
        for (at, piece) in condition.split('?').enumerate() {
            if at > 0 {
                match args.next() {
                    Some(arg) => self.push_arg(arg.into()),
                    None => unreachable!("`{condition}` has an argument for each question mark"),
                }
            }
            self.conditions.push_str(piece);
        }
        self.conditions.push(')');
    }

    /// Adds a condition without arguments.
    pub(crate) fn only(&mut self, condition: &str) {
        self.filter(condition, [] as [i64; 0]);
    }

    /// The column is one of these. An empty list lets nothing through.
    pub(crate) fn one_of<A: Into<Arg>>(&mut self, column: &'static str, values: impl IntoIterator<Item = A>) {
        let values: Vec<Arg> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            return self.only("1 = 0");
        }
        let marks = vec!["?"; values.len()].join(", ");
        self.filter(&format!("{column} IN ({marks})"), values);
    }

    /// The column is none of these.
    pub(crate) fn none_of(&mut self, column: &'static str, values: &[String]) {
        if !values.is_empty() {
            let list = self.texts();
            self.filter(&format!("{column} NOT IN (SELECT c.value FROM {list})"), [&to_list(&values)]);
        }
    }

    /// The column is nothing that `found` (`SELECT … WHERE id`) finds for one of these.
    pub(crate) fn none_with(&mut self, column: &'static str, found: &'static str, values: &[String]) {
        if !values.is_empty() {
            let list = self.texts();
            self.filter(&format!("{column} NOT IN ({found} IN (SELECT c.value FROM {list}))"), [&to_list(&values)]);
        }
    }

    /// A list of texts as one argument: there may be more of them than a statement has arguments.
    fn texts(&self) -> &'static str {
        if self.is_postgres { "jsonb_array_elements_text(?::jsonb) AS c (value)" } else { "json_each(?) AS c" }
    }

    /// The column holds one of these texts, as it stands.
    pub(crate) fn contains_one_of(&mut self, column: &'static str, texts: &[String]) {
        let one = if self.is_postgres { format!("strpos({column}, ?) > 0") } else { format!("instr({column}, ?) > 0") };
        self.filter(&vec![one; texts.len()].join(" OR "), texts);
    }

    /// The column is within these bounds.
    pub(crate) fn within<T: Copy + Into<Arg>>(&mut self, column: &str, range: &Range<T>) {
        for (sign, bound) in range.bounds() {
            self.filter(&format!("{INDEXED}{column} {sign} ?"), [bound]);
        }
    }

    /// The column looks like this.
    pub(crate) fn looks_like(&mut self, column: &str, pattern: &Pattern) {
        match pattern {
            Pattern::Like(any) => {
                let word = if self.is_postgres { "ILIKE" } else { "LIKE" };
                let each = format!(r"{column} {word} ? ESCAPE '\'");
                let conditions = vec![each; any.len()].join(" OR ");
                let args: Vec<String> = any.iter().map(|text| format!("%{text}%")).collect();
                if !any.is_empty() {
                    self.filter(&conditions, args.iter());
                }
            }
            Pattern::Prefix(prefix) => {
                // A range of the column itself: an index helps, and case counts. Postgres compares by code point
                // only when told to.
                let collate = if self.is_postgres { " COLLATE \"C\"" } else { "" };
                self.filter(&format!("{INDEXED}{column}{collate} >= ?"), [prefix]);
                if let Some(end) = after_prefix(prefix) {
                    self.filter(&format!("{INDEXED}{column}{collate} < ?"), [&end]);
                }
            }
        }
    }

    /// Says how to find a page, of a table with a unique column `id`.
    pub(crate) fn way(&mut self, way: Way) {
        self.way = way;
        self.has_id = true;
    }

    /// Sorts by an expression, after those before.
    pub(crate) fn order_by(&mut self, expression: &str, is_descending: bool) {
        self.sorts.push(Sort { expression: expression.to_owned(), is_descending, may_be_null: true });
    }

    /// Sorts by a column that is never null: only then does an index on Postgres help.
    pub(crate) fn order_by_filled(&mut self, column: &str, is_descending: bool) {
        self.sorts.push(Sort { expression: column.to_owned(), is_descending, may_be_null: false });
    }

    /// A condition says that what is sorted by is never null.
    pub(crate) fn is_filled(&mut self) {
        for sort in &mut self.sorts {
            sort.may_be_null = false;
        }
    }

    /// Lets through what comes after a row, in the order of the list. There are as many keys as sorts.
    fn after(&mut self, keys: &[Key]) {
        let sorts = std::mem::take(&mut self.sorts);
        // `a > 1 OR (a = 1 AND (b > 2 OR …))`
        let (mut condition, mut args) = (String::new(), Vec::new());
        for (at, (sort, key)) in sorts.iter().zip(keys).enumerate() {
            let name = &sort.expression;
            let (beyond, same) = match (key, sort.is_descending) {
                // Null is the smallest.
                (Key::Null, false) => (format!("{name} IS NOT NULL"), format!("{name} IS NULL")),
                (Key::Null, true) => ("1 = 0".to_owned(), format!("{name} IS NULL")),
                (Key::Int(_) | Key::Text(_), false) => (format!("{name} > ?"), format!("{name} = ?")),
                (Key::Int(_) | Key::Text(_), true) if sort.may_be_null => {
                    (format!("{name} < ? OR {name} IS NULL"), format!("{name} = ?"))
                }
                (Key::Int(_) | Key::Text(_), true) => (format!("{name} < ?"), format!("{name} = ?")),
            };
            let arg = match key {
                Key::Null => None,
                Key::Int(number) => Some(Arg::Int(*number)),
                Key::Text(text) => Some(Arg::Text(text.clone())),
            };
            args.extend(arg.clone());
            condition.push_str(&beyond);
            if at + 1 < sorts.len() {
                args.extend(arg);
                condition.push_str(&format!(" OR ({same} AND ("));
            }
        }
        condition.push_str(&"))".repeat(sorts.len().saturating_sub(1)));
        // Says the same once more of the first, so that an index finds its place.
        if let (Some(sort), Some(Key::Int(_) | Key::Text(_))) = (sorts.first(), keys.first())
            && !(sort.is_descending && sort.may_be_null)
        {
            let sign = if sort.is_descending { "<=" } else { ">=" };
            let first = args[0].clone();
            self.filter(&format!("{} {sign} ?", sort.expression), [first]);
        }
        self.filter(&condition, args);
        self.sorts = sorts;
    }

    fn order(&self, is_plain: bool) -> String {
        let words = |sort: &Sort| {
            let direction = match (sort.is_descending, self.is_postgres && sort.may_be_null) {
                // SQLite takes null for the smallest; Postgres does when told.
                (false, true) => " NULLS FIRST",
                (true, true) => " DESC NULLS LAST",
                (false, false) => "",
                (true, false) => " DESC",
            };
            // No index is in the order of a sum: the rows are sorted.
            let name = &sort.expression;
            let is_sum = !is_plain && matches!(name.as_str(), "id" | "run_after");
            if is_sum { format!("{name} + 0{direction}") } else { format!("{name}{direction}") }
        };
        let sorts: Vec<String> = self.sorts.iter().map(words).collect();
        if sorts.is_empty() { String::new() } else { format!(" ORDER BY {}", sorts.join(", ")) }
    }

    /// Returns the statement that reads a page, and its arguments.
    pub(crate) fn statement(&self, limit: i64, offset: i64) -> (String, Vec<Arg>) {
        let mut args = self.args.clone();
        args.push(Arg::Int(limit));
        let mut part = format!("LIMIT ${}", args.len());
        if offset > 0 {
            args.push(Arg::Int(offset));
            // Writing to a `String` cannot fail.
            let _ = write!(part, " OFFSET ${}", args.len());
        }
        let Self { columns, from, .. } = self;
        let (conditions, order) = (self.conditions(), self.order(true));
        let text = match self.way {
            // Rows that are passed over are not read.
            Way::Walk | Way::Count if self.has_id && offset > 0 => format!(
                "SELECT {columns} FROM {from} WHERE id IN (SELECT id FROM {from}{conditions}{order} {part}){order}"
            ),
            Way::Walk | Way::Count => format!("SELECT {columns} FROM {from}{conditions}{order} {part}"),
            // The rows themselves are read only once it is known which ones.
            Way::Sort => format!(
                "SELECT {columns} FROM {from} WHERE id IN (SELECT id FROM {from}{conditions}{} {part}){order}",
                self.order(false)
            ),
        };
        (text, args)
    }

    /// Returns the conditions. A walk must not begin with an index for one of them, which SQLite takes where it can;
    /// with a sign before the column it cannot.
    fn conditions(&self) -> String {
        let sign = if self.walks && !self.is_postgres { "+" } else { "" };
        self.conditions.replace(INDEXED, sign)
    }

    /// Decides how to find a page, once it is known which rows there are; `None` = too many.
    fn decided(&self, found: Option<&[i64]>) -> Self {
        match (self.way, found) {
            (Way::Walk | Way::Sort, _) => self.clone(),
            (Way::Count, None) => Self { way: Way::Walk, walks: true, ..self.clone() },
            (Way::Count, Some(ids)) => {
                let mut few = Self { way: Way::Walk, conditions: String::new(), args: Vec::new(), ..self.clone() };
                few.filter(
                    if self.is_postgres {
                        "id IN (SELECT CAST(c.value AS BIGINT) FROM jsonb_array_elements(?::jsonb) AS c (value))"
                    } else {
                        "id IN (SELECT c.value FROM json_each(?) AS c)"
                    },
                    [&to_list(&ids)],
                );
                few
            }
        }
    }

    /// Finds out which rows there are, if they are fewer than [`COUNTED_MAX`]: looking for them once is enough.
    fn search(&self) -> String {
        format!("SELECT id FROM {}{} LIMIT {COUNTED_MAX}", self.from, self.conditions())
    }

    /// Reads a page of the rows.
    pub(crate) async fn fetch<T>(&self, store: &Store, page: Page) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let (text, args) = self.statement(i64::from(page.limit), i64::from(page.offset));
        store.lanes.fetch(&text, &args).await
    }

    /// Lets through what lies beside a place, the nearest first.
    ///
    /// # Panics
    ///
    /// When the place was made for another order.
    pub(crate) fn beside(&self, place: &Place) -> Self {
        assert_eq!(place.keys.len(), self.sorts.len(), "a place has a key for each part of the order");
        let mut select = self.clone();
        if place.is_backward {
            for sort in &mut select.sorts {
                sort.is_descending = !sort.is_descending;
            }
        }
        select.after(&place.keys);
        select
    }

    /// Reads the rows beside a place; `None` = the first ones. The order must end with a unique key.
    ///
    /// # Panics
    ///
    /// When the place was made for another order: a mistake of the caller.
    pub(crate) async fn stretch<T>(
        &self,
        store: &Store,
        place: Option<&Place>,
        limit: u32,
    ) -> Result<Stretch<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let is_backward = place.is_some_and(|place| place.is_backward);
        let quick = if self.way == Way::Count {
            let searched = store.lanes.fetch_quick(&self.search(), &self.args).await;
            searched.map(|ids| {
                let found = few(ids);
                let total = found.as_ref().map_or(COUNTED_MAX, |ids| ids.len() as u64);
                (found, total)
            })
        } else {
            let counted = store.lanes.fetch_quick(&self.counting(), &self.args).await;
            counted.map(|rows| (None, sum(&rows)))
        };
        let (found, total) = match quick {
            Ok((found, total)) => (found, Some(total)),
            Err(StoreError::TooMuch) => (None, None),
            Err(error) => return Err(error),
        };
        let decided = self.decided(found.as_deref());
        let select = place.map_or_else(|| decided.clone(), |place| decided.beside(place));
        let (text, args) = select.statement(i64::from(limit) + 1, 0);
        let mut rows: Vec<T> = store.lanes.fetch(&text, &args).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if is_backward {
            rows.reverse();
        }
        Ok(Stretch { rows, has_more, total })
    }

    /// Reads a page of the rows, and counts them all.
    pub(crate) async fn list<T>(&self, store: &Store, page: Page) -> Result<Listed<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if self.way == Way::Count {
            let found = few(store.lanes.fetch(&self.search(), &self.args).await?);
            let total = found.as_ref().map_or(COUNTED_MAX, |ids| ids.len() as u64);
            let has_rows = total >= COUNTED_MAX || u64::from(page.offset) < total;
            let rows = if has_rows { self.decided(found.as_deref()).fetch(store, page).await? } else { Vec::new() };
            return Ok(Listed { rows, total, is_counted: true });
        }
        let rows = self.fetch(store, page).await?;
        // A page that is not full has said how many there are.
        let seen = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let is_last = seen < u64::from(page.limit) && (seen > 0 || page.offset == 0);
        if is_last {
            return Ok(Listed { rows, total: seen + u64::from(page.offset), is_counted: true });
        }
        self.counted(store, rows).await
    }

    /// Makes a list of a page: what was found is shown, also when counting the rest takes too long.
    pub(crate) async fn counted<T>(&self, store: &Store, rows: Vec<T>) -> Result<Listed<T>, StoreError> {
        match self.count(store).await {
            Ok(total) => Ok(Listed { rows, total, is_counted: true }),
            Err(StoreError::TooMuch) => Ok(Listed { rows, total: COUNTED_MAX, is_counted: false }),
            Err(error) => Err(error),
        }
    }

    /// Counts the rows, up to [`COUNTED_MAX`].
    pub(crate) async fn count(&self, store: &Store) -> Result<u64, StoreError> {
        Ok(sum(&store.lanes.fetch(&self.counting(), &self.args).await?))
    }

    /// Returns it as it is when the filter lets many rows through.
    #[cfg(test)]
    pub(crate) fn for_many(&self) -> Self {
        self.decided(None)
    }

    #[cfg(test)]
    pub(crate) fn count_statement(&self) -> (String, Vec<Arg>) {
        (self.counting(), self.args.clone())
    }

    fn counting(&self) -> String {
        format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM {}{} LIMIT {COUNTED_MAX}) AS counted",
            self.from,
            self.conditions()
        )
    }

    fn push_arg(&mut self, arg: Arg) {
        // A text that holds NUL is equal to nothing; Postgres would refuse it.
        let arg = match arg {
            Arg::Text(text) if text.contains('\0') => Arg::Text(text.replace('\0', "\u{fffd}")),
            Arg::Int(_) | Arg::Real(_) | Arg::Text(_) => arg,
        };
        self.args.push(arg);
        let number = self.args.len();
        // Writing to a `String` cannot fail.
        let _ = write!(self.conditions, "${number}");
    }
}

/// Returns the first text, in the order of code points, that no longer begins with `prefix`.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn sum(rows: &[(i64,)]) -> u64 {
    rows.first().map_or(0, |(number,)| number.unsigned_abs())
}

/// Returns the ids of what was found; `None` = perhaps not all.
fn few(found: Vec<(i64,)>) -> Option<Vec<i64>> {
    let is_all = (found.len() as u64) < COUNTED_MAX;
    is_all.then(|| found.into_iter().map(|(id,)| id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conditions_and_arguments_are_numbered_together() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let mut select = Select::new(&store, "*", "dag");
        select.filter("a = ? OR b = ?", ["x", "y"]);
        select.one_of("c", [1_i64, 2]);
        select.one_of("d", [] as [i64; 0]);
        select.within("e", &Range { gte: Some(1_i64), lt: Some(2), ..Range::default() });
        select.looks_like("f", &Pattern::Like(vec!["p".into(), "q".into()]));
        select.order_by("g", true);
        assert_eq!(
            select.conditions(),
            r" WHERE (a = $1 OR b = $2) AND (c IN ($3, $4)) AND (1 = 0) AND (e >= $5) AND (e < $6) AND (f LIKE $7 ESCAPE '\' OR f LIKE $8 ESCAPE '\')"
        );
        assert_eq!(select.order(true), " ORDER BY g DESC");
        assert_eq!(select.args.len(), 8);
    }

    #[test]
    fn what_begins_with_a_prefix_ends_before_the_next_text() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix(""), None);
    }
}
