//! What `import` and `export` of variables, connections and pools share: files of names and what they mean, in
//! Airflow's forms.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use flow_core::Timestamp;
use flow_store::{Event, Tx};
use serde_json::{Map, Value};

use crate::{
    context::Cx,
    output::{Refusal, yaml_document},
};

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Largest value that is read from stdin.
const VALUE_BYTES_MAX: u64 = 4 << 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    Json,
    Yaml,
    /// `name=value`, a line each
    Env,
}

/// What to do with a name that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnExisting {
    Overwrite,
    Skip,
    /// Change nothing at all
    Fail,
}

impl Form {
    /// Finds the form by the end of a file's name; JSON when that says nothing.
    fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        match name.rsplit('.').next() {
            Some("yaml" | "yml") => Self::Yaml,
            Some("env") => Self::Env,
            Some(_) | None => Self::Json,
        }
    }
}

/// Reads a file of names; `-` = stdin, which holds JSON.
pub(crate) fn read(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let failed = |why: String| Refusal::failed(format!("could not read `{}`: {why}", path.display()));
    let text = if path == Path::new("-") {
        bounded(io::stdin().lock(), FILE_BYTES_MAX)
    } else {
        File::open(path).and_then(|file| bounded(file, FILE_BYTES_MAX))
    };
    let text = text.map_err(|error| failed(error.to_string()))?;
    // Words of a parser may repeat what stands there: only the place is told.
    let value = match Form::of(path) {
        Form::Json => serde_json::from_str(&text)
            .map_err(|error| failed(format!("line {}, column {}: this is not JSON", error.line(), error.column())))?,
        Form::Yaml => serde_saphyr::from_str(&text).map_err(|error| {
            let place = error.location().map(|place| format!("line {}: ", place.line())).unwrap_or_default();
            failed(format!("{place}this is not YAML"))
        })?,
        Form::Env => Value::Object(lines(&text).map_err(failed)?),
    };
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(failed("it must be an object of names and what they mean".to_owned()).into())
        }
    }
}

/// Reads lines such as `name=value`.
fn lines(text: &str) -> Result<Map<String, Value>, String> {
    let mut found = Map::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!("line {} is not of the form NAME=VALUE", at + 1));
        };
        found.insert(name.trim().to_owned(), Value::from(value.trim()));
    }
    Ok(found)
}

fn bounded(reader: impl io::Read, most: u64) -> io::Result<String> {
    let mut text = String::new();
    reader.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} bytes")));
    }
    Ok(text)
}

/// Writes names to a file that only its owner may read, or to stdout.
pub(crate) fn write(cx: &Cx, path: Option<&Path>, form: Option<Form>, all: Map<String, Value>) -> anyhow::Result<()> {
    let path = path.filter(|path| *path != Path::new("-"));
    let form = form.or(path.map(Form::of)).unwrap_or(Form::Json);
    let count = all.len();
    let text = match form {
        Form::Json => format!("{:#}\n", Value::Object(all)),
        Form::Yaml => yaml_document(&Value::Object(all)),
        Form::Env => {
            let lines = all.into_iter().map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if text.contains(['\n', '\r']) {
                    return Err(Refusal::failed(format!("`{name}` has several lines, which this form cannot hold"))
                        .help("export to a file that ends in .json"));
                }
                Ok(format!("{name}={text}\n"))
            });
            lines.collect::<Result<String, Refusal>>()?
        }
    };
    let Some(path) = path else { return Ok(cx.out.raw(&text)?) };
    let written = File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Refusal::failed(format!("could not write `{}`: {error}", path.display())))?;
    cx.out.remark(&format!("wrote {count} to {}", path.display()))?;
    Ok(())
}

/// Reads a value from stdin, so that it stands in no history; the line's end at its end is not part of it.
pub(crate) fn value_of_stdin(cx: &Cx, what: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        cx.out.note(&format!("type {what}, then Ctrl-D on a line of its own"))?;
    }
    let text = bounded(io::stdin().lock(), VALUE_BYTES_MAX)
        .map_err(|error| Refusal::failed(format!("could not read {what} from stdin: {error}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// Writes down in the audit log what the command line has changed.
pub(crate) async fn tell(tx: &mut Tx, kind: &'static str, name: &str, now: Timestamp) -> anyhow::Result<()> {
    let event = Event { kind, detail: Some(format!("`{name}`, from the command line")), ..Event::default() };
    Ok(tx.tell(&[event], now).await?)
}

/// What an import has done.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Imported {
    pub(crate) made: usize,
    pub(crate) changed: usize,
    pub(crate) skipped: usize,
}

impl Imported {
    /// Prints it.
    pub(crate) fn show(&self, cx: &Cx) -> anyhow::Result<()> {
        let Self { made, changed, skipped } = self;
        let properties = [("made", made), ("changed", changed), ("skipped", skipped)];
        cx.out.one(self, properties.map(|(name, number)| (name, number.to_string().into())).to_vec())?;
        Ok(())
    }

    /// Counts a name, and says whether it is to be written.
    pub(crate) fn count(&mut self, is_there: bool, on_existing: OnExisting, what: &str) -> Result<bool, Refusal> {
        match (is_there, on_existing) {
            (false, _) => self.made += 1,
            (true, OnExisting::Overwrite) => self.changed += 1,
            (true, OnExisting::Skip) => self.skipped += 1,
            (true, OnExisting::Fail) => {
                return Err(Refusal::failed(format!("{what} exists already; nothing was changed"))
                    .help("take another `--on-existing`: overwrite or skip"));
            }
        }
        Ok(!is_there || on_existing == OnExisting::Overwrite)
    }
}
