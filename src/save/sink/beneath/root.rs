//! The output directory itself, and the entries of keys in it.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl;
use nix::sys::stat::Mode;

use super::entry::{Entry, Folder};
use super::list::Listing;
use super::resolve::{self, Resolver};
use crate::model::Key;
use crate::save::error::{SaveError, io_error};
use crate::save::sink::Stat;

/// An output directory.
#[derive(Debug)]
pub(in crate::save) struct Root {
    pub(super) directory: OwnedFd,
    path: PathBuf,
    resolver: Resolver,
}

impl Root {
    /// Opens the directory at `path`, which may lead over links.
    ///
    /// # Errors
    ///
    /// When it does not exist or cannot be entered.
    pub(in crate::save) fn open(path: &Path) -> io::Result<Self> {
        let directory = fcntl::open(path, resolve::HANDLE, Mode::empty())?;
        Ok(Self { directory, path: path.to_owned(), resolver: Resolver::new() })
    }

    /// Opens the directory at `path`, and makes it first when it is missing.
    ///
    /// # Errors
    ///
    /// [`SaveError::NotADirectory`] when something else is at `path`; else [`SaveError::Io`].
    pub(in crate::save) fn create(path: &Path) -> Result<Self, SaveError> {
        if path.exists() && !path.is_dir() {
            return Err(SaveError::NotADirectory { path: path.to_owned() });
        }
        std::fs::create_dir_all(path).map_err(io_error("create the directory", path))?;
        Self::open(path).map_err(io_error("open", path))
    }

    /// Returns the path by which it was opened.
    pub(in crate::save) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of `key`, for messages.
    pub(in crate::save) fn path_of(&self, key: &Key) -> PathBuf {
        self.path.join(key.as_str())
    }

    /// Returns the entry `name` of the directory itself.
    pub(in crate::save) fn top<'a>(&'a self, name: &'a (impl AsRef<OsStr> + ?Sized)) -> Entry<'a> {
        let name = name.as_ref();
        debug_assert!(!name.as_bytes().contains(&b'/'), "{} is in a folder", name.display());
        Entry { folder: Folder::Top(&self.directory), name }
    }

    /// Returns the entry of `key`, whose folders must exist.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when a folder is missing or may not be entered,
    /// [`SaveError::NotAFolder`] when something else stands in its place.
    pub(in crate::save) fn entry<'a>(&'a self, key: &'a Key) -> Result<Entry<'a>, SaveError> {
        let Some((folder, name)) = key.as_str().rsplit_once('/') else {
            return Ok(self.top(key.as_str()));
        };
        let opened = self.resolver.open(&self.directory, folder);
        let opened = opened.map_err(|error| self.folder_error("open the folder", folder, error))?;
        Ok(Entry { folder: Folder::Below(opened), name: OsStr::new(name) })
    }

    /// Returns the entry of `key`, and makes the folders that are missing.
    ///
    /// # Errors
    ///
    /// As [`entry`](Self::entry), and when a folder cannot be made.
    pub(in crate::save) fn make_entry<'a>(&'a self, key: &'a Key) -> Result<Entry<'a>, SaveError> {
        match (self.entry(key), key.as_str().rsplit_once('/')) {
            (Err(SaveError::Io { source, .. }), Some((folder, name)))
                if source.kind() == ErrorKind::NotFound =>
            {
                let made = resolve::make(&self.directory, folder);
                let made = made.map_err(|(folder, error)| {
                    self.folder_error("create the folder", folder, error)
                })?;
                Ok(Entry { folder: Folder::Below(made), name: OsStr::new(name) })
            }
            (entry, _) => entry,
        }
    }

    /// Returns what is at `key`.
    ///
    /// # Errors
    ///
    /// As [`entry`](Self::entry), and [`SaveError::Io`] when nothing is at `key`.
    pub(in crate::save) fn stat_of(&self, key: &Key) -> Result<Stat, SaveError> {
        let status = self.entry(key)?.stat();
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
    pub(in crate::save) fn listing(&self) -> io::Result<Listing> {
        Listing::of(&self.directory)
    }

    /// Opens folders part by part from now on.
    #[cfg(test)]
    pub(in crate::save) fn step_from_now_on(&self) {
        self.resolver.step_from_now_on();
    }

    /// Returns the error of the folder `folder`. It names what stands in the place of a folder.
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
