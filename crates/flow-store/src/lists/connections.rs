//! Connections.

use crate::{
    ConnectionRow, Listed, Order, Page, Pattern, Store, StoreError,
    connections::{COLUMNS, Row},
    select::Select,
};

/// Which connections a list shows.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFilter {
    pub ids: Vec<Pattern>,
}

/// What connections are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionOrder {
    Id,
    Type,
    Description,
    Host,
    Port,
}

impl ConnectionOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "connection_id",
            Self::Type => "conn_type",
            Self::Description => "description",
            Self::Host => "host",
            Self::Port => "port",
        }
    }
}

impl Store {
    /// Returns a page of connections.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_connections(
        &self,
        filter: &ConnectionFilter,
        orders: &[Order<ConnectionOrder>],
        page: Page,
    ) -> Result<Listed<ConnectionRow>, StoreError> {
        let mut select = Select::new(self, COLUMNS, "connection");
        for pattern in &filter.ids {
            select.looks_like("connection_id", pattern);
        }
        for order in orders {
            select.order_by(order.by.column(), order.is_descending);
        }
        select.order_by("connection_id", false);
        let listed: Listed<Row> = select.list(self, page).await?;
        let rows = listed.rows.into_iter().map(|row| row.open(&self.keyring)).collect();
        Ok(Listed { rows, total: listed.total, is_counted: listed.is_counted })
    }
}
