//! Whether a saved page is what its record says.

use std::io::ErrorKind;

use crate::digest;
use crate::foreign::Foreign;
use crate::save::error::SaveError;
use crate::save::sink::{Address, SavedPages};

/// How a saved page differs from its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is recorded as saved and does not exist.
    Missing,
    /// It has another size than recorded.
    Size {
        /// The recorded size in bytes.
        recorded: u64,
        /// The size that it has.
        found: u64,
    },
    /// It has the recorded size and other content.
    Content,
    /// Something else is in its place, such as a link or a folder.
    NoFile,
    /// It cannot be read, for this reason.
    Unreadable(Foreign),
    /// It is in the output and no record names it.
    Foreign,
}

/// Compares the page at `address` with its recorded size and digest.
pub(in crate::save) fn compare(
    pages: &dyn SavedPages,
    address: Address<'_>,
    bytes: u64,
    sha256: &str,
) -> Option<Difference> {
    let size = |found| Difference::Size { recorded: bytes, found };
    let mut page = match pages.open(address) {
        Ok(Some(page)) => page,
        Ok(None) => return Some(Difference::NoFile),
        Err(error) => {
            // The size of a page can be known that this user must not read.
            let found = pages.stat(address).ok().filter(|found| found.len != bytes);
            return Some(found.map_or_else(|| unreadable(error), |found| size(found.len)));
        }
    };
    if page.len != bytes {
        return Some(size(page.len));
    }
    match digest::sha256_of(&mut page.body) {
        Ok(found) => (digest::hex(&found) != sha256).then_some(Difference::Content),
        Err(error) => Some(Difference::Unreadable(error.to_string().into())),
    }
}

/// Returns the difference of a page that cannot be opened. Something in the place of its
/// folder counts as something in its own place.
fn unreadable(error: SaveError) -> Difference {
    match error {
        SaveError::Io { source, .. } if source.kind() == ErrorKind::NotFound => Difference::Missing,
        SaveError::Io { source, .. } => Difference::Unreadable(source.to_string().into()),
        _ => Difference::NoFile,
    }
}
