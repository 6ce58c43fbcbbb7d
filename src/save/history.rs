//! What earlier runs left in an output directory: which names are whose.
//!
//! The manifest records the names of the pages that were saved. A file that no
//! record names is a stranger's, and is never overwritten. After a run that was
//! killed there may be files that it saved and did not come to record; they are
//! told from strangers' files because each run records, before its first page,
//! which strangers it found.

use std::fs::FileType;
use std::io::ErrorKind;
use std::path::Path;

use super::key::{Layout, Namer};
use super::manifest::{ManifestWriter, Record};
use super::{MANIFEST_NAME, SaveError, atomic, io_error};
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
    scan(directory, "", layout, &mut |found| match found {
        Found::Folder(path) => namer.reserve_folder(path),
        // Whoever made it: what stands behind it is outside.
        Found::Link(path) => namer.reserve_file(path),
        Found::File(path) if recorded.is_stranger(path) => {
            namer.reserve_file(path);
            strangers.push(path.to_owned());
        }
        Found::File(_) => (),
    })?;
    manifest.record_foreign(&strangers)?;
    Ok(namer)
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

/// Something in the directory, by its path below it.
enum Found<'a> {
    File(&'a str),
    Link(&'a str),
    Folder(&'a str),
}

/// Looks through `directory`, and removes staged files. With the flat layout no
/// page goes into a folder, so none is looked into.
fn scan(
    directory: &Path,
    below: &str,
    layout: Layout,
    visit: &mut impl FnMut(Found),
) -> Result<(), SaveError> {
    let list = match std::fs::read_dir(directory) {
        // A folder that cannot be read is none of ours; its name is taken all the same.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !below.is_empty() => {
            return Ok(());
        }
        list => list.map_err(io_error("list", directory))?,
    };
    for entry in list {
        let entry = entry.map_err(io_error("list", directory))?;
        // A name that is no text cannot be one that a page gets.
        let Ok(name) = entry.file_name().into_string() else { continue };
        if below.is_empty() && atomic::is_staged(&name) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(io_error("remove the staged file", &path))?;
            continue;
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = entry.file_type();
        if kind.as_ref().is_ok_and(FileType::is_symlink) {
            visit(Found::Link(&path));
        } else if kind.as_ref().is_ok_and(FileType::is_dir) {
            if layout != Layout::Flat {
                scan(&entry.path(), &path, layout, visit)?;
            }
            visit(Found::Folder(&path));
        } else if path != MANIFEST_NAME {
            visit(Found::File(&path));
        }
    }
    Ok(())
}
