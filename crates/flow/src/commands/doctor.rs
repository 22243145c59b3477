//! `flow doctor`: looks at everything that Flow stands on, changes nothing, and says what to do.

use std::{
    collections::BTreeSet,
    fs::File,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anstyle::AnsiColor;
use flow_core::{
    Timestamp,
    catalog::Catalog,
    dag::{Arg, Callback, Notification, Severity},
};
use flow_runtime::log::UploadState;
use flow_store::{Keyring, Process, Schema, Store};
use nix::sys::statvfs::statvfs;
use serde::Serialize;

use crate::{
    config::{masked, sqlite_path},
    context::Cx,
    dag_folder,
    node::{self, VERSION},
    output::Cell,
};

/// Less free space than this is a problem.
const DISK_LEAST: u64 = 256 << 20;
/// Less than this is worth a word.
const DISK_LITTLE: u64 = 2 << 30;
/// A database that answers later than this makes every task wait.
const SLOW: Duration = Duration::from_millis(50);
/// Clocks further apart than this make schedules and leases go wrong.
const CLOCKS_APART: Duration = Duration::from_secs(2);
/// No clock that is right shows an earlier time: 1 January 2026, in microseconds.
const EARLIEST: i64 = 1_767_225_600_000_000;
/// Longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(15);
/// Broken DAG files that are named.
const NAMED: usize = 5;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow doctor
  flow doctor -o json

It looks and changes nothing. The exit code is 1 when something is wrong; a warning is not.")]
pub(crate) struct Args {}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warning,
    Problem,
}

/// What was looked at, and what was found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do.
    help: Option<String>,
}

/// What was found so far.
#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.0.push(Finding { check, verdict: Verdict::Ok, found: found.into(), help: None });
    }

    fn warning(&mut self, check: &'static str, found: impl Into<String>, help: impl Into<String>) {
        self.0.push(Finding { check, verdict: Verdict::Warning, found: found.into(), help: Some(help.into()) });
    }

    fn problem(&mut self, check: &'static str, found: impl Into<String>, help: impl Into<String>) {
        self.0.push(Finding { check, verdict: Verdict::Problem, found: found.into(), help: Some(help.into()) });
    }
}

pub(crate) async fn run(Args {}: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    settings(cx, &mut report);
    home(cx, &mut report);
    disk(cx, &mut report);
    remote_logs(cx, &mut report);
    clock(&mut report);
    let store = database(cx, &mut report).await;
    if let Some(store) = &store {
        key(store, &mut report).await;
        clocks(store, &mut report).await;
        processes(cx, store, &mut report).await;
        kafka(store, &mut report).await;
        notifications(cx, store, &mut report).await;
        store.close().await;
    }
    zones(&mut report);
    dags(cx, &mut report);
    show(cx, &report.0)
}

fn show(cx: &Cx, found: &[Finding]) -> anyhow::Result<ExitCode> {
    cx.out.list(found, &["", "check", "found"], |finding| {
        let (word, colour) = match finding.verdict {
            Verdict::Ok => ("ok", AnsiColor::Green),
            Verdict::Warning => ("warning", AnsiColor::Yellow),
            Verdict::Problem => ("problem", AnsiColor::Red),
        };
        vec![Cell::coloured(word, colour), finding.check.into(), finding.found.clone().into()]
    })?;
    let helps: Vec<_> = found.iter().filter_map(|finding| Some((finding.check, finding.help.as_ref()?))).collect();
    if !helps.is_empty() {
        cx.out.remark("")?;
    }
    for (check, help) in &helps {
        cx.out.remark(&format!("{check}: {help}"))?;
    }
    let problems = found.iter().filter(|finding| finding.verdict == Verdict::Problem).count();
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn settings(cx: &Cx, report: &mut Report) {
    match &cx.config.file {
        Some(path) => report.ok("settings", format!("flow {VERSION}, settings of {}", path.display())),
        None => report.ok("settings", format!("flow {VERSION}, no flow.toml: the defaults")),
    }
}

fn home(cx: &Cx, report: &mut Report) {
    let home = &cx.config.home;
    if !home.exists() {
        return report.warning(
            "home",
            format!("{} is not there yet", home.display()),
            "the first `flow standalone` makes it; if you expected one: say where it is with --home or FLOW_HOME",
        );
    }
    // Makes nothing that is not there: a probe file, and that goes again.
    if let Err(error) = node::make_home(home) {
        return report.problem("home", error.to_string(), "give this user write permission to it");
    }
    let mode = home.metadata().map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o007 != 0 {
        return report.warning(
            "home",
            format!("{} may be read by everybody on this host (mode {mode:03o})", home.display()),
            format!("chmod 700 {}", home.display()),
        );
    }
    report.ok("home", format!("{}, writable", home.display()));
}

fn disk(cx: &Cx, report: &mut Report) {
    let logs = cx.config.settings.logging.folder.clone();
    let mut places = vec![("disk of the home", cx.config.home.clone()), ("disk of the logs", logs)];
    // Most have both on one disk.
    places.dedup_by_key(|(_, path)| {
        nearest(path).metadata().map(|found| std::os::unix::fs::MetadataExt::dev(&found)).ok()
    });
    for (check, path) in places {
        let path = nearest(&path);
        let Ok(found) = statvfs(&path) else {
            report.warning(check, format!("cannot look at {}", path.display()), "look with `df`");
            continue;
        };
        let free = found.blocks_available().saturating_mul(found.fragment_size());
        let words = format!("{} free at {}", size(free), path.display());
        let files = (found.files() > 0).then(|| found.files_available());
        let help = "make room: `flow db clean --older-than 90d`, delete old logs, or move the home";
        if files.is_some_and(|files| files < 1_000) {
            report.problem(check, format!("hardly any file can be made at {}", path.display()), help);
        } else if free < DISK_LEAST {
            report.problem(check, words, help);
        } else if free < DISK_LITTLE {
            report.warning(check, words, help);
        } else {
            report.ok(check, words);
        }
    }
}

/// The path, or the folder above it that is there.
fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn size(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1024.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

/// How copying task logs to a second place stands.
fn remote_logs(cx: &Cx, report: &mut Report) {
    let logging = &cx.config.settings.logging;
    let Some(url) = &logging.remote.0 else { return };
    match UploadState::read(&logging.folder) {
        Some(UploadState { waiting, failing_since: Some(_), error }) => report.problem(
            "remote logs",
            format!("{waiting} logs wait for {url}: {}", error.unwrap_or_default()),
            "they are kept on the disk and sent when it is back; check the address, the rights and the room there",
        ),
        Some(state) => report.ok("remote logs", format!("{url}, {} logs wait or are being written", state.waiting)),
        None => report.ok("remote logs", format!("{url}, nothing was sent yet")),
    }
}

fn clock(report: &mut Report) {
    let now = flow_runtime::clock::system_now();
    if now.as_micros() < EARLIEST {
        report.problem("clock", format!("it says {now}"), "set the time of this host; let NTP keep it");
    } else {
        report.ok("clock", format!("{now}"));
    }
}

/// Connects; says how it is. Makes no database, and changes none.
async fn database(cx: &Cx, report: &mut Report) -> Option<Store> {
    let url = &cx.config.settings.database.url;
    let shown = masked(url);
    if let Some(path) = sqlite_path(url)
        && !path.exists()
    {
        report.warning(
            "database",
            format!("{shown} is not there yet"),
            "the first `flow standalone` makes it; to make it now: `flow db migrate`",
        );
        return None;
    }
    let began = Instant::now();
    let opened = tokio::time::timeout(PATIENCE, async {
        let store = Store::open(url).await?;
        store.ping().await?;
        let schema = store.schema().await?;
        Ok::<_, flow_store::StoreError>((store, schema))
    });
    let (store, schema) = match opened.await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            let help = "check `database.url` (`flow config show`), that the server runs, and that this user may use it";
            report.problem("database", format!("{shown}: {error}"), help);
            return None;
        }
        Err(_) => {
            let found = format!("{shown}: no answer within {} s", PATIENCE.as_secs());
            report.problem("database", found, "is the server up, and not blocked by a firewall?");
            return None;
        }
    };
    let asked = Instant::now();
    let answered = store.ping().await;
    let (opened, answer) = (asked - began, asked.elapsed());
    let words = format!(
        "{shown}, opened in {:.0} ms, answers after {:.1} ms",
        opened.as_secs_f64() * 1e3,
        answer.as_secs_f64() * 1e3
    );
    if let Err(error) = answered {
        report.problem("database", format!("{shown}: {error}"), "is the server still up?");
        return None;
    }
    if answer > SLOW {
        report.warning("database", words, "every step of a task waits for it: put Flow nearer, or give it more");
    } else {
        report.ok("database", words);
    }
    match schema {
        Schema::Current { version } => report.ok("schema", format!("{version}, as this flow needs it")),
        Schema::Older { version, known } => {
            let found = format!("{version}, and this flow needs {known}");
            report.problem("schema", found, "`flow db migrate`; `flow standalone` does it when it starts");
            return None;
        }
        Schema::Newer { version, known } => {
            let found = format!("{version}, and this flow knows only {known}: a newer one has used it");
            report.problem("schema", found, "upgrade flow, or point `database.url` elsewhere");
            return None;
        }
    }
    let keyring = match &cx.config.secret_key {
        Some(text) => Keyring::given(text.expose()),
        None => Ok(Keyring::in_file(cx.config.home.join("secret.key"))),
    };
    match keyring {
        Ok(keyring) => Some(store.with_keyring(keyring)),
        Err(sentence) => {
            report.problem("secret key", sentence, "docs/how-to/keep-secrets.md");
            Some(store)
        }
    }
}

async fn key(store: &Store, report: &mut Report) {
    match (store.current_key().await, store.check_key().await) {
        (Ok(None), Ok(())) => report.ok("secret key", "none needed yet: nothing is encrypted"),
        (Ok(Some(id)), Ok(())) => report.ok("secret key", format!("{id}, which is here")),
        (Err(error), _) | (_, Err(error)) => report.problem(
            "secret key",
            error.to_string(),
            "bring secret.key back from a backup, or set FLOW_SECRET_KEY; see docs/how-to/keep-secrets.md",
        ),
    }
}

async fn clocks(store: &Store, report: &mut Report) {
    let before = flow_runtime::clock::system_now();
    let theirs = match store.clock().await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return,
        Err(error) => return report.problem("clock of the database", error.to_string(), "is the server still up?"),
    };
    let after = flow_runtime::clock::system_now();
    // Anything between the two is right.
    let apart = before.since(theirs).max(theirs.since(after));
    let words = format!("{} ms from this host's", apart.as_millis());
    if apart > CLOCKS_APART {
        report.problem("clock of the database", words, "let NTP keep the time on both hosts");
    } else {
        report.ok("clock of the database", words);
    }
}

/// Topics whose messages make runs.
async fn kafka(store: &Store, report: &mut Report) {
    let Ok(topics) = store.kafka_topics().await else { return };
    let help = "runs wait for it, and the scheduler tries again by itself; `flow connections test ID` says more";
    for row in &topics {
        if let Some(problem) = &row.problem {
            let (topic, connection) = (&row.topic.topic, &row.topic.connection);
            report.problem("kafka", format!("topic {topic} of connection {connection}: {problem}"), help);
        }
    }
    if !topics.is_empty() && topics.iter().all(|row| row.problem.is_none()) {
        report.ok(
            "kafka",
            format!(
                "{} of {} topics make runs",
                topics.iter().filter(|row| row.holder.is_some()).count(),
                topics.len()
            ),
        );
    }
}

/// What tells of failures, of every DAG: that a connection is missing would show only when something has failed.
async fn notifications(cx: &Cx, store: &Store, report: &mut Report) {
    let (catalog, wanted) = (cx.catalog(), &cx.config.notifications);
    let callbacks = wanted.all().filter_map(|wanted| Notification::read(&wanted.text, &catalog).ok());
    let ids: BTreeSet<String> = callbacks.filter_map(|callback| connection_of(&callback, &catalog)).collect();
    let mut missing = Vec::new();
    for id in &ids {
        match (flow_runtime::settings::connection(id), store.connection(id).await) {
            (Ok(Some(_)), _) => {}
            (Err(why), _) => return report.problem("notifications", why, "correct it in the environment"),
            // What cannot be decrypted is told of the key.
            (Ok(None), Ok(Some(_))) => {}
            (Ok(None), Ok(None)) => missing.push(format!("`{id}`")),
            (_, Err(error)) => {
                return report.problem("notifications", error.to_string(), "is the database still there?");
            }
        }
    }
    let words = many(wanted.all().count(), "callback");
    if !missing.is_empty() {
        report.warning(
            "notifications",
            format!("{words}, and there is no connection {}", missing.join(", ")),
            "`flow connections set ID URI`; all is well if workers on other hosts have it in their environment",
        );
    } else if wanted.all().next().is_some() {
        report.ok("notifications", format!("{words}, and no connection is missing"));
    }
}

/// Returns the connection that a callback uses, as far as it is known beforehand.
fn connection_of(callback: &Callback, catalog: &Catalog) -> Option<String> {
    let schema = (catalog.by_name(&callback.operator)?.schema)();
    let (name, field) = schema["properties"].as_object()?.iter().find(|(name, _)| name.ends_with("conn_id"))?;
    match callback.with.iter().find(|(given, _)| given == name) {
        Some((_, Arg::Value(value))) => value.as_str(),
        Some(_) => None,
        None => field["default"].as_str(),
    }
    .map(str::to_owned)
}

/// Who works on the database, and who only seems to.
async fn processes(cx: &Cx, store: &Store, report: &mut Report) {
    let known = match store.processes().await {
        Ok(known) => known,
        Err(error) => return report.problem("processes", error.to_string(), "is the database still there?"),
    };
    let now = flow_runtime::clock::system_now();
    let silence = |process: &Process| now.since(Timestamp::from_micros(process.heartbeat_at));
    let lease = cx.config.settings.worker.lease;
    let is_locked = is_locked(&cx.config.settings.database.url);
    // On SQLite the lock tells at once; elsewhere a process is taken for dead when its lease is over.
    let (alive, dead): (Vec<_>, Vec<_>) =
        known.iter().partition(|process| is_locked.unwrap_or(true) && silence(process) < lease);
    let named = |process: &Process| format!("{} (pid {} on {})", process.kind, process.pid, process.hostname);
    if !dead.is_empty() {
        let names: Vec<String> = dead.iter().map(|process| named(process)).collect();
        report.warning(
            "dead processes",
            format!("{} did not say goodbye", names.join(", ")),
            "nothing is lost: the next scheduler takes up what they did. If none runs, start one",
        );
    }
    let schedules = alive.iter().any(|process| process.kind != "worker");
    let names: Vec<String> = alive.iter().map(|process| named(process)).collect();
    match (is_locked, schedules) {
        (Some(true), false) => report.warning(
            "processes",
            "somebody holds the lock of the database and is no Flow that runs",
            "a Flow may be starting, or migrating; look again in a moment, else see who has it open: `lsof`",
        ),
        (_, true) => report.ok("processes", format!("at work: {}", names.join(", "))),
        (Some(false), false) => report.ok("processes", "Flow is not running"),
        (None, false) => report.warning(
            "processes",
            if names.is_empty() {
                "Flow is not running".to_owned()
            } else {
                format!("no scheduler; {}", names.join(", "))
            },
            "without a scheduler nothing starts: `flow scheduler`, or `flow standalone`",
        ),
    }
}

/// Says whether a process holds the lock beside a SQLite file; `None` on Postgres, which has none.
fn is_locked(url: &str) -> Option<bool> {
    let path = sqlite_path(url)?;
    let file = File::open(format!("{}-lock", path.display())).ok();
    Some(file.is_some_and(|file| file.try_lock_shared().is_err()))
}

fn zones(report: &mut Report) {
    let bundled = flow_core::time::tzdb_version();
    report.ok("time zones", format!("rules {bundled}, which are part of this flow"));
}

/// `1 DAG`, `2 DAGs`
fn many(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

fn dags(cx: &Cx, report: &mut Report) {
    let folder = &cx.config.settings.dags.folder;
    if !folder.is_dir() {
        return report.warning(
            "DAG files",
            format!("there is no folder {}", folder.display()),
            "make it and put DAG files into it, or name another with --dags",
        );
    }
    let files = match dag_folder::read(std::slice::from_ref(folder), &cx.catalog()) {
        Ok(files) => files,
        Err(refusal) => return report.problem("DAG files", refusal.to_string(), "may this user read the folder?"),
    };
    let is_broken = |file: &&dag_folder::File| file.diagnostics.iter().any(|found| found.severity == Severity::Error);
    let broken: Vec<_> = files.iter().filter(is_broken).collect();
    let count: usize = files.iter().map(|file| file.dags.len()).sum();
    let words = format!("in {}: {}, {}", folder.display(), many(count, "DAG"), many(files.len(), "file"));
    if broken.is_empty() {
        return report.ok("DAG files", words);
    }
    let mut names: Vec<String> = broken.iter().take(NAMED).map(|file| file.path.display().to_string()).collect();
    if broken.len() > NAMED {
        names.push(format!("{} more", broken.len() - NAMED));
    }
    let help = format!("`flow dags check {}` says where and why", folder.display());
    report.problem("DAG files", format!("{words}; with errors: {}", names.join(", ")), help);
}
