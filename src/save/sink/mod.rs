//! Sinks store pages: the two traits of sinks, and the table of their kinds.
//!
//! A new kind of sink is one file and one row of [`TABLE`]. The file implements [`LocalSink`]
//! or [`RemoteSink`], and [`SavedPages`]. The row says which targets the kind writes to, where
//! their manifest is, and how the conformance suite tests it; the suite runs over the table.
//! [`Target`] already knows directories, archives and stores by their endings and schemes. A
//! target that users name in another way needs a variant there too.
//!
//! `tests/memory` has a sink of each trait, and whole runs save through them in
//! `app/tests/sinks.rs`.

mod atomic;
pub(super) mod beneath;
mod capture;
mod directory;
mod either;
mod location;
mod null;
mod saved_pages;
mod target;
#[cfg(test)]
pub(crate) mod tests;
mod walk;

#[cfg(test)]
use std::path::Path;

use futures_util::future::BoxFuture;

use super::error::SaveError;
use super::names::ManifestPath;
use crate::model::Stored;
pub use capture::{Capture, Content};
pub(crate) use capture::{OwnedCapture, OwnedContent};
pub(crate) use location::SinkLocation;
pub(crate) use saved_pages::{Address, Depth, Found, OpenPage, SavedPages, Stat};
pub use target::Target;

/// A sink: it stores pages.
pub enum Sink {
    /// A sink that blocks; it runs on the threads that compute.
    Local(Box<dyn LocalSink>),
    /// A sink that waits; it runs on the event loop.
    Remote(Box<dyn RemoteSink>),
}

/// Stores pages and blocks meanwhile.
///
/// Many threads call an implementor at the same time, each with another key. After `Ok` the
/// page is complete and has replaced the one that was stored under its key. After `Err` the
/// page that was stored before is still complete. A reader never gets a part of a page.
/// Whatever a key is, nothing is written outside the target.
///
/// Only a sink that [saves failures](Capabilities::saves_failures) gets any. A failure
/// replaces no page.
pub trait LocalSink: SavedPages {
    /// Returns what the sink can do and what it wants; always the same.
    fn capabilities(&self) -> Capabilities;

    /// Stores a page and returns where it is.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when the page cannot be stored. [`SaveError::breaks_run`] says whether
    /// every further page would fail too.
    fn put(&self, capture: &Capture<'_>) -> Result<Stored, SaveError>;

    /// Begins a page that comes in pieces because it is too large to be decoded at once.
    ///
    /// The guarantees of [`put`](Self::put) hold here too: a reader finds nothing of the page
    /// before [`finish`](Pieces::finish).
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    fn begin<'a>(&'a self, capture: &Capture<'a>) -> Result<Box<dyn Pieces + 'a>, SaveError>;

    /// Removes the pages that the process `process` left half stored. The process is dead and
    /// had the same target open.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when one of them could not be removed. It harms no page.
    fn clear_after(&self, _process: u32) -> Result<(), SaveError> {
        Ok(())
    }
}

/// A page that comes into a [`LocalSink`] piece by piece.
///
/// Dropping it unfinished leaves the page that was stored before, and nothing else. All
/// methods may block, as [`LocalSink::put`] may.
pub trait Pieces: Send {
    /// Adds the next piece of the decoded body.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when the piece cannot be written. The page can then not be finished.
    fn add(&mut self, piece: &[u8]) -> Result<(), SaveError>;

    /// Stores the page: all pieces in the order in which they were added. `sha256` is the
    /// digest of the decoded body.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when the page cannot be stored, or when a piece could not be added. The
    /// page that was stored before is then still complete.
    fn finish(self: Box<Self>, sha256: [u8; 32]) -> Result<Stored, SaveError>;
}

/// Stores pages without blocking, for example in a store on the network.
///
/// The guarantees of [`LocalSink`] hold here too. The future runs on the event loop of the
/// page's worker. A run may have several event loops, so a sink must make anything that
/// belongs to one loop, such as the connections of a client, in each of them. When the future
/// is dropped, the page is stored completely or not at all. The methods of [`SavedPages`]
/// block here too; no event loop calls them.
pub trait RemoteSink: SavedPages {
    /// Returns what the sink can do and what it wants; always the same.
    fn capabilities(&self) -> Capabilities;

    /// Stores a page and returns where it is.
    ///
    /// # Errors
    ///
    /// As [`LocalSink::put`].
    fn put(&self, capture: OwnedCapture) -> BoxFuture<'_, Result<Stored, SaveError>>;
}

/// What a sink can do and what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, read by its name")]
pub struct Capabilities {
    /// Whether it stores pages at all.
    pub saves_pages: bool,
    /// Whether its pages have names: it lists them, and finds a page by its key. The pages of
    /// other sinks are found by the addresses in the manifest alone, and nothing lists them.
    pub is_addressable: bool,
    /// Whether its pages can be read again and compared with their digests. `verify` refuses
    /// other sinks.
    pub is_verifiable: bool,
    /// Whether it gets the exchange of each page. The run then records exchanges, which costs
    /// memory for each page in flight.
    pub wants_exchange: bool,
    /// Whether it saves answers that are no page.
    pub saves_failures: bool,
    /// Whether it saves the exchanges of redirects.
    pub saves_redirects: bool,
}

/// One kind of sink.
pub(crate) struct SinkKind {
    /// The name by which worker processes know it.
    pub name: &'static str,
    /// The targets that it writes to, in the plural, where users can name one.
    pub targets: Option<&'static str>,
    /// Whether it writes to the given target.
    pub accepts: fn(&Target) -> bool,
    /// Returns where the manifest of one of its targets is: a file of this machine.
    /// [`Target::local_manifest`] is right for most kinds.
    pub manifest: fn(&Target) -> ManifestPath,
    /// What its sinks can do and what they want.
    pub capabilities: Capabilities,
    /// Opens a sink. The directory of the target's manifest must exist.
    pub open: fn(&Target) -> Result<Sink, SaveError>,
    /// How the conformance suite tests it.
    #[cfg(test)]
    pub(crate) testing: Testing,
}

/// How the conformance suite tests a kind of sink.
#[cfg(test)]
pub(crate) struct Testing {
    /// Returns a target of the kind. Everything that the sink writes must be at the given
    /// path, where an empty directory is.
    pub sample: fn(&Path) -> Target,
    /// Which puts fail, and how the suite brings that about.
    pub failure: FailingPut,
}

/// A put that fails in the conformance suite.
#[cfg(test)]
pub(crate) enum FailingPut {
    /// No put can be made to fail.
    Never,
    /// A name cannot be a page and a folder at the same time. The run goes on.
    NameOfFolder,
    /// The store is full. The function takes away all room, or gives it back when its second
    /// argument is false. The run ends.
    Full(fn(&Target, bool)),
}

/// The kinds of sinks. The first kind that accepts a target writes to it.
pub(crate) const TABLE: &[SinkKind] = &[
    null::KIND,
    directory::KIND,
    #[cfg(test)]
    tests::memory::local::KIND,
    #[cfg(test)]
    tests::memory::remote::KIND,
];
