//! Finds processes that outlive what started them.
//!
//! Every process of an attempt carries the attempt's token and its worker's id in its environment. This process
//! is made a *subreaper*, so a descendant that loses its parent becomes our child, even if it left its group.
//! After an attempt such orphans are looked for; usually there are none, and one read of
//! `/proc/self/task/…/children` tells. A process that empties its environment *and* leaves its group is not found.
//!
//! On systems other than Linux only process groups are ended, and the functions here do nothing.

/// Names the worker, in the environment of every process.
pub const WORKER: &str = "FLOW_WORKER_ID";

/// Names the attempt, in the environment of every process.
pub const ATTEMPT: &str = "FLOW_ATTEMPT";

#[cfg(target_os = "linux")]
pub use linux::end_orphans;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Sweep, adopt, forget, spawn};
#[cfg(not(target_os = "linux"))]
pub use other::end_orphans;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{Sweep, adopt, forget, spawn};

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        io::{self, Read},
        sync::{Mutex, Once, PoisonError, RwLock},
        time::{Duration, Instant},
    };

    use nix::{
        sys::{
            prctl::set_child_subreaper,
            signal::{Signal, kill, killpg},
            wait::{WaitPidFlag, waitpid},
        },
        unistd::{Pid, getpgrp, getpid},
    };

    use super::{ATTEMPT, WORKER};

    /// Longer than any `/proc/PID/stat` up to the fields that are read.
    const STAT_MAX: usize = 1024;

    /// Children that someone waits for. Held for reading while one is started, for writing while others are
    /// reaped, so that none is reaped before it is known.
    static STARTING: RwLock<()> = RwLock::new(());
    static LEADERS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

    /// Makes this process the parent of its orphaned descendants.
    pub(crate) fn adopt() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            if let Err(error) = set_child_subreaper(true) {
                tracing::warn!(%error, "could not become a subreaper: processes that leave their group may outlive tasks");
            }
        });
    }

    /// Starts a child and remembers that someone waits for it.
    pub(crate) fn spawn(command: &mut tokio::process::Command) -> io::Result<(tokio::process::Child, Pid)> {
        let _starting = STARTING.read().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).ok_or(io::ErrorKind::NotFound)?;
        leaders().insert(id);
        Ok((child, Pid::from_raw(id)))
    }

    /// Nobody waits for this child any more.
    pub(crate) fn forget(leader: Pid) {
        leaders().remove(&leader.as_raw());
    }

    fn leaders() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
        LEADERS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for what one attempt left behind.
    pub(crate) struct Sweep {
        marker: Vec<u8>,
        /// Groups that were killed. A process on its way out has no environment any more, but still its group.
        killed: BTreeSet<i32>,
    }

    impl Sweep {
        pub(crate) fn new(token: &str) -> Self {
            Self { marker: format!("{ATTEMPT}={token}").into_bytes(), killed: BTreeSet::new() }
        }

        /// Takes leave of orphans that have ended.
        pub(crate) fn reap(&mut self) {
            self.look(false);
        }

        /// Kills the attempt's orphans; returns how many are still there.
        pub(crate) fn kill_and_reap(&mut self) -> usize {
            self.look(true)
        }

        fn look(&mut self, is_deadly: bool) -> usize {
            let (me, own_group) = (getpid().as_raw(), getpgrp().as_raw());
            if has_adopted_nobody(me) {
                return 0;
            }
            let mut alive = 0;
            let mut ended = Vec::new();
            for pid in all_processes() {
                // First what costs no read. When many attempts run, most of the young are their leaders.
                if leaders().contains(&pid) {
                    continue;
                }
                let Some(stat) = Stat::read(pid).filter(|stat| stat.parent == me) else { continue };
                if stat.is_over() {
                    ended.push(pid);
                } else if is_deadly && (self.killed.contains(&stat.group) || has_marker(pid, &self.marker)) {
                    alive += 1;
                    // With its group: a member may have emptied its environment. Fails only when it is gone.
                    let _ = if stat.group == own_group {
                        kill(Pid::from_raw(pid), Signal::SIGKILL)
                    } else {
                        self.killed.insert(stat.group);
                        killpg(Pid::from_raw(stat.group), Signal::SIGKILL)
                    };
                }
            }
            if !ended.is_empty() {
                reap_all(&ended, me);
            }
            alive
        }
    }

    /// Reaps children that have ended and that nobody waits for. Those in our own group are not ours to reap:
    /// some other part of the program started them.
    fn reap_all(ended: &[i32], me: i32) {
        let _nobody_starts = STARTING.write().unwrap_or_else(PoisonError::into_inner);
        let own_group = getpgrp().as_raw();
        for &pid in ended {
            let is_orphan = !leaders().contains(&pid)
                && Stat::read(pid).is_some_and(|stat| stat.is_over() && stat.parent == me && stat.group != own_group);
            if is_orphan {
                let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)); // gone already: fine
            }
        }
    }

    /// Says that no process has become our child by losing its parent. The kernel gives such to our first thread, which
    /// starts none itself; if it does, or the kernel cannot tell, every process is looked at as before.
    fn has_adopted_nobody(me: i32) -> bool {
        fs::File::open(format!("/proc/self/task/{me}/children"))
            .is_ok_and(|mut file| io::Read::read(&mut file, &mut [0]).is_ok_and(|length| length == 0))
    }

    fn all_processes() -> impl Iterator<Item = i32> {
        fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    }

    fn has_marker(pid: i32, marker: &[u8]) -> bool {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|&byte| byte == 0).any(|variable| variable == marker))
    }

    /// What `/proc/PID/stat` says.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Stat {
        state: u8,
        parent: i32,
        group: i32,
        /// In clock ticks since boot: tells a process from a later one of the same number.
        started: u64,
    }

    impl Stat {
        fn read(pid: i32) -> Option<Self> {
            // The kernel gives all of it at once: one read, and no question about its size.
            let mut text = [0; STAT_MAX];
            let length = fs::File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut text).ok()?;
            Self::parse(&text[..length])
        }

        /// The name, in brackets, may hold anything; what follows the last bracket is plain.
        fn parse(text: &[u8]) -> Option<Self> {
            let after = text.iter().rposition(|&byte| byte == b')')?;
            let mut words = std::str::from_utf8(&text[after + 1..]).ok()?.split_ascii_whitespace();
            let state = *words.next()?.as_bytes().first()?;
            let parent = words.next()?.parse().ok()?;
            let group = words.next()?.parse().ok()?;
            let started = words.nth(16)?.parse().ok()?;
            Some(Self { state, parent, group, started })
        }

        fn is_over(self) -> bool {
            matches!(self.state, b'Z' | b'X' | b'x')
        }
    }

    /// Ends every process that a dead worker left behind, and waits until they are gone, at most two seconds.
    /// Returns how many were ended.
    ///
    /// # Errors
    ///
    /// `/proc` cannot be listed.
    pub fn end_orphans(is_dead_worker: impl Fn(&str) -> bool) -> io::Result<usize> {
        fs::read_dir("/proc")?;
        let deadline = Instant::now() + Duration::from_secs(2);
        let spared = ancestors();
        let mut killed = BTreeSet::new();
        // Again until none is found: one may have forked while we looked.
        loop {
            let alive: BTreeMap<i32, Stat> = all_processes()
                .filter(|pid| !spared.contains(pid))
                .filter_map(|pid| Some((pid, Stat::read(pid)?)))
                .filter(|(_, stat)| !stat.is_over())
                .collect();
            // A process on its way out has no environment any more: those that were killed are remembered.
            let is_marked = |pid, stat: &Stat| {
                killed.contains(&(pid, stat.started)) || worker_of(pid).is_some_and(|id| is_dead_worker(&id))
            };
            let marked = alive.iter().filter(|&(&pid, stat)| is_marked(pid, stat)).map(|(&pid, _)| pid);
            let doomed = with_kin(marked.collect(), &alive);
            for &pid in &doomed {
                let started = alive[&pid].started;
                // Still the process that was looked at, not a later one of the same number.
                if Stat::read(pid).is_some_and(|now| now.started == started) {
                    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL); // not ours, or gone: nothing to be done
                    killed.insert((pid, started));
                }
            }
            if doomed.is_empty() || Instant::now() >= deadline {
                return Ok(killed.len());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Adds children and members of the same groups: they may have emptied their environment.
    fn with_kin(mut doomed: BTreeSet<i32>, alive: &BTreeMap<i32, Stat>) -> BTreeSet<i32> {
        let own_group = getpgrp().as_raw();
        loop {
            let groups: BTreeSet<i32> = doomed.iter().map(|pid| alive[pid].group).collect();
            let is_kin = |stat: &Stat| {
                doomed.contains(&stat.parent) || (stat.group != own_group && groups.contains(&stat.group))
            };
            let kin: Vec<i32> = alive.iter().filter(|(_, stat)| is_kin(stat)).map(|(&pid, _)| pid).collect();
            let before = doomed.len();
            doomed.extend(kin);
            if doomed.len() == before {
                return doomed;
            }
        }
    }

    fn worker_of(pid: i32) -> Option<String> {
        let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
        environ
            .split(|&byte| byte == 0)
            .find_map(|variable| variable.strip_prefix(WORKER.as_bytes())?.strip_prefix(b"="))
            .map(|worker| String::from_utf8_lossy(worker).into_owned())
    }

    /// Lists this process and those it descends from: we may be running inside a task ourselves.
    fn ancestors() -> BTreeSet<i32> {
        let mut line = BTreeSet::new();
        let mut pid = getpid().as_raw();
        while pid > 0 && line.insert(pid) {
            pid = Stat::read(pid).map_or(0, |stat| stat.parent);
        }
        line
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_with_brackets_and_spaces_does_not_confuse() {
            let text = b"42 (a) b) c) S 7 8 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 2";
            assert_eq!(Stat::parse(text), Some(Stat { state: b'S', parent: 7, group: 8, started: 12345 }));
            assert_eq!(Stat::parse(b"42 (x"), None);
        }

        #[test]
        fn this_process_is_there_and_alive() {
            let stat = Stat::read(getpid().as_raw()).unwrap();
            assert!(!stat.is_over());
            assert!(ancestors().contains(&stat.parent));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::io;

    use nix::unistd::Pid;

    pub(crate) fn adopt() {}

    pub(crate) fn spawn(command: &mut tokio::process::Command) -> io::Result<(tokio::process::Child, Pid)> {
        let child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).ok_or(io::ErrorKind::NotFound)?;
        Ok((child, Pid::from_raw(id)))
    }

    pub(crate) fn forget(_: Pid) {}

    pub(crate) struct Sweep;

    impl Sweep {
        pub(crate) fn new(_: &str) -> Self {
            Self
        }

        pub(crate) fn reap(&mut self) {}

        pub(crate) fn kill_and_reap(&mut self) -> usize {
            0
        }
    }

    /// Does nothing here.
    ///
    /// # Errors
    ///
    /// None.
    pub fn end_orphans(_: impl Fn(&str) -> bool) -> io::Result<usize> {
        Ok(0)
    }
}
