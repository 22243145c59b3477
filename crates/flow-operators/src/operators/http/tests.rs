//! `http` and `http_sensor` against a real server.

use std::{fs, time::Duration};

use flow_core::run::FailureCause;
use serde_json::{Value, json};

use crate::{
    server::{Asked, Reply, Server},
    testing::{Run, World},
};

async fn world(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (World, Server) {
    let server = Server::start(answer).await;
    let world = World::new();
    let connection = json!({"conn_type": "http", "host": server.url(), "login": "me", "password": "hunter2"});
    world.services.lock().unwrap().connections.insert("http_default".to_owned(), connection);
    (world, server)
}

async fn get(world: &World, more: Value) -> Run {
    let mut given = json!({"method": "GET"});
    given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.run("http", given).await
}

/// Files and folders that are left.
fn left(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.folder.path()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn what_is_sent_is_what_airflow_sends() {
    let (world, server) = world(|_| Reply::new(200, "ok")).await;
    for (given, method, path, body, kind) in [
        (
            json!({"method": "GET", "endpoint": "a", "data": {"x": "1 2", "y": [1, 2]}}),
            "GET",
            "/a?x=1+2&y=1&y=2",
            "",
            None,
        ),
        (json!({"endpoint": "/a"}), "POST", "/a", "", None),
        (
            json!({"data": {"x": "1 2", "y": "&"}}),
            "POST",
            "/",
            "x=1+2&y=%26",
            Some("application/x-www-form-urlencoded"),
        ),
        (json!({"data": "plain", "method": "put"}), "PUT", "/", "plain", None),
        (json!({"json": {"a": [1]}, "endpoint": "a?b=1"}), "POST", "/a?b=1", "{\"a\":[1]}", Some("application/json")),
        (
            json!({"data": "<a/>", "headers": {"content-type": "text/xml", "X-Number": 7}}),
            "POST",
            "/",
            "<a/>",
            Some("text/xml"),
        ),
    ] {
        world.run("http", given.clone()).await.succeeded_with("ok");
        let asked = server.asked().pop().unwrap();
        assert_eq!((asked.method.as_str(), asked.path.as_str(), asked.body.as_str()), (method, path, body), "{given}");
        assert_eq!(asked.header("content-type"), kind, "{given}");
        assert_eq!(asked.header("authorization"), Some("Basic bWU6aHVudGVyMg=="));
    }
    world.run("http", json!({"data": {"a": 1}, "json": {}})).await.failed_for_good("both a body");
    world.run("http", json!({"data": [1]})).await.failed_for_good("must be a map or a text");
    world.run("http", json!({"headers": {"a b": "c"}})).await.failed_for_good("no name of a header");
    world.run("http", json!({"method": "G T"})).await.failed_for_good("no method of HTTP");
    // A whole address needs no connection, and gets nothing of one.
    get(&world, json!({"endpoint": format!("{}/w", server.url())})).await.succeeded_with("ok");
    assert_eq!(server.asked().pop().unwrap().header("authorization"), None);
    get(&world, json!({"http_conn_id": "absent"})).await.failed("there is no connection `absent`");
    let elsewhere = json!({"http_conn_id": "http_default", "endpoint": "http://127.0.0.1:1/"});
    get(&world, elsewhere).await.failed_for_good("what a connection holds goes nowhere else");
}

#[tokio::test]
async fn an_answer_is_checked_and_filtered() {
    let (world, _server) = world(|asked| match asked.path.as_str() {
        "/text" => Reply::new(200, "<p>"),
        "/busy" => Reply::new(503, "later").with("retry-after", "7"),
        _ => Reply::json(&json!({"rows": [1, 2], "state": "done"})).with("X-Left", "3"),
    })
    .await;
    let run = get(&world, json!({"response_filter": "response.json.rows"})).await;
    assert_eq!(run.result(), Some(&json!([1, 2])));
    let check =
        "response.status_code == 200 and response.ok and response.headers['x-left'] == '3' and 'done' in response.text";
    get(&world, json!({"response_check": check, "response_filter": "response.json.state"}))
        .await
        .succeeded_with("done");
    let run = get(&world, json!({"response_check": "response.json.state == 'open'"})).await;
    run.failed("`response_check` does not hold: `response.json.state == 'open'`; the body: {\"rows\"");
    let run = get(&world, json!({"endpoint": "text", "response_filter": "response.json.rows[0]"})).await;
    run.failed("`response_filter` fails: ");
    run.failed("the body is not JSON; the body: <p>");
    let run = get(&world, json!({"endpoint": "busy"})).await;
    let failure = run.failed("answered 503 Service Unavailable: later");
    assert_eq!((&failure.cause, failure.retry_after_seconds), (&FailureCause::HttpStatus(503), Some(7)));
    let given = json!({"endpoint": "busy", "extra_options": {"check_response": false}, "log_response": true});
    get(&world, given).await.succeeded_with("later");
    assert_eq!(world.stdout(), "later\n");
    assert!(!world.text().contains("hunter2"));
}

#[tokio::test]
async fn a_body_goes_to_a_file_and_is_there_whole_or_not_at_all() {
    let (world, server) = world(|asked| match asked.path.as_str() {
        "/huge" => Reply::new(200, vec![0xff_u8; 20 << 20]),
        "/broken" => Reply::broken_off(),
        "/hangs" => Reply::hangs("a part"),
        "/gone" => Reply::new(404, ""),
        _ => Reply::json(&json!({"rows": [{"a": 1}, {"a": 2}]})),
    })
    .await;
    let path = world.path("out/x.bin");
    let given = |endpoint: &str| json!({"endpoint": endpoint, "output_file": path, "extra_options": {"timeout": 0.3}});
    get(&world, given("huge")).await.succeeded_with(path.to_str().unwrap());
    assert_eq!(fs::metadata(&path).unwrap().len(), 20 << 20);
    for (endpoint, expected) in [("broken", "broke off"), ("hangs", "was silent for 0.3 s"), ("gone", "404 Not Found")]
    {
        get(&world, given(endpoint)).await.failed(expected);
        assert_eq!(fs::metadata(&path).unwrap().len(), 20 << 20, "the file that was there stays");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
    let mut filtered = given("rows");
    filtered["response_filter"] = json!("response.json.rows");
    get(&world, filtered).await.succeeded_with(path.to_str().unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"a\":2}\n");
    get(&world, json!({"endpoint": "huge"}))
        .await
        .failed_for_good("more than 16 MiB, more than is kept in memory; write it to a file");
    let mut checked = given("rows");
    checked["response_check"] = json!("response.json.rows");
    get(&world, checked).await.failed("a body that goes to `output_file` is not read");
    get(&world, json!({"output_file": "relative"})).await.failed_for_good("must be a whole path");
    get(&world, json!({"output_file": "/proc/no/such"})).await.failed("cannot write");
    drop(world);
    server.open(0).await;
}

#[tokio::test]
async fn what_is_no_text_or_too_much_is_told() {
    let (mut world, server) = world(|asked| match asked.path.as_str() {
        "/binary" => Reply::new(200, vec![0xff, 0xfe, 0]).with("content-type", "image/png"),
        "/latin" => Reply::new(200, vec![b'a', 0xe4]).with("content-type", "text/plain; charset=ISO-8859-1"),
        "/large" => Reply::new(200, "x".repeat(300 << 10)),
        _ => Reply::endless(),
    })
    .await;
    let binary = get(&world, json!({"endpoint": "binary"})).await;
    binary.failed_for_good("answered 200 OK with 3 bytes that are no text (image/png); write it to a file");
    get(&world, json!({"endpoint": "latin"})).await.succeeded_with("aä");
    get(&world, json!({"endpoint": "endless"})).await.failed_for_good("more than 16 MiB");
    get(&world, json!({"endpoint": "large"})).await.failed_for_good("too large for a result");
    world.cx.do_xcom_push = false;
    get(&world, json!({"endpoint": "large"})).await.succeeded_without_result();
    drop(world);
    server.open(0).await;
}

#[tokio::test]
async fn it_ends_when_it_is_cancelled_and_leaves_nothing() {
    let (world, server) = world(|asked| match asked.path.as_str() {
        "/silence" => Reply::silence(),
        "/hangs" => Reply::hangs("a part"),
        _ => Reply::endless(),
    })
    .await;
    let path = world.path("x");
    for endpoint in ["silence", "hangs", "endless"] {
        let given = json!({"endpoint": endpoint, "output_file": path});
        let cancel = tokio_util::sync::CancellationToken::new();
        let mut cx = world.cx.clone();
        cx.cancel = cancel.clone();
        let mut given = given.as_object().unwrap().clone();
        given.insert("method".to_owned(), json!("GET"));
        let run = tokio::spawn(async move { Run(crate::all().run("http", given, cx).await) });
        server.open(1).await;
        cancel.cancel();
        assert_eq!(run.await.unwrap().word(), "cancelled");
        server.open(0).await;
        assert_eq!(left(&world), Vec::<String>::new(), "{endpoint}");
    }
}

/// 3 pages, in as many ways as APIs have them.
fn pages(asked: &Asked) -> Reply {
    let page: u32 = asked.path.split(['?', '&']).find_map(|part| part.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
    let next = page + 1;
    match asked.path.split('?').next().unwrap() {
        "/link" if page < 3 => Reply::json(&json!([page])).with("link", &format!("</link?page={next}>; rel=\"next\"")),
        "/link" => Reply::json(&json!([page])),
        "/round" => Reply::json(&json!([page])),
        "/body" => {
            let body: Value = serde_json::from_str(&asked.body).unwrap();
            let at = body["cursor"].as_u64().unwrap_or(1);
            Reply::json(&json!({"items": [at], "cursor": if at < 3 { json!(at + 1) } else { json!(null) }}))
        }
        "/away" => Reply::json(&json!({"items": [], "next": "http://127.0.0.1:1/"})),
        "/busy" if page == 2 => Reply::new(429, "").with("retry-after", "60"),
        _ => {
            let next = if page < 3 { json!(format!("?page={next}")) } else { json!(null) };
            Reply::json(&json!({"items": [{"n": page}], "next": next, "pages": 3}))
        }
    }
}

#[tokio::test]
async fn pages_are_read_to_the_last() {
    let (world, server) = world(pages).await;
    let path = world.path("pages.jsonl");
    let by_address = json!({
        "endpoint": "items", "data": {"since": "x"}, "response_filter": "response.json['items']",
        "next_page": "response.json.next", "output_file": path,
    });
    get(&world, by_address).await.succeeded_with(path.to_str().unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    let by_parameter = json!({
        "endpoint": "items", "data": {"since": "x"}, "response_filter": "response.json['items']",
        "next_page": "{'page': page + 1} if page < response.json.pages else none",
    });
    let run = get(&world, by_parameter).await;
    assert_eq!(run.result(), Some(&json!([{"n": 1}, {"n": 2}, {"n": 3}])));
    assert_eq!(server.asked().pop().unwrap().path, "/items?since=x&page=3");
    let by_link = json!({"endpoint": "link", "next_page": "response.next_url"});
    assert_eq!(get(&world, by_link).await.result(), Some(&json!([1, 2, 3])));
    let by_get = json!({"endpoint": "link", "next_page": "response.links.get('next', {}).get('url')"});
    assert_eq!(get(&world, by_get).await.result(), Some(&json!([1, 2, 3])));
    let by_body = json!({
        "endpoint": "body", "method": "POST", "json": {"q": 1}, "response_filter": "response.json['items']",
        "next_page": "{'cursor': response.json.cursor} if response.json.cursor else none",
    });
    assert_eq!(get(&world, by_body).await.result(), Some(&json!([1, 2, 3])));
    assert_eq!(server.asked().pop().unwrap().body, "{\"q\":1,\"cursor\":3}");
}

#[tokio::test]
async fn pages_that_do_not_end_are_told() {
    let (world, server) = world(pages).await;
    let paged = |endpoint: &str, next: &str| json!({"endpoint": endpoint, "next_page": next, "response_filter": "response.json", "output_file": world.path("x")});
    let same = get(&world, paged("round", "response.url")).await;
    same.failed("leads from page 2 to the same page");
    let mut endless = paged("items", "{'page': page}");
    endless["max_pages"] = json!(5);
    get(&world, endless).await.failed_for_good("more than 5 pages: give a larger `max_pages`");
    get(&world, paged("items", "page")).await.failed("`next_page` gives 1: it must be an address");
    get(&world, paged("away", "response.json.next")).await.failed_for_good("goes nowhere else");
    let busy = get(&world, paged("busy", "'?page=2'")).await;
    assert_eq!(busy.failed("429 Too Many Requests").retry_after_seconds, Some(60));
    assert_eq!(left(&world), Vec::<String>::new());
    drop(world);
    server.open(0).await;
}

#[tokio::test]
async fn a_sensor_waits_for_its_answer() {
    let (world, server) = world(|asked| match asked.path.as_str() {
        "/absent" => Reply::new(404, ""),
        "/broken" => Reply::new(500, "no"),
        "/silence" => Reply::silence(),
        _ => Reply::json(&json!({"state": "done"})),
    })
    .await;
    for (given, expected) in [
        (json!({"endpoint": "x"}), "success"),
        (json!({"endpoint": "x", "response_check": "response.json.state == 'done'"}), "success"),
        (json!({"endpoint": "x", "response_check": "response.json.state == 'open'"}), "waits"),
        (json!({"endpoint": "absent"}), "waits"),
        (json!({"endpoint": "absent", "response_error_codes_allowlist": ["410"]}), "failed"),
        (json!({"endpoint": "broken"}), "failed"),
        (json!({"endpoint": "broken", "response_error_codes_allowlist": [500]}), "waits"),
        (json!({"endpoint": "broken", "silent_fail": true}), "waits"),
        (json!({"endpoint": "silence", "extra_options": {"timeout": 0.2}}), "failed"),
        (json!({"endpoint": "x", "request_params": {"a": {}}}), "failed for good"),
    ] {
        let run = world.run("http_sensor", given.clone()).await;
        assert_eq!(run.word(), expected, "{given}: {run:?}");
    }
    world.run("http_sensor", json!({"endpoint": "x", "request_params": {"a": 1}, "headers": {"b": "c"}})).await;
    let asked = server.asked().pop().unwrap();
    assert_eq!((asked.path.as_str(), asked.header("b")), ("/x?a=1", Some("c")));
    let mut cancelled = World::new();
    cancelled.cx = world.cx.clone();
    cancelled.cx.cancel = tokio_util::sync::CancellationToken::new();
    cancelled.cx.cancel.cancel();
    assert_eq!(cancelled.run("http_sensor", json!({"endpoint": "silence"})).await.word(), "cancelled");
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        drop((world, cancelled));
        server.open(0).await;
    });
    waited.await.unwrap();
}
