//! What the system reports about a name in the output.

use std::time::{Duration, SystemTime};

use nix::sys::stat::{FileStat, SFlag};

use crate::save::sink::Stat;

/// Converts the system's report.
pub(super) fn stat_of(found: &FileStat) -> Stat {
    Stat {
        is_file: is_kind(found, SFlag::S_IFREG),
        len: u64::try_from(found.st_size).unwrap_or(0),
        modified: modified(found),
    }
}

pub(super) fn is_kind(found: &FileStat, kind: SFlag) -> bool {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == kind
}

fn modified(found: &FileStat) -> Option<SystemTime> {
    let seconds = Duration::from_secs(found.st_mtime.unsigned_abs());
    let part = Duration::from_nanos(u64::try_from(found.st_mtime_nsec).ok()?);
    let epoch = SystemTime::UNIX_EPOCH;
    let whole =
        if found.st_mtime < 0 { epoch.checked_sub(seconds) } else { epoch.checked_add(seconds) };
    whole?.checked_add(part)
}
