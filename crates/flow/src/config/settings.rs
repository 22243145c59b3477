//! Every setting: its name, type, default and what it does. The one table behind `flow.toml`, the environment,
//! `flow config show` and docs/reference/configuration.md.
//!
//! Adding one is adding its lines here. How values get in is in the parent module.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::Value;

use super::{
    ConfigError, Given,
    value::{
        AnonymousRole, CallbackList, Count, Host, Hosts, Levels, Listen, OptionalPath, Patterns, Prefix, Proxies,
        Setting, Size, Url,
    },
};

/// What is known of a setting beside its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) is_list: bool,
    pub(crate) is_json: bool,
    /// As it would be written; `$FLOW_HOME` stands for the home.
    pub(crate) default: &'static str,
    #[cfg(test)]
    pub(crate) doc: &'static [&'static str],
}

impl Entry {
    /// `section.key`
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// `FLOW__SECTION__KEY`
    pub(crate) fn variable(&self) -> String {
        format!("FLOW__{}__{}", self.section.to_uppercase(), self.key.to_uppercase())
    }
}

macro_rules! settings {
    ($( $(#[doc = $sdoc:literal])+ $section:ident: $Section:ident {
        $( $(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:literal, )+
    } )+) => {
        $(
            $(#[doc = $sdoc])+
            #[derive(Clone, Debug)]
            pub(crate) struct $Section { $( $(#[doc = $doc])+ pub(crate) $key: $type, )+ }
        )+

        /// All settings, checked.
        #[derive(Clone, Debug)]
        pub(crate) struct Settings { $( $(#[doc = $sdoc])+ pub(crate) $section: $Section, )+ }

        /// Sections and what they are about, in the order of the reference page.
        pub(crate) const SECTIONS: &[(&str, &[&str])] = &[$( (stringify!($section), &[$($sdoc),+]), )+];

        /// Every setting.
        pub(crate) const TABLE: &[Entry] = &[$($( Entry {
            section: stringify!($section),
            key: stringify!($key),
            kind: <$type as Setting>::KIND,
            is_list: <$type as Setting>::IS_LIST,
            is_json: <$type as Setting>::IS_JSON,
            default: $default,
            #[cfg(test)]
            doc: &[$($doc),+],
        }, )+)+];

        impl Settings {
            /// Reads the texts that were given for each setting, by name; every setting has one.
            pub(super) fn read(given: &BTreeMap<String, Given>) -> Result<Self, ConfigError> {
                Ok(Self { $( $section: $Section { $(
                    $key: super::read_one::<$type>(given, concat!(stringify!($section), ".", stringify!($key)))?,
                )+ }, )+ })
            }

            /// Returns a name and a value for each setting, in the order of [`TABLE`].
            pub(super) fn values(&self) -> Vec<Value> {
                vec![$($( self.$section.$key.show(), )+)+]
            }
        }
    };
}

settings! {
    /// What holds for all of Flow.
    core: Core {
        /// DAGs that appear for the first time are paused, unless they say otherwise (`is_paused_upon_creation`).
        /// `flow standalone` takes `false` when nothing is set, so that examples start at once.
        dags_are_paused_at_creation: bool = "true",
        /// How often a task is tried again when its worker died or was shut down; such tries do not use up `retries`.
        max_infrastructure_retries: u32 = "3",
        /// Time between SIGTERM and SIGKILL when a task's processes must end.
        kill_grace: Duration = "10s",
    }
    /// Where everything is kept.
    database: Database {
        /// `sqlite:PATH`, for one process, or `postgres://user:password@host:port/database`, for any number of them.
        /// `FLOW_DATABASE_URL` sets it too.
        url: String = "sqlite:$FLOW_HOME/flow.db",
    }
    /// The loop that starts runs and tasks.
    scheduler: Scheduler {
        /// Longest time between two looks for due work. Changes wake the scheduler at once; this is the safety net.
        poll_interval: Duration = "1s",
        /// Most runs decided upon in one transaction.
        batch: Count = "100",
    }
    /// The loop that runs tasks.
    worker: Worker {
        /// Most tasks at once in this process. `--slots`, or `--workers` of `flow standalone`.
        slots: Count = "16",
        /// Queues this worker takes tasks from (key `queue` of a task).
        queues: Vec<String> = "default",
        /// A worker that is silent for so long is taken for dead, and its tasks are tried again. Sooner when its process is seen to be gone on the same machine.
        lease: Duration = "5m",
        /// Time between two signs of life. Several must fit into the lease.
        heartbeat: Duration = "5s",
        /// Time that running tasks get at an orderly shutdown before they are handed back.
        drain: Duration = "30s",
        /// A `flow worker` serves the logs of its host to web servers on others, which sign their requests.
        serve_logs: bool = "true",
        /// Address it listens on for that.
        log_listen: String = "0.0.0.0",
        /// Port it listens on; 0, or when another worker of the host has it, any free one.
        log_port: u16 = "8793",
        /// Name or address under which web servers reach this host, when it is not its host name.
        log_host: Host = "",
    }
    /// The DAG files.
    dags: Dags {
        /// Folder of DAG files. When it is not set, `./dags` is taken if it exists. `--dags` goes before all.
        folder: PathBuf = "$FLOW_HOME/dags",
        /// Time between two looks at the whole folder, for places where changes are not announced (NFS, volumes).
        scan_interval: Duration = "5s",
    }
    /// The web server.
    web: Web {
        /// Address to listen on. `0.0.0.0` means every network interface.
        host: String = "127.0.0.1",
        /// Port to listen on; 0 takes any free one.
        port: u16 = "8080",
        /// What someone may do who has not logged in: nothing, or as much as `Viewer`, `User`, `Op` or `Admin`.
        anonymous_role: AnonymousRole = "",
        /// Names under which the server is reached, with or without a port, when there is a proxy before it. A server that
        /// listens on this machine only refuses other names, lest a page elsewhere asks it in the name of whoever reads the page.
        allowed_hosts: Hosts = "",
        /// Addresses or networks of proxies that may say who asks and how (`X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`).
        trusted_proxies: Proxies = "",
        /// A session in a browser that is not used for so long is over.
        session_idle: Duration = "12h",
        /// A session in a browser is over after so long, used or not.
        session_lifetime: Duration = "7d",
        /// Users with the role Op or Admin may change DAG files in the browser, and through the API.
        edit_dags: bool = "false",
        /// Most connections at once. Never more than a quarter of the file descriptors that the process may have, so that tasks always find some. Half of them may be streams (events, logs that are followed).
        max_connections: Count = "1024",
        /// Most connections from one address. Behind a proxy all connections come from one.
        max_connections_per_address: Count = "512",
    }
    /// What is done for every DAG, besides what it asks for itself, in the form of [callbacks](dag-format.md#callbacks); see
    /// [Be told when something fails](../how-to/alerts.md#for-every-dag).
    notifications: Notifications {
        /// When a run has failed.
        on_failure_callback: CallbackList = "",
        /// When a run has succeeded.
        on_success_callback: CallbackList = "",
        /// When a task has failed for good. Where many fail together, each is told: `on_failure_callback` is told once.
        on_task_failure_callback: CallbackList = "",
        /// When a try of a task failed, or was lost, and there is another one.
        on_retry_callback: CallbackList = "",
    }
    /// What Flow tells about itself in numbers; see docs/how-to/watch-flow.md.
    metrics: Metrics {
        /// Keep what `/metrics` shows to Prometheus.
        prometheus: bool = "true",
        /// Address and port where `/metrics` is served besides, to whoever asks, without a login: for `flow scheduler` and `flow worker`,
        /// which have no web server, and for networks where only Prometheus gets through. Such as `127.0.0.1:9102`; nothing when empty.
        listen: Listen = "",
        /// `/metrics` of the web server is for whoever asks, instead of for users with the role Op or Admin. The ids of all DAGs are in it.
        anonymous_scrape: bool = "false",
        /// Send metrics to a StatsD server.
        statsd_on: bool = "false",
        /// Name or address of the StatsD server. One that is away costs nothing: what it misses is dropped and counted.
        statsd_host: String = "localhost",
        /// UDP port of the StatsD server.
        statsd_port: u16 = "8125",
        /// What every name begins with in StatsD, before a dot; nothing when empty.
        statsd_prefix: Prefix = "airflow",
        /// Send labels as tags of DogStatsD, instead of names with the labels in them.
        statsd_datadog_enabled: bool = "false",
        /// Regular expressions, with commas between them: only names in which one is found are sent to StatsD. Names are in small letters and without the prefix.
        metrics_allow_list: Patterns = "",
        /// Regular expressions, with commas between them: names in which one is found are not sent to StatsD. Counts for nothing when `metrics_allow_list` is set.
        metrics_block_list: Patterns = "",
        /// Most DAGs that are told apart; the rest go by the name `other`.
        max_dags: Count = "500",
        /// Most tasks that are told apart, of all DAGs together; the rest go by the name `other`.
        max_tasks: Count = "2000",
    }
    /// Traces of runs, for a collector of OpenTelemetry; see [Watch Flow](../how-to/watch-flow.md#traces). Only in a program that was
    /// built with `--features otel`.
    traces: Traces {
        /// Send traces: a run is a trace, a try of a task a span, and tasks find its name in `TRACEPARENT`.
        otel_on: bool = "false",
        /// Name or address of the collector. `OTEL_EXPORTER_OTLP_ENDPOINT`, or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, goes before it and the port.
        otel_host: String = "localhost",
        /// Port where the collector takes OTLP over HTTP.
        otel_port: u16 = "4318",
        /// Send by HTTPS.
        otel_ssl_active: bool = "false",
        /// The name that Flow has there (`service.name`). `OTEL_SERVICE_NAME` goes before it.
        otel_service: String = "flow",
    }
    /// Logs of tasks, and Flow's own.
    logging: Logging {
        /// Folder of the tasks' logs.
        folder: PathBuf = "$FLOW_HOME/logs",
        /// Logs that nobody wrote to for so long, of attempts that have ended, are compressed: `attempt=N.log.gz`, which `zless` reads. `0s` = never.
        compress_after: Duration = "1d",
        /// Logs of attempts that have ended are removed when nobody wrote to them for so long. `0s` = never.
        retention: Duration = "0s",
        /// What all logs of tasks may take on the disk, such as `20GiB`: the oldest of attempts that have ended are removed. `0` = anything.
        max_size: Size = "0",
        /// What the log of one attempt may take on the disk. What a task says after that is dropped, and the log says so; the task goes on. `0` = anything.
        max_attempt_size: Size = "1GiB",
        /// A second place for logs, `s3://…`, `gs://…`, `az://…` or `file:///…`: each is copied there when its attempt has ended, and read from there when it is no longer on the host. Secrets come from the environment, see [Keep logs](../how-to/keep-logs.md).
        remote: Url = "",
        /// A file into which each line of each task's log is written once more, as JSON with Airflow's names, for shippers. It is begun anew after 64 MiB, the one before is kept as `….1`. Nothing = no such file.
        ship_to: OptionalPath = "",
        /// How much Flow says about itself: `error`, `warn`, `info`, `debug` or `trace`; for modules as in `info,flow_runtime=debug`. SIGHUP reads it again.
        level: Levels = "info",
        /// Flow's own messages as JSON, one object a line.
        json: bool = "false",
    }
}
