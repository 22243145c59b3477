//! DAG files that could not be read.

use axum::extract::State;
use flow_store::{ImportError, ImportErrorFilter, ImportErrorOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{
    ApiError, App, Role, Who, auth,
    error::ErrorBody,
    extract::{Path, Query},
    page::{self, Paging},
    wire::When,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    #[serde(default)]
    order_by: Vec<String>,
    filename_pattern: Option<String>,
    filename_prefix_pattern: Option<String>,
    filename: Option<String>,
    /// There is one bundle: `dags-folder`
    bundle_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ImportErrorResponse {
    import_error_id: i64,
    timestamp: When,
    filename: String,
    bundle_name: Option<&'static str>,
    /// With lines of the file. To roles below Op they are shown once a DAG of the file is known
    stack_trace: String,
}

/// Stands for a text that is not for the reader.
const UNTOLD: &str = "the file cannot be read; why is shown to Op and Admin, as no DAG of it is known yet";

#[derive(Serialize, ToSchema)]
struct ImportErrorCollectionResponse {
    import_errors: Vec<ImportErrorResponse>,
    total_entries: u64,
}

impl From<ImportError> for ImportErrorResponse {
    fn from(row: ImportError) -> Self {
        Self {
            import_error_id: row.id,
            timestamp: When::of_micros(row.at),
            filename: row.path,
            bundle_name: Some(super::BUNDLE),
            stack_trace: if row.text.is_empty() { UNTOLD.to_owned() } else { row.text },
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_import_errors)).routes(routes!(get_import_error))
}

/// Names of columns that the list may be sorted by.
const ORDERS: [(&str, ImportErrorOrder); 6] = [
    ("id", ImportErrorOrder::Id),
    ("import_error_id", ImportErrorOrder::Id),
    ("timestamp", ImportErrorOrder::At),
    ("filename", ImportErrorOrder::Path),
    ("bundle_name", ImportErrorOrder::Id),
    ("stack_trace", ImportErrorOrder::Text),
];

/// Returns what someone may see: the texts show lines of files, and so of DAGs.
async fn seen_by(app: &App, who: &Who) -> Result<ImportErrorFilter, ApiError> {
    Ok(ImportErrorFilter {
        hidden_dags: auth::hidden_dags(app, who).await?,
        is_guarded: who.role < Role::Op,
        ..ImportErrorFilter::default()
    })
}

/// DAG files that could not be read, but those of DAGs that are hidden from who asks
#[utoipa::path(get, path = "/api/v2/importErrors", tag = "Import Error", params(Paging, Filter),
    responses((status = 200, body = ImportErrorCollectionResponse), Refusals))]
async fn get_import_errors(
    State(app): State<App>,
    who: Who,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<ImportErrorCollectionResponse>, ApiError> {
    let wanted = ImportErrorFilter {
        paths: page::patterns(filter.filename_pattern.as_deref(), filter.filename_prefix_pattern.as_deref()),
        path: filter.filename,
        ..seen_by(&app, &who).await?
    };
    let orders = page::order(&filter.order_by, &ORDERS)?;
    if filter.bundle_name.is_some_and(|name| name != super::BUNDLE) {
        return Ok(axum::Json(ImportErrorCollectionResponse { import_errors: Vec::new(), total_entries: 0 }));
    }
    let listed = app.store.list_import_errors(&wanted, &orders, paging.page()?).await?;
    Ok(axum::Json(ImportErrorCollectionResponse {
        import_errors: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// One of them
#[utoipa::path(get, path = "/api/v2/importErrors/{import_error_id}", tag = "Import Error",
    params(("import_error_id" = i64, Path)),
    responses((status = 200, body = ImportErrorResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_import_error(
    State(app): State<App>,
    who: Who,
    Path(id): Path<i64>,
) -> Result<axum::Json<ImportErrorResponse>, ApiError> {
    let seen = seen_by(&app, &who).await?;
    let found = app.store.import_error(id, &seen).await?.ok_or_else(|| ApiError::not_found("import error", id))?;
    Ok(axum::Json(found.into()))
}
