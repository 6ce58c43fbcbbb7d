//! Decides for each URL of a run: whether it is a duplicate, its name, and whether earlier
//! runs make a request unnecessary.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use url::Url;

use super::integrity::compare;
use super::status::{Resolved, StatusIndex, UrlStatus};
use crate::clock::rfc3339;
use crate::fingerprint::Fingerprints;
use crate::foreign::Foreign;
use crate::model::{Key, Validators};
use crate::save::error::SaveError;
use crate::save::manifest::{Lookup, PageRecord};
use crate::save::names::{Layout, NameAllocator, PreviousName};
use crate::save::options::Refetch;
use crate::save::sink::{Address, SavedPages};

/// Decides for each URL of a run whether to fetch it and under which name.
pub struct Catalogue {
    names: NameAllocator,
    statuses: StatusIndex,
    /// URLs of this run that no record names.
    fresh: Fingerprints,
    earlier: Option<Earlier>,
    /// Pages that are not saved and not fetched, because they have not failed
    /// (`--retry-failed`).
    left_out: Arc<AtomicU64>,
}

/// What to do with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Fetch it.
    Fetch {
        /// Its name.
        key: Key,
        /// The validators, when it is fetched only if it has changed.
        validators: Option<Box<Validators>>,
    },
    /// Skip it: it is saved, or the user did not ask for it.
    Skip,
}

/// The largest difference of clocks: between a file server and this machine, or on this
/// machine before and after its clock was set.
const CLOCK_DOUBT: Duration = Duration::from_hours(1);

/// The runs that did not reach their end, in the manifest's order. The pages that such a run
/// replaced last may have only the records of the pages before.
#[derive(Default)]
pub(super) struct OpenRuns {
    /// The places of their records, and when they began.
    runs: Vec<(u64, String)>,
}

impl OpenRuns {
    pub(super) fn add(&mut self, place: u64, started: String) {
        self.runs.push((place, started));
    }

    /// Whether one of them may have replaced a file after the record at `place` was written.
    /// The file was changed at `changed`.
    fn may_have_replaced(&self, place: u64, changed: Option<SystemTime>) -> bool {
        let later = self.runs.partition_point(|(run, _)| *run <= place);
        let changed = changed.and_then(|time| time.checked_add(CLOCK_DOUBT)).map(rfc3339);
        self.runs.get(later).is_some_and(|(_, started)| changed.is_none_or(|it| it >= *started))
    }
}

/// The output of earlier runs.
pub(super) struct Earlier {
    /// The pages that they saved.
    pub(super) pages: Arc<dyn SavedPages>,
    pub(super) records: Lookup,
    pub(super) refetch: Refetch,
    pub(super) saves_pages: bool,
    pub(super) open_runs: OpenRuns,
}

impl Catalogue {
    /// Makes a catalogue for an output that holds nothing yet.
    pub fn new(layout: Layout) -> Self {
        Self {
            names: NameAllocator::new(layout),
            statuses: StatusIndex::default(),
            fresh: Fingerprints::new(),
            earlier: None,
            left_out: Arc::default(),
        }
    }

    /// Makes a catalogue of the output of earlier runs.
    pub(super) fn of(names: NameAllocator, statuses: StatusIndex, earlier: Earlier) -> Self {
        let (fresh, left_out) = (Fingerprints::new(), Arc::default());
        Self { names, statuses, fresh, earlier: Some(earlier), left_out }
    }

    /// Returns the counter of pages that are skipped and not saved. It grows with the
    /// decisions.
    pub fn left_out(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.left_out)
    }

    /// Marks the URL with the manifest's spelling `spelled` as seen; returns false when it was
    /// seen before.
    pub fn is_first(&mut self, spelled: &str) -> bool {
        self.statuses.mark(spelled).unwrap_or_else(|| self.fresh.insert(spelled))
    }

    /// Names `url`, whose spelling in the manifest is `spelled`, and decides whether to fetch
    /// it. The caller must ask once for each URL, for those that are skipped too: names depend
    /// on the order of the input.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the manifest cannot be read again.
    pub fn decide(&mut self, url: &Url, spelled: &str) -> Result<Decision, SaveError> {
        let status = self.statuses.of(spelled);
        let mut record = None;
        if let (Some(earlier), Some(place)) = (&mut self.earlier, status.place())
            && (status.has_assigned_name() || earlier.refetch != Refetch::All)
        {
            record = earlier.records.page(place, spelled)?;
        }
        let file = record.as_ref().and_then(|record| record.file.clone());
        let assigned = file.filter(|_| status.has_assigned_name()).and_then(Key::new);
        let previous = PreviousName { assigned, owns_default: status.owns_default() };
        let key = self.names.name(url, previous);
        Ok(match &self.earlier {
            None => Decision::Fetch { key, validators: None },
            Some(earlier) => earlier.decide(status, record, key, &self.left_out),
        })
    }
}

impl Earlier {
    fn decide(
        &self,
        status: UrlStatus,
        record: Option<PageRecord>,
        key: Key,
        left_out: &AtomicU64,
    ) -> Decision {
        let saved = record.filter(|_| self.refetch != Refetch::All);
        let saved = saved.filter(|record| self.is_saved(status, record, &key));
        let is_counted_saved = saved.is_some() || (status.is_fetched() && !self.saves_pages);
        let resolved = status.resolve(is_counted_saved);
        let is_wanted = match (&self.refetch, resolved) {
            (Refetch::All | Refetch::Changed, _) => true,
            (Refetch::Unsaved, resolved) => resolved != Resolved::Saved,
            (Refetch::Failed(codes), Resolved::Failed(code)) => {
                codes.is_empty() || code.is_some_and(|code| codes.contains(&code))
            }
            (Refetch::Failed(_), _) => false,
        };
        if !is_wanted {
            if resolved == Resolved::Nothing {
                left_out.fetch_add(1, Ordering::Relaxed);
            }
            return Decision::Skip;
        }
        let asks = self.refetch == Refetch::Changed;
        let validators = saved.filter(|_| asks).and_then(validators).map(Box::new);
        Decision::Fetch { key, validators }
    }

    /// Whether `record` is still true: the page is stored, a file under the name `key`; or
    /// neither that run nor this one saves pages.
    fn is_saved(&self, status: UrlStatus, record: &PageRecord, key: &Key) -> bool {
        let stored = record.stored();
        match (Address::of(key, &stored), record.bytes) {
            (Some(address), Some(bytes)) => {
                let place = status.place().unwrap_or_default();
                let has_name = record.file.as_deref().is_none_or(|file| file == key.as_str());
                let sha256 = record.sha256.as_deref();
                status.is_stored() && has_name && self.is_whole(place, address, bytes, sha256)
            }
            (None, _) => status.is_fetched() && !self.saves_pages,
            (Some(_), None) => false,
        }
    }

    /// Whether the page at `address` is the one in the record at `place`. The size decides,
    /// unless a killed run may have stored a page of the same size there.
    fn is_whole(&self, place: u64, address: Address<'_>, bytes: u64, sha256: Option<&str>) -> bool {
        let is_equal = |it: &str| compare(&*self.pages, address, bytes, it).is_none();
        self.pages.stat(address).is_ok_and(|found| {
            found.is_file
                && found.len == bytes
                && (!self.open_runs.may_have_replaced(place, found.modified)
                    || sha256.is_some_and(is_equal))
        })
    }
}

/// The bytes of a validator, at most: servers refuse requests with long heads, many of them
/// from 8 kB on.
const VALIDATOR_LIMIT: usize = 1024;

/// Returns the validators that ask a server whether the page has changed; `None` when the
/// server sent none.
fn validators(record: PageRecord) -> Option<Validators> {
    // A header field cannot carry other characters (RFC 9110, 5.5).
    let sendable = |text: &Foreign| {
        let text = text.raw();
        text.len() <= VALIDATOR_LIMIT && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let stored = record.stored();
    let etag = record.etag.filter(sendable);
    let last_modified = record.last_modified.filter(sendable);
    (etag.is_some() || last_modified.is_some()).then_some(Validators {
        of: record.final_url.unwrap_or(record.url).as_str().to_owned(),
        etag,
        last_modified,
        content_type: record.content_type,
        bytes: record.bytes?,
        sha256: record.sha256?,
        stored,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_open_run_may_have_replaced_is_told_by_place_and_time() {
        let mut open = OpenRuns::default();
        open.add(100, "2026-11-21T20:10:00Z".into());
        open.add(300, "2026-11-23T20:10:00Z".into());
        let at = |hours: u64| {
            let first = SystemTime::UNIX_EPOCH + Duration::from_mins(29_921_530);
            Some(first - Duration::from_hours(3) + Duration::from_hours(hours))
        };
        for (place, changed, expected) in [
            (50, at(0), false),
            (50, at(2), true),
            (50, at(4), true),
            (50, None, true),
            (200, at(4), false),
            (200, at(51), true),
            (400, at(51), false),
        ] {
            assert_eq!(open.may_have_replaced(place, changed), expected, "{place} {changed:?}");
        }
    }
}
