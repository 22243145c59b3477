//! Puts the parts of a process together: home, database, logs, loops.
//!
//! The commands `standalone`, `scheduler`, `worker` and `web` differ in which parts they take; everything they
//! share is here.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use flow_clients::Clients;
use flow_core::secret;
use flow_metrics::Metrics;
use flow_operators::Registry;
use flow_runtime::{
    Clock, Node, Stop, Workshop,
    dag_files::{DagFolder, Editor, Limits},
    folder::FolderSync,
    host,
    log::{Keep, LogStore, Masker, RemoteLogs, Sweeper, Uploader},
    measure::{Counting, Measures},
    node::process_id,
    pass::Bounds,
    settings,
    worker::Scratch,
};
use flow_store::{DagCache, Keyring, ProcessKind, RunRow, Schema, Store, StoreError, TaskRow};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{masked, sqlite_path, value::Count},
    context::Cx,
    dag_files::FolderFiles,
    descriptors,
    metrics::{self, Beside},
    output::Refusal,
    task_logs::{Hosts, TaskLogs},
    traces::{self, Traces},
};

/// Flow's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The parts that every process has.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) dags: DagCache,
    pub(crate) registry: Arc<Registry>,
    pub(crate) logs: LogStore,
    /// Where logs are copied to.
    pub(crate) remote_logs: Option<RemoteLogs>,
    pub(crate) clock: Clock,
    /// What is measured of this process.
    pub(crate) metrics: Metrics,
    /// Where its traces go, if anywhere.
    pub(crate) traces: Option<Traces>,
    /// The keys of variables and connections.
    keyring: Keyring,
    /// Held while the process lives: one process a SQLite file.
    lock: Option<File>,
}

/// What to do with the schema of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Migrate {
    /// Bring it up to date.
    Yes,
    /// Leave it; refuse to go on when it is another one than this program's.
    No,
}

impl Parts {
    /// Opens what a long-running process needs. On SQLite it must be the only one.
    pub(crate) async fn of_process(cx: &Cx) -> anyhow::Result<Self> {
        make_home(&cx.config.home)?;
        let lock = lock_database(cx)?;
        let mut parts = Self::open(cx, Migrate::Yes).await?;
        parts.lock = lock;
        parts.check_key().await?;
        parts.trace(cx).await?;
        Ok(parts)
    }

    /// Begins to listen for what traces tell, if there are to be any. Before the parts are used.
    pub(crate) async fn trace(&mut self, cx: &Cx) -> anyhow::Result<()> {
        if let Some((heard, traces)) = traces::of_settings(cx, &self.store, &self.metrics).await? {
            self.store = heard;
            self.traces = Some(traces);
        }
        Ok(())
    }

    /// Refuses to go on without the key of variables and connections: better now than when the first task needs one.
    pub(crate) async fn check_key(&self) -> anyhow::Result<()> {
        self.store.check_key().await.map_err(|error| match error {
            StoreError::Key(sentence) => Refusal::failed(sentence).help(KEY_HELP).into(),
            other @ (StoreError::NotFound { .. }
            | StoreError::Conflict(_)
            | StoreError::Inconsistent { .. }
            | StoreError::TooMuch
            | StoreError::Unusable(_)
            | StoreError::Database(_)) => other.into(),
        })
    }

    /// Opens a database that is there already.
    pub(crate) async fn of_database(cx: &Cx) -> anyhow::Result<Self> {
        let url = &cx.config.settings.database.url;
        if let Some(path) = sqlite_path(url)
            && !path.exists()
        {
            return Err(Refusal::failed(format!("there is no database at `{}` yet", masked(url)))
                .help("start Flow first (`flow standalone`), or say where its home is (`--home`, FLOW_HOME)")
                .into());
        }
        Self::open(cx, Migrate::No).await
    }

    async fn open(cx: &Cx, migrate: Migrate) -> anyhow::Result<Self> {
        let settings = &cx.config.settings;
        let keyring = keyring(cx)?;
        let store = Store::open(&settings.database.url).await?.with_keyring(keyring.clone());
        match (store.schema().await?, migrate) {
            (Schema::Current { .. }, _) => {}
            (Schema::Newer { version, known }, _) => return Err(newer_schema(version, known)),
            (Schema::Older { .. }, Migrate::Yes) => store.migrate().await?,
            (Schema::Older { version, known }, Migrate::No) => {
                return Err(Refusal::failed(format!("the database has schema {version}, this flow needs {known}"))
                    .help("run `flow db migrate`")
                    .into());
            }
        }
        let registry = Arc::new(flow_operators::all());
        let metrics = metrics::of_settings(&settings.metrics);
        let store = if metrics.is_on() {
            store.with_witness(Arc::new(Counting::new(metrics.clone(), &registry.catalog())))
        } else {
            store
        };
        let remote_logs = remote_logs(cx)?;
        let clock = Clock::system();
        let logs = LogStore::new(&settings.logging.folder, clock.clone());
        logs.limit(settings.logging.max_attempt_size.0);
        if remote_logs.is_some() {
            logs.announce();
        }
        if let Some(path) = &settings.logging.ship_to.0 {
            logs.ship(path.clone());
        }
        Ok(Self {
            dags: DagCache::new(Arc::new(registry.catalog())).with_notifications(cx.config.notifications.clone()),
            logs,
            remote_logs,
            store,
            registry,
            clock,
            metrics,
            traces: None,
            keyring,
            lock: None,
        })
    }

    /// Makes the loop of this process. `work`: it runs tasks.
    pub(crate) fn node(&self, cx: &Cx, kind: ProcessKind) -> Node {
        let settings = &cx.config.settings;
        let works = kind != ProcessKind::Scheduler;
        let slots = usize::try_from(settings.worker.slots.0).unwrap_or(usize::MAX);
        let queues = settings.worker.queues.clone();
        let id = process_id(&self.clock);
        let me =
            host::this_process(id.clone(), kind, if works { slots } else { 0 }, &queues, VERSION, self.clock.now());
        Node {
            me,
            schedules: kind != ProcessKind::Worker,
            bounds: Bounds {
                max_infrastructure_retries: settings.core.max_infrastructure_retries,
                runs: settings.scheduler.batch.0,
                ..Bounds::default()
            },
            work: works.then_some((slots, queues)),
            shop: Workshop {
                store: self.store.clone(),
                dags: self.dags.clone(),
                registry: self.registry.clone(),
                clients: Clients::default(),
                logs: self.logs.clone(),
                clock: self.clock.clone(),
                scratch: Arc::new(Scratch::new(&cx.config.home.join("scratch"), &id)),
                worker: id,
                kill_grace: settings.core.kill_grace,
                dag_folder: Some(settings.dags.folder.clone()),
                masker: self.masker(cx),
                traces: self.traces.as_ref().map(|traces| traces.ids),
            },
            measures: Measures::new(self.metrics.clone(), metrics::job(kind)),
            lease: settings.worker.lease,
            heartbeat: settings.worker.heartbeat,
            drain: settings.worker.drain,
            poll: settings.scheduler.poll_interval,
            is_alone: self.lock.is_some(),
        }
    }

    /// Takes part until a stop is asked for; beside it, looks after the task logs and measures.
    pub(crate) async fn run_node(&self, cx: &Cx, kind: ProcessKind, stop: &Stop) -> anyhow::Result<()> {
        let node = self.node(cx, kind);
        let beside = match Beside::start(cx, self, Some((kind, &node.me.id)), stop).await {
            Ok(beside) => beside,
            Err(error) => {
                stop.drain();
                return Err(error);
            }
        };
        if kind == ProcessKind::Worker && cx.config.settings.worker.serve_logs {
            self.serve_logs(cx, &node.me.id, &node.me.hostname, stop).await;
        }
        let ended = CancellationToken::new();
        let run = async {
            let ran = node.run(stop.clone()).await;
            stop.drain();
            ended.cancel();
            ran
        };
        let (ran, ()) = tokio::join!(run, self.keep_logs(cx, stop.clone(), ended.clone()));
        beside.end().await;
        Ok(ran?)
    }

    /// Begins to serve the logs of this host to web servers on others. When that fails, it is said, and work goes on.
    async fn serve_logs(&self, cx: &Cx, process: &str, hostname: &str, stop: &Stop) {
        let worker = &cx.config.settings.worker;
        let files = TaskLogs { files: self.logs.clone(), hosts: None, remote: None };
        let secret = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let begin = async {
            // Another worker of this host may have the port.
            let listener = match TcpListener::bind((worker.log_listen.as_str(), worker.log_port)).await {
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    TcpListener::bind((worker.log_listen.as_str(), 0)).await?
                }
                other => other?,
            };
            let name = if worker.log_host.0.is_empty() { hostname } else { &worker.log_host.0 };
            let address = format!("{name}:{}", listener.local_addr()?.port());
            let mut tx = self.store.begin().await?;
            tx.add_log_server(process, &address, &secret).await?;
            tx.commit().await?;
            tracing::info!(%address, "task logs of this host are served");
            Ok::<_, anyhow::Error>(listener)
        };
        match begin.await {
            Ok(listener) => {
                let stop = stop.clone();
                tokio::spawn(async move {
                    // What still runs writes logs, and somebody may read them, until the process ends.
                    let ending = async move { stop.ending().await };
                    flow_server::worker_logs::serve_worker_logs(listener, Arc::new(files), &secret, ending).await;
                });
            }
            Err(error) => tracing::warn!("task logs of this host are not served to others: {error:#}"),
        }
    }

    /// Returns the logs of tasks, wherever they are.
    pub(crate) fn task_logs(&self) -> TaskLogs {
        // On SQLite there is only this host.
        let hosts = if self.lock.is_some() { None } else { Hosts::new(self.store.clone()) };
        TaskLogs { files: self.logs.clone(), hosts, remote: self.remote_logs.clone() }
    }

    /// Keeps the task logs in bounds until a stop is asked for, and copies them elsewhere until nothing writes any.
    async fn keep_logs(&self, cx: &Cx, stop: Stop, ended: CancellationToken) {
        let logging = &cx.config.settings.logging;
        let some = |span: Duration| (!span.is_zero()).then_some(span);
        let keep = Keep {
            pack_after: some(logging.compress_after),
            age: some(logging.retention),
            size: (logging.max_size.0 > 0).then_some(logging.max_size.0),
        };
        let sweeper = Sweeper { logs: self.logs.clone(), store: self.store.clone(), keep };
        let uploader = self.remote_logs.clone();
        let uploader = uploader.map(|remote| Uploader {
            metrics: self.metrics.clone(),
            ..Uploader::new(self.logs.clone(), self.store.clone(), remote)
        });
        tokio::join!(sweeper.run(stop.clone()), async {
            if let Some(uploader) = uploader {
                uploader.run(stop, ended).await;
            }
        });
    }

    /// Makes what keeps the database in step with the DAG folder.
    pub(crate) fn folder(&self, cx: &Cx, paused_at_creation: bool) -> FolderSync {
        let settings = &cx.config.settings;
        FolderSync {
            store: self.store.clone(),
            catalog: Arc::new(self.registry.catalog()),
            folder: DagFolder::new(&settings.dags.folder, Limits::default(), self.clock.clone()),
            clock: self.clock.clone(),
            version: VERSION.to_owned(),
            paused_at_creation,
            scan_interval: settings.dags.scan_interval,
            metrics: self.metrics.clone(),
        }
    }
}

impl Parts {
    /// Hides what no log may show, whatever a task asks for: keys, and secrets of the environment and the settings.
    fn masker(&self, cx: &Cx) -> Masker {
        let url = secret::secrets_of_variable("", &cx.config.settings.database.url);
        Masker::new(settings::secrets_of_environment().into_iter().chain(self.keyring.written()).chain(url))
    }
}

/// Finds the second place of logs, if there is to be one.
fn remote_logs(cx: &Cx) -> anyhow::Result<Option<RemoteLogs>> {
    let Some(url) = &cx.config.settings.logging.remote.0 else { return Ok(None) };
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    RemoteLogs::new(url, environment).map(Some).map_err(|problem| {
        Refusal::usage(format!("`logging.remote` cannot be used: {problem}"))
            .help("see docs/how-to/keep-logs.md for what each kind of store needs")
            .into()
    })
}

/// Fills in a task's arguments as its next attempt would see them; secrets are masked. An error is a sentence.
pub(crate) async fn render(
    store: &Store,
    dags: &DagCache,
    clock: &Clock,
    row: RunRow,
    task: &TaskRow,
) -> Result<Value, String> {
    let dag = dags.read(store, row.version_id).await.map_err(|error| error.to_string())?;
    let ix = dag
        .task_ix(&task.task_id)
        .ok_or_else(|| format!("task `{}` is not in the run's version of its DAG", task.task_id))?;
    flow_runtime::worker::render(store, dags, clock, row.run, &dag.dag, ix, task.try_number.max(1)).await
}

/// What to do when the key is lost for good.
const KEY_HELP: &str = "if the key is lost: delete what it encrypted (`flow variables`, `flow connections`), see docs/how-to/keep-secrets.md";

/// Finds the keys: those of the environment, else the file in the home.
fn keyring(cx: &Cx) -> anyhow::Result<Keyring> {
    match &cx.config.secret_key {
        Some(text) => Keyring::given(text.expose()).map_err(|problem| Refusal::usage(problem).into()),
        None => Ok(Keyring::in_file(cx.config.home.join("secret.key"))),
    }
}

/// Refuses to go on with a database that a newer program has changed.
pub(crate) fn newer_schema(version: i64, known: i64) -> anyhow::Error {
    Refusal::failed(format!(
        "the database has schema {version}, and this flow {VERSION} knows only {known}: a newer flow has used it"
    ))
    .help("upgrade flow, or point `database.url` elsewhere")
    .into()
}

/// Refuses to go on with SQLite, which only one process can work on.
pub(crate) fn need_postgres(cx: &Cx, command: &str) -> anyhow::Result<()> {
    if cx.config.settings.database.url.starts_with("sqlite:") {
        return Err(Refusal::usage(format!("`{command}` needs Postgres: only one process can work on SQLite"))
            .help("set `database.url` to postgres://…, or run everything in one process with `flow standalone`")
            .into());
    }
    Ok(())
}

/// Opens the web server's port.
pub(crate) async fn listen(cx: &Cx) -> anyhow::Result<TcpListener> {
    descriptors::raise_limit();
    let web = &cx.config.settings.web;
    let address =
        format!("{}:{}", if web.host.contains(':') { format!("[{}]", web.host) } else { web.host.clone() }, web.port);
    TcpListener::bind(&address).await.map_err(|error| {
        let refusal = Refusal::failed(format!("cannot listen on {address}: {error}"));
        if error.kind() == std::io::ErrorKind::AddrInUse {
            refusal.help("another program has this port; choose one with `--port`, 0 for any free one").into()
        } else {
            refusal.help("check `--host` and `--port`").into()
        }
    })
}

/// Serves the web server until a stop is asked for.
pub(crate) async fn serve(cx: &Cx, parts: &Parts, listener: TcpListener, stop: Stop) {
    let web = &cx.config.settings.web;
    // What is not known to be reachable from this machine only, counts as reachable from elsewhere.
    let is_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let (store, dags, clock) = (parts.store.clone(), parts.dags.clone(), parts.clock.clone());
    let wanted = |count: Count| usize::try_from(count.0).unwrap_or(usize::MAX);
    let connections = wanted(web.max_connections).min(descriptors::room_for_connections());
    let limits =
        flow_server::Limits { connections, per_address: wanted(web.max_connections_per_address).min(connections) };
    let app = flow_server::App {
        store: parts.store.clone(),
        dags: parts.dags.clone(),
        about: Arc::new(about(cx)),
        auth: flow_server::Auth::new(flow_server::AuthConfig {
            anonymous_role: web.anonymous_role.0,
            trusted_proxies: web.trusted_proxies.0.clone(),
            allowed_hosts: web.allowed_hosts.0.clone(),
            is_loopback,
            session_idle: web.session_idle,
            session_lifetime: web.session_lifetime,
        }),
        live: flow_server::Live::new(parts.store.clone(), connections / 2),
        logs: Arc::new(parts.task_logs()),
        ui: flow_server::Ui::of_build(),
        dag_files: Arc::new(FolderFiles::new(Editor::new(&cx.config.settings.dags.folder, Limits::default()))),
        edit_dags: web.edit_dags,
        dag_schema: Arc::new(flow_operators::dag_schema(&parts.registry)),
        graphs: flow_server::Graphs::default(),
        version: VERSION,
        max_infrastructure_retries: cx.config.settings.core.max_infrastructure_retries,
        metrics: parts.metrics.clone(),
        anonymous_scrape: cx.config.settings.metrics.anonymous_scrape,
        now: flow_runtime::clock::system_now,
        environment: flow_runtime::settings::connection,
        renderer: Arc::new(move |row, task| {
            let (store, dags, clock) = (store.clone(), dags.clone(), clock.clone());
            Box::pin(async move { render(&store, &dags, &clock, row, &task).await })
        }),
    };
    let ended = flow_server::serve(listener, app, limits, async move { stop.draining().await }).await;
    if let Err(error) = ended {
        tracing::error!(%error, "the web server ended");
    }
}

fn about(cx: &Cx) -> flow_server::About {
    let settings = cx.config.shown().into_iter().filter_map(|shown| {
        let (section, key) = shown.name.split_once('.')?;
        let value = match &shown.value {
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                shown.value.to_string()
            }
        };
        let (section, key) = (section.to_owned(), key.to_owned());
        Some(flow_server::Setting { section, key, value, source: shown.source, place: shown.place })
    });
    flow_server::About {
        settings: settings.collect(),
        dag_folder: cx.config.settings.dags.folder.display().to_string(),
    }
}

/// Where the password of the first user is kept.
const ADMIN_PASSWORD: &str = "admin_password";

/// Makes the user `admin` when there is no user, and returns a line for the greeting: where to log in, and as whom.
pub(crate) async fn first_admin(cx: &Cx, parts: &Parts, listener: &TcpListener) -> anyhow::Result<String> {
    let path = cx.config.home.join(ADMIN_PASSWORD);
    make_home(&cx.config.home)?;
    let made = flow_server::make_first_admin(&parts.store, cx.now(), |password| keep_secret(&path, password)).await?;
    let place = format!("http://{}/login", listener.local_addr()?);
    Ok(match made {
        Some(password) => {
            format!("{place}, as `admin` with the password {password} (kept in {})", path.display())
        }
        None if path.exists() => format!("{place} (the first password of `admin` is in {})", path.display()),
        None => place,
    })
}

/// Writes a file that only its owner can read; one that is there is replaced, with its rights.
fn keep_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let new = path.with_extension(format!("{}", std::process::id()));
    let _ = fs::remove_file(&new);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(format!("{secret}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Makes the home, and finds out whether it can be written.
pub(crate) fn make_home(home: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(home);
    // Other processes may share the home, and look at the same time.
    let probe = home.join(format!(".write-test-{}", std::process::id()));
    let tried = made.and_then(|()| File::create(&probe)).and_then(|_| fs::remove_file(&probe));
    tried.map_err(|error| {
        Refusal::failed(format!("the home `{}` cannot be written: {error}", home.display()))
            .help("give write permission to it, or choose another with `--home` or FLOW_HOME")
            .into()
    })
}

/// Takes the lock beside a SQLite file; `None` on Postgres, where any number of processes may work.
///
/// A process that was just killed may hold it for a moment longer: a child that it was about to start shares the
/// lock until it has become another program.
pub(crate) fn lock_database(cx: &Cx) -> anyhow::Result<Option<File>> {
    let Some(path) = sqlite_path(&cx.config.settings.database.url) else { return Ok(None) };
    let path = PathBuf::from(format!("{}-lock", path.display()));
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open the lock file `{}`", path.display()))?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_LOOK),
            Err(TryLockError::WouldBlock) => {
                return Err(Refusal::failed(format!(
                    "another flow works on the database `{}`",
                    path.display().to_string().trim_end_matches("-lock")
                ))
                .help("on SQLite only one process can; stop the other one, choose another `--home`, or use Postgres")
                .into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
            }
        }
    }
}

/// How long a process that was killed may still seem to hold the database.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// Between two looks at the lock.
const LOCK_LOOK: Duration = Duration::from_millis(5);

/// How long the parts of a process may take to end after the loop has.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);
