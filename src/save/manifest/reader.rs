//! Reads the manifest: record by record, or the record at a place.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::record::{PageRecord, Record, RunRecord};
use crate::save::error::{SaveError, io_error};
use crate::save::names::ManifestPath;
use crate::save::sink::beneath::Root;

/// The bytes of a line with its end, at most. A longer line is damage, such as a part of the
/// file that a power cut left empty; the writer's lines are shorter.
pub(in crate::save) const LINE_LIMIT: usize = 1 << 20;
const BUFFER: usize = 256 * 1024;
/// The bytes that are read first at a place: most records are shorter.
const FIRST_PIECE: usize = 1024;
/// The beginning of each page's line, as the writer writes it.
const PAGE_START: &[u8] = b"{\"kind\":\"page\",";

/// Reads records one by one. Unreadable lines are skipped and counted. Its memory does not
/// depend on the size of the file.
pub struct Reader {
    lines: BufReader<File>,
    path: PathBuf,
    /// The line with its end, up to the limit.
    line: Vec<u8>,
    is_too_long: bool,
    /// The place of the next line.
    offset: u64,
    /// The number of unreadable lines, with a torn last line.
    pub unreadable: u64,
}

impl Reader {
    /// Opens the manifest in `directory` for reading.
    ///
    /// # Errors
    ///
    /// [`SaveError::NoManifest`] when it does not exist; [`SaveError::Io`] when it cannot be
    /// read.
    pub fn open(directory: &Path) -> Result<Self, SaveError> {
        Self::at(&ManifestPath::in_directory(directory))
    }

    /// Opens the manifest `at`, as [`open`](Self::open) does.
    pub(crate) fn at(at: &ManifestPath) -> Result<Self, SaveError> {
        Self::of(&Self::root(at)?, at)
    }

    /// Opens the directory of the manifest `at`.
    pub(in crate::save) fn root(at: &ManifestPath) -> Result<Root, SaveError> {
        Root::open(&at.directory).map_err(|error| no_manifest(at, error))
    }

    /// Opens the manifest `at`, whose directory is `root`.
    pub(in crate::save) fn of(root: &Root, at: &ManifestPath) -> Result<Self, SaveError> {
        let path = at.path();
        let opened = root.top(&at.name).read();
        let Some(file) = opened.map_err(|error| no_manifest(at, error))? else {
            return Err(SaveError::NotAManifest { path });
        };
        let lines = BufReader::with_capacity(BUFFER, file);
        Ok(Self { lines, path, line: Vec::new(), is_too_long: false, offset: 0, unreadable: 0 })
    }

    /// Returns the next record; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the file cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, SaveError> {
        Ok(self.next_placed()?.map(|(_, record)| record))
    }

    /// Returns the next record and its place; `None` at the end.
    pub(in crate::save) fn next_placed(&mut self) -> Result<Option<(u64, Record)>, SaveError> {
        while let Some(place) = self.advance()? {
            if self.is_too_long {
                self.unreadable += 1;
                continue;
            }
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

    /// Reads the next line and returns its place; `None` at the end.
    fn advance(&mut self) -> Result<Option<u64>, SaveError> {
        self.line.clear();
        self.is_too_long = false;
        let place = self.offset;
        loop {
            let available = match self.lines.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                available => available.map_err(io_error("read", &self.path))?,
            };
            if available.is_empty() {
                return Ok((self.offset > place).then_some(place));
            }
            let end = memchr::memchr(b'\n', available);
            let taken = end.map_or(available.len(), |end| end + 1);
            let kept = taken.min(LINE_LIMIT - self.line.len());
            self.line.extend_from_slice(&available[..kept]);
            self.is_too_long |= kept < taken;
            self.lines.consume(taken);
            self.offset += taken as u64;
            if end.is_some() {
                return Ok(Some(place));
            }
        }
    }

    /// Returns the record of the last run. Lines of pages are not parsed.
    fn last_run(mut self) -> Result<Option<RunRecord>, SaveError> {
        let mut last = None;
        while self.advance()?.is_some() {
            // Another program may have written the line with other white space.
            if !self.line.starts_with(PAGE_START)
                && !self.is_too_long
                && let Ok(Record::Run(run)) = serde_json::from_slice(&self.line)
            {
                last = Some(run);
            }
        }
        Ok(last)
    }

    /// Stops reading in order, and returns a lookup of records by their places.
    pub(in crate::save) fn into_lookup(self) -> Lookup {
        Lookup { file: self.lines.into_inner(), path: self.path, piece: self.line }
    }
}

/// Returns the error of the manifest `at`, which cannot be opened.
fn no_manifest(at: &ManifestPath, error: io::Error) -> SaveError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            SaveError::NoManifest { name: at.shown_name(), path: at.directory.clone() }
        }
        _ => io_error("read", &at.path())(error),
    }
}

/// Parses a line. Most lines are pages, and their beginning tells their kind. A record whose
/// kind may be anywhere in the line would be parsed twice.
fn parse(line: &[u8]) -> serde_json::Result<Record> {
    if line.starts_with(PAGE_START) {
        return serde_json::from_slice(line).map(Record::Page);
    }
    serde_json::from_slice(line)
}

/// Returns the record of the last run in the manifest `at`; `None` without a run.
///
/// # Errors
///
/// [`SaveError`] when the manifest cannot be read.
pub fn last_run(at: &ManifestPath) -> Result<Option<RunRecord>, SaveError> {
    match Reader::at(at) {
        Ok(reader) => reader.last_run(),
        Err(SaveError::NoManifest { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads single records at their places, so that they need not stay in memory.
pub(in crate::save) struct Lookup {
    file: File,
    path: PathBuf,
    piece: Vec<u8>,
}

impl Lookup {
    /// Returns the page record of `url` at `place`; `None` when it is not there.
    pub(in crate::save) fn page(
        &mut self,
        place: u64,
        url: &str,
    ) -> Result<Option<PageRecord>, SaveError> {
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
            if filled >= LINE_LIMIT {
                return Ok(None);
            }
            if filled == self.piece.len() {
                self.piece.resize(2 * filled, 0);
            }
        };
        // A line that reads otherwise than before was changed by another program.
        Ok(match parse(&self.piece[..end]) {
            Ok(Record::Page(page)) if page.url.as_str() == url => Some(*page),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::model::State;
    use crate::save::names::reserved::MANIFEST_NAME;

    const RUN: &str =
        r#"{"kind":"run","v":1,"started":"","version":"","mode":"","workers":1,"source":""}"#;

    /// A page's record that is `bytes` long with its line end.
    fn page(url: &str, bytes: usize) -> String {
        let start = format!(
            r#"{{"kind":"page","seq":1,"url":"http://a.org/{url}","final_url":null,"state":"saved","status":200,"file":null,"bytes":1,"wire_bytes":1,"sha256":null,"content_type":null,"etag":null,"last_modified":null,"http":"1.1","attempts":1,"worker":0,"start_ms":0.0,"wait_ms":0.0,"total_ms":0.0,"cpu_ms":0.0,"error":null,"note":""#
        );
        let fill = "x".repeat(bytes - start.len() - 3);
        format!("{start}{fill}\"}}\n")
    }

    fn manifest(lines: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let mut file = std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(dir.path().join(MANIFEST_NAME))
            .unwrap();
        for line in lines {
            file.write_all(line.as_bytes()).unwrap();
        }
        dir
    }

    /// What is read: the URLs of pages, the unreadable lines, and whether a run is found.
    fn read(dir: &Path) -> (Vec<String>, u64, bool) {
        let mut reader = Reader::open(dir).unwrap();
        let mut places = Vec::new();
        while let Some((place, record)) = reader.next_placed().unwrap() {
            if let Record::Page(page) = record {
                assert_eq!(page.state, State::Saved.into());
                places.push((place, page.url.as_str().to_owned()));
            }
            assert!(reader.line.capacity() <= 2 * LINE_LIMIT);
        }
        let unreadable = reader.unreadable;
        let mut lookup = reader.into_lookup();
        for (place, url) in &places {
            assert!(lookup.page(*place, url).unwrap().is_some(), "{url}");
            assert!(lookup.piece.len() <= LINE_LIMIT);
        }
        let urls = places.into_iter().map(|(_, url)| url).collect();
        (urls, unreadable, last_run(&ManifestPath::in_directory(dir)).unwrap().is_some())
    }

    #[test]
    fn a_line_above_the_limit_is_passed_over_and_counted() {
        let run = format!("{RUN}\n");
        let (whole, longer) = (page("whole", LINE_LIMIT), page("longer", LINE_LIMIT + 1));
        let (much, last) = (format!("{}\n", "x".repeat(3 * LINE_LIMIT)), page("last", 400));
        let blank = format!("{}\n", " ".repeat(2 * LINE_LIMIT));
        let long_run =
            RUN.replace("\"source\":\"", &format!("\"source\":\"{}", "x".repeat(LINE_LIMIT)));
        let url = |path: &str| vec![format!("http://a.org/{path}")];
        for (lines, urls, unreadable, has_run) in [
            (vec![&*run, &*whole], url("whole"), 0, true),
            (vec![&run, &longer, &last], url("last"), 1, true),
            (vec![&much, &blank, &run, &last], url("last"), 2, true),
            (vec![&long_run, "\n", &last], url("last"), 1, false),
            (vec![&run, &last, &much[..2 * LINE_LIMIT]], url("last"), 1, true),
        ] {
            let dir = manifest(&lines);
            assert_eq!(read(dir.path()), (urls, unreadable, has_run));
        }
    }

    #[test]
    fn a_place_without_a_line_end_is_no_record() {
        let dir = manifest(&["\n"]);
        let file = File::options().write(true).open(dir.path().join(MANIFEST_NAME)).unwrap();
        // Sparse: it takes no space.
        file.set_len(1 << 32).unwrap();
        let mut lookup = Reader::open(dir.path()).unwrap().into_lookup();
        assert!(lookup.page(1, "http://a.org/").unwrap().is_none());
        assert!(lookup.piece.len() <= LINE_LIMIT);
    }
}
