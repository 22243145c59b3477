//! Runs, of one DAG or of all.

use flow_core::{RunState, RunType, Timestamp};

use crate::{
    Key, Listed, Order, Page, Pattern, Place, Range, RunRow, Store, StoreError, Stretch,
    runs::{COLUMNS, Raw},
    select::{Select, Way},
};

/// Which runs a list shows. What is empty does not filter.
#[derive(Clone, Debug, Default)]
pub struct DagRunFilter {
    /// Runs of these DAGs; `None` = of all.
    pub dags: Option<Vec<String>>,
    /// And of none of these.
    pub hidden_dags: Vec<String>,
    pub states: Vec<RunState>,
    pub types: Vec<RunType>,
    /// Numbers of versions.
    pub versions: Vec<i64>,
    pub dag_ids: Vec<Pattern>,
    pub run_ids: Vec<Pattern>,
    pub users: Vec<Pattern>,
    pub run_after: Range<Timestamp>,
    pub logical_date: Range<Timestamp>,
    pub started_at: Range<Timestamp>,
    pub ended_at: Range<Timestamp>,
    /// See [`DagRunOrder::UpdatedAt`].
    pub updated_at: Range<Timestamp>,
    /// In seconds, of what has ended.
    pub duration: Range<f64>,
    /// One of these texts is in `conf` as it is kept: JSON without spaces.
    pub conf_contains: Vec<String>,
}

/// What runs are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DagRunOrder {
    Id,
    DagId,
    RunId,
    RunType,
    State,
    LogicalDate,
    IntervalStart,
    IntervalEnd,
    RunAfter,
    QueuedAt,
    StartedAt,
    EndedAt,
    /// When it ended, else when it started, else when it was queued: a column of its own would be one more write for
    /// each change.
    UpdatedAt,
    Duration,
    Conf,
    User,
}

const UPDATED_AT: &str = "COALESCE(ended_at, started_at, queued_at)";
const DURATION: &str = "(ended_at - started_at)";

impl DagRunOrder {
    fn expression(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::DagId => "dag_id",
            Self::RunId => "run_id",
            Self::RunType => "run_type",
            Self::State => "state",
            Self::LogicalDate => "logical_date",
            Self::IntervalStart => "interval_start",
            Self::IntervalEnd => "interval_end",
            Self::RunAfter => "run_after",
            Self::QueuedAt => "queued_at",
            Self::StartedAt => "started_at",
            Self::EndedAt => "ended_at",
            Self::UpdatedAt => UPDATED_AT,
            Self::Duration => DURATION,
            Self::Conf => "conf",
            Self::User => "triggering_user",
        }
    }

    fn may_be_null(self) -> bool {
        match self {
            Self::LogicalDate
            | Self::IntervalStart
            | Self::IntervalEnd
            | Self::StartedAt
            | Self::EndedAt
            | Self::Duration
            | Self::User => true,
            Self::Id
            | Self::DagId
            | Self::RunId
            | Self::RunType
            | Self::State
            | Self::RunAfter
            | Self::QueuedAt
            | Self::UpdatedAt
            | Self::Conf => false,
        }
    }

    /// Returns what a run is sorted by, for a [`Place`] beside it. `None`: too long to be handed to and fro.
    pub fn key(self, row: &RunRow) -> Option<Key> {
        let run = &row.run;
        let moment = |moment: Option<Timestamp>| moment.map_or(Key::Null, |moment| Key::Int(moment.as_micros()));
        Some(match self {
            Self::Id => Key::Int(run.key.0),
            Self::DagId => Key::Text(run.dag_id.to_string()),
            Self::RunId => Key::Text(run.run_id.to_string()),
            Self::RunType => Key::Text(run.run_type.to_string()),
            Self::State => Key::Text(run.state.to_string()),
            Self::LogicalDate => moment(run.logical_date),
            Self::IntervalStart => moment(run.data_interval.map(|interval| interval.start)),
            Self::IntervalEnd => moment(run.data_interval.map(|interval| interval.end)),
            Self::RunAfter => moment(Some(run.run_after)),
            Self::QueuedAt => moment(Some(run.queued_at)),
            Self::StartedAt => moment(run.started_at),
            Self::EndedAt => moment(run.ended_at),
            Self::UpdatedAt => moment(Some(run.ended_at.or(run.started_at).unwrap_or(run.queued_at))),
            Self::Duration => match run.started_at.zip(run.ended_at) {
                Some((start, end)) => Key::Int(end.as_micros() - start.as_micros()),
                None => Key::Null,
            },
            Self::Conf => return None,
            Self::User => row.user.clone().map_or(Key::Null, Key::Text),
        })
    }

    /// Says whether a key is one of this order.
    pub fn fits(self, key: &Key) -> bool {
        let is_text = matches!(self, Self::DagId | Self::RunId | Self::RunType | Self::State | Self::User);
        match key {
            Key::Null => self.may_be_null(),
            Key::Int(_) => !is_text && self != Self::Conf,
            Key::Text(_) => is_text,
        }
    }
}

/// Ends an order with what is unique, in the direction of the rest: an index can be read backwards as a whole.
pub fn with_run_id(orders: &[Order<DagRunOrder>]) -> Vec<Order<DagRunOrder>> {
    let mut all: Vec<Order<DagRunOrder>> = Vec::with_capacity(orders.len() + 1);
    for order in orders {
        // A second time it changes nothing, and after a unique one nothing does.
        if !all.iter().any(|before| before.by == order.by || before.by == DagRunOrder::Id) {
            all.push(*order);
        }
    }
    if !all.iter().any(|order| order.by == DagRunOrder::Id) {
        all.push(Order { by: DagRunOrder::Id, is_descending: all.last().is_some_and(|last| last.is_descending) });
    }
    all
}

impl Store {
    /// Returns a page of runs.
    ///
    /// # Errors
    ///
    /// When the database does, or it takes too long to find them.
    pub async fn list_dag_runs(
        &self,
        filter: &DagRunFilter,
        orders: &[Order<DagRunOrder>],
        page: Page,
    ) -> Result<Listed<RunRow>, StoreError> {
        let select = self.dag_runs(filter, orders);
        // Those without a date come last, and the index of the others is in this order.
        if let Some(first) = orders.first()
            && first.is_descending
            && orders.len() == 1
            && filter.states.is_empty()
            && filter.types.is_empty()
            && matches!(first.by, DagRunOrder::LogicalDate | DagRunOrder::StartedAt | DagRunOrder::EndedAt)
            && filter.way(&[]) == Way::Walk
        {
            let mut dated = select.clone();
            dated.only(&format!("{} IS NOT NULL", first.by.expression()));
            dated.is_filled();
            dated.way(Way::Walk);
            let rows: Vec<Raw> = dated.fetch(self, page).await?;
            if rows.len() == usize::try_from(page.limit).unwrap_or(usize::MAX) {
                return select.counted(self, understood(rows)?).await;
            }
        }
        let listed: Listed<Raw> = select.list(self, page).await?;
        Ok(Listed { rows: understood(listed.rows)?, total: listed.total, is_counted: listed.is_counted })
    }

    /// Returns runs beside a place, which has a key for each of [`with_run_id`]; `None` = the first ones.
    ///
    /// # Errors
    ///
    /// As [`Store::list_dag_runs`].
    pub async fn list_dag_runs_from(
        &self,
        filter: &DagRunFilter,
        orders: &[Order<DagRunOrder>],
        place: Option<&Place>,
        limit: u32,
    ) -> Result<Stretch<RunRow>, StoreError> {
        let found: Stretch<Raw> = self.dag_runs(filter, orders).stretch(self, place, limit).await?;
        Ok(Stretch { rows: understood(found.rows)?, has_more: found.has_more, total: found.total })
    }

    pub(crate) fn dag_runs(&self, filter: &DagRunFilter, orders: &[Order<DagRunOrder>]) -> Select {
        let mut select = Select::new(self, COLUMNS, "dag_run");
        if let Some(dags) = &filter.dags {
            select.one_of("dag_id", dags);
        }
        select.none_of("dag_id", &filter.hidden_dags);
        select_states(&mut select, &filter.states);
        if !filter.types.is_empty() {
            let words: Vec<String> = filter.types.iter().map(|kind| format!("'{kind}'")).collect();
            select.only(&format!("run_type IN ({})", words.join(", ")));
            if !filter.types.contains(&RunType::Scheduled) {
                // The same, as the index of them has it.
                select.only("run_type <> 'scheduled'");
            }
        }
        if !filter.versions.is_empty() {
            let marks = vec!["?"; filter.versions.len()].join(", ");
            select.filter(
                &format!("EXISTS (SELECT 1 FROM dag_version v WHERE v.id = version_id AND v.number IN ({marks}))"),
                filter.versions.iter().copied(),
            );
        }
        for (column, patterns) in
            [("dag_id", &filter.dag_ids), ("run_id", &filter.run_ids), ("triggering_user", &filter.users)]
        {
            for pattern in patterns {
                select.looks_like(column, pattern);
            }
        }
        select.within("run_after", &filter.run_after);
        select.within("logical_date", &filter.logical_date);
        select.within("started_at", &filter.started_at);
        select.within("ended_at", &filter.ended_at);
        if !filter.updated_at.is_open() {
            // As `COALESCE` has no index, and one more would be written at each change.
            let (mut ended, mut active, mut args) = (Vec::new(), Vec::new(), Vec::new());
            for (sign, bound) in filter.updated_at.bounds() {
                ended.push(format!("ended_at {sign} ?"));
                active.push(format!("COALESCE(started_at, queued_at) {sign} ?"));
                args.push(bound);
            }
            select.filter(
                &format!(
                    "id IN (SELECT id FROM dag_run WHERE {} UNION ALL
                        SELECT id FROM dag_run WHERE state IN ('queued', 'running') AND {})",
                    ended.join(" AND "),
                    active.join(" AND ")
                ),
                args.iter().chain(&args).copied(),
            );
        }
        select.within(DURATION, &filter.duration.map(|seconds| seconds * 1e6));
        if !filter.conf_contains.is_empty() {
            select.contains_one_of("conf", &filter.conf_contains);
        }
        for order in with_run_id(orders) {
            if order.by.may_be_null() {
                select.order_by(order.by.expression(), order.is_descending);
            } else {
                select.order_by_filled(order.by.expression(), order.is_descending);
            }
        }
        select.way(filter.way(orders));
        select
    }
}

impl DagRunFilter {
    /// Says how a page is found: see [`Way`].
    fn way(&self, orders: &[Order<DagRunOrder>]) -> Way {
        let order = with_run_id(orders)[0];
        let by_run_after = order.by == DagRunOrder::RunAfter;
        let dates = [&self.logical_date, &self.started_at, &self.ended_at, &self.updated_at];
        let mut dates: Vec<_> = dates.into_iter().filter(|range| !range.is_open()).collect();
        if !by_run_after && !self.run_after.is_open() {
            dates.push(&self.run_after);
        }
        // Dates go together: who looks from the open end finds matches at once.
        let are_ahead = |range: &&Range<Timestamp>| {
            if order.is_descending { !range.has_end() } else { !range.has_start() }
        };
        let is_active = !self.states.is_empty() && self.states.iter().all(|state| !state.is_finished());
        let is_searched = !(self.dag_ids.is_empty()
            && self.run_ids.is_empty()
            && self.users.is_empty()
            && self.versions.is_empty()
            && self.conf_contains.is_empty()
            && self.duration.is_open());
        if is_active {
            Way::Sort
        } else if is_searched {
            Way::Count
        } else if dates.is_empty() {
            if matches!(order.by, DagRunOrder::Id | DagRunOrder::RunAfter) { Way::Walk } else { Way::Sort }
        } else if dates.iter().all(are_ahead) {
            Way::Count
        } else {
            // What is old is far from both ends of the list, and the indexes of dates have all that is needed.
            Way::Sort
        }
    }
}

/// Adds the states as the partial indexes of the schema have them: as text, not as arguments. Only then do the
/// databases know that such an index has all the rows.
fn select_states(select: &mut Select, states: &[RunState]) {
    match states {
        [] => {}
        [one] => select.only(&format!("state = '{one}'")),
        more => {
            let words: Vec<String> = more.iter().map(|state| format!("'{state}'")).collect();
            select.only(&format!("state IN ({})", words.join(", ")));
        }
    }
    if !states.is_empty() && states.iter().all(|state| !state.is_finished()) {
        select.only("state IN ('queued', 'running')");
    }
}

fn understood(raw: Vec<Raw>) -> Result<Vec<RunRow>, StoreError> {
    raw.into_iter().map(RunRow::try_from).collect()
}
