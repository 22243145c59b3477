//! Metrics of Airflow that have no meaning in Flow, and why. For the reference page, and for whoever looks for a name.

/// Names (`*` stands for anything) and why Flow has nothing of them.
pub static ABSENT: &[(&[&str], &str)] = &[
    (
        &["triggerer_heartbeat", "triggers.*", "triggerer.*", "ti.deferred", "pool.deferred_slots"],
        "nothing in Flow is deferred: a sensor that waits by `reschedule` holds no slot, and needs no triggerer",
    ),
    (&["asset.*"], "there are no assets yet"),
    (&["deadline_alerts.*"], "there are no deadline alerts"),
    (&["ol.*"], "Flow sends nothing to OpenLineage"),
    (
        &[
            "celery.*",
            "kubernetes_executor.*",
            "batch_executor.*",
            "ecs_executor.*",
            "lambda_executor.*",
            "edge_worker.*",
            "edge_executor.*",
        ],
        "Flow has one kind of worker; `executor.*` is about it",
    ),
    (
        &["local_task_job.task_exit", "previously_succeeded", "resumable_job.*"],
        "no process of Flow stands around a task; how a try ended is in `ti.finish`",
    ),
    (
        &["scheduler.tasks.killed_externally", "scheduler.orphaned_tasks.adopted"],
        "a try has one owner and a token; one whose owner is gone is cleared, never adopted",
    ),
    (
        &[
            "dag_processing.processes",
            "dag_processing.processor_timeouts",
            "dag_file_processor_timeouts",
            "dag_processing.other_callback_count",
            "dag_processing.callback_only_count",
            "dag_processing.file_path_queue_update_count",
            "dag_processing.file_path_queue_size",
            "dag_processing.manager_stalls",
            "dag_processing.last_num_of_db_queries.*",
        ],
        "DAG files are data: they are read in the scheduler's process, without a queue, and ask no database",
    ),
    (
        &["dag_processing.last_run.seconds_ago"],
        "a file is read when it changes, not again and again; `dag_processor_heartbeat` says that somebody looks",
    ),
    (
        &[
            "scheduler.executor_heartbeat_duration",
            "collect_db_dags",
            "scheduler.dag_bag.cache_clear",
            "api_server.dag_bag.cache_clear",
        ],
        "Flow has no such step",
    ),
    (&["airflow.io.load_filesystems", "serde.load_serializers"], "there is no Python to load"),
    (
        &[
            "connection_test.reaped",
            "connection_test.active",
            "connection_test.pending",
            "connection_test.dispatch_duration",
        ],
        "a connection is tested while the request waits, and nothing is queued",
    ),
];

/// Says why Flow has no metric of this name; `None` when it is not in the list.
pub fn why_absent(name: &str) -> Option<&'static str> {
    let is = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *pattern,
    };
    ABSENT.iter().find(|(patterns, _)| patterns.iter().any(is)).map(|(_, why)| *why)
}
