//! What earlier runs left in an output: which names are taken, by whom, and what became of
//! each URL.
//!
//! # Names and their owners
//!
//! A run into an output that exists must not overwrite a file that it did not write. So each
//! name in the output has an owner, and a page may take a name only when the name is free or
//! already its own:
//!
//! | owner | how a run knows | what a run does |
//! |---|---|---|
//! | a page | a record names the file | only the same URL gets the name again |
//! | an orphan | a killed run wrote the file and did not record it | the name is free for the pages of the same source |
//! | unclaimed | it was an orphan, and now the source is another one or was fetched to its end | as a foreign file, and the run prints a note |
//! | foreign | none of these: the user or another program wrote the file | never touched; a page that would get the name gets a marked one |
//!
//! Names are compared without case, because some file systems would take two of them for one.
//! A link is foreign unless a record names it, and nothing is written or read through it.
//!
//! # The traces of a killed run
//!
//! A run that is killed with SIGKILL, or by a power cut, cannot tidy up. It may leave:
//!
//! - **Staged files**, `.fetchpages-PROCESS-NUMBER.part` at the top of the output: pages that
//!   were written and not yet renamed. The manifest is locked, so no other run is alive when
//!   the next one opens the output. It removes all of them.
//! - **A torn last line** in the manifest. The next run cuts it off before it appends.
//! - **Orphans**. A page gets its name first and its record after that, so a run that is
//!   killed between the two leaves a complete file that no record names.
//!
//! An orphan looks like a foreign file. Three records in the manifest make the difference:
//!
//! 1. Each run writes, before its `run` record, a `foreign` record of the files that it found
//!    and that no record names. What is in this list was there before the run.
//! 2. A run that came to its end has an `end` record. Only a run without one leaves orphans.
//! 3. The next run writes what it takes for orphans into an `orphans` record. They stay known
//!    when that run is killed too, or does not get as far as their pages.
//!
//! So an orphan is a file that no record names, that is not in the `foreign` list of a run
//! without `end`, and that was changed after that run began. Where one of these is in doubt (lines
//! of the manifest are damaged, the run did not look into folders, the sink has no times of
//! change), the file counts as foreign: then a page is saved twice, and no file is lost.
//!
//! # An example
//!
//! The user has `notes.html` in the output and starts a run over `/notes`, `/a` and `/b`. The
//! run is killed when `a.html` has its name and `/notes` has its record:
//!
//! ```text
//! {"kind":"foreign","files":["notes.html"]}
//! {"kind":"run",…,"args":["http://x.org/notes",…],"strays":1}
//! {"kind":"page","url":"http://x.org/notes","file":"notes~5f0c9a31.html",…}
//! ```
//!
//! The directory then holds `notes.html`, `notes~5f0c9a31.html`, `a.html` and one staged file
//! with a part of `/b`. The next run with the same source removes the staged file and finds:
//!
//! - `notes~5f0c9a31.html` is the page `/notes`: `--resume` skips it;
//! - `notes.html` is in the `foreign` record: it stays as it is;
//! - `a.html` is an orphan: the page `/a` gets its name again, is fetched, and replaces it.
//!
//! It writes `foreign` with `notes.html`, `orphans` with `a.html`, and its `run` record. Had the
//! user started it with another source, `a.html` would be unclaimed: a page `/a` of that
//! source is another page, or at least nobody can know.
//!
//! Orphans are free only for the source that the killed run had, because the manifest records
//! a run's source and not the names that it planned. Filters do not count as part of the
//! source. When a run has gone through all of the source, the orphans that are left belong to
//! no page of it, and are foreign from then on.
//!
//! # Parts
//!
//! - `earlier_runs` reads the manifest, finds the owner of each file and opens the output.
//! - `status` combines the records of a URL into its status.
//! - `catalogue` decides for each URL of a run: its name, and whether to fetch it.
//! - `integrity` compares a saved page with its record.
//! - `verify` does so for all pages.

pub(crate) mod catalogue;
mod earlier_runs;
mod integrity;
mod status;
pub mod verify;

pub(crate) use catalogue::{Catalogue, Decision};
#[cfg(test)]
pub(in crate::save) use earlier_runs::History;
pub(in crate::save) use earlier_runs::open;
pub(crate) use integrity::Difference;
#[cfg(test)]
pub(in crate::save) use integrity::compare;
