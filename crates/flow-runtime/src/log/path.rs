//! Where the log of an attempt is: ids become folder names.
//!
//! Ids come from users. Whatever they hold, a path made here is below the root, and two ids never share a path.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use flow_core::{DagId, RunId, TaskId};
use flow_operators::Identity;
use sha2::{Digest, Sha256};

/// Longest name that common file systems take.
const MAX_NAME: usize = 255;

/// Names the logs of one task instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogId {
    pub dag_id: DagId,
    pub run_id: RunId,
    pub task_id: TaskId,
    /// Negative = not mapped.
    pub map_index: i32,
}

impl LogId {
    /// Returns the id of an attempt's task instance.
    pub fn of(identity: &Identity) -> Self {
        Self {
            dag_id: identity.dag_id.clone(),
            run_id: identity.run_id.clone(),
            task_id: identity.task_id.clone(),
            map_index: identity.map_index,
        }
    }

    /// Returns the folder of the attempts, below `root`.
    pub fn folder(&self, root: &Path) -> PathBuf {
        let mut path = run_folder(root, &self.dag_id, &self.run_id);
        path.push(name("task_id", self.task_id.as_str()));
        if self.map_index >= 0 {
            path.push(format!("map_index={}", self.map_index));
        }
        path
    }

    /// Returns the file of one attempt, below `root`.
    pub fn file(&self, root: &Path, try_number: u32) -> PathBuf {
        self.folder(root).join(format!("attempt={try_number}.log"))
    }
}

/// Returns the folder of a DAG's logs, below `root`.
pub(super) fn dag_folder(root: &Path, dag_id: &DagId) -> PathBuf {
    root.join(name("dag_id", dag_id.as_str()))
}

/// Returns the folder of a run's logs, below `root`.
pub(super) fn run_folder(root: &Path, dag_id: &DagId, run_id: &RunId) -> PathBuf {
    dag_folder(root, dag_id).join(name("run_id", run_id.as_str()))
}

/// Returns the try number that a file name stands for; the log may be packed.
pub(super) fn try_number(file_name: &str) -> Option<u32> {
    let name = file_name.strip_suffix(".gz").unwrap_or(file_name);
    let digits = name.strip_prefix("attempt=")?.strip_suffix(".log")?;
    digits.parse().ok().filter(|number: &u32| number.to_string() == digits)
}

/// Makes one path component. Letters, digits and harmless signs stay as they are, so that run ids can be read;
/// the rest is percent-encoded; a name that is too long is cut and ends in a hash of the whole.
fn name(key: &str, id: &str) -> String {
    let mut encoded = String::with_capacity(key.len() + id.len() + 1);
    encoded.push_str(key);
    encoded.push('=');
    let mut before = None;
    for c in id.chars() {
        let is_plain = c.is_alphanumeric() || "-_:+@=,".contains(c) || (c == '.' && before != Some('.'));
        if is_plain {
            encoded.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        before = Some(c);
    }
    if encoded.len() > MAX_NAME {
        let hash = Sha256::digest(id.as_bytes());
        let mut cut = encoded.floor_char_boundary(MAX_NAME - 33);
        // A cut through `%2F` would read as something else.
        if let Some(sign) = encoded[..cut].rfind('%').filter(|sign| cut - sign < 3) {
            cut = sign;
        }
        encoded.truncate(cut);
        encoded.push('~');
        for byte in &hash[..16] {
            let _ = write!(encoded, "{byte:02x}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use super::*;

    fn id(dag: &str, run: &str, task: &str, map_index: i32) -> LogId {
        LogId { dag_id: dag.into(), run_id: run.into(), task_id: task.into(), map_index }
    }

    #[track_caller]
    fn check(id: &LogId, try_number: u32, expected: &str) {
        assert_eq!(id.file(Path::new("/logs"), try_number), Path::new(expected));
    }

    #[test]
    fn the_path_names_dag_run_task_and_attempt_readably() {
        check(
            &id("etl", "scheduled__2026-01-01T00:00:00+00:00", "group.load", -1),
            1,
            "/logs/dag_id=etl/run_id=scheduled__2026-01-01T00:00:00+00:00/task_id=group.load/attempt=1.log",
        );
        check(&id("größe", "r", "t", 0), 12, "/logs/dag_id=größe/run_id=r/task_id=t/map_index=0/attempt=12.log");
        check(&id("a/b", "50%", "x y\n", -1), 1, "/logs/dag_id=a%2Fb/run_id=50%25/task_id=x%20y%0A/attempt=1.log");
    }

    #[test]
    fn no_id_leaves_the_root_or_changes_its_depth() {
        let nasty = [
            "",
            ".",
            "..",
            "../..",
            "/etc/passwd",
            "a/../../b",
            "..\\..",
            "\0",
            "%2e%2e%2f",
            "....//",
            "~",
            "con",
            "\u{202e}x",
            "＼",
            "∕",
            "a\u{0}b",
        ];
        for dag in nasty {
            for run in nasty {
                let path = id(dag, run, dag, -1).file(Path::new("/logs"), 1);
                let below = path.strip_prefix("/logs").expect("below the root");
                assert_eq!(below.components().count(), 4, "{path:?}");
                assert!(below.components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
                assert!(!path.to_string_lossy().contains(".."), "{path:?}");
                assert!(!path.to_string_lossy().chars().any(char::is_control), "{path:?}");
            }
        }
    }

    #[test]
    fn different_ids_have_different_paths() {
        let long = "x".repeat(300);
        let ids = [
            "a",
            "a/b",
            "a%2Fb",
            "a%252Fb",
            ".",
            "..",
            "...",
            "%2E",
            ".%2E",
            "",
            " ",
            "%20",
            &long,
            &format!("{long}y"),
            &format!("{}~{}", "x".repeat(215), "0".repeat(32)),
        ];
        let paths: std::collections::BTreeSet<_> =
            ids.iter().map(|dag| id(dag, "r", "t", -1).file(Path::new("/"), 1)).collect();
        assert_eq!(paths.len(), ids.len());
    }

    #[test]
    fn a_long_id_still_makes_a_name_that_file_systems_take() {
        for id in ["x".repeat(250), "ö".repeat(250), "/".repeat(250), format!("{}/", "x".repeat(213))] {
            let name = name("run_id", &id);
            assert!(name.len() <= MAX_NAME, "{name}");
            assert!(!name.contains("%~") && !name.contains("%2~"), "{name}");
        }
    }

    #[test]
    fn a_file_name_gives_its_try_number_back() {
        assert_eq!(try_number("attempt=3.log"), Some(3));
        assert_eq!(try_number("attempt=3.log.gz"), Some(3));
        for other in [
            "attempt=.log",
            "attempt=03.log",
            "attempt=+3.log",
            "attempt=3.log.gz.part",
            "3.log",
            "attempt=99999999999.log",
        ] {
            assert_eq!(try_number(other), None, "{other}");
        }
    }
}
