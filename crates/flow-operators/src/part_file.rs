//! A file that is there whole or not at all: written beside its place, and moved there at the end.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use sha2::{Digest, Sha256};
use tokio::{
    fs::{self, File},
    io::{AsyncWriteExt, BufWriter},
};

use crate::{context::TaskContext, operator::OperatorError};

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
        // A token has slashes, and may be longer than the name of a file.
        let digest = Sha256::digest(&cx.identity.token);
        let mut part_name = name.to_os_string();
        part_name.push(format!(".part-{:08x}", u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])));
        let part = path.with_file_name(part_name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).await.map_err(|error| failed(folder, &error))?;
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

fn failed(path: &Path, error: &io::Error) -> OperatorError {
    OperatorError::retry(anyhow!("cannot write `{}`: {error}", path.display()))
}
