//! Events as an audit log: who did what, and what became of it.
//!
//! Most of them tell of task instances and runs. What people did is rare, and has indexes of its own.

use flow_core::Timestamp;

use crate::{
    Listed, Order, Page, Pattern, Store, StoreError,
    db::{Db, on, statements},
    select::Select,
};

/// Which events a list shows. What is empty or `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub id: Option<i64>,
    pub hidden_dags: Vec<String>,
    /// Only what is about a DAG that there is: of one that was deleted nobody knows who might see it.
    pub of_dags: bool,
    pub dag_id: Option<String>,
    pub run_id: Option<String>,
    pub task_id: Option<String>,
    pub map_index: Option<i64>,
    pub try_number: Option<i64>,
    pub who: Option<String>,
    pub kind: Option<String>,
    pub included_kinds: Vec<String>,
    pub excluded_kinds: Vec<String>,
    pub before: Option<Timestamp>,
    pub after: Option<Timestamp>,
    pub dags_like: Vec<Pattern>,
    pub runs_like: Vec<Pattern>,
    pub tasks_like: Vec<Pattern>,
    pub who_like: Vec<Pattern>,
    pub kinds_like: Vec<Pattern>,
}

/// What events are sorted by. They are numbered as they are written, so that the number stands for the moment too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOrder {
    Id,
    Dag,
    Run,
    Task,
    Kind,
    Who,
    Detail,
    LogicalDate,
}

/// An event with what lists show of its run and DAG.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EventLine {
    pub id: i64,
    pub at: i64,
    pub kind: String,
    pub dag_id: Option<String>,
    pub run_id: Option<String>,
    pub task_id: Option<String>,
    pub map_index: Option<i64>,
    pub try_number: Option<i64>,
    pub state: Option<String>,
    pub detail: Option<String>,
    pub who: Option<String>,
    pub logical_date: Option<i64>,
    pub dag_name: Option<String>,
}

const COLUMNS: &str = "e.id, e.at, e.kind, e.dag_id, e.run_id, e.task_id, e.map_index, e.try_number, e.state, e.detail, e.who, \
    (SELECT r.logical_date FROM dag_run r WHERE r.dag_id = e.dag_id AND r.run_id = e.run_id) AS logical_date, \
    (SELECT COALESCE(d.display_name, d.dag_id) FROM dag d WHERE d.dag_id = e.dag_id) AS dag_name";
const LOGICAL_DATE: &str = "(SELECT r.logical_date FROM dag_run r WHERE r.dag_id = e.dag_id AND r.run_id = e.run_id)";

/// What there is most of, in the words of the indexes of the rest.
const COMMON: [&str; 2] = ["task_state", "run_state"];
const IS_RARE: &str = "e.kind NOT IN ('task_state', 'run_state')";

/// So many rows are sorted without a thought.
const FEW: i64 = 10_000;

/// How far clocks of hosts may be apart, for the order of events.
const SKEW_MICROS: i64 = 3_600_000_000;

impl EventOrder {
    fn expression(self) -> &'static str {
        match self {
            Self::Id => "e.id",
            Self::Dag => "e.dag_id",
            Self::Run => "e.run_id",
            Self::Task => "e.task_id",
            Self::Kind => "e.kind",
            Self::Who => "e.who",
            Self::Detail => "COALESCE(e.detail, e.state)",
            Self::LogicalDate => LOGICAL_DATE,
        }
    }
}

statements! {
    both COUNT_OF_DAG = "SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE dag_id = $1 LIMIT $2) AS counted";
    both FROM_ID = "SELECT id, at FROM event WHERE id >= $1 ORDER BY id LIMIT 1";
}

/// Where a list begins to look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// At the events of a DAG, all of which are sorted.
    Dag,
    /// At what is rare.
    Rare,
    /// At the number, or what the database thinks best.
    Any,
}

impl Store {
    /// Returns a page of events, the oldest first when nothing else is said.
    ///
    /// # Errors
    ///
    /// When the database does, or it takes too long to find them.
    pub async fn list_events(
        &self,
        filter: &EventFilter,
        orders: &[Order<EventOrder>],
        page: Page,
    ) -> Result<Listed<EventLine>, StoreError> {
        let is_postgres = matches!(self.db, Db::Postgres { .. });
        let is_named = filter.run_id.is_some() || filter.who.is_some() || filter.kind.is_some();
        let mut way = Way::Any;
        if let (Some(dag_id), false) = (&filter.dag_id, is_named)
            && self.events_of_dag(dag_id).await? < FEW
        {
            way = Way::Dag;
        }
        let is_common = |kind: &String| COMMON.contains(&kind.as_str());
        let leaves_out_the_common = COMMON.iter().all(|common| filter.excluded_kinds.iter().any(|kind| kind == common));
        let wants_the_rare = filter.kind.as_ref().is_some_and(|kind| !is_common(kind))
            || (!filter.included_kinds.is_empty() && !filter.included_kinds.iter().any(is_common))
            || leaves_out_the_common;
        if way == Way::Any && wants_the_rare {
            way = Way::Rare;
        }
        let from = match way {
            Way::Dag if !is_postgres => "event AS e INDEXED BY event_of_run",
            Way::Rare if !is_postgres && filter.kind.is_none() && filter.who.is_none() => {
                "event AS e INDEXED BY event_rare"
            }
            Way::Dag | Way::Rare | Way::Any => "event AS e",
        };
        let mut select = Select::new(self, COLUMNS, from);
        if way == Way::Rare {
            select.only(IS_RARE);
        }
        if let Some(id) = filter.id {
            select.filter("e.id = ?", [id]);
        }
        if filter.of_dags {
            select.only("EXISTS (SELECT 1 FROM dag d WHERE d.dag_id = e.dag_id)");
        }
        if !filter.hidden_dags.is_empty() {
            select.none_of("e.dag_id", &filter.hidden_dags);
        }
        let texts = [
            ("e.dag_id", &filter.dag_id),
            ("e.run_id", &filter.run_id),
            ("e.task_id", &filter.task_id),
            ("e.who", &filter.who),
            ("e.kind", &filter.kind),
        ];
        for (column, value) in texts {
            if let Some(value) = value {
                select.filter(&format!("{column} = ?"), [value]);
            }
        }
        for (column, value) in [("e.map_index", filter.map_index), ("e.try_number", filter.try_number)] {
            if let Some(value) = value {
                select.filter(&format!("{column} = ?"), [value]);
            }
        }
        if !filter.included_kinds.is_empty() {
            select.one_of("e.kind", &filter.included_kinds);
        }
        select.none_of("e.kind", &filter.excluded_kinds);
        if let Some(before) = filter.before {
            let end = self.event_about(before.as_micros().saturating_add(SKEW_MICROS)).await?;
            select.filter("e.id < ?", [end]);
            select.filter("e.at < ?", [before]);
        }
        if let Some(after) = filter.after {
            let begin = self.event_about(after.as_micros().saturating_sub(SKEW_MICROS)).await?;
            select.filter("e.id >= ?", [begin]);
            select.filter("e.at > ?", [after]);
        }
        let patterns = [
            ("e.dag_id", &filter.dags_like),
            ("e.run_id", &filter.runs_like),
            ("e.task_id", &filter.tasks_like),
            ("e.who", &filter.who_like),
            ("e.kind", &filter.kinds_like),
        ];
        for (column, patterns) in patterns {
            for pattern in patterns {
                select.looks_like(column, pattern);
            }
        }
        // No index is in the order of a sum: all are sorted.
        let id = if way == Way::Dag { "e.id + 0" } else { "e.id" };
        for order in orders {
            if order.by == EventOrder::Id {
                select.order_by_filled(id, order.is_descending);
            } else {
                select.order_by(order.by.expression(), order.is_descending);
            }
        }
        if !orders.iter().any(|order| order.by == EventOrder::Id) {
            let is_descending = orders.last().is_some_and(|last| last.is_descending);
            select.order_by_filled(id, is_descending);
        }
        select.list(self, page).await
    }

    async fn events_of_dag(&self, dag_id: &str) -> Result<i64, StoreError> {
        if dag_id.contains('\0') {
            return Ok(0);
        }
        Ok(on!(read self, COUNT_OF_DAG, |text, conn| {
            sqlx::query_scalar(text).bind(dag_id).bind(FEW).fetch_one(conn).await?
        }))
    }

    /// Finds the number of the first event about a moment or later: they are numbered almost in the order of time.
    async fn event_about(&self, at: i64) -> Result<i64, StoreError> {
        let (mut low, mut high) = (0, self.last_event().await? + 1);
        // Everything below `low` is before the moment, everything from `high` on is not.
        while low < high {
            let middle = low + (high - low) / 2;
            let found: Option<(i64, i64)> =
                on!(read self, FROM_ID, |text, conn| sqlx::query_as(text).bind(middle).fetch_optional(conn).await?);
            match found {
                Some((id, when)) if when < at => low = id + 1,
                Some(_) | None => high = middle,
            }
        }
        Ok(low)
    }
}
