//! Connections: where other systems are, and how to log in. Passwords come in and never go out.

mod trial;

use axum::{extract::State, http::StatusCode};
use flow_core::{
    connection::{Connection, check_extra, check_id},
    secret::{self, MASK, Secret},
};
use flow_metrics::declared::{CONNECTION_TEST_DURATION, CONNECTION_TESTS};
use flow_store::{ConnectionFilter, ConnectionOrder, ConnectionRow, StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::trial::Trial;
use super::{
    Refusals,
    bulk::{self, BulkBody, BulkDone, BulkResponse, Entity, check_team, check_text, counts},
};
use crate::{
    ApiError, App,
    error::ErrorBody,
    extract::{Json, Path, Query},
    page::{self, Paging},
    said::{Words, said},
};

/// Longest type, as in Airflow.
const TYPE_MAX: usize = 500;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    #[serde(default)]
    order_by: Vec<String>,
    connection_id_pattern: Option<String>,
    connection_id_prefix_pattern: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Mask {
    /// Change only these fields
    #[serde(default)]
    update_mask: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConnectionBody {
    #[schema(min_length = 1, max_length = 200, pattern = r"^[\w.-]+$")]
    connection_id: String,
    /// `postgres`, `http`, …
    #[schema(max_length = 500)]
    conn_type: String,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    host: Option<Option<String>>,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    login: Option<Option<String>>,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    schema: Option<Option<String>>,
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<u16>, minimum = 0, maximum = 65535)]
    port: Option<Option<u16>>,
    /// `***` = as it is
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    password: Option<Option<String>>,
    /// A JSON object; `***` within = as it is
    #[serde(default, deserialize_with = "bulk::given")]
    #[schema(value_type = Option<String>)]
    extra: Option<Option<String>>,
    /// There are no teams
    #[serde(default)]
    team_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "it is there for its description")]
struct ConnectionTestRequestBody {
    #[serde(flatten)]
    connection: ConnectionBody,
    #[serde(default)]
    commit_on_success: bool,
    executor: Option<String>,
    queue: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ConnectionResponse {
    connection_id: String,
    conn_type: String,
    description: Option<String>,
    host: Option<String>,
    login: Option<String>,
    schema: Option<String>,
    port: Option<u16>,
    /// `***` when there is one
    password: Option<String>,
    /// JSON; secrets in it are `***`
    extra: Option<String>,
    team_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ConnectionCollectionResponse {
    connections: Vec<ConnectionResponse>,
    total_entries: u64,
}

#[derive(Serialize, ToSchema)]
struct ConnectionTestResponse {
    status: bool,
    message: String,
}

impl From<ConnectionRow> for ConnectionResponse {
    fn from(row: ConnectionRow) -> Self {
        if let Some(error) = &row.unreadable {
            tracing::warn!(%error, "a connection cannot be read");
        }
        let extra = row.connection.redacted_extra().or_else(|| row.has_extra.then(|| MASK.to_owned()));
        let Connection { id, conn_type, description, host, login, schema, port, .. } = row.connection;
        Self {
            connection_id: id,
            conn_type,
            description,
            host: host.as_deref().map(secret::without_password),
            login,
            schema,
            port,
            password: row.has_password.then(|| MASK.to_owned()),
            extra,
            team_name: None,
        }
    }
}

impl ConnectionBody {
    /// Puts what was given onto a connection that is there, or onto an empty one.
    fn onto(&self, old: Option<ConnectionRow>, mask: &[String]) -> Result<Connection, ApiError> {
        let is_there = old.is_some();
        let (unreadable, mut made) =
            old.map_or_else(|| (None, Connection::default()), |row| (row.unreadable, row.connection));
        made.id.clone_from(&self.connection_id);
        if counts(mask, "conn_type") {
            made.conn_type.clone_from(&self.conn_type);
        }
        let put = |field: &str, new: &Option<Option<String>>, old: &mut Option<String>| {
            if let Some(new) = new.as_ref().filter(|_| counts(mask, field)) {
                old.clone_from(new);
            }
        };
        let host = made.host.clone();
        put("description", &self.description, &mut made.description);
        put("host", &self.host, &mut made.host);
        put("login", &self.login, &mut made.login);
        put("schema", &self.schema, &mut made.schema);
        if made.host.is_some() && made.host == host.as_deref().map(secret::without_password) {
            made.host = host;
        }
        if let Some(port) = self.port.filter(|_| counts(mask, "port")) {
            made.port = port;
        }
        // What cannot be read may be replaced, not kept.
        let keep = |field: &str| match &unreadable {
            Some(why) => Err(ApiError::from(StoreError::from(why.clone()))),
            None if is_there => Ok(()),
            None => Err(ApiError::invalid(
                &["body", field],
                format!("`{MASK}` stands for a value that is there already, and there is none"),
            )),
        };
        match self.password.as_ref().filter(|_| counts(mask, "password")) {
            Some(Some(text)) if text == MASK => keep("password")?,
            Some(new) => made.password = new.clone().filter(|text| !text.is_empty()).map(Secret::from),
            None if is_there => keep("password")?,
            None => {}
        }
        match self.extra.as_ref().filter(|_| counts(mask, "extra")) {
            Some(Some(text)) if text == MASK => keep("extra")?,
            Some(Some(text)) => {
                let new = Value::Object(check_extra(text).unwrap_or_default());
                let old = made.extra.as_ref().and_then(|old| serde_json::from_str(old.expose()).ok());
                let restored = secret::restore("", new.clone(), &old.unwrap_or_default());
                let is_as_written = restored == new && !text.trim().is_empty();
                made.extra = Some(if is_as_written { text.clone().into() } else { restored.to_string().into() });
            }
            Some(None) => made.extra = None,
            None if is_there => keep("extra")?,
            None => {}
        }
        Ok(made)
    }
}

impl Entity for ConnectionBody {
    const MANY: &'static str = "connections";
    const BY: &'static str = "connection_ids";

    fn id(&self) -> &str {
        &self.connection_id
    }

    fn check(&self, place: &[&str]) -> Result<(), ApiError> {
        let wrong = |field: &str, words: String| Err(ApiError::invalid(&[place, &[field]].concat(), words));
        if let Err(words) = check_id(&self.connection_id) {
            return wrong("connection_id", words);
        }
        if self.conn_type.chars().count() > TYPE_MAX {
            return wrong("conn_type", format!("it must have at most {TYPE_MAX} characters"));
        }
        check_text(place, "conn_type", Some(&self.conn_type))?;
        for (field, text) in
            [("description", &self.description), ("host", &self.host), ("login", &self.login), ("schema", &self.schema)]
        {
            check_text(place, field, text.as_ref().and_then(|text| text.as_deref()))?;
        }
        if let Some(Some(extra)) = &self.extra
            && extra != MASK
            && let Err(words) = check_extra(extra)
        {
            return wrong("extra", words);
        }
        check_team(place, self.team_name.as_deref())
    }

    async fn exists(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
        Ok(tx.connection(id).await?.is_some())
    }

    async fn put(&self, tx: &mut Tx) -> Result<(), ApiError> {
        let old = tx.connection(&self.connection_id).await?;
        let mut made = self.onto(old, &[])?;
        // Written over: what was not given is not there any more.
        made.description = made.description.filter(|_| self.description.is_some());
        made.host = made.host.filter(|_| self.host.is_some());
        made.login = made.login.filter(|_| self.login.is_some());
        made.schema = made.schema.filter(|_| self.schema.is_some());
        made.port = made.port.filter(|_| self.port.is_some());
        made.password = made.password.filter(|_| self.password.is_some());
        made.extra = made.extra.filter(|_| self.extra.is_some());
        Ok(tx.set_connection(&made).await?)
    }

    async fn change(&self, tx: &mut Tx, mask: &[String]) -> Result<(), ApiError> {
        let old = tx.connection(&self.connection_id).await?.ok_or_else(|| missing(&self.connection_id))?;
        Ok(tx.set_connection(&self.onto(Some(old), mask)?).await?)
    }

    async fn remove(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
        if tx.delete_connection(id).await? { Ok(()) } else { Err(missing(id)) }
    }
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found("connection", id)
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_connections, post_connection, bulk_connections))
        .routes(routes!(create_default_connections))
        .routes(routes!(get_connection_test, enqueue_connection_test))
        .routes(routes!(test_connection))
        .routes(routes!(get_connection, patch_connection, delete_connection))
}

/// Names of columns that the list may be sorted by.
const ORDERS: [(&str, ConnectionOrder); 8] = [
    ("connection_id", ConnectionOrder::Id),
    ("conn_id", ConnectionOrder::Id),
    ("id", ConnectionOrder::Id),
    ("conn_type", ConnectionOrder::Type),
    ("description", ConnectionOrder::Description),
    ("host", ConnectionOrder::Host),
    ("port", ConnectionOrder::Port),
    ("team_name", ConnectionOrder::Id),
];

/// Connections of the database; those of the environment are not among them
#[utoipa::path(get, path = "/api/v2/connections", tag = "Connection", params(Paging, Filter),
    responses((status = 200, body = ConnectionCollectionResponse), (status = 400, body = ErrorBody), Refusals))]
async fn get_connections(
    State(app): State<App>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<ConnectionCollectionResponse>, ApiError> {
    let (like, prefix) = (filter.connection_id_pattern.as_deref(), filter.connection_id_prefix_pattern.as_deref());
    let wanted = ConnectionFilter { ids: page::patterns(like, prefix) };
    let orders = page::order(&filter.order_by, &ORDERS)?;
    let listed = app.store.list_connections(&wanted, &orders, paging.page()?).await?;
    Ok(axum::Json(ConnectionCollectionResponse {
        connections: listed.rows.into_iter().map(Into::into).collect(),
        total_entries: listed.total,
    }))
}

/// Make a connection
#[utoipa::path(post, path = "/api/v2/connections", tag = "Connection", request_body = ConnectionBody,
    responses((status = 201, body = ConnectionResponse), (status = 409, body = ErrorBody), Refusals))]
async fn post_connection(
    State(app): State<App>,
    Json(body): Json<ConnectionBody>,
) -> Result<(StatusCode, Words, axum::Json<ConnectionResponse>), ApiError> {
    body.check(&["body"])?;
    let made = body.onto(None, &[])?;
    let mut tx = app.store.begin().await?;
    if !tx.add_connection(&made).await? {
        return Err(ApiError::conflict(format!("the connection `{}` exists already", made.id)));
    }
    tx.commit().await?;
    let words = said(format!("added connection {}", made.id));
    Ok((StatusCode::CREATED, words, show(&app, &made.id).await?))
}

/// Make, change and delete connections
#[utoipa::path(patch, path = "/api/v2/connections", tag = "Connection", request_body = BulkBody<ConnectionBody>,
    responses((status = 200, body = BulkResponse), Refusals))]
async fn bulk_connections(
    State(app): State<App>,
    Json(body): Json<BulkBody<ConnectionBody>>,
) -> Result<BulkDone, ApiError> {
    Ok(bulk::run(&app, body).await?.done("connection"))
}

/// Make the connections that are there from the beginning: in Flow, none
#[utoipa::path(post, path = "/api/v2/connections/defaults", tag = "Connection", responses((status = 204), Refusals))]
async fn create_default_connections() -> StatusCode {
    std::future::ready(StatusCode::NO_CONTENT).await
}

/// A test that waits or has ended: there is none, see the other one
#[utoipa::path(get, path = "/api/v2/connections/enqueue-test", tag = "Connection",
    responses((status = 404, body = ErrorBody), Refusals))]
async fn get_connection_test() -> ApiError {
    std::future::ready(()).await;
    ApiError::new(
        StatusCode::NOT_FOUND,
        "no tests of connections are queued; POST /api/v2/connections/test answers at once",
    )
}

/// Test a connection on a worker: not in this version
#[utoipa::path(post, path = "/api/v2/connections/enqueue-test", tag = "Connection",
    request_body = ConnectionTestRequestBody, responses((status = 501, body = ErrorBody), Refusals))]
async fn enqueue_connection_test() -> ApiError {
    std::future::ready(()).await;
    ApiError::not_implemented(
        "this version of Flow does not test connections on workers; POST /api/v2/connections/test tests from the web server",
    )
}

/// Connect and log in, from the web server; secrets that are stored are only tried with what is stored
#[utoipa::path(post, path = "/api/v2/connections/test", tag = "Connection", request_body = ConnectionBody,
    responses((status = 200, body = ConnectionTestResponse), Refusals))]
async fn test_connection(
    State(app): State<App>,
    Json(body): Json<ConnectionBody>,
) -> Result<(Words, axum::Json<ConnectionTestResponse>), ApiError> {
    body.check(&["body"])?;
    let began = Instant::now();
    let (status, message) = match trial::run(&app, &body).await? {
        Trial::Tried { works, words } => {
            app.metrics.took(&CONNECTION_TEST_DURATION, &[], began.elapsed());
            app.metrics.add(&CONNECTION_TESTS, &[if works { "success" } else { "failed" }], 1);
            (works, words)
        }
        Trial::Refused(words) => (false, words),
    };
    let outcome = if status { "it works" } else { "it does not work" };
    let words = said(format!("tested connection {}: {outcome}", body.connection_id));
    Ok((words, axum::Json(ConnectionTestResponse { status, message })))
}

/// One of them
#[utoipa::path(get, path = "/api/v2/connections/{connection_id}", tag = "Connection",
    params(("connection_id" = String, Path)),
    responses((status = 200, body = ConnectionResponse), (status = 404, body = ErrorBody), Refusals))]
async fn get_connection(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<ConnectionResponse>, ApiError> {
    show(&app, &id).await
}

/// Change a connection; a password, or a secret of `extra`, that is `***` stays as it is
#[utoipa::path(patch, path = "/api/v2/connections/{connection_id}", tag = "Connection",
    params(("connection_id" = String, Path), Mask), request_body = ConnectionBody,
    responses((status = 200, body = ConnectionResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), Refusals))]
async fn patch_connection(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(mask): Query<Mask>,
    Json(body): Json<ConnectionBody>,
) -> Result<axum::Json<ConnectionResponse>, ApiError> {
    if body.connection_id != id {
        return Err(ApiError::bad_request("The connection_id in the request body does not match the URL parameter"));
    }
    body.check(&["body"])?;
    let mut tx = app.store.begin().await?;
    body.change(&mut tx, &mask.update_mask).await?;
    tx.commit().await?;
    show(&app, &id).await
}

/// Delete a connection
#[utoipa::path(delete, path = "/api/v2/connections/{connection_id}", tag = "Connection",
    params(("connection_id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), Refusals))]
async fn delete_connection(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    if check_id(&id).is_err() {
        return Err(missing(&id));
    }
    let mut tx = app.store.begin().await?;
    ConnectionBody::remove(&mut tx, &id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(app: &App, id: &str) -> Result<axum::Json<ConnectionResponse>, ApiError> {
    if check_id(id).is_err() {
        return Err(missing(id));
    }
    let found = app.store.connection(id).await?.ok_or_else(|| missing(id))?;
    Ok(axum::Json(found.into()))
}
