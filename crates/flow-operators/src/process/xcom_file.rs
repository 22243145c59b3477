//! The file in which a process may leave its result: `$FLOW_XCOM`.
//!
//! What stands there is the task's doing, and the task may be careless or hostile: a pipe, a link to a device, a
//! file without end. Only a regular file is read, and never more of it than a result can need.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use nix::{errno::Errno, fcntl::OFlag};

use crate::{context::TaskContext, operator::OperatorError, xcom};

/// The file's name in the attempt's folder.
const NAME: &str = ".flow_xcom.json";

/// Most bytes that are read. Spaces and escapes make a result of the largest size up to four times as long.
const MAX_BYTES: u64 = 4 * xcom::MAX_BYTES as u64;

/// Returns the path of the file in which a process may leave its result.
pub fn xcom_file(cx: &TaskContext) -> PathBuf {
    cx.scratch.join(NAME)
}

/// Reads what a process left in `$FLOW_XCOM`; `None`: nothing.
///
/// # Errors
///
/// It is too large, no regular file, or not JSON.
pub fn read_xcom_file(cx: &TaskContext) -> Result<Option<serde_json::Value>, OperatorError> {
    let text = match read(&xcom_file(cx)) {
        Ok(Some(text)) => text,
        Ok(None) => return Err(xcom::too_large(xcom::RETURN_VALUE)),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(OperatorError::retry(anyhow!(e).context("could not read the file `$FLOW_XCOM`"))),
    };
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|e| OperatorError::retry(anyhow!(e).context("the file `$FLOW_XCOM` does not hold JSON")))
}

/// Reads a regular file without ever waiting for it; `None`: it is too large.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).map_err(|error| {
        // What a link gives, and a socket.
        let is_special = [Errno::ELOOP, Errno::ENXIO].map(|errno| Some(errno as i32)).contains(&error.raw_os_error());
        if is_special { not_regular() } else { error }
    })?;
    // Of what was opened, not of what stands there now.
    if !file.metadata()?.is_file() {
        return Err(not_regular());
    }
    let mut text = Vec::new();
    let length = file.take(MAX_BYTES + 1).read_to_end(&mut text)? as u64;
    Ok((length <= MAX_BYTES).then_some(text))
}

fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file")
}
