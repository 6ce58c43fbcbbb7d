//! Where a sink has stored a page.

use serde::{Deserialize, Serialize};

use super::Key;

/// Where a page is after a sink has stored it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stored {
    /// Under its key: a file of a directory, an object of a store.
    #[default]
    Key,
    /// Nowhere, because the run saves no pages.
    Nowhere,
    /// A record of an archive.
    Archive(Box<ArchiveRecord>),
    /// Under an id that the store chose.
    Id(Box<str>),
}

/// A record of an archive: a range of bytes in one of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveRecord {
    /// The archive's file, below the directory of the output.
    pub archive: Key,
    /// Where the record begins, in bytes.
    pub offset: u64,
    /// The record's length in bytes, compressed as it lies there.
    pub length: u64,
}
