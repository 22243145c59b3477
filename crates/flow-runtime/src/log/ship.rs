//! Every line of every log once more as JSON, into one file, for shippers to Elasticsearch, Splunk and the like.
//!
//! What was written to a log is taken from there, secrets masked. A file that cannot be written costs its lines only.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use flow_operators::Identity;
use serde_json::{Value, json};

/// A file that is longer becomes `FILE.1`; the one before it goes.
const FULL: u64 = 64 * 1024 * 1024;
/// Longest line that is not cut.
const LINE: usize = 128 * 1024;
/// How often it is looked whether the file was moved.
const LOOK: Duration = Duration::from_secs(1);

/// The file that all logs share.
pub(super) struct Shipper {
    path: PathBuf,
    full: u64,
    open: Mutex<Option<Open>>,
    is_failing: AtomicBool,
}

struct Open {
    file: File,
    inode: u64,
    looked_at: Instant,
}

impl Shipper {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, full: FULL, open: Mutex::new(None), is_failing: AtomicBool::new(false) }
    }

    /// Writes whole lines. A failure is told once, until writing works again.
    fn write(&self, lines: &[u8]) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let wrote = self.current(&mut open).and_then(|file| file.write_all(lines));
        match wrote {
            Ok(()) => self.is_failing.store(false, Ordering::Relaxed),
            Err(error) => {
                *open = None;
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(path = %self.path.display(), %error, "lines for shippers cannot be written");
                }
            }
        }
    }

    /// Returns the file; begins another when it is full, or was moved.
    fn current<'a>(&self, open: &'a mut Option<Open>) -> std::io::Result<&'a mut File> {
        if let Some(now) = open
            && now.looked_at.elapsed() >= LOOK
        {
            now.looked_at = Instant::now();
            if fs::metadata(&self.path).map(|found| found.ino()).ok() != Some(now.inode) {
                *open = None;
            }
        }
        if let Some(now) = open
            && now.file.metadata()?.len() >= self.full
        {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            // Another process may have moved it meanwhile.
            if fs::metadata(&self.path).map(|found| found.ino()).ok() == Some(now.inode) {
                fs::rename(&self.path, old)?;
            }
            *open = None;
        }
        if open.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = OpenOptions::new().append(true).create(true).open(&self.path)?;
            let inode = file.metadata()?.ino();
            *open = Some(Open { file, inode, looked_at: Instant::now() });
        }
        open.as_mut().map(|open| &mut open.file).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

/// What one log sends.
pub(super) struct Ship {
    shipper: Arc<Shipper>,
    /// What is the same in each line: whose it is.
    whose: Value,
    /// A line whose end has not come.
    rest: Vec<u8>,
    /// Where it begins in the log.
    offset: u64,
}

impl Ship {
    pub(super) fn new(shipper: Arc<Shipper>, identity: &Identity) -> Self {
        let Identity { dag_id, run_id, task_id, map_index, try_number, .. } = identity;
        let whose = json!({
            "dag_id": dag_id.as_str(),
            "run_id": run_id.as_str(),
            "task_id": task_id.as_str(),
            "map_index": map_index,
            "try_number": try_number,
            "logical_date": identity.logical_date.map(|date| date.to_string()),
            "log_id": format!("{dag_id}-{task_id}-{run_id}-{map_index}-{try_number}"),
        });
        Self { shipper, whose, rest: Vec::new(), offset: 0 }
    }

    /// Says where in the log the next byte is.
    pub(super) fn at(&mut self, position: u64) {
        self.offset = position.saturating_sub(self.rest.len() as u64);
    }

    /// Takes what was written to the log.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let end = match self.rest.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => newline + 1,
            None if self.rest.len() >= LINE => self.rest.len(),
            None => return,
        };
        let rest = self.rest.split_off(end);
        let lines = std::mem::replace(&mut self.rest, rest);
        let mut out = Vec::with_capacity(lines.len() * 3);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
            let mut object = read(&text, self.offset);
            if let (Value::Object(object), Value::Object(whose)) = (&mut object, &self.whose) {
                object.extend(whose.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            out.extend_from_slice(object.to_string().as_bytes());
            out.push(b'\n');
            self.offset += line.len() as u64;
        }
        self.shipper.write(&out);
    }

    /// Sends the last line though it has no end.
    pub(super) fn finish(&mut self) {
        if !self.rest.is_empty() {
            self.push(b"\n");
        }
    }
}

/// Reads `TIME TAG   - text`. What looks otherwise is the text of a line.
fn read(line: &str, offset: u64) -> Value {
    let parts = line.split_once(" - ").and_then(|(head, text)| Some((head.split_once(' ')?, text)));
    let ((time, tag), text) = parts.unwrap_or((("", "OUT"), line));
    let (level, logger) = match tag.trim() {
        "OUT" => ("INFO", "task.stdout"),
        "ERR" => ("ERROR", "task.stderr"),
        "WARN" => ("WARNING", "flow"),
        "ERROR" => ("ERROR", "flow"),
        _ => ("INFO", "flow"),
    };
    json!({ "asctime": time, "levelname": level, "name": logger, "message": text, "offset": offset })
}

#[cfg(test)]
mod tests {
    use flow_core::Timestamp;
    use flow_operators::{LogSink, Stream};

    use super::*;
    use crate::{
        Clock,
        log::{LogStore, Masker, tests::identity},
    };

    fn lines(path: &std::path::Path) -> Vec<Value> {
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_is_an_object_with_airflows_names_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let logs = LogStore::new(folder.path().join("logs"), Clock::standing_at(Timestamp::from_micros(0)));
        let path = folder.path().join("ship/task-logs.json");
        logs.ship(path.clone());
        let log = logs.open(&identity("load", 2), Masker::new(["hunter22".to_owned()]));
        log.write(Stream::Stdout, b"one \"quoted\"\npassword hunter22\n");
        log.write(Stream::Warning, b"careful");
        log.write(Stream::Stdout, b"no end");
        log.close();
        let lines = lines(&path);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["message"], "one \"quoted\"");
        assert_eq!(lines[0]["log_id"], "etl-load-manual__2026-01-01T00:00:00+00:00--1-2");
        assert_eq!((&lines[2]["levelname"], &lines[2]["name"]), (&json!("WARNING"), &json!("flow")));
        assert_eq!(lines[3]["message"], "no end");
        assert!(!fs::read_to_string(&path).unwrap().contains("hunter22"));
        let text = fs::read_to_string(log.path()).unwrap();
        for line in &lines {
            let offset = usize::try_from(line["offset"].as_u64().unwrap()).unwrap();
            assert!(text[offset..].contains(line["message"].as_str().unwrap()));
            assert!(offset == 0 || text.as_bytes()[offset - 1] == b'\n');
        }
    }

    #[test]
    fn a_file_that_is_full_is_moved_and_one_that_cannot_be_written_harms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.json");
        let shipper = Shipper { full: 100, ..Shipper::new(path.clone()) };
        for _ in 0..5 {
            shipper.write(&[b'x'; 60]);
        }
        assert_eq!((fs::metadata(&path).unwrap().len(), fs::read_dir(folder.path()).unwrap().count()), (60, 2));
        Shipper::new(path.join("below a file")).write(b"lost\n");
    }
}
