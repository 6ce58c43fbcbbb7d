//! Where a sink is, so that another process can open the same one.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Sink, TABLE};
use crate::save::error::SaveError;
use crate::save::options::Options;

/// Where pages are kept, for opening it in another process too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SinkLocation {
    /// The name of its row.
    way: String,
    #[serde(with = "as_bytes")]
    directory: PathBuf,
}

impl SinkLocation {
    /// The place that `options` ask for.
    pub fn of(options: &Options) -> Self {
        let row = TABLE.iter().find(|row| (row.is_asked_for)(options));
        let row = row.expect("the table's last row is for everybody");
        Self { way: row.name.to_owned(), directory: options.directory.clone() }
    }

    /// Opens it; the directory must be there. `None` when this program does not know the way.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the directory cannot be opened.
    pub fn open(&self) -> Option<Result<Box<dyn Sink>, SaveError>> {
        let row = TABLE.iter().find(|row| row.name == self.way)?;
        Some((row.open)(&self.directory))
    }
}

/// A path as the system has it, which may be no text.
mod as_bytes {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        Vec::deserialize(from).map(|bytes| OsString::from_vec(bytes).into())
    }
}
