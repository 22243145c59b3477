//! The schema states the rules, and is the same on both databases.

use std::collections::BTreeMap;

use crate::{
    support::{Raw, both},
    world::{World, at},
};

/// A column: type (number, text, boolean) and whether it may be null.
type Columns = BTreeMap<(String, String), (String, bool)>;

impl Raw {
    /// Returns the names of our tables.
    pub(crate) async fn tables(&mut self) -> Vec<String> {
        let query = match self {
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            }
            Self::Postgres(_) => {
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"
            }
        };
        self.texts(query).await
    }

    async fn columns(&mut self) -> Columns {
        let query = match self {
            Self::Sqlite(_) => {
                "SELECT m.name || '|' || c.name || '|' || lower(c.type) || '|' || (c.\"notnull\" = 0 AND c.pk = 0)
                 FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '%sql%'"
            }
            Self::Postgres(_) => {
                "SELECT table_name || '|' || column_name || '|' || data_type || '|' || CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END
                 FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '%sql%'"
            }
        };
        self.texts(query)
            .await
            .into_iter()
            .map(|line| {
                let parts: Vec<_> = line.split('|').collect();
                let kind = if parts[2] == "integer" { "bigint" } else { parts[2] };
                ((parts[0].to_owned(), parts[1].to_owned()), (kind.to_owned(), parts[3] == "1"))
            })
            .collect()
    }

    /// Returns every index: its table and whether it is unique or for a part of the rows.
    async fn indexes(&mut self) -> Vec<String> {
        let query = match self {
            Self::Sqlite(_) => {
                "SELECT m.name || '|' || i.\"unique\" || '|' || i.partial || '|' ||
                    (SELECT group_concat(x.name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) x)
                 FROM sqlite_master m JOIN pragma_index_list(m.name) i
                 WHERE m.type = 'table' AND m.name NOT LIKE '%sql%' AND i.origin <> 'pk' ORDER BY 1"
            }
            Self::Postgres(_) => {
                "SELECT t.relname || '|' || CASE WHEN i.indisunique THEN 1 ELSE 0 END || '|' || CASE WHEN i.indpred IS NULL THEN 0 ELSE 1 END || '|' ||
                    (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number)
                 FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
                 WHERE n.nspname = 'public' AND t.relname NOT LIKE '%sql%' AND NOT i.indisprimary ORDER BY 1"
            }
        };
        let mut found = self.texts(query).await;
        found.sort_unstable();
        found
    }
}

both! {
    async fn nonsense_is_refused_by_the_schema(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        w.running(run, "w1", at(2)).await;
        let nonsense = [
            "UPDATE dag_run SET state = 'nonsense'",
            "UPDATE dag_run SET run_type = 'nonsense'",
            "UPDATE dag_run SET state = 'success'",
            "UPDATE dag_run SET ended_at = 1",
            "UPDATE dag_run SET version_id = 999",
            "UPDATE dag_run SET dag_id = NULL",
            "UPDATE task_instance SET state = 'nonsense'",
            "UPDATE task_instance SET state = NULL",
            "UPDATE task_instance SET state = 'success', ended_at = NULL",
            "UPDATE task_instance SET state = 'up_for_retry', next_at = NULL",
            "UPDATE task_instance SET try_number = -1",
            "UPDATE task_instance SET pool_slots = 0",
            "UPDATE task_instance SET map_index = -2",
            "UPDATE task_instance SET run = 999",
            "UPDATE attempt SET try_number = 0",
            "UPDATE attempt SET lease_until = NULL",
            "UPDATE attempt SET ended_at = 1",
            "UPDATE attempt SET outcome = 'x'",
            "UPDATE attempt SET run = 999",
            "UPDATE dag SET is_paused = TRUE, due_at = 5",
            "UPDATE dag SET is_stale = TRUE, due_at = 5",
            "UPDATE dag SET version_id = 999",
            "UPDATE dag_version SET number = 0",
            "UPDATE dag_version SET source_hash = 'nope'",
            "DELETE FROM dag_version",
            "DELETE FROM dag_source",
            "UPDATE pool SET slots = -2",
        ];
        let mut raw = w.db.raw().await;
        let mut let_in = Vec::new();
        for text in nonsense {
            if raw.run(text).await.is_ok() {
                let_in.push(text);
            }
        }
        assert_eq!(let_in, [""; 0], "the schema let these in");
    }

    async fn a_run_takes_all_that_is_its_own_with_it(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await.run.key;
        w.running(run, "w1", at(2)).await;
        w.meddle(&format!("INSERT INTO xcom VALUES ({0}, 'a', -1, 'k', '1', 1); INSERT INTO rendered VALUES ({0}, 'a', -1, '{{}}')", run.0)).await;
        w.meddle("DELETE FROM dag_run").await;
        for table in ["task_instance", "attempt", "xcom", "rendered"] {
            assert_eq!(w.count(table, "TRUE").await, 0, "{table}");
        }
    }

    async fn numbers_of_runs_and_events_are_never_used_again(w: World) {
        let w = w.with_chain().await;
        let first = w.trigger("chain", at(1)).await.run.key;
        w.meddle("DELETE FROM wake; DELETE FROM dag_run; DELETE FROM event").await;
        assert!(w.trigger("chain", at(1)).await.run.key > first);
    }

    async fn both_databases_have_the_same_tables_columns_and_indexes(w: World) {
        if w.db.is_sqlite() {
            return; // Compared where there is a Postgres.
        }
        crate::support::on_sqlite_beside(|sqlite| async move {
            let (mut ours, mut theirs) = (sqlite.raw().await, w.db.raw().await);
            assert_eq!(ours.tables().await, theirs.tables().await);
            let (ours_columns, theirs_columns) = (ours.columns().await, theirs.columns().await);
            let differ: Vec<_> = ours_columns.iter().filter(|(name, column)| theirs_columns.get(*name) != Some(column)).collect();
            assert!(differ.is_empty() && ours_columns.len() == theirs_columns.len(), "{differ:?}");
            assert!(ours_columns.len() > 80, "they were found at all");
            // An index of SQLite ends with the number of the row by itself; for events that is `id`.
            let theirs: Vec<String> = theirs.indexes().await.into_iter().map(|index| match index.as_str() {
                "event|0|1|dag_id,id" => "event|0|1|dag_id".to_owned(),
                "event|0|1|run_id,id" => "event|0|1|run_id".to_owned(),
                _ => index,
            }).collect();
            assert_eq!(ours.indexes().await, theirs);
        })
        .await;
    }
}
