//! A file that is there whole or not at all: written beside its place, and moved there at the end.
//!
//! Until then it is `NAME.part-SUBJECT-TRY-CLAIM`. A try that was killed leaves its part; the next try of the same task
//! instance for the same file finds it by its subject, and by its numbers that whoever wrote it is over.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use tokio::{
    fs::{self, File},
    io::{AsyncWriteExt, BufWriter},
};

use crate::{context::TaskContext, operator::OperatorError};

/// Most entries of a folder that are looked through for parts of earlier tries.
const ENTRIES_MAX: usize = 100_000;

/// A file that is being written. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    is_done: bool,
}

impl PartFile {
    /// Begins it, and makes the folders that it is in.
    pub(crate) async fn begin(cx: &TaskContext, path: &str) -> Result<Self, OperatorError> {
        let path = cx.path_to_write(path)?;
        let name = path.file_name().ok_or_else(|| {
            OperatorError::fatal(anyhow!("`{}` is a folder: give the path of a file", path.display()))
        })?;
        let mut stem = name.to_os_string();
        stem.push(format!(".part-{}-", cx.subject()));
        let own = (u64::from(cx.identity.try_number), cx.identity.claim);
        let mut part_name = stem.clone();
        part_name.push(format!("{}-{}", own.0, own.1));
        let part = path.with_file_name(part_name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).await.map_err(|error| failed(folder, &error))?;
        }
        if own > (1, 1) {
            let folder = path.parent().map(Path::to_owned).unwrap_or_default();
            // What cannot be removed now is found by the next try, or by a person.
            let _ = tokio::task::spawn_blocking(move || remove_older(&folder, &stem, own)).await;
        }
        let file = File::create(&part).await.map_err(|error| failed(&path, &error))?;
        Ok(Self { path, part, file: BufWriter::new(file), is_done: false })
    }

    /// Writes on.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), OperatorError> {
        self.file.write_all(bytes).await.map_err(|error| failed(&self.path, &error))
    }

    /// Puts it in its place; what was there before is replaced.
    pub(crate) async fn finish(mut self) -> Result<PathBuf, OperatorError> {
        let done = async {
            self.file.flush().await?;
            self.file.get_ref().sync_all().await?;
            fs::rename(&self.part, &self.path).await?;
            // Its name is in the folder: without this, no power cut takes the file, but one may take its name.
            match self.path.parent() {
                Some(folder) => File::open(folder).await?.sync_all().await,
                None => Ok(()),
            }
        };
        done.await.map_err(|error| failed(&self.path, &error))?;
        self.is_done = true;
        Ok(self.path.clone())
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.is_done {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// Removes the parts of earlier tries and claims.
fn remove_older(folder: &Path, stem: &OsStr, own: (u64, u64)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().take(ENTRIES_MAX) {
        let name = entry.file_name();
        let numbers = name.as_encoded_bytes().strip_prefix(stem.as_encoded_bytes());
        let numbers = numbers.and_then(|rest| std::str::from_utf8(rest).ok()?.split_once('-'));
        let numbers = numbers.and_then(|(number, claim)| Some((number.parse().ok()?, claim.parse().ok()?)));
        if numbers.is_some_and(|numbers: (u64, u64)| numbers < own) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> OperatorError {
    OperatorError::retry(anyhow!("cannot write `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    /// Begins a file as a certain try and claim, and leaves it as a kill would.
    async fn killed(world: &mut World, try_number: u32, claim: u64) {
        (world.cx.identity.try_number, world.cx.identity.claim) = (try_number, claim);
        let path = world.folder.path().join("out.csv");
        let mut file = PartFile::begin(&world.cx, &path.to_string_lossy()).await.unwrap();
        file.write(b"half").await.unwrap();
        std::mem::forget(file);
    }

    fn parts(world: &World) -> Vec<String> {
        let entries = std::fs::read_dir(world.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name.contains(".part-"));
        names.sort();
        names.iter().map(|name| name.rsplitn(3, '-').take(2).collect::<Vec<_>>().join(" of ")).collect()
    }

    #[tokio::test]
    async fn a_try_removes_the_parts_of_those_before_it() {
        let mut world = World::new();
        killed(&mut world, 1, 1).await;
        assert_eq!(parts(&world), ["1 of 1"]);
        killed(&mut world, 1, 2).await;
        assert_eq!(parts(&world), ["2 of 1"]);
        killed(&mut world, 3, 1).await;
        assert_eq!(parts(&world), ["1 of 3"]);
    }

    #[tokio::test]
    async fn a_try_leaves_what_is_newer_and_what_is_not_its_own() {
        let mut world = World::new();
        killed(&mut world, 3, 2).await;
        // Given up long ago, and not aware of it.
        killed(&mut world, 2, 5).await;
        killed(&mut world, 3, 1).await;
        assert_eq!(parts(&world), ["5 of 2", "1 of 3", "2 of 3"][1..].to_vec());
        world.cx.identity.map_index = 7;
        killed(&mut world, 4, 1).await;
        world.cx.delivery = Some("callback".to_owned());
        killed(&mut world, 5, 1).await;
        let mut all = parts(&world);
        all.sort();
        assert_eq!(all, ["1 of 3", "1 of 4", "1 of 5", "2 of 3"]);
    }

    #[tokio::test]
    async fn one_that_was_given_up_does_not_put_its_file_in_place() {
        let mut world = World::new();
        let path = world.folder.path().join("out.csv");
        let first = PartFile::begin(&world.cx, &path.to_string_lossy()).await.unwrap();
        world.cx.identity.try_number = 2;
        let mut second = PartFile::begin(&world.cx, &path.to_string_lossy()).await.unwrap();
        assert!(first.finish().await.is_err());
        second.write(b"whole").await.unwrap();
        second.finish().await.unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "whole");
        assert_eq!(parts(&world), [""; 0]);
    }
}
