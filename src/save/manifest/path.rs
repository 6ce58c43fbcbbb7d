//! Where the manifest of an output is: a directory of this machine and a name in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::save::names::reserved::MANIFEST_NAME;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::save::error::SaveError;
    use crate::save::manifest::{ManifestWriter, Reader, last_run};
    use crate::save::sink::beneath::Root;

    #[test]
    fn archives_of_one_directory_are_written_at_the_same_time() {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] =
            ["a.warc", "b.warc"].map(|name| ManifestPath::beside(&directory.path().join(name)));
        let root = Root::open(directory.path()).unwrap();
        let missing = Reader::at(&one).err().unwrap();
        let expected =
            format!("there is no a.warc.manifest.jsonl in {}", directory.path().display());
        assert_eq!(missing.to_string(), expected);

        let mut writer = ManifestWriter::open(&root, &one).unwrap();
        writer.record_unowned(&["of a".to_owned()], &[]).unwrap();
        drop(ManifestWriter::open(&root, &other).unwrap());
        let locked = ManifestWriter::open(&root, &one).err().unwrap();
        let SaveError::Locked { path } = locked else { panic!("{locked:?}") };
        assert_eq!(path, directory.path().join("a.warc"));
        drop(writer);

        let lengths = [&one, &other].map(|at| std::fs::read(at.path()).unwrap().len());
        assert!(lengths[0] > 0 && lengths[1] == 0, "{lengths:?}");
        assert_eq!(last_run(&other).unwrap(), None);
        assert!(!directory.path().join(MANIFEST_NAME).exists());

        // A copy takes the place of a file with another name, under the same name.
        std::fs::hard_link(one.path(), directory.path().join("copy")).unwrap();
        drop(ManifestWriter::open(&root, &one).unwrap());
        assert_eq!(std::fs::read(one.path()).unwrap().len(), lengths[0]);
    }
}
