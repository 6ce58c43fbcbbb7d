//! What earlier runs left in an output directory: which names are whose.
//!
//! The manifest records the names of the pages that were saved. A file that no
//! record names is a stranger's, and is never overwritten. After a run that was
//! killed there may be files that it saved and did not come to record, its
//! orphans; they are told from strangers' files because each run records, before
//! its first page, which strangers it found. The next run records the orphans, so
//! that they stay known when it does not come to fetch their pages again.

use std::path::Path;

use super::catalogue::{Catalogue, Earlier, OpenRuns};
use super::key::{Layout, Namer};
use super::manifest::{ManifestWriter, Record, RunRecord};
use super::records::Reader;
use super::standing::Ledger;
use super::walk::{Found, walk};
use super::{Options, SaveError, io_error};
use crate::fingerprint::Fingerprints;

/// What a manifest says.
pub(super) struct History {
    /// Knows the names that are taken.
    pub(super) namer: Namer,
    /// What became of each URL.
    pub(super) ledger: Ledger,
    pub(super) last_run: Option<LastRun>,
    /// The runs that were killed.
    open_runs: OpenRuns,
    /// How far the runs looked for files.
    pub(super) is_deep: bool,
}

/// The last run that began.
pub(super) struct LastRun {
    /// Whether it came to its end, and was not killed.
    pub(super) is_ended: bool,
    /// Where its record stands.
    place: u64,
    started: String,
    layout: Layout,
    strays: Strays,
}

/// Files that were there when a run began, and that no record named.
#[derive(Default)]
struct Strays {
    strangers: Fingerprints,
    orphans: Fingerprints,
}

impl History {
    /// Reads all records. The names that `layout` gives cost the least memory.
    pub(super) fn read(reader: &mut Reader, layout: Layout) -> Result<Self, SaveError> {
        let mut history = Self {
            namer: Namer::new(layout),
            ledger: Ledger::default(),
            last_run: None,
            open_runs: OpenRuns::default(),
            is_deep: false,
        };
        // The strays are recorded just before their run.
        let mut strays = Strays::default();
        while let Some((place, record)) = reader.next_placed()? {
            match record {
                Record::Run(run) => {
                    let strays = std::mem::take(&mut strays);
                    history.begin(run, place, strays);
                }
                Record::Foreign { files } => add(&mut strays.strangers, &files),
                Record::Orphans { files } => add(&mut strays.orphans, &files),
                Record::End(_) => {
                    if let Some(run) = &mut history.last_run {
                        run.is_ended = true;
                    }
                }
                Record::Page(page) => history.ledger.enter(&page, place, &mut history.namer),
                Record::Unknown => (),
            }
        }
        if let Some(run) = history.last_run.as_ref().filter(|run| !run.is_ended) {
            history.open_runs.add(run.place, run.started.clone());
        }
        Ok(history)
    }

    /// Takes account of the record of a run.
    fn begin(&mut self, run: RunRecord, place: u64, strays: Strays) {
        let RunRecord { started, layout, .. } = run;
        let run = LastRun { is_ended: false, place, started, layout, strays };
        if let Some(before) = self.last_run.replace(run).filter(|before| !before.is_ended) {
            self.open_runs.add(before.place, before.started);
        }
        self.is_deep |= layout != Layout::Flat;
    }

    /// Whose the file `path` is. Pages' names are compared without case: a
    /// file that differs in case alone would be theirs on some file systems.
    fn owner(&self, path: &str) -> Owner {
        let of_record = if self.namer.has_file(path) { Owner::Page } else { Owner::Stranger };
        let Some(run) = &self.last_run else {
            return of_record;
        };
        let Strays { strangers, orphans } = &run.strays;
        // A run with the flat layout did not look into folders, and did not write into them.
        let was_seen = run.layout != Layout::Flat || !path.contains('/');
        match of_record {
            Owner::Stranger if orphans.contains(path) => Owner::KilledRun,
            // Files that came since a killed run began are its own.
            Owner::Stranger if !run.is_ended && was_seen && !strangers.contains(path) => {
                Owner::KilledRun
            }
            of_record => of_record,
        }
    }
}

fn add(set: &mut Fingerprints, files: &[String]) {
    for file in files {
        set.insert(file);
    }
}

/// Whose a file is.
enum Owner {
    /// A record names it.
    Page,
    /// A killed run saved it and did not come to record it.
    KilledRun,
    /// Somebody else's.
    Stranger,
}

/// Reads the directory and its manifest, removes staged files that a killed run
/// left, and records the files that no record names.
pub(super) fn open(
    options: &Options,
    manifest: &mut ManifestWriter,
) -> Result<Catalogue, SaveError> {
    let directory = &options.directory;
    let mut reader = Reader::open(directory)?;
    let mut history = History::read(&mut reader, options.layout)?;
    let (mut strangers, mut orphans) = (Vec::new(), Vec::new());
    let mut links = Vec::new();
    walk(directory, options.layout.into(), &mut |found| {
        match found {
            Found::Folder(path) => history.namer.reserve_folder(path),
            Found::Staged(path) => remove_staged(&directory.join(path))?,
            Found::Link(path) => links.push(path.to_owned()),
            Found::File(path) => match history.owner(path) {
                Owner::Page => (),
                Owner::KilledRun => orphans.push(path.to_owned()),
                Owner::Stranger => strangers.push(path.to_owned()),
            },
        }
        Ok(())
    })?;
    // No run makes a link: unless it stands for a page, it is a stranger's.
    strangers.extend(links.iter().filter(|path| !history.namer.has_file(path)).cloned());
    manifest.record_strays(&strangers, &orphans)?;
    // A link's name is taken, whoever made it: what stands behind it is outside.
    strangers.iter().chain(&links).for_each(|path| history.namer.reserve_file(path));
    let earlier = Earlier {
        directory: directory.clone(),
        records: reader.into_lookup(),
        refetch: options.refetch.clone(),
        keep_pages: options.keep_pages,
        open_runs: history.open_runs,
    };
    Ok(Catalogue::of(history.namer, history.ledger, earlier))
}

fn remove_staged(path: &Path) -> Result<(), SaveError> {
    std::fs::remove_file(path).map_err(io_error("remove the staged file", path))
}
