//! The system's limit on open files: raised as far as it goes, and kept to.

use std::num::NonZeroUsize;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What a worker holds open at most: its event loop and its wake-ups, a
/// connection, one that is being opened, the file it writes, and some room.
const FILES_PER_WORKER: u64 = 8;
/// What the process holds open besides.
const FILES_BESIDES: u64 = 64;

/// Raises the limit on open files to what the system allows this process, and
/// gives the number of workers that it is enough for, at most `wanted`.
pub(super) fn workers_within(wanted: NonZeroUsize) -> NonZeroUsize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return wanted;
    };
    let needed = wanted.get() as u64 * FILES_PER_WORKER + FILES_BESIDES;
    let raised = needed.min(hard);
    let is_raised = raised > soft && setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok();
    capped(wanted, if is_raised { raised } else { soft })
}

fn capped(wanted: NonZeroUsize, files: u64) -> NonZeroUsize {
    let enough = files.saturating_sub(FILES_BESIDES) / FILES_PER_WORKER;
    let enough = usize::try_from(enough).ok().and_then(NonZeroUsize::new);
    wanted.min(enough.unwrap_or(NonZeroUsize::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_stay_within_the_open_files() {
        let workers = |wanted, files| capped(NonZeroUsize::new(wanted).unwrap(), files).get();
        assert_eq!(workers(16, 1024), 16);
        assert_eq!(workers(200, 1024), 120);
        assert_eq!(workers(200, 20), 1);
        assert_eq!(workers(4096, u64::MAX), 4096);
    }
}
