//! `/api/v2`: Airflow's stable REST API, and `/ui`: what our own UI and command line need besides. A file a resource:
//! parameters, bodies, views, handlers, in this order.

use axum::extract::DefaultBodyLimit;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::{App, openapi};

mod absent;
mod auth;
pub(crate) mod bulk;
mod check;
mod command_line;
mod config;
mod connections;
mod dag_details;
mod dag_files;
mod dag_overviews;
mod dag_runs;
mod dag_versions;
mod dags;
mod event_logs;
mod events;
pub(crate) mod find;
mod graph;
mod import_errors;
mod jobs;
mod logs;
pub(crate) mod metrics;
mod monitor;
mod pools;
mod ranges;
mod task_instances;
mod tokens;
mod ui;
mod users;
mod variables;
mod xcoms;

/// The one bundle that there is, under the name of Airflow's default: the DAG folder.
pub(crate) const BUNDLE: &str = "dags-folder";

/// Largest body of a login: anybody may send one.
const LOGIN_BYTES_MAX: usize = 64 * 1024;

/// Returns every route of the API with its description.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Base::openapi())
        .merge(absent::routes())
        .merge(auth::routes().layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .merge(command_line::routes())
        .merge(check::routes())
        .merge(config::routes())
        .merge(connections::routes())
        .merge(dag_details::routes())
        .merge(dag_files::routes())
        .merge(dag_overviews::routes())
        .merge(dag_runs::routes())
        .merge(dag_versions::routes())
        .merge(dags::routes())
        .merge(event_logs::routes())
        .merge(events::routes())
        .merge(graph::routes())
        .merge(import_errors::routes())
        .merge(jobs::routes())
        .merge(logs::routes())
        .merge(metrics::routes())
        .merge(monitor::routes())
        .merge(pools::routes())
        .merge(task_instances::routes())
        .merge(tokens::routes())
        .merge(ui::routes())
        .merge(users::routes())
        .merge(variables::routes())
        .merge(xcoms::routes())
}

/// The answers that every route may give beside its own.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is there for its description")]
pub(crate) enum Refusals {
    /// Understood, and refused
    #[response(status = 400)]
    Refused(#[to_schema] crate::error::ErrorBody),
    /// Nobody is logged in
    #[response(status = 401)]
    Unauthorized(#[to_schema] crate::error::ErrorBody),
    /// Not with this role, or not this DAG
    #[response(status = 403)]
    Forbidden(#[to_schema] crate::error::ErrorBody),
    /// A part of the request makes no sense
    #[response(status = 422)]
    Invalid(#[to_schema] crate::error::InvalidBody),
    /// Too many tokens that are not valid came from this address
    #[response(status = 429)]
    TooMany(#[to_schema] crate::error::ErrorBody),
}
