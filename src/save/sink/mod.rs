//! Where pages go: the two traits of sinks, and the table of their kinds.
//!
//! A new kind of sink is one file that implements [`LocalSink`] or [`RemoteSink`] (and
//! [`SavedPages`]), one row of [`TABLE`], and an entry of [`Target`] when it is named in a
//! new way. The conformance suite and the file `tests/memory` show what it takes.

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

use futures_util::future::BoxFuture;

use super::error::SaveError;
use crate::model::Stored;
pub use capture::{Capture, Content};
pub(crate) use capture::{OwnedCapture, OwnedContent};
pub(crate) use location::SinkLocation;
pub(crate) use saved_pages::{Address, Depth, Found, SavedPages, Stat};
pub use target::Target;

/// A sink: it stores pages.
pub enum Sink {
    /// One that blocks, and works where the executor computes.
    Local(Box<dyn LocalSink>),
    /// One that waits, and works on the event loop.
    Remote(Box<dyn RemoteSink>),
}

/// Stores pages, and blocks while it does.
///
/// Implementors are called from many threads at a time, each with a different key, where
/// the executor computes. After `Ok` the page is whole and replaces what was stored for its
/// key; after `Err` what was stored before is still there, whole. A reader never sees half
/// a page. Nothing of a page leaves the target, whatever its key is.
///
/// Failures are given only to a sink that [keeps them](Capabilities::saves_failures); they
/// replace nothing.
pub trait LocalSink: SavedPages {
    /// What it can do and what it wants. It is always the same.
    fn capabilities(&self) -> Capabilities;

    /// Stores a page, and returns where it is.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot; it says whether other pages would fare better.
    fn put(&self, capture: &Capture<'_>) -> Result<Stored, SaveError>;

    /// Begins a page that comes in pieces, because it is too large to be decoded at once.
    ///
    /// What [`put`](Self::put) guarantees holds for it too: a reader sees nothing of it
    /// before [`finish`](Pieces::finish).
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot; it says whether other pages would fare better.
    fn begin<'a>(&'a self, capture: &Capture<'a>) -> Result<Box<dyn Pieces + 'a>, SaveError>;

    /// Removes what the process of number `process`, which is dead and had the same target
    /// open, left half stored.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when something of it is left. It harms no page.
    fn clear_after(&self, _process: u32) -> Result<(), SaveError> {
        Ok(())
    }
}

/// A page on its way into a [`LocalSink`].
///
/// Dropping it unfinished leaves what was stored before, and nothing else. All of it may
/// block, as [`LocalSink::put`] may.
pub trait Pieces: Send {
    /// Adds the next piece of the decoded body.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot. The page can then not be finished.
    fn add(&mut self, piece: &[u8]) -> Result<(), SaveError>;

    /// Stores the page, whose decoded body has the digest `sha256`: all that was added, in
    /// its order.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot, or when a piece could not be added. What was stored
    /// before is still there, whole.
    fn finish(self: Box<Self>, sha256: [u8; 32]) -> Result<Stored, SaveError>;
}

/// Stores pages without blocking, such as in a store on the network.
///
/// What [`LocalSink`] guarantees holds here too. The future runs on the event loop of the
/// page's worker. Each executor has several loops, so whatever belongs to one loop, such as
/// the connections of a client, must be made in each. Dropping the future stores nothing or
/// all of the page. [`SavedPages`] blocks here too: it is never called on a loop.
pub trait RemoteSink: SavedPages {
    /// What it can do and what it wants. It is always the same.
    fn capabilities(&self) -> Capabilities;

    /// Stores a page, and gives where it is.
    ///
    /// # Errors
    ///
    /// The future gives a [`SaveError`] when it cannot store the page; it says whether other
    /// pages would fare better.
    fn put(&self, capture: OwnedCapture) -> BoxFuture<'_, Result<Stored, SaveError>>;
}

/// What a sink can do and what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, read by its name")]
pub struct Capabilities {
    /// Whether it stores pages at all.
    pub saves_pages: bool,
    /// Whether a page can be found under its key.
    pub is_addressable: bool,
    /// Whether what it has stored can be read again and compared with its digest.
    pub is_verifiable: bool,
    /// Whether it is given the exchange of each page. The run then records exchanges, which
    /// costs memory for each page in flight.
    pub wants_exchange: bool,
    /// Whether it is given answers that are no page.
    pub saves_failures: bool,
    /// Whether it is given the exchanges of redirects.
    pub saves_redirects: bool,
}

/// One kind of sink.
pub(crate) struct SinkKind {
    /// Its name, for worker processes.
    pub name: &'static str,
    /// The targets that it writes to, in the plural, where users can name one.
    pub targets: Option<&'static str>,
    /// Whether it writes to such a target.
    pub accepts: fn(&Target) -> bool,
    /// What its sinks can do and want.
    pub capabilities: Capabilities,
    /// Opens it; a directory is there.
    pub open: fn(&Target) -> Result<Sink, SaveError>,
}

/// The kinds of sinks; of those that accept a target, the first is taken.
pub(crate) const TABLE: &[SinkKind] = &[
    null::KIND,
    directory::KIND,
    #[cfg(test)]
    tests::memory::local::KIND,
    #[cfg(test)]
    tests::memory::remote::KIND,
];
