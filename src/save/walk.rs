//! What is in an output directory: the one way to look through it.

use std::fs::FileType;
use std::io::ErrorKind;
use std::path::Path;

use super::{MANIFEST_NAME, SaveError, atomic, io_error};

/// How far a look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The directory itself: with the flat layout no page goes into a folder.
    Top,
    /// All folders below it too.
    All,
}

impl Depth {
    /// The least depth that shows all pages, when `uses_folders` says whether some are in folders.
    pub(super) const fn of(uses_folders: bool) -> Self {
        if uses_folders { Self::All } else { Self::Top }
    }
}

/// Something in the directory, by its path below it.
pub(super) enum Found<'a> {
    /// A file, or whatever else is neither a link nor a folder.
    File(&'a str),
    /// A link. It is never followed: that would leave the directory.
    Link(&'a str),
    /// A folder.
    Folder(&'a str),
    /// A file that a run staged, or is staging.
    Staged(&'a str),
}

/// Shows everything in `directory` but the manifest to `visit`.
///
/// # Errors
///
/// [`SaveError::Io`] when the directory cannot be listed, and what `visit` gives.
/// A folder below it that may not be read is shown, and not looked into.
pub(super) fn walk(
    directory: &Path,
    depth: Depth,
    visit: &mut impl FnMut(Found) -> Result<(), SaveError>,
) -> Result<(), SaveError> {
    walk_below(directory, "", depth, visit)
}

fn walk_below(
    directory: &Path,
    below: &str,
    depth: Depth,
    visit: &mut impl FnMut(Found) -> Result<(), SaveError>,
) -> Result<(), SaveError> {
    let list = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !below.is_empty() => {
            return Ok(());
        }
        list => list.map_err(io_error("list", directory))?,
    };
    for entry in list {
        let entry = entry.map_err(io_error("list", directory))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = if below.is_empty() { name.into_owned() } else { format!("{below}/{name}") };
        let kind = entry.file_type();
        if path == MANIFEST_NAME {
            continue;
        }
        if kind.as_ref().is_ok_and(FileType::is_file)
            && below.is_empty()
            && atomic::is_staged(&path)
        {
            visit(Found::Staged(&path))?;
        } else if kind.as_ref().is_ok_and(FileType::is_symlink) {
            visit(Found::Link(&path))?;
        } else if kind.as_ref().is_ok_and(FileType::is_dir) {
            if depth == Depth::All {
                walk_below(&entry.path(), &path, depth, visit)?;
            }
            visit(Found::Folder(&path))?;
        } else {
            visit(Found::File(&path))?;
        }
    }
    Ok(())
}
