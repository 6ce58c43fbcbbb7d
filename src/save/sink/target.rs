//! What `--output` names: a directory, an archive or a store. Parsed once.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::TABLE;

/// Where pages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Nowhere: they are fetched, decoded and hashed, and that is all.
    Nothing,
    /// A directory.
    Directory(#[serde(with = "as_bytes")] PathBuf),
    /// A file that holds all pages.
    Archive(#[serde(with = "as_bytes")] PathBuf),
    /// A store behind a URL.
    Store {
        /// The URL's scheme, such as `s3`.
        scheme: String,
        /// What follows `://`.
        path: String,
    },
}

/// The endings of archives.
const ARCHIVES: &[&str] = &[".warc", ".warc.gz", ".wacz"];
/// The schemes of stores.
const STORES: &[&str] = &["s3", "gs", "az"];

/// The target cannot be written to.
#[derive(Debug, thiserror::Error)]
#[error("{name:?} is no directory, and this version writes directories only")]
pub struct TargetError {
    /// What the user typed.
    name: String,
}

impl Target {
    /// Reads what the user typed.
    ///
    /// # Errors
    ///
    /// [`TargetError`] when it is empty, or no sink of this version writes to its kind.
    pub fn parse(typed: &OsStr) -> Result<Self, TargetError> {
        let target = Self::of_any_kind(typed);
        let is_known = !typed.is_empty() && TABLE.iter().any(|kind| (kind.accepts)(&target));
        let error = || TargetError { name: typed.to_string_lossy().into_owned() };
        is_known.then_some(target).ok_or_else(error)
    }

    fn of_any_kind(typed: &OsStr) -> Self {
        let name = typed.to_string_lossy();
        if let Some((scheme, path)) = name.split_once("://")
            && STORES.contains(&scheme)
        {
            return Self::Store { scheme: scheme.to_owned(), path: path.to_owned() };
        }
        let is_archive = ARCHIVES.iter().any(|ending| name.ends_with(ending));
        if is_archive { Self::Archive(typed.into()) } else { Self::Directory(typed.into()) }
    }

    /// The local directory of the manifest; `None` where pages go nowhere.
    ///
    /// A directory holds its own manifest, that of an archive is beside it, and that of a
    /// store is below its path.
    pub(in crate::save) fn manifest_directory(&self) -> Option<&Path> {
        match self {
            Self::Nothing => None,
            Self::Directory(path) => Some(path),
            Self::Archive(path) => path.parent(),
            Self::Store { path, .. } => Some(Path::new(path)),
        }
    }
}

/// A path as the system has it, which may be no text.
mod as_bytes {
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, OsStrExt, OsString, OsStringExt, Path, PathBuf, Serialize};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        Vec::deserialize(from).map(|bytes| OsString::from_vec(bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_taken_and_kinds_without_a_sink_are_refused() {
        for typed in ["pages", "a/b.d", "/x", "./s3:x", "warc", "x.warc/", "http://x"] {
            let target = Target::parse(OsStr::new(typed)).unwrap();
            assert_eq!(target, Target::Directory(typed.into()));
        }
        for typed in ["", "x.warc", "a/x.warc.gz", "x.wacz", "s3://bucket/x", "gs://x", "az://x"] {
            let error = Target::parse(OsStr::new(typed)).unwrap_err();
            let expected =
                format!("{typed:?} is no directory, and this version writes directories only");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_target_crosses_to_a_worker_process_byte_for_byte() {
        let odd = OsString::from_vec(b"a\xff\n".to_vec());
        for target in [
            Target::Nothing,
            Target::Directory(odd.clone().into()),
            Target::Archive(odd.into()),
            Target::Store { scheme: "s3".into(), path: "b/é".into() },
        ] {
            let json = serde_json::to_string(&target).unwrap();
            assert_eq!(serde_json::from_str::<Target>(&json).unwrap(), target);
        }
    }
}
