//! HTTP against a real server: logins, redirects, TLS, and servers that misbehave.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod server;

use std::{sync::Arc, time::Duration};

use flow_clients::{
    ClientError, Clients, Kind,
    http::{self, Request},
};
use flow_core::connection::Connection;
use serde_json::json;
use server::{Reply, Server};
use tokio_rustls::rustls;

fn connection(uri: &str) -> Connection {
    Connection::parse("api", uri).unwrap()
}

async fn get(uri: &str, endpoint: &str) -> Result<String, ClientError> {
    let clients = Clients::default();
    let client = http::client(&clients, &connection(uri)).await?;
    let mut answer = client.send(&Request::new("GET", endpoint)?).await?;
    if answer.status().as_u16() >= 400 {
        return Err(answer.into_error(client.connection()).await);
    }
    let bytes = answer.bytes_at_most(1 << 20).await?;
    Ok(String::from_utf8(bytes.unwrap_or_else(|| b"too large".to_vec())).unwrap())
}

#[track_caller]
fn says(error: &ClientError, part: &str) {
    assert!(error.message.contains(part), "`{error}` does not say `{part}`");
    assert!(!error.message.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn logins_and_headers_are_sent() {
    let server = Server::start(|_| Reply::new(200, "hello")).await;
    let port = server.port();
    for (uri, expected) in [
        (format!("http://me:hunter2@127.0.0.1:{port}/"), Some("Basic bWU6aHVudGVyMg==")),
        (format!("http://:hunter2@127.0.0.1:{port}/?auth_type=bearer"), Some("Bearer hunter2")),
        (format!("http://127.0.0.1:{port}/?bearer_token=hunter2"), Some("Bearer hunter2")),
        (format!("http://127.0.0.1:{port}/"), None),
    ] {
        assert_eq!(
            get(&format!("{uri}{}X-Team=data", if uri.contains('?') { "&" } else { "?" }), "v1/x?a=1").await.unwrap(),
            "hello"
        );
        let asked = server.asked().pop().unwrap();
        assert_eq!((asked.header("authorization"), asked.path.as_str()), (expected, "/v1/x?a=1"));
        assert_eq!(asked.header("x-team"), Some("data"));
    }
}

#[tokio::test]
async fn what_a_connection_holds_goes_to_its_host_only() {
    let other = Server::start(|_| Reply::new(200, "other")).await;
    let to = format!("{}/there", other.url());
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/away" => Reply::redirect(302, &to),
        "/stay" => Reply::redirect(301, "/home"),
        _ => Reply::new(200, "home"),
    })
    .await;
    let uri = format!("http://me:hunter2@127.0.0.1:{}/?X-Key=hunter2", server.port());
    assert_eq!(get(&uri, "stay").await.unwrap(), "home");
    let asked = server.asked().pop().unwrap();
    assert!(asked.header("authorization").is_some() && asked.header("x-key").is_some());

    let clients = Clients::default();
    let client = http::client(&clients, &connection(&uri)).await.unwrap();
    let request =
        Request::new("POST", "away").unwrap().header("X-Own", "hunter2").unwrap().header("Accept", "text/plain");
    let request = request.unwrap().body(b"secret".to_vec(), None);
    let mut answer = client.send(&request).await.unwrap();
    assert_eq!(answer.bytes_at_most(100).await.unwrap().unwrap(), b"other");
    let asked = other.asked().pop().unwrap();
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("GET", ""));
    assert_eq!(asked.header("accept"), Some("text/plain"));
    assert!(
        asked.headers.iter().all(|(_, value)| !value.contains("hunter2") && !value.starts_with("Basic")),
        "{asked:?}"
    );

    let error = get(&uri, &format!("{}/x", other.url())).await.unwrap_err();
    says(&error, "what a connection holds goes nowhere else");
    assert_eq!(error.kind, Kind::Settings);
    assert_eq!(other.asked().len(), 1);
}

#[tokio::test]
async fn redirects_keep_or_change_the_method_and_end() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/307" => Reply::redirect(307, "/end"),
        "/303" => Reply::redirect(303, "/end"),
        "/round" => Reply::redirect(302, "/round"),
        "/nowhere" => Reply::redirect(302, "mailto:x"),
        _ => Reply::new(200, "end"),
    })
    .await;
    let uri = server.url();
    let clients = Clients::default();
    let client = http::client(&clients, &connection(&uri)).await.unwrap();
    for (path, method, body) in [("307", "PUT", "body"), ("303", "GET", "")] {
        client.send(&Request::new("PUT", path).unwrap().body(b"body".to_vec(), None)).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert_eq!((asked.method.as_str(), asked.body.as_str(), asked.path.as_str()), (method, body, "/end"));
    }
    says(&get(&uri, "round").await.unwrap_err(), "more than 30 times");
    says(&get(&format!("{uri}/?max_redirects=1"), "round").await.unwrap_err(), "more than 1 times");
    says(&get(&uri, "nowhere").await.unwrap_err(), "leads to what is no address");
    assert_eq!(get(&format!("{uri}/?allow_redirects=false"), "303").await.unwrap(), "elsewhere");
}

#[tokio::test]
async fn a_status_that_means_failure_is_told() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/busy" => Reply::new(429, "").with("retry-after", "90"),
        "/binary" => Reply::new(500, vec![0; 4096]),
        "/long" => Reply::new(400, "no\n ".repeat(10_000)),
        "/endless" => {
            let mut reply = Reply::endless();
            reply.set_status(502);
            reply
        }
        _ => Reply::new(404, "no such\n thing"),
    })
    .await;
    let error = get(&server.url(), "x?key=hunter2").await.unwrap_err();
    assert_eq!(error.kind, Kind::Status(404));
    says(&error, &format!("GET {}/x answered 404 Not Found: no such thing; look at `endpoint`", server.url()));
    let error = get(&server.url(), "busy").await.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(90)));
    says(&error, "asks to be left alone for 90 s");
    says(&get(&server.url(), "binary").await.unwrap_err(), "answered 500 Internal Server Error");
    for path in ["long", "endless"] {
        let error = get(&server.url(), path).await.unwrap_err();
        assert!(error.message.len() < 1300 && error.message.contains('…'), "{error}");
    }
    server.open(0).await;
}

#[tokio::test]
async fn a_server_that_misbehaves_is_left() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/silence" => Reply::silence(),
        "/hangs" => Reply::hangs("a part"),
        "/broken" => Reply::broken_off(),
        "/raw" => Reply::raw("SSH-2.0-OpenSSH_9\r\n"),
        "/endless" => Reply::endless(),
        _ => Reply::new(200, ""),
    })
    .await;
    let uri = format!("{}/?timeout=0.2", server.url());
    for (path, expected) in [
        ("silence", "was silent for 0.2 s: if it is only slow, give a longer `timeout`"),
        ("hangs", "was silent for 0.2 s"),
        ("broken", "broke off before its answer was complete"),
        ("raw", "does not answer with HTTP"),
    ] {
        let error = get(&uri, path).await.unwrap_err();
        says(&error, expected);
        assert!(error.may_retry());
    }
    assert_eq!(get(&uri, "endless").await.unwrap(), "too large");
    server.open(0).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = get(&url, "").await.unwrap_err();
    says(&error, "nothing answers at 127.0.0.1:");
    says(&get("http://no-such-host.invalid", "").await.unwrap_err(), "`no-such-host.invalid` cannot be resolved");
    says(&get("http://", "x").await.unwrap_err(), "has no host: set one, or write the whole address into `endpoint`");
}

/// A server's certificate for `name`, and the file of its authority.
fn certificate(name: &str, folder: &std::path::Path) -> rustls::ServerConfig {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let own = rcgen::KeyPair::generate().unwrap();
    let signed = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(own.serialize_der().into()),
        )
        .unwrap()
}

#[tokio::test]
async fn certificates_are_checked_and_trouble_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = certificate("localhost", folder.path());
    let server = Server::start_tls(config, |_| Reply::new(200, "over TLS")).await;
    let port = server.port();
    let ca = folder.path().join("ca.pem").display().to_string();
    let at = |host: &str, extra: &str| format!("http://https://{host}:{port}/?{extra}");
    let trusted = format!("ca_file={ca}");
    assert_eq!(get(&at("localhost", &trusted), "").await.unwrap(), "over TLS");
    assert_eq!(get(&at("localhost", &format!("verify={ca}")), "").await.unwrap(), "over TLS");
    assert_eq!(get(&at("127.0.0.1", "verify=false"), "").await.unwrap(), "over TLS");
    says(&get(&at("localhost", ""), "").await.unwrap_err(), "comes from nobody who is trusted here: name the file");
    says(&get(&at("127.0.0.1", &trusted), "").await.unwrap_err(), "is for another name");
    says(&get(&at("localhost", "ca_file=/no/such"), "").await.unwrap_err(), "`ca_file` of the connection, `/no/such`");
    std::fs::write(&ca, "nothing").unwrap();
    says(&get(&at("localhost", &trusted), "").await.unwrap_err(), "holds no certificate in PEM form");
    says(&get(&format!("http://127.0.0.1:{port}"), "").await.unwrap_err(), "must the address begin with `https://`?");

    let plain = Server::start(|_| Reply::new(200, "")).await;
    let error = get(&format!("http://https://127.0.0.1:{}", plain.port()), "").await.unwrap_err();
    says(&error, "does not speak TLS: must the address begin with `http://`?");
}

#[tokio::test]
async fn a_test_says_what_the_server_answered() {
    let server = Server::start(|asked| match (asked.path.as_str(), asked.header("authorization")) {
        ("/me", Some("Basic bWU6cmlnaHQ=")) => Reply::new(200, "you"),
        ("/me", _) => Reply::new(401, ""),
        ("/down", _) => Reply::new(503, ""),
        ("/forbidden", _) => Reply::new(403, ""),
        _ => Reply::new(404, ""),
    })
    .await;
    let port = server.port();
    for (uri, works, expected) in [
        (format!("http://me:right@127.0.0.1:{port}/?test_endpoint=me"), true, "answered 200 OK"),
        (
            format!("http://me:hunter2@127.0.0.1:{port}/?test_endpoint=me"),
            false,
            "401 Unauthorized: the login is wrong",
        ),
        (format!("http://127.0.0.1:{port}/?test_endpoint=forbidden"), false, "may not look there"),
        (format!("http://127.0.0.1:{port}/?test_endpoint=down"), false, "answered 503"),
        (format!("http://127.0.0.1:{port}"), true, "the server is there; with `test_endpoint`"),
        ("http://127.0.0.1:1".to_owned(), false, "nothing answers at 127.0.0.1:1"),
    ] {
        let (is_good, words) = flow_clients::test(&connection(&uri)).await;
        assert!(is_good == works && words.contains(expected) && !words.contains("hunter2"), "{uri}: {is_good} {words}");
    }
}

#[tokio::test]
async fn a_webhook_is_known_or_not_and_never_shown() {
    use flow_clients::http::slack;
    let server = Server::start(|asked| match (asked.path.as_str(), asked.body.as_str()) {
        ("/services/T0/B0/hunter2", "{}") => Reply::new(400, "no_text"),
        ("/services/T0/B0/hunter2", _) => Reply::new(200, "ok"),
        ("/services/busy", _) => Reply::new(429, "rate_limited").with("retry-after", "3"),
        _ => Reply::new(404, "no_service"),
    })
    .await;
    let hook = |password: &str, host: bool| Connection {
        id: "slack".to_owned(),
        conn_type: "slack".to_owned(),
        host: host.then(|| format!("{}/services", server.url())),
        password: Some(password.into()),
        ..Connection::default()
    };
    let clients = Clients::default();
    let whole = format!("{}/services/T0/B0/hunter2", server.url());
    for connection in [hook("T0/B0/hunter2", true), hook(&whole, false)] {
        slack::webhook(&clients, &connection).await.unwrap().post(&json!({"text": "hi"})).await.unwrap();
        assert_eq!(server.asked().pop().unwrap().header("authorization"), None);
        assert!(flow_clients::test(&connection).await.0);
    }
    // The password of a database is no part of an address.
    let database = Connection { conn_type: "postgres".to_owned(), ..hook("hunter2", true) };
    let asked = server.asked().len();
    says(&slack::webhook(&clients, &database).await.unwrap_err(), "is of the type `postgres`, which is no webhook");
    says(&flow_clients::http::client(&clients, &database).await.unwrap_err(), "is of the type `postgres`");
    assert_eq!(server.asked().len(), asked);
    let post = async |password| {
        slack::webhook(&clients, &hook(password, true)).await.unwrap().post(&json!({"text": "hi"})).await.unwrap_err()
    };
    says(&post("wrong/hunter2").await, "Slack answered 404: no_service; the webhook is not there any more");
    assert_eq!(post("busy").await.retry_after, Some(Duration::from_secs(3)));
    says(&slack::webhook(&clients, &hook("", true)).await.unwrap_err(), "has no webhook");
}

#[tokio::test]
async fn a_server_that_repeats_what_it_was_sent_shows_no_secret() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let server = Server::start(|asked| {
        let words = format!("{} {} not here", asked.path, STANDARD.encode(&asked.path));
        Reply::new(500, words)
    })
    .await;
    for (password, host) in [
        (format!("{}/500/T0/B0/SLACKsecret123?sig=q7q7q7q7q7", server.url()), None),
        ("T0/B0/SLACKsecret123".to_owned(), Some(server.url())),
    ] {
        let slack = Connection {
            id: "slack".to_owned(),
            conn_type: "slackwebhook".to_owned(),
            host,
            password: Some(password.as_str().into()),
            ..Connection::default()
        };
        let (works, words) = flow_clients::test(&slack).await;
        assert!(!works && words.contains("Slack answered 500: /*** ") && words.contains("not here"), "{words}");
        let secrets = ["SLACKsecret123", "q7q7q7q7q7", "/T0/B0/", "U0xBQ0tzZWNyZXQx"];
        assert!(!secrets.iter().any(|secret| words.contains(secret)), "{words}");
    }
    // A secret of one letter is in every word: hiding it hides the words, and nothing else.
    let slack = Connection { password: Some("o".into()), host: Some(server.url()), ..Connection::default() };
    let (_, words) = flow_clients::test(&Connection { conn_type: "slack".to_owned(), ..slack }).await;
    assert!(words.contains("not here"), "{words}");
}
