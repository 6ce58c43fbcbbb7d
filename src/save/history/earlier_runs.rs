//! Reads the records of earlier runs, and finds the owner of each file in the output.

use std::sync::Arc;
use std::time::Duration;

use super::catalogue::{Catalogue, Earlier, OpenRuns};
use super::status::StatusIndex;
use crate::clock::rfc3339;
use crate::fingerprint::Fingerprints;
use crate::foreign::Foreign;
use crate::message::counted;
use crate::model::Key;
use crate::save::error::SaveError;
use crate::save::manifest::{ManifestWriter, Reader, Record, RunRecord, is_filter_arg};
use crate::save::names::{Layout, NameAllocator};
use crate::save::options::Options;
use crate::save::sink::beneath::Root;
use crate::save::sink::{Address, Depth, Found, SavedPages, SinkLocation};

/// The content of a manifest, as far as a run needs it.
pub(in crate::save) struct History {
    /// The names that are taken.
    pub(super) names: NameAllocator,
    /// The status of each URL.
    pub(super) statuses: StatusIndex,
    pub(super) last_run: Option<LastRun>,
    /// The runs that were killed.
    open_runs: OpenRuns,
    /// Whether runs looked for files in folders.
    pub(super) is_deep: bool,
}

/// The way in which a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    /// It was killed.
    Killed,
    /// It ended before it had read and finished all pages of its source.
    Early,
    /// It finished all of them.
    Complete,
}

/// The last run that began.
pub(super) struct LastRun {
    close: Close,
    /// Whether it went through all of the source of the run before it: no filter left out more.
    covers_earlier: bool,
    /// Whether lines may be lost that named the owners of files.
    is_damaged: bool,
    /// Its source.
    args: Vec<String>,
    /// Whether it looked into folders.
    was_deep: bool,
    /// The place of its record.
    place: u64,
    started: String,
    unowned: Unowned,
}

/// The files that existed when a run began and that no record of a page named.
#[derive(Default)]
struct Unowned {
    /// The number of them.
    count: u64,
    foreign: Fingerprints,
    orphans: Fingerprints,
}

impl History {
    /// Reads all records. The default names of `layout` cost the least memory.
    pub(in crate::save) fn read(reader: &mut Reader, layout: Layout) -> Result<Self, SaveError> {
        let mut history = Self {
            names: NameAllocator::new(layout),
            statuses: StatusIndex::default(),
            last_run: None,
            open_runs: OpenRuns::default(),
            is_deep: false,
        };
        // The records of unowned files come just before that of their run.
        let mut unowned = Unowned::default();
        let mut unreadable = 0;
        while let Some((place, record)) = reader.next_placed()? {
            // Unreadable lines between the pages of a run may have been the beginning of
            // another run.
            let follows_unreadable =
                reader.unreadable > std::mem::replace(&mut unreadable, reader.unreadable);
            if let (Record::Page(_) | Record::End(_), true, Some(run)) =
                (&record, follows_unreadable, &mut history.last_run)
            {
                run.is_damaged = true;
            }
            match record {
                Record::Run(run) => {
                    let unowned = std::mem::take(&mut unowned);
                    history.begin(run, place, unowned);
                }
                Record::Foreign { files } => {
                    unowned.count += add(&mut unowned.foreign, &files);
                }
                Record::Orphans { files } => {
                    unowned.count += add(&mut unowned.orphans, &files);
                }
                Record::End(end) => {
                    if let Some(run) = &mut history.last_run {
                        let has_all = end.input_complete && end.interrupted == 0;
                        run.close = if has_all { Close::Complete } else { Close::Early };
                    }
                }
                Record::Page(page) => history.statuses.add(&page, place, &mut history.names),
                Record::Unknown => (),
            }
        }
        if let Some(run) = history.last_run.as_ref().filter(|run| !run.is_ended()) {
            history.open_runs.add(run.place, run.started.clone());
        }
        Ok(history)
    }

    /// Adds the record of a run.
    fn begin(&mut self, run: RunRecord, place: u64, unowned: Unowned) {
        self.is_deep |= run.layout != Layout::Flat.into();
        let before = self.last_run.as_ref();
        let run = LastRun {
            close: Close::Killed,
            covers_earlier: before.is_none_or(|before| before.args == run.args)
                || !run.args.iter().any(|word| is_filter_arg(word)),
            is_damaged: unowned.count < run.unowned,
            args: run.args,
            was_deep: self.is_deep,
            place,
            started: run.started,
            unowned,
        };
        if let Some(before) = self.last_run.replace(run).filter(|before| !before.is_ended()) {
            self.open_runs.add(before.place, before.started);
        }
    }

    /// Returns the owner of the file `path` of `pages`, for a run with the source `args`. The
    /// names of pages are compared without case: on some file systems a file whose name differs
    /// only in case is the page's.
    fn owner(&self, path: &str, pages: &dyn SavedPages, args: &[String]) -> Owner {
        if self.names.has_file(path) {
            return Owner::Page;
        }
        let Some(run) = self.last_run.as_ref().filter(|run| run.has_left(path, pages)) else {
            return Owner::Foreign;
        };
        let is_settled = run.close == Close::Complete && run.covers_earlier;
        if is_settled || !is_same_source(&run.args, args) {
            return Owner::Unclaimed;
        }
        Owner::Orphan
    }

    /// Whether `path` is an orphan that the last run left, although it finished all its pages.
    pub(in crate::save) fn has_settled(&self, path: &str) -> bool {
        let run = self.last_run.as_ref();
        run.is_some_and(|run| run.close == Close::Complete && run.unowned.orphans.contains(path))
    }
}

impl LastRun {
    /// Whether it reached its end and was not killed.
    pub(in crate::save) fn is_ended(&self) -> bool {
        self.close != Close::Killed
    }

    /// Whether this run or a killed run before it may have saved the file `path`. No record of
    /// a page names the file.
    fn has_left(&self, path: &str, pages: &dyn SavedPages) -> bool {
        let Unowned { foreign, orphans, .. } = &self.unowned;
        if orphans.contains(path) {
            return true;
        }
        // A run writes only into folders in which it has looked for files.
        let was_seen = self.was_deep || !path.contains('/');
        if self.is_ended() || self.is_damaged || !was_seen || foreign.contains(path) {
            return false;
        }
        let found = Key::new(path).and_then(|key| pages.stat(Address::Key(&key)).ok());
        found.is_some_and(|found| {
            let changed = found.modified.and_then(|time| time.checked_add(TIME_STEP));
            found.is_file && changed.is_some_and(|time| rfc3339(time) >= self.started)
        })
    }
}

/// The coarsest resolution of file times (FAT, 2 s).
const TIME_STEP: Duration = Duration::from_secs(2);

/// Whether two sources are the same apart from their filters.
fn is_same_source(one: &[String], other: &[String]) -> bool {
    let [one, other] = [one, other].map(|source| source.iter().filter(|word| !is_filter_arg(word)));
    one.eq(other)
}

fn add(set: &mut Fingerprints, files: &[String]) -> u64 {
    for file in files {
        set.insert(file);
    }
    files.len() as u64
}

/// The owner of a file; the module's documentation explains them.
enum Owner {
    /// The page whose record names it.
    Page,
    /// A page of this run's source: a killed run saved the file and did not record it.
    Orphan,
    /// A page of another source: a killed run saved the file and did not record it.
    Unclaimed,
    /// The user or another program.
    Foreign,
}

/// Reads the output and its manifest, removes the staged files of a killed run, and records
/// the files that no record names.
pub(in crate::save) fn open(
    options: &Options,
    root: &Root,
    pages: Arc<dyn SavedPages>,
    manifest: &mut ManifestWriter,
) -> Result<(Catalogue, Vec<String>), SaveError> {
    let at = options.manifest();
    let mut reader = Reader::of(root, &at)?;
    let mut history = History::read(&mut reader, options.layout)?;
    let (mut foreign, mut orphans) = (Vec::new(), Vec::new());
    let (mut links, mut unclaimed) = (Vec::new(), Vec::new());
    let uses_folders = history.is_deep || options.layout != Layout::Flat;
    let mut visit = |found: Found<'_>| {
        match found {
            Found::Folder(path) => history.names.reserve_folder(path),
            Found::Staged(path) => pages.remove_staged(path)?,
            Found::Link(path) => links.push(path.to_owned()),
            Found::File(path) => match history.owner(path, &*pages, &options.source) {
                Owner::Page => (),
                Owner::Orphan => orphans.push(path.to_owned()),
                Owner::Unclaimed => unclaimed.push(path.to_owned()),
                Owner::Foreign => foreign.push(path.to_owned()),
            },
        }
        Ok(())
    };
    if SinkLocation::of(&options.target).capabilities().is_addressable {
        pages.list(Depth::of(uses_folders), &mut visit)?;
    }
    let notes = notes(reader.unreadable, &at.shown_name(), &unclaimed);
    foreign.append(&mut unclaimed);
    // No run makes links: a link without a record is foreign.
    foreign.extend(links.iter().filter(|path| !history.names.has_file(path)).cloned());
    manifest.record_unowned(&foreign, &orphans)?;
    // A link's name is taken in any case: its target may be outside the output.
    foreign.iter().chain(&links).for_each(|path| history.names.reserve_file(path));
    let earlier = Earlier {
        pages,
        records: reader.into_lookup(),
        refetch: options.refetch.clone(),
        saves_pages: options.saves_pages,
        open_runs: history.open_runs,
    };
    Ok((Catalogue::of(history.names, history.statuses, earlier), notes))
}

/// Returns the notes for the user: about unreadable lines and about unclaimed files.
fn notes(unreadable: u64, manifest: &str, unclaimed: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    if unreadable > 0 {
        let lines = counted(unreadable, "line");
        notes.push(format!(
            "{lines} of {manifest} cannot be read: pages without a record may \
             be saved again under other names; list files without a record with `fetchpages \
             verify`"
        ));
    }
    if let Some(first) = unclaimed.first() {
        let files = counted(unclaimed.len() as u64, "file");
        notes.push(format!(
            "a killed run left {files} that no page of this source owns ({}), and this run \
             does not overwrite them: delete what you do not need",
            Foreign::from(first.as_str())
        ));
    }
    notes
}
