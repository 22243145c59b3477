//! Can the host of a connection be reached? Resolves its name and opens a TCP connection; logs in nowhere, and says so.

use std::{io, time::Duration};

use flow_core::connection::Connection;
use tokio::net::{TcpStream, lookup_host};

/// Longest that a test may take.
const LONGEST: Duration = Duration::from_secs(5);

/// Ports that are meant when none is given.
const PORTS: [(&str, u16); 40] = [
    ("amqp", 5672),
    ("cassandra", 9042),
    ("cloudant", 443),
    ("databricks", 443),
    ("docker", 2375),
    ("drill", 8047),
    ("druid", 8082),
    ("elasticsearch", 9200),
    ("exasol", 8563),
    ("ftp", 21),
    ("ftps", 21),
    ("grpc", 443),
    ("hdfs", 8020),
    ("hive_cli", 10000),
    ("hiveserver2", 10000),
    ("http", 80),
    ("https", 443),
    ("imap", 993),
    ("influxdb", 8086),
    ("jenkins", 8080),
    ("kafka", 9092),
    ("ldap", 389),
    ("livy", 8998),
    ("mongo", 27017),
    ("mssql", 1433),
    ("mysql", 3306),
    ("neo4j", 7687),
    ("oracle", 1521),
    ("postgres", 5432),
    ("presto", 8080),
    ("redis", 6379),
    ("redshift", 5439),
    ("salesforce", 443),
    ("sftp", 22),
    ("smtp", 587),
    ("snowflake", 443),
    ("ssh", 22),
    ("trino", 8080),
    ("vault", 8200),
    ("vertica", 5433),
];

/// Says whether the host can be reached from this process, and what was tried.
pub(crate) async fn reach(connection: &Connection) -> (bool, String) {
    let (host, port) = match address(connection) {
        Ok(address) => address,
        Err(sentence) => return (false, sentence),
    };
    let shown = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    match tokio::time::timeout(LONGEST, connect(&host, port)).await {
        Ok(Ok(())) => (true, format!("reached {shown}; the login was not tried")),
        Ok(Err(Failed::Name(error))) => (false, format!("the name `{host}` cannot be resolved: {error}")),
        Ok(Err(Failed::Connect(error))) => (false, format!("could not reach {shown}: {error}")),
        Err(_) => (false, format!("no answer from {shown} within {} seconds", LONGEST.as_secs())),
    }
}

enum Failed {
    Name(io::Error),
    Connect(io::Error),
}

async fn connect(host: &str, port: u16) -> Result<(), Failed> {
    let found: Vec<_> = lookup_host((host, port)).await.map_err(Failed::Name)?.collect();
    let mut failed = Failed::Name(io::Error::other("it has no address"));
    for address in found {
        match TcpStream::connect(address).await {
            Ok(_) => return Ok(()),
            Err(error) => failed = Failed::Connect(error),
        }
    }
    Err(failed)
}

/// Finds out where to go, or says why that is not known.
fn address(connection: &Connection) -> Result<(String, u16), String> {
    let kind = connection.conn_type.to_lowercase();
    let servers = kafka_servers(connection);
    let written = connection.host.as_deref().map(str::trim).filter(|host| !host.is_empty()).or(servers.as_deref());
    let Some(written) = written else {
        return Err(format!(
            "the connection has no host; this version can only find out whether a host is reached, not log in to `{kind}`"
        ));
    };
    let (protocol, rest) = written.split_once("://").map_or((None, written), |(protocol, rest)| (Some(protocol), rest));
    let authority = rest.split(['/', '?', '#', ',']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.is_empty() {
        return Err(format!("`{rest}` is the path of a file, not a host: there is nothing to reach"));
    }
    let (host, own_port) = split_port(host);
    let by_protocol = protocol.and_then(|protocol| default_port(&protocol.to_lowercase()));
    let port = connection.port.filter(|port| *port > 0).or(own_port).or(by_protocol).or_else(|| default_port(&kind));
    match port {
        Some(port) => Ok((host.to_owned(), port)),
        None => Err(format!("the connection has no port, and there is none that is usual for the type `{kind}`")),
    }
}

fn split_port(host: &str) -> (&str, Option<u16>) {
    if let Some((inner, after)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (inner, after.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match host.rsplit_once(':') {
        // An address with several colons is one of IPv6.
        Some((name, port)) if !name.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (host, None),
        },
        Some(_) | None => (host, None),
    }
}

fn default_port(kind: &str) -> Option<u16> {
    PORTS.iter().find(|(name, _)| *name == kind).map(|(_, port)| *port)
}

/// Kafka has its servers in `extra`.
fn kafka_servers(connection: &Connection) -> Option<String> {
    let extra: serde_json::Value = serde_json::from_str(connection.extra.as_ref()?.expose()).ok()?;
    extra.get("bootstrap.servers")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, u16), &str>) {
        let found = address(&Connection::parse("x", text).unwrap());
        match expected {
            Ok((host, port)) => assert_eq!(found, Ok((host.to_owned(), port))),
            Err(words) => assert!(found.as_ref().is_err_and(|sentence| sentence.contains(words)), "{found:?}"),
        }
    }

    #[test]
    fn an_address_is_found_with_the_usual_port() {
        check("postgres://u:p@db/x", Ok(("db", 5432)));
        check("postgres://db:7/x", Ok(("db", 7)));
        check("http://https://api", Ok(("api", 443)));
        check(r#"{"conn_type": "http", "host": "https://api:8443/v1"}"#, Ok(("api", 8443)));
        check(r#"{"conn_type": "kafka", "extra": {"bootstrap.servers": "a:9093,b:9093"}}"#, Ok(("a", 9093)));
        check("redis://[::1]", Ok(("::1", 6379)));
        check("aws://", Err("has no host"));
        check("sqlite://%2Ftmp%2Fx.db", Err("path of a file"));
        check("strange://h", Err("has no port"));
    }

    #[tokio::test]
    async fn a_host_is_reached_or_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connection = Connection::parse("x", &format!("postgres://me:hunter2@127.0.0.1:{port}")).unwrap();
        assert_eq!(reach(&connection).await, (true, format!("reached 127.0.0.1:{port}; the login was not tried")));
        drop(listener);
        let (is_reached, sentence) = reach(&connection).await;
        assert!(!is_reached && sentence.starts_with("could not reach 127.0.0.1") && !sentence.contains("hunter2"));
        let (_, sentence) = reach(&Connection::parse("x", "postgres://no-such-host.invalid").unwrap()).await;
        assert!(sentence.contains("`no-such-host.invalid` cannot be resolved"), "{sentence}");
    }
}
