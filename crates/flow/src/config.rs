//! Configuration: defaults, then `flow.toml`, then the environment, then flags.
//!
//! Every value remembers where it came from, for `flow config show` and for errors. A name that is not known is
//! an error wherever it stands. The environment and the folder come in as arguments, so tests need neither.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use flow_core::{dag::Notifications, secret::Secret};
use serde_json::Value;

pub(crate) mod remote;
pub(crate) mod settings;
pub(crate) mod value;

use crate::notifications;
use remote::{Remote, RemoteFlags};
use settings::{Entry, SECTIONS, Settings, TABLE};
use value::Setting;

/// The environment variable that sets `database.url` under a name that other tools know.
const DATABASE_URL: &str = "FLOW_DATABASE_URL";

/// The setting that says where the database is.
const DATABASE: &str = "database.url";

/// A file longer than this is not a configuration.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Env(String),
    Flag(&'static str),
}

impl Origin {
    /// One word for programs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "file",
            Self::Env(_) => "env",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::Flag(name) => write!(f, "flag `{name}`"),
        }
    }
}

/// A value as text, and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    text: String,
    pub(crate) origin: Origin,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("no home folder: neither `FLOW_HOME` nor `HOME` is set")]
    NoHome,
    #[error("could not read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{line}: {message}", path.display())]
    Syntax { path: PathBuf, line: usize, message: String },
    #[error("{origin}: unknown setting `{name}`{}", hint(suggestion.as_deref()))]
    Unknown { origin: Origin, name: String, suggestion: Option<String> },
    #[error("{origin}: `{name}` must be {expected}, not `{text}`")]
    Value { origin: Origin, name: String, expected: String, text: String },
    #[error("{origin}: `{name}`, entry {entry}: {problem}")]
    Callback { origin: Origin, name: &'static str, entry: usize, problem: String },
    #[error("`{DATABASE_URL}` and `FLOW__DATABASE__URL` are both set, and differ; unset one of them")]
    TwoDatabases,
    #[error("`worker.heartbeat` ({heartbeat}) must be at most a third of `worker.lease` ({lease})")]
    Heartbeat { heartbeat: String, lease: String },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// What the world around the process says, taken once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) environment: BTreeMap<String, String>,
    /// The working folder.
    pub(crate) folder: PathBuf,
    /// `--home`
    pub(crate) home: Option<PathBuf>,
    /// `--config`
    pub(crate) file: Option<PathBuf>,
    /// `--server` and what belongs to it.
    pub(crate) remote: RemoteFlags,
    /// Flags that set something: name of the setting, text, name of the flag.
    pub(crate) flags: Vec<(&'static str, String, &'static str)>,
    /// What the command takes where nothing is set, instead of the default: name of the setting, text.
    pub(crate) defaults: &'static [(&'static str, &'static str)],
}

impl Surroundings {
    /// Takes the process's own; what is not UTF-8 in a value is replaced, so that it is refused where it matters.
    pub(crate) fn of_process() -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.to_string_lossy().into_owned())))
            .collect();
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self { environment, folder, ..Self::default() }
    }

    /// Returns a variable; an empty one counts as not set.
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// The configuration of this process.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Folder of everything that Flow keeps.
    pub(crate) home: PathBuf,
    /// `flow.toml`, when there is one.
    pub(crate) file: Option<PathBuf>,
    /// The server that commands are meant for, instead of this home's database.
    pub(crate) remote: Option<Remote>,
    /// `FLOW_SECRET_KEY`: what variables and connections are encrypted with.
    pub(crate) secret_key: Option<Secret>,
    home_origin: Origin,
    /// The working folder.
    here: PathBuf,
    pub(crate) settings: Settings,
    /// `[notifications]`, as what it means.
    pub(crate) notifications: Arc<Notifications>,
    origins: BTreeMap<String, Origin>,
}

impl std::ops::Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// A setting as `flow config show` shows it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) source: &'static str,
    /// The file and line, variable or flag.
    pub(crate) place: Option<String>,
}

impl Config {
    /// Puts the sources over each other and checks every value.
    pub(crate) fn load(around: &Surroundings) -> Result<Self, ConfigError> {
        let (home, home_origin) = home(around)?;
        let mut given: BTreeMap<String, Given> = TABLE
            .iter()
            .map(|entry| (entry.name(), Given { text: entry.default.to_owned(), origin: Origin::Default }))
            .collect();
        for (name, text) in around.defaults {
            given.insert((*name).to_owned(), Given { text: (*text).to_owned(), origin: Origin::Default });
        }
        let file = read_file(around, &home, &mut given)?;
        read_environment(around, &mut given)?;
        for (name, text, flag) in &around.flags {
            given.insert((*name).to_owned(), Given { text: text.clone(), origin: Origin::Flag(flag) });
        }
        let beside = around.folder.join("dags");
        if let Some(folder) = given.get_mut("dags.folder")
            && folder.origin == Origin::Default
            && beside.is_dir()
        {
            folder.text = beside.to_string_lossy().into_owned();
        }
        for value in given.values_mut() {
            value.text = value.text.replace("$FLOW_HOME", &home.to_string_lossy());
        }
        let mut settings = Settings::read(&given)?;
        for path in [&mut settings.dags.folder, &mut settings.logging.folder] {
            *path = around.folder.join(&*path);
        }
        settings.database.url = database_in(&around.folder, settings.database.url);
        if settings.worker.heartbeat * 3 > settings.worker.lease {
            let heartbeat = value::in_words(settings.worker.heartbeat);
            let lease = value::in_words(settings.worker.lease);
            return Err(ConfigError::Heartbeat { heartbeat, lease });
        }
        let notifications = Arc::new(notifications::read(&settings.notifications, &given)?);
        let origins = given.into_iter().map(|(name, value)| (name, value.origin)).collect();
        let remote = Remote::of(around);
        let secret_key = around.variable(flow_store::KEY_VARIABLE).map(Secret::from);
        Ok(Self {
            home,
            file,
            remote,
            secret_key,
            home_origin,
            here: around.folder.clone(),
            settings,
            notifications,
            origins,
        })
    }

    /// Returns a path as a person would write it here: without the working folder.
    pub(crate) fn nearby(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.here) {
            Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
            Ok(rest) => rest.to_owned(),
            Err(_) => path.to_owned(),
        }
    }

    /// Says where a setting, by `section.key`, got its value.
    pub(crate) fn origin(&self, name: &str) -> &Origin {
        self.origins.get(name).unwrap_or(&Origin::Default)
    }

    /// Returns every setting for a person to read; passwords are masked.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let place = |origin: &Origin| match origin {
            Origin::Default => None,
            Origin::File { .. } => Some(origin.to_string()),
            Origin::Env(name) => Some(name.clone()),
            Origin::Flag(name) => Some((*name).to_owned()),
        };
        let home = Shown {
            name: "home".to_owned(),
            value: Value::from(self.home.to_string_lossy()),
            source: self.home_origin.word(),
            place: place(&self.home_origin),
        };
        let rest = TABLE.iter().zip(self.settings.values()).map(|(entry, value)| {
            let name = entry.name();
            let origin = self.origin(&name);
            let value = match value.as_str() {
                Some(url) if name == DATABASE => Value::from(masked(url)),
                Some(_) | None => value,
            };
            Shown { value, source: origin.word(), place: place(origin), name }
        });
        std::iter::once(home).chain(rest).collect()
    }
}

/// Finds the home: `--home`, `FLOW_HOME`, `~/.flow`.
fn home(around: &Surroundings) -> Result<(PathBuf, Origin), ConfigError> {
    let (path, origin) = if let Some(path) = &around.home {
        (path.clone(), Origin::Flag("--home"))
    } else if let Some(path) = around.variable("FLOW_HOME") {
        (PathBuf::from(path), Origin::Env("FLOW_HOME".to_owned()))
    } else {
        let user = around.variable("HOME").ok_or(ConfigError::NoHome)?;
        (Path::new(user).join(".flow"), Origin::Default)
    };
    Ok((around.folder.join(path), origin))
}

/// Reads `--config`, which must exist, or `flow.toml` in the home, which need not.
fn read_file(
    around: &Surroundings,
    home: &Path,
    given: &mut BTreeMap<String, Given>,
) -> Result<Option<PathBuf>, ConfigError> {
    let path = match &around.file {
        Some(path) => around.folder.join(path),
        None => home.join("flow.toml"),
    };
    let failed = |source| ConfigError::Read { path: path.clone(), source };
    let text = match std::fs::metadata(&path) {
        Ok(facts) if facts.len() > FILE_BYTES_MAX => {
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "more than 1 MiB")));
        }
        Ok(_) => std::fs::read_to_string(&path).map_err(failed)?,
        // What is wrong with the home is said by whoever needs it.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
                && around.file.is_none() =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    read_toml(&text, &path, given)?;
    Ok(Some(path))
}

fn read_toml(text: &str, path: &Path, given: &mut BTreeMap<String, Given>) -> Result<(), ConfigError> {
    use toml::de::{DeTable, DeValue};

    let line_of = |at: usize| 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    let at = |span: std::ops::Range<usize>| Origin::File { path: path.to_owned(), line: line_of(span.start) };
    let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| line_of(span.start)),
        message: error.message().to_owned(),
    })?;
    for (section, content) in document.get_ref() {
        let known = SECTIONS.iter().any(|(name, _)| *name == section.get_ref().as_ref());
        let origin = at(section.span());
        let name = section.get_ref().to_string();
        if !known {
            // A key without its section is the likeliest mistake: name the setting that was meant.
            let suggestion = TABLE.iter().find(|entry| entry.key == name).map(Entry::name);
            let sections = || near(&name, SECTIONS.iter().map(|(known, _)| (*known).to_owned()));
            return Err(ConfigError::Unknown { origin, suggestion: suggestion.or_else(sections), name });
        }
        let DeValue::Table(table) = content.get_ref() else {
            let (expected, text) = (format!("a section, `[{name}]`"), text[content.span()].to_owned());
            return Err(ConfigError::Value { origin, expected, name, text });
        };
        for (key, value) in table {
            let name = format!("{}.{}", section.get_ref(), key.get_ref());
            let origin = at(key.span());
            let entry = find(&name, &origin)?;
            let plain = match value.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                DeValue::Integer(_) | DeValue::Boolean(_) | DeValue::Float(_) => {
                    Some(text[value.span()].replace('_', ""))
                }
                DeValue::Array(items) if entry.is_list => items
                    .iter()
                    .map(|item| item.get_ref().as_str().filter(|name| !name.contains(',')))
                    .collect::<Option<Vec<_>>>()
                    .map(|names| names.join(",")),
                other @ (DeValue::Array(_) | DeValue::Table(_)) if entry.is_json => {
                    notifications::json_of(other).map(|value| value.to_string())
                }
                DeValue::Array(_) | DeValue::Table(_) | DeValue::Datetime(_) => None,
            };
            let Some(plain) = plain else {
                let text = text[value.span()].to_owned();
                return Err(ConfigError::Value { origin, name, expected: format!("a {}", entry.kind), text });
            };
            let is_path = entry.kind == <PathBuf as Setting>::KIND && !plain.starts_with("$FLOW_HOME");
            let plain = match path.parent() {
                // A path in a file counts from where the file is, whatever folder Flow is started in.
                Some(folder) if is_path => folder.join(plain).to_string_lossy().into_owned(),
                Some(folder) if name == DATABASE && !plain.contains("$FLOW_HOME") => database_in(folder, plain),
                Some(_) | None => plain,
            };
            given.insert(name, Given { text: plain, origin });
        }
    }
    Ok(())
}

fn read_environment(around: &Surroundings, given: &mut BTreeMap<String, Given>) -> Result<(), ConfigError> {
    for variable in around.environment.keys().filter(|name| name.starts_with("FLOW__")) {
        let origin = Origin::Env(variable.clone());
        let Some(entry) = TABLE.iter().find(|entry| entry.variable() == *variable) else {
            let suggestion = near(variable, TABLE.iter().map(Entry::variable));
            return Err(ConfigError::Unknown { origin, name: variable.clone(), suggestion });
        };
        if let Some(text) = around.variable(variable) {
            given.insert(entry.name(), Given { text: text.to_owned(), origin });
        }
    }
    if let Some(url) = around.variable(DATABASE_URL) {
        if around.variable("FLOW__DATABASE__URL").is_some_and(|other| other != url) {
            return Err(ConfigError::TwoDatabases);
        }
        let origin = Origin::Env(DATABASE_URL.to_owned());
        given.insert(DATABASE.to_owned(), Given { text: url.to_owned(), origin });
    }
    Ok(())
}

/// Reads one setting's text.
fn read_one<T: Setting>(given: &BTreeMap<String, Given>, name: &str) -> Result<T, ConfigError> {
    let value = given.get(name).expect("every setting has a default");
    T::read(&value.text).map_err(|expected| ConfigError::Value {
        origin: value.origin.clone(),
        name: name.to_owned(),
        expected,
        text: if name == DATABASE { masked(&value.text) } else { value.text.clone() },
    })
}

/// Makes the path of a SQLite database absolute; other addresses stay as they are.
fn database_in(folder: &Path, url: String) -> String {
    match sqlite_path(&url) {
        Some(path) if path.is_relative() && !path.as_os_str().is_empty() => {
            format!("sqlite:{}", folder.join(path).display())
        }
        Some(_) | None => url,
    }
}

/// Returns the file of a SQLite database, from its address.
pub(crate) fn sqlite_path(url: &str) -> Option<&Path> {
    url.strip_prefix("sqlite:").map(|path| Path::new(path.strip_prefix("//").unwrap_or(path)))
}

fn find(name: &str, origin: &Origin) -> Result<&'static Entry, ConfigError> {
    TABLE.iter().find(|entry| entry.name() == name).ok_or_else(|| ConfigError::Unknown {
        origin: origin.clone(),
        name: name.to_owned(),
        suggestion: near(name, TABLE.iter().map(Entry::name)),
    })
}

/// Returns the known name that the written one was probably meant to be.
pub(crate) fn near(written: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let slips = 1 + written.chars().count() / 6;
    known
        .filter(|name| strsim::osa_distance(written, name) <= slips || strsim::jaro_winkler(written, name) > 0.9)
        .min_by_key(|name| strsim::osa_distance(written, name))
}

/// Replaces the password of a database address.
pub(crate) fn masked(url: &str) -> String {
    let mut text = url.to_owned();
    if let Some(start) = url.find("://").map(|at| at + 3) {
        let authority = &url[start..start + url[start..].find(['/', '?']).unwrap_or(url.len() - start)];
        if let Some((user, _)) = authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':')) {
            let end = start + authority.rfind('@').unwrap_or(authority.len());
            text = format!("{}***{}", &url[..start + user.len() + 1], &url[end..]);
        }
    }
    if let Some(at) = text.find("password=") {
        let start = at + "password=".len();
        let end = text[start..].find('&').map_or(text.len(), |length| start + length);
        text.replace_range(start..end, "***");
    }
    text
}

#[cfg(test)]
mod tests;
