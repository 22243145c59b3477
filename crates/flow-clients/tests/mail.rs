//! Mails to a server made here: with and without encryption, with logins, and with a server that misbehaves.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use flow_clients::{
    ClientError,
    mail::{self, Attachment, Letter},
};
use flow_core::connection::Connection;
use serde_json::{Value, json};

#[expect(unreachable_pub, reason = "shared with tests of other crates")]
#[path = "support/sink.rs"]
mod sink;

use sink::{CERTIFICATE, Manners, Sink};

fn connection(sink: &Sink, login: Option<(&str, &str)>, extra: Value) -> Connection {
    let (name, password) = login.unzip();
    let value = json!({
        "conn_type": "smtp", "host": "localhost", "port": sink.address.port(), "login": name, "password": password,
        "extra": extra,
    });
    Connection::from_json("mail", &value).unwrap()
}

fn letter() -> Letter {
    Letter {
        to: vec!["ann@example.org".to_owned()],
        subject: "Grüße".to_owned(),
        html: "<p>hello</p>\n.\n".to_owned(),
        attachments: vec![Attachment { name: "a.csv".to_owned(), bytes: b"1,2".to_vec() }],
        key: "k1".to_owned(),
        ..Letter::default()
    }
}

const STARTTLS: Manners = Manners {
    tls: false,
    starttls: true,
    login: Some(("flow@example.org", "hunter2")),
    old_login: false,
    is_silent: false,
    is_endless: false,
    is_pushy: false,
    refuses: None,
    unknown: None,
};

const LOGIN: Option<(&str, &str)> = Some(("flow@example.org", "hunter2"));

#[tokio::test]
async fn a_mail_arrives_over_every_kind_of_line() {
    let plain = Manners { starttls: false, login: None, ..STARTTLS };
    let from_the_start = Manners { tls: true, starttls: false, ..STARTTLS };
    let old = Manners { old_login: true, ..STARTTLS };
    for (manners, login, extra, is_encrypted) in [
        (plain, None, json!({ "disable_ssl": true, "disable_tls": true, "from_email": "flow@example.org" }), false),
        (STARTTLS, LOGIN, json!({ "ca_file": CERTIFICATE }), true),
        (STARTTLS, LOGIN, json!({ "disable_ssl": "true", "ssl_context": "none" }), true),
        (from_the_start, LOGIN, json!({ "disable_ssl": false, "ca_file": CERTIFICATE }), true),
        (old, LOGIN, json!({ "ca_file": CERTIFICATE }), true),
    ] {
        let sink = Sink::start(manners);
        let connection = connection(&sink, login, extra);
        let (works, words) = flow_clients::test(&connection).await;
        assert!(works, "{words}");
        let expected = if login.is_some() { "logged in as `flow@example.org`" } else { "no login" };
        assert!(words.contains(expected), "{words}");
        let answer = mail::send(&connection, &letter()).await.unwrap();
        assert_eq!((answer.answer.as_str(), answer.refused.len()), ("250 taken", 0));
        let mails = sink.until_mails(1);
        assert_eq!((mails.len(), sink.refused()), (1, 0));
        assert_eq!((mails[0].from.as_str(), &mails[0].to), ("flow@example.org", &vec!["ann@example.org".to_owned()]));
        assert_eq!((mails[0].was_encrypted, mails[0].login.is_some()), (is_encrypted, login.is_some()));
        assert!(mails[0].text.contains("Message-ID: <k1@example.org>"), "{}", mails[0].text);
        sink.until_alone();
    }
}

#[tokio::test]
async fn who_is_refused_keeps_it_from_nobody_else() {
    let sink = Sink::start(Manners { unknown: Some("gone@example.org"), ..STARTTLS });
    let to = ["ann@example.org", "gone@example.org", "no address"].map(str::to_owned).to_vec();
    let letter = Letter { to, ..letter() };
    let sent = mail::send(&connection(&sink, LOGIN, json!({ "ca_file": CERTIFICATE })), &letter).await.unwrap();
    assert!(sent.refused[0].contains("`no address` is no mail address"), "{sent:?}");
    assert!(sent.refused[1].contains("refuses the recipient `gone@example.org`: 550 5.1.1"), "{sent:?}");
    assert_eq!((sent.answer.as_str(), sent.refused.len(), sink.until_mails(1).len()), ("250 taken", 2, 1));
}

#[tokio::test]
async fn a_mail_of_many_megabytes_arrives_whole() {
    let sink = Sink::start(STARTTLS);
    let mut letter = letter();
    letter.attachments = vec![Attachment { name: "a".to_owned(), bytes: vec![0; 20 << 20] }];
    mail::send(&connection(&sink, LOGIN, json!({ "ca_file": CERTIFICATE })), &letter).await.unwrap();
    let zeros: usize =
        sink.mails()[0].text.lines().filter(|line| line.bytes().all(|b| b == b'A' || b == b'=')).map(str::len).sum();
    assert!(zeros >= (20 << 20) * 4 / 3, "{zeros}");
}

async fn fails(manners: Manners, login: Option<(&str, &str)>, extra: Value, words: &str) -> ClientError {
    let sink = Sink::start(manners);
    let connection = connection(&sink, login, extra);
    let error = mail::send(&connection, &letter()).await.unwrap_err();
    assert!(error.message.contains(words), "`{error}` does not say `{words}`");
    assert!(!error.message.contains("hunter") && !error.message.contains("wrong"), "{error}");
    assert!(sink.mails().is_empty());
    drop(connection);
    sink.until_alone();
    error
}

#[tokio::test]
async fn what_goes_wrong_is_said_at_its_step() {
    let good = json!({ "ca_file": CERTIFICATE });
    let login_error = fails(STARTTLS, Some(("flow@example.org", "wrong")), good.clone(), "refuses the login of").await;
    assert!(!login_error.may_retry());
    fails(STARTTLS, None, good.clone(), "who sends this mail?").await;
    let from = json!({ "ca_file": CERTIFICATE, "from_email": "a@b.c" });
    fails(STARTTLS, None, from, "refuses the sender `a@b.c`: 530 log in; check `from_email`").await;
    fails(STARTTLS, LOGIN, json!({}), "as `ca_file` in the connection's `extra`").await;
    let no_tls = Manners { starttls: false, ..STARTTLS };
    fails(no_tls.clone(), LOGIN, good.clone(), "offers no STARTTLS").await;
    fails(no_tls, LOGIN, json!({ "disable_ssl": false, "ca_file": CERTIFICATE }), "no TLS with localhost").await;
    let tls = Manners { tls: true, ..STARTTLS };
    fails(tls, LOGIN, json!({ "ca_file": CERTIFICATE, "timeout": 1 }), "no answer to the greeting").await;
    let silent = Manners { is_silent: true, ..STARTTLS };
    fails(silent, LOGIN, json!({ "ca_file": CERTIFICATE, "timeout": 1 }), "nothing within 1 s").await;
    let endless = Manners { is_endless: true, ..STARTTLS };
    fails(endless, LOGIN, good.clone(), "is no mail server: a line of its answer does not end").await;
    let pushy = Manners { is_pushy: true, ..STARTTLS };
    fails(pushy, LOGIN, good.clone(), "before the encryption").await;
    let unknown = Manners { unknown: Some("ann@example.org"), ..STARTTLS };
    let error = fails(unknown, LOGIN, good.clone(), "refuses the recipient `ann@example.org`: 550 5.1.1 nobody").await;
    assert!(!error.may_retry() && error.message.ends_with("; check the address"), "{error}");
    let busy = Manners { refuses: Some(("451 4.7.1 later", 1)), ..STARTTLS };
    let words = "refuses the mail: 451 4.7.1 later; it may go well later";
    assert!(fails(busy, LOGIN, good.clone(), words).await.may_retry());
    let spam = Manners { refuses: Some(("554 5.7.1 spam", 1)), ..STARTTLS };
    assert!(
        !fails(spam, LOGIN, good.clone(), "refuses the mail: 554 5.7.1 spam; its log may say why").await.may_retry()
    );
    let bad = [
        (json!({ "disable_tls": "maybe" }), "`disable_tls` is true or false"),
        (json!({ "timeout": "soon" }), "`timeout` is a number"),
        (json!({ "ssl_context": "mine" }), "`ssl_context` is"),
        (json!({ "auth_type": "oauth2" }), "has no `access_token`"),
        (json!({ "ca_file": "/does/not/exist" }), "`ca_file` /does/not/exist: "),
    ];
    for (extra, words) in bad {
        assert!(!fails(STARTTLS, LOGIN, extra, words).await.may_retry());
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let uri = format!("smtp://me:hunter2@127.0.0.1:{port}/?timeout=2&retry_limit=2");
    let connection = Connection::parse("mail", &uri).unwrap();
    let error = mail::send(&connection, &Letter { from: Some("a@b.c".to_owned()), ..letter() }).await.unwrap_err();
    assert!(error.message.contains(&format!("could not reach 127.0.0.1:{port}")) && error.may_retry(), "{error}");
    let (works, words) = flow_clients::test(&connection).await;
    assert!(!works && !words.contains("hunter2"), "{words}");
}
