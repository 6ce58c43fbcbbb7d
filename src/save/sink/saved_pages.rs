//! What a sink has saved: for later runs and for `verify`.

use std::io::Read;
use std::time::SystemTime;

use crate::model::{ArchiveRecord, Key, Stored};
use crate::save::error::SaveError;

/// Reads what a sink has saved.
///
/// `--resume`, `--update` and `verify` call it. They never look at the file system
/// themselves: only the sink knows what an address means. All methods may block.
pub trait SavedPages: Send + Sync {
    /// Returns what is at `address`.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when nothing is there (its source is of the kind `NotFound`) or
    /// when the sink cannot find out; [`SaveError::NotAFolder`] when something else stands in
    /// the place of a folder.
    fn stat(&self, address: Address<'_>) -> Result<Stat, SaveError>;

    /// Opens the page at `address`; returns `None` when something other than a page is there.
    ///
    /// # Errors
    ///
    /// The same as [`stat`](Self::stat), and [`SaveError::Io`] when the page cannot be read.
    fn open(&self, address: Address<'_>) -> Result<Option<OpenPage<'_>>, SaveError>;

    /// Calls `visit` for everything that has a name, except the manifest.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot be listed, and the errors of `visit`.
    fn list(
        &self,
        depth: Depth,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError>;

    /// Removes the half-saved page that [`list`](Self::list) found as [`Found::Staged`].
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when it cannot be removed.
    fn remove_staged(&self, name: &str) -> Result<(), SaveError>;
}

/// A saved page that is open for reading.
pub struct OpenPage<'a> {
    /// The size of the decoded body in bytes.
    pub len: u64,
    /// The decoded body.
    pub body: Box<dyn Read + 'a>,
}

/// Where a sink finds a saved page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// Under its key.
    Key(&'a Key),
    /// In an archive.
    Archive(&'a ArchiveRecord),
    /// Under the id that the store gave it.
    Id(&'a str),
}

impl<'a> Address<'a> {
    /// Returns the address of the page of `key` that is `stored`; `None` when it is nowhere.
    pub fn of(key: &'a Key, stored: &'a Stored) -> Option<Self> {
        match stored {
            Stored::Key => Some(Self::Key(key)),
            Stored::Nowhere => None,
            Stored::Archive(record) => Some(Self::Archive(record)),
            Stored::Id(id) => Some(Self::Id(id)),
        }
    }
}

/// What is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Whether it is a page, and not a folder, link or device.
    pub is_file: bool,
    /// The size of the decoded body in bytes.
    pub len: u64,
    /// When it was last changed; `None` when the sink does not know that.
    pub modified: Option<SystemTime>,
}

/// How far a listing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only the top folder: with the flat layout, no page is in a folder.
    Top,
    /// All folders.
    All,
}

impl Depth {
    /// Returns the smallest depth that finds all pages. `uses_folders` says whether pages may
    /// be in folders.
    pub const fn of(uses_folders: bool) -> Self {
        if uses_folders { Self::All } else { Self::Top }
    }
}

/// Something that a listing found, by its path below the output.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// A file, or anything else that is neither a link nor a folder.
    File(&'a str),
    /// A link. A listing never follows one, because it may lead out of the output.
    Link(&'a str),
    /// A folder.
    Folder(&'a str),
    /// A page that a run has half saved or is saving.
    Staged(&'a str),
}
