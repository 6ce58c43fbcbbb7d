//! What the system says of a name in the output.

use std::time::{Duration, SystemTime};

use nix::sys::stat::{FileStat, SFlag};

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::save) struct Status {
    /// Whether it is a file, and no folder, link or device.
    pub(in crate::save) is_file: bool,
    /// Its size in bytes.
    pub(in crate::save) len: u64,
    /// When its content was last changed, when that can be told.
    pub(in crate::save) modified: Option<SystemTime>,
}

impl Status {
    pub(super) fn of(found: &FileStat) -> Self {
        Self {
            is_file: is_kind(found, SFlag::S_IFREG),
            len: u64::try_from(found.st_size).unwrap_or(0),
            modified: modified(found),
        }
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
