//! The log of one attempt: a file that is appended to, whatever happens to it.
//!
//! A write goes to the file at once when little is written, else within the store's period. What cannot be
//! written is kept (a little), then dropped, counted and told in the log itself; the attempt never notices.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use flow_core::{Timestamp, mask::Masker};
use flow_operators::{LogSink, Stream};

use super::{
    Inner,
    flusher::Flush,
    lines::{Lines, notice},
    ship::Ship,
};

/// Input is taken in pieces of this size, so that what they become stays small too.
const PIECE: usize = 16 * 1024;

/// What is gathered before it is written whatever the time.
const FULL: usize = 64 * 1024;

/// What is kept while the file cannot be written.
const KEPT: usize = 256 * 1024;

/// How long after a failure the file is tried again, and how often it is looked for rotation.
const LOOK: Duration = Duration::from_secs(1);

/// How long a file without writes stays open.
const IDLE: Duration = Duration::from_secs(2);

/// Writes one attempt's log. Dropping it ends the last line and closes the file.
pub struct AttemptLog {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<Inner>,
    path: PathBuf,
    state: Mutex<State>,
    myself: Weak<Shared>,
}

struct State {
    lines: Lines,
    /// Lines on their way to the file.
    out: Vec<u8>,
    file: Option<OpenFile>,
    /// The file was open before, so an unfinished line at its end is ours.
    was_open: bool,
    /// The flusher knows of this log.
    is_queued: bool,
    flushed_at: Option<Instant>,
    failed_at: Option<Instant>,
    lost: Lost,
    /// Bytes that the file has.
    size: u64,
    /// It has all that it may have: what comes is dropped.
    is_full: bool,
    /// Takes each line that was written.
    ship: Option<Ship>,
}

/// What could not be written since the last success.
#[derive(Default)]
struct Lost {
    bytes: u64,
    /// Bytes of `out` that stand before the gap.
    kept: usize,
    reason: String,
}

struct OpenFile {
    file: File,
    id: (u64, u64),
    checked_at: Instant,
    used_at: Instant,
}

impl AttemptLog {
    pub(super) fn new(store: Arc<Inner>, path: PathBuf, masker: Masker, ship: Option<Ship>) -> Self {
        let lines = Lines::new(store.max_line, masker);
        let state = State {
            lines,
            out: Vec::new(),
            file: None,
            was_open: false,
            is_queued: false,
            flushed_at: None,
            failed_at: None,
            lost: Lost::default(),
            size: 0,
            is_full: false,
            ship,
        };
        let shared =
            Arc::new_cyclic(|myself| Shared { store, path, state: Mutex::new(state), myself: Weak::clone(myself) });
        Self { shared }
    }

    /// Returns where the log is written. There is no file until something was logged.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Hides more secrets, from the next write on.
    pub fn add_secrets<S: AsRef<str>>(&self, secrets: impl IntoIterator<Item = S>) {
        let mut state = self.shared.lock();
        let masker = state.lines.masker().with(secrets);
        state.lines.set_masker(masker);
    }

    /// Returns what is hidden, for other places that show the attempt's results.
    pub fn masker(&self) -> Masker {
        self.shared.lock().lines.masker().clone()
    }

    /// Writes what is waiting as far as it may be shown.
    pub fn flush(&self) {
        let mut state = self.shared.lock();
        let now = self.shared.store.clock.now();
        let State { lines, out, .. } = &mut *state;
        lines.show(out, now);
        self.shared.flush(&mut state);
    }

    /// Ends unfinished lines, writes everything and closes the file. A later write opens it again.
    pub fn close(&self) {
        self.shared.close();
    }
}

#[cfg(test)]
impl AttemptLog {
    /// Returns how much waits to be written.
    pub(super) fn buffered(&self) -> usize {
        self.shared.lock().out.capacity()
    }
}

impl LogSink for AttemptLog {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        self.take(stream, bytes, self.shared.store.max_attempt.load(Ordering::Relaxed));
    }
}

impl AttemptLog {
    /// Writes Flow's own last words, however full the log is.
    pub fn write_last(&self, stream: Stream, bytes: &[u8]) {
        self.take(stream, bytes, 0);
    }

    /// Takes bytes unless the log has as many as this; 0 = however many it has.
    fn take(&self, stream: Stream, bytes: &[u8], most: u64) {
        let mut state = self.shared.lock();
        let now = self.shared.store.clock.now();
        for piece in own_lines(stream, bytes) {
            if state.is_over(most, now) {
                break;
            }
            let State { lines, out, .. } = &mut *state;
            lines.push(out, now, stream, piece);
            if state.out.len() >= FULL {
                self.shared.flush(&mut state);
            }
        }
        let is_due = state.flushed_at.is_none_or(|at| at.elapsed() >= self.shared.store.period);
        if is_due && !state.out.is_empty() {
            self.shared.flush(&mut state);
        }
        let is_waiting = !state.out.is_empty() || state.lines.is_waiting() || state.file.is_some();
        if is_waiting && !state.is_queued {
            let myself: Weak<dyn Flush> = self.shared.myself.clone();
            state.is_queued = self.shared.store.flusher.add(myself);
            if !state.is_queued {
                let State { lines, out, .. } = &mut *state;
                lines.show(out, now);
                self.shared.flush(&mut state);
            }
        }
    }
}

impl State {
    /// Says whether the log is full; when it has just become so, in the log too.
    fn is_over(&mut self, most: u64, now: Timestamp) -> bool {
        let is_over = most > 0 && self.size + self.out.len() as u64 >= most;
        if is_over && !self.is_full {
            self.is_full = true;
            self.lines.cut(&mut self.out, now);
            let text = format!(
                "this log has {most} bytes (`logging.max_attempt_size`): what comes now is not kept, the task goes on\n"
            );
            self.lines.push(&mut self.out, now, Stream::Warning, text.as_bytes());
        }
        is_over
    }
}

impl Drop for AttemptLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// Cuts input into pieces. Flow's own words come whole, since each write of them ends its line.
fn own_lines(stream: Stream, bytes: &[u8]) -> std::slice::Chunks<'_, u8> {
    let size = match stream {
        Stream::Stdout | Stream::Stderr => PIECE,
        Stream::Info | Stream::Warning | Stream::Error => bytes.len().max(1),
    };
    bytes.chunks(size)
}

impl Flush for Shared {
    fn flush(&self) -> bool {
        let mut state = self.lock();
        let now = self.store.clock.now();
        let State { lines, out, .. } = &mut *state;
        lines.show(out, now);
        Shared::flush(self, &mut state);
        if state.file.as_ref().is_some_and(|open| open.used_at.elapsed() >= IDLE) {
            self.close_file(&mut state);
        }
        state.is_queued = !state.out.is_empty() || state.lines.is_waiting() || state.file.is_some();
        state.is_queued
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut state = self.lock();
        let now = self.store.clock.now();
        let State { lines, out, .. } = &mut *state;
        lines.finish(out, now);
        state.failed_at = None;
        self.flush(&mut state);
        self.close_file(&mut state);
        let dropped = state.out.len();
        state.out.clear();
        state.lost = Lost::default();
        if let Some(ship) = &mut state.ship {
            ship.finish();
        }
        self.store.lost_bytes.fetch_add(dropped as u64, Ordering::Relaxed);
    }

    fn flush(&self, state: &mut State) {
        state.flushed_at = Some(Instant::now());
        if state.out.is_empty() {
            return;
        }
        if state.failed_at.is_none_or(|at| at.elapsed() >= LOOK) {
            match self.write_out(state) {
                Ok(()) => {
                    state.failed_at = None;
                    self.store.note_success();
                }
                Err(error) => {
                    state.failed_at = Some(Instant::now());
                    self.close_file(state);
                    state.lost.reason = error.to_string();
                    self.store.note_failure(&self.path, &error);
                }
            }
        }
        self.drop_excess(state);
    }

    fn write_out(&self, state: &mut State) -> io::Result<()> {
        self.open_file(state)?;
        if state.lost.bytes > 0 {
            let lost = std::mem::take(&mut state.lost);
            let kept = lost.kept.min(state.out.len());
            let mut told = state.out[..kept].to_vec();
            if !told.is_empty() && told.last() != Some(&b'\n') {
                told.push(b'\n');
            }
            let text = format!("{} bytes of output could not be written here: {}", lost.bytes, lost.reason);
            told.extend_from_slice(notice(self.store.clock.now(), Stream::Warning, &text).as_bytes());
            state.out.splice(..kept, told);
        }
        let mut written = 0;
        let mut result = Ok(());
        if let Some(open) = &mut state.file {
            while written < state.out.len() {
                match open.file.write(&state.out[written..]) {
                    Ok(0) => result = Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => written += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => result = Err(error),
                }
                if result.is_err() {
                    break;
                }
            }
            open.used_at = Instant::now();
        }
        if let Some(ship) = &mut state.ship {
            ship.push(&state.out[..written]);
        }
        state.out.drain(..written);
        state.size += written as u64;
        if result.is_ok() {
            // A burst must not keep its memory.
            state.out.shrink_to(FULL);
            if self.store.open_files.load(Ordering::Relaxed) > self.store.max_open {
                self.close_file(state);
            }
        }
        result
    }

    /// Drops what is too much to keep while nothing can be written.
    fn drop_excess(&self, state: &mut State) {
        if state.out.len() <= KEPT {
            return;
        }
        let kept = if state.lost.bytes > 0 { state.lost.kept } else { KEPT };
        let kept = state.out[..kept].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let dropped = (state.out.len() - kept) as u64;
        state.out.truncate(kept);
        state.lines.interrupt();
        state.lost.kept = kept;
        state.lost.bytes += dropped;
        self.store.lost_bytes.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Opens the file, again if it was moved or removed meanwhile.
    fn open_file(&self, state: &mut State) -> io::Result<()> {
        if let Some(open) = &mut state.file {
            if open.checked_at.elapsed() < LOOK {
                return Ok(());
            }
            open.checked_at = Instant::now();
            let id = fs::metadata(&self.path).ok().map(|found| (found.dev(), found.ino()));
            if id == Some(open.id) {
                return Ok(());
            }
            self.close_file(state);
        }
        if let Some(queue) = self.store.queue.get() {
            queue.add(&self.path)?;
        }
        let file = match open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(self.path.parent().unwrap_or(Path::new("/")))?;
                open(&self.path)?
            }
            other => other?,
        };
        let found = file.metadata()?;
        if !state.was_open && found.is_file() && ends_within_a_line(&file, found.len()) {
            // What was there before was cut off by a crash.
            state.out.insert(0, b'\n');
            state.lost.kept += 1;
        }
        state.was_open = true;
        state.size = found.len();
        if let Some(ship) = &mut state.ship {
            ship.at(found.len());
        }
        let now = Instant::now();
        state.file = Some(OpenFile { file, id: (found.dev(), found.ino()), checked_at: now, used_at: now });
        self.store.open_files.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn close_file(&self, state: &mut State) {
        if state.file.take().is_some() {
            self.store.open_files.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Opens the file, and holds a shared lock on it as long as it is open: what is written is not packed.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    // Some file systems have no locks.
    let is_locked = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    if is_locked || file.metadata().is_ok_and(|found| found.is_file() && found.nlink() == 0) {
        // It is being replaced at this moment; the next try finds another file.
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    Ok(file)
}

fn ends_within_a_line(file: &File, length: u64) -> bool {
    let mut last = [0];
    length > 0 && file.read_at(&mut last, length - 1).is_ok_and(|count| count == 1) && last[0] != b'\n'
}
