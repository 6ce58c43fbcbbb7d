//! Reads the manifest: one record after the other, or the one at a place.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::beneath::Root;
use super::manifest::{PageRecord, Record, RunRecord};
use super::{MANIFEST_NAME, SaveError, io_error};

const BUFFER: usize = 256 * 1024;
/// So much is read at a place at first: most records are shorter.
const FIRST_PIECE: usize = 1024;
/// How the lines of runs and pages begin, as the writer writes them.
const RUN_START: &[u8] = b"{\"kind\":\"run\",";
const PAGE_START: &[u8] = b"{\"kind\":\"page\",";

/// Reads records one by one. Lines that are no record are passed over and counted.
pub struct Reader {
    lines: BufReader<File>,
    path: PathBuf,
    line: Vec<u8>,
    /// Where the next line begins.
    offset: u64,
    /// Lines that are no record, the torn last one among them.
    pub unreadable: u64,
}

impl Reader {
    /// Opens the manifest in `directory` for reading.
    ///
    /// # Errors
    ///
    /// [`SaveError::NoManifest`] when there is none; [`SaveError::Io`] when it cannot be read.
    pub fn open(directory: &Path) -> Result<Self, SaveError> {
        Self::of(&Self::root(directory)?)
    }

    /// Opens `directory`, in which a manifest is wanted.
    pub(super) fn root(directory: &Path) -> Result<Root, SaveError> {
        Root::open(directory).map_err(|error| no_manifest(directory, error))
    }

    /// As [`open`](Self::open), where the directory is open.
    pub(super) fn of(root: &Root) -> Result<Self, SaveError> {
        let path = root.path().join(MANIFEST_NAME);
        let opened = root.top(MANIFEST_NAME).read();
        let Some(file) = opened.map_err(|error| no_manifest(root.path(), error))? else {
            return Err(SaveError::NotAManifest { path });
        };
        let lines = BufReader::with_capacity(BUFFER, file);
        Ok(Self { lines, path, line: Vec::new(), offset: 0, unreadable: 0 })
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the file cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, SaveError> {
        Ok(self.next_placed()?.map(|(_, record)| record))
    }

    /// The next record and its place.
    pub(super) fn next_placed(&mut self) -> Result<Option<(u64, Record)>, SaveError> {
        while let Some(place) = self.advance()? {
            if self.line.trim_ascii().is_empty() {
                continue;
            }
            match parse(&self.line) {
                Ok(record) => return Ok(Some((place, record))),
                Err(_) => self.unreadable += 1,
            }
        }
        Ok(None)
    }

    /// Reads the next line, and gives where it begins; `None` at the end.
    fn advance(&mut self) -> Result<Option<u64>, SaveError> {
        self.line.clear();
        let read = self.lines.read_until(b'\n', &mut self.line);
        let read = read.map_err(io_error("read", &self.path))?;
        let place = self.offset;
        self.offset += read as u64;
        Ok((read > 0).then_some(place))
    }

    /// The record of the last run that began. Lines of other kinds are not looked into.
    fn last_run(mut self) -> Result<Option<RunRecord>, SaveError> {
        let mut last = None;
        while self.advance()?.is_some() {
            if self.line.starts_with(RUN_START)
                && let Ok(Record::Run(run)) = serde_json::from_slice(&self.line)
            {
                last = Some(run);
            }
        }
        Ok(last)
    }

    /// Ends the reading in order; records can then be had by their places.
    pub(super) fn into_lookup(self) -> Lookup {
        Lookup { file: self.lines.into_inner(), path: self.path, piece: self.line }
    }
}

/// Why the manifest in `directory` cannot be opened.
fn no_manifest(directory: &Path, error: io::Error) -> SaveError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            SaveError::NoManifest { path: directory.to_owned() }
        }
        _ => io_error("read", &directory.join(MANIFEST_NAME))(error),
    }
}

/// Reads a line. Pages, which most lines are, are not asked for their kind
/// again: a record whose kind may stand anywhere is read twice over.
fn parse(line: &[u8]) -> serde_json::Result<Record> {
    if line.starts_with(PAGE_START) {
        return serde_json::from_slice(line).map(Record::Page);
    }
    serde_json::from_slice(line)
}

/// The record of the last run into `directory`; `None` when there was none.
///
/// # Errors
///
/// [`SaveError`] when the manifest cannot be read.
pub fn last_run(directory: &Path) -> Result<Option<RunRecord>, SaveError> {
    match Reader::open(directory) {
        Ok(reader) => reader.last_run(),
        Err(SaveError::NoManifest { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives single records by their places, which keeps what they say out of memory.
pub(super) struct Lookup {
    file: File,
    path: PathBuf,
    piece: Vec<u8>,
}

impl Lookup {
    /// The page record of `url` at `place`; `None` when there is none of it.
    pub(super) fn page(&mut self, place: u64, url: &str) -> Result<Option<PageRecord>, SaveError> {
        self.piece.resize(FIRST_PIECE, 0);
        let mut filled = 0;
        let end = loop {
            let read = match self.file.read_at(&mut self.piece[filled..], place + filled as u64) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(io_error("read", &self.path))?,
            };
            let line_end = memchr::memchr(b'\n', &self.piece[filled..filled + read]);
            match line_end {
                Some(end) => break filled + end,
                None if read == 0 => break filled,
                None => filled += read,
            }
            if filled == self.piece.len() {
                self.piece.resize(2 * filled, 0);
            }
        };
        // What does not read as it did before was changed by others, and does not count.
        Ok(match parse(&self.piece[..end]) {
            Ok(Record::Page(page)) if page.url == url => Some(*page),
            _ => None,
        })
    }
}
