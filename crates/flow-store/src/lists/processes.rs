//! Processes, those that have ended too.

use flow_core::Timestamp;

use crate::{Listed, Order, Page, Process, ProcessKind, Range, Store, StoreError, select::Select};

/// Which processes a list shows.
#[derive(Clone, Debug, Default)]
pub struct ProcessFilter {
    /// Any of them; `None` = all.
    pub kinds: Option<Vec<ProcessKind>>,
    pub hostname: Option<String>,
    /// Has not ended, and was heard of since this moment; `false`: the others.
    pub is_alive: Option<(bool, Timestamp)>,
    pub has_ended: Option<bool>,
    pub started: Range<Timestamp>,
    pub ended: Range<Timestamp>,
}

/// What processes are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessOrder {
    Id,
    Kind,
    Hostname,
    Started,
    Heartbeat,
    Ended,
}

impl ProcessOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Kind => "kind",
            Self::Hostname => "hostname",
            Self::Started => "started_at",
            Self::Heartbeat => "heartbeat_at",
            Self::Ended => "ended_at",
        }
    }
}

impl Store {
    /// Returns a page of the processes that work, or worked, on this database.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_processes(
        &self,
        filter: &ProcessFilter,
        orders: &[Order<ProcessOrder>],
        page: Page,
    ) -> Result<Listed<Process>, StoreError> {
        let columns =
            "id, kind, hostname, machine, pid, pid_started, slots, queues, version, started_at, heartbeat_at, ended_at";
        let mut select = Select::new(self, columns, "process");
        if let Some(kinds) = &filter.kinds {
            select.one_of("kind", kinds.iter().map(|kind| kind.as_str()));
        }
        if let Some(hostname) = &filter.hostname {
            select.filter("hostname = ?", [hostname]);
        }
        match filter.is_alive {
            Some((true, since)) => select.filter("ended_at IS NULL AND heartbeat_at >= ?", [since]),
            Some((false, since)) => select.filter("ended_at IS NOT NULL OR heartbeat_at < ?", [since]),
            None => {}
        }
        match filter.has_ended {
            Some(true) => select.only("ended_at IS NOT NULL"),
            Some(false) => select.only("ended_at IS NULL"),
            None => {}
        }
        select.within("started_at", &filter.started);
        select.within("ended_at", &filter.ended);
        for order in orders {
            select.order_by(order.by.column(), order.is_descending);
        }
        select.order_by("started_at", false);
        select.order_by("id", false);
        select.list(self, page).await
    }
}
