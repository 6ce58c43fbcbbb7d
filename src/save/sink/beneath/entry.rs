//! A name in an open folder of the output, and the operations on it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag};
use nix::sys::stat::{self, Mode};
use nix::unistd::{self, UnlinkatFlags};

use super::status::stat_of;
use crate::save::sink::Stat;

/// The permissions of a new file, before the user's mask.
pub(super) const NEW_FILE: Mode = Mode::from_bits_truncate(0o666);
/// The flags for opening a name that may be something other than a file: a link is an error,
/// and a pipe does not block.
const CAREFULLY: OFlag =
    OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// A folder of the output, or the output itself.
#[derive(Debug)]
pub(super) enum Folder<'a> {
    Top(&'a OwnedFd),
    Below(OwnedFd),
}

impl AsFd for Folder<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Top(folder) => folder.as_fd(),
            Self::Below(folder) => folder.as_fd(),
        }
    }
}

/// A name in an open folder. All operations are on the name itself: a link is never
/// followed.
#[derive(Debug)]
pub(in crate::save) struct Entry<'a> {
    pub(super) folder: Folder<'a>,
    pub(super) name: &'a OsStr,
}

impl Entry<'_> {
    /// Returns what has the name.
    ///
    /// # Errors
    ///
    /// When nothing has it, or the folder may not be entered.
    pub(in crate::save) fn stat(&self) -> io::Result<Stat> {
        let found = stat::fstatat(&self.folder, self.name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        Ok(stat_of(&found))
    }

    /// Opens the file for reading; returns `None` when something else has the name.
    ///
    /// # Errors
    ///
    /// When nothing has the name, or the file may not be read.
    pub(in crate::save) fn read(&self) -> io::Result<Option<File>> {
        // Opening a device may have side effects.
        if !self.stat()?.is_file {
            return Ok(None);
        }
        self.open(OFlag::O_RDONLY)
    }

    /// Opens the file for reading and appending, and makes it when it is missing. Returns
    /// `None` when something else has the name.
    ///
    /// # Errors
    ///
    /// When the file may not be written or cannot be made.
    pub(in crate::save) fn append(&self) -> io::Result<Option<File>> {
        match self.stat() {
            Ok(found) if !found.is_file => Ok(None),
            _ => self.open(OFlag::O_RDWR | OFlag::O_APPEND | OFlag::O_CREAT),
        }
    }

    fn open(&self, flags: OFlag) -> io::Result<Option<File>> {
        match fcntl::openat(&self.folder, self.name, flags | CAREFULLY, NEW_FILE) {
            Ok(file) => {
                let file = File::from(file);
                let is_file = file.metadata()?.is_file();
                Ok(Some(file).filter(|_| is_file))
            }
            // A link, a folder, a socket or a pipe.
            Err(Errno::ELOOP | Errno::EISDIR | Errno::ENXIO) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a new file for writing.
    ///
    /// # Errors
    ///
    /// When something has the name, or the file cannot be made.
    pub(in crate::save) fn create_new(&self) -> io::Result<File> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        Ok(fcntl::openat(&self.folder, self.name, flags, NEW_FILE)?.into())
    }

    /// Renames it to `to`, and replaces a file or link of that name.
    ///
    /// # Errors
    ///
    /// When a folder has that name, or the system does not allow it.
    pub(in crate::save) fn rename(&self, to: &Entry) -> io::Result<()> {
        Ok(fcntl::renameat(&self.folder, self.name, &to.folder, to.name)?)
    }

    /// Removes the file or link.
    ///
    /// # Errors
    ///
    /// When it is a folder or missing, or the system does not allow it.
    pub(in crate::save) fn remove(&self) -> io::Result<()> {
        Ok(unistd::unlinkat(&self.folder, self.name, UnlinkatFlags::NoRemoveDir)?)
    }
}
