//! Many rows into a table, and what becomes of those that are there already.

use super::{
    Cell, DatabaseKind, Parameters, Session, postgres,
    text::{Bound, Piece},
};
use crate::{ClientError, Result};

/// Most values in one statement of MySQL and SQLite: below what each allows, and enough to make the way there cheap.
const VALUES_MAX: usize = 8_000;

/// And most bytes of values, unless one row has more: below `max_allowed_packet` where that is smallest.
const BYTES_MAX: usize = 1 << 20;

/// Where rows go.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// As people write it: `readings`, `public.readings`.
    pub table: String,
    pub columns: Vec<String>,
    pub on_conflict: OnConflict,
}

/// What becomes of a row whose key is in the table already.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum OnConflict {
    /// The statement fails.
    #[default]
    Error,
    /// The row is left out.
    Ignore,
    /// The row takes the place of the other; these columns are the key. MySQL looks at every unique key.
    Update { key: Vec<String> },
}

/// Writes a table's name, `schema.table` in its parts.
pub fn quote_table(kind: DatabaseKind, name: &str) -> String {
    if name.contains(['"', '`', '[']) {
        return name.to_owned();
    }
    name.split('.').map(|part| quote(kind, part)).collect::<Vec<_>>().join(".")
}

/// Writes a name in quotes. On Postgres a plain name with capitals stays without, so that it means what it means in SQL.
pub fn quote(kind: DatabaseKind, name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    let is_quoted = |quote: char| name.len() > 2 && name.starts_with(quote) && name.ends_with(quote);
    match kind {
        _ if is_quoted('"') || is_quoted('`') => name.to_owned(),
        DatabaseKind::Postgres if is_plain && name.chars().any(|c| c.is_ascii_uppercase()) => name.to_owned(),
        DatabaseKind::MySql => format!("`{}`", name.replace('`', "``")),
        DatabaseKind::Postgres | DatabaseKind::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

impl Insert {
    fn names(&self, kind: DatabaseKind) -> Vec<String> {
        self.columns.iter().map(|name| quote(kind, name)).collect()
    }

    /// `INSERT INTO t (a, b)`
    fn head(&self, kind: DatabaseKind) -> String {
        format!("INSERT INTO {} ({})", quote_table(kind, &self.table), self.names(kind).join(", "))
    }

    /// ` ON CONFLICT …`
    pub(super) fn tail(&self, kind: DatabaseKind) -> String {
        let names = self.names(kind);
        match (&self.on_conflict, kind) {
            (OnConflict::Error, _) => String::new(),
            // `INSERT IGNORE` would also pass over values that do not fit.
            (OnConflict::Ignore, DatabaseKind::MySql) => match names.first() {
                Some(first) => format!(" ON DUPLICATE KEY UPDATE {first} = {first}"),
                None => String::new(),
            },
            (OnConflict::Ignore, DatabaseKind::Postgres | DatabaseKind::Sqlite) => " ON CONFLICT DO NOTHING".to_owned(),
            (OnConflict::Update { key }, kind) => {
                let key: Vec<_> = key.iter().map(|name| quote(kind, name)).collect();
                let set = |new: &dyn Fn(&String) -> String| {
                    let others = names.iter().filter(|name| !key.contains(name));
                    others.map(|name| format!("{name} = {}", new(name))).collect::<Vec<_>>().join(", ")
                };
                if kind == DatabaseKind::MySql {
                    let set = set(&|name| format!("VALUES({name})"));
                    let none = format!("{0} = {0}", names.first().map_or("", String::as_str));
                    return format!(" ON DUPLICATE KEY UPDATE {}", if set.is_empty() { none } else { set });
                }
                let set = set(&|name| format!("EXCLUDED.{name}"));
                let set = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {set}") };
                format!(" ON CONFLICT ({}) DO {set}", key.join(", "))
            }
        }
    }

    pub(super) fn check_key(&self) -> Result<()> {
        if self.columns.is_empty() {
            return Err(ClientError::settings("no columns are named to insert into"));
        }
        if let OnConflict::Update { key } = &self.on_conflict {
            if key.is_empty() {
                return Err(ClientError::settings("an update on conflict needs the columns of the key"));
            }
            if let Some(name) = key.iter().find(|name| !self.columns.contains(name)) {
                let columns = self.columns.join(", ");
                return Err(ClientError::settings(format!("the key `{name}` is none of the columns ({columns})")));
            }
        }
        Ok(())
    }

    fn check(&self, rows: &[Vec<Cell>]) -> Result<()> {
        self.check_key()?;
        match rows.iter().find(|row| row.len() != self.columns.len()) {
            Some(row) => Err(ClientError::refused(format!(
                "a row has {} values for {} columns ({})",
                row.len(),
                self.columns.len(),
                self.columns.join(", ")
            ))),
            None => Ok(()),
        }
    }
}

impl Session {
    /// Inserts rows, and returns how many were inserted or changed, as the database counts them.
    /// Of rows with the same key the last one stays.
    ///
    /// # Errors
    ///
    /// When a row has another number of values than there are columns; and what the database says.
    pub async fn insert(&mut self, insert: &Insert, rows: Vec<Vec<Cell>>) -> Result<u64> {
        insert.check(&rows)?;
        if rows.is_empty() {
            return Ok(0);
        }
        match self.kind() {
            DatabaseKind::Postgres => self.insert_arrays(insert, rows).await,
            kind @ (DatabaseKind::MySql | DatabaseKind::Sqlite) => self.insert_values(kind, insert, rows).await,
        }
    }

    /// `VALUES (?, ?), (?, ?), …`
    async fn insert_values(&mut self, kind: DatabaseKind, insert: &Insert, rows: Vec<Vec<Cell>>) -> Result<u64> {
        let width = insert.columns.len();
        let most = (VALUES_MAX / width).max(1);
        let mut changed = 0;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let (mut values, mut size) = (Vec::with_capacity(width * most.min(rows.len())), 0);
            let size_of = |row: &Vec<Cell>| row.iter().map(Cell::size).sum::<usize>();
            while let Some(row) = rows.next_if(|row| values.is_empty() || size + size_of(row) <= BYTES_MAX) {
                size += size_of(&row);
                values.extend(row);
                if values.len() >= most * width {
                    break;
                }
            }
            let count = values.len() / width;
            let mut pieces = vec![Piece::Text(format!("{} VALUES ", insert.head(kind)))];
            for at in 0..values.len() {
                let before = match (at, at % width) {
                    (0, _) => "(",
                    (_, 0) => "), (",
                    _ => ", ",
                };
                pieces.push(Piece::Text(before.to_owned()));
                pieces.push(Piece::Value(at));
            }
            pieces.push(Piece::Text(format!("){}", insert.tail(kind))));
            // Only full batches come again.
            self.begin_anew().await?;
            let mut done = self.start(Bound { pieces, values }, count == most).await?;
            while done.next().await?.is_some() {}
            changed += done.changed();
        }
        Ok(changed)
    }

    /// One array a column: the same statement for any number of rows.
    async fn insert_arrays(&mut self, insert: &Insert, rows: Vec<Vec<Cell>>) -> Result<u64> {
        let kind = DatabaseKind::Postgres;
        let types = self.column_types(insert).await?;
        let width = insert.columns.len();
        let mut columns: Vec<Vec<serde_json::Value>> = (0..width).map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            for ((at, column), cell) in columns.iter_mut().enumerate().zip(row) {
                let is_array = types.get(at).is_some_and(|cast| cast.ends_with("[]"));
                let text = postgres::text_of(cell, is_array);
                column.push(text.map_or(serde_json::Value::Null, serde_json::Value::String));
            }
        }
        let names: Vec<_> = (0..width).map(|at| format!("v{at}")).collect();
        let cast = |at: usize| match types.get(at).map(String::as_str) {
            Some("") | None => format!("v{at}"),
            Some(cast) => format!("v{at}::{cast}"),
        };
        let casts: Vec<_> = (0..width).map(|at| format!("{} AS v{at}", cast(at))).collect();
        // Two rows of one key cannot both be put there by one statement.
        let (distinct, order) = match &insert.on_conflict {
            OnConflict::Update { key } => {
                let at = key.iter().filter_map(|name| insert.columns.iter().position(|column| column == name));
                let key = at.map(cast).collect::<Vec<_>>().join(", ");
                (format!("DISTINCT ON ({key}) "), format!(" ORDER BY {key}, row_number DESC"))
            }
            OnConflict::Error | OnConflict::Ignore => (String::new(), String::new()),
        };
        let mut pieces = vec![Piece::Text(format!(
            "{} SELECT {} FROM (SELECT {distinct}{} FROM unnest(",
            insert.head(kind),
            names.join(", "),
            casts.join(", "),
        ))];
        for at in 0..width {
            pieces.push(Piece::Value(at));
            pieces.push(Piece::Text(if at + 1 < width { "::text[], " } else { "::text[]" }.to_owned()));
        }
        let (names, tail) = (names.join(", "), insert.tail(kind));
        pieces.push(Piece::Text(format!(") WITH ORDINALITY AS rows({names}, row_number){order}) AS rows{tail}")));
        let values = columns.into_iter().map(|column| Cell::Json(column.into())).collect();
        let mut done = self.start(Bound { pieces, values }, true).await?;
        while done.next().await?.is_some() {}
        Ok(done.changed())
    }

    /// Names the columns of a table that hold arrays, as the table has them.
    pub(super) async fn array_columns(&mut self, table: &str) -> Result<Vec<String>> {
        let sql = format!("SELECT * FROM {} WHERE false", quote_table(DatabaseKind::Postgres, table));
        let types = self.with_conn(async |conn| conn.column_types(&sql).await).await?;
        let names = self.columns_of(table).await?;
        Ok(names.into_iter().zip(types).filter(|(_, cast)| cast.ends_with("[]")).map(|(name, _)| name).collect())
    }

    /// How the types of the columns are written in a cast.
    async fn column_types(&mut self, insert: &Insert) -> Result<Vec<String>> {
        let kind = DatabaseKind::Postgres;
        let sql =
            format!("SELECT {} FROM {} WHERE false", insert.names(kind).join(", "), quote_table(kind, &insert.table));
        self.with_conn(async |conn| conn.column_types(&sql).await).await
    }

    /// Inserts rows of JSON values.
    ///
    /// # Errors
    ///
    /// As [`Session::insert`].
    pub async fn insert_json(&mut self, insert: &Insert, rows: Vec<Vec<serde_json::Value>>) -> Result<u64> {
        let rows = rows.into_iter().map(|row| row.into_iter().map(Cell::from).collect()).collect();
        self.insert(insert, rows).await
    }

    /// Runs one statement with the parameters of a list.
    ///
    /// # Errors
    ///
    /// As [`Session::execute`].
    pub async fn execute_with(&mut self, sql: &str, values: Vec<serde_json::Value>) -> Result<u64> {
        self.execute(sql, &Parameters::List(values)).await
    }
}
