//! Who may do what: every route with the role that it needs. The only place where this is said.
//!
//! [`guard`] looks each request up here before its handler sees it; a route that is not in [`RULES`] cannot be
//! reached, and a test compares the table with the OpenAPI document. docs/reference/access.md is written from it.
//!
//! Roles are Airflow's, each with the rights of those before it. A DAG with `access_control` is there for the roles
//! and users that it names, and for Op and Admin.

use std::{collections::HashMap, net::IpAddr, sync::LazyLock};

use axum::{
    extract::{MatchedPath, RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{Method, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use flow_store::Event;

use crate::{
    ApiError, App, auth,
    said::{self, Asked},
};

/// What a user is. Ordered: a later one may do all that an earlier one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees DAGs, runs, task instances, logs.
    Viewer,
    /// Triggers, clears, marks, pauses.
    User,
    /// Looks after pools, variables, connections, configuration.
    Op,
    /// Looks after users and tokens.
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::User, Self::Op, Self::Admin];

    /// Returns its name, which is Airflow's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::User => "User",
            Self::Op => "Op",
            Self::Admin => "Admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("there is no role `{text}` (there are: Viewer, User, Op, Admin)"))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub user: String,
    pub role: Role,
    /// How they showed it.
    pub by: By,
    /// Where the request came from; `None` = from this process.
    pub address: Option<IpAddr>,
}

/// How someone showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A browser's cookie: requests that change something need the CSRF token as well.
    Session,
    /// A bearer token.
    Token,
    /// Nothing: `web.anonymous_role` lets everyone in.
    Nothing,
    /// The command line, in this process.
    Process,
}

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nobody in particular.
    Anyone,
    /// This role, and `can_read` on the DAG in the path, if there is one.
    Read(Role),
    /// This role, and `can_edit` on the DAG in the path; an event tells who asked for what.
    Write(Role),
    /// To be logged in, for what is one's own; this role for what is others'. The handler finds out whose a token is.
    ReadOwn(Role),
    /// The same, for a change.
    WriteOwn(Role),
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) need: Need,
    /// The operation: its handler, its id in the OpenAPI document, and its event in the audit log.
    pub(crate) name: &'static str,
}

macro_rules! rules {
    ($($method:ident $path:literal $need:ident$(($role:ident))? $name:ident;)*) => {
        /// Every route.
        pub(crate) const RULES: &[Rule] = &[$(Rule {
            method: stringify!($method),
            path: $path,
            need: Need::$need$((Role::$role))?,
            name: stringify!($name),
        }),*];
    };
}

rules! {
    GET "/api/v2/assets" Read(Viewer) get_assets;
    GET "/api/v2/assets/aliases" Read(Viewer) get_asset_aliases;
    GET "/api/v2/assets/aliases/{asset_alias_id}" Read(Viewer) get_asset_alias;
    GET "/api/v2/assets/events" Read(Viewer) get_asset_events;
    POST "/api/v2/assets/events" Write(User) create_asset_event;
    GET "/api/v2/assets/{asset_id}" Read(Viewer) get_asset;
    POST "/api/v2/assets/{asset_id}/materialize" Write(User) materialize_asset;
    GET "/api/v2/assets/{asset_id}/queuedEvents" Read(Viewer) get_asset_queued_events;
    DELETE "/api/v2/assets/{asset_id}/queuedEvents" Write(User) delete_asset_queued_events;
    GET "/api/v2/assets/{asset_id}/state-store" Read(Viewer) list_asset_state_store;
    DELETE "/api/v2/assets/{asset_id}/state-store" Write(User) clear_asset_state_store;
    GET "/api/v2/assets/{asset_id}/state-store/{key}" Read(Viewer) get_asset_state_store;
    PUT "/api/v2/assets/{asset_id}/state-store/{key}" Write(User) set_asset_state_store;
    DELETE "/api/v2/assets/{asset_id}/state-store/{key}" Write(User) delete_asset_state_store;
    GET "/api/v2/auth/login" Anyone login;
    GET "/api/v2/auth/logout" Anyone logout;
    GET "/api/v2/backfills" Read(Viewer) list_backfills;
    POST "/api/v2/backfills" Write(User) create_backfill;
    POST "/api/v2/backfills/dry_run" Read(User) create_backfill_dry_run;
    GET "/api/v2/backfills/{backfill_id}" Read(Viewer) get_backfill;
    PUT "/api/v2/backfills/{backfill_id}/cancel" Write(User) cancel_backfill;
    PUT "/api/v2/backfills/{backfill_id}/pause" Write(User) pause_backfill;
    PUT "/api/v2/backfills/{backfill_id}/unpause" Write(User) unpause_backfill;
    GET "/api/v2/config" Read(Op) get_config;
    GET "/api/v2/config/section/{section}/option/{option}" Read(Op) get_config_value;
    GET "/api/v2/connections" Read(Op) get_connections;
    POST "/api/v2/connections" Write(Op) post_connection;
    PATCH "/api/v2/connections" Write(Op) bulk_connections;
    POST "/api/v2/connections/defaults" Write(Op) create_default_connections;
    GET "/api/v2/connections/enqueue-test" Read(Op) get_connection_test;
    POST "/api/v2/connections/enqueue-test" Write(Op) enqueue_connection_test;
    POST "/api/v2/connections/test" Write(Op) test_connection;
    GET "/api/v2/connections/{connection_id}" Read(Op) get_connection;
    PATCH "/api/v2/connections/{connection_id}" Write(Op) patch_connection;
    DELETE "/api/v2/connections/{connection_id}" Write(Op) delete_connection;
    GET "/api/v2/dagSources/{dag_id}" Read(Viewer) get_dag_source;
    GET "/api/v2/dagStats" Read(Viewer) get_dag_stats;
    GET "/api/v2/dagTags" Read(Viewer) get_dag_tags;
    GET "/api/v2/dagWarnings" Read(Viewer) list_dag_warnings;
    GET "/api/v2/dags" Read(Viewer) get_dags;
    PATCH "/api/v2/dags" Write(User) patch_dags;
    GET "/api/v2/dags/{dag_id}" Read(Viewer) get_dag;
    PATCH "/api/v2/dags/{dag_id}" Write(User) patch_dag;
    DELETE "/api/v2/dags/{dag_id}" Write(User) delete_dag;
    GET "/api/v2/dags/{dag_id}/assets/queuedEvents" Read(Viewer) get_dag_asset_queued_events;
    DELETE "/api/v2/dags/{dag_id}/assets/queuedEvents" Write(User) delete_dag_asset_queued_events;
    GET "/api/v2/dags/{dag_id}/assets/{asset_id}/queuedEvents" Read(Viewer) get_dag_asset_queued_event;
    DELETE "/api/v2/dags/{dag_id}/assets/{asset_id}/queuedEvents" Write(User) delete_dag_asset_queued_event;
    POST "/api/v2/dags/{dag_id}/clearDagRuns" Write(User) clear_dag_runs;
    POST "/api/v2/dags/{dag_id}/clearPartitions" Write(User) clear_partitions;
    POST "/api/v2/dags/{dag_id}/clearTaskInstances" Write(User) post_clear_task_instances;
    GET "/api/v2/dags/{dag_id}/dagRuns" Read(Viewer) get_dag_runs;
    POST "/api/v2/dags/{dag_id}/dagRuns" Write(User) trigger_dag_run;
    PATCH "/api/v2/dags/{dag_id}/dagRuns" Write(User) bulk_dag_runs;
    POST "/api/v2/dags/{dag_id}/dagRuns/list" Read(Viewer) get_list_dag_runs_batch;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}" Read(Viewer) get_dag_run;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}" Write(User) patch_dag_run;
    DELETE "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}" Write(User) delete_dag_run;
    POST "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/clear" Write(User) clear_dag_run;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/hitlDetails" Read(Viewer) get_hitl_details;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}" Write(User) patch_task_group_instances;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}/dry_run" Read(User) patch_task_group_instances_dry_run;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances" Read(Viewer) get_task_instances;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances" Write(User) bulk_task_instances;
    POST "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/list" Read(Viewer) get_task_instances_batch;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}" Read(Viewer) get_task_instance;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}" Write(User) patch_task_instance;
    DELETE "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}" Write(User) delete_task_instance;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dependencies" Read(Viewer) get_task_instance_dependencies;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dry_run" Read(User) patch_task_instance_dry_run;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/externalLogUrl/{try_number}" Read(Viewer) get_external_log_url;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/links" Read(Viewer) get_extra_links;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/listMapped" Read(Viewer) get_mapped_task_instances;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}" Read(Viewer) get_log;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}/search" Read(Viewer) search_log;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store" Read(Viewer) list_task_state_store;
    DELETE "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store" Write(User) clear_task_state_store;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store/{key}" Read(Viewer) get_task_state_store;
    PUT "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store/{key}" Write(User) set_task_state_store;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store/{key}" Write(User) patch_task_state_store;
    DELETE "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store/{key}" Write(User) delete_task_state_store;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries" Read(Viewer) get_task_instance_tries;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries/{task_try_number}" Read(Viewer) get_task_instance_try_details;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries" Read(Viewer) get_xcom_entries;
    POST "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries" Write(Op) create_xcom_entry;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}" Read(Viewer) get_xcom_entry;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}" Write(Op) update_xcom_entry;
    DELETE "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}" Write(Op) delete_xcom_entry;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}" Read(Viewer) get_mapped_task_instance;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}" Write(User) patch_mapped_task_instance;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dependencies" Read(Viewer) get_mapped_task_instance_dependencies;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dry_run" Read(User) patch_mapped_task_instance_dry_run;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/hitlDetails" Read(Viewer) get_hitl_detail;
    PATCH "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/hitlDetails" Write(User) update_hitl_detail;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/hitlDetails/tries/{try_number}" Read(Viewer) get_hitl_detail_try_detail;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries" Read(Viewer) get_mapped_task_instance_tries;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries/{task_try_number}" Read(Viewer) get_mapped_task_instance_try_details;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents" Read(Viewer) get_upstream_asset_events;
    GET "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/wait" Read(Viewer) wait_dag_run_until_finished;
    GET "/api/v2/dags/{dag_id}/dagVersions" Read(Viewer) get_dag_versions;
    GET "/api/v2/dags/{dag_id}/dagVersions/{version_number}" Read(Viewer) get_dag_version;
    GET "/api/v2/dags/{dag_id}/details" Read(Viewer) get_dag_details;
    POST "/api/v2/dags/{dag_id}/favorite" Write(Viewer) favorite_dag;
    GET "/api/v2/dags/{dag_id}/tasks" Read(Viewer) get_tasks;
    GET "/api/v2/dags/{dag_id}/tasks/{task_id}" Read(Viewer) get_task;
    POST "/api/v2/dags/{dag_id}/unfavorite" Write(Viewer) unfavorite_dag;
    GET "/api/v2/eventLogs" Read(Viewer) get_event_logs;
    GET "/api/v2/eventLogs/{event_log_id}" Read(Viewer) get_event_log;
    GET "/api/v2/events" Read(Viewer) stream_events;
    GET "/api/v2/importErrors" Read(Viewer) get_import_errors;
    GET "/api/v2/importErrors/{import_error_id}" Read(Viewer) get_import_error;
    GET "/api/v2/jobs" Read(Viewer) get_jobs;
    GET "/api/v2/monitor/health" Anyone get_health;
    GET "/livez" Anyone get_liveness;
    GET "/readyz" Anyone get_readiness;
    PUT "/api/v2/parseDagFile/{file_token}" Write(User) reparse_dag_file;
    GET "/api/v2/plugins" Read(Viewer) get_plugins;
    GET "/api/v2/plugins/importErrors" Read(Viewer) import_errors_of_plugins;
    GET "/api/v2/pools" Read(Viewer) get_pools;
    POST "/api/v2/pools" Write(Op) post_pool;
    PATCH "/api/v2/pools" Write(Op) bulk_pools;
    GET "/api/v2/pools/{pool_name}" Read(Viewer) get_pool;
    PATCH "/api/v2/pools/{pool_name}" Write(Op) patch_pool;
    DELETE "/api/v2/pools/{pool_name}" Write(Op) delete_pool;
    GET "/api/v2/providers" Read(Viewer) get_providers;
    GET "/api/v2/tokens" ReadOwn(Admin) get_tokens;
    POST "/api/v2/tokens" WriteOwn(Admin) post_token;
    GET "/api/v2/tokens/{token_id}" ReadOwn(Admin) get_token;
    DELETE "/api/v2/tokens/{token_id}" WriteOwn(Admin) delete_token;
    GET "/api/v2/users" Read(Admin) get_users;
    POST "/api/v2/users" Write(Admin) post_user;
    GET "/api/v2/users/{username}" ReadOwn(Admin) get_user;
    PATCH "/api/v2/users/{username}" WriteOwn(Admin) patch_user;
    DELETE "/api/v2/users/{username}" Write(Admin) delete_user;
    GET "/api/v2/variables" Read(Op) get_variables;
    POST "/api/v2/variables" Write(Op) post_variable;
    PATCH "/api/v2/variables" Write(Op) bulk_variables;
    GET "/api/v2/variables/{variable_key}" Read(Op) get_variable;
    PATCH "/api/v2/variables/{variable_key}" Write(Op) patch_variable;
    DELETE "/api/v2/variables/{variable_key}" Write(Op) delete_variable;
    GET "/api/v2/version" Anyone get_version;
    POST "/auth/login" Anyone create_session;
    POST "/auth/logout" Anyone delete_session;
    GET "/auth/me" Read(Viewer) get_me;
    GET "/auth/token" Anyone create_token_of_nobody;
    POST "/auth/token" Anyone create_token;
    POST "/auth/token/cli" Anyone create_token_cli;
    GET "/metrics" Read(Op) get_metrics;
    GET "/ui/callbacks" Read(Viewer) get_callbacks;
    POST "/ui/callbacks/{callback_id}/retry" Write(Op) retry_callback;
    GET "/ui/dags" Read(Viewer) get_dag_cards;
    POST "/ui/dags/check" Read(User) check_dag_text;
    GET "/ui/dags/lastRunStates" Read(Viewer) get_last_run_states;
    GET "/ui/dags/{dag_id}/backlog" Read(Viewer) get_backlog;
    GET "/ui/dags/{dag_id}/calendar" Read(Viewer) get_calendar;
    GET "/ui/dags/{dag_id}/document" Read(Viewer) get_document;
    GET "/ui/dags/{dag_id}/grid" Read(Viewer) get_grid;
    GET "/ui/dags/{dag_id}/graph" Read(Viewer) get_graph;
    POST "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit" Write(User) edit_dag_run;
    POST "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit/preview" Read(User) preview_edit;
    GET "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/gantt" Read(Viewer) get_gantt;
    GET "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks" Read(Viewer) get_tasks_of_run;
    GET "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/neighbours" Read(Viewer) get_neighbours;
    GET "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/explain" Read(Viewer) explain_task;
    GET "/ui/dags/{dag_id}/dagRuns/{dag_run_id}/tasks/{task_id}/{map_index}/rendered" Read(Viewer) render_task;
    GET "/ui/processes" Read(Viewer) get_processes;
    GET "/ui/files" Read(Viewer) get_dag_files;
    GET "/ui/files/{path}" Read(Viewer) get_dag_file;
    PUT "/ui/files/{path}" Write(Op) put_dag_file;
    DELETE "/ui/files/{path}" Write(Op) delete_dag_file;
    GET "/ui/schema/dag" Read(Viewer) get_dag_schema;
}

/// Returns every route: method, path, what it needs in words, name. `own`: Viewer for what is one's own, Admin for the
/// rest.
pub fn rules() -> impl Iterator<Item = [&'static str; 4]> {
    RULES.iter().map(|rule| {
        let need = match rule.need {
            Need::Anyone => "anyone",
            Need::Read(role) | Need::Write(role) => role.as_str(),
            Need::ReadOwn(_) | Need::WriteOwn(_) => "own",
        };
        [rule.method, rule.path, need, rule.name]
    })
}

static BY_ROUTE: LazyLock<HashMap<(&'static str, &'static str), &'static Rule>> =
    LazyLock::new(|| RULES.iter().map(|rule| ((rule.path, rule.method), rule)).collect());

/// Refuses requests for a server of another name; see `web.allowed_hosts`.
pub(crate) async fn welcome(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let origin = auth::Origin::of(app.auth.config(), &parts);
    if origin.is_welcome(app.auth.config()) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let detail =
        "this server does not go by the name in the address; if it should, add the name to `web.allowed_hosts`";
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
}

/// Lets a request through to its handler, or says why not.
pub(crate) async fn guard(
    State(app): State<App>,
    path: MatchedPath,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let checked = match &params {
        Ok(params) => check(&app, path.as_str(), params, &mut parts).await,
        Err(_) => Err(ApiError::invalid(&["path"], "the address must be UTF-8")),
    };
    let asked = match checked {
        Ok(asked) => asked,
        Err(error) => return error.into_response(),
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    if let (Some(asked), Some(words)) = (asked, said::words_of(&response)) {
        asked.add(&app, words).await;
    }
    response
}

/// Returns the event of what changes something.
async fn check(app: &App, path: &str, params: &RawPathParams, request: &mut Parts) -> Result<Option<Asked>, ApiError> {
    let method = if request.method == Method::HEAD { "GET" } else { request.method.as_str() };
    let rule = BY_ROUTE.get(&(path, method)).ok_or_else(ApiError::no_such_address)?;
    // Nothing has such a name, and Postgres would not take it.
    if let Some((name, _)) = params.iter().find(|(_, value)| value.contains('\0')) {
        return Err(ApiError::invalid(&["path", name], "it holds a NUL character"));
    }
    let (role, is_write) = match rule.need {
        Need::Anyone => return Ok(None),
        // Ids of DAGs are in it, also of those that are not there for everyone.
        Need::Read(_) if rule.name == "get_metrics" && app.anonymous_scrape => return Ok(None),
        Need::Read(role) | Need::ReadOwn(role) => (role, false),
        Need::Write(role) | Need::WriteOwn(role) => (role, true),
    };
    let who = auth::identify(app, request, is_write).await?;
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let is_own = matches!(rule.need, Need::ReadOwn(_) | Need::WriteOwn(_))
        && who.by != By::Nothing
        && param("username").is_none_or(|name| name == who.user);
    if who.role < role && !is_own {
        return Err(ApiError::forbidden(format!(
            "this needs the role {}; you are {}",
            role.as_str(),
            who.role.as_str()
        )));
    }
    if let Some(dag_id) = param("dag_id").filter(|id| *id != "~") {
        auth::check_dag(app, &who, dag_id, is_write).await?;
    }
    let mut asked = None;
    if is_write {
        let address = who.address.map_or_else(String::new, |address| format!(" from {address}"));
        let event = Event {
            kind: rule.name,
            dag_id: param("dag_id").map(cut),
            run_id: param("dag_run_id").map(cut),
            task_id: param("task_id").map(cut),
            detail: Some(format!("{} {}{address}", rule.method, cut(request.uri.path()))),
            who: Some(who.user.clone()),
            ..Event::default()
        };
        let event = Asked { event, at: (app.now)(), after: app.store.last_event().await? };
        let mut tx = app.store.begin().await?;
        tx.tell(std::slice::from_ref(&event.event), event.at).await?;
        tx.commit().await?;
        asked = Some(event);
    }
    request.extensions.insert(who);
    Ok(asked)
}

/// What of a path is kept in the audit log: nothing that exists has a longer name.
fn cut(text: &str) -> String {
    const MOST: usize = 1_000;
    text.chars().take(MOST).collect()
}
