//! What Airflow says and takes about these things, by Airflow's names. Answers are only described: none is ever made.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{Ref, RefOr, Schema},
};

use crate::wire::When;

type Object = serde_json::Map<String, Value>;

macro_rules! params {
    ($($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(Deserialize, IntoParams)]
        #[into_params(parameter_in = Query)]
        #[expect(dead_code, reason = "it is only checked")]
        pub(super) struct $name { $($(#[$meta])* $field: $type),* }
    )*};
}

macro_rules! bodies {
    ($($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(Deserialize, ToSchema)]
        #[expect(dead_code, reason = "it is only checked")]
        pub(super) struct $name { $($(#[$meta])* $field: $type),* }
    )*};
}

macro_rules! answers {
    ($($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(ToSchema)]
        #[expect(dead_code, reason = "it is there for its description")]
        pub(super) struct $name { $($(#[$meta])* $field: $type),* }
    )*};
}

params! {
    AssetFilter {
        name_pattern: Option<String>,
        name_prefix_pattern: Option<String>,
        uri_pattern: Option<String>,
        uri_prefix_pattern: Option<String>,
        #[serde(default)] dag_ids: Vec<String>,
        #[param(default = true)] only_active: Option<bool>,
        #[serde(default)] order_by: Vec<String>,
    }
    AliasFilter {
        name_pattern: Option<String>,
        name_prefix_pattern: Option<String>,
        #[serde(default)] order_by: Vec<String>,
    }
    AssetEventFilter {
        #[serde(default)] order_by: Vec<String>,
        asset_id: Option<i64>,
        source_dag_id: Option<String>,
        source_task_id: Option<String>,
        source_run_id: Option<String>,
        source_map_index: Option<i64>,
        name_pattern: Option<String>,
        name_prefix_pattern: Option<String>,
        timestamp_gte: Option<When>,
        timestamp_gt: Option<When>,
        timestamp_lte: Option<When>,
        timestamp_lt: Option<When>,
    }
    Before { before: Option<String> }
    MapIndex { map_index: Option<i64> }
    ClearStateFilter { all_map_indices: Option<bool>, map_index: Option<i64> }
    LinksFilter { map_index: Option<i64>, try_number: Option<i64> }
    BackfillFilter { dag_id: String, #[serde(default)] order_by: Vec<String> }
    HitlFilter {
        #[serde(default)] order_by: Vec<String>,
        dag_id_pattern: Option<String>,
        dag_id_prefix_pattern: Option<String>,
        task_id: Option<String>,
        task_id_pattern: Option<String>,
        task_id_prefix_pattern: Option<String>,
        map_index: Option<i64>,
        #[serde(default)] state: Vec<String>,
        response_received: Option<bool>,
        #[serde(default)] responded_by_user_id: Vec<String>,
        #[serde(default)] responded_by_user_name: Vec<String>,
        subject_search: Option<String>,
        body_search: Option<String>,
        created_at_gte: Option<When>,
        created_at_gt: Option<When>,
        created_at_lte: Option<When>,
        created_at_lt: Option<When>,
    }
}

bodies! {
    CreateAssetEventsBody {
        asset_id: i64,
        partition_key: Option<String>,
        extra: Option<Object>,
        access_control: Option<AssetEventAccessControl>,
    }
    AssetEventAccessControl { consumer_teams: Option<Vec<String>>, allow_global: Option<bool> }
    MaterializeAssetBody {
        dag_run_id: Option<String>,
        data_interval_start: Option<When>,
        data_interval_end: Option<When>,
        logical_date: Option<When>,
        run_after: Option<When>,
        conf: Option<Object>,
        note: Option<String>,
        partition_key: Option<String>,
    }
    AssetStateStoreBody { value: Value }
    TaskStateStoreBody {
        value: Value,
        /// A moment, `default` or null
        expires_at: Option<String>,
    }
    TaskStateStorePatchBody { value: Value }
    BackfillPostBody {
        dag_id: String,
        from_date: When,
        to_date: When,
        run_backwards: Option<bool>,
        dag_run_conf: Option<Object>,
        reprocess_behavior: Option<ReprocessBehavior>,
        max_active_runs: Option<i64>,
        run_on_latest_version: Option<bool>,
    }
    UpdateHITLDetailPayload { chosen_options: Vec<String>, params_input: Option<Object> }
    ClearPartitionsBody {
        partition_key: Option<String>,
        partition_date_start: Option<When>,
        partition_date_end: Option<When>,
        run_id: Option<String>,
        clear_task_instances: Option<bool>,
        dry_run: Option<bool>,
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReprocessBehavior {
    Failed,
    Completed,
    None,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is there for its description")]
pub(super) enum AssetStateStoreWriterKind {
    Task,
    Watcher,
    Api,
}

answers! {
    AssetCollectionResponse { assets: Vec<AssetResponse>, total_entries: u64 }
    AssetResponse {
        id: i64,
        name: String,
        uri: String,
        group: String,
        extra: Option<Object>,
        created_at: When,
        updated_at: When,
        scheduled_dags: Vec<DagScheduleAssetReference>,
        producing_tasks: Vec<TaskOutletAssetReference>,
        consuming_tasks: Vec<TaskInletAssetReference>,
        aliases: Vec<AssetAliasResponse>,
        watchers: Vec<AssetWatcherResponse>,
        last_asset_event: Option<LastAssetEventResponse>,
    }
    DagScheduleAssetReference { dag_id: String, created_at: When, updated_at: When }
    TaskOutletAssetReference { dag_id: String, task_id: String, created_at: When, updated_at: When }
    TaskInletAssetReference { dag_id: String, task_id: String, created_at: When, updated_at: When }
    AssetWatcherResponse { name: String, trigger_id: i64, created_date: When }
    LastAssetEventResponse { id: Option<i64>, timestamp: Option<When> }
    AssetAliasCollectionResponse { asset_aliases: Vec<AssetAliasResponse>, total_entries: u64 }
    AssetAliasResponse { id: i64, name: String, group: String }
    AssetEventCollectionResponse { asset_events: Vec<AssetEventResponse>, total_entries: u64 }
    AssetEventResponse {
        id: i64,
        asset_id: i64,
        uri: Option<String>,
        name: Option<String>,
        group: Option<String>,
        extra: Option<Object>,
        source_task_id: Option<String>,
        source_dag_id: Option<String>,
        source_run_id: Option<String>,
        source_map_index: i64,
        created_dagruns: Vec<DagRunAssetReference>,
        timestamp: When,
        partition_key: Option<String>,
    }
    DagRunAssetReference {
        run_id: String,
        dag_id: String,
        logical_date: Option<When>,
        start_date: When,
        end_date: Option<When>,
        state: String,
        data_interval_start: Option<When>,
        data_interval_end: Option<When>,
        partition_key: Option<String>,
        triggering: bool,
    }
    QueuedEventCollectionResponse { queued_events: Vec<QueuedEventResponse>, total_entries: u64 }
    QueuedEventResponse { dag_id: String, asset_id: i64, created_at: When, dag_display_name: String }
    AssetStateStoreCollectionResponse { asset_state_store: Vec<AssetStateStoreResponse>, total_entries: u64 }
    AssetStateStoreResponse {
        key: String,
        value: Value,
        updated_at: When,
        last_updated_by: Option<AssetStateStoreLastUpdatedBy>,
    }
    AssetStateStoreLastUpdatedBy {
        kind: AssetStateStoreWriterKind,
        dag_id: Option<String>,
        run_id: Option<String>,
        task_id: Option<String>,
        map_index: Option<i64>,
    }
    TaskStateStoreCollectionResponse { task_state_store: Vec<TaskStateStoreResponse>, total_entries: u64 }
    TaskStateStoreResponse { key: String, value: Value, updated_at: When, expires_at: Option<When> }
    BackfillCollectionResponse { backfills: Vec<BackfillResponse>, total_entries: u64 }
    BackfillResponse {
        id: i64,
        dag_id: String,
        from_date: When,
        to_date: When,
        dag_run_conf: Option<Object>,
        is_paused: bool,
        reprocess_behavior: ReprocessBehavior,
        max_active_runs: i64,
        created_at: When,
        completed_at: Option<When>,
        updated_at: When,
        dag_display_name: String,
    }
    DryRunBackfillCollectionResponse { backfills: Vec<DryRunBackfillResponse>, total_entries: u64 }
    DryRunBackfillResponse {
        logical_date: Option<When>,
        partition_key: Option<String>,
        partition_date: Option<When>,
    }
    HITLDetailCollection { hitl_details: Vec<HITLDetail>, total_entries: u64 }
    HITLDetail {
        options: Vec<String>,
        subject: String,
        body: Option<String>,
        defaults: Option<Vec<String>>,
        multiple: bool,
        params: Object,
        assigned_users: Vec<HITLUser>,
        created_at: When,
        responded_by_user: Option<HITLUser>,
        responded_at: Option<When>,
        chosen_options: Option<Vec<String>>,
        params_input: Object,
        response_received: bool,
        #[schema(schema_with = task_instance)] task_instance: (),
    }
    HITLDetailHistory {
        options: Vec<String>,
        subject: String,
        body: Option<String>,
        defaults: Option<Vec<String>>,
        multiple: bool,
        params: Object,
        assigned_users: Vec<HITLUser>,
        created_at: When,
        responded_by_user: Option<HITLUser>,
        responded_at: Option<When>,
        chosen_options: Option<Vec<String>>,
        params_input: Object,
        response_received: bool,
        #[schema(schema_with = task_instance_history)] task_instance: (),
    }
    HITLDetailResponse {
        responded_by: HITLUser,
        responded_at: When,
        chosen_options: Vec<String>,
        params_input: Object,
    }
    HITLUser { id: String, name: String }
    ClearPartitionsResponse { dag_runs_cleared: u64, task_instances_cleared: u64, dry_run: bool }
    ExtraLinkCollectionResponse { extra_links: BTreeMap<String, Option<String>>, total_entries: u64 }
    PluginCollectionResponse { plugins: Vec<PluginResponse>, total_entries: u64 }
    PluginResponse {
        name: String,
        macros: Vec<String>,
        flask_blueprints: Vec<String>,
        fastapi_apps: Vec<FastAPIAppResponse>,
        fastapi_root_middlewares: Vec<FastAPIRootMiddlewareResponse>,
        external_views: Vec<ExternalViewResponse>,
        react_apps: Vec<ReactAppResponse>,
        appbuilder_views: Vec<AppBuilderViewResponse>,
        appbuilder_menu_items: Vec<AppBuilderMenuItemResponse>,
        global_operator_extra_links: Vec<String>,
        operator_extra_links: Vec<String>,
        source: String,
        listeners: Vec<String>,
        timetables: Vec<String>,
    }
    FastAPIAppResponse { app: String, url_prefix: String, name: String }
    FastAPIRootMiddlewareResponse { middleware: String, name: String }
    ExternalViewResponse {
        name: String,
        icon: Option<String>,
        icon_dark_mode: Option<String>,
        url_route: Option<String>,
        category: Option<String>,
        nav_top_level: Option<bool>,
        href: String,
        destination: String,
    }
    ReactAppResponse {
        name: String,
        icon: Option<String>,
        icon_dark_mode: Option<String>,
        url_route: Option<String>,
        category: Option<String>,
        nav_top_level: Option<bool>,
        bundle_url: String,
        destination: String,
    }
    AppBuilderViewResponse {
        name: Option<String>,
        category: Option<String>,
        view: Option<String>,
        label: Option<String>,
    }
    AppBuilderMenuItemResponse { name: String, href: String, category: Option<String> }
    PluginImportErrorCollectionResponse { import_errors: Vec<PluginImportErrorResponse>, total_entries: u64 }
    PluginImportErrorResponse { source: String, error: String }
    ProviderCollectionResponse { providers: Vec<ProviderResponse>, total_entries: u64 }
    ProviderResponse {
        package_name: String,
        description: String,
        version: String,
        documentation_url: Option<String>,
    }
}

// These two are described with the other routes of task instances.
fn task_instance() -> RefOr<Schema> {
    Ref::from_schema_name("TaskInstanceResponse").into()
}

fn task_instance_history() -> RefOr<Schema> {
    Ref::from_schema_name("TaskInstanceHistoryResponse").into()
}
