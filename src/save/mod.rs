//! Where pages are kept: one trait, a table of its implementations, and what
//! belongs to keeping (names, manifest, what earlier runs left, verification).

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
    /// Where the sink is.
    pub location: SinkLocation,
    /// Records what became of them; holds the lock on the output.
    pub manifest: ManifestWriter,
    /// Names them, and knows what earlier runs made of them.
    pub catalogue: Catalogue,
    /// What the user should know of what earlier runs left, a sentence each.
    pub notes: Vec<String>,
}

/// Opens the output for a run: makes the directory, locks and mends the manifest, removes
/// what a killed run staged, and reads which names are taken.
///
/// # Errors
///
/// [`SaveError`] when the output is a file, is locked by another run, or cannot be read or
/// written.
pub fn open(options: &Options) -> Result<Output, SaveError> {
    let root = Root::create(options.directory())?;
    let mut manifest = ManifestWriter::open(&root)?;
    let open = |location: &SinkLocation| {
        location.open().expect("the location is of this program's table").map(Arc::new)
    };
    // A run that saves no pages looks at those that are there all the same.
    let (location, stored) = (options.location(), SinkLocation::of(&options.target));
    let pages = open(&stored)?;
    let sink = if location == stored { Arc::clone(&pages) } else { open(&location)? };
    let (catalogue, notes) = history::open(options, &root, pages, &mut manifest)?;
    Ok(Output { sink, location, manifest, catalogue, notes })
}
