//! Sinks that store pages in the memory of this process, for tests: an archive, which
//! blocks, and a store of objects, which waits.
//!
//! Both are one type here. Their files hold what makes each a sink of its kind; what a
//! sink has saved is read in the same way from both.

pub(in crate::save) mod local;
pub(in crate::save) mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes};

use crate::model::Key;
use crate::save::error::{SaveError, io_error};
use crate::save::names::ManifestPath;
use crate::save::sink::{
    Address, Capabilities, Depth, Found, OpenPage, OwnedCapture, OwnedContent, SavedPages, Stat,
    Target,
};

/// What the sinks of one target have stored.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Stored>);

#[derive(Default)]
struct Stored {
    /// In the order in which it came; `None` for what was lost.
    captures: Vec<Option<OwnedCapture>>,
    /// How many captures there is room for; `None` for any number.
    room: Option<usize>,
    /// Keys that are refused.
    refused: BTreeSet<String>,
}

/// A sink that is opened again, as `--resume` does, finds what was stored.
static MEMORIES: Mutex<BTreeMap<String, Arc<Memory>>> = Mutex::new(BTreeMap::new());

impl Memory {
    /// What is stored at `target`.
    pub(crate) fn of(target: &Target) -> Arc<Self> {
        let Target::Store { path, .. } = target else { panic!("{target:?} is not in memory") };
        Arc::clone(MEMORIES.lock().unwrap().entry(path.clone()).or_default())
    }

    /// Returns the target of `scheme` whose manifest is at `path`.
    fn sample(scheme: &str, path: &Path) -> Target {
        let path = path.to_str().unwrap().to_owned();
        Target::Store { scheme: scheme.to_owned(), path }
    }

    /// Returns where the manifest of `target` is: its path is a directory of the test.
    fn manifest(target: &Target) -> ManifestPath {
        let Target::Store { path, .. } = target else { panic!("{target:?} is not in memory") };
        ManifestPath::in_directory(Path::new(path))
    }

    /// Leaves no room at `target`, or any room.
    fn fill(target: &Target, is_full: bool) {
        let memory = Self::of(target);
        memory.set_room(is_full.then(|| memory.captures().len()));
    }

    /// Sets the number of captures, those that are stored included, from which on each put
    /// fails as on a full disk. `None` sets no limit.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.0.lock().unwrap().room = room;
    }

    /// Refuses these keys and no others, as a store does whose names have rules.
    pub(crate) fn refuse(&self, keys: &[Key]) {
        self.0.lock().unwrap().refused = keys.iter().map(ToString::to_string).collect();
    }

    /// Loses everything that was stored under `key`.
    pub(crate) fn lose(&self, key: &Key) {
        for capture in &mut self.0.lock().unwrap().captures {
            *capture = capture.take().filter(|capture| capture.key != *key);
        }
    }

    /// All that is stored.
    pub(crate) fn captures(&self) -> Vec<OwnedCapture> {
        self.0.lock().unwrap().captures.iter().flatten().cloned().collect()
    }

    /// Stores a capture and returns its number.
    fn store(&self, capture: OwnedCapture) -> Result<u64, SaveError> {
        let mut stored = self.0.lock().unwrap();
        let number = stored.captures.len();
        let error = if stored.refused.contains(capture.key.as_str()) {
            ErrorKind::InvalidFilename
        } else if stored.room.is_some_and(|room| number >= room) {
            ErrorKind::StorageFull
        } else {
            stored.captures.push(Some(capture));
            return Ok(number as u64);
        };
        Err(io_error("write", Path::new(capture.key.as_str()))(io::Error::from(error)))
    }

    /// The body of the page of number `number`.
    fn body(&self, number: u64) -> Option<Bytes> {
        let number = usize::try_from(number).ok()?;
        self.0.lock().unwrap().captures.get(number)?.as_ref().and_then(body_of)
    }

    /// The last page that was stored under `key`.
    fn last(&self, key: &Key) -> Option<Bytes> {
        let stored = self.0.lock().unwrap();
        let captures = stored.captures.iter().rev().flatten();
        captures.filter(|capture| capture.key == *key).find_map(body_of)
    }
}

fn body_of(capture: &OwnedCapture) -> Option<Bytes> {
    match &capture.content {
        OwnedContent::Whole { decoded, .. } => Some(decoded.clone()),
        OwnedContent::Incomplete(_) => None,
    }
}

/// The name of the archive's one file.
const ARCHIVE: &str = "memory.warc";

/// A sink of either kind.
struct MemorySink {
    memory: Arc<Memory>,
    capabilities: Capabilities,
}

impl MemorySink {
    fn open(target: &Target, capabilities: Capabilities) -> Self {
        Self { memory: Memory::of(target), capabilities }
    }

    fn body(&self, address: Address<'_>) -> Result<Bytes, SaveError> {
        let body = match (address, self.capabilities.is_addressable) {
            (Address::Key(key), true) => self.memory.last(key),
            (Address::Archive(record), false) if record.archive.as_str() == ARCHIVE => {
                self.memory.body(record.offset)
            }
            _ => None,
        };
        let nothing = io_error("look at", Path::new("a page in memory"));
        body.ok_or_else(|| nothing(ErrorKind::NotFound.into()))
    }
}

impl SavedPages for MemorySink {
    fn stat(&self, address: Address<'_>) -> Result<Stat, SaveError> {
        let len = self.body(address)?.len() as u64;
        Ok(Stat { is_file: true, len, modified: None })
    }

    fn open(&self, address: Address<'_>) -> Result<Option<OpenPage<'_>>, SaveError> {
        let body = self.body(address)?;
        Ok(Some(OpenPage { len: body.len() as u64, body: Box::new(body.reader()) }))
    }

    fn list(
        &self,
        _depth: Depth,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        if !self.capabilities.is_addressable {
            return Ok(()); // Nothing in an archive has a name.
        }
        let captures = self.memory.captures();
        let pages = captures.iter().filter(|capture| body_of(capture).is_some());
        let keys: BTreeSet<_> = pages.map(|capture| capture.key.as_str()).collect();
        keys.into_iter().try_for_each(|key| visit(Found::File(key)))
    }

    fn remove_staged(&self, name: &str) -> Result<(), SaveError> {
        panic!("{name} was not listed")
    }
}
