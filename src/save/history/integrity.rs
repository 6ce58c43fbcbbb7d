//! Whether a saved file is what its record says.

use std::io;

use crate::digest;
use crate::foreign::Foreign;
use crate::model::Key;
use crate::save::error::SaveError;
use crate::save::sink::beneath::Root;

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is recorded as saved and is not there.
    Missing,
    /// It has another size than recorded.
    Size {
        /// The recorded size in bytes.
        recorded: u64,
        /// The size that it has.
        found: u64,
    },
    /// It has the recorded size and another content.
    Content,
    /// Something else is in its place, such as a link or a folder.
    NoFile,
    /// It cannot be read.
    Unreadable(Foreign),
    /// It is there and no record names it.
    Foreign,
}

/// How the file at `key` differs from what is recorded. Only a file is opened:
/// a link may lead anywhere, and a pipe may never end.
pub(in crate::save) fn compare(
    root: &Root,
    key: &Key,
    bytes: u64,
    sha256: &str,
) -> Option<Difference> {
    let entry = match root.entry(key) {
        Ok(entry) => entry,
        Err(SaveError::Io { source, .. }) => return Some(unreadable(&source)),
        Err(_) => return Some(Difference::NoFile),
    };
    match entry.status() {
        Err(error) => return Some(unreadable(&error)),
        Ok(found) if !found.is_file => return Some(Difference::NoFile),
        Ok(found) if found.len != bytes => {
            return Some(Difference::Size { recorded: bytes, found: found.len });
        }
        Ok(_) => (),
    }
    match entry
        .read()
        .and_then(|file| file.map(|mut file| digest::sha256_of(&mut file)).transpose())
    {
        Ok(None) => Some(Difference::NoFile),
        Ok(Some(found)) => (digest::hex(&found) != sha256).then_some(Difference::Content),
        Err(error) => Some(unreadable(&error)),
    }
}

fn unreadable(error: &io::Error) -> Difference {
    if error.kind() == io::ErrorKind::NotFound {
        return Difference::Missing;
    }
    Difference::Unreadable(error.to_string().into())
}
