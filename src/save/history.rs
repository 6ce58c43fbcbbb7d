//! What earlier runs left in an output directory: which names are whose.
//!
//! The manifest records the names of the pages that were saved. A file that no
//! record names is a stranger's, and is never overwritten. After a run that was
//! killed there may be files that it saved and did not come to record; they are
//! told from strangers' files because each run records, before its first page,
//! which strangers it found.

use std::collections::HashSet;
use std::fs::FileType;
use std::path::Path;

use super::key::{Layout, Namer};
use super::manifest::{ManifestWriter, Record};
use super::{MANIFEST_NAME, SaveError, atomic, io_error};
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
    let mut found = Found::default();
    scan(directory, "", &mut found)?;
    let strangers: Vec<String> = found
        .files
        .into_iter()
        .filter(|path| match &recorded.open_run {
            // Files that came since the killed run began are its own.
            Some(strangers) => strangers.contains(path),
            None => !recorded.pages.contains(path),
        })
        .collect();
    namer.reserve_file(MANIFEST_NAME);
    for path in &strangers {
        namer.reserve_file(path);
    }
    for path in &found.folders {
        namer.reserve_folder(path);
    }
    manifest.record_foreign(&strangers)?;
    Ok(namer)
}

/// What the manifest says.
#[derive(Default)]
struct Recorded {
    /// Files that records name as pages.
    pages: HashSet<String>,
    /// The strangers' files that the last run found, when that run has no end.
    open_run: Option<HashSet<String>>,
}

fn read_records(namer: &mut Namer, manifest: &ManifestWriter) -> Result<Recorded, SaveError> {
    let mut recorded = Recorded::default();
    let mut strangers = HashSet::new();
    let mut reader = manifest.reader()?;
    while let Some(record) = reader.next_record()? {
        match record {
            // The strangers' files are recorded just before the run.
            Record::Run(_) => recorded.open_run = Some(std::mem::take(&mut strangers)),
            Record::Foreign { files } => strangers.extend(files),
            Record::End(_) => recorded.open_run = None,
            Record::Page(page) => {
                // A record that names no safe path was not written by us.
                if let Some(key) = page.file.and_then(Key::new) {
                    recorded.pages.insert(key.to_string());
                    namer.keep(&page.url, key);
                }
            }
            Record::Unknown => (),
        }
    }
    Ok(recorded)
}

#[derive(Default)]
struct Found {
    files: Vec<String>,
    folders: Vec<String>,
}

/// Lists what is in `directory`, by paths below it, and removes staged files.
fn scan(directory: &Path, below: &str, found: &mut Found) -> Result<(), SaveError> {
    let list = std::fs::read_dir(directory).map_err(io_error("list", directory))?;
    for entry in list {
        let entry = entry.map_err(io_error("list", directory))?;
        // A name that is no text cannot be one that a page gets.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if below.is_empty() && atomic::is_staged(&name) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(io_error("remove the staged file", &path))?;
            continue;
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        // A link to a folder counts as a file: following it would leave the directory.
        if entry.file_type().as_ref().is_ok_and(FileType::is_dir) {
            scan(&entry.path(), &path, found)?;
            found.folders.push(path);
        } else if path != MANIFEST_NAME {
            found.files.push(path);
        }
    }
    Ok(())
}
