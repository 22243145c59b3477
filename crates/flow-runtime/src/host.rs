//! Who this process is, and which other processes on this machine are still there.
//!
//! A pid is used again; a pid with the moment it was started is not. Two processes can see each other's pids only
//! in the same running system and pid namespace, so that is part of the name.

use flow_core::Timestamp;
use flow_store::{Process, ProcessKind};

/// Describes this process. `id` must be unique for ever.
pub fn this_process(
    id: String,
    kind: ProcessKind,
    slots: usize,
    queues: &[String],
    version: &str,
    now: Timestamp,
) -> Process {
    let pid = std::process::id();
    Process {
        id,
        kind: kind.as_str().to_owned(),
        hostname: hostname(),
        machine: machine(),
        pid: i64::from(pid),
        pid_started: pid_started(pid).unwrap_or_default(),
        slots: i64::try_from(slots).unwrap_or(i64::MAX),
        queues: serde_json::to_string(queues).unwrap_or_else(|_| "[]".to_owned()),
        version: version.to_owned(),
        started_at: now.as_micros(),
        heartbeat_at: now.as_micros(),
        ended_at: None,
    }
}

/// Says whether a process that was written down is known to be dead. `false` when this machine cannot tell.
pub fn is_known_dead(process: &Process, me: &Process) -> bool {
    if process.id == me.id || process.machine != me.machine || process.machine.is_empty() {
        return false;
    }
    let Ok(pid) = u32::try_from(process.pid) else { return false };
    match look_at(pid) {
        Seen::Started(started) => !process.pid_started.is_empty() && started != process.pid_started,
        Seen::Gone => true,
        Seen::Hidden => false,
    }
}

/// Returns this machine's name.
pub fn hostname() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(target_os = "linux")]
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    format!("{} {namespace}", boot.trim())
}

#[cfg(not(target_os = "linux"))]
fn machine() -> String {
    hostname()
}

/// What can be seen of a pid.
enum Seen {
    /// When it was started, in the system's own words.
    Started(String),
    /// There is no such process, or only what is left of it for its parent.
    Gone,
    /// There is one, and another user's: this system shows no more.
    Hidden,
}

fn pid_started(pid: u32) -> Option<String> {
    match look_at(pid) {
        Seen::Started(started) => Some(started),
        Seen::Gone | Seen::Hidden => None,
    }
}

#[cfg(target_os = "linux")]
fn look_at(pid: u32) -> Seen {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return knock(pid) };
    // The name, in brackets, may hold anything; what follows the last bracket does not.
    let Some((_, rest)) = stat.rsplit_once(')') else { return Seen::Hidden };
    let mut fields = rest.split_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return Seen::Gone;
    }
    fields.nth(18).map_or(Seen::Hidden, |started| Seen::Started(started.to_owned()))
}

#[cfg(not(target_os = "linux"))]
fn look_at(pid: u32) -> Seen {
    match knock(pid) {
        Seen::Started(_) | Seen::Hidden => Seen::Started(String::new()),
        Seen::Gone => Seen::Gone,
    }
}

/// Asks whether there is such a process: a system may hide the processes of other users, but not that they are there.
fn knock(pid: u32) -> Seen {
    use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
    let Ok(pid) = i32::try_from(pid) else { return Seen::Gone };
    if kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH) { Seen::Gone } else { Seen::Hidden }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Process {
        this_process("me".to_owned(), ProcessKind::Worker, 1, &[], "0", Timestamp::default())
    }

    #[test]
    fn a_process_that_lives_is_not_known_dead() {
        let other = Process { id: "other".to_owned(), ..me() };
        assert!(!is_known_dead(&other, &me()));
    }

    #[test]
    fn a_pid_that_was_used_again_is_known_dead() {
        let other = Process { id: "other".to_owned(), pid_started: "1".to_owned(), ..me() };
        assert!(is_known_dead(&other, &me()));
    }

    #[test]
    fn a_process_that_ended_is_known_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let other = Process { id: "other".to_owned(), pid: i64::from(pid), pid_started: "1".to_owned(), ..me() };
        assert!(is_known_dead(&other, &me()));
    }

    #[test]
    fn a_process_of_another_machine_is_never_known_dead() {
        let other = Process {
            id: "other".to_owned(),
            machine: "elsewhere".to_owned(),
            pid: 1,
            pid_started: "1".to_owned(),
            ..me()
        };
        assert!(!is_known_dead(&other, &me()));
    }
}
