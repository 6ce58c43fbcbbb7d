//! The output directory, held open: the one place where paths below it meet the
//! file system.
//!
//! No link below the directory is followed, whoever makes it and whenever: a folder
//! is opened without following links, and the last part of a path is looked up in the
//! open folder. The directory itself is what the user typed, and may be a link.
//!
//! Folders are opened for each page and not remembered. A remembered folder may
//! have been moved out of the directory since, and the system opens one of several
//! parts in a single call, which costs a microsecond or two. What is left is the time
//! between that call and the next: a process that may move folders of the output can
//! still move a folder with the page that has just come into it.

mod list;
pub(super) mod nameless;
mod resolve;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag};
use nix::sys::stat::{self, FileStat, Mode, SFlag};
use nix::unistd::{self, UnlinkatFlags};

use super::{SaveError, io_error};
use crate::model::Key;
pub(super) use list::{Listed, Listing, Opened};
use resolve::Resolver;

/// What a new file may be used for, before the user's mask takes some of it away.
const NEW_FILE: Mode = Mode::from_bits_truncate(0o666);
/// How a file is opened where something else may stand: a link is an error, and a
/// pipe does not block.
const CAREFULLY: OFlag =
    OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// An output directory.
#[derive(Debug)]
pub(super) struct Root {
    directory: OwnedFd,
    path: PathBuf,
    resolver: Resolver,
}

impl Root {
    /// Opens the directory at `path`, which may lead over links.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be entered.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let directory = fcntl::open(path, resolve::HANDLE, Mode::empty())?;
        Ok(Self { directory, path: path.to_owned(), resolver: Resolver::new() })
    }

    /// Opens the directory at `path`, and makes it first when it is missing.
    ///
    /// # Errors
    ///
    /// [`SaveError::NotADirectory`] when something else is there; [`SaveError::Io`] else.
    pub(super) fn create(path: &Path) -> Result<Self, SaveError> {
        if path.exists() && !path.is_dir() {
            return Err(SaveError::NotADirectory { path: path.to_owned() });
        }
        std::fs::create_dir_all(path).map_err(io_error("create the directory", path))?;
        Self::open(path).map_err(io_error("open", path))
    }

    /// The path that it was opened by.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `key`, for messages.
    pub(super) fn path_of(&self, key: &Key) -> PathBuf {
        self.path.join(key.as_str())
    }

    /// The entry `name` of the directory itself.
    pub(super) fn top<'a>(&'a self, name: &'a str) -> Entry<'a> {
        debug_assert!(!name.contains('/'), "{name} is in a folder");
        Entry { folder: Folder::Top(&self.directory), name }
    }

    /// The entry of `key`; the folders on the way must be there.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when one of them is missing or may not be entered,
    /// [`SaveError::NotAFolder`] when there is something else in its place.
    pub(super) fn entry<'a>(&'a self, key: &'a Key) -> Result<Entry<'a>, SaveError> {
        let Some((folder, name)) = key.as_str().rsplit_once('/') else {
            return Ok(self.top(key.as_str()));
        };
        let opened = self.resolver.open(&self.directory, folder);
        let opened = opened.map_err(|error| self.folder_error("open the folder", folder, error))?;
        Ok(Entry { folder: Folder::Below(opened), name })
    }

    /// The entry of `key`; folders that are missing on the way are made.
    ///
    /// # Errors
    ///
    /// As [`entry`](Self::entry), and when a folder cannot be made.
    pub(super) fn make_entry<'a>(&'a self, key: &'a Key) -> Result<Entry<'a>, SaveError> {
        match (self.entry(key), key.as_str().rsplit_once('/')) {
            (Err(SaveError::Io { source, .. }), Some((folder, name)))
                if source.kind() == ErrorKind::NotFound =>
            {
                let made = resolve::make(&self.directory, folder);
                let made = made.map_err(|(folder, error)| {
                    self.folder_error("create the folder", folder, error)
                })?;
                Ok(Entry { folder: Folder::Below(made), name })
            }
            (entry, _) => entry,
        }
    }

    /// What is at `key`.
    ///
    /// # Errors
    ///
    /// As [`entry`](Self::entry), and [`SaveError::Io`] when nothing is there.
    pub(super) fn status(&self, key: &Key) -> Result<Status, SaveError> {
        let status = self.entry(key)?.status();
        status.map_err(|source| SaveError::Io {
            action: "look at",
            path: self.path_of(key),
            source,
        })
    }

    /// Lists the directory.
    ///
    /// # Errors
    ///
    /// When it may not be read.
    pub(super) fn list(&self) -> io::Result<Listing> {
        Listing::of(&self.directory)
    }

    /// Opens folders part by part from now on.
    #[cfg(test)]
    pub(super) fn step_from_now_on(&self) {
        self.resolver.step_from_now_on();
    }

    /// The error of the folder `folder`: it names what is in the place of one, if so.
    fn folder_error(&self, action: &'static str, folder: &str, source: io::Error) -> SaveError {
        let errors = [Errno::ELOOP, Errno::ENOTDIR].map(|error| Some(error as i32));
        let is_in_the_way = errors.contains(&source.raw_os_error());
        let obstacle = is_in_the_way.then(|| resolve::obstacle(&self.directory, folder));
        match obstacle.flatten() {
            Some((folder, is_link)) => {
                SaveError::NotAFolder { path: self.path.join(folder), is_link }
            }
            None => SaveError::Io { action, path: self.path.join(folder), source },
        }
    }
}

/// A folder of the output, or the output itself.
#[derive(Debug)]
enum Folder<'a> {
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

/// A name in an open folder. Whatever is done to it is done to the name itself: a
/// link that has it is never followed.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    folder: Folder<'a>,
    name: &'a str,
}

impl Entry<'_> {
    /// What is there.
    ///
    /// # Errors
    ///
    /// When nothing is there, or the folder may not be entered.
    pub(super) fn status(&self) -> io::Result<Status> {
        let found = stat::fstatat(&self.folder, self.name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        Ok(Status::of(&found))
    }

    /// Opens the file for reading; `None` when something else is there.
    ///
    /// # Errors
    ///
    /// When nothing is there, or it may not be read.
    pub(super) fn read(&self) -> io::Result<Option<File>> {
        // To open a device may do something to it.
        if !self.status()?.is_file {
            return Ok(None);
        }
        self.open(OFlag::O_RDONLY)
    }

    /// Opens the file for reading and appending, and makes it when it is missing;
    /// `None` when something else is there.
    ///
    /// # Errors
    ///
    /// When it may not be written, or cannot be made.
    pub(super) fn append(&self) -> io::Result<Option<File>> {
        match self.status() {
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

    /// Makes a new file to write.
    ///
    /// # Errors
    ///
    /// When something is there, or it cannot be made.
    pub(super) fn create_new(&self) -> io::Result<File> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        Ok(fcntl::openat(&self.folder, self.name, flags, NEW_FILE)?.into())
    }

    /// Moves what is there to `to`, and replaces a file or link that is there.
    ///
    /// # Errors
    ///
    /// When a folder is there, or the system does not allow it.
    pub(super) fn rename(&self, to: &Entry) -> io::Result<()> {
        Ok(fcntl::renameat(&self.folder, self.name, &to.folder, to.name)?)
    }

    /// Removes the file or link.
    ///
    /// # Errors
    ///
    /// When it is a folder or not there, or the system does not allow it.
    pub(super) fn remove(&self) -> io::Result<()> {
        Ok(unistd::unlinkat(&self.folder, self.name, UnlinkatFlags::NoRemoveDir)?)
    }
}

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status {
    /// Whether it is a file, and no folder, link or device.
    pub(super) is_file: bool,
    /// Its size in bytes.
    pub(super) len: u64,
    /// When its content was last changed, when that can be told.
    pub(super) modified: Option<SystemTime>,
}

impl Status {
    fn of(found: &FileStat) -> Self {
        Self {
            is_file: is_kind(found, SFlag::S_IFREG),
            len: u64::try_from(found.st_size).unwrap_or(0),
            modified: modified(found),
        }
    }
}

fn is_kind(found: &FileStat, kind: SFlag) -> bool {
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
