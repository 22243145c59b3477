//! What is measured of this process, as the settings want it: where it goes, and what is looked at every few seconds.

use anyhow::Context as _;
use flow_metrics::{Metrics, Running, Settings, StatsdSettings};
use flow_runtime::{Stop, measure::gauges::Gauges};
use flow_store::ProcessKind;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    config::settings::Metrics as Wanted,
    context::Cx,
    node::{Parts, VERSION},
    traces::{Traces, Tracing},
};

/// Opens the ways out that the settings want.
pub(crate) fn of_settings(wanted: &Wanted) -> Metrics {
    let statsd = wanted.statsd_on.then(|| StatsdSettings {
        host: wanted.statsd_host.clone(),
        port: wanted.statsd_port,
        prefix: wanted.statsd_prefix.0.clone(),
        tags: wanted.statsd_datadog_enabled,
        allow: wanted.metrics_allow_list.0.clone(),
        block: wanted.metrics_block_list.0.clone(),
    });
    let most = |count: crate::config::value::Count| usize::try_from(count.0).unwrap_or(usize::MAX);
    Metrics::new(Settings {
        prometheus: wanted.prometheus,
        statsd,
        dags_max: most(wanted.max_dags),
        tasks_max: most(wanted.max_tasks),
    })
}

/// Returns what Airflow calls such a process.
pub(crate) fn job(kind: ProcessKind) -> &'static str {
    match kind {
        ProcessKind::Standalone | ProcessKind::Scheduler => "schedulerjob",
        ProcessKind::Worker => "workerjob",
    }
}

/// What measures beside a process.
pub(crate) struct Beside {
    running: Running,
    tasks: Vec<JoinHandle<()>>,
    tracing: Option<Tracing>,
}

impl Beside {
    /// Begins to look, to send, and to serve `metrics.listen`. `process`: what it is and its id; `None` for the web server.
    pub(crate) async fn start(
        cx: &Cx,
        parts: &Parts,
        process: Option<(ProcessKind, &str)>,
        stop: &Stop,
    ) -> anyhow::Result<Self> {
        let settings = &cx.config.settings;
        let mut tasks = Vec::new();
        if let Some(address) = settings.metrics.listen.0 {
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address} for metrics; see `metrics.listen`"))?;
            let (metrics, stop) = (parts.metrics.clone(), stop.clone());
            tasks.push(tokio::spawn(async move {
                let ended = flow_server::serve_metrics(listener, metrics, async move { stop.draining().await }).await;
                if let Err(error) = ended {
                    tracing::error!(%error, "metrics are served no more");
                }
            }));
        }
        let (part, scheduler) = match process {
            Some((ProcessKind::Standalone | ProcessKind::Scheduler, id)) => ("scheduler", Some(id.to_owned())),
            Some((ProcessKind::Worker, _)) => ("worker", None),
            None => ("api_server", None),
        };
        let gauges = Gauges {
            metrics: parts.metrics.clone(),
            store: parts.store.clone(),
            dags: parts.dags.clone(),
            clock: parts.clock.clone(),
            part,
            scheduler,
            lease: settings.worker.lease,
            places: vec![("home", cx.config.home.clone()), ("logs", settings.logging.folder.clone())],
            version: VERSION,
        };
        tasks.push(tokio::spawn(gauges.run()));
        let tracing = parts.traces.as_ref().and_then(Traces::start);
        Ok(Self { running: parts.metrics.run(), tasks, tracing })
    }

    /// Ends it; what was measured until now is sent.
    pub(crate) async fn end(self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Some(tracing) = self.tracing {
            tracing.end().await;
        }
        self.running.end().await;
    }
}
