//! What a collector of OpenTelemetry gets, and what becomes of one that is away.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::time::Duration;

use flow_traces::{Ids, Settings, Span, Status, Value, open};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value},
    trace::v1::status::StatusCode,
};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// Takes one request, answers with a status, and returns its head and body.
async fn one_request(listener: &TcpListener, status: &str) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    let (head, length) = loop {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request broke off");
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or_default();
        bytes.drain(..end + 4);
        break (head, length);
    };
    while bytes.len() < length {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request broke off");
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    (head, bytes)
}

fn settings(address: &str) -> Settings {
    // What main does first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Settings {
        endpoint: format!("http://{address}/v1/traces"),
        service: Some("nightly".to_owned()),
        version: "1.2.3",
        timeout: Duration::from_secs(5),
    }
}

fn spans() -> Vec<Span> {
    let trace = Ids::new(1).run(1, "d", "r");
    let failed = Status::Error { message: "exit code 3".to_owned(), kind: "exit_code".to_owned() };
    let attempt = |number, status, links| Span {
        trace,
        id: trace.attempt("t", -1, number),
        parent: Some(trace.whole(0)),
        name: "task_run.t".to_owned(),
        start: 1_000_001 * i64::from(number),
        end: 1_000_001 * i64::from(number) + 500,
        attributes: vec![
            ("airflow.task_id", Value::from("t")),
            ("airflow.task_instance.try_number", Value::from(i64::from(number))),
        ],
        links,
        status,
    };
    vec![attempt(1, failed, Vec::new()), attempt(2, Status::Ok, vec![(trace, trace.attempt("t", -1, 1))])]
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let value = attributes.iter().find(|kv| kv.key == key)?.value.as_ref()?.value.as_ref()?;
    if let any_value::Value::StringValue(text) = value { Some(text) } else { None }
}

#[tokio::test]
async fn a_collector_gets_ids_times_errors_and_links() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let export = open(&settings(&listener.local_addr().unwrap().to_string())).unwrap();
    let (sent, (head, body)) = tokio::join!(export.send(spans()), one_request(&listener, "200 OK"));
    sent.unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");

    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    let resource = &request.resource_spans[0];
    let about = &resource.resource.as_ref().unwrap().attributes;
    assert_eq!(text(about, "service.name"), Some("nightly"));
    assert_eq!(text(about, "service.version"), Some("1.2.3"));
    let found = &resource.scope_spans[0].spans;
    let wanted = spans();
    assert_eq!(found.len(), 2);
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_eq!(found.trace_id, wanted.trace.0);
        assert_eq!(found.span_id, wanted.id.0);
        assert_eq!(found.parent_span_id, wanted.parent.unwrap().0);
        assert_eq!(found.start_time_unix_nano, u64::try_from(wanted.start).unwrap() * 1000);
        assert_eq!(found.end_time_unix_nano, u64::try_from(wanted.end).unwrap() * 1000);
        assert_eq!(text(&found.attributes, "airflow.task_id"), Some("t"));
    }
    let status = |at: usize| found[at].status.clone().unwrap();
    assert_eq!((status(0).code(), status(0).message.as_str()), (StatusCode::Error, "exit code 3"));
    assert_eq!(status(1).code(), StatusCode::Ok);
    let event = &found[0].events[0];
    assert_eq!(event.name, "exception");
    assert_eq!(text(&event.attributes, "exception.type"), Some("exit_code"));
    assert_eq!(found[1].links[0].span_id, wanted[0].id.0);
    assert!(found[0].links.is_empty() && found[1].events.is_empty());
}

#[tokio::test]
async fn a_collector_that_is_away_hangs_or_refuses_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let export = open(&settings(&address)).unwrap();
    let (sent, _) = tokio::join!(export.send(spans()), one_request(&listener, "503 Service Unavailable"));
    assert!(sent.is_err());

    // Nobody accepts: the kernel does, and nothing is answered.
    let patience = Duration::from_millis(200);
    let hanging = open(&Settings { timeout: patience, ..settings(&address) }).unwrap();
    assert!(hanging.send(spans()).await.is_err());

    drop(listener);
    assert!(export.send(spans()).await.is_err());
}

#[test]
fn a_wrong_address_is_said_before_anything_is_sent() {
    for wrong in ["", "collector:4318", "ftp://collector/v1/traces"] {
        let why = open(&Settings { endpoint: wrong.to_owned(), ..settings("x") }).unwrap_err();
        assert!(why.contains("address of the collector"), "{why}");
    }
    let with_secret = settings("user:secret@collector");
    assert!(!format!("{:?}", open(&with_secret).unwrap()).contains("secret"));
}
