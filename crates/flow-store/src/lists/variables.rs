//! Variables.

use crate::{Listed, Order, Page, Pattern, Store, StoreError, Variable, select::Select, variables::Row};

/// Which variables a list shows.
#[derive(Clone, Debug, Default)]
pub struct VariableFilter {
    pub keys: Vec<Pattern>,
}

/// What variables are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableOrder {
    Key,
    Description,
}

impl VariableOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Description => "description",
        }
    }
}

impl Store {
    /// Returns a page of variables.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_variables(
        &self,
        filter: &VariableFilter,
        orders: &[Order<VariableOrder>],
        page: Page,
    ) -> Result<Listed<Variable>, StoreError> {
        let mut select = Select::new(self, "key, value, description", "variable");
        for pattern in &filter.keys {
            select.looks_like("key", pattern);
        }
        for order in orders {
            select.order_by(order.by.column(), order.is_descending);
        }
        select.order_by("key", false);
        let listed: Listed<Row> = select.list(self, page).await?;
        let rows = listed.rows.into_iter().map(|row| row.open(&self.keyring)).collect();
        Ok(Listed { rows, total: listed.total, is_counted: listed.is_counted })
    }
}
