//! Opens and locks the manifest's file for appending. The file must have no other name.
//!
//! A file with two names (link(2)) may belong to another directory: `cp -l` makes copies that
//! share their files, and an attacker may link a file that the user should not write to. So a
//! copy of the file takes its place in the directory, and the file itself is not changed.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek};
use std::os::unix::fs::MetadataExt;

use crate::save::error::{SaveError, io_error};
use crate::save::names::ManifestPath;
use crate::save::names::reserved;
use crate::save::sink::beneath::Root;

/// The attempts at opening a manifest that gets another name each time.
const TRIES: usize = 3;

/// A locked manifest.
pub(super) struct LockedManifest {
    pub(super) file: File,
    /// The files that it has replaced. They stay locked, because another run may have opened
    /// one of them before.
    _replaced: Vec<File>,
}

impl LockedManifest {
    /// Opens and locks the manifest `at`, and makes it when it is missing. `root` is its
    /// directory.
    ///
    /// # Errors
    ///
    /// [`SaveError::Locked`] when another run has it locked, [`SaveError::NotAManifest`] when
    /// something else has its name; else [`SaveError::Io`].
    pub(super) fn open(root: &Root, at: &ManifestPath) -> Result<Self, SaveError> {
        let path = at.path();
        let mut replaced = Vec::new();
        for _ in 0..TRIES {
            let mut file = open_locked(root, at)?;
            let found = file.metadata().map_err(io_error("look at", &path))?;
            if found.nlink() <= 1 {
                return Ok(Self { file, _replaced: replaced });
            }
            copy_in_place(&mut file, root, at).map_err(io_error("copy", &path))?;
            replaced.push(file);
        }
        Err(SaveError::NotAManifest { path })
    }
}

fn open_locked(root: &Root, at: &ManifestPath) -> Result<File, SaveError> {
    let path = &at.path();
    let opened = root.top(&at.name).append();
    let Some(mut file) = opened.map_err(io_error("open for writing", path))? else {
        return Err(SaveError::NotAManifest { path: path.to_owned() });
    };
    match file.try_lock() {
        Ok(()) => (),
        Err(TryLockError::WouldBlock) => {
            return Err(SaveError::Locked { path: at.output.as_str().into() });
        }
        Err(TryLockError::Error(error)) => return Err(io_error("lock", path)(error)),
    }
    if !is_manifest(&mut file).map_err(io_error("read", path))? {
        return Err(SaveError::NotAManifest { path: path.to_owned() });
    }
    Ok(file)
}

/// Replaces the manifest `file` by a copy of it.
fn copy_in_place(file: &mut File, root: &Root, at: &ManifestPath) -> io::Result<()> {
    let name = reserved::staged_manifest_name();
    let staged = root.top(&name);
    // A killed process of the same number may have left it.
    match staged.remove() {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let mut copy = staged.create_new()?;
    let copied = fill(&mut copy, file).and_then(|()| staged.rename(&root.top(&at.name)));
    copied.inspect_err(|_| {
        // The first error is the one to report.
        let _ = staged.remove();
    })
}

/// Copies content and permissions of `file` to `copy`.
fn fill(copy: &mut File, file: &mut File) -> io::Result<()> {
    file.rewind()?;
    io::copy(file, copy)?;
    copy.set_permissions(file.metadata()?.permissions())
}

/// Whether the file begins as a manifest does. A killed run may have left any part of the
/// beginning.
fn is_manifest(file: &mut File) -> io::Result<bool> {
    const START: &[u8] = b"{\"kind\":\"";
    let mut start = Vec::new();
    file.rewind()?;
    file.take(START.len() as u64).read_to_end(&mut start)?;
    Ok(START.starts_with(&start))
}
