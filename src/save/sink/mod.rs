//! Where the bytes of pages go: one trait, and a table of its implementations.

mod atomic;
pub(super) mod beneath;
mod directory;
mod location;
mod null;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::error::SaveError;
use super::options::Options;
use crate::model::Key;
pub use location::SinkLocation;

/// Keeps the bytes of pages.
///
/// Implementors are called from many threads at a time, each with a different
/// key. After `Ok` the page is whole under its key and replaces what was there;
/// after `Err` what was there before is still there, whole. A reader never sees
/// half a page. `put` may block: it runs where the executor computes.
pub trait Sink: Send + Sync {
    /// Keeps `body` under `key`.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot; it says whether other pages would fare better.
    fn put(&self, key: &Key, body: &[u8]) -> Result<(), SaveError>;

    /// Begins a page that comes in pieces and is kept under `key`.
    ///
    /// What [`put`](Self::put) guarantees holds for it too: nothing is seen under the
    /// key before [`finish`](Pieces::finish).
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot; it says whether other pages would fare better.
    fn begin(&self, key: &Key) -> Result<Box<dyn Pieces + '_>, SaveError>;

    /// Whether the pages can be found again under their keys.
    fn keeps(&self) -> bool {
        true
    }

    /// Removes what the process of number `process`, which is dead and had the
    /// same place open, left half kept.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when something of it is left. It harms no page.
    fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        let _ = process;
        Ok(())
    }
}

/// A page on its way into a sink.
///
/// Dropping it unfinished leaves what was under its key before, and nothing else.
/// All of it may block, as [`Sink::put`] may.
pub trait Pieces: Send {
    /// Adds what comes next.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot. The page can then not be finished.
    fn add(&mut self, piece: &[u8]) -> Result<(), SaveError>;

    /// Keeps the page: all that was added, in its order.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot, or when a piece could not be added. What was
    /// there before is still there, whole.
    fn finish(self: Box<Self>) -> Result<(), SaveError>;
}

/// One way of keeping pages.
pub struct SinkKind {
    /// Its name, for the run record.
    pub name: &'static str,
    /// Whether these options ask for it.
    pub is_asked_for: fn(&Options) -> bool,
    /// Opens it in the output directory, which is there.
    pub open: fn(&Path) -> Result<Box<dyn Sink>, SaveError>,
}

/// The ways of keeping pages; the first that is asked for is taken.
pub const TABLE: &[SinkKind] = &[
    SinkKind {
        name: "none",
        is_asked_for: |options| !options.keep_pages,
        open: |_| Ok(Box::new(null::NullSink)),
    },
    SinkKind {
        name: "directory",
        is_asked_for: |_| true,
        open: |directory| Ok(Box::new(directory::DirectorySink::open(directory)?)),
    },
];
