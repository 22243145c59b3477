//! What a collector of OpenTelemetry is told, against what Flow has in its database; and one that is away.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "other tests use more of it")]
mod place;

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value,
    trace::v1::{Span, status::StatusCode},
};
use place::Flow;
use prost::Message as _;
use serde_json::{Value, json};

/// `PARENTS` is a file. One task fails at first, one looks twice in one try, one needs no worker.
const TRACED: &str = r#"dag_id: traced
tasks:
  - id: fails_once
    uses: bash
    with: { bash_command: 'echo "fails_once $TRACEPARENT" >> PARENTS; test "$FLOW_CTX_TRY_NUMBER" -gt 1 || exit 3' }
    retries: 1
    retry_delay: 1s
  - id: looks
    uses: bash_sensor
    with: { bash_command: 'echo "looks $TRACEPARENT" >> PARENTS; test "$(grep -c looks PARENTS)" -gt 1', poke_interval: 1s, mode: reschedule }
  - { id: none, uses: empty, needs: [fails_once, looks] }
"#;
const FAILS: &str = "dag_id: fails
tasks: [{ id: only, uses: bash, with: { bash_command: exit 5 } }]
";
/// A run of one that asks for a run of the other.
const CALLS: &str = "dag_id: calls
tasks: [{ id: asks, uses: trigger_dag, with: { trigger_dag_id: called, trigger_run_id: by_task } }]
";
const CALLED: &str = "dag_id: called
tasks: [{ id: only, uses: empty }]
";
/// Longest that something may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Takes OTLP over HTTP, and keeps every span.
struct Collector {
    port: u16,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let kept = spans.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = kept.clone();
                std::thread::spawn(move || while_it_talks(stream.unwrap(), &kept));
            }
        });
        Self { port, spans }
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

/// Answers the requests of one connection.
fn while_it_talks(mut stream: TcpStream, kept: &Mutex<Vec<Span>>) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 65_536]);
    while let Ok(size @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..size]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        let whole = end + 4 + length.unwrap_or_default();
        if bytes.len() < whole {
            continue;
        }
        let request = ExportTraceServiceRequest::decode(&bytes[end + 4..whole]).unwrap();
        let spans = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        kept.lock().unwrap().extend(spans.flat_map(|scope| scope.spans));
        bytes.drain(..whole);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
}

fn text<'s>(span: &'s Span, key: &str) -> &'s str {
    match &span.attributes.iter().find(|kv| kv.key == key).unwrap().value.as_ref().unwrap().value {
        Some(any_value::Value::StringValue(text)) => text,
        other => panic!("{key}: {other:?}"),
    }
}

fn number(span: &Span, key: &str) -> i64 {
    match span.attributes.iter().find(|kv| kv.key == key).unwrap().value.as_ref().unwrap().value {
        Some(any_value::Value::IntValue(number)) => number,
        ref other => panic!("{key}: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a moment of the API as a span has it.
fn nanos(moment: &Value) -> u64 {
    let moment: jiff::Timestamp = moment.as_str().unwrap().parse().unwrap();
    u64::try_from(moment.as_nanosecond()).unwrap()
}

fn until(what: &str, flow: &Flow, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not in time\n{}", flow.said());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts Flow with traces to a port.
fn flow(dags: &[(&str, &str)], port: u16, more: &[(&str, &str)]) -> Flow {
    let port = port.to_string();
    let mut environment = vec![
        ("FLOW__TRACES__OTEL_ON", "true"),
        ("FLOW__TRACES__OTEL_HOST", "127.0.0.1"),
        ("FLOW__TRACES__OTEL_PORT", &*port),
    ];
    environment.extend(more);
    Flow::start_with(dags, &environment)
}

/// Makes a run and waits until it has ended; returns it.
fn run(flow: &Flow, token: &str, dag: &str, state: &str) -> Value {
    let body = json!({ "dag_run_id": "r", "logical_date": null }).to_string();
    flow.post(&format!("/api/v2/dags/{dag}/dagRuns"), token, &body);
    let path = format!("/api/v2/dags/{dag}/dagRuns/r");
    until("the run", flow, || flow.get(&path, token)["state"] == json!(state));
    flow.get(&path, token)
}

#[test]
fn a_run_is_a_trace_and_a_try_is_a_span() {
    let (collector, folder) = (Collector::start(0), tempfile::tempdir().unwrap());
    let parents = folder.path().join("parents");
    let traced = TRACED.replace("PARENTS", &parents.display().to_string());
    let flow = flow(&[("traced.yaml", &traced), ("fails.yaml", FAILS)], collector.port, &[]);
    let token = flow.token();
    let runs = [run(&flow, &token, "traced", "success"), run(&flow, &token, "fails", "failed")];
    until("the spans", &flow, || collector.spans().len() >= 6);
    let mut tries = BTreeMap::new();
    for (dag, task) in [("traced", "fails_once"), ("traced", "looks"), ("fails", "only")] {
        let page = flow.get(&format!("/api/v2/dags/{dag}/dagRuns/r/taskInstances/{task}/tries"), &token);
        for found in page["task_instances"].as_array().unwrap() {
            tries.insert((task, found["try_number"].as_i64().unwrap()), found.clone());
        }
    }
    assert_eq!(tries.len(), 4, "{tries:?}");
    // Its last words come when it has ended.
    drop(flow);
    let spans = collector.spans();
    assert_eq!(spans.len(), 6, "{spans:#?}");

    for run in &runs {
        let dag = run["dag_id"].as_str().unwrap();
        let root = spans.iter().find(|span| span.name == format!("dag_run.{dag}")).unwrap();
        assert!(root.parent_span_id.is_empty());
        assert_eq!(text(root, "airflow.dag_run.run_id"), "r");
        assert_eq!(root.start_time_unix_nano, nanos(&run["start_date"]));
        assert_eq!(root.end_time_unix_nano, nanos(&run["end_date"]));
        let is_failed = run["state"] == json!("failed");
        assert_eq!(root.status.clone().unwrap().code() == StatusCode::Error, is_failed);
        for child in spans.iter().filter(|span| !span.parent_span_id.is_empty() && text(span, "airflow.dag_id") == dag)
        {
            assert_eq!((&child.trace_id, &child.parent_span_id), (&root.trace_id, &root.span_id), "{child:?}");
        }
    }
    let span_of = |task: &str, at: i64| {
        let is_it = |span: &&Span| {
            span.name == format!("task_run.{task}") && number(span, "airflow.task_instance.try_number") == at
        };
        spans.iter().find(is_it).unwrap_or_else(|| panic!("no span of {task}, {at}"))
    };
    for ((task, at), found) in &tries {
        let span = span_of(task, *at);
        assert_eq!(span.start_time_unix_nano, nanos(&found["start_date"]), "{task} {at}");
        assert_eq!(span.end_time_unix_nano, nanos(&found["end_date"]), "{task} {at}");
    }
    let (first, second) = (span_of("fails_once", 1), span_of("fails_once", 2));
    let status = first.status.clone().unwrap();
    assert_eq!(status.code(), StatusCode::Error);
    assert!(status.message.contains('3'), "{status:?}");
    assert_eq!(second.links[0].span_id, first.span_id);
    assert_eq!(second.status.clone().unwrap().code(), StatusCode::Ok);

    // What tasks call goes on with the span of their try.
    let told = fs::read_to_string(&parents).unwrap();
    let parent = |task: &str, span: &Span| format!("{task} 00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id));
    let mut told: Vec<&str> = told.lines().collect();
    told.sort_unstable();
    let looks = parent("looks", span_of("looks", 1));
    let mut expected = [parent("fails_once", first), parent("fails_once", second), looks.clone(), looks];
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[test]
fn a_run_links_to_what_asked_for_it() {
    let collector = Collector::start(0);
    let flow = flow(&[("calls.yaml", CALLS), ("called.yaml", CALLED)], collector.port, &[]);
    let token = flow.token();
    run(&flow, &token, "calls", "success");
    let trigger = |run_id: &str, caller: &str, more: &[&str]| {
        let mut command = flow.command();
        command.args(more).args(["trigger", "called", "--run-id", run_id]).env("TRACEPARENT", caller);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let url = format!("http://{}", flow.address);
    trigger("here", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", &[]);
    trigger("there", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-00", &["--server", &url, "--token", &token]);
    trigger("alone", "00-what-no-parent-says", &[]);
    until("the spans", &flow, || collector.spans().len() >= 6);
    let spans = collector.spans();
    let links = |run_id: &str| -> Vec<String> {
        let is_it = |span: &&Span| span.name == "dag_run.called" && text(span, "airflow.dag_run.run_id") == run_id;
        let span = spans.iter().find(is_it).unwrap_or_else(|| panic!("no span of `{run_id}`: {spans:#?}"));
        span.links.iter().map(|link| format!("{}-{}", hex(&link.trace_id), hex(&link.span_id))).collect()
    };
    let asks = spans.iter().find(|span| span.name == "task_run.asks").unwrap();
    assert_eq!(links("by_task"), [format!("{}-{}", hex(&asks.trace_id), hex(&asks.span_id))]);
    assert_eq!(links("here"), ["0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"]);
    assert_eq!(links("there"), ["0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332"]);
    assert_eq!(links("alone"), Vec::<String>::new());
}

#[test]
fn a_collector_that_is_away_keeps_nobody_and_gets_what_waited() {
    let free_port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (port, metrics) = (free_port(), format!("127.0.0.1:{}", free_port()));
    let flow = flow(&[("fails.yaml", FAILS)], port, &[("FLOW__METRICS__LISTEN", &metrics)]);
    let token = flow.token();
    run(&flow, &token, "fails", "failed");
    until("it is said", &flow, || flow.said().contains("traces cannot be sent"));
    let collector = Collector::start(port);
    until("the spans", &flow, || collector.spans().len() == 2);
    until("it is said", &flow, || flow.said().contains("traces are sent again"));
    assert_eq!(flow.said().matches("traces cannot be sent").count(), 1);
    let mut stream = TcpStream::connect(&metrics).unwrap();
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.contains("flow_trace_spans_total{state=\"sent\"} 2\n"), "{page}");
    assert!(page.contains("flow_trace_spans_total{state=\"lost\"} 0\n"), "{page}");
}
