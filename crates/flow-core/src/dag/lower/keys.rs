//! The keys of documents: which there are, where they belong, which are for later.

/// Keys of a DAG that both dialects have.
pub(crate) const DAG: &[&str] = &[
    "$schema",
    "catchup",
    "dag_display_name",
    "dag_id",
    "dagrun_timeout",
    "deadline",
    "description",
    "doc_md",
    "end_date",
    "fail_fast",
    "is_paused_upon_creation",
    "max_active_runs",
    "max_active_tasks",
    "max_consecutive_failed_dag_runs",
    "on_failure_callback",
    "on_success_callback",
    "owner_links",
    "params",
    "render_template_as_native_obj",
    "schedule",
    "start_date",
    "tags",
    "tasks",
    "templates",
];

/// Keys of a DAG that only the Flow dialect has.
pub(crate) const DAG_FLOW: &[&str] = &["catchup_window", "default_args", "overlap_policy", "task_groups", "timezone"];

/// DAG arguments of Airflow that Flow does not have; `access_control` is one of the Flow dialect all the same.
pub(crate) const DAG_FOREIGN: &[&str] = &[
    "access_control",
    "allowed_run_types",
    "auto_register",
    "disable_bundle_versioning",
    "jinja_environment_kwargs",
    "rerun_with_latest_version",
    "sla_miss_callback",
    "template_searchpath",
    "template_undefined",
    "user_defined_filters",
    "user_defined_macros",
];

/// Keys of a task that are not arguments of it: they cannot stand in `default_args`.
pub(crate) const TASK_SHAPE: &[&str] = &["extends", "id", "needs", "uses", "with"];

/// Those that only the Flow dialect has.
pub(crate) const TASK_SHAPE_FLOW: &[&str] = &["expand", "expand_kwargs", "group", "if", "setup", "teardown"];

/// Arguments of a task that both dialects have.
pub(crate) const TASK: &[&str] = &[
    "depends_on_past",
    "do_xcom_push",
    "doc_md",
    "email",
    "email_on_failure",
    "email_on_retry",
    "end_date",
    "execution_timeout",
    "inlets",
    "map_index_template",
    "max_active_tis_per_dag",
    "max_active_tis_per_dagrun",
    "max_retry_delay",
    "multiple_outputs",
    "on_execute_callback",
    "on_failure_callback",
    "on_retry_callback",
    "on_skipped_callback",
    "on_success_callback",
    "outlets",
    "owner",
    "params",
    "pool",
    "pool_slots",
    "priority_weight",
    "queue",
    "retries",
    "retry_delay",
    "retry_exponential_backoff",
    "run_as_user",
    "start_date",
    "task_display_name",
    "trigger_rule",
    "wait_for_downstream",
    "weight_rule",
];

/// Arguments of a task that only the Flow dialect has.
pub(crate) const TASK_FLOW: &[&str] = &["retry_on"];

/// Task arguments of Airflow that Flow does not have.
pub(crate) const TASK_FOREIGN: &[&str] = &[
    "allow_nested_operators",
    "doc",
    "doc_json",
    "doc_rst",
    "doc_yaml",
    "executor",
    "executor_config",
    "ignore_first_depends_on_past",
    "logger_name",
    "post_execute",
    "pre_execute",
    "render_template_as_native_obj",
    "resources",
    "retry_policy",
    "run",
    "sla",
    "wait_for_past_depends_before_skipping",
];

/// Keys that need a value in the Flow dialect: there is no telling what nothing would mean.
pub(crate) const NEVER_NULL: &[&str] = &[
    "access_control",
    "catchup",
    "catchup_window",
    "depends_on_past",
    "do_xcom_push",
    "fail_fast",
    "group",
    "if",
    "max_active_runs",
    "max_active_tasks",
    "max_consecutive_failed_dag_runs",
    "multiple_outputs",
    "overlap_policy",
    "owner",
    "pool_slots",
    "priority_weight",
    "queue",
    "retries",
    "retry_delay",
    "setup",
    "teardown",
    "trigger_rule",
    "wait_for_downstream",
    "weight_rule",
];

/// Keys that need a value in the Airflow dialect, as measured.
pub(crate) const NEVER_NULL_AIRFLOW: &[&str] = &[
    "dag_display_name",
    "extends",
    "fail_fast",
    "max_active_tasks",
    "max_consecutive_failed_dag_runs",
    "multiple_outputs",
    "needs",
    "pool_slots",
    "priority_weight",
    "trigger_rule",
    "wait_for_downstream",
    "weight_rule",
];

/// What Airflow calls things that Flow names otherwise, or that people write by habit.
pub(crate) const HABITS: &[(&str, &str)] = &[
    ("task_id", "a task's id is `id`"),
    ("operator", "the operator is named by `uses`"),
    ("depends_on", "upstream tasks are listed in `needs`"),
    ("dependencies", "upstream tasks are listed in `needs`"),
    ("upstream", "upstream tasks are listed in `needs`"),
    ("dag", "a task belongs to the DAG of its document"),
    ("task_group", "a task joins a group by `group`"),
    ("schedule_interval", "it is called `schedule`"),
    ("timetable", "it is written in `schedule`"),
    ("concurrency", "it is called `max_active_tasks`"),
    ("when", "a condition is written in `if`"),
];

/// Arguments that every sensor takes in `with`.
pub(crate) const SENSOR: &[&str] =
    &["poke_interval", "timeout", "soft_fail", "mode", "exponential_backoff", "max_wait", "silent_fail", "never_fail"];

/// Keys whose behaviour is not built; what they are for, in words.
pub(crate) const LATER: &[(&str, &str)] = &[
    ("deadline", "deadlines"),
    ("expand", "task mapping"),
    ("expand_kwargs", "task mapping"),
    ("inlets", "assets"),
    ("map_index_template", "task mapping"),
    ("outlets", "assets"),
    ("run_as_user", "running as another user"),
    ("setup", "setup and teardown tasks"),
    ("teardown", "setup and teardown tasks"),
];

/// Says what people mean by a key that has another name here.
pub(crate) fn habit(key: &str) -> Option<String> {
    HABITS.iter().find(|(name, _)| *name == key).map(|(_, help)| (*help).to_owned())
}

/// Says whether a key is one of a task, in either dialect.
pub(crate) fn is_task_key(key: &str) -> bool {
    [TASK_SHAPE, TASK_SHAPE_FLOW, TASK, TASK_FLOW].iter().any(|keys| keys.contains(&key))
}
