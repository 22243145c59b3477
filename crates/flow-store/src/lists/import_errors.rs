//! DAG files that could not be read.

use crate::{ImportError, Listed, Order, Page, Pattern, Store, StoreError, select::Select};

/// Which import errors a list shows.
#[derive(Clone, Debug, Default)]
pub struct ImportErrorFilter {
    pub paths: Vec<Pattern>,
    pub path: Option<String>,
    /// Errors of files that hold one of these are left out.
    pub hidden_dags: Vec<String>,
    /// Of a file of which no DAG is known, nobody can say who may read it: only its name is shown, without texts.
    pub is_guarded: bool,
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
const GUARDED: &str = "id, path, at,
    CASE WHEN EXISTS (SELECT 1 FROM dag d WHERE d.file = import_error.path) THEN text ELSE '' END AS text,
    CASE WHEN EXISTS (SELECT 1 FROM dag d WHERE d.file = import_error.path) THEN diagnostics ELSE '[]' END AS diagnostics";

impl ImportErrorFilter {
    fn select(&self, store: &Store) -> Select {
        let columns = if self.is_guarded { GUARDED } else { COLUMNS };
        let mut select = Select::new(store, columns, "import_error");
        for pattern in &self.paths {
            select.looks_like("path", pattern);
        }
        if let Some(path) = &self.path {
            select.filter("path = ?", [path]);
        }
        select.none_with("path", "SELECT d.file FROM dag d WHERE d.dag_id", &self.hidden_dags);
        select
    }
}

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
        let mut select = filter.select(self);
        for order in orders {
            select.order_by(order.by.column(), order.is_descending);
        }
        select.order_by("id", false);
        select.list(self, page).await
    }

    /// Returns an import error, if the filter lets it through.
    ///
    /// # Errors
    ///
    /// When the database does.
    pub async fn import_error(&self, id: i64, filter: &ImportErrorFilter) -> Result<Option<ImportError>, StoreError> {
        let mut select = filter.select(self);
        select.filter("id = ?", [id]);
        Ok(select.fetch(self, Page { limit: 1, offset: 0 }).await?.pop())
    }
}
