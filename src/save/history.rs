//! What earlier runs left in an output directory: which names are whose.
//!
//! The manifest records the names of the pages that were saved. A file that no
//! record names is a stranger's, and is never overwritten. After a run that was
//! killed there may be files that it saved and did not come to record; they are
//! told from strangers' files because each run records, before its first page,
//! which strangers it found.

use std::path::Path;

use super::key::{Layout, Namer};
use super::manifest::{ManifestWriter, Record};
use super::walk::{Found, walk};
use super::{SaveError, io_error};
use crate::fingerprint::Fingerprints;
use crate::model::Key;

/// Reads the directory and its manifest, removes staged files that a killed run
/// left, and records the strangers' files.
pub(super) fn read(
    directory: &Path,
    layout: Layout,
    manifest: &mut ManifestWriter,
) -> Result<Namer, SaveError> {
    let mut namer = Namer::new(layout);
    let recorded = read_records(&mut namer, manifest)?;
    let mut strangers = Vec::new();
    walk(directory, layout.into(), &mut |found| {
        match found {
            Found::Folder(path) => namer.reserve_folder(path),
            Found::Staged(path) => remove_staged(&directory.join(path))?,
            // Its name is taken, whoever made it: what stands behind it is outside.
            Found::Link(path) => {
                namer.reserve_file(path);
                if !recorded.pages.contains(path) {
                    strangers.push(path.to_owned());
                }
            }
            Found::File(path) if recorded.is_stranger(path) => {
                namer.reserve_file(path);
                strangers.push(path.to_owned());
            }
            Found::File(_) => (),
        }
        Ok(())
    })?;
    manifest.record_foreign(&strangers)?;
    Ok(namer)
}

fn remove_staged(path: &Path) -> Result<(), SaveError> {
    std::fs::remove_file(path).map_err(io_error("remove the staged file", path))
}

/// What the manifest says.
#[derive(Default)]
struct Recorded {
    /// Files that records name as pages.
    pages: Fingerprints,
    /// The last run, when it has no end: the strangers' files that it found, and its layout.
    open_run: Option<(Fingerprints, Layout)>,
}

impl Recorded {
    fn is_stranger(&self, path: &str) -> bool {
        match &self.open_run {
            // It did not look into folders, and did not write into them either.
            Some((_, Layout::Flat)) if path.contains('/') => !self.pages.contains(path),
            // Files that came since the killed run began are its own.
            Some((strangers, _)) => strangers.contains(path),
            None => !self.pages.contains(path),
        }
    }
}

fn read_records(namer: &mut Namer, manifest: &ManifestWriter) -> Result<Recorded, SaveError> {
    let mut recorded = Recorded::default();
    let mut strangers = Fingerprints::new();
    let mut reader = manifest.reader()?;
    while let Some(record) = reader.next_record()? {
        match record {
            // The strangers' files are recorded just before the run.
            Record::Run(run) => {
                recorded.open_run = Some((std::mem::take(&mut strangers), run.layout));
            }
            Record::Foreign { files } => {
                for file in &files {
                    strangers.insert(file);
                }
            }
            Record::End(_) => recorded.open_run = None,
            Record::Page(page) => {
                // A record that names no safe path was not written by us.
                if let Some(key) = page.file.and_then(Key::new) {
                    recorded.pages.insert(key.as_str());
                    namer.keep(&page.url, key);
                }
            }
            Record::Unknown => (),
        }
    }
    Ok(recorded)
}
