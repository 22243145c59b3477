//! `…/logs/{try_number}`

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::Path,
    time::Duration,
};

use axum::body::Body;
use flow_core::Outcome;
use flow_store::Claimed;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    client::{Api, request},
    support::both,
    world::{at, report},
};

/// Whatever is waited for comes sooner.
const LATEST: Duration = Duration::from_secs(20);
const LINES: &str = "2026-01-01T00:00:01.000Z INFO  - begins\n2026-01-01T00:00:02.500Z OUT   - one\n\
    2026-01-01T00:00:03.000Z ERR   - two\n";

/// An attempt that runs, and its address.
struct Running {
    api: Api,
    claimed: Claimed,
    path: String,
}

impl Running {
    async fn new(api: Api) -> Self {
        let api = Api { w: api.w.clone().with_chain().await, ..api };
        let row = api.w.trigger("chain", at(1)).await;
        let claimed = api.w.running(row.run.key, "worker", at(2)).await.remove(0);
        let run_id = row.run.run_id.as_str().replace('+', "%2B");
        let path = format!("/api/v2/dags/chain/dagRuns/{run_id}/taskInstances/a/logs/1");
        Self { api, claimed, path }
    }

    fn add(&self, text: &str) {
        let path = self.api.logs.path("a", 1);
        OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    async fn end(&self) {
        assert!(self.api.w.finish(report(&self.claimed, Outcome::Success, at(9))).await);
        self.api.w.decide(self.claimed.key.run, at(9)).await;
    }

    async fn get(&self, query: &str) -> Value {
        self.api.get(&format!("{}{query}", self.path)).await.expect(200)
    }

    async fn text(&self, query: &str) -> String {
        let path = format!("{}{query}", self.path);
        let answer = self.api.get_with(&path, &[("accept", "text/plain")]).await;
        assert_eq!(answer.status, 200);
        answer.body.as_str().unwrap_or_default().to_owned()
    }
}

/// Reads a stream until it holds a text.
async fn read_until(body: &mut Body, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let frame = timeout(LATEST, body.frame()).await.expect("in time").expect("not the end").unwrap();
        read.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    read
}

/// Reads a stream until it ends.
async fn read_to_end(body: Body) -> String {
    let bytes = timeout(LATEST, body.collect()).await.expect("in time").unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

both! {
    async fn a_log_is_read_as_airflows_client_does(api: Api) {
        let running = Running::new(api).await;
        running.add(LINES);
        running.add("2026-01-01T00:00:04.000Z OUT   - not fin");
        let first = running.get("").await;
        assert_eq!(
            first["content"],
            json!([
                { "timestamp": "2026-01-01T00:00:01Z", "event": "begins", "level": "info", "logger": "flow" },
                { "timestamp": "2026-01-01T00:00:02.500000Z", "event": "one", "level": "info", "logger": "task.stdout" },
                { "timestamp": "2026-01-01T00:00:03Z", "event": "two", "level": "error", "logger": "task.stderr" }
            ])
        );
        running.add("ished\n");
        let query = format!("?map_index=-1&full_content=true&token={}", first["continuation_token"].as_str().unwrap());
        let second = running.get(&query).await;
        assert_eq!(second["content"][0]["event"], "not finished");
        running.end().await;
        let query = format!("?token={}", second["continuation_token"].as_str().unwrap());
        let last = running.get(&query).await;
        assert_eq!(last, json!({ "content": [], "continuation_token": null }));
        assert_eq!(running.get("").await["content"].as_array().unwrap().len(), 4);
        running.api.get(&format!("{}?token=abc", running.path)).await.expect(400);
    }

    async fn a_long_log_comes_in_pages_or_whole(api: Api) {
        let running = Running::new(api).await;
        let line = |number: usize| format!("2026-01-01T00:00:01.000Z OUT   - line {number} {}\n", "x".repeat(100));
        running.add(&(0..20_000).map(line).collect::<String>());
        running.end().await;
        let mut events = Vec::new();
        let (mut query, mut pages) = (String::new(), 0);
        loop {
            let page = running.get(&query).await;
            pages += 1;
            events.extend(page["content"].as_array().unwrap().iter().map(|line| line["event"].as_str().unwrap().to_owned()));
            let Some(token) = page["continuation_token"].as_str() else { break };
            query = format!("?token={token}");
        }
        assert_eq!((events.len(), pages), (20_000, 3));
        assert!((0..20_000).all(|number| events[number].starts_with(&format!("line {number} "))));
        let whole = running.get("?full_content=true").await;
        assert_eq!((whole["content"].as_array().unwrap().len(), &whole["continuation_token"]), (20_000, &Value::Null));
        // As lines of JSON, packed.
        let accept = ("accept", "application/x-ndjson");
        let lines = running.api.get_with(&running.path, &[accept]).await;
        assert!(!lines.headers.contains_key("airflow-continuation-token"));
        assert_eq!(lines.headers["content-type"], "application/x-ndjson");
        let lines = lines.expect(200);
        let lines: Vec<Value> = lines.as_str().unwrap().lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(lines.len(), 20_000);
        assert_eq!(lines[7], whole["content"][7]);
        for accept in ["application/x-ndjson", "application/json", "text/plain"] {
            let packed = running.api.get_with(&running.path, &[("accept", accept), ("accept-encoding", "gzip")]).await;
            assert_eq!(packed.headers["content-encoding"], "gzip", "{accept}");
        }
        assert_eq!(running.get("?offset=0&limit=10").await["content"], json!([{ "event": "2026-01-01" }]));
    }

    async fn text_is_read_by_range(api: Api) {
        let running = Running::new(api).await;
        running.add(LINES);
        assert_eq!(running.text("").await, LINES);
        assert_eq!(running.text("?offset=3&limit=7").await, &LINES[3..10]);
        assert_eq!(running.text("?offset=99999").await, "");
        assert_eq!(running.text("?tail=1").await, &LINES[LINES.len() - 37..]);
        assert_eq!(running.text("?tail=9").await, LINES);
        assert_eq!(running.text("?tail=0").await, "");
        let before = LINES.len() - 37;
        assert_eq!(running.text(&format!("?tail=1&before={before}")).await, &LINES[40..before]);

        let text = ("accept", "text/plain");
        let part = running.api.get_with(&running.path, &[text, ("range", "bytes=5-8"), ("accept-encoding", "gzip")]).await;
        assert_eq!((part.status.as_u16(), &part.body), (206, &json!(LINES[5..9])));
        assert_eq!(part.headers["content-range"], format!("bytes 5-8/{}", LINES.len()));
        let beyond = running.api.get_with(&running.path, &[text, ("range", "bytes=999-")]).await;
        assert_eq!(beyond.headers["content-range"], format!("bytes */{}", LINES.len()));
        beyond.expect(416);

        let file = running.api.get(&format!("{}?download=true", running.path)).await;
        assert_eq!(file.headers["flow-log-ended"], "false");
        assert_eq!(file.headers["flow-log-size"], LINES.len().to_string());
        let name = file.headers["content-disposition"].to_str().unwrap().to_owned();
        assert!(name.starts_with("attachment; filename=\"chain-manual__2026-01-01T00_00_01") && name.ends_with("-a-1.log\""), "{name}");
        assert_eq!(file.expect(200), json!(LINES));
    }

    async fn a_try_that_is_not_there_is_said_so(api: Api) {
        let running = Running::new(api).await;
        let event = |body: Value| body["content"][0]["event"].as_str().unwrap().to_owned();
        let waiting = running.get("").await;
        assert_eq!(event(waiting.clone()), "Nothing was logged yet.");
        assert!(waiting["continuation_token"].is_string());
        let path = running.path.replace("/a/", "/b/");
        assert_eq!(event(running.api.get(&path).await.expect(200)), "Try 1 has not begun: the task is `no status`.");
        let text = running.api.get_with(&path, &[("accept", "text/plain")]).await;
        assert_eq!(text.expect(200), "Try 1 has not begun: the task is `no status`.\n");
        let lines = running.api.get_with(&path, &[("accept", "application/x-ndjson")]).await;
        assert!(lines.headers.contains_key("airflow-continuation-token"));
        running.end().await;
        let gone = running.get("").await;
        assert!(event(gone.clone()).starts_with("The log of try 1 is not here"), "{gone}");
        assert_eq!(gone["continuation_token"], Value::Null);

        for (from, to) in [("logs/1", "logs/2"), ("/a/", "/c/"), ("chain/", "x/")] {
            running.api.get(&running.path.replace(from, to)).await.expect(404);
        }
        running.api.get(&format!("{}?map_index=0", running.path)).await.expect(404);
        running.api.get(&running.path.replace("/a/", "/a%00/")).await.expect(422);
        for end in ["0", "-1", "x", "99999999999"] {
            running.api.get(&running.path.replace("logs/1", &format!("logs/{end}"))).await.expect(422);
        }
        for query in ["?map_index=x", "?offset=-1", "?tail=-1", "?follow=true"] {
            running.api.get(&format!("{}{query}", running.path)).await.expect(422);
        }
    }

    async fn a_log_is_followed_until_the_attempt_has_ended(api: Api) {
        let running = Running::new(api).await;
        let path = format!("{}?follow=true", running.path);
        let begin = async |accept: &str, id: &str| {
            let response = running.api.begin(request(&path, &[("accept", accept), ("last-event-id", id), ("accept-encoding", "gzip")])).await;
            assert!(!response.headers().contains_key("content-encoding"));
            assert_eq!(response.headers()["cache-control"], "no-store");
            response.into_body()
        };
        let mut text = begin("text/plain", "").await;
        let mut events = begin("text/event-stream", "").await;
        let greeting = read_until(&mut events, "note").await;
        assert!(greeting.starts_with("retry: ") && greeting.contains("Nothing was logged yet."), "{greeting}");
        running.add(LINES);
        assert_eq!(read_until(&mut text, "two\n").await, LINES);
        let sent = read_until(&mut events, "\n\n").await;
        assert!(sent.starts_with(&format!("id: {}\ndata: [{{", LINES.len())), "{sent}");
        assert!(sent.contains("\"event\":\"one\""));
        drop(events);
        running.add("2026-01-01T00:00:04.000Z OUT   - three\n");
        let mut events = begin("text/event-stream", &LINES.len().to_string()).await;
        let sent = read_until(&mut events, "three").await;
        assert!(!sent.contains("\"two\""), "{sent}");
        running.add("2026-01-01T00:00:05.000Z OUT   - last word");
        running.end().await;
        assert!(read_to_end(text).await.ends_with("three\n2026-01-01T00:00:05.000Z OUT   - last word"));
        let sent = read_to_end(events).await;
        assert!(sent.contains("\"last word\"") && sent.ends_with("event: end\ndata: {}\n\n"), "{sent}");
        let lines = read_to_end(begin("application/x-ndjson", "").await).await;
        assert_eq!(lines.lines().count(), 5);
    }

    async fn a_log_is_searched(api: Api) {
        let running = Running::new(api).await;
        let line = |number: usize| format!("line {number}{}\n", if number % 1_000 == 7 { " Needle [x]" } else { "" });
        running.add(&(1..=50_000).map(line).collect::<String>());
        running.end().await;
        let found = running.get("/search?q=needle").await;
        let lines: Vec<i64> = found["matches"].as_array().unwrap().iter().map(|found| found["line"].as_i64().unwrap()).collect();
        assert_eq!(lines, (0..50).map(|number| number * 1_000 + 7).collect::<Vec<_>>());
        assert_eq!((&found["continuation_token"], &found["searched_to"]), (&Value::Null, &found["size"]));
        let third = &found["matches"][2];
        let offset = third["offset"].as_u64().unwrap();
        assert_eq!(running.text(&format!("?offset={offset}&limit=9")).await, "line 2007");

        // A few at a time, with the lines around them.
        let (mut query, mut seen) = ("/search?q=%5BX%5D&limit=20&context=2".to_owned(), Vec::new());
        loop {
            let page = running.get(&query).await;
            seen.extend(page["matches"].as_array().unwrap().clone());
            let Some(token) = page["continuation_token"].as_str() else { break };
            query = format!("/search?q=%5BX%5D&limit=20&context=2&token={token}");
        }
        assert_eq!(seen.len(), 50);
        assert_eq!(seen[30]["line"], 30_007);
        assert_eq!(seen[30]["before"], json!(["line 30005", "line 30006"]));
        assert_eq!(seen[30]["after"], json!(["line 30008", "line 30009"]));

        let count = async |query: &str| running.get(&format!("/search?{query}")).await["matches"].as_array().unwrap().len();
        assert_eq!(count("q=needle&case_sensitive=true").await, 0);
        assert_eq!(count("q=%5Eline+%5B12%5D%24&regex=true").await, 2);
        assert_eq!(count("q=%5Eline+%5B12%5D%24").await, 0);
        for bad in ["", "q=", "q=(&regex=true", "q=x&limit=x", &format!("q={}", "x".repeat(1_001)), "q=(x{9999}){9999}&regex=true", "q=(?-u)(?:a.{0,60}){60}(?:%5Cb)z&regex=true"] {
            running.api.get(&format!("{}/search?{bad}", running.path)).await.expect(422);
        }
        running.api.get(&format!("{}/search?q=x&token=y", running.path)).await.expect(400);
        running.api.get(&format!("{}/search?q=x", running.path.replace("logs/1", "logs/3"))).await.expect(404);
    }
}

fn resident_kilobytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Makes a log that takes no room on the disk, with words at both ends.
fn sparse(path: &Path, size: u64) {
    fs::write(path, "first\n").unwrap();
    File::options().write(true).open(path).unwrap().set_len(size - 6).unwrap();
    OpenOptions::new().append(true).open(path).unwrap().write_all(b"\nlast\n").unwrap();
}

#[test]
fn ten_gigabytes_cost_no_more_memory_than_ten_kilobytes() {
    crate::support::on_sqlite(|database| async {
        let running = Running::new(Api::from(database)).await;
        let size = 10 << 30;
        sparse(&running.api.logs.path("a", 1), size);
        let before = resident_kilobytes();
        assert_eq!(running.text("?tail=1").await, "last\n");
        assert_eq!(running.text(&format!("?offset={}", size - 5)).await, "last\n");
        assert_eq!(running.text("?limit=6").await, "first\n");
        assert_eq!(running.get("?offset=10737418235").await["content"], json!([{ "event": "last" }]));
        // Searching ends after a while, and goes on.
        let found = running.get("/search?q=first").await;
        assert_eq!((&found["matches"][0]["line"], &found["size"]), (&json!(1), &json!(size)));
        let searched = found["searched_to"].as_u64().unwrap();
        assert!(searched < size && searched > 0);
        let token = found["continuation_token"].as_str().unwrap();
        let more = running.get(&format!("/search?q=first&token={token}")).await;
        assert!(more["searched_to"].as_u64().unwrap() > searched);
        // A gigabyte of it, as it is sent.
        let path = format!("{}?limit={}", running.path, 1 << 30);
        let response = running.api.begin(request(&path, &[("accept", "text/plain")])).await;
        let (mut body, mut length, mut most) = (response.into_body(), 0, 0);
        while let Some(frame) = body.frame().await {
            length += frame.unwrap().data_ref().unwrap().len();
            if length % (64 << 20) == 0 {
                most = most.max(resident_kilobytes());
            }
        }
        assert_eq!(length, 1 << 30);
        // Other tests run beside this one.
        let grown = most.saturating_sub(before);
        assert!(most > 0 && grown < 256 * 1024, "grown by {grown} kB");
    });
}
