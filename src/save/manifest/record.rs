//! The records of a manifest: the format on disk.

use serde::{Deserialize, Serialize};

use super::recorded::Recorded;
use crate::foreign::Foreign;
use crate::model::{ArchiveRecord, FailureCode, HttpVersion, Key, State, Stored, Summary, rounded};
use crate::save::names::{Layout, PageUrl};

/// The version of the format, in every `run` record.
pub const VERSION: u32 = 1;

/// One line of the manifest. Readers skip unknown kinds and keys, and read a record with
/// unknown words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Record {
    /// A run began.
    Run(RunRecord),
    /// Files in the directory that no run saved.
    Foreign {
        /// Their paths in the directory.
        files: Vec<String>,
    },
    /// Files that a killed run saved and did not record. A run may give their names to the
    /// same pages.
    Orphans {
        /// Their paths in the directory.
        files: Vec<String>,
    },
    /// A page ended.
    Page(Box<PageRecord>),
    /// A run ended, complete or not.
    End(EndRecord),
    /// A record of a later version.
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
    /// The source, as the user would type it.
    pub source: Foreign,
    /// The same as arguments of the program, complete; empty in manifests of versions that
    /// did not record them.
    #[serde(default)]
    pub args: Vec<String>,
    /// Whether `args` leave out a user name or a password that a URL held.
    #[serde(default)]
    pub is_redacted: bool,
    /// The source as a value, for versions that can read it; absent where it has no room, and
    /// in manifests of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<serde_json::Value>,
    /// How names were arranged.
    #[serde(default)]
    pub layout: Recorded<Layout>,
    /// The number of files in the `foreign` and `orphans` records before this one. The writer
    /// counts them.
    #[serde(default, rename = "strays")]
    pub unowned: u64,
}

/// How a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRecord {
    /// Its place in the input.
    pub seq: u64,
    /// Its address, without fragment and credentials.
    pub url: PageUrl,
    /// The address of the last answer, after redirects.
    pub final_url: Option<PageUrl>,
    /// How it ended.
    pub state: Recorded<State>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// The file below the output directory, or the object of the store, that holds it.
    pub file: Option<String>,
    /// The archive that holds it, below the output directory. `offset` and `length` go with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// Where its record begins in the archive, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The length of its record in the archive, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// The id that the store gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Size of the decoded body.
    pub bytes: Option<u64>,
    /// Size of the encoded body.
    pub wire_bytes: u64,
    /// SHA-256 of the decoded body, in hexadecimal.
    pub sha256: Option<String>,
    /// The value of the answer's field of this name.
    pub content_type: Option<Foreign>,
    /// The value of the answer's field of this name.
    pub etag: Option<Foreign>,
    /// The value of the answer's field of this name.
    pub last_modified: Option<Foreign>,
    /// The version of HTTP.
    pub http: Option<Recorded<HttpVersion>>,
    /// Attempts made.
    pub attempts: u32,
    /// The least pause before each attempt after the first, in milliseconds.
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
    /// An oddity of the answer that does not change its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Foreign>,
}

impl PageRecord {
    /// Returns where the page is stored by this record. The key of a page that is
    /// [stored under its key](Stored::Key) is `file`.
    ///
    /// No run records an archive outside the output directory: such a page is nowhere.
    pub(crate) fn stored(&self) -> Stored {
        if self.file.is_some() {
            return Stored::Key;
        }
        let archive = self.archive.as_deref().and_then(Key::new);
        if let (Some(archive), Some(offset), Some(length)) = (archive, self.offset, self.length) {
            return Stored::Archive(Box::new(ArchiveRecord { archive, offset, length }));
        }
        self.id.as_deref().map_or(Stored::Nowhere, |id| Stored::Id(id.into()))
    }
}

/// The reason in a record why a page failed.
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
    /// Failed.
    pub failed: u64,
    /// Requested again and still current.
    pub unchanged: u64,
    /// Saved by an earlier run and not requested again.
    pub skipped: u64,
    /// Excluded by robots.txt rules.
    pub robots: u64,
    /// Not finished when the run stopped.
    pub interrupted: u64,
    /// Entries read.
    pub found: u64,
    /// Entries that are not an http(s) URL.
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
    /// Takes the numbers of `summary`.
    pub(crate) fn new(summary: &Summary) -> Self {
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
            seconds: rounded(summary.fetch_time.as_secs_f64()),
        }
    }
}
