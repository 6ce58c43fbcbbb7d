//! The status of each URL, from its records: one rule for runs and for `verify`.
//!
//! Over several runs the last record of a URL counts, but `failed` and `interrupted` never
//! replace `saved` while its file is whole. The caller checks whether the file is whole. The
//! status remembers what was saved last and what happened after that.

use crate::fingerprint::FingerprintMap;
use crate::model::{FailureCode, Key, State, Stored};
use crate::save::manifest::PageRecord;
use crate::save::names::{Form, NameAllocator};

/// An index from each URL of a manifest to its status, at about 27 bytes per URL.
#[derive(Default)]
pub(super) struct StatusIndex(FingerprintMap<UrlStatus>);

impl StatusIndex {
    /// Adds the record at `place` in the manifest. `names` decides whether the URL may have the
    /// recorded name.
    pub(super) fn add(&mut self, page: &PageRecord, place: u64, names: &mut NameAllocator) {
        let status = self.0.entry(page.url.as_str());
        let key = saved_file(page);
        let form = key.and_then(|key| names.reserve_page(&page.url, &key, status.owns_default()));
        status.follow(page, place, form);
    }

    /// Returns the status of `url`; the default without records.
    pub(super) fn of(&self, url: &str) -> UrlStatus {
        self.0.get(url).unwrap_or_default()
    }

    /// Marks `url` as seen. Returns `Some(true)` the first time, and `None` without records.
    pub(super) fn mark(&mut self, url: &str) -> Option<bool> {
        let status = self.0.get_mut(url)?;
        let is_first = !status.has(MARKED);
        status.set(MARKED, true);
        Some(is_first)
    }
}

/// Returns the file in the record of a whole page. A record whose state only a later version
/// knows may have one too: then at least the URL owns the name.
fn saved_file(page: &PageRecord) -> Option<Key> {
    let has_name = match page.state.known() {
        Some(State::Saved | State::Unchanged) => is_whole(page),
        Some(State::Failed | State::Robots | State::Interrupted) => false,
        None => true,
    };
    // No run writes a record with an unsafe path.
    page.file.clone().filter(|_| has_name).and_then(Key::new)
}

/// Whether the record has the size and the digest of a whole page.
fn is_whole(page: &PageRecord) -> bool {
    page.bytes.is_some() && page.sha256.is_some()
}

/// The status of one URL, in eight bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct UrlStatus {
    /// The place of the record that says most about the saved page. 48 bits are enough for a
    /// manifest of 256 TiB. The first record is a run's, so 0 means no record.
    place: [u8; 6],
    last: Last,
    flags: u8,
}

/// The state in the last record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    /// Whole, or the URL has no record.
    #[default]
    Whole,
    Interrupted,
    Robots,
    /// A state that only a later version knows.
    Unknown,
    Failed(Option<FailureCode>),
}

/// The record at the place has a name that the URL owns.
const NAMED: u8 = 1;
/// That name is not the default one.
const ASSIGNED: u8 = 1 << 1;
/// The URL owns its default name.
const OWNS_DEFAULT: u8 = 1 << 2;
/// The page of that record counts while it is whole.
const SAVED: u8 = 1 << 3;
/// A run that saves no pages fetched the whole page.
const FETCHED: u8 = 1 << 4;
/// The URL was seen in this run.
const MARKED: u8 = 1 << 5;

/// The state of a URL after its file was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolved {
    /// The saved page.
    Saved,
    /// A failure; `None` for a code that only a later version knows.
    Failed(Option<FailureCode>),
    /// Robots rules forbid the URL.
    Robots,
    /// Nothing: the page was never fetched, or interrupted, or its file is lost, or only a
    /// later version knows its state.
    Nothing,
}

impl UrlStatus {
    fn follow(&mut self, page: &PageRecord, place: u64, form: Option<Form>) {
        if let Some(form) = form {
            let is_saved = page.state.known().is_some();
            self.put_place(place);
            self.set(NAMED, true);
            self.set(SAVED, is_saved);
            self.set(ASSIGNED, form == Form::Assigned);
            self.set(OWNS_DEFAULT, self.owns_default() || form == Form::Default);
            self.last = if is_saved { Last::Whole } else { Last::Unknown };
            return;
        }
        let Some(state) = page.state.known() else {
            self.last = Last::Unknown;
            return;
        };
        if matches!(state, State::Saved | State::Unchanged)
            && is_whole(page)
            && matches!(page.stored(), Stored::Archive(_) | Stored::Id(_))
        {
            self.put_place(place);
            self.set(SAVED, true);
            self.set(NAMED | ASSIGNED, false);
            self.last = Last::Whole;
            return;
        }
        match state {
            State::Saved if page.stored() == Stored::Nowhere => {
                self.set(FETCHED, true);
                self.last = Last::Whole;
                if !self.has(NAMED) {
                    self.put_place(place);
                }
            }
            // The URL may not have the recorded name: the record does not count.
            State::Saved => (),
            State::Unchanged => self.last = Last::Whole,
            State::Interrupted => self.last = Last::Interrupted,
            State::Robots => {
                self.set(SAVED | FETCHED, false);
                self.last = Last::Robots;
            }
            State::Failed => {
                // Every failure has a code; a manifest that others wrote may lack one.
                let code = page.error.as_ref();
                let code = code.map_or(Some(FailureCode::Protocol), |error| error.code.known());
                self.last = Last::Failed(code);
            }
        }
    }

    fn put_place(&mut self, place: u64) {
        self.place.copy_from_slice(&place.to_le_bytes()[..6]);
    }

    const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    const fn set(&mut self, flags: u8, on: bool) {
        self.flags = if on { self.flags | flags } else { self.flags & !flags };
    }

    /// Where the record stands that says most about what was saved.
    pub(super) fn place(self) -> Option<u64> {
        let mut bytes = [0; 8];
        bytes[..6].copy_from_slice(&self.place);
        Some(u64::from_le_bytes(bytes)).filter(|place| *place > 0)
    }

    /// Whether the URL owns a name that must be read from the record at the place.
    pub(super) const fn has_assigned_name(self) -> bool {
        self.has(ASSIGNED)
    }

    pub(super) const fn owns_default(self) -> bool {
        self.has(OWNS_DEFAULT)
    }

    /// Whether a record says where the page is saved.
    pub(super) const fn is_stored(self) -> bool {
        self.has(SAVED)
    }

    /// Whether a run that saves no pages fetched the whole page.
    pub(super) const fn is_fetched(self) -> bool {
        self.has(FETCHED)
    }

    /// Returns the state; `is_whole` says whether the saved page exists and is whole.
    pub(super) const fn resolve(self, is_whole: bool) -> Resolved {
        match self.last {
            _ if is_whole => Resolved::Saved,
            Last::Whole | Last::Interrupted | Last::Unknown => Resolved::Nothing,
            Last::Robots => Resolved::Robots,
            Last::Failed(code) => Resolved::Failed(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::Foreign;
    use crate::save::manifest::record::RecordedFailure;
    use crate::save::manifest::recorded::Recorded;
    use crate::save::names::{Layout, PageUrl};

    fn record(state: State, file: Option<&str>) -> PageRecord {
        let is_whole = matches!(state, State::Saved | State::Unchanged);
        let failure =
            RecordedFailure { code: FailureCode::Http.into(), message: "404 Not Found".into() };
        PageRecord {
            note: None,
            waits_ms: Vec::new(),
            seq: 0,
            url: PageUrl::parse("http://a.org/x").unwrap(),
            final_url: None,
            state: state.into(),
            status: None,
            file: file.map(str::to_owned),
            archive: None,
            offset: None,
            length: None,
            id: None,
            bytes: is_whole.then_some(1),
            wire_bytes: 1,
            sha256: is_whole.then(String::new),
            content_type: None,
            etag: None,
            last_modified: None,
            http: None,
            attempts: 1,
            worker: None,
            start_ms: None,
            wait_ms: 0.0,
            total_ms: 0.0,
            cpu_ms: 0.0,
            error: (state == State::Failed).then_some(failure),
        }
    }

    /// What stands after records in these states: with the file whole, and lost.
    fn after(states: &[(State, Option<&str>)]) -> (Resolved, Resolved, UrlStatus) {
        let (mut statuses, mut names) = (StatusIndex::default(), NameAllocator::new(Layout::Flat));
        for (number, (state, file)) in (1..).zip(states) {
            statuses.add(&record(*state, *file), number, &mut names);
        }
        let found = statuses.of("http://a.org/x");
        (found.resolve(found.is_stored()), found.resolve(false), found)
    }

    #[test]
    fn it_takes_eight_bytes() {
        assert_eq!(size_of::<UrlStatus>(), 8);
        assert_eq!(size_of::<(u64, UrlStatus)>(), 16);
    }

    #[test]
    fn the_last_record_stands_but_a_failure_never_replaces_a_whole_file() {
        use Resolved::{Nothing, Robots, Saved};
        use State::{Failed, Interrupted, Unchanged};
        let failed = Resolved::Failed(Some(FailureCode::Http));
        let saved = (State::Saved, Some("x.html"));
        for (states, whole, lost) in [
            (&[][..], Nothing, Nothing),
            (&[saved], Saved, Nothing),
            (&[saved, (Failed, None)], Saved, failed),
            (&[saved, (Failed, None), (Interrupted, None)], Saved, Nothing),
            (&[(Failed, None)], failed, failed),
            (&[(Failed, None), saved], Saved, Nothing),
            (&[saved, (Failed, None), (Unchanged, Some("x.html"))], Saved, Nothing),
            (&[saved, (Unchanged, None)], Saved, Nothing),
            (&[saved, (State::Robots, None)], Robots, Robots),
            (&[saved, (State::Robots, None), (Failed, None)], failed, failed),
            (&[saved, (State::Saved, None)], Saved, Nothing),
            (&[(State::Saved, Some("../x"))], Nothing, Nothing),
        ] {
            let (if_whole, if_lost, _) = after(states);
            assert_eq!((if_whole, if_lost), (whole, lost), "{states:?}");
        }
    }

    #[test]
    fn a_state_of_a_later_version_is_as_good_as_not_saved_and_keeps_its_name() {
        let later = |file| {
            let state = Recorded::Later("gone".into());
            PageRecord { state, ..record(State::Robots, file) }
        };
        let saved = record(State::Saved, Some("x.html"));
        for (records, whole, has_assigned_name) in [
            (vec![later(None)], Resolved::Nothing, false),
            (vec![record(State::Failed, None), later(None)], Resolved::Nothing, false),
            (vec![saved.clone(), later(None)], Resolved::Saved, false),
            (vec![saved.clone(), later(Some("x.html"))], Resolved::Nothing, false),
            (vec![later(Some("old/x.html"))], Resolved::Nothing, true),
            (vec![later(Some("../x"))], Resolved::Nothing, false),
            (vec![later(Some("x.html")), saved.clone()], Resolved::Saved, false),
        ] {
            let (mut statuses, mut names) =
                (StatusIndex::default(), NameAllocator::new(Layout::Flat));
            for (place, record) in (1..).zip(&records) {
                statuses.add(record, place, &mut names);
            }
            let status = statuses.of("http://a.org/x");
            assert_eq!(status.resolve(status.is_stored()), whole, "{records:?}");
            assert_eq!(status.has_assigned_name(), has_assigned_name, "{records:?}");
        }
    }

    #[test]
    fn a_code_of_a_later_version_is_a_failure() {
        let code = Recorded::Later("render-crash".into());
        let error = Some(RecordedFailure { code, message: Foreign::default() });
        let (mut statuses, mut names) = (StatusIndex::default(), NameAllocator::new(Layout::Flat));
        statuses.add(&PageRecord { error, ..record(State::Failed, None) }, 1, &mut names);
        let stands = statuses.of("http://a.org/x").resolve(false);
        assert_eq!(stands, Resolved::Failed(None));
    }

    #[test]
    fn the_place_is_that_of_the_record_that_names_the_file() {
        let saved = (State::Saved, Some("x.html"));
        let unsaved = (State::Saved, None);
        for (states, place) in [
            (&[saved, (State::Failed, None), unsaved][..], Some(1)),
            (&[unsaved, saved], Some(2)),
            (&[unsaved, unsaved], Some(2)),
            (&[saved, (State::Unchanged, Some("x.html"))], Some(2)),
            (&[(State::Failed, None)], None),
        ] {
            assert_eq!(after(states).2.place(), place, "{states:?}");
        }
        assert!(after(&[unsaved]).2.is_fetched());
        assert!(after(&[(State::Saved, Some("old/x.html"))]).2.has_assigned_name());
    }

    #[test]
    fn a_page_in_an_archive_is_saved_and_has_no_name() {
        let archive = Some("pages.warc.gz".to_owned());
        let (offset, length) = (Some(7), Some(9));
        let in_archive = PageRecord { archive, offset, length, ..record(State::Saved, None) };
        let outside = PageRecord { archive: Some("../x.warc.gz".to_owned()), ..in_archive.clone() };
        let failed = record(State::Failed, None);
        let file = record(State::Saved, Some("old/x.html"));
        for (records, is_saved, has_assigned_name) in [
            (vec![in_archive.clone(), failed], true, false),
            (vec![file.clone(), in_archive.clone()], true, false),
            (vec![in_archive, file], true, true),
            (vec![outside], false, false),
        ] {
            let (mut statuses, mut names) =
                (StatusIndex::default(), NameAllocator::new(Layout::Flat));
            for (place, record) in (1..).zip(&records) {
                statuses.add(record, place, &mut names);
            }
            let found = statuses.of("http://a.org/x");
            assert_eq!(found.is_stored(), is_saved, "{records:?}");
            assert_eq!(found.has_assigned_name(), has_assigned_name, "{records:?}");
        }
    }

    #[test]
    fn a_url_comes_up_once() {
        let (mut statuses, mut names) = (StatusIndex::default(), NameAllocator::new(Layout::Flat));
        statuses.add(&record(State::Failed, None), 1, &mut names);
        let marks =
            ["http://a.org/x", "http://a.org/x", "http://a.org/y"].map(|it| statuses.mark(it));
        assert_eq!(marks, [Some(true), Some(false), None]);
    }
}
