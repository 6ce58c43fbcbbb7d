//! Files that have no name until they are complete (open(2), `O_TMPFILE`).
//!
//! They save a rename and a directory entry per page, which is a third of the cost of saving
//! on ext4, and a killed process leaves nothing behind. Only Linux has such files, and not on
//! every file system.

use std::fs::File;
use std::io;

use super::entry::Entry;
use super::root::Root;

/// Makes a file without a name on the file system of `root`, to write and to read.
///
/// # Errors
///
/// When the file cannot be made; see [`is_unknown`].
pub(in crate::save) fn create(root: &Root) -> io::Result<File> {
    system::create(root)
}

/// Whether an error of [`create`] means that this file system has no such files.
pub(in crate::save) fn is_unknown(error: &io::Error) -> bool {
    system::is_unknown(error)
}

/// Gives `file` the name `entry`.
///
/// # Errors
///
/// When the name is taken, the folder was removed, or this process has no permission.
pub(in crate::save) fn name(file: &File, entry: &Entry) -> io::Result<()> {
    system::name(file, entry)
}

#[cfg(target_os = "linux")]
mod system {
    use nix::errno::Errno;
    use nix::fcntl::{self, AtFlags, OFlag};
    use nix::unistd;

    use super::{Entry, File, Root, io};
    use crate::save::sink::beneath::entry::NEW_FILE;

    pub(super) fn create(root: &Root) -> io::Result<File> {
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        Ok(fcntl::openat(&root.directory, ".", flags, NEW_FILE)?.into())
    }

    pub(super) fn is_unknown(error: &io::Error) -> bool {
        // A kernel that does not know the flag tries to open the directory for writing.
        [Errno::EOPNOTSUPP, Errno::EISDIR, Errno::EINVAL]
            .iter()
            .any(|unknown| error.raw_os_error() == Some(*unknown as i32))
    }

    pub(super) fn name(file: &File, entry: &Entry) -> io::Result<()> {
        // Since Linux 6.10 every process may name its own files in this way; before, only a
        // privileged one might. Every process may link from /proc, but that costs more than a
        // rename.
        Ok(unistd::linkat(file, "", &entry.folder, entry.name, AtFlags::AT_EMPTY_PATH)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Entry, File, Root, io};

    pub(super) fn create(_: &Root) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn is_unknown(_: &io::Error) -> bool {
        true
    }

    pub(super) fn name(_: &File, _: &Entry) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
