//! What a sink has saved, for later runs and for verification.

use std::io::Read;
use std::time::SystemTime;

use crate::model::{ArchiveRecord, Key, Stored};
use crate::save::error::SaveError;

/// Reads what a sink has saved.
///
/// Callers are `--resume`, `--update` and `verify`. They never look at the file system
/// themselves: what an address means is the sink's business. All of it may block.
pub trait SavedPages: Send + Sync {
    /// What is at `address`.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when nothing is there (its source is of the kind `NotFound`) or
    /// it cannot be looked at; [`SaveError::NotAFolder`] when something else is in the way.
    fn stat(&self, address: Address<'_>) -> Result<Stat, SaveError>;

    /// Opens the decoded body at `address`; `None` when something else than a page is there.
    ///
    /// # Errors
    ///
    /// As [`stat`](Self::stat).
    fn open(&self, address: Address<'_>) -> Result<Option<Box<dyn Read + '_>>, SaveError>;

    /// Shows everything that has a name to `visit`, but the manifest.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot be listed, and what `visit` gives.
    fn list(
        &self,
        depth: Depth,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError>;

    /// Removes the half-saved page that [`list`](Self::list) shows as [`Found::Staged`].
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when it cannot be removed.
    fn remove_staged(&self, name: &str) -> Result<(), SaveError>;
}

/// Where a saved page is to be found.
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
    /// Where the page of `key` is that is `stored`; `None` when it is nowhere.
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
    /// Whether it is a page, and no folder, link or device.
    pub is_file: bool,
    /// The size of the decoded body in bytes.
    pub len: u64,
    /// When it was last changed, where the sink knows that.
    pub modified: Option<SystemTime>,
}

/// How far a listing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The top folder alone: with the flat layout no page goes into a folder.
    Top,
    /// All folders below it too.
    All,
}

impl Depth {
    /// The least depth that shows all pages, when `uses_folders` says whether some are in
    /// folders.
    pub const fn of(uses_folders: bool) -> Self {
        if uses_folders { Self::All } else { Self::Top }
    }
}

/// Something that a listing shows, by its path below the output.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// A file, or whatever else is neither a link nor a folder.
    File(&'a str),
    /// A link. A listing never follows it: that would leave the output.
    Link(&'a str),
    /// A folder.
    Folder(&'a str),
    /// A page that a run has half saved, or is saving.
    Staged(&'a str),
}
