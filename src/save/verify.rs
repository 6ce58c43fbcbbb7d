//! Checks a finished download against its manifest, offline.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;

use super::key::Layout;
use super::manifest::{PageRecord, Reader, Record};
use super::walk::{Depth, Found, walk};
use super::{MANIFEST_NAME, SaveError};
use crate::digest;
use crate::model::{Key, State};

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is recorded as saved and is not there.
    Missing,
    /// It has another size than recorded.
    Size {
        /// The recorded size in bytes.
        recorded: u64,
        /// The size that it has.
        found: u64,
    },
    /// It has the recorded size and another content.
    Content,
    /// It cannot be read.
    Unreadable(String),
    /// It is there and no record names it.
    Foreign,
}

/// What a verification found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that are as recorded.
    pub whole: u64,
    /// Files that are not, by path.
    pub differences: BTreeMap<String, Difference>,
    /// Pages that failed or were interrupted and are not saved.
    pub unsaved: u64,
    /// URLs to fetch again: of differing files and of unsaved pages, in the manifest's order.
    pub to_fetch: Vec<String>,
    /// Whether the last run came to its end.
    pub is_finished: bool,
    /// Lines of the manifest that are no record.
    pub unreadable_lines: u64,
}

struct Page {
    url: String,
    /// Where, how large, and with which digest it is saved, if it is.
    saved: Option<(String, u64, String)>,
}

/// What the manifest says.
struct Recorded {
    pages: Vec<Page>,
    /// The strangers' files.
    known: HashSet<String>,
    /// How far the runs looked.
    depth: Depth,
}

/// Compares the files in `directory` with its manifest.
///
/// # Errors
///
/// [`SaveError`] when there is no manifest, or it or the directory cannot be read.
pub fn verify(directory: &Path) -> Result<Report, SaveError> {
    let mut report = Report::default();
    let Recorded { pages, mut known, depth } = read_records(directory, &mut report)?;
    for page in pages {
        let Some((file, bytes, sha256)) = page.saved else {
            report.unsaved += 1;
            report.to_fetch.push(page.url);
            continue;
        };
        match compare(&directory.join(&file), bytes, &sha256) {
            None => report.whole += 1,
            Some(difference) => {
                report.differences.insert(file.clone(), difference);
                report.to_fetch.push(page.url);
            }
        }
        known.insert(file);
    }
    find_foreign(directory, depth, &known, &mut report.differences)?;
    Ok(report)
}

/// The last standing record of each URL: a failure never replaces a saved page.
fn read_records(directory: &Path, report: &mut Report) -> Result<Recorded, SaveError> {
    let mut known = HashSet::new();
    let mut depth = Depth::Top;
    let mut reader = Reader::open(directory)?;
    let mut pages: Vec<Page> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut has_run = false;
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Page(record) => {
                let at = *place.entry(record.url.clone()).or_insert_with(|| {
                    pages.push(Page { url: record.url.clone(), saved: None });
                    pages.len() - 1
                });
                if let Some(saved) = saved_file(*record) {
                    pages[at].saved = Some(saved);
                }
            }
            Record::Foreign { files } => known.extend(files),
            Record::Run(run) => {
                has_run = true;
                if run.layout != Layout::Flat {
                    depth = Depth::All;
                }
                report.is_finished = false;
            }
            Record::End(_) => report.is_finished = true,
            Record::Unknown => (),
        }
    }
    report.unreadable_lines = reader.unreadable;
    if !has_run {
        return Err(SaveError::NotAManifest { path: directory.join(MANIFEST_NAME) });
    }
    Ok(Recorded { pages, known, depth })
}

fn saved_file(record: PageRecord) -> Option<(String, u64, String)> {
    let key = record.file.and_then(Key::new).filter(|_| record.state == State::Saved)?;
    Some((key.to_string(), record.bytes?, record.sha256?))
}

fn compare(path: &Path, bytes: u64, sha256: &str) -> Option<Difference> {
    let body = match std::fs::read(path) {
        Ok(body) => body,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Difference::Missing),
        Err(error) => return Some(Difference::Unreadable(error.to_string())),
    };
    let found = body.len() as u64;
    if found != bytes {
        return Some(Difference::Size { recorded: bytes, found });
    }
    (digest::hex(&digest::sha256(&body)) != sha256).then_some(Difference::Content)
}

/// The files that nobody knows, where the runs would have put theirs.
fn find_foreign(
    directory: &Path,
    depth: Depth,
    known: &HashSet<String>,
    differences: &mut BTreeMap<String, Difference>,
) -> Result<(), SaveError> {
    walk(directory, depth, &mut |found| {
        if let Found::File(path) | Found::Link(path) = found
            && !known.contains(path)
        {
            differences.insert(path.to_owned(), Difference::Foreign);
        }
        Ok(())
    })
}
