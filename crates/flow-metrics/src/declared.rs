//! Every metric: its name, kind, labels, what it says, and what Airflow calls it. The one place where any is declared;
//! docs/reference/metrics.md is written from here.
//!
//! Adding one is adding its lines here. What Airflow has and Flow does not is in [`crate::absent`].

/// What a metric measures, and with it how it may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How long something took: a histogram of seconds in Prometheus, milliseconds in StatsD.
    Timer,
}

/// Who knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Every process.
    Each,
    /// A process that schedules, about itself.
    Scheduler,
    /// One of the schedulers, for all of Flow.
    Duty,
    /// A process that runs tasks.
    Worker,
    /// A process that serves the web.
    Web,
    /// Whoever made the change: schedulers mostly, workers and the web server for theirs.
    Changer,
}

/// A name in StatsD, without the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// With tags, or with nothing.
    pub tagged: &'static str,
    /// With the labels in it, for servers that know no tags.
    pub dotted: Option<&'static str>,
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// In Prometheus.
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    /// Labels in StatsD only, after the others: in Prometheus they would be too many.
    pub more: &'static [&'static str],
    pub statsd: &'static [Name],
    pub from: From,
    /// Lines of one or more sentences.
    pub help: &'static [&'static str],
}

macro_rules! declare {
    ($( $(#[doc = $help:literal])+
        $id:ident = $kind:ident $name:literal [$($label:ident),*] $(+ [$($more:ident),*])? from $from:ident,
        $($tagged:literal $(= $dotted:literal)?),+;
    )+) => {
        $( $(#[doc = $help])+
        pub static $id: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$(stringify!($label)),*],
            more: &[$($(stringify!($more)),*)?],
            statsd: &[$(Name { tagged: $tagged, dotted: declare!(@dotted $($dotted)?) }),+],
            from: From::$from,
            help: &[$($help),+],
        }; )+

        /// Every metric, in the order of the page.
        pub static ALL: &[&Metric] = &[$(&$id),+];
    };
    (@dotted $dotted:literal) => { Some($dotted) };
    (@dotted) => { None };
}

declare! {
    /// Tries of tasks that began: each look of a sensor that waits by `reschedule` is one.
    TASK_STARTS = Counter "flow_task_starts_total" [dag_id, task_id] from Worker,
        "ti.start" = "ti.start.{dag_id}.{task_id}";
    /// Moves of task instances into a state in which a try is over: success, failed, skipped, upstream_failed, up_for_retry, up_for_reschedule.
    /// Those that someone marked count too.
    TASK_FINISHES = Counter "flow_task_finishes_total" [dag_id, task_id, state] from Changer,
        "ti.finish" = "ti.finish.{dag_id}.{task_id}.{state}";
    /// Task instances that succeeded, by operator; those that someone marked aside.
    TASK_SUCCESSES = Counter "flow_task_successes_total" [operator_name] from Scheduler,
        "ti_successes", "operator_successes" = "operator_successes_{operator_name}";
    /// Tries that failed, whether there is another or not, by operator; tasks that someone marked aside.
    TASK_FAILURES = Counter "flow_task_failures_total" [operator_name] from Scheduler,
        "ti_failures", "operator_failures" = "operator_failures_{operator_name}";
    /// Task instances that were made with their runs, by operator.
    TASKS_CREATED = Counter "flow_task_instances_created_total" [task_type] from Changer,
        "task_instance_created" = "task_instance_created_{task_type}";
    /// Task instances whose task is in their DAG no more.
    TASKS_REMOVED = Counter "flow_tasks_removed_total" [dag_id] from Changer,
        "task_removed_from_dag" = "task_removed_from_dag.{dag_id}";
    /// Task instances whose task came back to their DAG.
    TASKS_RESTORED = Counter "flow_tasks_restored_total" [dag_id] from Changer,
        "task_restored_to_dag" = "task_restored_to_dag.{dag_id}";
    /// Time from the start of a try to its end; of a sensor, from its first look.
    TASK_DURATION = Timer "flow_task_duration_seconds" [dag_id, task_id] from Scheduler,
        "task.duration" = "dag.{dag_id}.{task_id}.duration";
    /// Time that a task instance waited for a slot: from `scheduled` to `queued`.
    TASK_SCHEDULED_DURATION = Timer "flow_task_scheduled_duration_seconds" [dag_id] + [task_id] from Scheduler,
        "task.scheduled_duration" = "dag.{dag_id}.{task_id}.scheduled_duration";
    /// Time that a task instance waited for a worker: from `queued` to `running`.
    TASK_QUEUED_DURATION = Timer "flow_task_queued_duration_seconds" [dag_id] + [task_id] from Worker,
        "task.queued_duration" = "dag.{dag_id}.{task_id}.queued_duration";
    /// Task instances that wait for a slot, for a worker, or run (`scheduled`, `queued`, `running`).
    TASKS = Gauge "flow_task_instances" [state, queue, dag_id, task_id] from Duty,
        "ti.{state}" = "ti.{state}.{queue}.{dag_id}.{task_id}";

    /// Runs that were made.
    RUNS_CREATED = Counter "flow_runs_created_total" [dag_id, run_type] from Changer,
        "flow.runs_created" = "flow.runs_created.{dag_id}.{run_type}";
    /// Time from the start of a run to its end. Its number is that of the runs that ended, by state (success, failed).
    RUN_DURATION = Timer "flow_run_duration_seconds" [dag_id, state] from Changer,
        "dagrun.duration.{state}" = "dagrun.duration.{state}.{dag_id}";
    /// How late a run of a timetable started.
    RUN_SCHEDULE_DELAY = Timer "flow_run_schedule_delay_seconds" [dag_id] from Scheduler,
        "dagrun.schedule_delay" = "dagrun.schedule_delay.{dag_id}";
    /// How late the first task of a timetable's run started; told when the run ends.
    RUN_FIRST_TASK_DELAY = Timer "flow_run_first_task_scheduling_delay_seconds" [dag_id] from Changer,
        "dagrun.first_task_scheduling_delay" = "dagrun.{dag_id}.first_task_scheduling_delay";
    /// Time from the start of a run to the start of its first task; told when the run ends.
    RUN_FIRST_TASK_START = Timer "flow_run_first_task_start_delay_seconds" [dag_id] from Changer,
        "dagrun.first_task_start_delay" = "flow.first_task_start_delay.{dag_id}";
    /// Time it took to decide what should change in a run.
    RUN_DECISION = Timer "flow_run_decision_duration_seconds" [dag_id] from Scheduler,
        "dagrun.dependency-check" = "dagrun.dependency-check.{dag_id}";
    /// Runs under way.
    RUNS_RUNNING = Gauge "flow_runs_running" [] from Duty,
        "scheduler.dagruns.running";
    /// Runs that wait: for their moment, for others of their DAG to end, or because their DAG is paused.
    RUNS_QUEUED = Gauge "flow_runs_queued" [] from Duty,
        "flow.dagruns.queued";

    /// Tries to do a callback that failed, whether there is another or not.
    CALLBACK_FAILURES = Counter "flow_callback_failures_total" [dag_id] from Changer,
        "dag.callback_exceptions" = "flow.callback_exceptions.{dag_id}";
    /// Callbacks that were done, or given up after their last try (delivered, failed).
    CALLBACKS_ENDED = Counter "flow_callbacks_ended_total" [state] from Changer,
        "flow.callbacks.{state}";
    /// Callbacks that are still to be done.
    CALLBACKS_PENDING = Gauge "flow_callbacks_pending" [] from Duty,
        "flow.callbacks.pending";

    /// Messages of Kafka that made runs, by topic and consumer group.
    KAFKA_MESSAGES = Counter "flow_kafka_messages_total" [topic, group_id] from Scheduler,
        "flow.kafka_messages" = "flow.kafka_messages.{topic}.{group_id}";
    /// Times that reading a topic for a schedule broke off: no broker, no such topic, or the database.
    KAFKA_FAILURES = Counter "flow_kafka_failures_total" [topic, group_id] from Scheduler,
        "flow.kafka_failures" = "flow.kafka_failures.{topic}.{group_id}";
    /// Messages in a topic that have not made runs yet, as of half a minute ago at most. From the scheduler that reads it.
    KAFKA_LAG = Gauge "flow_kafka_lag_messages" [topic, group_id] from Scheduler,
        "flow.kafka_lag" = "flow.kafka_lag.{topic}.{group_id}";

    /// Signs of life of schedulers.
    SCHEDULER_HEARTBEATS = Counter "flow_scheduler_heartbeats_total" [] from Scheduler,
        "scheduler_heartbeat";
    /// When a scheduler last gave a sign of life, in seconds since 1970.
    SCHEDULER_HEARTBEAT_AT = Gauge "flow_scheduler_heartbeat_timestamp_seconds" [] from Scheduler,
        "flow.scheduler_heartbeat_timestamp";
    /// Processes that started: `schedulerjob` (also `flow standalone`), `workerjob`, `webjob`.
    PROCESS_STARTS = Counter "flow_process_starts_total" [job_name] from Each,
        "{job_name}_start";
    /// Processes that ended in an orderly way.
    PROCESS_ENDS = Counter "flow_process_ends_total" [job_name] from Each,
        "{job_name}_end";
    /// Signs of life that the database did not take.
    HEARTBEAT_FAILURES = Counter "flow_heartbeat_failures_total" [job_name] from Each,
        "{job_name}_heartbeat_failure";
    /// Time of one look at everything that is due, with its transaction.
    SCHEDULER_PASS = Timer "flow_scheduler_pass_duration_seconds" [] from Scheduler,
        "scheduler.scheduler_loop_duration";
    /// Time that handing out slots took; nobody else can meanwhile.
    SCHEDULER_HAND_OUT = Timer "flow_scheduler_hand_out_duration_seconds" [] from Scheduler,
        "scheduler.critical_section_duration";
    /// Time it took to read who waits for slots, one page of them.
    SCHEDULER_WAITING_QUERY = Timer "flow_scheduler_waiting_query_duration_seconds" [] from Scheduler,
        "scheduler.critical_section_query_duration";
    /// Looks that were dropped because another process was faster; nothing is lost, they are made again.
    SCHEDULER_CONFLICTS = Counter "flow_scheduler_conflicts_total" [] from Scheduler,
        "scheduler.critical_section_busy";
    /// Task instances that wait for slots of a pool that has none free.
    TASKS_STARVING = Gauge "flow_tasks_starving" [] from Duty,
        "scheduler.tasks.starving";
    /// Task instances that got their slots in the latest look that gave any.
    TASKS_EXECUTABLE = Gauge "flow_tasks_executable" [] from Scheduler,
        "scheduler.tasks.executable";
    /// Tries that were given up because their worker had been silent for longer than its lease.
    TRIES_LOST = Counter "flow_tries_lost_total" [] from Scheduler,
        "task_instances_without_heartbeats_killed";
    /// Tries that were taken over from workers that died or were shut down.
    TRIES_ORPHANED = Counter "flow_tries_orphaned_total" [] from Changer,
        "scheduler.orphaned_tasks.cleared";

    /// Slots of all workers that nothing runs in.
    EXECUTOR_OPEN_SLOTS = Gauge "flow_executor_open_slots" [] from Duty,
        "executor.open_slots";
    /// Tries that wait for a worker.
    EXECUTOR_QUEUED_TASKS = Gauge "flow_executor_queued_tasks" [] from Duty,
        "executor.queued_tasks";
    /// Tries that run.
    EXECUTOR_RUNNING_TASKS = Gauge "flow_executor_running_tasks" [] from Duty,
        "executor.running_tasks";
    /// Processes that run tasks and were heard of within their lease.
    WORKERS = Gauge "flow_workers" [] from Duty,
        "flow.workers";
    /// Processes that schedule and were heard of lately.
    SCHEDULERS = Gauge "flow_schedulers" [] from Duty,
        "flow.schedulers";

    /// Slots of a pool that are free; below 0 after a pool was made smaller. A pool without a limit has none of these.
    POOL_OPEN_SLOTS = Gauge "flow_pool_open_slots" [pool_name] from Duty,
        "pool.open_slots" = "pool.open_slots.{pool_name}";
    /// Slots of a pool that tries hold which wait for a worker.
    POOL_QUEUED_SLOTS = Gauge "flow_pool_queued_slots" [pool_name] from Duty,
        "pool.queued_slots" = "pool.queued_slots.{pool_name}";
    /// Slots of a pool that tries hold which run.
    POOL_RUNNING_SLOTS = Gauge "flow_pool_running_slots" [pool_name] from Duty,
        "pool.running_slots" = "pool.running_slots.{pool_name}";
    /// Slots of a pool that are waited for.
    POOL_SCHEDULED_SLOTS = Gauge "flow_pool_scheduled_slots" [pool_name] from Duty,
        "pool.scheduled_slots" = "pool.scheduled_slots.{pool_name}";
    /// Task instances that wait for slots of a pool that has none free.
    POOL_STARVING_TASKS = Gauge "flow_pool_starving_tasks" [pool_name] from Duty,
        "pool.starving_tasks" = "pool.starving_tasks.{pool_name}";

    /// DAGs in the DAG folder.
    DAGS = Gauge "flow_dags" [] from Duty,
        "dagbag_size";
    /// DAG files with a mistake.
    DAG_IMPORT_ERRORS = Gauge "flow_dag_import_errors" [] from Duty,
        "dag_processing.import_errors";
    /// Times that a DAG file with a mistake was read.
    DAG_FILE_ERRORS = Counter "flow_dag_file_errors_total" [] from Scheduler,
        "dag_file_refresh_error";
    /// Looks at the DAG folder.
    DAG_FOLDER_LOOKS = Counter "flow_dag_folder_looks_total" [] from Scheduler,
        "dag_processor_heartbeat";
    /// Time that the latest look at the DAG folder took which found a change.
    DAG_FOLDER_READ = Gauge "flow_dag_folder_read_seconds" [] from Scheduler,
        "dag_processing.total_parse_time";
    /// Time to read and check one DAG file.
    DAG_FILE_READ = Timer "flow_dag_file_read_duration_seconds" [] + [file_name] from Scheduler,
        "dag_processing.last_duration" = "dag_processing.last_duration.dags-folder.{file_name}";
    /// Versions of DAGs that were wanted and at hand, by part of Flow (scheduler, worker, api_server).
    DAG_CACHE_HITS = Counter "flow_dag_cache_hits_total" [part] from Each,
        "{part}.dag_bag.cache_hit";
    /// Versions of DAGs that were wanted and had to be read.
    DAG_CACHE_MISSES = Counter "flow_dag_cache_misses_total" [part] from Each,
        "{part}.dag_bag.cache_miss";
    /// Versions of DAGs at hand.
    DAG_CACHE_SIZE = Gauge "flow_dag_cache_versions" [part] from Each,
        "{part}.dag_bag.cache_size";

    /// Requests that were answered, by route, as docs/reference/openapi.json names it, and status.
    HTTP_REQUESTS = Counter "flow_http_requests_total" [method, route, status] from Web,
        "flow.http_requests";
    /// Time from a request to the head of its answer. Streams and `wait` take as long as they are asked to.
    HTTP_DURATION = Timer "flow_http_request_duration_seconds" [route] from Web,
        "flow.http_request_duration";
    /// Connections that were tested through the API, by result (success, failed).
    CONNECTION_TESTS = Counter "flow_connection_tests_total" [result] from Web,
        "connection_test.{result}";
    /// Time that a test of a connection took.
    CONNECTION_TEST_DURATION = Timer "flow_connection_test_duration_seconds" [] from Web,
        "connection_test.hook_duration";

    /// Time that a transaction that changed something was open, its commit included.
    DATABASE_TRANSACTION = Timer "flow_database_transaction_duration_seconds" [] from Each,
        "flow.database_transaction";
    /// Looks and deliveries that the database refused or did not answer.
    DATABASE_ERRORS = Counter "flow_database_errors_total" [] from Each,
        "flow.database_errors";
    /// Bytes that are free where Flow keeps things: `home`, `logs`.
    DISK_FREE = Gauge "flow_disk_free_bytes" [place] from Each,
        "flow.disk_free_bytes" = "flow.disk_free_bytes.{place}";
    /// Bytes that there are at all where Flow keeps things.
    DISK_SIZE = Gauge "flow_disk_size_bytes" [place] from Each,
        "flow.disk_size_bytes" = "flow.disk_size_bytes.{place}";
    /// Logs that were copied to `logging.remote`, and those that could not be and wait for another try (success, failed).
    LOG_UPLOADS = Counter "flow_log_uploads_total" [result] from Each,
        "flow.log_uploads.{result}";
    /// Logs that wait to be copied to `logging.remote`, those of tries that run among them. From one process a folder.
    LOG_UPLOADS_WAITING = Gauge "flow_log_uploads_waiting" [] from Each,
        "flow.log_uploads_waiting";
    /// Spans of traces that were sent, and those that were lost: the collector is away, or there were too many (sent, lost).
    SPANS = Counter "flow_trace_spans_total" [state] from Each,
        "flow.trace_spans.{state}";
    /// 1, with the version of this process.
    BUILD_INFO = Gauge "flow_build_info" [version] from Each,
        "flow.build_info";
    /// Values that the StatsD server was not sent: it is away, or there were too many at once.
    STATSD_DROPPED = Counter "flow_statsd_dropped_total" [] from Each,
        "flow.statsd_dropped";
    /// Series that were put together under `other` because there were too many names, by label.
    NAMES_FOLDED = Counter "flow_metrics_folded_total" [label] from Each,
        "flow.metrics_folded" = "flow.metrics_folded.{label}";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_say_their_unit() {
        let mut seen = BTreeSet::new();
        for metric in ALL {
            let name = metric.name;
            assert!(seen.insert(name), "{name} is declared twice");
            assert!(name.starts_with("flow_"), "{name}");
            match metric.kind {
                Kind::Counter => assert!(name.ends_with("_total"), "{name}"),
                Kind::Timer => assert!(name.ends_with("_seconds"), "{name}"),
                Kind::Gauge => assert!(!name.ends_with("_total"), "{name}"),
            }
            // A gauge with fewer labels than it is set by would be set by many.
            assert!(metric.kind != Kind::Gauge || metric.more.is_empty(), "{name}");
        }
    }

    #[test]
    fn names_in_statsd_have_only_labels_that_there_are() {
        for metric in ALL {
            for text in metric.statsd.iter().flat_map(|name| [Some(name.tagged), name.dotted]).flatten() {
                for part in text.split('{').skip(1) {
                    let label = part.split('}').next().unwrap();
                    let mut known = metric.labels.iter().chain(metric.more);
                    assert!(known.any(|known| *known == label), "{text}: {label}");
                }
            }
        }
    }
}
