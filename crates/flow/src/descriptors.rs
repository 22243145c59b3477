//! File descriptors: a process may have so many, and connections must leave enough of them for tasks.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More are not asked for: some programs that tasks start close every number up to the limit.
const ENOUGH: u64 = 16_384;
/// What connections may take of them.
const SHARE: u64 = 4;
/// So many connections in any case.
const CONNECTIONS_MIN: u64 = 16;

/// Raises the soft limit, which is 1,024 by old custom, as far as the hard one lets it.
pub(crate) fn raise_limit() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let wanted = hard.min(ENOUGH);
    if soft < wanted
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)
    {
        tracing::warn!(%error, soft, "the number of open files stays limited");
    }
}

/// Returns how many connections leave enough for everything else.
pub(crate) fn room_for_connections() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(1_024, |(soft, _)| soft);
    usize::try_from((soft / SHARE).max(CONNECTIONS_MIN)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room() {
        raise_limit();
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let room = room_for_connections() as u64;
        assert!(room >= CONNECTIONS_MIN && (room <= soft / 4 || room == CONNECTIONS_MIN), "{room} of {soft}");
    }
}
