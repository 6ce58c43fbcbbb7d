//! Checks a finished download against its manifest, offline.

use std::collections::BTreeMap;

use super::earlier_runs::History;
use super::integrity::{Difference, compare};
use super::status::{Resolved, UrlStatus};
use crate::fingerprint::Fingerprints;
use crate::foreign::Foreign;
use crate::model::{ArchiveRecord, Key, Stored};
use crate::save::error::SaveError;
use crate::save::manifest::{Lookup, PageRecord, Reader, Record};
use crate::save::names::{Layout, PageUrl, lower};
use crate::save::sink::{Address, Depth, Found, SavedPages, SinkLocation, Target};

/// What a verification found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of pages that are as recorded.
    pub whole: u64,
    /// The pages and files that are not, by path.
    pub differences: BTreeMap<String, Difference>,
    /// The number of pages that are not saved: they failed, were interrupted, or the run
    /// saved no pages.
    pub unsaved: u64,
    /// The URLs to fetch again, in the manifest's order: of differing and of unsaved pages.
    pub to_fetch: Vec<Foreign>,
    /// Whether the last run came to its end.
    pub is_finished: bool,
    /// The number of unreadable lines in the manifest.
    pub unreadable_lines: u64,
}

/// Compares the pages of `target` with their manifest.
///
/// # Errors
///
/// [`SaveError::NotVerifiable`] when the sink cannot read its pages again; other errors when
/// there is no manifest, or when the manifest or the target cannot be read.
///
/// # Panics
///
/// When no kind of sink writes to `target`. [`Target::parse`] returns no such target.
pub fn verify(target: &Target) -> Result<Report, SaveError> {
    let location = SinkLocation::of(target);
    let capabilities = location.capabilities();
    if !capabilities.is_verifiable {
        return Err(SaveError::NotVerifiable { output: target.to_string() });
    }
    let manifest = target.manifest();
    let root = Reader::root(&manifest)?;
    let mut reader = Reader::of(&root, &manifest)?;
    let pages = location.open().expect("the location is of this program's table")?;
    // No page gets a name here, so any layout is right.
    let mut history = History::read(&mut reader, Layout::Flat)?;
    let Some(last_run) = &history.last_run else {
        return Err(SaveError::NotAManifest { path: manifest.path() });
    };
    let mut report = Report {
        is_finished: last_run.is_ended(),
        unreadable_lines: reader.unreadable,
        ..Report::default()
    };
    let depth = Depth::of(history.is_deep);
    let mut records = reader.into_lookup();
    let mut known = Fingerprints::new();
    // A second reading, because each page is reported in the order of its first record.
    let mut reader = Reader::of(&root, &manifest)?;
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Page(page) => {
                page.file.iter().for_each(|file| _ = known.insert(&lower(file)));
                if history.statuses.mark(page.url.as_str()) == Some(true) {
                    let status = history.statuses.of(page.url.as_str());
                    check(&pages, &page.url, status, &mut records, &mut report)?;
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
    if !capabilities.is_addressable {
        return Ok(report);
    }
    // As in a run, a name that differs from a page's only in case counts as the page's.
    let is_known = |path: &str| known.contains(&lower(path)) || history.has_settled(path);
    find_foreign(&pages, depth, &is_known, &mut report.differences)?;
    Ok(report)
}

/// Checks the page of one URL against its status.
fn check(
    pages: &dyn SavedPages,
    url: &PageUrl,
    status: UrlStatus,
    records: &mut Lookup,
    report: &mut Report,
) -> Result<(), SaveError> {
    let place = status.place().filter(|_| status.is_stored());
    let saved = match place {
        Some(place) => records.page(place, url.as_str())?.and_then(SavedPage::of),
        None => None,
    };
    match saved {
        Some(saved) => match compare(pages, saved.address(), saved.bytes, &saved.sha256) {
            None => report.whole += 1,
            Some(difference) => {
                report.differences.insert(saved.name(), difference);
                report.to_fetch.push(url.as_str().into());
            }
        },
        // It must not be fetched, so it is not missing.
        None if status.resolve(false) == Resolved::Robots => (),
        None => {
            report.unsaved += 1;
            report.to_fetch.push(url.as_str().into());
        }
    }
    Ok(())
}

/// The page in a record of a saved page.
struct SavedPage {
    place: Place,
    bytes: u64,
    sha256: String,
}

/// The place of a saved page.
enum Place {
    File(Key),
    Archive(ArchiveRecord),
    Id(Box<str>),
}

impl SavedPage {
    /// Returns `None` for a record whose name leads out of the directory or is no name: no run
    /// wrote it, and it names no page.
    fn of(page: PageRecord) -> Option<Self> {
        let place = match page.stored() {
            Stored::Key => Place::File(Key::new(page.file?)?),
            Stored::Archive(record) => Place::Archive(*record),
            Stored::Id(id) => Place::Id(id),
            Stored::Nowhere => return None,
        };
        Some(Self { place, bytes: page.bytes?, sha256: page.sha256? })
    }

    const fn address(&self) -> Address<'_> {
        match &self.place {
            Place::File(key) => Address::Key(key),
            Place::Archive(record) => Address::Archive(record),
            Place::Id(id) => Address::Id(id),
        }
    }

    /// Returns its name in a report.
    fn name(&self) -> String {
        match &self.place {
            Place::File(key) => key.as_str().to_owned(),
            Place::Archive(record) => format!("{}:{}", record.archive, record.offset),
            Place::Id(id) => id.to_string(),
        }
    }
}

/// Finds the files that no record names, in the folders that runs write to.
fn find_foreign(
    pages: &dyn SavedPages,
    depth: Depth,
    is_known: &dyn Fn(&str) -> bool,
    differences: &mut BTreeMap<String, Difference>,
) -> Result<(), SaveError> {
    pages.list(depth, &mut |found| {
        if let Found::File(path) | Found::Link(path) = found
            && !is_known(path)
        {
            differences.insert(path.to_owned(), Difference::Foreign);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_cannot_be_read_again_are_not_verified() {
        let error = verify(&Target::Nothing).unwrap_err();
        assert!(matches!(error, SaveError::NotVerifiable { .. }), "{error:?}");
    }
}
