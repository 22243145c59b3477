//! OTLP over HTTP, as the SDK of OpenTelemetry speaks it.
//!
//! The SDK makes spans while something happens; ours are made afterwards, so only its data and its exporter are used.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{Event, Link, SpanContext, SpanKind, TraceFlags, TraceState},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks},
};

use crate::{BoxFuture, Export, Settings, Span, SpanId, Status, TraceId, Value};

/// Sends spans to a collector.
pub(crate) struct Otlp {
    exporter: SpanExporter,
    scope: InstrumentationScope,
    target: String,
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its headers may hold a token.
        f.debug_struct("Otlp").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Otlp {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        let url: reqwest::Url = settings
            .endpoint
            .parse()
            .map_err(|_| "the address of the collector is not a URL such as `http://127.0.0.1:4318`".to_owned())?;
        if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
            return Err("the address of the collector must begin with `http://` or `https://`".to_owned());
        }
        // The time-out is that of the client; the exporter has none of its own for a client that is given to it.
        let client = reqwest::Client::builder()
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("flow/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTP client for traces: {error}"))?;
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(&settings.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(settings.timeout)
            .build()
            .map_err(|error| format!("traces cannot be sent: {error}"))?;
        let mut resource = Resource::builder().with_attribute(KeyValue::new("service.version", settings.version));
        if let Some(service) = &settings.service {
            resource = resource.with_service_name(service.clone());
        }
        exporter.set_resource(&resource.build());
        let scope = InstrumentationScope::builder("flow").with_version(settings.version).build();
        Ok(Self { exporter, scope, target: shown(&url) })
    }

    fn data(&self, span: Span) -> SpanData {
        let (status, events) = match span.status {
            Status::Ok => (opentelemetry::trace::Status::Ok, SpanEvents::default()),
            Status::Unset => (opentelemetry::trace::Status::Unset, SpanEvents::default()),
            Status::Error { message, kind } => {
                let said =
                    vec![KeyValue::new("exception.type", kind), KeyValue::new("exception.message", message.clone())];
                let mut events = SpanEvents::default();
                events.events.push(Event::new("exception", moment(span.end), said, 0));
                (opentelemetry::trace::Status::error(message), events)
            }
        };
        let mut links = SpanLinks::default();
        links.links.extend(span.links.iter().map(|(trace, id)| Link::new(context(*trace, *id), Vec::new(), 0)));
        let attribute = |(key, value): (&'static str, Value)| match value {
            Value::Text(text) => KeyValue::new(key, text),
            Value::Number(number) => KeyValue::new(key, number),
        };
        SpanData {
            span_context: context(span.trace, span.id),
            parent_span_id: span.parent.map_or(opentelemetry::trace::SpanId::INVALID, id),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: span.name.into(),
            start_time: moment(span.start),
            end_time: moment(span.end),
            attributes: span.attributes.into_iter().map(attribute).collect(),
            dropped_attributes_count: 0,
            events,
            links,
            status,
            instrumentation_scope: self.scope.clone(),
        }
    }
}

impl Export for Otlp {
    fn send(&self, spans: Vec<Span>) -> BoxFuture<'_, Result<(), String>> {
        let batch: Vec<SpanData> = spans.into_iter().map(|span| self.data(span)).collect();
        Box::pin(async move { self.exporter.export(batch).await.map_err(|error| error.to_string()) })
    }

    fn target(&self) -> &str {
        &self.target
    }
}

/// Returns an address without what may be secret in it.
fn shown(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

fn id(span: SpanId) -> opentelemetry::trace::SpanId {
    opentelemetry::trace::SpanId::from_bytes(span.0)
}

fn context(trace: TraceId, span: SpanId) -> SpanContext {
    let trace = opentelemetry::trace::TraceId::from_bytes(trace.0);
    SpanContext::new(trace, id(span), TraceFlags::SAMPLED, false, TraceState::default())
}

fn moment(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
