//! Whether a saved page is what its record says.

use std::io::ErrorKind;

use crate::digest;
use crate::foreign::Foreign;
use crate::save::error::SaveError;
use crate::save::sink::{Address, SavedPages};

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

/// How the page at `address` differs from what is recorded.
pub(in crate::save) fn compare(
    pages: &dyn SavedPages,
    address: Address<'_>,
    bytes: u64,
    sha256: &str,
) -> Option<Difference> {
    match pages.stat(address) {
        Err(error) => return Some(unreadable(error)),
        Ok(found) if !found.is_file => return Some(Difference::NoFile),
        Ok(found) if found.len != bytes => {
            return Some(Difference::Size { recorded: bytes, found: found.len });
        }
        Ok(_) => (),
    }
    let mut body = match pages.open(address) {
        Ok(Some(body)) => body,
        Ok(None) => return Some(Difference::NoFile),
        Err(error) => return Some(unreadable(error)),
    };
    match digest::sha256_of(&mut body) {
        Ok(found) => (digest::hex(&found) != sha256).then_some(Difference::Content),
        Err(error) => Some(Difference::Unreadable(error.to_string().into())),
    }
}

/// Why a page cannot be read. What stands in the place of its folder is no file.
fn unreadable(error: SaveError) -> Difference {
    match error {
        SaveError::Io { source, .. } if source.kind() == ErrorKind::NotFound => Difference::Missing,
        SaveError::Io { source, .. } => Difference::Unreadable(source.to_string().into()),
        _ => Difference::NoFile,
    }
}
