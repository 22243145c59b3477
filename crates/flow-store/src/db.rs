//! The two databases behind one shape: pools, transactions, and statements with a text for each.
//!
//! A statement is written once where both understand it and twice where they differ; [`statements!`] keeps
//! them in a list, and a test prepares every one of them on both. `on!` expands a body once per database, so
//! the compiler checks it against both drivers.

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

/// A statement's text for each database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql {
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Sql {
    pub(crate) fn name(self) -> &'static str {
        self.name
    }
}

/// Declares statements: `both NAME = "…";` or `split NAME = { sqlite: "…", postgres: "…" };`.
macro_rules! statements {
    ($($(#[$doc:meta])* $kind:ident $name:ident = $body:tt;)*) => {
        $($(#[$doc])* pub(crate) const $name: $crate::db::Sql = $crate::db::statement!($kind $name $body);)*
        #[cfg(test)]
        pub(crate) const ALL: &[$crate::db::Sql] = &[$($name),*];
    };
}
macro_rules! statement {
    (both $name:ident $text:literal) => {
        $crate::db::Sql { name: stringify!($name), sqlite: $text, postgres: $text }
    };
    // `each`: the two parts around a table `c` whose `value`s are the elements of the JSON list in `$1`.
    (each $name:ident [$before:literal, $after:literal]) => {
        $crate::db::Sql {
            name: stringify!($name),
            sqlite: concat!($before, " json_each($1) AS c ", $after),
            postgres: concat!($before, " jsonb_array_elements($1::jsonb) AS c (value) ", $after),
        }
    };
    (split $name:ident { sqlite: $sqlite:literal, postgres: $postgres:literal $(,)? }) => {
        $crate::db::Sql { name: stringify!($name), sqlite: $sqlite, postgres: $postgres }
    };
}
pub(crate) use {statement, statements};

/// Runs the body against the read pool, or inside a transaction, of whichever database it is.
macro_rules! on {
    (read $store:expr, $sql:expr, |$text:ident, $conn:ident| $body:expr) => {
        match &$store.db {
            $crate::db::Db::Sqlite { read, .. } => {
                let ($text, $conn) = ($sql.sqlite, read);
                $body
            }
            $crate::db::Db::Postgres { pool } => {
                let ($text, $conn) = ($sql.postgres, pool);
                $body
            }
        }
    };
    (tx $tx:expr, $sql:expr, |$text:ident, $conn:ident| $body:expr) => {
        match &mut $tx.inner {
            $crate::db::Inner::Sqlite(inner) => {
                let ($text, $conn) = ($sql.sqlite, &mut **inner);
                $body
            }
            $crate::db::Inner::Postgres(inner) => {
                let ($text, $conn) = ($sql.postgres, &mut **inner);
                $body
            }
        }
    };
}
pub(crate) use on;

/// The pools of one database.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    /// One writer, so that a transaction never finds the file changed under it; readers beside it.
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
    Postgres {
        pool: PgPool,
    },
}

/// An open transaction. Dropped without [`crate::Tx::commit`], nothing has happened.
#[derive(Debug)]
pub(crate) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}
