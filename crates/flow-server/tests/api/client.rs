//! A database with DAGs, the router on it, and short words for requests.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use flow_core::Timestamp;
use flow_server::{
    About, App, Auth, AuthConfig, By, DagFile, DagFileError, DagFileLine, DagFileList, DagFiles, Graphs, Later, Live,
    LogName, LogPart, Logs, LogsOf, NamedFiles, Role, Setting, Ui, Who,
};
use flow_store::Keyring;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{support::Database, world::World, world::at};

/// Largest answer that a test reads.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What variables and connections are encrypted with.
pub(crate) const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
/// A small UI in place of the real one, embedded in the same way.
pub(crate) const DIST: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/fixture.rs"));
/// Streams that may be open; a user may have a quarter of them.
const STREAMS: usize = 12;

/// The API as someone sees it. The clock stands at 1,000 seconds.
#[derive(Clone)]
pub(crate) struct Api {
    pub w: World,
    pub app: App,
    pub router: Router,
    pub who: Option<Who>,
    pub logs: Files,
    pub dags: Texts,
}

/// Logs in a folder that goes away with the last clone.
#[derive(Clone)]
pub(crate) struct Files {
    folder: Arc<tempfile::TempDir>,
    /// Whose logs were removed.
    removed: Arc<Mutex<Vec<LogsOf>>>,
}

impl Files {
    /// Returns where the log of a try is; made when it is written.
    pub(crate) fn path(&self, task_id: &str, try_number: u32) -> PathBuf {
        self.folder.path().join(format!("{task_id}-{try_number}.log"))
    }

    /// Returns whose logs were removed since the last time.
    pub(crate) fn removed(&self) -> Vec<LogsOf> {
        std::mem::take(&mut self.removed.lock().unwrap())
    }
}

impl Logs for Files {
    fn read<'a>(&'a self, log: &'a LogName, offset: u64, max: usize) -> Later<'a, io::Result<Option<LogPart>>> {
        let path = self.path(log.task_id.as_str(), log.try_number);
        let read = move || {
            let Ok(file) = File::open(path) else { return Ok(None) };
            let size = file.metadata()?.len();
            let offset = offset.min(size);
            let mut bytes = vec![0; usize::try_from(size - offset).unwrap_or(max).min(max)];
            file.read_exact_at(&mut bytes, offset)?;
            Ok(Some(LogPart { bytes, offset, size }))
        };
        Box::pin(async move { tokio::task::spawn_blocking(read).await.unwrap() })
    }

    fn remove<'a>(&'a self, of: &'a LogsOf) -> Later<'a, io::Result<()>> {
        self.removed.lock().unwrap().push(of.clone());
        Box::pin(async { Err(io::Error::other("no disk")) })
    }
}

/// A DAG folder in memory; a file's text is its `etag`.
#[derive(Clone, Default)]
pub(crate) struct Texts {
    texts: Arc<Mutex<BTreeMap<String, String>>>,
    pub obstacle: Arc<Mutex<Option<String>>>,
}

impl Texts {
    /// Puts a file there.
    pub(crate) fn put(&self, path: &str, text: &str) {
        self.texts.lock().unwrap().insert(path.to_owned(), text.to_owned());
    }

    /// Returns the text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.texts.lock().unwrap().get(path).cloned()
    }

    /// Returns the text, if it is what is expected, or there is none when nothing is.
    fn expected(&self, path: &str, etag: Option<&str>) -> Result<Option<String>, DagFileError> {
        if !path.ends_with(".yaml") {
            return Err(DagFileError::Refused("no DAG file".to_owned()));
        }
        let text = self.text(path);
        match text.as_deref() == etag {
            true => Ok(text),
            false => Err(DagFileError::Changed("it has changed".to_owned())),
        }
    }
}

impl DagFiles for Texts {
    fn list(&self, most: usize) -> Later<'_, DagFileList> {
        let texts = self.texts.lock().unwrap();
        let line = |(path, text): (&String, &String)| DagFileLine {
            path: path.clone(),
            bytes: text.len() as u64,
            modified: at(5),
        };
        let files = texts.iter().take(most).map(line).collect();
        let list = DagFileList { files, obstacle: self.obstacle.lock().unwrap().clone() };
        Box::pin(async { list })
    }

    fn read<'a>(&'a self, path: &'a str) -> Later<'a, Result<DagFile, DagFileError>> {
        let text = self.text(path).ok_or_else(|| DagFileError::Missing("the file does not exist".to_owned()));
        Box::pin(async { text.map(|text| DagFile { etag: text.clone(), text }) })
    }

    fn write<'a>(
        &'a self,
        path: &'a str,
        text: &'a str,
        etag: Option<&'a str>,
    ) -> Later<'a, Result<String, DagFileError>> {
        Box::pin(async move {
            self.expected(path, etag)?;
            self.put(path, text);
            Ok(text.to_owned())
        })
    }

    fn remove<'a>(&'a self, path: &'a str, etag: Option<&'a str>) -> Later<'a, Result<(), DagFileError>> {
        Box::pin(async move {
            let text = self.text(path).ok_or_else(|| DagFileError::Missing("the file does not exist".to_owned()))?;
            self.expected(path, Some(etag.unwrap_or(&text)))?;
            self.texts.lock().unwrap().remove(path);
            Ok(())
        })
    }

    fn named<'a>(&'a self, path: Option<&'a str>, names: Vec<String>) -> Later<'a, Result<NamedFiles, DagFileError>> {
        let refused = path.is_some_and(|path| !path.ends_with(".yaml"));
        let read = |name: String| {
            let text = self.text(&name).ok_or_else(|| "does not exist".to_owned());
            (name, text)
        };
        let named = if refused {
            Err(DagFileError::Refused("no DAG file".to_owned()))
        } else {
            Ok(names.into_iter().map(read).collect())
        };
        Box::pin(async { named })
    }
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body; a string when it is not JSON, null when there is none.
    pub body: Value,
}

impl From<Database> for Api {
    fn from(db: Database) -> Self {
        let mut w = World::from(db);
        w.store = w.store.with_keyring(Keyring::given(KEY).unwrap());
        Self::of(w, AuthConfig::default()).as_role(Role::Admin)
    }
}

impl Api {
    /// Returns the API on a database, with settings for logins, as it is for nobody.
    pub(crate) fn of(w: World, config: AuthConfig) -> Self {
        Self::with_clock(w, config, || at(1_000))
    }

    /// Like [`Api::of`], with another clock.
    pub(crate) fn with_clock(w: World, config: AuthConfig, now: fn() -> Timestamp) -> Self {
        Self::made(w, config, now, true)
    }

    /// Returns the API where DAG files are not edited.
    pub(crate) fn without_editing(&self) -> Self {
        Self { who: self.who.clone(), ..Self::made(self.w.clone(), AuthConfig::default(), || at(1_000), false) }
    }

    fn made(w: World, config: AuthConfig, now: fn() -> Timestamp, edit_dags: bool) -> Self {
        let setting = |section: &str, key: &str, value: &str| Setting {
            section: section.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            source: "flag",
            place: Some(format!("--{key}")),
        };
        let about = About {
            dag_folder: "/dags".to_owned(),
            settings: vec![setting("core", "a", "1"), setting("core", "b", "2"), setting("web", "port", "8080")],
        };
        let logs = Files { folder: Arc::new(tempfile::tempdir().unwrap()), removed: Arc::default() };
        let dags = Texts::default();
        let app = App {
            store: w.store.clone(),
            dags: w.dags.clone(),
            about: Arc::new(about),
            auth: Auth::new(config),
            live: Live::new(w.store.clone(), STREAMS),
            logs: Arc::new(logs.clone()),
            ui: Ui::embedded(DIST),
            dag_files: Arc::new(dags.clone()),
            edit_dags,
            dag_schema: Arc::new(json!({ "title": "of tests" })),
            graphs: Graphs::default(),
            version: "0.0.0",
            max_infrastructure_retries: 3,
            now,
            environment: |id| match id {
                "of_environment" => {
                    flow_core::connection::Connection::parse(id, "http://me:hunter2@127.0.0.1:1/").map(Some)
                }
                _ => Ok(None),
            },
            metrics: flow_metrics::Metrics::new(flow_metrics::Settings {
                prometheus: true,
                statsd: None,
                dags_max: 10,
                tasks_max: 10,
            }),
            anonymous_scrape: false,
            renderer: Arc::new(|_, task| {
                Box::pin(async move { Ok(json!({ "text": format!("of {}", task.task_id) })) })
            }),
        };
        Self { w, router: flow_server::router(app.clone()), app, who: None, logs, dags }
    }

    /// Returns the API beside another UI.
    pub(crate) fn with_ui(&self, ui: Ui) -> Self {
        let app = App { ui, ..self.app.clone() };
        Self { router: flow_server::router(app.clone()), app, ..self.clone() }
    }

    /// Returns the API with `metrics.anonymous_scrape`.
    pub(crate) fn with_open_metrics(&self) -> Self {
        let app = App { anonymous_scrape: true, ..self.app.clone() };
        Self { router: flow_server::router(app.clone()), app, ..self.clone() }
    }

    /// Returns the API as someone of this role sees it; their name is the role's in small letters.
    pub(crate) fn as_role(&self, role: Role) -> Self {
        let who = Who { user: role.as_str().to_lowercase(), role, by: By::Process, address: None };
        Self { who: Some(who), ..self.clone() }
    }

    /// Returns the API as it is for someone who has not said who they are.
    pub(crate) fn as_nobody(&self) -> Self {
        Self { who: None, ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &Value::Null).await
    }

    /// Sends a request; null = no body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        };
        self.ask(request.unwrap()).await
    }

    /// Sends any request.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.begin(request).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| match bytes.is_empty() {
            true => Value::Null,
            false => Value::from(String::from_utf8_lossy(&bytes).into_owned()),
        });
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Api {
    /// Sends any request; its answer has begun.
    pub(crate) async fn begin(&self, mut request: Request<Body>) -> axum::response::Response {
        if let Some(who) = &self.who {
            request.extensions_mut().insert(who.clone());
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Asks for something with headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(request(path, headers)).await
    }
}

/// Makes a request with headers.
pub(crate) fn request(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

impl Answer {
    /// Fails unless this is the status; returns the body.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
}

/// Users and their tokens.
impl Api {
    /// Makes a user with the password `correct horse`.
    pub(crate) async fn user(&self, name: &str, role: &str) {
        // Hashed once: it takes a while.
        static HASH: std::sync::LazyLock<String> =
            std::sync::LazyLock::new(|| flow_server::hash_password(PASSWORD).unwrap());
        let mut tx = self.w.store.begin().await.unwrap();
        let user = flow_store::NewUser { name, role, password: &HASH, is_active: true };
        tx.add_user(&user, at(1)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes a user, and returns a token of theirs.
    pub(crate) async fn token_of(&self, name: &str, role: &str) -> String {
        self.user(name, role).await;
        let user = self.w.store.user(name).await.unwrap().unwrap();
        let (secret, hash, prefix) = flow_server::token_secret().unwrap();
        let token =
            flow_store::NewToken { user: user.id, name: "test", hash: &hash, prefix: &prefix, expires_at: None };
        let mut tx = self.w.store.begin().await.unwrap();
        tx.add_token(&token, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        secret
    }
}

/// The password of users in tests.
pub(crate) const PASSWORD: &str = "correct horse";
