//! What Flow tells in numbers, against what it has in its database: StatsD, `/metrics`, and a real Prometheus with the
//! files of examples/monitoring.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "other tests use more of it")]
mod place;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use place::Flow;
use serde_json::{Value, json};

const GOOD: &str = "dag_id: good
tasks:
  - { id: first, uses: bash, with: { bash_command: sleep 0.2 } }
  - { id: second, uses: bash, with: { bash_command: exit 99 }, needs: [first] }
  - { id: third, uses: empty, needs: [first] }
";
const BAD: &str = "dag_id: bad
on_failure_callback: [{ uses: bash, with: { bash_command: 'true' } }]
tasks:
  - { id: breaks, uses: bash, with: { bash_command: exit 3 }, retries: 1, retry_delay: 1s }
  - { id: after, uses: bash, with: { bash_command: 'true' }, needs: [breaks] }
";
const UNTOLD: &str = "dag_id: untold
schedule: '@continuous'
max_active_runs: 1
tasks:
  - id: only
    uses: bash
    with: { bash_command: sleep 2 }
    on_success_callback: [{ uses: bash, with: { bash_command: exit 1 } }]
";
/// Its connection is missing.
const UNREAD: &str = "dag_id: unread
schedule: { kafka: { topic: letters, group_id: unread, kafka_config_id: ghost } }
tasks: [{ id: only, uses: empty }]
";
const READ: &str = "dag_id: read
schedule: { kafka: { topic: TOPIC, group_id: TOPIC } }
tasks: [{ id: only, uses: empty }]
";
const TIMED: &str = "dag_id: timed
schedule: '@continuous'
max_active_runs: 1
tasks: [{ id: only, uses: bash, with: { bash_command: sleep 0.5 } }]
";
const BROKEN: &str = "dag_id: broken\ntasks: [{ id: x, uses: bashh }]\n";
/// Runs of each.
const RUNS: usize = 3;
/// Longest that something may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// A StatsD server: keeps every line.
struct Statsd {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Statsd {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = lines.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(size) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..size]);
                kept.lock().unwrap().extend(text.lines().map(str::to_owned));
            }
        });
        Self { port, lines }
    }

    /// Returns the values of a name: everything between it and its kind.
    fn values(&self, name: &str, kind: &str) -> Vec<f64> {
        let lines = self.lines.lock().unwrap();
        let of = |line: &String| {
            let value = line.strip_prefix(name)?.strip_prefix(':')?.strip_suffix(kind)?.strip_suffix('|')?;
            Some(value.parse().unwrap())
        };
        lines.iter().filter_map(of).collect()
    }

    fn count(&self, name: &str) -> f64 {
        self.values(name, "c").iter().sum()
    }
}

fn until(what: &str, flow: &Flow, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not in time\n{}", flow.said());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Triggers the runs and waits until they have ended. Returns the task instances of both DAGs.
fn work(flow: &Flow, token: &str) -> Vec<Value> {
    for at in 0..RUNS {
        for dag in ["good", "bad"] {
            let body = json!({ "dag_run_id": format!("r{at}"), "logical_date": null }).to_string();
            flow.post(&format!("/api/v2/dags/{dag}/dagRuns"), token, &body);
        }
    }
    let runs = |state: &str| {
        let of = |dag: &str| {
            flow.get(&format!("/api/v2/dags/{dag}/dagRuns?state={state}&limit=100"), token)["total_entries"].clone()
        };
        [of("good"), of("bad")]
    };
    until("the runs", flow, || runs("success")[0] == json!(RUNS) && runs("failed")[1] == json!(RUNS));
    ["good", "bad"]
        .iter()
        .flat_map(|dag| {
            let page = flow.get(&format!("/api/v2/dags/{dag}/dagRuns/~/taskInstances?limit=100"), token);
            page["task_instances"].as_array().unwrap().clone()
        })
        .collect()
}

/// Returns how many task instances there are, by DAG, task and state, retries counted besides.
fn finishes(tasks: &[Value]) -> BTreeMap<[String; 3], f64> {
    let mut found: BTreeMap<[String; 3], f64> = BTreeMap::new();
    for task in tasks {
        let word = |key: &str| task[key].as_str().unwrap().to_owned();
        *found.entry([word("dag_id"), word("task_id"), word("state")]).or_default() += 1.0;
        for _ in 1..task["try_number"].as_u64().unwrap_or_default().max(1) {
            *found.entry([word("dag_id"), word("task_id"), "up_for_retry".to_owned()]).or_default() += 1.0;
        }
    }
    found
}

/// Returns the value of a series as `/metrics` shows it.
fn shown(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// Asks for a page of text.
fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{path}: {head}\n{body}");
    body.to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Says whether a program of Prometheus is there; fails where nothing may be skipped.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn is_there(test: &str, program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return true;
    }
    println!("skipped: {test} needs {program}");
    assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
    false
}

/// Counts are those of the database, times as long as it says, in StatsD and in `/metrics`.
#[test]
fn what_is_told_is_what_happened() {
    let (statsd, port) = (Statsd::start(), free_port());
    let settings = [
        ("FLOW__METRICS__STATSD_ON", "true"),
        ("FLOW__METRICS__STATSD_HOST", "127.0.0.1"),
        ("FLOW__METRICS__STATSD_PORT", &statsd.port.to_string()),
        ("FLOW__METRICS__LISTEN", &format!("127.0.0.1:{port}")),
    ];
    let flow = Flow::start_with(&[("good.yaml", GOOD), ("bad.yaml", BAD)], &settings);
    let token = flow.token();
    let tasks = work(&flow, &token);
    let expected = finishes(&tasks);
    assert_eq!(expected.values().sum::<f64>(), 18.0, "{expected:?}");
    // Gauges are told every few seconds.
    let address = format!("127.0.0.1:{port}");
    until("gauges", &flow, || page(&address, "/metrics").contains("flow_dags 2\n"));
    // Callbacks are done when the run has ended.
    let told = "flow_callbacks_ended_total{state=\"delivered\"}";
    until("callbacks", &flow, || shown(&page(&address, "/metrics"), told) >= Some(RUNS as f64));
    // It may have been told while the tasks ran.
    let open = "flow_pool_open_slots{pool_name=\"default_pool\"}";
    until("slots", &flow, || shown(&page(&address, "/metrics"), open) == Some(128.0));
    assert_eq!(flow.get("/ui/callbacks?state=delivered", &token)["callbacks"].as_array().unwrap().len(), RUNS);
    let text = page(&address, "/metrics");
    assert_eq!(shown(&text, told), Some(RUNS as f64));
    for ([dag, task, state], number) in &expected {
        let series = format!("flow_task_finishes_total{{dag_id=\"{dag}\",task_id=\"{task}\",state=\"{state}\"}}");
        assert_eq!(shown(&text, &series), Some(*number), "{series}\n{text}");
    }
    let runs =
        |dag: &str, state: &str| format!("flow_run_duration_seconds_count{{dag_id=\"{dag}\",state=\"{state}\"}}");
    assert_eq!(shown(&text, &runs("good", "success")), Some(RUNS as f64));
    assert_eq!(shown(&text, &runs("bad", "failed")), Some(RUNS as f64));
    assert_eq!(shown(&text, "flow_task_failures_total{operator_name=\"BashOperator\"}"), Some(2.0 * RUNS as f64));
    assert_eq!(shown(&text, "flow_task_instances_created_total{task_type=\"BashOperator\"}"), Some(4.0 * RUNS as f64));
    check_format(&text);
    // Its last words come when it has ended.
    drop(flow);
    let ended = Instant::now();
    while statsd.count("airflow.schedulerjob_end") < 1.0 && ended.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    check_statsd(&statsd, &tasks, &expected);
}

/// Compares what StatsD was sent with the task instances.
fn check_statsd(statsd: &Statsd, tasks: &[Value], expected: &BTreeMap<[String; 3], f64>) {
    for ([dag, task, state], number) in expected {
        let name = format!("airflow.ti.finish.{dag}.{task}.{state}");
        assert_eq!(statsd.count(&name), *number, "{name}");
    }
    assert_eq!(statsd.count("airflow.ti.finish"), expected.values().sum::<f64>());
    // What needs no worker does not start; every other try does.
    assert_eq!(statsd.count("airflow.ti.start.good.third"), 0.0);
    assert_eq!(statsd.count("airflow.ti.start.bad.breaks"), 2.0 * RUNS as f64);
    assert_eq!(statsd.count("airflow.ti_failures"), 2.0 * RUNS as f64);
    assert_eq!(statsd.count("airflow.schedulerjob_start"), 1.0);
    assert_eq!(statsd.count("airflow.flow.callbacks.delivered"), RUNS as f64);
    assert_eq!(statsd.count("airflow.dag.callback_exceptions"), 0.0);
    assert!(statsd.count("airflow.scheduler_heartbeat") >= 1.0);
    assert_eq!(statsd.count("airflow.flow.statsd_dropped"), 0.0);
    assert!(statsd.values("airflow.dagbag_size", "g").contains(&2.0));
    let mut told = statsd.values("airflow.dag.good.first.duration", "ms");
    let mut kept: Vec<f64> = tasks
        .iter()
        .filter(|task| task["task_id"] == "first")
        .map(|task| task["duration"].as_f64().unwrap() * 1_000.0)
        .collect();
    told.sort_by(f64::total_cmp);
    kept.sort_by(f64::total_cmp);
    assert_eq!(told.len(), RUNS);
    for (told, kept) in told.iter().zip(&kept) {
        assert!((told - kept).abs() < 2.0 && *told >= 200.0, "{told} ms, not {kept}");
    }
    let waited = statsd.values("airflow.dag.good.first.queued_duration", "ms");
    assert_eq!(waited.len(), RUNS);
    assert!(waited.iter().all(|waited| (0.0..60_000.0).contains(waited)), "{waited:?}");
}

/// Names, kinds and texts are as Prometheus wants them.
fn check_format(text: &str) {
    if !is_there("promtool check metrics", "promtool") {
        return;
    }
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = tool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.trim().is_empty(), "{said}");
}

/// A server that is away, or has no name, costs nothing but what it misses.
#[test]
fn a_statsd_server_that_is_away_keeps_nobody() {
    for host in ["127.0.0.1", "no.such.host.invalid"] {
        let (port, nobody) = (free_port(), UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
        let settings = [
            ("FLOW__METRICS__STATSD_ON", "true"),
            ("FLOW__METRICS__STATSD_HOST", host),
            ("FLOW__METRICS__STATSD_PORT", &nobody.to_string()),
            ("FLOW__METRICS__LISTEN", &format!("127.0.0.1:{port}")),
        ];
        let flow = Flow::start_with(&[("good.yaml", GOOD), ("bad.yaml", BAD)], &settings);
        let tasks = work(&flow, &flow.token());
        assert_eq!(tasks.len(), 5 * RUNS);
        let address = format!("127.0.0.1:{port}");
        let dropped = || shown(&page(&address, "/metrics"), "flow_statsd_dropped_total");
        until("what was dropped is counted", &flow, || dropped().is_some_and(|number| number > 0.0));
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/monitoring")
}

#[test]
fn prometheus_takes_the_examples() {
    if !is_there("prometheus_takes_the_examples", "promtool") {
        return;
    }
    for args in [["check", "rules", "flow-rules.yml"], ["check", "config", "prometheus.yml"]] {
        let done = Command::new("promtool").args(args).current_dir(examples()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{args:?}: {said}");
    }
}

/// A Prometheus that reads a Flow with the files of the examples; it ends with the test.
struct Prometheus {
    _folder: tempfile::TempDir,
    child: Child,
    address: String,
}

impl Prometheus {
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = fs::read_to_string(examples().join("prometheus.yml")).unwrap();
        let config = config.replace("127.0.0.1:9102", target).replace("15s", "1s");
        fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        fs::copy(examples().join("flow-rules.yml"), folder.path().join("flow-rules.yml")).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let child = Command::new("prometheus")
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { _folder: folder, child, address }
    }

    /// Returns what a question finds.
    fn ask(&self, question: &str) -> Vec<Value> {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return Vec::new() };
        let query: String = question.bytes().map(|byte| format!("%{byte:02X}")).collect();
        write!(stream, "GET /api/v1/query?query={query} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { return Vec::new() };
        if !head.contains(" 200 ") {
            assert!(head.contains(" 503 "), "{question}: {body}");
            return Vec::new();
        }
        let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        body["data"]["result"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns every question of the dashboard, with its variables filled in.
fn questions() -> Vec<String> {
    let text = fs::read_to_string(examples().join("flow-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 20);
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let fill = |text: &str| text.replace("$dag_id", ".*").replace("$__rate_interval", "1m");
    targets.map(|target| fill(target["expr"].as_str().unwrap())).collect()
}

/// Returns the metrics that the rules look at.
fn metrics_of_rules() -> BTreeSet<String> {
    let text = fs::read_to_string(examples().join("flow-rules.yml")).unwrap();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("flow_")).map(str::to_owned).collect()
}

/// The address of a Kafka broker, if there is one.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn broker(test: &str) -> Option<String> {
    let address = std::env::var("FLOW_TEST_KAFKA").ok();
    if address.is_none() {
        println!("skipped: a part of {test} needs a Kafka broker: scripts/with-kafka COMMAND");
        assert!(std::env::var_os("FLOW_TEST_ALL").is_none(), "FLOW_TEST_ALL is set: nothing may be skipped");
    }
    address
}

/// A topic that nobody else uses.
struct Topic {
    broker: String,
    name: String,
}

impl Topic {
    fn make(broker: String) -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let topic = Self { broker, name: format!("metrics-{}-{}", std::process::id(), now.as_nanos()) };
        topic.kafka(&["topics", "create", &topic.name], "");
        topic
    }

    /// Calls `flow kafka`.
    fn kafka(&self, args: &[&str], stdin: &str) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_flow"));
        command.arg("kafka").args(args).args(["--bootstrap", &self.broker]).env_clear().env("HOME", folder.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{args:?}");
    }
}

#[test]
fn every_question_of_the_dashboard_and_the_rules_has_an_answer() {
    let test = "every_question_of_the_dashboard_and_the_rules_has_an_answer";
    if !is_there(test, "prometheus") {
        return;
    }
    let target = format!("127.0.0.1:{}", free_port());
    let topic = broker(test).map(Topic::make);
    let read = topic.as_ref().map(|topic| READ.replace("TOPIC", &topic.name)).unwrap_or_default();
    let mut dags = vec![("good.yaml", GOOD), ("bad.yaml", BAD), ("timed.yaml", TIMED), ("untold.yaml", UNTOLD)];
    dags.push(("unread.yaml", UNREAD));
    dags.extend(topic.is_some().then_some(("read.yaml", &*read)));
    let remote = tempfile::tempdir().unwrap();
    let remote = format!("file://{}", remote.path().display());
    let uri = topic.as_ref().map(|topic| format!("kafka://{}", topic.broker)).unwrap_or_default();
    let mut settings = vec![("FLOW__METRICS__LISTEN", &*target), ("FLOW__LOGGING__REMOTE", &*remote)];
    settings.extend(topic.is_some().then_some(("FLOW_CONN_KAFKA_DEFAULT", &*uri)));
    let flow = Flow::start_with(&dags, &settings);
    flow.send("PUT", "/ui/files/broken.yaml", &flow.token(), &json!({ "text": BROKEN }).to_string());
    let prometheus = Prometheus::start(&target);
    let token = flow.token();
    work(&flow, &token);
    let mut open: Vec<String> = questions().into_iter().chain(metrics_of_rules()).collect();
    assert!(open.len() > 40, "{}", open.len());
    if topic.is_none() {
        // Without a broker nothing is read.
        open.retain(|question| !["flow_kafka_lag", "flow_kafka_messages"].iter().any(|name| question.contains(name)));
    }
    let began = Instant::now();
    // Rates need a second value: there is more work, and more reading, until every question has its answer.
    while began.elapsed() < PATIENCE {
        open.retain(|question| prometheus.ask(question).is_empty());
        if open.is_empty() {
            return;
        }
        flow.post("/api/v2/dags/bad/dagRuns", &token, &json!({ "logical_date": null }).to_string());
        if let Some(topic) = &topic {
            topic.kafka(&["produce", &topic.name], "hello\n");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("no answer to:\n{}\n{}", open.join("\n"), page(&target, "/metrics"));
}
