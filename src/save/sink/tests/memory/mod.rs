//! Sinks that store pages in the memory of this process, for tests: one that blocks and is
//! an archive, and one that waits and is a store of objects.

pub(in crate::save) mod local;
pub(in crate::save) mod remote;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::model::Key;
use crate::save::error::{SaveError, io_error};
use crate::save::sink::{OwnedCapture, OwnedContent, Target};

/// What the sinks of one target have stored, in the order in which it came.
#[derive(Default)]
pub(in crate::save) struct Memory {
    captures: Mutex<Vec<OwnedCapture>>,
    is_full: AtomicBool,
}

/// A sink that is opened again, as `--resume` does, finds what was stored.
static MEMORIES: Mutex<BTreeMap<String, Arc<Memory>>> = Mutex::new(BTreeMap::new());

impl Memory {
    /// What is stored at `target`.
    pub(in crate::save) fn of(target: &Target) -> Arc<Self> {
        let Target::Store { path, .. } = target else { panic!("{target:?} is not in memory") };
        Arc::clone(MEMORIES.lock().unwrap().entry(path.clone()).or_default())
    }

    /// Has every further page fail, as on a full disk, or no longer.
    pub(in crate::save) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    /// All that was stored.
    pub(in crate::save) fn captures(&self) -> Vec<OwnedCapture> {
        self.captures.lock().unwrap().clone()
    }

    /// Stores a capture and returns its number.
    fn store(&self, capture: OwnedCapture) -> Result<u64, SaveError> {
        if self.is_full.load(Ordering::SeqCst) {
            let full = io::Error::from(ErrorKind::StorageFull);
            return Err(io_error("write", Path::new(capture.key.as_str()))(full));
        }
        let mut captures = self.captures.lock().unwrap();
        captures.push(capture);
        Ok(captures.len() as u64 - 1)
    }

    /// The body of the page of number `number`.
    fn body(&self, number: u64) -> Result<Bytes, SaveError> {
        let captures = self.captures.lock().unwrap();
        let capture = usize::try_from(number).ok().and_then(|number| captures.get(number));
        capture.and_then(body_of).ok_or_else(nothing)
    }

    /// The last page that was stored under `key`.
    fn last(&self, key: &Key) -> Result<Bytes, SaveError> {
        let captures = self.captures.lock().unwrap();
        let mut bodies = captures.iter().rev().filter(|it| it.key == *key).filter_map(body_of);
        bodies.next().ok_or_else(nothing)
    }
}

fn body_of(capture: &OwnedCapture) -> Option<Bytes> {
    match &capture.content {
        OwnedContent::Whole { decoded, .. } => Some(decoded.clone()),
        OwnedContent::Incomplete(_) => None,
    }
}

fn nothing() -> SaveError {
    io_error("look at", Path::new("a page in memory"))(ErrorKind::NotFound.into())
}
