//! Checks a finished download against its manifest, offline.

use std::collections::BTreeMap;
use std::path::Path;

use super::earlier_runs::History;
use super::integrity::{Difference, compare};
use super::status::{Resolved, UrlStatus};
use super::walk::{Depth, Found, walk};
use crate::fingerprint::Fingerprints;
use crate::foreign::Foreign;
use crate::model::Key;
use crate::save::error::SaveError;
use crate::save::manifest::{Lookup, PageRecord, Reader, Record};
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::names::{Layout, PageUrl, lower};
use crate::save::sink::beneath::Root;

/// What a verification found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that are as recorded.
    pub whole: u64,
    /// Files that are not, by path.
    pub differences: BTreeMap<String, Difference>,
    /// Pages that are not saved: they failed, were interrupted, or were not to be kept.
    pub unsaved: u64,
    /// URLs to fetch again: of differing files and of unsaved pages, in the manifest's order.
    pub to_fetch: Vec<Foreign>,
    /// Whether the last run came to its end.
    pub is_finished: bool,
    /// Lines of the manifest that are no record.
    pub unreadable_lines: u64,
}

/// Compares the files in `directory` with its manifest.
///
/// # Errors
///
/// [`SaveError`] when there is no manifest, or it or the directory cannot be read.
pub fn verify(directory: &Path) -> Result<Report, SaveError> {
    let root = Reader::root(directory)?;
    let mut reader = Reader::of(&root)?;
    // No names are given here, so any layout will do.
    let mut history = History::read(&mut reader, Layout::Flat)?;
    let Some(last_run) = &history.last_run else {
        return Err(SaveError::NotAManifest { path: directory.join(MANIFEST_NAME) });
    };
    let mut report = Report {
        is_finished: last_run.is_ended(),
        unreadable_lines: reader.unreadable,
        ..Report::default()
    };
    let depth = Depth::of(history.is_deep);
    let mut records = reader.into_lookup();
    let mut known = Fingerprints::new();
    // Once more, because each page is told at its first record.
    let mut reader = Reader::of(&root)?;
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Page(page) => {
                page.file.iter().for_each(|file| _ = known.insert(&lower(file)));
                if history.statuses.mark(page.url.as_str()) == Some(true) {
                    let status = history.statuses.of(page.url.as_str());
                    check(&root, &page.url, status, &mut records, &mut report)?;
                }
            }
            Record::Foreign { files } => {
                for file in files {
                    known.insert(&lower(&file));
                }
            }
            Record::Run(_) | Record::Orphans { .. } | Record::End(_) | Record::Unknown => (),
        }
    }
    // As for a run: what differs from a page's name in case alone is known with it.
    let is_known = |path: &str| known.contains(&lower(path)) || history.has_settled(path);
    find_foreign(&root, depth, &is_known, &mut report.differences)?;
    Ok(report)
}

/// Checks the page of one URL, which stands as its records say.
fn check(
    root: &Root,
    url: &PageUrl,
    status: UrlStatus,
    records: &mut Lookup,
    report: &mut Report,
) -> Result<(), SaveError> {
    let place = status.place().filter(|_| status.has_file());
    let saved = match place {
        Some(place) => records.page(place, url.as_str())?.and_then(saved_file),
        None => None,
    };
    match saved {
        Some((key, bytes, sha256)) => match compare(root, &key, bytes, &sha256) {
            None => report.whole += 1,
            Some(difference) => {
                report.differences.insert(key.as_str().to_owned(), difference);
                report.to_fetch.push(url.as_str().into());
            }
        },
        // It is not to be fetched, so it is not missing.
        None if status.resolve(false) == Resolved::Robots => (),
        None => {
            report.unsaved += 1;
            report.to_fetch.push(url.as_str().into());
        }
    }
    Ok(())
}

/// What the record says of the file. One whose name leaves the directory, or is no
/// name at all, was not written by us and names no file.
fn saved_file(page: PageRecord) -> Option<(Key, u64, String)> {
    Some((Key::new(page.file?)?, page.bytes?, page.sha256?))
}

/// The files that nobody knows, where the runs would have put theirs.
fn find_foreign(
    root: &Root,
    depth: Depth,
    is_known: &dyn Fn(&str) -> bool,
    differences: &mut BTreeMap<String, Difference>,
) -> Result<(), SaveError> {
    walk(root, depth, &mut |found| {
        if let Found::File(path) | Found::Link(path) = found
            && !is_known(path)
        {
            differences.insert(path.to_owned(), Difference::Foreign);
        }
        Ok(())
    })
}
