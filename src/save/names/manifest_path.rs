//! Where the manifest of an output is: a directory of this machine and a name in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::reserved::MANIFEST_NAME;

/// Where the manifest of an output is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPath {
    /// The directory that it is in.
    pub(crate) directory: PathBuf,
    /// Its name in the directory.
    pub(in crate::save) name: OsString,
    /// The output that it belongs to, for messages.
    pub(crate) output: String,
}

impl ManifestPath {
    /// Returns the place of the manifest that is in the output directory `directory`.
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            name: MANIFEST_NAME.into(),
            output: directory.display().to_string(),
        }
    }

    /// Returns the place of the manifest that is beside the file `file`. Files of one directory
    /// do not share a manifest.
    pub(in crate::save) fn beside(file: &Path) -> Self {
        let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(MANIFEST_NAME);
        Self {
            directory: directory.unwrap_or(Path::new(".")).to_owned(),
            name,
            output: file.display().to_string(),
        }
    }

    /// Returns the path of the file.
    pub(in crate::save) fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// Returns its name for messages.
    pub(in crate::save) fn shown_name(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }
}
