//! Reads what the records of earlier runs say, and whose the files in the output are.

use std::sync::Arc;
use std::time::Duration;

use super::catalogue::{Catalogue, Earlier, OpenRuns};
use super::status::StatusIndex;
use crate::clock::rfc3339;
use crate::fingerprint::Fingerprints;
use crate::foreign::Foreign;
use crate::model::Key;
use crate::save::error::SaveError;
use crate::save::manifest::{ManifestWriter, Reader, Record, RunRecord};
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::names::{Layout, NameAllocator};
use crate::save::options::Options;
use crate::save::sink::beneath::Root;
use crate::save::sink::{Address, Depth, Found, SavedPages};

/// What a manifest says.
pub(in crate::save) struct History {
    /// Knows the names that are taken.
    pub(super) names: NameAllocator,
    /// What became of each URL.
    pub(super) statuses: StatusIndex,
    pub(super) last_run: Option<LastRun>,
    /// The runs that were killed.
    open_runs: OpenRuns,
    /// How far the runs looked for files.
    pub(super) is_deep: bool,
}

/// How a run closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    /// It was killed.
    Killed,
    /// It came to its end before it had all pages of its source.
    Early,
    /// It had all of them.
    Complete,
}

/// The last run that began.
pub(super) struct LastRun {
    close: Close,
    /// Whether that was all of the source that the run before it had, no filter left out more.
    covers_earlier: bool,
    /// Whether lines are lost that may have said whose files are.
    is_damaged: bool,
    /// Its source.
    args: Vec<String>,
    /// Whether it looked into folders.
    was_deep: bool,
    /// Where its record stands.
    place: u64,
    started: String,
    unowned: Unowned,
}

/// Files that were there when a run began, and that no record named.
#[derive(Default)]
struct Unowned {
    /// How many there are.
    count: u64,
    foreign: Fingerprints,
    orphans: Fingerprints,
}

impl History {
    /// Reads all records. The names that `layout` gives cost the least memory.
    pub(in crate::save) fn read(reader: &mut Reader, layout: Layout) -> Result<Self, SaveError> {
        let mut history = Self {
            names: NameAllocator::new(layout),
            statuses: StatusIndex::default(),
            last_run: None,
            open_runs: OpenRuns::default(),
            is_deep: false,
        };
        // The unowned files are recorded just before their run.
        let mut unowned = Unowned::default();
        let mut unreadable = 0;
        while let Some((place, record)) = reader.next_placed()? {
            // Between the pages of a run, they may have been the beginning of another one.
            let is_behind_rubbish =
                reader.unreadable > std::mem::replace(&mut unreadable, reader.unreadable);
            if let (Record::Page(_) | Record::End(_), true, Some(run)) =
                (&record, is_behind_rubbish, &mut history.last_run)
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

    /// Takes account of the record of a run.
    fn begin(&mut self, run: RunRecord, place: u64, unowned: Unowned) {
        self.is_deep |= run.layout != Layout::Flat.into();
        let before = self.last_run.as_ref();
        let run = LastRun {
            close: Close::Killed,
            covers_earlier: before.is_none_or(|before| before.args == run.args)
                || !run.args.iter().any(|word| is_filter(word)),
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

    /// Whose the file `path` of `pages` is, for a run with the source `args`.
    /// Pages' names are compared without case: a file that differs in case alone
    /// would be theirs on some file systems.
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

    /// Whether `path` was an orphan that the last run left, which had all its pages.
    pub(in crate::save) fn has_settled(&self, path: &str) -> bool {
        let run = self.last_run.as_ref();
        run.is_some_and(|run| run.close == Close::Complete && run.unowned.orphans.contains(path))
    }
}

impl LastRun {
    /// Whether it came to its end, and was not killed.
    pub(in crate::save) fn is_ended(&self) -> bool {
        self.close != Close::Killed
    }

    /// Whether this run, or a killed one before it, may have saved the file `path`,
    /// which no record of a page names.
    fn has_left(&self, path: &str, pages: &dyn SavedPages) -> bool {
        let Unowned { foreign, orphans, .. } = &self.unowned;
        if orphans.contains(path) {
            return true;
        }
        // A run did not write where it did not look.
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

/// The coarsest steps in which file systems count time (FAT, 2 s).
const TIME_STEP: Duration = Duration::from_secs(2);

/// Whether a word of a source narrows it.
fn is_filter(word: &str) -> bool {
    ["--limit=", "--include=", "--exclude="].iter().any(|option| word.starts_with(option))
}

/// Whether two sources are the same one, however narrowed.
fn is_same_source(one: &[String], other: &[String]) -> bool {
    let [one, other] = [one, other].map(|source| source.iter().filter(|word| !is_filter(word)));
    one.eq(other)
}

fn add(set: &mut Fingerprints, files: &[String]) -> u64 {
    for file in files {
        set.insert(file);
    }
    files.len() as u64
}

/// Whose a file is.
enum Owner {
    /// A record names it.
    Page,
    /// A killed run saved it and did not come to record it.
    Orphan,
    /// A killed run saved it, and no page of this run's has its name.
    Unclaimed,
    /// Somebody else's.
    Foreign,
}

/// Reads the directory and its manifest, removes staged files that a killed run
/// left, and records the files that no record names.
pub(in crate::save) fn open(
    options: &Options,
    root: &Root,
    pages: Arc<dyn SavedPages>,
    manifest: &mut ManifestWriter,
) -> Result<(Catalogue, Vec<String>), SaveError> {
    let mut reader = Reader::of(root)?;
    let mut history = History::read(&mut reader, options.layout)?;
    let (mut foreign, mut orphans) = (Vec::new(), Vec::new());
    let (mut links, mut unclaimed) = (Vec::new(), Vec::new());
    let uses_folders = history.is_deep || options.layout != Layout::Flat;
    pages.list(Depth::of(uses_folders), &mut |found| {
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
    })?;
    let notes = notes(reader.unreadable, &unclaimed);
    foreign.append(&mut unclaimed);
    // No run makes a link: unless it stands for a page, it is a stranger's.
    foreign.extend(links.iter().filter(|path| !history.names.has_file(path)).cloned());
    manifest.record_unowned(&foreign, &orphans)?;
    // A link's name is taken, whoever made it: what stands behind it is outside.
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

/// What people should know: of lines that are no record, and of files that are nobody's.
fn notes(unreadable: u64, unclaimed: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    if unreadable > 0 {
        notes.push(format!(
            "{unreadable} lines of {MANIFEST_NAME} are no record: pages that they named may be \
             saved again under other names"
        ));
    }
    if let Some(first) = unclaimed.first() {
        notes.push(format!(
            "files of a killed run that are no page of this one are left as they are: {} ({})",
            unclaimed.len(),
            Foreign::from(first.as_str())
        ));
    }
    notes
}
