//! Logs of finished attempts, compressed: `attempt=N.log.gz`, which `zcat` and `zless` read, and of which any range can be read.
//!
//! Blocks of the log, each a gzip member of its own; then a member without content whose header holds the compressed
//! length of every block; then one whose header says where that is. Reading a range opens the blocks it touches.

use std::{
    fs::{self, File, FileTimes, OpenOptions, TryLockError},
    io::{self, BufWriter, Read, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder, bufread::MultiGzDecoder};

/// Bytes of a log in a block; more in logs of gigabytes, so that the list of blocks fits into one header.
const BLOCK: u64 = 256 * 1024;
/// Most blocks.
const BLOCKS: u64 = 8192;
/// Largest block: more than this times [`BLOCKS`] is not packed.
const BLOCK_MAX: u64 = 64 * 1024 * 1024;
/// A compressed block is never longer than it would be stored: what a file says beyond that is not believed.
const SLACK: u64 = 1024 * 1024;
/// Begins what the last header says.
const MAGIC: [u8; 8] = *b"flowlog1";
/// Length of what the last header says.
const FOOT: usize = 8 + 8 + 8 + 4 + 4;
/// Before the content of a header: that of gzip, the length of the extra field, and the field's own head.
const HEAD: usize = 10 + 2 + 4;
/// After it: nothing, compressed, and its checksum and length.
const REST: usize = 2 + 8;

/// What became of a log that was to be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// From so many bytes to so many.
    Done(u64, u64),
    /// It is being written, has changed, or has a packed part already.
    Busy,
    /// It was asked to stop.
    Stopped,
}

/// A packed log.
pub(super) struct Packed {
    file: File,
    /// Length of the log.
    pub(super) size: u64,
    block: u64,
    /// Where each block begins, and where the last ends.
    places: Vec<u64>,
}

/// Returns where the packed form of a log is.
pub(super) fn packed_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

/// Replaces a log by its packed form, which has its time. Whoever writes the log holds a shared lock on it, so a log
/// that is written is left alone.
pub(super) fn pack(path: &Path, stops: &dyn Fn() -> bool) -> io::Result<Packing> {
    let target = packed_path(path);
    let file = File::open(path)?;
    let before = file.metadata()?;
    if target.exists() {
        return finish(path, &file, &before, &target);
    }
    let part = PathBuf::from(format!("{}.part", target.display()));
    let made = write_part(&file, before.len(), &part, stops).and_then(|length| {
        let Some(length) = length else { return Ok(Packing::Stopped) };
        // From here on nobody may begin to write.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Packing::Busy),
            // Some file systems have no locks; the database has said that the attempt ended.
            Err(TryLockError::Error(_)) => {}
        }
        let now = fs::metadata(path)?;
        let same = |of: &fs::Metadata| (of.dev(), of.ino(), of.len(), of.modified().ok());
        if same(&now) != same(&before) {
            return Ok(Packing::Busy);
        }
        let written = OpenOptions::new().write(true).open(&part)?;
        written.set_permissions(fs::Permissions::from_mode(before.mode() & 0o777))?;
        written.set_times(FileTimes::new().set_modified(before.modified()?))?;
        written.sync_all()?;
        fs::rename(&part, &target)?;
        fs::remove_file(path)?;
        Ok(Packing::Done(before.len(), length))
    });
    if !matches!(made, Ok(Packing::Done(..))) {
        let _ = fs::remove_file(&part);
    }
    made
}

/// Removes the plain form of a log whose packing was cut off after its packed form was in place. Any other log of which
/// there are both forms has been written to since, and stays as it is.
fn finish(path: &Path, file: &File, plain: &fs::Metadata, target: &Path) -> io::Result<Packing> {
    let packed = Packed::open(target)?;
    let found = packed.file.metadata()?;
    if packed.size != plain.len() || found.modified()? != plain.modified()? {
        return Ok(Packing::Busy);
    }
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) || fs::metadata(path)?.len() != plain.len() {
        return Ok(Packing::Busy);
    }
    fs::remove_file(path)?;
    Ok(Packing::Done(plain.len(), found.len()))
}

/// Writes the packed form; returns its length, `None` when it was asked to stop.
fn write_part(file: &File, size: u64, part: &Path, stops: &dyn Fn() -> bool) -> io::Result<Option<u64>> {
    let mut block = BLOCK;
    while size.div_ceil(block) > BLOCKS {
        block *= 2;
    }
    if block > BLOCK_MAX {
        return Err(io::Error::other(format!("the log is too large to be compressed: {size} bytes")));
    }
    let out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(part)?;
    let mut out = Counted { out: BufWriter::new(out), written: 0 };
    let mut index = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    let mut at = 0;
    while at < size {
        if stops() {
            return Ok(None);
        }
        let begin = out.written;
        let mut packer = GzBuilder::new().write(&mut out, Compression::default());
        let end = size.min(at + block);
        while at < end {
            let length = piece.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            file.read_exact_at(&mut piece[..length], at)?;
            packer.write_all(&piece[..length])?;
            at += length as u64;
        }
        packer.finish()?;
        let length = u32::try_from(out.written - begin).map_err(io::Error::other)?;
        index.extend_from_slice(&length.to_le_bytes());
    }
    let index_at = out.written;
    write_header(&mut out, &index)?;
    let mut foot = MAGIC.to_vec();
    foot.extend_from_slice(&size.to_le_bytes());
    foot.extend_from_slice(&index_at.to_le_bytes());
    foot.extend_from_slice(&u32::try_from(block).map_err(io::Error::other)?.to_le_bytes());
    foot.extend_from_slice(&u32::try_from(index.len() / 4).map_err(io::Error::other)?.to_le_bytes());
    write_header(&mut out, &foot)?;
    out.out.flush()?;
    Ok(Some(out.written))
}

/// Writes a member without content, whose header holds `content`.
fn write_header(out: &mut impl Write, content: &[u8]) -> io::Result<()> {
    let mut extra = b"FL".to_vec();
    extra.extend_from_slice(&u16::try_from(content.len()).map_err(io::Error::other)?.to_le_bytes());
    extra.extend_from_slice(content);
    GzBuilder::new().extra(extra).write(out, Compression::default()).finish()?;
    Ok(())
}

/// Knows how much was written.
struct Counted<W> {
    out: W,
    written: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Packed {
    /// Opens a packed log and reads where its blocks are.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let foreign =
            || io::Error::new(io::ErrorKind::InvalidData, "the compressed log is damaged, or was not made by Flow");
        let foot_at = length.checked_sub((HEAD + FOOT + REST) as u64).ok_or_else(foreign)?;
        let mut foot = [0; FOOT];
        file.read_exact_at(&mut foot, foot_at + HEAD as u64)?;
        let number = |at: usize, width: usize| {
            foot[at..at + width].iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let (size, index_at, block, count) = (number(8, 8), number(16, 8), number(24, 4), number(28, 4));
        let fits = foot[..8] == MAGIC
            && (BLOCK..=BLOCK_MAX).contains(&block)
            && count <= BLOCKS
            && size.div_ceil(block) == count
            && index_at.checked_add((HEAD + REST) as u64 + 4 * count) == Some(foot_at);
        if !fits {
            return Err(foreign());
        }
        let mut index = vec![0; usize::try_from(4 * count).map_err(io::Error::other)?];
        file.read_exact_at(&mut index, index_at + HEAD as u64)?;
        let mut places = vec![0_u64];
        for entry in index.chunks_exact(4) {
            let length = entry.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            if length > block + SLACK {
                return Err(foreign());
            }
            places.push(places.last().unwrap_or(&0) + length);
        }
        if places.last() != Some(&index_at) {
            return Err(foreign());
        }
        Ok(Self { file, size, block, places })
    }

    /// Reads a range of the log; none past the end. Holds one compressed block beside it.
    pub(super) fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = self.size.min(offset.saturating_add(length as u64));
        let mut bytes = Vec::with_capacity(usize::try_from(end.saturating_sub(offset)).unwrap_or(0));
        let mut at = offset;
        while at < end {
            let number = usize::try_from(at / self.block).map_err(io::Error::other)?;
            let (from, to) = (self.places[number], self.places[number + 1]);
            let mut packed = vec![0; usize::try_from(to - from).map_err(io::Error::other)?];
            self.file.read_exact_at(&mut packed, from)?;
            let mut content = MultiGzDecoder::new(&packed[..]);
            let skip = at % self.block;
            io::copy(&mut content.by_ref().take(skip), &mut io::sink())?;
            let wanted = (self.block - skip).min(end - at);
            let before = bytes.len();
            content.take(wanted).read_to_end(&mut bytes)?;
            if (bytes.len() - before) as u64 != wanted {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the compressed log is damaged"));
            }
            at += wanted;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn log(size: usize) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("attempt=1.log");
        let mut text = Vec::new();
        let mut seed = 7_u64;
        while text.len() < size {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.extend_from_slice(format!("2026-01-01T00:00:00.123Z OUT   - {seed}\n").as_bytes());
        }
        text.truncate(size);
        fs::write(&path, &text).unwrap();
        (folder, path, text)
    }

    const GO_ON: &dyn Fn() -> bool = &|| false;

    #[test]
    fn every_range_of_a_packed_log_is_what_it_was() {
        let block = usize::try_from(BLOCK).unwrap();
        for size in [0, 1, block - 1, block, block + 1, 3 * block + 17] {
            let (_folder, path, text) = log(size);
            assert!(matches!(pack(&path, GO_ON).unwrap(), Packing::Done(from, _) if from == size as u64));
            assert!(!path.exists());
            let packed = Packed::open(&packed_path(&path)).unwrap();
            assert_eq!(packed.size, size as u64);
            for offset in [0, 1, block - 1, block, block + 1, 2 * block, size.saturating_sub(1), size, size + 9] {
                for length in [0, 1, 100, block, 2 * block + 3, usize::MAX] {
                    let end = size.min(offset.saturating_add(length));
                    let expected = text.get(offset.min(size)..end).unwrap_or_default();
                    assert!(packed.read_at(offset as u64, length).unwrap() == expected, "{size} {offset} {length}");
                }
            }
        }
    }

    #[test]
    fn other_programs_read_it() {
        let (_folder, path, text) = log(600_000);
        pack(&path, GO_ON).unwrap();
        let output = Command::new("gzip").arg("-dc").arg(packed_path(&path)).output().unwrap();
        assert!(output.status.success() && output.stdout == text);
    }

    #[test]
    fn the_packed_log_is_as_old_and_as_readable_as_the_log() {
        let (_folder, path, _) = log(10_000);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap();
        pack(&path, GO_ON).unwrap();
        let after = fs::metadata(packed_path(&path)).unwrap();
        assert_eq!(after.modified().unwrap(), before.modified().unwrap());
        assert_eq!(after.mode() & 0o777, 0o640);
        assert!(after.len() < before.len());
    }

    #[test]
    fn a_log_that_somebody_writes_is_left_alone() {
        let (folder, path, text) = log(10_000);
        let writer = OpenOptions::new().append(true).open(&path).unwrap();
        writer.try_lock_shared().unwrap();
        assert_eq!(pack(&path, GO_ON).unwrap(), Packing::Busy);
        assert_eq!(fs::read(&path).unwrap(), text);
        drop(writer);
        assert_eq!(pack(&path, &|| true).unwrap(), Packing::Stopped);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left of it");
        assert!(matches!(pack(&path, GO_ON).unwrap(), Packing::Done(..)));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_costs_no_memory() {
        let (_folder, path, _) = log(600_000);
        pack(&path, GO_ON).unwrap();
        let path = packed_path(&path);
        let whole = fs::read(&path).unwrap();
        for length in [0, 3, 50, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(Packed::open(&path).is_err(), "{length}");
        }
        for at in (whole.len() - 120)..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            fs::write(&path, &bytes).unwrap();
            if let Ok(packed) = Packed::open(&path) {
                let _ = packed.read_at(0, usize::MAX);
            }
        }
    }

    #[test]
    fn packing_that_was_cut_off_after_its_packed_form_was_in_place_is_ended() {
        let (_folder, path, text) = log(100_000);
        let plain = File::open(&path).unwrap().metadata().unwrap();
        let again = |text: &[u8], modified| {
            std::fs::write(&path, text).unwrap();
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            file.set_times(FileTimes::new().set_modified(modified)).unwrap();
        };
        assert!(matches!(pack(&path, &|| false).unwrap(), Packing::Done(..)));
        again(&text, plain.modified().unwrap());
        assert!(matches!(pack(&path, &|| false).unwrap(), Packing::Done(..)));
        assert!(!path.exists() && packed_path(&path).exists());
        // Written to since: both forms stay.
        again(&text[1..], plain.modified().unwrap());
        assert!(matches!(pack(&path, &|| false).unwrap(), Packing::Busy));
        again(&text, plain.modified().unwrap() + std::time::Duration::from_secs(1));
        assert!(matches!(pack(&path, &|| false).unwrap(), Packing::Busy));
        assert!(path.exists() && packed_path(&path).exists());
    }
}
