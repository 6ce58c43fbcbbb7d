//! The manifest: one JSON line for each thing that a run did, appended as it happens.
//!
//! It is readable after a kill at any moment: a line is whole or is the last
//! one. A torn last line is cut off before anything is appended.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::beneath::Root;
use super::key::Layout;
use super::line::{self, Frame};
use super::sole::Sole;
use super::{MANIFEST_NAME, PageUrl, Recorded, SaveError, io_error};
use crate::event::{Event, Observer, ObserverError};
use crate::foreign::Foreign;
use crate::model::{FailureCode, HttpVersion, State, Summary};

/// The version of the format, in every `run` record.
pub const VERSION: u32 = 1;
/// Names in one `foreign` or `orphans` record, and their bytes, so that lines stay short:
/// a byte may take six in JSON, as `\u0001` does.
const FILES_BATCH: usize = 1000;
const FILES_BYTES: usize = 64 * 1024;

/// One line of the manifest. Readers pass over kinds, keys and words that they do
/// not know, and keep the rest of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Record {
    /// A run began.
    Run(RunRecord),
    /// Files that were in the directory and are no run's pages.
    Foreign {
        /// Their paths in the directory.
        files: Vec<String>,
    },
    /// Files that a killed run saved and did not come to record: a run may take
    /// their names for the same pages.
    Orphans {
        /// Their paths in the directory.
        files: Vec<String>,
    },
    /// A page ended.
    Page(Box<PageRecord>),
    /// A run ended, whole or not.
    End(EndRecord),
    /// Something that a later version wrote.
    #[serde(other)]
    Unknown,
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The version of the format.
    pub v: u32,
    /// When, as RFC 3339 in UTC.
    pub started: String,
    /// The version of the program.
    pub version: Foreign,
    /// The executor.
    pub mode: Foreign,
    /// Pages in flight at most.
    pub workers: usize,
    /// What was asked for, as on a command line.
    pub source: Foreign,
    /// The same as words that the program takes, complete; empty in manifests
    /// of versions that did not record them.
    #[serde(default)]
    pub args: Vec<String>,
    /// Whether `args` leave out a user name or a password that a URL held.
    #[serde(default)]
    pub is_redacted: bool,
    /// How names were arranged.
    #[serde(default)]
    pub layout: Recorded<Layout>,
    /// How many files the `foreign` and `orphans` records before this one name;
    /// the writer counts them.
    #[serde(default)]
    pub strays: u64,
}

/// How a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRecord {
    /// Its place in the input.
    pub seq: u64,
    /// Its address, without fragment and credentials.
    pub url: PageUrl,
    /// The address that answered, after redirects.
    pub final_url: Option<PageUrl>,
    /// How it ended.
    pub state: Recorded<State>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Where it is kept, when it is.
    pub file: Option<String>,
    /// Size of the decoded body.
    pub bytes: Option<u64>,
    /// Size of the encoded body.
    pub wire_bytes: u64,
    /// SHA-256 of the decoded body, in hexadecimal.
    pub sha256: Option<String>,
    /// As sent.
    pub content_type: Option<Foreign>,
    /// As sent.
    pub etag: Option<Foreign>,
    /// As sent.
    pub last_modified: Option<Foreign>,
    /// The version of HTTP.
    pub http: Option<Recorded<HttpVersion>>,
    /// Attempts made.
    pub attempts: u32,
    /// The pauses before each attempt after the first, at least, in milliseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_ms: Vec<f64>,
    /// The worker of the last attempt, counted from 0.
    pub worker: Option<usize>,
    /// Start of the last attempt, from the start of the run, in milliseconds.
    pub start_ms: Option<f64>,
    /// From the start of the attempt to the answer's headers, in milliseconds.
    pub wait_ms: f64,
    /// The attempt as a whole, in milliseconds.
    pub total_ms: f64,
    /// CPU time of decoding and hashing, in milliseconds.
    pub cpu_ms: f64,
    /// Why it failed, when it did.
    pub error: Option<RecordedFailure>,
    /// What was unusual about the answer and harmed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Foreign>,
}

/// Why a page could not be had, as its record says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFailure {
    /// The class, for programs.
    pub code: Recorded<FailureCode>,
    /// One line for people.
    #[serde(default)]
    pub message: Foreign,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndRecord {
    /// Pages after dedup and filters.
    pub pages: u64,
    /// Saved in this run.
    pub saved: u64,
    /// Could not be had.
    pub failed: u64,
    /// Asked again and still current.
    pub unchanged: u64,
    /// Saved by an earlier run and not asked again.
    pub skipped: u64,
    /// Left out by robots rules.
    pub robots: u64,
    /// The run stopped first.
    pub interrupted: u64,
    /// Entries read.
    pub found: u64,
    /// Entries that are no http(s) URL.
    pub invalid: u64,
    /// Entries that repeat an earlier one.
    pub duplicates: u64,
    /// Entries left out by a filter.
    pub filtered: u64,
    /// Whether the input was read to its end.
    pub input_complete: bool,
    /// Decoded bytes of the saved pages.
    pub bytes: u64,
    /// Bytes of the bodies on the wire.
    pub wire_bytes: u64,
    /// From the first request to the last page.
    pub seconds: f64,
}

impl EndRecord {
    /// The numbers of `summary`.
    pub fn new(summary: &Summary) -> Self {
        let intake = summary.intake;
        Self {
            pages: intake.wanted(),
            saved: summary.count(State::Saved),
            failed: summary.count(State::Failed),
            unchanged: summary.count(State::Unchanged),
            skipped: intake.skipped,
            robots: summary.count(State::Robots),
            interrupted: summary.count(State::Interrupted),
            found: intake.found,
            invalid: intake.invalid,
            duplicates: intake.duplicates,
            filtered: intake.filtered,
            input_complete: intake.complete,
            bytes: summary.bytes,
            wire_bytes: summary.wire_bytes,
            seconds: round(summary.fetch_time.as_secs_f64()),
        }
    }
}

/// Three decimals: enough to compare, short enough to read.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Appends records; holds the lock on the output for as long as it lives.
pub struct ManifestWriter {
    file: Sole,
    path: PathBuf,
    /// Whole lines that are not written yet.
    buffer: Vec<u8>,
    frame: Frame,
    /// Files that the `foreign` and `orphans` records of this run name.
    strays: u64,
    /// A line may have been written in part: nothing may follow it in this run.
    is_broken: bool,
}

impl ManifestWriter {
    /// Opens and locks the manifest in `root`, and cuts a torn last line off.
    ///
    /// # Errors
    ///
    /// [`SaveError::Locked`] when another run has it; [`SaveError::Io`] else.
    pub(super) fn open(root: &Root) -> Result<Self, SaveError> {
        let path = root.path().join(MANIFEST_NAME);
        let mut file = Sole::open(root)?;
        cut_torn_line(&mut file.file).map_err(io_error("mend", &path))?;
        Ok(Self {
            file,
            path,
            buffer: Vec::new(),
            frame: Frame { started: None, keeps_pages: true },
            strays: 0,
            is_broken: false,
        })
    }

    /// Records files that no run's record names: those that were there, and
    /// those that a killed run left.
    pub(super) fn record_strays(
        &mut self,
        foreign: &[String],
        orphans: &[String],
    ) -> Result<(), SaveError> {
        self.strays = (foreign.len() + orphans.len()) as u64;
        for batch in batches(foreign) {
            self.append(&Record::Foreign { files: batch.to_vec() });
        }
        for batch in batches(orphans) {
            self.append(&Record::Orphans { files: batch.to_vec() });
        }
        self.flush().map_err(io_error("write", &self.path))
    }

    /// Records that a run begins, at `now`; `keeps_pages` says whether its pages are kept.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the line cannot be written.
    pub fn begin(
        &mut self,
        run: RunRecord,
        now: Instant,
        keeps_pages: bool,
    ) -> Result<(), SaveError> {
        self.frame = Frame { started: Some(now), keeps_pages };
        self.append(&Record::Run(RunRecord { strays: self.strays, ..run }));
        self.flush().map_err(io_error("write", &self.path))?;
        // On the lines up to this one hangs which files are whose after a power
        // cut. A file system that cannot sync has nothing better to offer.
        let _ = self.file.file.sync_data();
        Ok(())
    }

    /// Records that the run ended.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the line cannot be written.
    pub fn end(&mut self, summary: &Summary) -> Result<(), SaveError> {
        self.append(&Record::End(EndRecord::new(summary)));
        self.flush().map_err(io_error("write", &self.path))
    }

    fn append(&mut self, record: &Record) {
        serde_json::to_writer(&mut self.buffer, record)
            .expect("records are made of text and numbers, and memory takes all");
        self.buffer.push(b'\n');
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.is_broken {
            return Ok(());
        }
        let result = self.file.file.write_all(&self.buffer);
        self.is_broken = result.is_err();
        self.buffer.clear();
        result
    }
}

impl Observer for ManifestWriter {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        if let Event::Settled(settled) = event
            && !self.is_broken
        {
            line::write_page(&mut self.buffer, self.frame, settled);
            self.buffer.push(b'\n');
        }
        Ok(())
    }

    fn on_batch_end(&mut self, _now: Instant) -> Result<(), ObserverError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.flush().map_err(|source| ObserverError {
            attempted: format!("failed to write {}", self.path.display()),
            source,
        })
    }
}

/// `files` in parts that are a record each.
fn batches(files: &[String]) -> impl Iterator<Item = &[String]> {
    let mut rest = files;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let end = rest.iter().take(FILES_BATCH).position(|file| {
            bytes += file.len();
            bytes > FILES_BYTES
        });
        // No path is longer than a batch, but were one, it would be one.
        let end = end.unwrap_or(FILES_BATCH.min(rest.len())).max(1);
        let (batch, behind) = rest.split_at_checked(end)?;
        rest = behind;
        Some(batch)
    })
}

/// Whether the file begins as a manifest does, as far as it goes: a killed run
/// may have left any beginning of one.
pub(super) fn is_manifest(file: &mut File) -> std::io::Result<bool> {
    const START: &[u8] = b"{\"kind\":\"";
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(START.len() as u64).read_to_end(&mut start)?;
    Ok(START.starts_with(&start))
}

/// Cuts off what stands behind the last line end.
fn cut_torn_line(file: &mut File) -> std::io::Result<()> {
    const STEP: u64 = 64 * 1024;
    let len = file.metadata()?.len();
    let mut end = len;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        file.take(end - start).read_to_end(&mut piece)?;
        if let Some(line_end) = memchr::memrchr(b'\n', &piece) {
            end = start + line_end as u64 + 1;
            break;
        }
        end = start;
    }
    if end < len { file.set_len(end) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::records::LINE_LIMIT;
    use super::*;

    #[test]
    fn names_of_strays_fit_into_lines() {
        let of = |count: usize, bytes: usize| vec!["\u{1}".repeat(bytes); count];
        for (files, expected) in [
            (of(0, 1), 0),
            (of(1, 1), 1),
            (of(1000, 10), 1),
            (of(1001, 10), 2),
            (of(1000, 4096), 63),
            (of(3, FILES_BYTES + 1), 3),
        ] {
            let mut count = 0;
            let mut names = 0;
            for batch in batches(&files) {
                let record = Record::Foreign { files: batch.to_vec() };
                let line = serde_json::to_string(&record).unwrap();
                assert!(line.len() < LINE_LIMIT, "{}", line.len());
                (count, names) = (count + 1, names + batch.len());
            }
            assert_eq!((count, names), (expected, files.len()));
        }
    }
}
