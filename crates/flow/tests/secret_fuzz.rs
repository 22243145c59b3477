//! Tasks say their secrets in every way that they can. Whatever is kept and whatever is answered is searched for them.
//! `FLOW_TEST_SEED` repeats a run.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[path = "secret_fuzz/gossip.rs"]
mod gossip;
#[expect(dead_code, reason = "others need Python")]
mod place;
#[path = "secret_fuzz/servers.rs"]
mod servers;
#[path = "../../flow-clients/tests/support/sink.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with tests of other crates")]
mod sink;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};

use gossip::Gossip;
use place::Flow;
use servers::Servers;
use sink::{Manners, Sink};

/// What tells: `$S` is the secret, and stands in no file.
const WAYS: &[(&str, &str)] = &[
    ("plain", r#"echo "it is $S, yes $S$S""#),
    ("on_stderr", r#"echo "$S" >&2"#),
    ("byte_by_byte", r#"r=$S; while [ -n "$r" ]; do printf %s "${r:0:1}"; r=${r:1}; done; echo"#),
    ("in_two_pieces", r#"printf %s "${S:0:4}"; sleep 0.3; printf '%s\n' "${S:4}""#),
    (
        "at_the_fold",
        r#"head -c 65531 /dev/zero | tr '\0' x; echo "$S"; head -c 131070 /dev/zero | tr '\0' x; echo "$S""#,
    ),
    ("without_an_end", r#"printf %s "$S""#),
    (
        "base64",
        r#"printf %s "$S" | base64 -w0; echo; printf 'a%s' "$S" | base64 -w0; echo; printf 'ab%s!' "$S" | base64 -w0; echo"#,
    ),
    ("base64_in_lines", r#"printf 'Basic user:%s' "$S" | base64 -w0; echo"#),
    (
        "url",
        r#"export LC_ALL=C; r=$S; while [ -n "$r" ]; do c=${r:0:1}; r=${r:1}; case $c in [a-zA-Z0-9._~-]) printf %s "$c";; *) printf %s "$c" | od -An -tx1 | tr -d ' \n' | tr a-f A-F | sed 's/^/%/';; esac; done; echo"#,
    ),
    ("json", r#"printf '{"it": "%s"}\n' "$(printf %s "$S" | sed 's/\\/\\\\/g; s/"/\\"/g')""#),
    ("environment", "env; set"),
    ("traced", r#"set -x; true "$S""#),
    (
        "xcom_file",
        r#"E="${S//\\/\\\\}"; printf '{"plain": "%s", "deep": {"list": ["a%sb"]}}' "${E//\"/\\\"}" "$U" > "$FLOW_XCOM""#,
    ),
    ("last_line", r#"echo "result=$S""#),
    ("failing", r#"echo "cannot log in with $S" >&2; exit 3"#),
    ("binary", r#"printf '\377\376%s\377\0%s\n' "$S" "$S""#),
];

/// Arguments that hold it by themselves, and errors that would repeat it.
const OTHERS: &[(&str, &str)] = &[
    ("argument", "uses: bash, with: { bash_command: 'echo {{ conn.vault.password | shquote }}' }"),
    ("variable", "uses: bash, with: { bash_command: 'echo {{ var.value.api_key | shquote }}' }"),
    ("folder", "uses: bash, with: { bash_command: 'true', cwd: '/nowhere/{{ conn.vault.password }}' }"),
    ("wrong_template", "uses: bash, with: { bash_command: '{{ conn.vault.password.split(1) }}' }"),
    ("wrong_number", "uses: bash, with: { bash_command: '{{ conn.vault.password | int / 0 }}' }"),
    ("wrong_choice", "uses: branch, with: { choose: '{{ conn.vault.password }}' }"),
    (
        "no_file",
        "uses: file_sensor, with: { filepath: '/nowhere/{{ conn.vault.password }}', timeout: 0, poke_interval: 1 }",
    ),
    (
        "no_dag",
        "uses: trigger_dag, with: { trigger_dag_id: fuzz, trigger_run_id: 'again_{{ conn.vault.password }}', conf: { it: '{{ conn.vault.password }}' }, skip_when_already_exists: true }",
    ),
    // What servers say. `shop` and `api` are one that repeats all that it knows.
    ("http_body", "uses: http, with: { http_conn_id: shop, method: GET, endpoint: /, log_response: true }"),
    ("http_bearer", "uses: http, with: { http_conn_id: api, method: GET, endpoint: /, log_response: true }"),
    ("http_head", "uses: http, with: { http_conn_id: shop, endpoint: /, response_filter: response.headers }"),
    (
        "http_links",
        "uses: http, with: { http_conn_id: shop, endpoint: /away, response_filter: '[response.url, response.links]' }",
    ),
    ("http_json", "uses: http, with: { http_conn_id: shop, endpoint: /json, response_filter: response.json }"),
    (
        "http_pages",
        "uses: http, with: { http_conn_id: shop, method: GET, endpoint: /json, next_page: response.json.next }",
    ),
    ("http_refused", "uses: http, with: { http_conn_id: api, endpoint: /refuse }"),
    ("http_cut", "uses: http, with: { http_conn_id: shop, endpoint: /fail }"),
    ("http_cut_check", "uses: http, with: { http_conn_id: shop, endpoint: /long, response_check: 'false' }"),
    ("http_busy", "uses: http, with: { http_conn_id: shop, endpoint: /busy }"),
    ("http_broken", "uses: http, with: { http_conn_id: shop, endpoint: /broken }"),
    ("http_check", "uses: http, with: { http_conn_id: shop, endpoint: /, response_check: response.text == '' }"),
    (
        "http_filter",
        "uses: http, with: { http_conn_id: shop, endpoint: /json, response_filter: response.json.it.nothing.at_all }",
    ),
    ("http_nowhere", "uses: http, with: { http_conn_id: shop, endpoint: /nowhere }"),
    ("http_wrong_place", "uses: http, with: { http_conn_id: shop, endpoint: /wrong }"),
    (
        "http_argument",
        "uses: http, with: { http_conn_id: shop, endpoint: '/refuse?key={{ conn.vault.password | urlencode }}', headers: { X-Key: '{{ var.value.api_key }}' }, json: { it: '{{ conn.vault.password }}' } }",
    ),
    (
        "http_wrong_header",
        "uses: http, with: { http_conn_id: shop, endpoint: /, headers: { '{{ conn.vault.password }}': x } }",
    ),
    ("http_wrong_place_2", "uses: http, with: { endpoint: 'http://127.0.0.1:1/{{ conn.vault.password }}' }"),
    (
        "http_sensor",
        "uses: http_sensor, with: { http_conn_id: shop, endpoint: /refuse, timeout: 0, poke_interval: 1, response_check: 'false' }",
    ),
    ("slack", "uses: slack, with: { slack_webhook_conn_id: chat, message: 'it is {{ conn.vault.password }}' }"),
    (
        "sql_rows",
        "uses: sql, with: { conn_id: db, sql: \"SELECT '{{ conn.vault.password }}' AS \\\"{{ var.value.api_key }}\\\"\" }",
    ),
    ("sql_parameter", "uses: sql, with: { conn_id: db, sql: 'SELECT ?', parameters: ['{{ conn.vault.password }}'] }"),
    ("sql_error", "uses: sql, with: { conn_id: db, sql: \"SELECT *\\nFROM nowhere.'{{ conn.vault.password }}'\" }"),
    ("sql_no_table", "uses: sql, with: { conn_id: db, sql: 'SELECT * FROM \"{{ var.value.api_key }}\"' }"),
    ("sql_cut", "uses: sql, with: { conn_id: db, sql: \"{{ 'x' * 194 }} {{ conn.vault.password }}\" }"),
    ("sql_check", "uses: sql_check, with: { conn_id: db, sql: \"SELECT 0, '{{ conn.vault.password }}'\" }"),
    (
        "sql_value_check",
        "uses: sql_value_check, with: { conn_id: db, sql: \"SELECT '{{ conn.vault.password }}'\", pass_value: '{{ var.value.api_key }}' }",
    ),
    (
        "sql_load",
        "uses: sql_load, with: { conn_id: db, table: numbers, file: '{{ var.value.bad_rows }}', preoperator: CREATE TABLE numbers (n INTEGER PRIMARY KEY) }",
    ),
    ("email", "uses: email, with: { to: 'ann@example.org', subject: '{{ conn.vault.password }}', html_content: 'it' }"),
    ("email_to", "uses: email, with: { to: '{{ conn.vault.password }}' }"),
];

/// Chance that can be repeated: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    /// Not too short to be told from chance; with what URLs, JSON and shells must escape.
    fn secret(&mut self, with: &str) -> String {
        let letters: Vec<char> =
            "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789".chars().chain(with.chars()).collect();
        (0..12 + self.below(30)).map(|_| letters[self.below(letters.len())]).collect()
    }
}

fn dag(servers: &Servers) -> String {
    let mut text = "dag_id: fuzz\nmax_active_tasks: 4\ntasks:\n".to_owned();
    for (name, command) in WAYS {
        let command = command.replace('\n', " ");
        text += &format!(
            "  - id: {name}\n    uses: bash\n    with:\n      env: {{ S: '{{{{ conn.vault.password }}}}', U: '{{{{ var.value.api_key }}}}' }}\n      append_env: true\n      bash_command: |\n        {command}\n"
        );
    }
    for (name, task) in OTHERS {
        text += &format!("  - {{ id: {name}, {task} }}\n");
    }
    for task in &servers.tasks {
        text += &format!("  - {task}\n");
    }
    text
}

/// What must be nowhere: a secret as it is, in URLs, in JSON, and what any base64 of it has in its midst.
fn forms(secret: &str) -> Vec<String> {
    let escaped = serde_json::to_string(secret).unwrap();
    let mut forms =
        vec![secret.to_owned(), flow_core::connection::encode(secret), escaped[1..escaped.len() - 1].to_owned()];
    // Its beginning: a text was cut in the midst of it.
    let start: String = secret.chars().take(6).collect();
    let escaped = serde_json::to_string(&start).unwrap();
    forms.extend([escaped[1..escaped.len() - 1].to_owned(), start]);
    for before in ["", "a", "ab"] {
        let whole = base64(&[before.as_bytes(), secret.as_bytes()].concat());
        // The first four letters hold what stands before, the last four what comes after.
        forms.push(whole[4..whole.len() - 4].to_owned());
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS[usize::try_from(number >> (18 - 6 * at) & 63).unwrap()];
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// The secrets, and where they were looked for.
struct Search {
    forms: Vec<String>,
    bytes: usize,
    found: Vec<String>,
}

impl Search {
    fn look(&mut self, place: &str, bytes: &[u8]) {
        self.bytes += bytes.len();
        for form in &self.forms {
            let at = bytes.windows(form.len()).position(|window| window == form.as_bytes());
            if let Some(at) = at {
                let around = &bytes[at.saturating_sub(60)..(at + form.len() + 20).min(bytes.len())];
                self.found.push(format!("{place}: {form} in …{}…", String::from_utf8_lossy(around)));
            }
        }
    }

    fn look_at_files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.look_at_files(&path);
            } else if !path.ends_with("secret.key") && path.is_file() {
                self.look(&path.display().to_string(), &fs::read(&path).unwrap());
            }
        }
    }
}

#[test]
fn no_secret_is_kept_or_answered_however_a_task_says_it() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = std::env::var("FLOW_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(u64::from(now.subsec_nanos()) << 8 | 1);
    println!("FLOW_TEST_SEED={seed}");
    let mut chance = Chance(seed);
    let password = chance.secret("\"\\/+&=%$ü:@#");
    let api_key = chance.secret("-_.~");
    let token = chance.secret("/+=");

    let servers = Servers::find(&[&password, &token, &api_key], seed);
    let flow = Flow::start(&[("fuzz.yaml", &dag(&servers))]);
    let mine = flow.token();
    let gossip = Gossip::start(&[&password, &token, &api_key]);
    let beside = tempfile::tempdir().unwrap();
    let bad_rows = beside.path().join("bad.csv");
    fs::write(&bad_rows, format!("n\n1\n\"{}\"\n", password.replace('"', "\"\""))).unwrap();
    // The words live as long as the server, which ends with the process.
    let words: &'static str = format!("554 it is {password} {token} {api_key}").leak();
    let sink = Sink::start(Manners { refuses: Some((words, usize::MAX)), ..Manners::default() });
    let http = |id: &str, more: Value| {
        let mut connection =
            json!({ "connection_id": id, "conn_type": "http", "host": "127.0.0.1", "port": gossip.address.port() });
        connection.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        connection
    };
    let mut connections = vec![
        json!({
            "connection_id": "vault", "conn_type": "generic", "host": "127.0.0.1", "login": "me", "password": password,
            "extra": json!({ "token": token, "secret": api_key }).to_string(),
        }),
        // What one connection says, another may hear: all of them hold the same.
        http(
            "shop",
            json!({ "login": "me", "password": password, "extra": json!({ "token": token, "test_endpoint": "/nowhere", "secret": api_key }).to_string() }),
        ),
        http(
            "api",
            json!({ "extra": json!({ "bearer_token": token, "test_endpoint": "/away", "secret": api_key, "password": password }).to_string() }),
        ),
        json!({
            "connection_id": "chat", "conn_type": "slackwebhook",
            "password": format!("http://{}/{}", gossip.address, flow_core::connection::encode(&api_key)),
            "extra": json!({ "token": token, "password": password }).to_string(),
        }),
        json!({
            "connection_id": "db", "conn_type": "sqlite", "host": beside.path().join("db"), "password": password,
            "extra": json!({ "create": true, "token": token }).to_string(),
        }),
        json!({
            "connection_id": "smtp_default", "conn_type": "smtp", "host": "127.0.0.1", "port": sink.address.port(), "password": password,
            "extra": json!({ "disable_ssl": true, "disable_tls": true, "from_email": "me@example.org", "token": token, "secret": api_key }).to_string(),
        }),
    ];
    connections.extend(servers.connections.iter().cloned());
    for connection in &connections {
        let made = flow.post("/api/v2/connections", &mine, &connection.to_string());
        assert_eq!(made["connection_id"], connection["connection_id"], "{made}");
    }
    flow.post("/api/v2/variables", &mine, &json!({ "key": "api_key", "value": api_key }).to_string());
    flow.post("/api/v2/variables", &mine, &json!({ "key": "bad_rows", "value": bad_rows }).to_string());
    let run = "/api/v2/dags/fuzz/dagRuns/fuzzed";
    flow.post("/api/v2/dags/fuzz/dagRuns", &mine, &json!({ "dag_run_id": "fuzzed", "logical_date": null }).to_string());
    let began = Instant::now();
    while !["success", "failed"].contains(&flow.get(run, &mine)["state"].as_str().unwrap_or_default()) {
        assert!(began.elapsed() < Duration::from_secs(180), "the run does not end: {}", flow.get(run, &mine));
        std::thread::sleep(Duration::from_millis(50));
    }

    let forms = [&password, &api_key, &token].into_iter().flat_map(|secret| forms(secret)).collect();
    let mut search = Search { forms, bytes: 0, found: Vec::new() };
    search.look("stderr", flow.said().as_bytes());
    search.look_at_files(flow.folder());
    for (table, rows) in flow.tables() {
        search.look(&table, rows.as_bytes());
    }
    let instances = flow.get(&format!("{run}/taskInstances?limit=100"), &mine);
    assert_eq!(instances["total_entries"], WAYS.len() + OTHERS.len() + servers.tasks.len(), "{instances}");
    let mut ask = |path: &str| {
        let answer = flow.get(path, &mine);
        search.look(path, answer.to_string().as_bytes());
        answer
    };
    for path in ["/api/v2/connections", "/api/v2/variables", "/api/v2/eventLogs?limit=1000", "/api/v2/importErrors"] {
        ask(path);
    }
    ask(run);
    ask(&format!("{run}/taskInstances?limit=100"));
    ask("/api/v2/dags/fuzz/dagRuns?limit=100");
    let mut masked = 0;
    for instance in instances["task_instances"].as_array().unwrap() {
        let task = instance["task_id"].as_str().unwrap();
        let log = ask(&format!("{run}/taskInstances/{task}/logs/1"));
        masked += log.to_string().matches("***").count();
        ask(&format!("/ui/dags/fuzz/dagRuns/fuzzed/tasks/{task}/-1/rendered"));
        for entry in
            ask(&format!("{run}/taskInstances/{task}/xcomEntries"))["xcom_entries"].as_array().unwrap_or(&vec![])
        {
            ask(&format!("{run}/taskInstances/{task}/xcomEntries/{}", entry["key"].as_str().unwrap()));
        }
    }
    for connection in &connections {
        let bare = json!({ "connection_id": connection["connection_id"], "conn_type": connection["conn_type"] });
        let answer = flow.post("/api/v2/connections/test", &mine, &bare.to_string());
        assert!(answer["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
        search.look(&format!("test of {bare}"), answer.to_string().as_bytes());
    }
    assert_eq!(search.found, Vec::<String>::new(), "FLOW_TEST_SEED={seed}: a secret can be seen");
    // Otherwise nothing was said, and nothing shown.
    assert!(masked >= WAYS.len(), "only {masked} secrets were masked: the tasks did not run\n{instances}");
    assert!(gossip.asked() > 20 && sink.refused() > 0, "the servers were asked {} times", gossip.asked());
    assert!(search.bytes > 100_000, "only {} bytes were searched", search.bytes);
    let _: Value = instances;
}
