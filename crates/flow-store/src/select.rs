//! Lists whose filters and order a caller chooses: the one place where a statement is put together while running.
//!
//! It is put together from texts of this crate, and numbered arguments; nothing that a user wrote becomes SQL. Every
//! list has a limit, and counts stop at [`COUNTED_MAX`], so that neither grows with history. What makes a list fast
//! is an index for its usual filters and orders: the tests of this crate look at the plans.

use std::fmt::Write as _;

use flow_core::Timestamp;
use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::{Store, StoreError, db::Db};

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
    /// At most [`COUNTED_MAX`], which then means "so many or more".
    pub total: u64,
}

impl<T> Range<T> {
    /// Says whether it lets everything through.
    pub fn is_open(&self) -> bool {
        self.gte.is_none() && self.gt.is_none() && self.lte.is_none() && self.lt.is_none()
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

/// A `SELECT` that is being put together.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    columns: &'static str,
    from: &'static str,
    conditions: String,
    order: String,
    args: Vec<Arg>,
    is_postgres: bool,
}

impl Select {
    /// Begins `SELECT columns FROM from`.
    pub(crate) fn new(store: &Store, columns: &'static str, from: &'static str) -> Self {
        Self {
            columns,
            from,
            conditions: String::new(),
            order: String::new(),
            args: Vec::new(),
            is_postgres: matches!(store.db, Db::Postgres { .. }),
        }
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

    /// The column is within these bounds.
    pub(crate) fn within<T: Copy + Into<Arg>>(&mut self, column: &str, range: &Range<T>) {
        for (sign, bound) in [(">=", range.gte), (">", range.gt), ("<=", range.lte), ("<", range.lt)] {
            if let Some(bound) = bound {
                self.filter(&format!("{column} {sign} ?"), [bound]);
            }
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
                self.filter(&format!("{column}{collate} >= ?"), [prefix]);
                if let Some(end) = after_prefix(prefix) {
                    self.filter(&format!("{column}{collate} < ?"), [&end]);
                }
            }
        }
    }

    /// Sorts by an expression, after those before.
    pub(crate) fn order_by(&mut self, expression: &str, is_descending: bool) {
        self.order.push_str(if self.order.is_empty() { " ORDER BY " } else { ", " });
        self.order.push_str(expression);
        self.order.push_str(match (is_descending, self.is_postgres) {
            // SQLite takes null for the smallest; Postgres does when told.
            (false, true) => " NULLS FIRST",
            (true, true) => " DESC NULLS LAST",
            (false, false) => "",
            (true, false) => " DESC",
        });
    }

    /// Reads a page of the rows.
    pub(crate) async fn fetch<T>(&self, store: &Store, page: Page) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut args = self.args.clone();
        args.extend([Arg::Int(i64::from(page.limit)), Arg::Int(i64::from(page.offset))]);
        let text = format!(
            "SELECT {} FROM {}{}{} LIMIT ${} OFFSET ${}",
            self.columns,
            self.from,
            self.conditions,
            self.order,
            args.len() - 1,
            args.len()
        );
        fetch(store, text, args).await
    }

    /// Reads a page of the rows, and counts them all.
    pub(crate) async fn list<T>(&self, store: &Store, page: Page) -> Result<Listed<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let rows = self.fetch(store, page).await?;
        // A page that is not full has said how many there are.
        let seen = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let is_last = seen < u64::from(page.limit) && (seen > 0 || page.offset == 0);
        let total = if is_last { seen + u64::from(page.offset) } else { self.count(store).await? };
        Ok(Listed { rows, total })
    }

    /// Counts the rows, up to [`COUNTED_MAX`].
    pub(crate) async fn count(&self, store: &Store) -> Result<u64, StoreError> {
        let text = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM {}{} LIMIT {COUNTED_MAX}) AS counted",
            self.from, self.conditions
        );
        let counted: Vec<(i64,)> = fetch(store, text, self.args.clone()).await?;
        Ok(counted.first().map_or(0, |(number,)| number.unsigned_abs()))
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

/// Runs a statement that was put together here.
async fn fetch<T>(store: &Store, text: String, args: Vec<Arg>) -> Result<Vec<T>, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    macro_rules! run {
        ($pool:expr) => {{
            let mut query = sqlx::query_as(AssertSqlSafe(text));
            for arg in args {
                query = match arg {
                    Arg::Int(number) => query.bind(number),
                    Arg::Real(number) => query.bind(number),
                    Arg::Text(text) => query.bind(text),
                };
            }
            Ok(query.fetch_all($pool).await?)
        }};
    }
    match &store.db {
        Db::Sqlite { read, .. } => run!(read),
        Db::Postgres { pool } => run!(pool),
    }
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
            select.conditions,
            r" WHERE (a = $1 OR b = $2) AND (c IN ($3, $4)) AND (1 = 0) AND (e >= $5) AND (e < $6) AND (f LIKE $7 ESCAPE '\' OR f LIKE $8 ESCAPE '\')"
        );
        assert_eq!(select.order, " ORDER BY g DESC");
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
