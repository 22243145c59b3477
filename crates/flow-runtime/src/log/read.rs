//! Reading logs: a range, the end, and what is appended. Memory does not grow with the file.
//!
//! Takes the path of the plain file. A log may be there as such, packed beside it, or both: then it was written to
//! after it was packed, and the packed part comes first. Who may read which log is decided elsewhere.

use std::{
    fs::File,
    future::Future,
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::Instant;

use super::packed::{Packed, packed_path};

/// Most bytes that one call returns.
pub const MAX_CHUNK: usize = 4 * 1024 * 1024;

/// Bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// How often a followed file is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How often a follower asks whether the log has ended.
const ASK: Duration = Duration::from_millis(250);

/// A part of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Position of the first byte in the file.
    pub offset: u64,
    /// Length of the file when it was read.
    pub size: u64,
}

impl Chunk {
    /// Returns the position after the last byte: where to read on.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

/// A log that is there, in one form or both.
pub(super) struct LogFile {
    packed: Option<Packed>,
    plain: Option<File>,
    /// Length of the packed part, and of all.
    packed_size: u64,
    pub(super) size: u64,
}

impl LogFile {
    /// Opens what there is of a log.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // In this order: the packed form is there before the plain one goes.
        let plain = if_there(File::open(path))?;
        let packed = if_there(Packed::open(&packed_path(path)))?;
        let metadata = plain.as_ref().map(File::metadata).transpose()?;
        let plain_size = metadata.as_ref().map(|found| found.len());
        // The plain one was about to go: both are the same.
        let is_twice = packed.is_some()
            && metadata.is_some_and(|found| {
                found.modified().ok() == std::fs::metadata(packed_path(path)).and_then(|found| found.modified()).ok()
            });
        match (packed, plain_size) {
            (None, None) => Err(io::ErrorKind::NotFound.into()),
            (Some(packed), Some(size)) if is_twice && packed.size == size => {
                Ok(Self { packed: None, plain, packed_size: 0, size })
            }
            (packed, size) => {
                let packed_size = packed.as_ref().map_or(0, |packed| packed.size);
                Ok(Self { packed, plain, packed_size, size: packed_size + size.unwrap_or(0) })
            }
        }
    }

    /// Reads from a position on; less than `length` at the end only.
    pub(super) fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = match &self.packed {
            Some(packed) if offset < self.packed_size => packed.read_at(offset, length)?,
            Some(_) | None => Vec::new(),
        };
        if let Some(plain) = &self.plain
            && bytes.len() < length
        {
            let from = (offset + bytes.len() as u64).saturating_sub(self.packed_size);
            bytes.extend(read_at(plain, from, length - bytes.len())?);
        }
        Ok(bytes)
    }

    /// Names the file that grows.
    fn id(&self) -> io::Result<Option<(u64, u64)>> {
        self.plain.as_ref().map(|file| file.metadata().map(|found| (found.dev(), found.ino()))).transpose()
    }
}

fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Reads at most `max` bytes (and at most [`MAX_CHUNK`]) from a position on; none past the end.
pub fn read_range(path: &Path, offset: u64, max: usize) -> io::Result<Chunk> {
    let file = LogFile::open(path)?;
    let size = file.size;
    let offset = offset.min(size);
    let length = usize::try_from(size - offset).unwrap_or(usize::MAX).min(max).min(MAX_CHUNK);
    Ok(Chunk { bytes: file.read_at(offset, length)?, offset, size })
}

/// Reads the last lines, at most [`MAX_CHUNK`] bytes of them. An unfinished last line counts.
pub fn tail(path: &Path, lines: usize) -> io::Result<Chunk> {
    let file = LogFile::open(path)?;
    let size = file.size;
    let first = size.saturating_sub(MAX_CHUNK as u64);
    // The newline that ends the last line is not one between lines.
    let mut at = size.saturating_sub(1);
    let mut start = if lines == 0 { size } else { first };
    let mut left = lines;
    while left > 0 && at > first {
        let from = at.saturating_sub(BLOCK as u64).max(first);
        let length = usize::try_from(at - from).unwrap_or(BLOCK);
        let block = file.read_at(from, length)?;
        for (position, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            left -= 1;
            if left == 0 {
                start = from + position as u64 + 1;
                break;
            }
        }
        at = from;
    }
    let length = usize::try_from(size - start).unwrap_or(MAX_CHUNK).min(MAX_CHUNK);
    Ok(Chunk { bytes: file.read_at(start, length)?, offset: start, size })
}

fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut read = 0;
    while read < length {
        match file.read_at(&mut bytes[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

/// Follows a file as it grows. Waits for it if it does not exist yet; begins again when it is replaced or cut.
pub struct Follow<F> {
    path: PathBuf,
    offset: u64,
    id: Option<(u64, u64)>,
    has_ended: F,
    is_last: bool,
    asked_at: Option<Instant>,
}

impl<F, Ended> Follow<F>
where
    F: FnMut() -> Ended + Send,
    Ended: Future<Output = bool> + Send,
{
    /// Follows from a position on, until `has_ended` says that nothing more will be written.
    pub fn new(path: impl Into<PathBuf>, offset: u64, has_ended: F) -> Self {
        Self { path: path.into(), offset, id: None, has_ended, is_last: false, asked_at: None }
    }

    /// Returns the position in the file up to which chunks were returned.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Waits for the next bytes; `None` when the log has ended and all of it was returned. May be dropped
    /// while it waits without losing anything.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(bytes) = self.look().await? {
                return Ok(Some(bytes));
            }
            if self.is_last {
                return Ok(None);
            }
            if self.asked_at.is_none_or(|at| at.elapsed() >= ASK) {
                self.is_last = (self.has_ended)().await;
                self.asked_at = Some(Instant::now());
                if self.is_last {
                    // What was written between the look and the answer.
                    continue;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (path, offset, id) = (self.path.clone(), self.offset, self.id);
        let looked = tokio::task::spawn_blocking(move || look(&path, offset, id)).await.map_err(io::Error::other)?;
        let Some((id, chunk)) = looked? else { return Ok(None) };
        self.id = id;
        self.offset = chunk.end();
        Ok((!chunk.bytes.is_empty()).then_some(chunk.bytes))
    }
}

/// The device and inode of the plain file, and what is in the log from a position on.
type Looked = (Option<(u64, u64)>, Chunk);

fn look(path: &Path, offset: u64, id: Option<(u64, u64)>) -> io::Result<Option<Looked>> {
    let file = match LogFile::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let found = file.id()?;
    // Packed meanwhile is no other file.
    let is_other = (file.packed.is_none() && id.is_some() && id != found) || file.size < offset;
    let offset = if is_other { 0 } else { offset };
    let bytes = file.read_at(offset, BLOCK)?;
    Ok(Some((found, Chunk { bytes, offset, size: file.size })))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use super::*;

    fn file(text: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), text).expect("written");
        file
    }

    #[track_caller]
    fn check_tail(text: &str, lines: usize, expected: &str) {
        let file = file(text);
        let chunk = tail(file.path(), lines).expect("read");
        assert_eq!(String::from_utf8_lossy(&chunk.bytes), expected);
        assert_eq!((chunk.end(), chunk.size), (text.len() as u64, text.len() as u64));
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        check_tail("a\nb\nc\n", 2, "b\nc\n");
        check_tail("a\nb\nc", 2, "b\nc");
        check_tail("a\nb\n", 5, "a\nb\n");
        check_tail("\n\n\n", 1, "\n");
        check_tail("", 5, "");
        check_tail("a\n", 0, "");
        check_tail("a", 1, "a");
        let many: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
        let last: String = (90_000..100_000).map(|n| format!("line {n}\n")).collect();
        check_tail(&many, 10_000, &last);
    }

    #[test]
    fn a_range_ends_with_the_file_and_starts_within_it() {
        let file = file("0123456789");
        let read = |offset, max| read_range(file.path(), offset, max).expect("read");
        assert_eq!(read(2, 3), Chunk { bytes: b"234".to_vec(), offset: 2, size: 10 });
        assert_eq!(read(8, 100), Chunk { bytes: b"89".to_vec(), offset: 8, size: 10 });
        assert_eq!(read(99, 100), Chunk { bytes: Vec::new(), offset: 10, size: 10 });
        assert_eq!(read(u64::MAX, usize::MAX).bytes, b"");
    }

    #[test]
    fn a_file_of_ten_gigabytes_is_read_in_parts() {
        let mut file = file("first\n");
        let size = 10 << 30;
        file.as_file().set_len(size - 5).expect("sparse");
        file.as_file_mut().write_all(b"").expect("open");
        fs::OpenOptions::new().append(true).open(file.path()).expect("open").write_all(b"\nend\n").expect("written");
        let started = std::time::Instant::now();
        assert_eq!(tail(file.path(), 1).expect("read"), Chunk { bytes: b"end\n".to_vec(), offset: size - 4, size });
        assert_eq!(tail(file.path(), 9).expect("read").bytes.len(), MAX_CHUNK);
        assert_eq!(read_range(file.path(), 0, 6).expect("read").bytes, b"first\n");
        assert_eq!(read_range(file.path(), 0, usize::MAX).expect("read").bytes.len(), MAX_CHUNK);
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_follower_sees_what_is_appended_until_the_log_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("later.log");
        let ended = Arc::new(AtomicBool::new(false));
        let mut follow = Follow::new(&path, 0, {
            let ended = Arc::clone(&ended);
            move || std::future::ready(ended.load(Ordering::SeqCst))
        });
        fs::write(&path, "one\n").expect("written");
        assert_eq!(follow.next().await.expect("read").expect("more"), b"one\n");
        let mut file = fs::OpenOptions::new().append(true).open(&path).expect("open");
        file.write_all(b"two").expect("written");
        assert_eq!(follow.next().await.expect("read").expect("more"), b"two");
        fs::rename(&path, folder.path().join("rotated")).expect("moved");
        fs::write(&path, "another file\n").expect("written");
        assert_eq!(follow.next().await.expect("read").expect("more"), b"another file\n");
        fs::write(&path, "cut\n").expect("written");
        assert_eq!(follow.next().await.expect("read").expect("more"), b"cut\n");
        ended.store(true, Ordering::SeqCst);
        assert_eq!(follow.next().await.expect("read"), None);
    }

    #[tokio::test]
    async fn following_a_log_that_never_comes_ends_too() {
        let mut follow = Follow::new("/nonexistent/log", 0, || std::future::ready(true));
        assert_eq!(follow.next().await.expect("no error"), None);
    }

    #[tokio::test]
    async fn a_follower_returns_what_was_written_just_before_the_end() {
        let file = file("");
        let path = file.path().to_owned();
        let mut follow = Follow::new(file.path(), 0, || {
            fs::write(&path, "last words\n").expect("written");
            std::future::ready(true)
        });
        assert_eq!(follow.next().await.expect("read").expect("more"), b"last words\n");
        assert_eq!(follow.next().await.expect("read"), None);
    }

    #[test]
    fn a_packed_log_is_read_as_the_plain_one_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("attempt=1.log");
        let text: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        fs::write(&path, &text).expect("written");
        let check = || {
            assert_eq!(read_range(&path, 500_000, 60).expect("read").bytes, text.as_bytes()[500_000..500_060]);
            assert_eq!(tail(&path, 2).expect("read").bytes, b"line 99998\nline 99999\n");
        };
        check();
        let copy = fs::read(&path).expect("read");
        let modified = fs::metadata(&path).and_then(|found| found.modified()).expect("a time");
        super::super::packed::pack(&path, &|| false).expect("packed");
        assert!(!path.exists());
        check();
        // A crash just before the plain file went.
        fs::write(&path, copy).expect("written");
        let file = File::options().write(true).open(&path).expect("open");
        file.set_times(fs::FileTimes::new().set_modified(modified)).expect("set");
        check();
        // Written to after it was packed.
        fs::write(&path, "more\n").expect("written");
        let chunk = tail(&path, 2).expect("read");
        assert_eq!((chunk.bytes.as_slice(), chunk.size), (&b"line 99999\nmore\n"[..], text.len() as u64 + 5));
        assert_eq!(read_range(&path, text.len() as u64 + 2, 9).expect("read").bytes, b"re\n");
    }

    #[tokio::test]
    async fn a_log_that_is_packed_while_it_is_followed_is_not_told_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("attempt=1.log");
        fs::write(&path, "one\ntwo\n").expect("written");
        let mut follow = Follow::new(&path, 0, || std::future::ready(true));
        assert_eq!(follow.next().await.expect("read").expect("more"), b"one\ntwo\n");
        super::super::packed::pack(&path, &|| false).expect("packed");
        assert_eq!(follow.next().await.expect("read"), None);
    }
}
