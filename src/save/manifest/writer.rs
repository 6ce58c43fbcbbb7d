//! Appends records to the manifest.
//!
//! The manifest is readable after a kill at any moment: only its last line can be torn, and
//! the next run cuts a torn line off before it appends.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Instant;

use super::line::{self, Frame};
use super::locked::LockedManifest;
use super::record::{EndRecord, Record, RunRecord};
use crate::event::{Event, Observer, ObserverError};
use crate::model::Summary;
use crate::save::error::{SaveError, io_error};
use crate::save::names::ManifestPath;
use crate::save::sink::beneath::Root;

/// The names in one `foreign` or `orphans` record, at most, and their bytes. This keeps lines
/// short: one byte may take six in JSON, as in `\u0001`.
const FILES_BATCH: usize = 1000;
const FILES_BYTES: usize = 64 * 1024;

/// Appends records, and holds the lock on the output until it is dropped.
pub struct ManifestWriter {
    file: LockedManifest,
    path: PathBuf,
    /// Complete lines that are not written yet.
    buffer: Vec<u8>,
    frame: Frame,
    /// The number of files in the `foreign` and `orphans` records of this run.
    unowned: u64,
    /// Whether a line may have been written in part: this run must write nothing after it.
    is_broken: bool,
}

impl ManifestWriter {
    /// Opens and locks the manifest `at`, whose directory is `root`, and cuts a torn last line
    /// off.
    ///
    /// # Errors
    ///
    /// [`SaveError::Locked`] when another run has it locked; else [`SaveError::Io`].
    pub(in crate::save) fn open(root: &Root, at: &ManifestPath) -> Result<Self, SaveError> {
        let path = at.path();
        let mut file = LockedManifest::open(root, at)?;
        cut_torn_line(&mut file.file).map_err(io_error("mend", &path))?;
        Ok(Self {
            file,
            path,
            buffer: Vec::new(),
            frame: Frame { started: None, saves_pages: true },
            unowned: 0,
            is_broken: false,
        })
    }

    /// Records the files that no page record names: `foreign` files, and `orphans` of a killed
    /// run.
    pub(in crate::save) fn record_unowned(
        &mut self,
        foreign: &[String],
        orphans: &[String],
    ) -> Result<(), SaveError> {
        self.unowned = (foreign.len() + orphans.len()) as u64;
        for batch in batches(foreign) {
            self.append(&Record::Foreign { files: batch.to_vec() });
        }
        for batch in batches(orphans) {
            self.append(&Record::Orphans { files: batch.to_vec() });
        }
        self.flush().map_err(io_error("write", &self.path))
    }

    /// Records that a run begins at `now`. `saves_pages` says whether it saves its pages.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the line cannot be written.
    pub fn begin(
        &mut self,
        run: RunRecord,
        now: Instant,
        saves_pages: bool,
    ) -> Result<(), SaveError> {
        self.frame = Frame { started: Some(now), saves_pages };
        self.append(&Record::Run(RunRecord { unowned: self.unowned, ..run }));
        self.flush().map_err(io_error("write", &self.path))?;
        // After a power cut these lines decide who owns which file. A file system that
        // cannot sync offers nothing better, so its error is ignored.
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

/// Divides `files` into batches of one record each.
fn batches(files: &[String]) -> impl Iterator<Item = &[String]> {
    let mut rest = files;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let end = rest.iter().take(FILES_BATCH).position(|file| {
            bytes += file.len();
            bytes > FILES_BYTES
        });
        // A path that is longer than a batch would be a batch by itself.
        let end = end.unwrap_or(FILES_BATCH.min(rest.len())).max(1);
        let (batch, behind) = rest.split_at_checked(end)?;
        rest = behind;
        Some(batch)
    })
}

/// Cuts off the bytes after the last line end.
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
    use super::super::reader::LINE_LIMIT;
    use super::*;

    #[test]
    fn names_of_unowned_files_fit_into_lines() {
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
