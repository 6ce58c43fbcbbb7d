//! Walks an output directory; nothing else lists it.

use std::ffi::CStr;
use std::io::{self, ErrorKind};

use super::beneath::{Listed, Listing, Opened, Root};
use super::{Depth, Found};
use crate::save::error::{SaveError, io_error};
use crate::save::names::default_name::PATH_LIMIT;
use crate::save::names::reserved::{self, MANIFEST_NAME};

/// Calls `visit` for everything in `root` except the manifest.
///
/// A folder that may be neither listed nor entered, such as another user's, is visited and
/// not walked: no page can be in it. A folder whose path is longer than that of any page
/// is not walked either, which limits the depth of the walk.
///
/// # Errors
///
/// [`SaveError::Io`] when the directory cannot be listed, [`SaveError::HiddenFolder`] when
/// a folder below it cannot be listed but may be entered, and the errors of `visit`.
pub(super) fn walk(
    root: &Root,
    depth: Depth,
    visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
) -> Result<(), SaveError> {
    let listing = root.listing().map_err(io_error("list", root.path()))?;
    walk_below(root, listing, "", depth, visit)
}

fn walk_below(
    root: &Root,
    mut listing: Listing,
    below: &str,
    depth: Depth,
    visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
) -> Result<(), SaveError> {
    let path_of = |name: &CStr| {
        let name = name.to_string_lossy();
        if below.is_empty() { name.into_owned() } else { format!("{below}/{name}") }
    };
    let folders = listing.read(|name, listed| {
        let path = path_of(name);
        match listed {
            _ if path == MANIFEST_NAME => Ok(()),
            Listed::File if below.is_empty() && reserved::is_staged(&path) => {
                visit(Found::Staged(&path))
            }
            Listed::Link => visit(Found::Link(&path)),
            Listed::File | Listed::Other => visit(Found::File(&path)),
        }
        .map_err(Stop::Visit)
    });
    let folders = folders.map_err(|stop| match stop {
        Stop::Visit(error) => error,
        Stop::List(error) if below.is_empty() => io_error("list", root.path())(error),
        Stop::List(error) => io_error("list", &root.path().join(below))(error),
    })?;
    for name in folders {
        let path = path_of(&name);
        if path == MANIFEST_NAME {
            continue;
        }
        if depth == Depth::All && path.len() <= PATH_LIMIT {
            match listing.open(&name) {
                Ok(Opened::Folder(listing)) => walk_below(root, listing, &path, depth, visit)?,
                Ok(Opened::Closed) => (),
                Ok(Opened::Gone) => continue,
                // Another program replaced it after it was listed, perhaps by a link.
                Ok(Opened::Replaced) => {
                    visit(Found::Link(&path))?;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    return Err(SaveError::HiddenFolder {
                        path: root.path().join(path),
                        source: error,
                    });
                }
                Err(error) => return Err(io_error("list", &root.path().join(path))(error)),
            }
        }
        visit(Found::Folder(&path))?;
    }
    Ok(())
}

/// The reason why a listing was not read to its end.
enum Stop {
    Visit(SaveError),
    List(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::List(error)
    }
}
