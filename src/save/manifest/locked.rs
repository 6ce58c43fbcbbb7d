//! The manifest's file, opened and locked to be appended to, as one that has no other name.
//!
//! A file under two names (link(2)) may be another's: a copy of a directory that shares its
//! files, as `cp -l` makes, or a file that whoever made the directory wants written to. A
//! copy of it takes its place in the directory, and the other name keeps what it has.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::save::error::{SaveError, io_error};
use crate::save::names::reserved::{self, MANIFEST_NAME};
use crate::save::sink::beneath::Root;

/// A manifest that is given another name each time is left alone after so many.
const TRIES: usize = 3;

/// A locked manifest.
pub(super) struct LockedManifest {
    pub(super) file: File,
    /// Those that it took the place of: locked too, as another run may have opened one
    /// before.
    _replaced: Vec<File>,
}

impl LockedManifest {
    /// Opens and locks the manifest in `root`, and makes it when it is missing.
    ///
    /// # Errors
    ///
    /// [`SaveError::Locked`] when another run has it, [`SaveError::NotAManifest`] when
    /// something else is there; [`SaveError::Io`] else.
    pub(super) fn open(root: &Root) -> Result<Self, SaveError> {
        let path = root.path().join(MANIFEST_NAME);
        let mut replaced = Vec::new();
        for _ in 0..TRIES {
            let mut file = open_locked(root, &path)?;
            let found = file.metadata().map_err(io_error("look at", &path))?;
            if found.nlink() <= 1 {
                return Ok(Self { file, _replaced: replaced });
            }
            copy_in_place(&mut file, root).map_err(io_error("copy", &path))?;
            replaced.push(file);
        }
        Err(SaveError::NotAManifest { path })
    }
}

fn open_locked(root: &Root, path: &Path) -> Result<File, SaveError> {
    let opened = root.top(MANIFEST_NAME).append();
    let Some(mut file) = opened.map_err(io_error("open for writing", path))? else {
        return Err(SaveError::NotAManifest { path: path.to_owned() });
    };
    match file.try_lock() {
        Ok(()) => (),
        Err(TryLockError::WouldBlock) => {
            return Err(SaveError::Locked { path: root.path().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(io_error("lock", path)(error)),
    }
    if !is_manifest(&mut file).map_err(io_error("read", path))? {
        return Err(SaveError::NotAManifest { path: path.to_owned() });
    }
    Ok(file)
}

/// Puts a copy of `file`, which is the manifest, in its place.
fn copy_in_place(file: &mut File, root: &Root) -> io::Result<()> {
    let name = reserved::staged_manifest_name();
    let staged = root.top(&name);
    // Left by a killed process of this number, if it is there at all.
    match staged.remove() {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let mut copy = staged.create_new()?;
    let copied = fill(&mut copy, file).and_then(|()| staged.rename(&root.top(MANIFEST_NAME)));
    copied.inspect_err(|_| {
        // The first error is the one to tell.
        let _ = staged.remove();
    })
}

/// Makes `copy` what `file` is.
fn fill(copy: &mut File, file: &mut File) -> io::Result<()> {
    file.rewind()?;
    io::copy(file, copy)?;
    copy.set_permissions(file.metadata()?.permissions())
}

/// Whether the file begins as a manifest does, as far as it goes: a killed run
/// may have left any beginning of one.
fn is_manifest(file: &mut File) -> io::Result<bool> {
    const START: &[u8] = b"{\"kind\":\"";
    let mut start = Vec::new();
    file.rewind()?;
    file.take(START.len() as u64).read_to_end(&mut start)?;
    Ok(START.starts_with(&start))
}
