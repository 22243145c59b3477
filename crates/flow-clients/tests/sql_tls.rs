//! SQL databases by TLS: who is believed, who is not, and what is said then.
//!
//! The certificates are those of `scripts/with-postgres --tls` and `scripts/with-mariadb --tls`: the server's is for
//! `localhost`, not for 127.0.0.1. A test whose certificates are missing says that it is skipped.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::path::{Path, PathBuf};

use flow_clients::sql::{Database, DatabaseKind, Parameters};
use flow_core::connection::Connection;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[expect(dead_code, reason = "the places are made for other tests")]
mod place;
use place::Place;

/// An authority that has signed none of the servers' certificates.
const STRANGER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/cert.pem");

/// A server with TLS, and the certificate of its authority.
async fn postgres(test: &str) -> Option<(Place, PathBuf)> {
    let authority = authority(test, "FLOW_TEST_POSTGRES_CA", "scripts/with-postgres --tls")?;
    Some((Place::postgres().await?, authority))
}

async fn mysql(test: &str) -> Option<(Place, PathBuf)> {
    let authority = authority(test, "FLOW_TEST_MYSQL_CA", "scripts/with-mariadb --tls")?;
    Some((Place::mysql().await?, authority))
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn authority(test: &str, variable: &str, script: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        println!("skipped: {test} needs {variable} ({script} sets it, where there is openssl)");
        assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
    }
    path
}

/// Connects to this host with this `extra`; says whether the server sees TLS, or what a person is told.
async fn is_encrypted(place: &Place, host: &str, extra: &Value) -> Result<bool, String> {
    let mut connection = place.connection.clone();
    connection.host = Some(host.to_owned());
    let mut extra = extra.clone();
    extra["connect_timeout"] = 120.into();
    connection.extra = Some(extra.to_string().into());
    let database = Database::new(&connection).map_err(|error| error.message)?;
    let mut session = database.session().await.map_err(|error| error.message)?;
    let sql = match place.database.kind() {
        DatabaseKind::Postgres => "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        DatabaseKind::MySql => "SHOW STATUS LIKE 'Ssl_cipher'",
        DatabaseKind::Sqlite => unreachable!("a file has no TLS"),
    };
    let mut rows = session.all(sql, &Parameters::None, 10).await.unwrap();
    let said = rows.pop().unwrap().pop().unwrap().into_json();
    Ok(said != json!("false") && said != json!(""))
}

/// Each host and `extra`, and whether it is TLS then, or the words of the refusal.
async fn check(place: &Place, cases: &[(&str, Value, Result<bool, &str>)]) {
    for (host, extra, expected) in cases {
        let found = is_encrypted(place, host, extra).await;
        let fits = match (&found, expected) {
            (Ok(found), Ok(expected)) => found == expected,
            (Err(words), Err(expected)) => words.contains(expected),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        assert!(fits, "{host} {extra}: expected {expected:?}, found {found:?}");
    }
}

const UNKNOWN: &str = "no authority known here has signed it: name the file with that authority's certificate in";

#[tokio::test]
async fn postgres_is_believed_as_far_as_its_certificate_goes() {
    let Some((place, ca)) = postgres("postgres_is_believed_as_far_as_its_certificate_goes").await else { return };
    let with = |mode: &str, ca: &Path| json!({"sslmode": mode, "sslrootcert": ca});
    let (stranger, key) = (Path::new(STRANGER), ca.with_file_name("certified.key"));
    let cases = [
        ("localhost", with("verify-full", &ca), Ok(true)),
        ("127.0.0.1", with("verify-full", &ca), Err("write `host` of the connection as the certificate has it")),
        ("127.0.0.1", with("verify-ca", &ca), Ok(true)),
        ("127.0.0.1", with("require", &ca), Ok(true)),
        ("localhost", with("verify-full", stranger), Err(UNKNOWN)),
        ("localhost", with("verify-ca", stranger), Err("in `sslrootcert` in `extra`")),
        // Nothing is checked, so nothing is read.
        ("localhost", with("require", stranger), Ok(true)),
        ("localhost", with("require", &key), Ok(true)),
        ("localhost", json!({"sslmode": "verify-full"}), Err(UNKNOWN)),
        ("localhost", json!({"sslmode": "require"}), Ok(true)),
        ("localhost", json!({"sslmode": "prefer"}), Ok(true)),
        ("localhost", json!({"sslmode": "disable"}), Ok(false)),
        (
            "localhost",
            with("verify-full", &key),
            Err("a file with certificates (PEM, `BEGIN CERTIFICATE`); there is none"),
        ),
        ("localhost", json!({"sslcert": ca}), Err("`sslkey` in `extra` of connection `db` must be there too")),
        ("localhost", json!({"sslkey": key}), Err("`sslcert` in `extra` of connection `db` must be there too")),
        (
            "localhost",
            json!({"sslcert": ca, "sslkey": ca}),
            Err("`sslkey` in `extra` of connection `db` must be a file with a key"),
        ),
        (
            "localhost",
            json!({"sslmode": "require", "sslcert": ca, "sslkey": key}),
            Err("the key is not that of its certificate: `sslcert`"),
        ),
    ];
    check(&place, &cases).await;
    let written_out = json!({"sslcert": ca, "sslkey": "-----BEGIN PRIVATE KEY-----\nhunter2"});
    let words = is_encrypted(&place, "localhost", &written_out).await.unwrap_err();
    assert!(words.contains("the path of a file") && !words.contains("hunter2"), "{words}");
}

#[tokio::test]
async fn mysql_is_believed_as_far_as_its_certificate_goes() {
    let Some((place, ca)) = mysql("mysql_is_believed_as_far_as_its_certificate_goes").await else { return };
    let with = |mode: &str, ca: &Path| json!({"ssl": {"ca": ca}, "ssl_mode": mode});
    let stranger = Path::new(STRANGER);
    let text = json!({"ca": ca}).to_string();
    let cases = [
        ("localhost", with("verify_identity", &ca), Ok(true)),
        ("127.0.0.1", with("VERIFY_IDENTITY", &ca), Err("write `host` of the connection as the certificate has it")),
        ("127.0.0.1", with("VERIFY_CA", &ca), Ok(true)),
        ("127.0.0.1", json!({"ssl": {"ca": ca}}), Ok(true)),
        ("127.0.0.1", json!({"ssl": text}), Ok(true)),
        ("localhost", with("VERIFY_IDENTITY", stranger), Err(UNKNOWN)),
        ("localhost", json!({"ssl": {"ca": stranger}}), Err("in `ca` of `ssl` in `extra`")),
        ("localhost", json!({"ssl_mode": "VERIFY_IDENTITY"}), Err(UNKNOWN)),
        ("localhost", json!({"ssl_mode": "REQUIRED"}), Ok(true)),
        ("localhost", json!({"ssl_mode": "PREFERRED"}), Ok(true)),
        ("localhost", json!({"ssl_mode": "DISABLED"}), Ok(false)),
        ("localhost", with("REQUIRED", stranger), Ok(true)),
        (
            "localhost",
            json!({"ssl": {"cert": ca}}),
            Err("`key` in `ssl` of `extra` of connection `db` must be there too"),
        ),
    ];
    check(&place, &cases).await;
}

/// Logs in as the user `certified`, without and with the certificate; returns what is said without.
async fn certified(place: &mut Place, without: Value, with: Value) -> String {
    place.connection.login = Some("certified".to_owned());
    place.connection.password = Some("hunter2".into());
    let words = is_encrypted(place, "localhost", &without).await.unwrap_err();
    assert!(!words.contains("hunter2"), "{words}");
    assert_eq!(is_encrypted(place, "localhost", &with).await, Ok(true));
    words
}

#[tokio::test]
async fn who_has_a_certificate_may_log_in_with_it_to_postgres() {
    let test = "who_has_a_certificate_may_log_in_with_it_to_postgres";
    let Some((mut place, ca)) = postgres(test).await else { return };
    let mut session = place.database.session().await.unwrap();
    for sql in ["DROP ROLE IF EXISTS certified", "CREATE ROLE certified LOGIN"] {
        session.execute(sql, &Parameters::None).await.unwrap();
    }
    drop(session);
    let (certificate, key) = (ca.with_file_name("certified.pem"), ca.with_file_name("certified.key"));
    let without = json!({"sslmode": "verify-full", "sslrootcert": ca});
    let with = json!({"sslmode": "verify-full", "sslrootcert": ca, "sslcert": certificate, "sslkey": key});
    let words = certified(&mut place, without, with).await;
    assert!(words.contains("it wants one for this login: `sslcert` and `sslkey`"), "{words}");
    let words = is_encrypted(&place, "localhost", &json!({"sslmode": "disable"})).await.unwrap_err();
    assert!(words.contains("check `login` and `password`"), "{words}");
}

#[tokio::test]
async fn who_has_a_certificate_may_log_in_with_it_to_mysql() {
    let test = "who_has_a_certificate_may_log_in_with_it_to_mysql";
    let Some((mut place, ca)) = mysql(test).await else { return };
    let mut session = place.database.session().await.unwrap();
    let database = place.connection.schema.as_ref().unwrap();
    for sql in [
        "DROP USER IF EXISTS certified@'%'",
        "CREATE USER certified@'%' IDENTIFIED BY 'hunter2' REQUIRE SUBJECT '/CN=certified'",
        &format!("GRANT ALL ON {database}.* TO certified@'%'"),
    ] {
        session.execute(sql, &Parameters::None).await.unwrap();
    }
    drop(session);
    let (certificate, key) = (ca.with_file_name("certified.pem"), ca.with_file_name("certified.key"));
    let with = json!({"ssl": {"ca": ca, "cert": certificate, "key": key}});
    let words = certified(&mut place, json!({"ssl": {"ca": ca}}), with).await;
    assert!(words.contains("and `ssl` if its user needs TLS"), "{words}");
}

/// What a server without TLS says first, or to the question for it.
fn without_tls(kind: &str) -> Vec<u8> {
    if kind == "postgres" {
        return b"N".to_vec();
    }
    // The version, the number of the connection and a challenge, of which the flags for TLS are none.
    let mut greeting = b"\x0a8.0.0\0\x01\0\0\x0012345678\0\x00\x82\x2d\x02\0\x08\0\x15".to_vec();
    greeting.extend([0; 10]);
    greeting.extend(b"123456789012\0mysql_native_password\0");
    let length = u8::try_from(greeting.len()).unwrap();
    [&[length, 0, 0, 0], greeting.as_slice()].concat()
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_asked_for() {
    for (kind, extra, expected) in [
        ("postgres", "sslmode=require", "see `sslmode` and `sslrootcert`"),
        ("postgres", "sslmode=verify-full", "see `sslmode` and `sslrootcert`"),
        ("mysql", "ssl_mode=REQUIRED", "see `ssl_mode` and `ca` of `ssl`"),
        ("mysql", "ssl_mode=VERIFY_IDENTITY", "see `ssl_mode` and `ca` of `ssl`"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut caller, _) = listener.accept().await.unwrap();
            caller.write_all(&without_tls(kind)).await.unwrap();
            // Until it hangs up.
            let _ = caller.read_to_end(&mut Vec::new()).await;
        });
        let uri = format!("{kind}://me:hunter2@127.0.0.1:{port}/x?{extra}&connect_timeout=120");
        let asked = Database::new(&Connection::parse("db", &uri).unwrap()).unwrap().session().await;
        let words = asked.unwrap_err().message;
        assert!(words.contains("TLS with") && words.contains("server does not support TLS"), "{words}");
        assert!(words.contains(expected) && !words.contains("hunter2"), "{words}");
        server.await.unwrap();
    }
}
