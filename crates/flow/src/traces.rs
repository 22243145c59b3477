//! Traces, as the settings and the environment of OpenTelemetry want them.

use std::{
    env,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use flow_metrics::Metrics;
use flow_runtime::Tracer;
use flow_store::Store;
use flow_traces::{Ids, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{config::settings, context::Cx, node::VERSION, output::Refusal};

/// How long one request may take, unless the environment says otherwise: OpenTelemetry's own default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the end of the process waits for the last spans.
const FAREWELL: Duration = Duration::from_secs(5);

/// What traces need.
#[derive(Debug)]
pub(crate) struct Traces {
    pub(crate) ids: Ids,
    /// Taken by whoever starts it.
    tracer: Mutex<Option<Tracer>>,
}

/// A tracer at work.
#[derive(Debug)]
pub(crate) struct Tracing {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

/// Begins to listen to the transactions of the store that is returned, if there are to be traces.
pub(crate) async fn of_settings(cx: &Cx, store: &Store, metrics: &Metrics) -> anyhow::Result<Option<(Store, Traces)>> {
    let wanted = &cx.config.settings.traces;
    if !wanted.otel_on {
        return Ok(None);
    }
    if !flow_traces::IS_BUILT {
        warn!("`traces.otel_on` is set, but there are no traces: {}", flow_traces::NOT_BUILT);
        return Ok(None);
    }
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let export = settings(wanted, variable)
        .and_then(|settings| flow_traces::open(&settings))
        .map_err(|why| Refusal::usage(why).help("see docs/how-to/watch-flow.md, or set `traces.otel_on` to false"))?;
    let ids = Ids::new(store.born().await?);
    let (heard, tracer) = Tracer::new(store.clone(), ids, export, metrics);
    Ok(Some((heard, Traces { ids, tracer: Mutex::new(Some(tracer)) })))
}

/// Joins the settings with what the environment says, which goes before them. An error is a sentence.
fn settings(wanted: &settings::Traces, variable: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
    let of_traces = |name: &str| {
        variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"))
            .or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")))
    };
    if let Some(protocol) = of_traces("PROTOCOL").filter(|protocol| protocol != "http/protobuf") {
        return Err(format!(
            "the environment asks for OTLP by `{protocol}` (OTEL_EXPORTER_OTLP_PROTOCOL): Flow sends it by `http/protobuf`, to port \
             4318 of most collectors"
        ));
    }
    let (scheme, host) = (if wanted.otel_ssl_active { "https" } else { "http" }, &wanted.otel_host);
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.clone() };
    let endpoint = match variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        Some(whole) => whole,
        None => {
            let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
            let base = base.unwrap_or_else(|| format!("{scheme}://{host}:{}", wanted.otel_port));
            format!("{}/v1/traces", base.trim_end_matches('/'))
        }
    };
    let timeout = match of_traces("TIMEOUT") {
        None => TIMEOUT,
        Some(text) => match text.parse() {
            Ok(millis @ 1..=600_000) => Duration::from_millis(millis),
            Ok(_) | Err(_) => {
                return Err(format!("OTEL_EXPORTER_OTLP_TIMEOUT must be milliseconds from 1 to 600000, not `{text}`"));
            }
        },
    };
    let is_named = variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES")
            .is_some_and(|all| all.split(',').any(|one| one.trim().starts_with("service.name=")));
    let service = (!is_named).then(|| wanted.otel_service.clone());
    Ok(Settings { endpoint, service, version: VERSION, timeout })
}

impl Traces {
    /// Begins to send. Only once.
    pub(crate) fn start(&self) -> Option<Tracing> {
        let tracer = self.tracer.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let cancel = CancellationToken::new();
        let task = tokio::spawn(tracer.run(cancel.clone()));
        Some(Tracing { cancel, task })
    }
}

impl Tracing {
    /// Sends what is left, for a moment.
    pub(crate) async fn end(self) {
        self.cancel.cancel();
        let abort = self.task.abort_handle();
        if tokio::time::timeout(FAREWELL, self.task).await.is_err() {
            abort.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> settings::Traces {
        settings::Traces {
            otel_on: true,
            otel_host: "collector".to_owned(),
            otel_port: 4318,
            otel_ssl_active: false,
            otel_service: "flow".to_owned(),
        }
    }

    fn with(environment: &[(&str, &str)]) -> Result<Settings, String> {
        settings(&wanted(), |name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_goes_before_the_settings() {
        let plain = with(&[]).unwrap();
        assert_eq!(plain.endpoint, "http://collector:4318/v1/traces");
        assert_eq!((plain.service.as_deref(), plain.timeout), (Some("flow"), TIMEOUT));
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otlp.example.com/");
        assert_eq!(with(&[base]).unwrap().endpoint, "https://otlp.example.com/v1/traces");
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/x");
        assert_eq!(with(&[base, whole]).unwrap().endpoint, "http://127.0.0.1:9/x");
        assert_eq!(with(&[("OTEL_SERVICE_NAME", "nightly")]).unwrap().service, None);
        assert_eq!(with(&[("OTEL_RESOURCE_ATTRIBUTES", "a=b, service.name=c")]).unwrap().service, None);
        let short = with(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "250")]).unwrap();
        assert_eq!(short.timeout, Duration::from_millis(250));
        let address = settings(&settings::Traces { otel_host: "::1".to_owned(), ..wanted() }, |_| None).unwrap();
        assert_eq!(address.endpoint, "http://[::1]:4318/v1/traces");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        assert!(with(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err().contains("http/protobuf"));
        assert!(with(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")]).unwrap_err().contains("milliseconds"));
    }
}
