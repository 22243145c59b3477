//! Waits for a file.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::bash;
use crate::{
    context::TaskContext,
    operator::OperatorError,
    sensor::{Look, Sensor},
};

/// Most directory entries that one look visits.
const ENTRIES_MAX: usize = 1_000_000;

/// `uses: file_sensor`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSensor {
    /// A file or folder, or a pattern with `*`, `?` and `[…]`. Relative to the connection's path, else to the DAG
    /// file. A folder counts when there is a file in it, however deep.
    filepath: String,
    /// The connection whose `extra` has the base folder in `path`.
    #[serde(default = "fs_default")]
    fs_conn_id: String,
    /// Let `**` in the pattern mean any number of folders.
    #[serde(default)]
    recursive: bool,
    /// Accepted for Airflow's sake; changes nothing.
    #[serde(default, rename = "start_from_trigger")]
    _start_from_trigger: bool,
}

const FS_DEFAULT: &str = "fs_default";

fn fs_default() -> String {
    FS_DEFAULT.to_owned()
}

impl Sensor for FileSensor {
    const NAME: &'static str = "file_sensor";
    const CLASS: &'static str = "airflow.providers.standard.sensors.filesystem.FileSensor";
    const SUMMARY: &'static str = "Waits for a file or folder.";
    const TEMPLATED: &'static [&'static str] = &["filepath", "fs_conn_id"];
    const EXAMPLE: &'static str = "\
id: orders_are_here
uses: file_sensor
with:
  filepath: \"/data/in/{{ ds }}/*.csv\"
  poke_interval: 30s
  timeout: 6h
";

    async fn look(&self, cx: &mut TaskContext) -> Result<Look, OperatorError> {
        let base = base(cx, &self.fs_conn_id).await?;
        let pattern = cx.path_to_read(&Path::new(&base).join(&self.filepath).to_string_lossy())?;
        let sentence = format!("looking for `{}`", pattern.display());
        bash::say(cx, &sentence);
        let recursive = self.recursive;
        let cancel = cx.cancel.clone();
        let mut search = Search { left: ENTRIES_MAX, recursive, is_cancelled: Box::new(move || cancel.is_cancelled()) };
        let found = tokio::task::spawn_blocking(move || search.find(&pattern))
            .await
            .map_err(|e| OperatorError::retry(anyhow!(e).context("could not look for the file")))?;
        match found {
            Ok(Some(path)) => {
                bash::say(cx, &format!("found `{}`", path.display()));
                Ok(Look::Met(Value::Null))
            }
            Ok(None) => Ok(Look::NotYet),
            Err(TooMany) if cx.cancel.is_cancelled() => Err(OperatorError::cancelled()),
            Err(TooMany) => {
                Err(OperatorError::retry(anyhow!("the pattern visits more than {ENTRIES_MAX} files; make it narrower")))
            }
        }
    }
}

/// Returns the connection's base folder; the default connection need not exist.
async fn base(cx: &TaskContext, id: &str) -> Result<String, OperatorError> {
    let connection = cx.services.connection(id).await.map_err(OperatorError::service)?;
    let Some(connection) = connection else {
        if id == FS_DEFAULT {
            return Ok(String::new());
        }
        return Err(OperatorError::retry(anyhow!("connection `{id}` does not exist")));
    };
    let extra = &connection["extra"];
    let extra: Value = match extra.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => extra.clone(),
    };
    Ok(extra["path"].as_str().unwrap_or_default().to_owned())
}

/// More entries than one look may visit, or it was asked to end.
#[derive(Debug, PartialEq)]
struct TooMany;

/// A walk along a pattern, with shell rules: `*`, `?` and `[…]` do not match a leading dot.
struct Search {
    left: usize,
    recursive: bool,
    is_cancelled: Box<dyn Fn() -> bool + Send>,
}

impl Search {
    fn find(&mut self, pattern: &Path) -> Result<Option<PathBuf>, TooMany> {
        let parts: Vec<String> =
            pattern.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        self.walk(PathBuf::new(), &parts)
    }

    fn walk(&mut self, at: PathBuf, parts: &[String]) -> Result<Option<PathBuf>, TooMany> {
        let Some((part, rest)) = parts.split_first() else {
            return Ok(self.counts(&at)?.then_some(at));
        };
        if part == "**" && self.recursive {
            if let Some(found) = self.walk(at.clone(), rest)? {
                return Ok(Some(found));
            }
            for (name, is_folder) in self.entries(&at)? {
                if is_folder
                    && !name.starts_with('.')
                    && let Some(found) = self.walk(at.join(name), parts)?
                {
                    return Ok(Some(found));
                }
            }
            return Ok(None);
        }
        if !part.contains(['*', '?', '[']) {
            let next = at.join(part);
            return if next.symlink_metadata().is_ok() { self.walk(next, rest) } else { Ok(None) };
        }
        let glob: Vec<char> = part.chars().collect();
        for (name, _) in self.entries(&at)? {
            let is_hidden = name.starts_with('.') && !part.starts_with('.');
            if !is_hidden
                && matches(&glob, &name.chars().collect::<Vec<_>>())
                && let Some(found) = self.walk(at.join(name), rest)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A file counts; a folder counts with a file somewhere below it.
    fn counts(&mut self, path: &Path) -> Result<bool, TooMany> {
        let Ok(found) = std::fs::metadata(path) else { return Ok(false) };
        if !found.is_dir() {
            return Ok(found.is_file());
        }
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            for (name, is_folder) in self.entries(&folder)? {
                if !is_folder {
                    return Ok(true);
                }
                folders.push(folder.join(name));
            }
        }
        Ok(false)
    }

    /// Lists a folder: names, and which are folders (a link to one is not, so that walks end).
    fn entries(&mut self, folder: &Path) -> Result<Vec<(String, bool)>, TooMany> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            self.left = self.left.checked_sub(1).ok_or(TooMany)?;
            if self.left.is_multiple_of(1_000) && (self.is_cancelled)() {
                return Err(TooMany);
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            entries.push((entry.file_name().to_string_lossy().into_owned(), is_folder));
        }
        entries.sort();
        Ok(entries)
    }
}

/// Matches one name against one part of a pattern. Remembers the last star: no backtracking beyond it.
fn matches(glob: &[char], name: &[char]) -> bool {
    let (mut g, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match one(&glob[g..], name[n]) {
            Some(length) => {
                g += length;
                n += 1;
            }
            None if glob.get(g) == Some(&'*') => {
                star = Some((g + 1, n));
                g += 1;
            }
            None => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (g, n) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|&c| c == '*')
}

/// Matches one character; returns how much of the pattern that took.
fn one(glob: &[char], c: char) -> Option<usize> {
    match *glob.first()? {
        '*' => None,
        '?' => Some(1),
        '[' => {
            let is_negated = glob.get(1) == Some(&'!');
            let start = if is_negated { 2 } else { 1 };
            // A bracket right after the opening one stands for itself.
            let Some(end) = (start + 1..glob.len()).find(|&at| glob[at] == ']') else {
                return (c == '[').then_some(1);
            };
            let set = &glob[start..end];
            let mut is_in = false;
            let mut at = 0;
            while at < set.len() {
                if at + 2 < set.len() && set[at + 1] == '-' {
                    is_in |= (set[at]..=set[at + 2]).contains(&c);
                    at += 3;
                } else {
                    is_in |= set[at] == c;
                    at += 1;
                }
            }
            (is_in != is_negated).then_some(end + 1)
        }
        literal => (literal == c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flow_core::run::Outcome;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Run, World};

    #[test]
    fn a_pattern_matches_as_a_shell_does() {
        for (glob, name, expected) in [
            ("*", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("*.csv", "x.csv", true),
            ("*a*b*", "xxaxxbxx", true),
            ("?", "ab", false),
            ("[abc]x", "bx", true),
            ("[!abc]x", "bx", false),
            ("[a-f]", "e", true),
            ("[]]", "]", true),
            ("[x", "[x", true),
            ("a*a*a*a*a*a*a*a*b", &"a".repeat(200), false),
        ] {
            let of = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(matches(&of(glob), &of(name)), expected, "{glob} {name}");
        }
    }

    async fn run(world: &World, arguments: Value) -> bool {
        let finished: Run = world.run("file_sensor", arguments).await;
        let is_there = finished.outcome() == &Outcome::Success;
        assert!(is_there || matches!(finished.outcome(), Outcome::Reschedule { .. }), "{finished:?}");
        is_there
    }

    #[tokio::test]
    async fn files_folders_and_patterns_are_found() {
        let world = World::new();
        let root = world.folder.path().join("data");
        fs::create_dir_all(root.join("deep/er")).unwrap();
        fs::create_dir_all(root.join("empty/inside")).unwrap();
        fs::write(root.join("deep/er/x.csv"), "").unwrap();
        fs::write(root.join(".hidden"), "").unwrap();
        let root = root.to_str().unwrap();
        for (path, recursive, expected) in [
            ("deep/er/x.csv", false, true),
            ("deep/er/y.csv", false, false),
            ("deep", false, true),
            ("empty", false, false),
            ("*", false, true),
            ("e*", false, false),
            ("*/er/*.csv", false, true),
            ("*.csv", false, false),
            ("**/*.csv", true, true),
            ("**/*.csv", false, false),
            ("**/x.csv", true, true),
            ("empty/**", true, false),
            ("deep/**", true, true),
            ("**/nothing", true, false),
            ("*hidden", false, false),
            (".h*", false, true),
        ] {
            let arguments = json!({ "filepath": format!("{root}/{path}"), "recursive": recursive });
            assert_eq!(run(&world, arguments).await, expected, "{path} {recursive}");
        }
    }

    #[tokio::test]
    async fn a_relative_path_is_beside_the_dag_file() {
        let mut world = World::new();
        world.cx.file_folder = Some(world.folder.path().to_owned());
        fs::write(world.folder.path().join("here.txt"), "").unwrap();
        assert!(run(&world, json!({ "filepath": "here.txt" })).await);
        assert!(!run(&world, json!({ "filepath": "there.txt" })).await);
    }

    #[tokio::test]
    async fn the_connection_gives_the_base_folder() {
        let world = World::new();
        fs::write(world.folder.path().join("here.txt"), "").unwrap();
        let extra = json!({ "path": world.folder.path() });
        world.services.lock().unwrap().connections.insert("disk".to_owned(), json!({ "extra": extra }));
        assert!(run(&world, json!({ "filepath": "here.txt", "fs_conn_id": "disk" })).await);
        let finished = world.run("file_sensor", json!({ "filepath": "x", "fs_conn_id": "dusk" })).await;
        finished.failed("connection `dusk` does not exist");
    }

    #[tokio::test]
    async fn links_that_go_round_in_circles_do_not_matter() {
        let world = World::new();
        let root = world.folder.path().join("round");
        fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(&root, root.join("again")).unwrap();
        let arguments = json!({ "filepath": format!("{}/**/x", root.display()), "recursive": true });
        assert!(!run(&world, arguments).await);
    }
}
