//! Tasks whose secrets real servers repeat in their errors and answers: Postgres, MariaDB, Kafka. Those whose server is
//! missing are left out, said aloud. And databases that refuse everybody, with all the words that they know.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

/// Tasks for any SQL server. Errors of some end in the midst of a secret.
const SQL: &[(&str, &str)] = &[
    ("no_table", r#"sql: "SELECT * FROM \"{{ var.value.api_key }}\"""#),
    ("no_table_cut", r#"sql: "SELECT * FROM \"{{ 'x' * 55 }}{{ var.value.api_key }}\"""#),
    ("syntax", r#"sql: "SELEC '{{ conn.vault.password }}'""#),
    ("syntax_cut", r#"sql: "SELEC {{ 'x' * 60 }} {{ conn.vault.password }}""#),
    ("syntax_far", r#"sql: "SELECT 1 FROM\nnowhere WHERE {{ 'x' * 182 }} '{{ var.value.api_key }}'""#),
    (
        "duplicate",
        r#"sql: ["CREATE TEMPORARY TABLE f (n VARCHAR(250) PRIMARY KEY)", "INSERT INTO f SELECT '{{ var.value.api_key }}'", "INSERT INTO f SELECT '{{ var.value.api_key }}'"]"#,
    ),
    (
        "duplicate_cut",
        r#"sql: ["CREATE TEMPORARY TABLE f (n VARCHAR(250) PRIMARY KEY)", "INSERT INTO f SELECT '{{ 'x' * 178 }}{{ var.value.api_key }}'", "INSERT INTO f SELECT '{{ 'x' * 178 }}{{ var.value.api_key }}'"]"#,
    ),
    ("number", r#"sql: ["CREATE TEMPORARY TABLE f (n INTEGER)", "INSERT INTO f VALUES ('{{ var.value.api_key }}')"]"#),
    (
        "number_cut",
        r#"sql: ["CREATE TEMPORARY TABLE f (n INTEGER)", "INSERT INTO f VALUES ('{{ 'x' * 120 }}{{ var.value.api_key }}')"]"#,
    ),
    ("rows", r#"sql: "SELECT '{{ var.value.api_key }}'""#),
];

/// Tasks for Kafka; `$topic` is a topic of their own, `$knows` lets a task know the secrets that come in its messages.
const KAFKA: &[(&str, &str)] = &[
    ("made", "uses: kafka_topic, with: { topic: $topic }"),
    ("setting", "uses: kafka_topic, with: { topic: $topic-2, config: { retention.ms: '{{ conn.vault.password }}' } }"),
    ("name", "uses: kafka_topic, with: { topic: 'a {{ conn.vault.password }}' }"),
    ("none", "uses: kafka_produce, with: { topic: '{{ var.value.api_key }}', messages: [x] }"),
    (
        "wrote",
        "uses: kafka_produce, needs: [kafka_made], with: { topic: $topic, messages: [{ key: '{{ var.value.api_key }}', value: '{{ conn.vault.password }}' }] }",
    ),
    (
        "read",
        "uses: kafka_consume, needs: [kafka_wrote], with: { topics: $topic, max_messages: 1, max_wait: 10s, $knows }",
    ),
    (
        "bad_json",
        "uses: kafka_consume, needs: [kafka_wrote], with: { topics: $topic, max_messages: 1, max_wait: 10s, value_format: json, $knows }",
    ),
    (
        "bad_row",
        "uses: kafka_to_sql, needs: [kafka_wrote], with: { topics: $topic, conn_id: db, table: nowhere, columns: { n: value.it }, $knows }",
    ),
    (
        "login",
        "uses: kafka_sensor, with: { kafka_config_id: kafka_login, topics: $topic, timeout: 0, poke_interval: 1 }",
    ),
];

/// Says nothing.
const KNOWS: &str = "{{ (conn.vault.password ~ var.value.api_key)[:0] }}";

/// What is there to talk with.
pub(crate) struct Servers {
    /// Lines of a DAG's tasks.
    pub(crate) tasks: Vec<String>,
    pub(crate) connections: Vec<Value>,
}

impl Servers {
    /// Finds out. The tasks know the secrets of the connection `vault` and the variable `api_key`.
    pub(crate) fn find(secrets: &[&str; 3], unique: u64) -> Self {
        let [password, token, api_key] = secrets;
        let extra = json!({ "token": token, "secret": api_key, "password": password }).to_string();
        let mut found = Self { tasks: Vec::new(), connections: Vec::new() };
        for (name, conn_type, variable) in
            [("pg", "postgres", "FLOW_TEST_POSTGRES_URL"), ("my", "mysql", "FLOW_TEST_MYSQL_URL")]
        {
            let address = refuser(conn_type == "postgres", &format!("no, {password} {token} {api_key}"));
            found.connections.push(json!({
                "connection_id": format!("{name}_rude"), "conn_type": conn_type, "host": "127.0.0.1", "port": address.port(),
                "login": "me", "password": password, "extra": extra,
            }));
            let refused =
                format!("{{ id: {name}_refused, uses: sql, with: {{ conn_id: {name}_rude, sql: SELECT 1 }} }}");
            found.tasks.push(refused);
            let Some(url) = of_environment(variable) else { continue };
            let made = flow_core::connection::Connection::parse(name, &url).unwrap();
            let mut made = made.to_json();
            made["connection_id"] = name.into();
            made.as_object_mut()
                .unwrap()
                .retain(|field, value| field != "conn_id" && field != "extra" && !value.is_null());
            found.connections.push(made);
            for (way, arguments) in SQL {
                found
                    .tasks
                    .push(format!("{{ id: {name}_{way}, uses: sql, with: {{ conn_id: {name}, {arguments} }} }}"));
            }
        }
        if let Some(address) = of_environment("FLOW_TEST_KAFKA") {
            let topic = format!("fuzz-{unique}");
            found.connections.push(json!({
                "connection_id": "kafka_default", "conn_type": "kafka", "extra": json!({ "bootstrap.servers": address }).to_string(),
            }));
            let with_login = std::env::var("FLOW_TEST_KAFKA_SASL").ok().zip(std::env::var("FLOW_TEST_KAFKA_CA").ok());
            let at = with_login.as_ref().and_then(|(all, _)| all.rsplit_once('@')).map_or(&*address, |(_, at)| at);
            let mut extra = json!({ "bootstrap.servers": at, "ssl.key.password": token });
            if let Some((_, ca)) = &with_login {
                extra["ssl.ca.location"] = ca.as_str().into();
            }
            found.connections.push(json!({
                "connection_id": "kafka_login", "conn_type": "kafka", "login": "me", "password": password, "extra": extra.to_string(),
            }));
            for (way, task) in KAFKA {
                found.tasks.push(format!(
                    "{{ id: kafka_{way}, {} }}",
                    task.replace("$topic", &topic).replace("$knows", &format!("group_id: '{topic}-{way}{KNOWS}'"))
                ));
            }
        }
        found
    }
}

#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn of_environment(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        println!("skipped: tasks that need {variable}");
        let may_miss = std::env::var("FLOW_TEST_SERVERS").is_ok_and(|which| which == "some");
        let must = std::env::var_os("FLOW_TEST_ALL").is_some_and(|all| !all.is_empty());
        assert!(!must || may_miss, "FLOW_TEST_ALL is set: nothing may be skipped");
    }
    found
}

/// A database that refuses each login, with these words.
fn refuser(is_postgres: bool, words: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let words = words.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // Whoever hears enough may go in the middle.
            let _ = if is_postgres { refuse_as_postgres(stream, &words) } else { refuse_as_mysql(stream, &words) };
        }
    });
    address
}

fn refuse_as_postgres(mut stream: TcpStream, words: &str) -> std::io::Result<()> {
    const SSL_REQUEST: u32 = 80_877_103;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        if u32::from_be_bytes([head[4], head[5], head[6], head[7]]) == SSL_REQUEST {
            stream.write_all(b"N")?;
            continue;
        }
        let mut rest = vec![0; usize::try_from(length).unwrap_or(8) - 8];
        stream.read_exact(&mut rest)?;
        break;
    }
    let body = format!("SFATAL\0VFATAL\0C28P01\0M{words}\0D{words}\0\0");
    stream.write_all(b"E")?;
    stream.write_all(&u32::try_from(body.len() + 4).unwrap().to_be_bytes())?;
    stream.write_all(body.as_bytes())
}

fn refuse_as_mysql(mut stream: TcpStream, words: &str) -> std::io::Result<()> {
    // 1130: this host is not allowed to connect.
    let body = [&[0xff, 0x6a, 0x04], words.as_bytes()].concat();
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    stream.write_all(&[length[0], length[1], length[2], 0])?;
    stream.write_all(&body)
}
