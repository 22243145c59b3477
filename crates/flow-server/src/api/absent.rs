//! What Airflow has and Flow does not: lists are empty, a thing with a name is not there, a change is answered 501
//! with a sentence. Requests are checked as if it were there, so that a client finds out that one makes no sense.
//!
//! A line a route: who may ask, and under which path, stands in [`crate::access`].

use axum::{
    extract::{RawPathParams, Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::{
    IntoParams, IntoResponses as _, ToSchema,
    openapi::{
        ContentBuilder, Ref, RefOr, Required, ResponseBuilder,
        path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths},
        request_body::RequestBodyBuilder,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::Refusals;
use crate::{
    ApiError, App, access,
    error::ErrorBody,
    extract::{Json, Query},
    page::Paging,
};

mod shapes;
use shapes::*;

pub(super) fn routes() -> OpenApiRouter<App> {
    [assets(), queued_events(), state_stores(), backfills(), human_input(), others()]
        .into_iter()
        .flatten()
        .fold(OpenApiRouter::new(), |router, route| router.routes(route.build()))
}

fn assets() -> Vec<Route> {
    let route = |name, summary| Route::new(name, "Asset", summary);
    vec![
        route("get_assets", "Assets")
            .query::<Paging>()
            .query::<AssetFilter>()
            .lists::<AssetCollectionResponse>("assets"),
        route("get_asset", "An asset").lacks::<AssetResponse>("asset", "asset_id"),
        route("get_asset_aliases", "Aliases of assets")
            .query::<Paging>()
            .query::<AliasFilter>()
            .lists::<AssetAliasCollectionResponse>("asset_aliases"),
        route("get_asset_alias", "An alias of assets").lacks::<AssetAliasResponse>("asset alias", "asset_alias_id"),
        route("get_asset_events", "Changes of assets")
            .query::<Paging>()
            .query::<AssetEventFilter>()
            .lists::<AssetEventCollectionResponse>("asset_events"),
        route("create_asset_event", "Tell that an asset has changed")
            .body::<CreateAssetEventsBody>()
            .refuses::<AssetEventResponse>("this version of Flow has no assets"),
        route("materialize_asset", "Run what makes an asset")
            .optional_body::<MaterializeAssetBody>()
            .answers_as("DAGRunResponse")
            .lacks_it("asset", "asset_id"),
        Route::new("get_upstream_asset_events", "DagRun", "Changes of assets that a run was made for")
            .lists::<AssetEventCollectionResponse>("asset_events"),
    ]
}

fn queued_events() -> Vec<Route> {
    let route = |name, summary| Route::new(name, "Asset", summary).query::<Before>();
    vec![
        route("get_asset_queued_events", "Changes of an asset that wait for others")
            .lists::<QueuedEventCollectionResponse>("queued_events"),
        route("delete_asset_queued_events", "Forget them").lacks_it("asset", "asset_id"),
        route("get_dag_asset_queued_events", "Changes of assets that a DAG waits with")
            .lists::<QueuedEventCollectionResponse>("queued_events"),
        route("delete_dag_asset_queued_events", "Forget them").lacks_it("queued event of dag", "dag_id"),
        route("get_dag_asset_queued_event", "One of them").lacks::<QueuedEventResponse>("asset", "asset_id"),
        route("delete_dag_asset_queued_event", "Forget it").lacks_it("asset", "asset_id"),
    ]
}

fn state_stores() -> Vec<Route> {
    let asset = |name, summary| Route::new(name, "Asset State Store", summary);
    let task = |name, summary| Route::new(name, "Task State Store", summary);
    vec![
        asset("list_asset_state_store", "What is kept with an asset")
            .query::<Paging>()
            .lacks::<AssetStateStoreCollectionResponse>("asset", "asset_id"),
        asset("clear_asset_state_store", "Forget all of it").lacks_it("asset", "asset_id"),
        asset("get_asset_state_store", "One of these values").lacks::<AssetStateStoreResponse>("asset", "asset_id"),
        asset("set_asset_state_store", "Set it").body::<AssetStateStoreBody>().lacks_it("asset", "asset_id"),
        asset("delete_asset_state_store", "Forget it").lacks_it("asset", "asset_id"),
        task("list_task_state_store", "What is kept with a task instance")
            .query::<MapIndex>()
            .query::<Paging>()
            .lists::<TaskStateStoreCollectionResponse>("task_state_store"),
        task("clear_task_state_store", "Forget all of it").query::<ClearStateFilter>().does_nothing(),
        task("get_task_state_store", "One of these values")
            .query::<MapIndex>()
            .lacks::<TaskStateStoreResponse>("state", "key"),
        task("set_task_state_store", "Set it")
            .query::<MapIndex>()
            .body::<TaskStateStoreBody>()
            .refuses_it("this version of Flow keeps nothing with a task instance but its XComs"),
        task("patch_task_state_store", "Change it")
            .query::<MapIndex>()
            .body::<TaskStateStorePatchBody>()
            .status(200)
            .lacks_it("state", "key"),
        task("delete_task_state_store", "Forget it").query::<MapIndex>().lacks_it("state", "key"),
    ]
}

fn backfills() -> Vec<Route> {
    const SENTENCE: &str = "this version of Flow cannot backfill through the API; use `flow backfill create`";
    let route = |name, summary| Route::new(name, "Backfill", summary);
    vec![
        route("list_backfills", "Backfills")
            .query::<BackfillFilter>()
            .query::<Paging>()
            .lists::<BackfillCollectionResponse>("backfills"),
        route("create_backfill", "Run a DAG for a span of the past")
            .body::<BackfillPostBody>()
            .refuses::<BackfillResponse>(SENTENCE),
        route("create_backfill_dry_run", "Tell which runs a backfill would make")
            .body::<BackfillPostBody>()
            .refuses::<DryRunBackfillCollectionResponse>(SENTENCE),
        route("get_backfill", "A backfill").lacks::<BackfillResponse>("backfill", "backfill_id"),
        route("pause_backfill", "Pause it").lacks::<BackfillResponse>("backfill", "backfill_id"),
        route("unpause_backfill", "Let it go on").lacks::<BackfillResponse>("backfill", "backfill_id"),
        route("cancel_backfill", "Cancel it").lacks::<BackfillResponse>("backfill", "backfill_id"),
    ]
}

fn human_input() -> Vec<Route> {
    let route = |name, summary| Route::new(name, "Task Instance", summary);
    vec![
        route("get_hitl_details", "Questions that tasks ask people")
            .query::<Paging>()
            .query::<HitlFilter>()
            .lists::<HITLDetailCollection>("hitl_details"),
        route("get_hitl_detail", "The question of a task instance").lacks::<HITLDetail>("question of task", "task_id"),
        route("get_hitl_detail_try_detail", "The question of an earlier try")
            .lacks::<HITLDetailHistory>("question of task", "task_id"),
        route("update_hitl_detail", "Answer it")
            .body::<UpdateHITLDetailPayload>()
            .answers::<HITLDetailResponse>()
            .lacks_it("question of task", "task_id"),
    ]
}

fn others() -> Vec<Route> {
    vec![
        Route::new("clear_partitions", "DagRun", "Clear the runs of partitions")
            .body::<ClearPartitionsBody>()
            .refuses::<ClearPartitionsResponse>("this version of Flow has no partitions"),
        Route::new("get_extra_links", "Extra Links", "Links that the operator of a task instance offers")
            .query::<LinksFilter>()
            .answers::<ExtraLinkCollectionResponse>()
            .then(Then::Body(json!({ "extra_links": {}, "total_entries": 0 }))),
        Route::new("get_plugins", "Plugin", "Plugins").query::<Paging>().lists::<PluginCollectionResponse>("plugins"),
        Route::new("import_errors_of_plugins", "Plugin", "Plugins that could not be loaded")
            .lists::<PluginImportErrorCollectionResponse>("import_errors"),
        Route::new("get_providers", "Provider", "Packages of operators; Flow's are built in")
            .query::<Paging>()
            .lists::<ProviderCollectionResponse>("providers"),
    ]
}

/// A route of something that Flow does not have.
struct Route {
    rule: &'static access::Rule,
    operation: OperationBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
    queries: Vec<CheckQuery>,
    body: Option<ReadBody>,
    /// What Airflow answers when all is well.
    status: Option<StatusCode>,
    answer: Option<Ref>,
    then: Then,
}

type CheckQuery = fn(&Uri) -> Result<(), ApiError>;
type ReadBody = fn(Request, App) -> BoxFuture<'static, Result<(), ApiError>>;

/// What is answered.
#[derive(Clone)]
enum Then {
    Body(Value),
    /// There is no such thing as this parameter of the path names.
    Lacks(&'static str, &'static str),
    Refuse(&'static str),
    Nothing,
}

impl Route {
    fn new(name: &'static str, tag: &str, summary: &str) -> Self {
        let rule = access::RULES.iter().find(|rule| rule.name == name);
        let rule = rule.unwrap_or_else(|| unreachable!("`{name}` is in the table of routes"));
        let operation = OperationBuilder::new().operation_id(Some(name)).tag(tag).summary(Some(summary));
        let operation = path_params(rule.path).fold(operation, |operation, name| {
            let kind = if is_number(name) { Type::Integer } else { Type::String };
            let schema = ObjectBuilder::new()
                .schema_type(kind)
                .format(is_number(name).then_some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
            operation.parameter(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .schema(Some(schema)),
            )
        });
        Self {
            rule,
            operation,
            schemas: Vec::new(),
            queries: Vec::new(),
            body: None,
            status: None,
            answer: None,
            then: Then::Nothing,
        }
    }

    fn query<Q: DeserializeOwned + IntoParams>(mut self) -> Self {
        self.operation = Q::into_params(|| Some(ParameterIn::Query))
            .into_iter()
            .fold(self.operation, |operation, param| operation.parameter(param));
        self.queries.push(|uri| Query::<Q>::of(uri).map(|_| ()));
        self
    }

    fn body<B: DeserializeOwned + ToSchema + Send + 'static>(self) -> Self {
        let read: ReadBody = |request, app| async move { Json::<B>::read(request, &app).await.map(|_| ()) }.boxed();
        self.describe_body::<B>(Required::True, read)
    }

    fn optional_body<B: DeserializeOwned + ToSchema + Send + 'static>(self) -> Self {
        let read: ReadBody =
            |request, app| async move { Json::<Option<B>>::read(request, &app).await.map(|_| ()) }.boxed();
        self.describe_body::<B>(Required::False, read)
    }

    fn describe_body<B: ToSchema>(mut self, required: Required, read: ReadBody) -> Self {
        let content = ContentBuilder::new().schema(Some(self.add::<B>())).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(required));
        self.operation = self.operation.request_body(Some(body.build()));
        self.body = Some(read);
        self
    }

    fn add<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }

    fn status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).ok();
        self
    }

    fn answers<T: ToSchema>(mut self) -> Self {
        self.add::<T>();
        self.answers_as(&T::name())
    }

    /// It would answer with a schema of another resource.
    fn answers_as(mut self, schema: &str) -> Self {
        self.answer = Some(Ref::from_schema_name(schema));
        self
    }

    fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    fn lists<T: ToSchema>(self, key: &str) -> Self {
        self.answers::<T>().then(Then::Body(json!({ key: [], "total_entries": 0 })))
    }

    fn lacks<T: ToSchema>(self, what: &'static str, param: &'static str) -> Self {
        self.answers::<T>().lacks_it(what, param)
    }

    fn lacks_it(self, what: &'static str, param: &'static str) -> Self {
        self.then(Then::Lacks(what, param))
    }

    fn refuses<T: ToSchema>(self, sentence: &'static str) -> Self {
        self.answers::<T>().refuses_it(sentence)
    }

    fn refuses_it(self, sentence: &'static str) -> Self {
        self.then(Then::Refuse(sentence))
    }

    fn does_nothing(self) -> Self {
        self.then(Then::Nothing)
    }

    /// Describes it, and makes its handler.
    fn build(mut self) -> UtoipaMethodRouter<App> {
        let error = self.add::<ErrorBody>();
        let error = |words: &str| {
            let content = ContentBuilder::new().schema(Some(error.clone())).build();
            ResponseBuilder::new().description(words).content("application/json", content).build()
        };
        let status = self.status.unwrap_or(if self.answer.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT });
        let answer =
            self.answer.take().map(|answer| ContentBuilder::new().schema(Some(RefOr::<Schema>::Ref(answer))).build());
        let success = ResponseBuilder::new().description("As in Airflow");
        let success = match answer {
            Some(content) => success.content("application/json", content),
            None => success,
        };
        let mut operation = self.operation.response(status.as_str(), success.build());
        for (status, response) in Refusals::responses() {
            operation = operation.response(status, response);
        }
        if matches!(self.then, Then::Lacks(..)) || self.rule.path.contains("{dag_id}") {
            operation = operation.response("404", error("It is not there"));
        }
        if let Then::Refuse(sentence) = self.then {
            operation = operation.response("501", error(sentence));
        }
        let (method, filter) = match self.rule.method {
            "POST" => (HttpMethod::Post, MethodFilter::POST),
            "PUT" => (HttpMethod::Put, MethodFilter::PUT),
            "PATCH" => (HttpMethod::Patch, MethodFilter::PATCH),
            "DELETE" => (HttpMethod::Delete, MethodFilter::DELETE),
            _ => (HttpMethod::Get, MethodFilter::GET),
        };
        let mut paths = Paths::new();
        paths.add_path_operation(self.rule.path, vec![method], operation.build());
        let (queries, body, then) = (self.queries, self.body, self.then);
        let handler = move |State(app): State<App>, params: RawPathParams, request: Request| async move {
            queries.iter().try_for_each(|check| check(request.uri()))?;
            if let Some(read) = body {
                read(request, app.clone()).await?;
            }
            check_path(&app, &params).await?;
            answer_with(status, &then, &params)
        };
        (self.schemas, paths, MethodRouter::new().on(filter, handler))
    }
}

fn answer_with(status: StatusCode, then: &Then, params: &RawPathParams) -> Result<Response, ApiError> {
    match then {
        Then::Body(body) => Ok((status, axum::Json(body.clone())).into_response()),
        Then::Nothing => Ok(status.into_response()),
        Then::Lacks(what, name) => Err(ApiError::not_found(what, param(params, name).unwrap_or_default())),
        Then::Refuse(sentence) => Err(ApiError::not_implemented(*sentence)),
    }
}

fn param<'a>(params: &'a RawPathParams, name: &str) -> Option<&'a str> {
    params.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Checks that what the path names is there; `~` stands for any.
async fn check_path(app: &App, params: &RawPathParams) -> Result<(), ApiError> {
    if let Some((name, _)) = params.iter().find(|(name, value)| is_number(name) && value.parse::<i64>().is_err()) {
        return Err(ApiError::invalid(&["path", name], "this must be a whole number"));
    }
    let named = |name: &str| param(params, name).filter(|value| *value != "~");
    let Some(dag_id) = named("dag_id") else { return Ok(()) };
    if app.store.dag(dag_id).await?.is_none() {
        return Err(ApiError::not_found("dag", dag_id));
    }
    let Some(run_id) = named("dag_run_id") else { return Ok(()) };
    let run = app.store.run(dag_id, run_id).await?;
    let run = run.ok_or_else(|| ApiError::not_found("dag run", run_id))?;
    let Some(task_id) = named("task_id") else { return Ok(()) };
    let dag = app.dags.read(&app.store, run.version_id).await?;
    dag.task_ix(task_id).map(|_| ()).ok_or_else(|| ApiError::not_found("task", task_id))
}

fn path_params(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Says whether a part of a path is a number.
fn is_number(name: &str) -> bool {
    matches!(name, "asset_id" | "asset_alias_id" | "backfill_id" | "map_index" | "try_number")
}
