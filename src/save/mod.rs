//! Saves pages: `names` turns URLs into keys, `sink` stores pages under them, `manifest`
//! records what became of each page, and `history` reads what earlier runs left.

mod error;
pub mod history;
pub mod manifest;
pub mod names;
mod options;
pub mod sink;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::SaveError;
use history::Catalogue;
use manifest::ManifestWriter;
pub use options::{DEFAULT_OUTPUT, Options, Refetch};
pub use sink::Sink;
pub(crate) use sink::SinkLocation;
use sink::beneath::Root;

/// An output that is open for a run.
pub struct Output {
    /// Stores the pages.
    pub sink: Arc<Sink>,
    /// The location of the sink, for other processes.
    pub location: SinkLocation,
    /// Records what became of the pages; holds the lock on the output.
    pub manifest: ManifestWriter,
    /// Names the pages, and knows what became of them in earlier runs.
    pub catalogue: Catalogue,
    /// Notes for the user about what earlier runs left, a sentence each.
    pub notes: Vec<String>,
}

/// Opens the output for a run: makes the directory, locks and repairs the manifest, removes
/// the staged files of a killed run, and reads which names are taken.
///
/// # Errors
///
/// [`SaveError`] when the output is a file, is locked by another run, or cannot be read or
/// written.
pub fn open(options: &Options) -> Result<Output, SaveError> {
    let at = options.manifest();
    let root = Root::create(&at.directory)?;
    let mut manifest = ManifestWriter::open(&root, &at)?;
    let open = |location: &SinkLocation| {
        location.open().expect("the location is of this program's table").map(Arc::new)
    };
    // A run that saves no pages still looks at the saved ones.
    let (location, stored) = (options.location(), SinkLocation::of(&options.target));
    let pages = open(&stored)?;
    let sink = if location == stored { Arc::clone(&pages) } else { open(&location)? };
    let (catalogue, notes) = history::open(options, &root, pages, &mut manifest)?;
    Ok(Output { sink, location, manifest, catalogue, notes })
}
