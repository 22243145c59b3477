//! DAG files that could not be read.

use crate::{ImportError, Listed, Order, Page, Pattern, Store, StoreError, select::Select};

/// Which import errors a list shows.
#[derive(Clone, Debug, Default)]
pub struct ImportErrorFilter {
    pub paths: Vec<Pattern>,
    pub path: Option<String>,
}

/// What import errors are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportErrorOrder {
    Id,
    At,
    Path,
    Text,
}

impl ImportErrorOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::At => "at",
            Self::Path => "path",
            Self::Text => "text",
        }
    }
}

const COLUMNS: &str = "id, path, at, text, diagnostics";

impl Store {
    /// Returns a page of import errors.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn list_import_errors(
        &self,
        filter: &ImportErrorFilter,
        orders: &[Order<ImportErrorOrder>],
        page: Page,
    ) -> Result<Listed<ImportError>, StoreError> {
        let mut select = Select::new(self, COLUMNS, "import_error");
        for pattern in &filter.paths {
            select.looks_like("path", pattern);
        }
        if let Some(path) = &filter.path {
            select.filter("path = ?", [path]);
        }
        for order in orders {
            select.order_by(order.by.column(), order.is_descending);
        }
        select.order_by("id", false);
        select.list(self, page).await
    }

    /// Returns an import error.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn import_error(&self, id: i64) -> Result<Option<ImportError>, StoreError> {
        let mut select = Select::new(self, COLUMNS, "import_error");
        select.filter("id = ?", [id]);
        Ok(select.fetch(self, Page { limit: 1, offset: 0 }).await?.pop())
    }
}
