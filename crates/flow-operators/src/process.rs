//! Runs a child process for an attempt: streams its output, ends it when asked, leaves nothing behind.
//!
//! The child leads a process group of its own. When it has ended, or must end, the whole group goes; on Linux
//! so do descendants that left the group (see [`orphans`]). Knows nothing of what the process is for.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io::{self, ErrorKind},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::anyhow;
use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    net::unix::pipe::Receiver,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    context::{LogSink, Stream, TaskContext},
    operator::OperatorError,
    values::Env,
};
use last_line::LastLine;
pub use xcom_file::{read_xcom_file, xcom_file};

mod last_line;
pub mod orphans;
mod xcom_file;

/// What a group gets between SIGTERM and SIGKILL when its leader has ended by itself.
const LEFTOVER_GRACE: Duration = Duration::from_millis(250);

/// How long processes may take to vanish after SIGKILL before we go on without them.
const VANISH: Duration = Duration::from_secs(2);

/// Most bytes that are still read after everything has ended: the largest pipe by default, four times.
const DRAIN_MAX: usize = 4 << 20;

/// The variable that no process of a task inherits.
const SECRET_KEY: &str = "FLOW_SECRET_KEY";

/// Begins the names of variables that are for the second place of logs alone: `FLOW_LOGS_AWS_SECRET_ACCESS_KEY`.
pub const LOG_STORE: &str = "FLOW_LOGS_";

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// What to run.
#[derive(Clone, Debug)]
pub struct Command {
    /// A path, or a name to be looked up in `PATH`.
    pub program: String,
    pub args: Vec<String>,
    /// Added to the environment, or all of it; the attempt's own variables come on top.
    pub env: Env,
    /// Start from Flow's own environment.
    pub inherit_env: bool,
    /// `None`: the attempt's own folder.
    pub cwd: Option<PathBuf>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; 128 + n when signal n ended it.
    pub code: i32,
    signal: Option<i32>,
    /// The last line of its output, right-stripped; `None`: too long to keep.
    pub last_line: Option<String>,
}

impl Ended {
    /// Says it in words: `exit code 1`, `signal 9 (SIGKILL)`.
    pub fn describe(&self) -> String {
        match self.signal {
            None => format!("exit code {}", self.code),
            Some(number) => match Signal::try_from(number) {
                Ok(signal) => format!("signal {number} ({signal})"),
                Err(_) => format!("signal {number}"),
            },
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
///
/// It could not be started, or was asked to end (then it and what it started are gone).
pub async fn run(cx: &TaskContext, command: &Command) -> Result<Ended, OperatorError> {
    if cx.cancel.is_cancelled() {
        return Err(OperatorError::cancelled());
    }
    orphans::adopt();
    let cwd = command.cwd.as_deref().unwrap_or(&cx.scratch);
    if command.cwd.is_none() && !cwd.is_dir() {
        std::fs::create_dir_all(cwd).map_err(|e| {
            OperatorError::retry(anyhow!(e).context(format!("could not make the folder `{}`", cwd.display())))
        })?;
    }
    check_cwd(cwd)?;
    let (mut child, mut group, mut pipes) =
        start(cx, command, cwd).map_err(|error| spawn_error(&command.program, error))?;

    let mut deadline: Option<Instant> = None;
    let mut is_killed = false;
    let status = loop {
        let until = deadline.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            () = cx.cancel.cancelled(), if deadline.is_none() => {
                say(&*cx.log, "asked to end: sending SIGTERM");
                group.signal(Signal::SIGTERM);
                deadline = Some(Instant::now() + cx.kill_grace);
            }
            () = sleep_until(until), if deadline.is_some() && !is_killed => {
                say(&*cx.log, &format!("still running after {:?}: sending SIGKILL", cx.kill_grace));
                group.signal(Signal::SIGKILL);
                is_killed = true;
            }
            status = child.wait() => break status,
            () = pipes.readable() => pipes.read_some(),
        }
    };
    orphans::forget(group.leader);
    let status = status.map_err(|e| OperatorError::retry(anyhow!(e).context("could not wait for the process")))?;
    let grace = match deadline {
        None => LEFTOVER_GRACE,
        Some(until) => until.saturating_duration_since(Instant::now()),
    };
    group.end(grace, deadline.is_some(), &mut pipes).await;
    pipes.drain();
    if cx.cancel.is_cancelled() && deadline.is_some() {
        return Err(OperatorError::cancelled());
    }
    Ok(ended(status, &pipes.last))
}

fn check_cwd(cwd: &Path) -> Result<(), OperatorError> {
    match std::fs::metadata(cwd) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(OperatorError::retry(anyhow!("the working directory `{}` is not a directory", cwd.display()))),
        Err(e) => {
            let what = format!("could not use the working directory `{}`", cwd.display());
            Err(OperatorError::retry(anyhow!(e).context(what)))
        }
    }
}

/// Starts the child and begins to keep account of it.
fn start(cx: &TaskContext, command: &Command, cwd: &Path) -> io::Result<(tokio::process::Child, Group, Pipes)> {
    let (out_reader, out_writer) = io::pipe()?;
    let (err_reader, err_writer) = if cx.airflow_dialect {
        (None, out_writer.try_clone()?)
    } else {
        let (reader, writer) = io::pipe()?;
        (Some(reader), writer)
    };
    let program = find_program(&command.program)?;
    let mut spawn = tokio::process::Command::new(program);
    if !command.inherit_env {
        spawn.env_clear();
    }
    // What encrypts all variables and connections, and the keys of the logs' store, are nothing for a task.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_flow_s_own(name)) {
        spawn.env_remove(name);
    }
    spawn
        .args(&command.args)
        .envs(command.env.iter().map(|(name, value)| (name, &value.0)))
        .envs(context_env(cx))
        .current_dir(cwd)
        .stdin(Stdio::null())
        .stdout(out_writer)
        .stderr(err_writer)
        .process_group(0)
        .kill_on_drop(true);
    let (child, leader) = orphans::spawn(&mut spawn)?;
    drop(spawn); // and with it our copies of the pipes' writing ends
    let group = Group { leader, token: cx.identity.token.clone(), log: cx.log.clone(), is_over: false };
    let pipes = Pipes {
        out: Some(Receiver::from_owned_fd(out_reader.into())?),
        err: err_reader.map(|reader| Receiver::from_owned_fd(reader.into())).transpose()?,
        last: LastLine::default(),
        log: cx.log.clone(),
        buffer: vec![0; CHUNK],
    };
    Ok((child, group, pipes))
}

fn is_flow_s_own(name: &OsStr) -> bool {
    name == SECRET_KEY || name.as_encoded_bytes().starts_with(LOG_STORE.as_bytes())
}

/// Resolves a name against `PATH`, so that the fast way of spawning can be taken whatever the environment.
fn find_program(name: &str) -> io::Result<PathBuf> {
    if name.contains('/') {
        return Ok(name.into());
    }
    static BASH: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = if name == "bash" { BASH.get_or_init(|| search(name)).clone() } else { search(name) };
    found.ok_or_else(|| ErrorKind::NotFound.into())
}

fn search(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| nix::unistd::access(file, nix::unistd::AccessFlags::X_OK).is_ok() && file.is_file())
}

fn spawn_error(program: &str, error: io::Error) -> OperatorError {
    let what = format!("could not start `{program}`");
    let code = error.raw_os_error().map(Errno::from_raw);
    if code == Some(Errno::E2BIG) {
        let why = "its arguments and environment are too large; pass large values in a file";
        OperatorError::fatal(anyhow!("{what}: {why}"))
    } else if matches!(code, Some(Errno::EAGAIN | Errno::ENOMEM)) {
        OperatorError::retry(anyhow!("{what}: the machine is out of processes or memory"))
    } else if error.kind() == ErrorKind::NotFound {
        OperatorError::retry(anyhow!("{what}: there is no such program on this machine"))
    } else if error.kind() == ErrorKind::InvalidInput {
        OperatorError::fatal(anyhow!(error).context(what))
    } else {
        OperatorError::retry(anyhow!(error).context(what))
    }
}

/// What every process of an attempt finds in its environment.
pub fn context_env(cx: &TaskContext) -> BTreeMap<&'static str, String> {
    let id = &cx.identity;
    let mut env = BTreeMap::from([
        ("FLOW_CTX_DAG_ID", id.dag_id.to_string()),
        ("FLOW_CTX_TASK_ID", id.task_id.to_string()),
        ("FLOW_CTX_RUN_ID", id.run_id.to_string()),
        ("FLOW_CTX_TRY_NUMBER", id.try_number.to_string()),
        ("FLOW_CTX_MAP_INDEX", id.map_index.to_string()),
        ("AIRFLOW_CTX_DAG_ID", id.dag_id.to_string()),
        ("AIRFLOW_CTX_TASK_ID", id.task_id.to_string()),
        ("AIRFLOW_CTX_DAG_RUN_ID", id.run_id.to_string()),
        ("AIRFLOW_CTX_TRY_NUMBER", id.try_number.to_string()),
        ("AIRFLOW_CTX_MAP_INDEX", id.map_index.to_string()),
        ("AIRFLOW_CTX_DAG_OWNER", id.owner.clone()),
        ("FLOW_XCOM", xcom_file(cx).to_string_lossy().into_owned()),
        (orphans::WORKER, id.worker_id.clone()),
        (orphans::ATTEMPT, id.token.clone()),
    ]);
    if let Some(parent) = &id.traceparent {
        env.insert("TRACEPARENT", parent.clone());
    }
    if let Some(date) = id.logical_date {
        env.insert("FLOW_CTX_LOGICAL_DATE", date.to_isoformat());
        env.insert("AIRFLOW_CTX_LOGICAL_DATE", date.to_isoformat());
    }
    env
}

fn ended(status: ExitStatus, last: &LastLine) -> Ended {
    let signal = status.signal();
    let code = status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0));
    Ended { code, signal, last_line: last.text() }
}

fn say(log: &dyn LogSink, sentence: &str) {
    log.write(Stream::Info, format!("{sentence}\n").as_bytes());
}

/// A child's output on its way to the log.
struct Pipes {
    out: Option<Receiver>,
    err: Option<Receiver>,
    last: LastLine,
    log: Arc<dyn LogSink>,
    buffer: Vec<u8>,
}

impl Pipes {
    /// Waits until there is something to read; for ever when both ends are closed.
    async fn readable(&self) {
        tokio::select! {
            () = ready(self.out.as_ref()) => {}
            () = ready(self.err.as_ref()) => {}
        }
    }

    /// Reads once from each pipe, without waiting.
    fn read_some(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let pipe = if stream == Stream::Stdout { &mut self.out } else { &mut self.err };
            let Some(receiver) = pipe else { continue };
            match receiver.try_read(&mut self.buffer) {
                Ok(0) => *pipe = None,
                Ok(length) => take(&mut self.last, &*self.log, stream, &self.buffer[..length]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => *pipe = None,
            }
        }
    }

    /// Reads what is in the pipes now. Asks the kernel, not the runtime, which may not have heard of it yet.
    /// Does not wait for the end: an escaped process may hold the other end.
    fn drain(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let pipe = if stream == Stream::Stdout { &mut self.out } else { &mut self.err };
            let Some(receiver) = pipe else { continue };
            let mut total = 0;
            while total < DRAIN_MAX {
                match nix::unistd::read(&*receiver, &mut self.buffer) {
                    Ok(0) | Err(Errno::EAGAIN) => break,
                    Ok(length) => {
                        total += length;
                        take(&mut self.last, &*self.log, stream, &self.buffer[..length]);
                    }
                    Err(Errno::EINTR) => {}
                    Err(_) => break,
                }
            }
        }
    }
}

/// The result is read from stdout; in the Airflow dialect both come through it.
fn take(last: &mut LastLine, log: &dyn LogSink, stream: Stream, bytes: &[u8]) {
    log.write(stream, bytes);
    if stream == Stream::Stdout {
        last.feed(bytes);
    }
}

async fn ready(pipe: Option<&Receiver>) {
    match pipe {
        // An error shows again when reading, and closes the pipe there.
        Some(receiver) => drop(receiver.readable().await),
        None => std::future::pending().await,
    }
}

/// A child's process group. Dropped before its end, everything in it is killed.
struct Group {
    leader: Pid,
    token: String,
    log: Arc<dyn LogSink>,
    is_over: bool,
}

impl Group {
    fn signal(&self, signal: Signal) {
        // Fails only when nobody is left.
        let _ = killpg(self.leader, signal);
    }

    fn is_empty(&self) -> bool {
        killpg(self.leader, None).is_err()
    }

    /// Ends what the leader left: the group, then those who left the group.
    async fn end(&mut self, grace: Duration, was_asked: bool, pipes: &mut Pipes) {
        let mut sweep = orphans::Sweep::new(&self.token);
        sweep.reap();
        if !self.is_empty() {
            if !was_asked {
                say(&*self.log, "ending processes that the task left running");
                self.signal(Signal::SIGTERM);
            }
            self.wait_until_empty(grace, pipes, || sweep.reap()).await;
            if !self.is_empty() {
                self.signal(Signal::SIGKILL);
                // Its dead may have a parent that left the group, and must go first.
                self.wait_until_empty(VANISH, pipes, || {
                    sweep.kill_and_reap();
                })
                .await;
            }
        }
        let deadline = Instant::now() + VANISH;
        while sweep.kill_and_reap() > 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
        self.is_over = true;
    }

    async fn wait_until_empty(&self, at_most: Duration, pipes: &mut Pipes, mut sweep: impl FnMut()) {
        let deadline = Instant::now() + at_most;
        let mut pause = Duration::from_millis(1);
        while !self.is_empty() && Instant::now() < deadline {
            sleep(pause.min(deadline.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 2).min(Duration::from_millis(20));
            pipes.read_some();
            sweep();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.signal(Signal::SIGKILL);
            orphans::forget(self.leader);
        }
    }
}

#[cfg(test)]
mod tests;
