//! Checks a finished download against its manifest, offline.

use std::collections::BTreeMap;
use std::path::Path;

use super::earlier_runs::History;
use super::integrity::{Difference, compare};
use super::status::{Resolved, UrlStatus};
use crate::fingerprint::Fingerprints;
use crate::foreign::Foreign;
use crate::model::{ArchiveRecord, Key, Stored};
use crate::save::error::SaveError;
use crate::save::manifest::{Lookup, PageRecord, Reader, Record};
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::names::{Layout, PageUrl, lower};
use crate::save::sink::{Address, Depth, Found, SavedPages, SinkLocation, Target};

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

/// Compares the pages of `target` with their manifest.
///
/// # Errors
///
/// [`SaveError`] when there is no manifest, or when the manifest or the target cannot be read.
///
/// # Panics
///
/// When no kind of sink writes to `target`. [`Target::parse`] returns no such target.
pub fn verify(target: &Target) -> Result<Report, SaveError> {
    let directory = target.manifest_directory().unwrap_or(Path::new(""));
    let root = Reader::root(directory)?;
    let mut reader = Reader::of(&root)?;
    let location = SinkLocation::of(target);
    let pages = location.open().expect("the location is of this program's table")?;
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
    // As for a run: what differs from a page's name in case alone is known with it.
    let is_known = |path: &str| known.contains(&lower(path)) || history.has_settled(path);
    find_foreign(&pages, depth, &is_known, &mut report.differences)?;
    Ok(report)
}

/// Checks the page of one URL, which stands as its records say.
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
        // It is not to be fetched, so it is not missing.
        None if status.resolve(false) == Resolved::Robots => (),
        None => {
            report.unsaved += 1;
            report.to_fetch.push(url.as_str().into());
        }
    }
    Ok(())
}

/// What a record says of a page that it calls saved.
struct SavedPage {
    place: Place,
    bytes: u64,
    sha256: String,
}

/// Where it is.
enum Place {
    File(Key),
    Archive(ArchiveRecord),
    Id(Box<str>),
}

impl SavedPage {
    /// `None` for a record whose name leaves the directory, or is no name at all: no run
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

    /// What a report calls it.
    fn name(&self) -> String {
        match &self.place {
            Place::File(key) => key.as_str().to_owned(),
            Place::Archive(record) => format!("{}:{}", record.archive, record.offset),
            Place::Id(id) => id.to_string(),
        }
    }
}

/// The files that nobody knows, where the runs would have put theirs.
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
