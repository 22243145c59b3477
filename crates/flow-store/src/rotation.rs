//! Which key encrypts, and changing it while others work.
//!
//! The database names one key. Whoever writes a value holds that row while they do, so that the moment at which
//! another key takes over is the same for all processes. From then on older values are encrypted again, a few at a
//! time; the old key is forgotten when none is left. Each step may be the last of a process: the next try goes on.

use std::{collections::BTreeSet, time::Duration};

use flow_core::secret::Secret;

use crate::{
    Store, StoreError, Tx,
    db::{on, statements},
    keyring::{FORMAT, Key, Place},
};

/// Rows that are encrypted again in one transaction.
const BATCH: i64 = 100;
/// How often rows that others hold are waited for, and how long each time.
const PATIENCE: usize = 600;
const PAUSE: Duration = Duration::from_millis(50);

statements! {
    both CURRENT = "SELECT key_id FROM secret_key";
    // A change of the key waits for those who write with the old one.
    split HOLD = {
        sqlite: "SELECT key_id FROM secret_key",
        postgres: "SELECT key_id FROM secret_key FOR SHARE"
    };
    both BEGIN = "INSERT INTO secret_key (one, key_id) VALUES (1, $1) ON CONFLICT DO NOTHING";
    both CHANGE = "UPDATE secret_key SET key_id = $1";
    split OLD_VARIABLES = {
        sqlite: "SELECT key, value FROM variable WHERE value NOT LIKE $1 AND key > $2 ORDER BY key LIMIT $3",
        postgres: "SELECT key, value FROM variable WHERE value NOT LIKE $1 AND key > $2 ORDER BY key LIMIT $3
            FOR UPDATE SKIP LOCKED"
    };
    both CHANGE_VARIABLE = "UPDATE variable SET value = $2 WHERE key = $1";
    split OLD_CONNECTIONS = {
        sqlite: "SELECT connection_id, password, extra FROM connection
            WHERE (password NOT LIKE $1 OR extra NOT LIKE $1) AND connection_id > $2
            ORDER BY connection_id LIMIT $3",
        postgres: "SELECT connection_id, password, extra FROM connection
            WHERE (password NOT LIKE $1 OR extra NOT LIKE $1) AND connection_id > $2
            ORDER BY connection_id LIMIT $3
            FOR UPDATE SKIP LOCKED"
    };
    both CHANGE_CONNECTION = "UPDATE connection SET password = $2, extra = $3 WHERE connection_id = $1";
    both OLD = "SELECT 'variable', key FROM variable WHERE value NOT LIKE $1
        UNION ALL SELECT 'connection', connection_id FROM connection WHERE password NOT LIKE $1 OR extra NOT LIKE $1
        LIMIT $2";
}

/// How far a change of the key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// The new key is known, beside the old one.
    Ready,
    /// Everybody writes with the new key.
    Switched,
    /// So many rows have been encrypted again.
    Changed(u64),
}

/// What a change of the key has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The id of the key that encrypts now.
    pub to: String,
    /// An earlier change was finished, and no other begun.
    pub is_resumed: bool,
    /// Rows that were encrypted again.
    pub changed: u64,
    /// Rows that nobody can read any more.
    pub unreadable: Vec<String>,
    /// Ids of keys that are not needed any more.
    pub dropped: Vec<String>,
}

impl Store {
    /// Returns the id of the key that encrypts; `None` before the first value.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn current_key(&self) -> Result<Option<String>, StoreError> {
        Ok(on!(read self, CURRENT, |text, conn| sqlx::query_scalar(text).fetch_optional(conn).await?))
    }

    /// Finds out whether this process has the key that encrypts.
    ///
    /// # Errors
    ///
    /// [`StoreError::Key`] with a sentence that names the key and says what to do.
    pub async fn check_key(&self) -> Result<(), StoreError> {
        match self.current_key().await? {
            Some(id) if self.keyring.find(&id)?.is_none() => Err(StoreError::Key(format!(
                "variables and connections cannot be read: {}",
                self.keyring.missing(&id).replacen("it is", "they are", 1)
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// Changes the key, or finishes an earlier change: a key file gets a new one; of keys that were given, the
    /// first takes over. Works while others do.
    ///
    /// # Errors
    ///
    /// When the database does, or a key is missing. What was done stays; the next call goes on.
    pub async fn rotate_key(&self, mut tell: impl FnMut(RotationStep) + Send) -> Result<Rotated, StoreError> {
        self.check_key().await?;
        // Held until the end: another change on this host waits.
        let (to, is_resumed, _held) = self.keyring.begin_change()?;
        tell(RotationStep::Ready);
        let mut tx = self.begin().await?;
        on!(tx tx, BEGIN, |text, conn| { sqlx::query(text).bind(&to.id).execute(conn).await?; });
        on!(tx tx, CHANGE, |text, conn| { sqlx::query(text).bind(&to.id).execute(conn).await?; });
        tx.commit().await?;
        tell(RotationStep::Switched);
        let mut rotated =
            Rotated { to: to.id.clone(), is_resumed, changed: 0, unreadable: Vec::new(), dropped: Vec::new() };
        for _ in 0..PATIENCE {
            rotated.unreadable.clear();
            self.change_rows(&to, &mut rotated, &mut tell).await?;
            if self.is_all_else_new(&to, &rotated.unreadable).await? {
                rotated.dropped = self.keyring.end_change(&to)?;
                return Ok(rotated);
            }
            // Others hold rows; they write them with the new key, or leave them.
            tokio::time::sleep(PAUSE).await;
        }
        Err(StoreError::Conflict("other transactions hold rows that must change; run the command again".to_owned()))
    }

    /// Says whether all rows but these are encrypted with the key. By name: since these were found, some of them may
    /// have gone, and others may be left that were held then.
    async fn is_all_else_new(&self, to: &Key, unreadable: &[String]) -> Result<bool, StoreError> {
        let known: BTreeSet<&str> = unreadable.iter().map(String::as_str).collect();
        // One more than are known is one that is not.
        let most = i64::try_from(known.len()).unwrap_or(i64::MAX).saturating_add(1);
        let old: Vec<(String, String)> = on!(read self, OLD, |text, conn| {
            sqlx::query_as(text).bind(like(to)).bind(most).fetch_all(conn).await?
        });
        Ok(old.iter().all(|(table, row)| known.contains(named(table, row).as_str())))
    }

    async fn change_rows(
        &self,
        to: &Key,
        rotated: &mut Rotated,
        tell: &mut (impl FnMut(RotationStep) + Send),
    ) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let mut tx = self.begin().await?;
            let rows = tx.old_variables(to, &after).await?;
            let Some((last, _)) = rows.last() else { break };
            after.clone_from(last);
            for (key, value) in rows {
                let place = Place { table: "variable", column: "value", row: &key };
                match self.again(to, place, &value)? {
                    Some(value) => {
                        on!(tx tx, CHANGE_VARIABLE, |text, conn| {
                            sqlx::query(text).bind(&key).bind(value).execute(conn).await?;
                        });
                        rotated.changed += 1;
                    }
                    None => rotated.unreadable.push(named("variable", &key)),
                }
            }
            tx.commit().await?;
            tell(RotationStep::Changed(rotated.changed));
        }
        after.clear();
        loop {
            let mut tx = self.begin().await?;
            let rows = tx.old_connections(to, &after).await?;
            let Some((last, ..)) = rows.last() else { break };
            after.clone_from(last);
            for (id, password, extra) in rows {
                let part = |column, sealed: Option<String>| {
                    let place = Place { table: "connection", column, row: &id };
                    sealed.map(|sealed| self.again(to, place, &sealed).map(|again| again.ok_or(sealed))).transpose()
                };
                let (password, extra) = (part("password", password)?, part("extra", extra)?);
                if matches!(password, Some(Err(_))) || matches!(extra, Some(Err(_))) {
                    rotated.unreadable.push(named("connection", &id));
                } else {
                    rotated.changed += 1;
                }
                let either = |part: Option<Result<String, String>>| part.map(|part| part.unwrap_or_else(|old| old));
                on!(tx tx, CHANGE_CONNECTION, |text, conn| {
                    sqlx::query(text).bind(&id).bind(either(password)).bind(either(extra)).execute(conn).await?;
                });
            }
            tx.commit().await?;
            tell(RotationStep::Changed(rotated.changed));
        }
        Ok(())
    }

    /// Encrypts a value again; `None` when it cannot be read.
    fn again(&self, to: &Key, place: Place<'_>, sealed: &str) -> Result<Option<String>, StoreError> {
        match self.keyring.open(place, sealed) {
            Ok(plain) => Ok(Some(to.seal(place, plain.expose())?)),
            Err(error) => {
                tracing::warn!(%error, "a value keeps its old key");
                Ok(None)
            }
        }
    }
}

/// Returns what a row is called.
fn named(table: &str, row: &str) -> String {
    format!("{table} `{row}`")
}

/// What values of this key look like.
fn like(key: &Key) -> String {
    format!("{FORMAT}:{}:%", key.id)
}

impl Tx {
    /// Returns the key to write with, which nobody changes until the transaction ends.
    pub(crate) async fn writing_key(&mut self) -> Result<Key, StoreError> {
        if let Some(id) = self.held_key().await? {
            return self.find_key(&id);
        }
        let first = self.keyring.first()?;
        on!(tx self, BEGIN, |text, conn| { sqlx::query(text).bind(&first.id).execute(conn).await?; });
        // Another process may have been faster.
        let id = self.held_key().await?.unwrap_or(first.id);
        self.find_key(&id)
    }

    async fn held_key(&mut self) -> Result<Option<String>, StoreError> {
        Ok(on!(tx self, HOLD, |text, conn| sqlx::query_scalar(text).fetch_optional(conn).await?))
    }

    fn find_key(&self, id: &str) -> Result<Key, StoreError> {
        self.keyring.find(id)?.ok_or_else(|| {
            StoreError::Key(format!(
                "the value cannot be written: {}",
                self.keyring.missing(id).replacen("it is encrypted", "values are encrypted", 1)
            ))
        })
    }

    /// Encrypts values for their places.
    pub(crate) async fn seal<const N: usize>(
        &mut self,
        values: [(Place<'_>, Option<&Secret>); N],
    ) -> Result<[Option<String>; N], StoreError> {
        let key = self.writing_key().await?;
        let mut sealed = [const { None }; N];
        for (at, (place, value)) in values.into_iter().enumerate() {
            sealed[at] = value.map(|value| key.seal(place, value.expose())).transpose()?;
        }
        Ok(sealed)
    }

    async fn old_variables(&mut self, to: &Key, after: &str) -> Result<Vec<(String, String)>, StoreError> {
        Ok(on!(tx self, OLD_VARIABLES, |text, conn| {
            sqlx::query_as(text).bind(like(to)).bind(after).bind(BATCH).fetch_all(conn).await?
        }))
    }

    async fn old_connections(
        &mut self,
        to: &Key,
        after: &str,
    ) -> Result<Vec<(String, Option<String>, Option<String>)>, StoreError> {
        Ok(on!(tx self, OLD_CONNECTIONS, |text, conn| {
            sqlx::query_as(text).bind(like(to)).bind(after).bind(BATCH).fetch_all(conn).await?
        }))
    }
}
