//! Raises the system's limit on open files, and keeps the run within it.

use std::num::NonZeroUsize;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::fetch::options::DEFAULT_KEPT_HOSTS;
use crate::model::WorkerKind;

/// The files that a worker holds open at most, without idle connections: its event loop and its
/// wake-ups, a connection, one that is being opened, the file it writes, and some reserve.
const FILES_PER_WORKER: u64 = 8;
/// The files that this process holds open for a worker process: two ends of pipes.
const FILES_PER_PROCESS: u64 = 2;
/// The files that each process holds open in addition.
const FILES_BESIDES: u64 = 64;

/// What the limit on open files allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// The largest number of pages in flight.
    pub(super) workers: NonZeroUsize,
    /// Hosts whose idle connections each worker may keep.
    pub(super) kept_hosts: usize,
}

/// Raises the limit on open files as far as the system allows and the run needs. Returns what it
/// allows: at most `wanted` workers, and from the rest, idle connections that wait for another
/// page of their host. Worker processes inherit the limit, and each has its own files.
pub(super) fn room_for(wanted: NonZeroUsize, kind: WorkerKind) -> Room {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return Room { workers: wanted, kept_hosts: DEFAULT_KEPT_HOSTS };
    };
    let of_worker = FILES_PER_WORKER + DEFAULT_KEPT_HOSTS as u64;
    let workers = wanted.get() as u64;
    let enough = match kind {
        WorkerKind::Process => of_worker.max(workers * FILES_PER_PROCESS),
        WorkerKind::Thread | WorkerKind::Task => workers * of_worker,
    };
    let raised = (enough + FILES_BESIDES).min(hard);
    let is_raised = raised > soft && setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok();
    let files = if is_raised { raised } else { soft };
    match kind {
        WorkerKind::Process => apart(wanted, files),
        WorkerKind::Thread | WorkerKind::Task => divided(wanted, files),
    }
}

/// The limits for workers that are processes: each may open `files` files, as the parent may.
fn apart(wanted: NonZeroUsize, files: u64) -> Room {
    let workers = within(wanted, files.saturating_sub(FILES_BESIDES), FILES_PER_PROCESS);
    Room { workers, ..divided(NonZeroUsize::MIN, files) }
}

fn divided(wanted: NonZeroUsize, files: u64) -> Room {
    let files = files.saturating_sub(FILES_BESIDES);
    let workers = within(wanted, files, FILES_PER_WORKER);
    let left = (files / workers.get() as u64).saturating_sub(FILES_PER_WORKER);
    let kept_hosts = usize::try_from(left).unwrap_or(usize::MAX).clamp(1, DEFAULT_KEPT_HOSTS);
    Room { workers, kept_hosts }
}

/// Returns how many of the `wanted` workers `files` are enough for; at least one.
fn within(wanted: NonZeroUsize, files: u64, of_each: u64) -> NonZeroUsize {
    let enough = usize::try_from(files / of_each).ok().and_then(NonZeroUsize::new);
    wanted.min(enough.unwrap_or(NonZeroUsize::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_stay_within_the_open_files() {
        let room = |wanted, files| {
            let room = divided(NonZeroUsize::new(wanted).unwrap(), files);
            (room.workers.get(), room.kept_hosts)
        };
        assert_eq!(room(16, 1024), (16, 52));
        assert_eq!(room(16, 4096), (16, 64));
        assert_eq!(room(200, 1024), (120, 1));
        assert_eq!(room(200, 20), (1, 1));
        assert_eq!(room(4096, u64::MAX), (4096, 64));
    }

    #[test]
    fn processes_have_their_files_to_themselves() {
        let room = |wanted, files| {
            let room = apart(NonZeroUsize::new(wanted).unwrap(), files);
            (room.workers.get(), room.kept_hosts)
        };
        assert_eq!(room(200, 1024), (200, 64));
        assert_eq!(room(1000, 1024), (480, 64));
        assert_eq!(room(4, 100), (4, 28));
        assert_eq!(room(4, 20), (1, 1));
    }
}
