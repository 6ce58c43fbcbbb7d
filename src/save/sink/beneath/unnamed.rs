//! Files that have no name until they are whole (open(2), `O_TMPFILE`).
//!
//! Saves a rename and an entry in the directory for each page, a third of the
//! cost of saving on ext4, and leaves nothing behind when the process is killed.
//! Only Linux has them, and there not every file system.

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

/// Whether an error of [`create`] says that there are no such files here.
pub(in crate::save) fn is_unknown(error: &io::Error) -> bool {
    system::is_unknown(error)
}

/// Gives `file` the place `entry`.
///
/// # Errors
///
/// When something is there, the folder was removed, or the system does not let this
/// process do it.
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
        // A kernel that does not know the flag takes it for opening a directory
        // for writing.
        [Errno::EOPNOTSUPP, Errno::EISDIR, Errno::EINVAL]
            .iter()
            .any(|unknown| error.raw_os_error() == Some(*unknown as i32))
    }

    pub(super) fn name(file: &File, entry: &Entry) -> io::Result<()> {
        // Every process may name its own files so since Linux 6.10, and only a
        // privileged one before; linking from /proc, which all may, costs more
        // than a rename.
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
