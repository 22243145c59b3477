//! The client against a server that says what it is told to say.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::config::{Config, Surroundings, remote::RemoteFlags};

/// What the server's version route answers.
const SAME: &str = concat!("{\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}");

/// A server that answers one request a connection, from a list, and the last answer for ever.
struct Fake {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// `answers`: what stands before the headers that end a connection, and the body. An empty status hangs up.
    async fn start(answers: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (heard_here, answers) = (heard.clone(), answers.to_vec());
        tokio::spawn(async move {
            let mut answers = answers.into_iter().peekable();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 64 * 1024];
                let read = stream.read(&mut request).await.unwrap_or_default();
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let asks_version = request.starts_with("GET /api/v2/version ");
                heard_here.lock().unwrap().push(request);
                let last = answers.peek().copied().unwrap_or(("200 OK", "{}"));
                let (status, body) = match asks_version {
                    // The last answer is for whoever asks which version this is.
                    true => last,
                    false => answers.next().unwrap_or(last),
                };
                if !status.is_empty() {
                    let length = body.len();
                    let answer =
                        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
        Self { url, heard }
    }

    fn client(&self, token: &str) -> Client {
        client(&self.url, token).unwrap().0
    }

    fn requests(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|request| request.lines().next().unwrap_or_default().replace(" HTTP/1.1", "")).collect()
    }
}

fn client(url: &str, token: &str) -> anyhow::Result<(Client, Option<String>)> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let remote = RemoteFlags { server: Some(url.to_owned()), token: Some(token.into()), token_file: None };
    let remote = RemoteFlags { token: remote.token.filter(|token| !token.expose().is_empty()), ..remote };
    let home = Some(folder.path().to_owned());
    let config = Config::load(&Surroundings { home, remote, ..Surroundings::default() }).unwrap();
    Client::new(&config.remote.unwrap())
}

/// Asks a server that answers so, and compares the words and the number of requests.
#[track_caller]
fn check(answers: &[(&'static str, &'static str)], is_safe: bool, words: &str, requests: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (said, heard) = runtime.block_on(async {
        let fake = Fake::start(answers).await;
        let client = fake.client("secret-token");
        let path = ["api", "v2", "pools"];
        let answer: anyhow::Result<Value> = match is_safe {
            true => client.get(&path, &[]).await,
            false => client.send(Method::POST, &path, &[], &Value::Bool(true)).await,
        };
        let said = answer.map_or_else(|error| format!("{error:?}"), |answer| answer.to_string());
        (said.replace(&fake.url, "URL/").replace(fake.url.trim_end_matches('/'), "URL"), fake.requests())
    });
    assert!(said.contains(words), "{said}");
    assert!(!said.contains("secret-token"), "{said}");
    assert_eq!(heard.len(), requests, "{heard:?}");
}

#[test]
fn a_get_is_tried_again_and_a_change_is_not() {
    check(&[("503 Busy", ""), ("502 Bad", ""), ("200 OK", "7")], true, "7", 3);
    check(&[("", ""), ("200 OK", "7")], true, "7", 2);
    check(&[("", ""), ("", ""), ("", ""), ("200 OK", "7")], true, "the connection to the server `URL` broke", 3);
    check(
        &[("503 Busy", "{\"detail\":\"the database does not answer\"}"), ("200 OK", "7")],
        false,
        "could not do it: the database",
        1,
    );
    check(&[("", ""), ("200 OK", "7")], false, "the connection to the server `URL` broke", 1);
}

#[test]
fn a_no_is_one_sentence_and_a_way_out() {
    check(&[("401 No", "{\"detail\":\"x\"}")], true, "the server `URL` does not know this token", 1);
    check(&[("403 No", "{\"detail\":\"this needs the role Op\"}")], true, "this needs the role Op", 1);
    check(&[("429 Slow", "")], true, "has had too many requests", 1);
    check(&[("409 Twice", "{\"detail\":\"it exists\"}")], false, "it exists", 1);
    check(
        &[("422 What", "{\"detail\":[{\"loc\":[\"body\",\"slots\"],\"msg\":\"too few\",\"type\":\"x\"}]}")],
        false,
        "`slots`: too few",
        1,
    );
    check(&[("504 Late", "<html>")], true, "could not do it: 504", 1);
}

#[test]
fn a_server_of_another_kind_or_version_is_told_from_ours() {
    check(&[("200 OK", "<html>"), ("200 OK", "<html>")], true, "`URL` answers, but not as Flow does", 2);
    check(&[("200 OK", "<html>"), ("200 OK", "{\"version\":\"9.0.0\"}")], true, "has version 9.0.0", 2);
    check(&[("200 OK", "<html>"), ("200 OK", SAME)], true, "makes no sense", 2);
    let none = "{\"detail\":\"there is nothing at this address\"}";
    check(&[("404 No", none), ("200 OK", "{\"version\":\"0.0.9\"}")], true, "has version 0.0.9, this is flow", 2);
    check(&[("404 No", "<html>"), ("404 No", "")], true, "not as Flow does", 2);
}

#[test]
fn a_redirect_is_not_followed() {
    let moved = "302 Found\r\nLocation: http://example.org/steal";
    check(&[(moved, "")], true, "sends on to `http://example.org/steal`", 1);
    check(&[(moved, "")], false, "sends on to `http://example.org/steal`", 1);
}

#[tokio::test]
async fn what_is_sent_is_the_path_the_query_and_the_token() {
    let fake = Fake::start(&[("200 OK", "null")]).await;
    let client = client(&format!("{}base", fake.url), "secret-token").unwrap().0;
    let path = ["api", "v2", "dags", "a/b", "dagRuns", "manual__2026-01-01T00:00:00+00:00 ?#%"];
    let _: Value = client.get(&path, &[("q", "a&b=ü".into())]).await.unwrap();
    let heard = fake.heard.lock().unwrap()[0].clone();
    let line = heard.lines().next().unwrap();
    assert_eq!(
        line,
        "GET /base/api/v2/dags/a%2Fb/dagRuns/manual__2026-01-01T00:00:00+00:00%20%3F%23%25?q=a%26b%3D%C3%BC HTTP/1.1"
    );
    assert!(heard.contains("authorization: Bearer secret-token\r\n"), "{heard}");
}

#[tokio::test]
async fn a_name_that_no_path_can_hold_is_not_there() {
    let fake = Fake::start(&[]).await;
    let client = fake.client("");
    for name in ["", ".", ".."] {
        assert!(client.find::<Value>(&["api", "v2", "dags", name]).await.unwrap().is_none());
    }
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_list_is_asked_for_page_by_page_until_it_ends() {
    let full: &'static str = format!("{{\"rows\":{:?}}}", vec![1; PAGE as usize]).leak();
    let fake = Fake::start(&[("200 OK", full), ("200 OK", "{\"rows\":[2,3]}")]).await;
    let rows: Vec<i64> = fake.client("").list(&["x"], &[("a", "b".into())], "rows", u32::MAX).await.unwrap();
    assert_eq!((rows.len(), rows.last()), (1_002, Some(&3)));
    assert_eq!(fake.requests(), ["GET /x?a=b&limit=1000&offset=0", "GET /x?a=b&limit=1000&offset=1000"]);
    let fake = Fake::start(&[("200 OK", "{\"rows\":[1,2]}")]).await;
    let rows: Vec<i64> = fake.client("").list(&["x"], &[], "rows", 2).await.unwrap();
    assert_eq!((rows.len(), fake.requests().len()), (2, 1));
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let huge: &'static str = "x".repeat(ANSWER_BYTES_MAX + 1).leak();
    let fake = Fake::start(&[("200 OK", huge)]).await;
    let answer: anyhow::Result<Value> = fake.client("").get(&["x"], &[]).await;
    assert!(answer.unwrap_err().to_string().contains("larger than 64 MiB"));
}

#[tokio::test]
async fn nobody_there_and_no_tls_are_told_apart() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nobody = client(&format!("http://127.0.0.1:{port}"), "").unwrap().0;
    let said = nobody.get::<Value>(&["x"], &[]).await.unwrap_err().to_string();
    assert!(said.starts_with(&format!("cannot reach the server `http://127.0.0.1:{port}`: ")), "{said}");
    let fake = Fake::start(&[("200 OK", "{}")]).await;
    let plain = client(&fake.url.replace("http:", "https:"), "").unwrap().0;
    let said = plain.get::<Value>(&["x"], &[]).await.unwrap_err().to_string();
    assert!(said.starts_with("no safe connection to `https://127.0.0.1:"), "{said}");
}

#[track_caller]
fn check_address(url: &str, words: &str) {
    let error = client(url, "secret-token").expect_err("it must be refused").to_string();
    assert!(error.contains(words) && !error.contains("secret"), "{error}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    check_address("", "is not the address of a server");
    check_address("localhost:8080", "is not the address of a server");
    check_address("ftp://x", "is not the address of a server");
    check_address("http://ada:secret@x", "`http://ada:***@x` has a login in it");
    check_address("http://x/?a=b", "has more than a host, a port and a path");
    let error = client("http://x", "bad\u{1}token").expect_err("it must be refused").to_string();
    assert_eq!(error, "the token has characters that no token has");
}

#[test]
fn a_token_in_the_clear_is_warned_of_when_others_can_listen() {
    let warns = |url: &str, token: &str| client(url, token).unwrap().1.is_some();
    assert!(warns("http://flow.example.org", "t"));
    assert!(!warns("http://flow.example.org", ""));
    assert!(!warns("https://flow.example.org", "t"));
    for here in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"] {
        assert!(!warns(here, "t"), "{here}");
    }
}
