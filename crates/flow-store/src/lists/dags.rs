//! DAGs, with what lists show of them and filter by.

use flow_core::{RunState, Timestamp};

use crate::{
    Listed, Order, Page, Pattern, Range, Store, StoreError, Tx,
    db::{Db, on, statements},
    rows::list_of,
    select::Select,
};

/// The latest run of a DAG: one step into an index.
macro_rules! latest {
    () => {
        " FROM dag_run r WHERE r.dag_id = d.dag_id ORDER BY r.run_after DESC, r.id DESC LIMIT 1"
    };
}

/// Which DAGs a list shows. What is empty or `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct DagFilter {
    pub dag_id: Option<String>,
    /// Any of these; `None` = all.
    pub some_ids: Option<Vec<String>>,
    pub dag_ids: Vec<Pattern>,
    pub display_names: Vec<Pattern>,
    pub tags: Vec<String>,
    /// All of the tags, not any of them.
    pub all_tags: bool,
    /// Any of them.
    pub owners: Vec<String>,
    pub is_paused: Option<bool>,
    /// DAGs whose files are gone, too.
    pub with_stale: bool,
    pub has_import_errors: Option<bool>,
    /// Of the latest run; any of them.
    pub latest_states: Vec<RunState>,
    pub latest_start: Range<Timestamp>,
    pub latest_end: Range<Timestamp>,
    /// A favourite of this user, or not.
    pub favorite: Option<(String, bool)>,
    /// Names of Airflow's classes; any of them.
    pub timetables: Vec<String>,
    /// These are left out.
    pub hidden: Vec<String>,
}

/// What DAGs are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DagOrder {
    Id,
    DisplayName,
    IsPaused,
    NextLogicalDate,
    NextRunAfter,
    LatestState,
    LatestStart,
}

impl DagOrder {
    fn expression(self) -> &'static str {
        match self {
            Self::Id => "d.dag_id",
            Self::DisplayName => "COALESCE(d.display_name, d.dag_id)",
            Self::IsPaused => "d.is_paused",
            Self::NextLogicalDate => "d.next_logical_date",
            Self::NextRunAfter => "d.next_run_after",
            Self::LatestState => concat!("(SELECT r.state", latest!(), ")"),
            Self::LatestStart => concat!("(SELECT r.started_at", latest!(), ")"),
        }
    }
}

/// A DAG as lists show it. What is `None` although every DAG has one was not written by the flow that read its file.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DagLine {
    pub dag_id: String,
    pub version_id: i64,
    pub file: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    /// With `, ` between them.
    pub owners: String,
    /// JSON list.
    pub tags: String,
    /// In words.
    pub schedule: String,
    pub timetable_class: Option<String>,
    pub timetable_summary: Option<String>,
    pub is_periodic: Option<bool>,
    /// IANA name.
    pub timezone: Option<String>,
    pub max_active_runs: i64,
    pub max_active_tasks: Option<i64>,
    pub max_failed_runs: Option<i64>,
    pub has_task_limits: Option<bool>,
    pub is_paused: bool,
    pub is_stale: bool,
    pub has_import_errors: bool,
    pub next_logical_date: Option<i64>,
    pub next_interval_start: Option<i64>,
    pub next_interval_end: Option<i64>,
    pub next_run_after: Option<i64>,
    /// When its file was last read.
    pub parsed_at: i64,
}

/// How many DAGs a filter lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DagCount {
    pub all: i64,
    pub paused: i64,
}

/// A task of a DAG names a pool that is not there.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MissingPool {
    pub dag_id: String,
    pub display_name: Option<String>,
    pub pool: String,
    pub parsed_at: i64,
}

/// How many runs of a DAG are in a state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RunCount {
    pub dag_id: String,
    pub state: String,
    pub runs: i64,
}

const COLUMNS: &str = "d.dag_id, d.version_id, d.file, d.display_name, d.description, d.owners, d.tags, d.schedule,
    d.timetable_class, d.timetable_summary, d.is_periodic, d.timezone, d.max_active_runs, d.max_active_tasks,
    d.max_failed_runs, d.has_task_limits, d.is_paused, d.is_stale, EXISTS (SELECT 1 FROM import_error e WHERE e.path = d.file) AS has_import_errors,
    d.next_logical_date, d.next_interval_start, d.next_interval_end, d.next_run_after, COALESCE(f.parsed_at, d.parsed_at) AS parsed_at";
const FROM: &str = "dag d LEFT JOIN dag_file f ON f.path = d.file";

statements! {
    each COUNT_ACTIVE = [
        "SELECT r.dag_id, r.state, COUNT(*) AS runs
         FROM", "JOIN dag_run r ON r.dag_id = c.value ->> 0 AND r.state IN ('queued', 'running')
         GROUP BY r.dag_id, r.state"
    ];
    // Neither reads further back than `$2` runs of a DAG. Without LATERAL, Postgres would rather read them all.
    split COUNT_ENDED = {
        sqlite: "SELECT c.value ->> 0 AS dag_id, r.state, COUNT(*) AS runs
            FROM json_each($1) AS c JOIN dag_run r ON r.dag_id = c.value ->> 0
                AND r.run_after >= COALESCE((SELECT l.run_after FROM dag_run l WHERE l.dag_id = c.value ->> 0
                    ORDER BY l.run_after DESC, l.id DESC LIMIT 1 OFFSET $2 - 1), -9223372036854775807)
            WHERE r.state IN ('success', 'failed') GROUP BY c.value ->> 0, r.state",
        postgres: "SELECT r.dag_id, r.state, COUNT(*) AS runs
            FROM jsonb_array_elements($1::jsonb) AS c (value) CROSS JOIN LATERAL (SELECT l.dag_id, l.state FROM dag_run l
                WHERE l.dag_id = c.value ->> 0 ORDER BY l.run_after DESC, l.id DESC LIMIT $2) AS r
            WHERE r.state IN ('success', 'failed') GROUP BY r.dag_id, r.state"
    };
    both FAVORITE = "INSERT INTO favorite (who, dag_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    both UNFAVORITE = "DELETE FROM favorite WHERE who = $1 AND dag_id = $2";
    both IS_FAVORITE = "SELECT EXISTS (SELECT 1 FROM favorite WHERE who = $1 AND dag_id = $2)";
}

impl DagFilter {
    fn select(&self, store: &Store, columns: &'static str) -> Select {
        let mut select = Select::new(store, columns, FROM);
        if let Some(dag_id) = &self.dag_id {
            select.filter("d.dag_id = ?", [dag_id]);
        }
        if let Some(ids) = &self.some_ids {
            select.one_of("d.dag_id", ids);
        }
        for pattern in &self.dag_ids {
            select.looks_like("d.dag_id", pattern);
        }
        for pattern in &self.display_names {
            select.looks_like("COALESCE(d.display_name, d.dag_id)", pattern);
        }
        self.select_tags(store, &mut select);
        if !self.owners.is_empty() {
            let each = r"(', ' || d.owners || ',') LIKE ? ESCAPE '\'";
            let names = self.owners.iter().map(|owner| format!("%, {},%", escaped(owner)));
            let names: Vec<String> = names.collect();
            select.filter(&vec![each; names.len()].join(" OR "), &names);
        }
        if let Some(is_paused) = self.is_paused {
            select.only(if is_paused { "d.is_paused" } else { "NOT d.is_paused" });
        }
        if !self.with_stale {
            select.only("NOT d.is_stale");
        }
        if let Some(has_errors) = self.has_import_errors {
            let not = if has_errors { "" } else { "NOT " };
            select.only(&format!("{not}EXISTS (SELECT 1 FROM import_error e WHERE e.path = d.file)"));
        }
        if !self.latest_states.is_empty() {
            select.one_of(
                concat!("(SELECT r.state", latest!(), ")"),
                self.latest_states.iter().map(|state| state.as_str()),
            );
        }
        select.within(concat!("(SELECT r.started_at", latest!(), ")"), &self.latest_start);
        select.within(concat!("(SELECT r.ended_at", latest!(), ")"), &self.latest_end);
        if let Some((who, is_favorite)) = &self.favorite {
            let not = if *is_favorite { "" } else { "NOT " };
            let there = format!("{not}EXISTS (SELECT 1 FROM favorite v WHERE v.dag_id = d.dag_id AND v.who = ?)");
            select.filter(&there, [who]);
        }
        if !self.timetables.is_empty() {
            select.one_of("d.timetable_class", &self.timetables);
        }
        select.none_of("d.dag_id", &self.hidden);
        select
    }

    fn select_tags(&self, store: &Store, select: &mut Select) {
        let tag = if is_postgres(store) {
            "EXISTS (SELECT 1 FROM jsonb_array_elements_text(d.tags::jsonb) AS t (value) WHERE t.value = ?)"
        } else {
            "EXISTS (SELECT 1 FROM json_each(d.tags) AS t WHERE t.value = ?)"
        };
        if !self.tags.is_empty() {
            let word = if self.all_tags { " AND " } else { " OR " };
            select.filter(&vec![tag; self.tags.len()].join(word), &self.tags);
        }
    }
}

impl Store {
    /// Returns a page of DAGs.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_dags(
        &self,
        filter: &DagFilter,
        orders: &[Order<DagOrder>],
        page: Page,
    ) -> Result<Listed<DagLine>, StoreError> {
        let mut select = filter.select(self, COLUMNS);
        for order in orders {
            select.order_by(order.by.expression(), order.is_descending);
        }
        select.order_by("d.dag_id", false);
        select.list(self, page).await
    }

    /// Counts the DAGs of a list.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_dags(&self, filter: &DagFilter) -> Result<DagCount, StoreError> {
        let columns = "COUNT(*) AS \"all\", COUNT(CASE WHEN d.is_paused THEN 1 END) AS paused";
        let select = filter.select(self, columns);
        let found = select.fetch(self, Page { limit: 1, offset: 0 }).await?.pop();
        Ok(found.unwrap_or(DagCount { all: 0, paused: 0 }))
    }

    /// Returns a DAG as lists show it.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn dag_line(&self, dag_id: &str) -> Result<Option<DagLine>, StoreError> {
        let filter = DagFilter { dag_id: Some(dag_id.to_owned()), with_stale: true, ..DagFilter::default() };
        Ok(filter.select(self, COLUMNS).fetch(self, Page { limit: 1, offset: 0 }).await?.pop())
    }

    /// Returns the tags of DAGs that are not stale, by name, at most `most`.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn tags(&self, names: &[Pattern], hidden: &[String], most: u32) -> Result<Vec<String>, StoreError> {
        let from = if is_postgres(self) {
            "dag d, jsonb_array_elements_text(d.tags::jsonb) AS t (value)"
        } else {
            "dag d, json_each(d.tags) AS t"
        };
        let mut select = Select::new(self, "DISTINCT t.value", from);
        select.only("NOT d.is_stale");
        select.none_of("d.dag_id", hidden);
        for pattern in names {
            select.looks_like("t.value", pattern);
        }
        select.order_by("t.value", false);
        let rows: Vec<(String,)> = select.fetch(self, Page { limit: most, offset: 0 }).await?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }

    /// Returns a page of the pools that tasks name and that are not there, by DAG and pool.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_missing_pools(
        &self,
        dag_id: Option<&str>,
        hidden: &[String],
        is_descending: bool,
        page: Page,
    ) -> Result<Listed<MissingPool>, StoreError> {
        let from = if is_postgres(self) {
            "dag d, jsonb_array_elements_text(d.pools::jsonb) AS p (value)"
        } else {
            "dag d, json_each(d.pools) AS p"
        };
        let mut select = Select::new(self, "d.dag_id, d.display_name, p.value AS pool, d.parsed_at", from);
        select.only("NOT d.is_stale AND d.pools IS NOT NULL");
        select.only("NOT EXISTS (SELECT 1 FROM pool o WHERE o.name = p.value)");
        if let Some(dag_id) = dag_id {
            select.filter("d.dag_id = ?", [dag_id]);
        }
        select.none_of("d.dag_id", hidden);
        select.order_by("d.dag_id", is_descending);
        select.order_by("p.value", is_descending);
        select.list(self, page).await
    }

    /// Counts the runs of DAGs by state: those under way, and those that have ended among the latest `most` of each.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn count_runs(&self, dags: &[&str], most: u32) -> Result<Vec<RunCount>, StoreError> {
        let list = list_of(dags);
        let mut counts: Vec<RunCount> =
            on!(read self, COUNT_ACTIVE, |text, conn| sqlx::query_as(text).bind(&list).fetch_all(conn).await?);
        let ended: Vec<RunCount> = on!(read self, COUNT_ENDED, |text, conn| {
            sqlx::query_as(text).bind(&list).bind(i64::from(most.max(1))).fetch_all(conn).await?
        });
        counts.extend(ended);
        Ok(counts)
    }

    /// Says whether a DAG is a favourite of a user.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn is_favorite(&self, who: &str, dag_id: &str) -> Result<bool, StoreError> {
        Ok(on!(read self, IS_FAVORITE, |text, conn| {
            sqlx::query_scalar(text).bind(who).bind(dag_id).fetch_one(conn).await?
        }))
    }
}

impl Tx {
    /// Makes a DAG a favourite of a user, or no longer. Returns whether it was not already so.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn set_favorite(&mut self, who: &str, dag_id: &str, is_favorite: bool) -> Result<bool, StoreError> {
        let change = if is_favorite { FAVORITE } else { UNFAVORITE };
        let touched = on!(tx self, change, |text, conn| {
            sqlx::query(text).bind(who).bind(dag_id).execute(conn).await?.rows_affected()
        });
        Ok(touched > 0)
    }
}

fn is_postgres(store: &Store) -> bool {
    matches!(store.db, Db::Postgres { .. })
}

/// Writes a text so that it stands for itself in LIKE.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
