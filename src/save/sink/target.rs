//! What `--output` names: a directory, an archive or a store. Parsed once.
//!
//! The text alone decides which of them is meant. Whether this version can write there is
//! a question to the table of sinks.

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

/// A target that this version cannot write to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nothing was typed.
    #[error("names nothing")]
    Empty,
    /// No sink of this version writes to its kind.
    #[error("{name:?} is {kind}, and this version writes {} only", written())]
    NoSink {
        /// What the user typed.
        name: String,
        /// What that names, with its article.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
}

impl TargetError {
    /// What the user can do, for the `hint:` line.
    pub(crate) const fn advice(&self) -> &'static str {
        match self {
            Self::Empty => "name a directory",
            Self::NoSink { advice, .. } => advice,
        }
    }
}

/// The kinds of targets that this version writes to, for people.
fn written() -> String {
    let names: Vec<_> = TABLE.iter().filter_map(|kind| kind.targets).collect();
    names.join(" and ")
}

impl Target {
    /// Reads what the user typed.
    ///
    /// # Errors
    ///
    /// [`TargetError`] when it is empty, or no sink of this version writes to its kind.
    pub fn parse(typed: &OsStr) -> Result<Self, TargetError> {
        if typed.is_empty() {
            return Err(TargetError::Empty);
        }
        let target = Self::of_any_kind(typed);
        if TABLE.iter().any(|kind| (kind.accepts)(&target)) {
            return Ok(target);
        }
        let (kind, advice) = match target {
            Self::Archive(_) => {
                ("an archive", "name a directory; with a slash at its end, any name is one")
            }
            Self::Store { .. } => ("a store", "name a directory"),
            Self::Nothing | Self::Directory(_) => unreachable!("a row of the table accepts it"),
        };
        Err(TargetError::NoSink { name: typed.to_string_lossy().into_owned(), kind, advice })
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

    /// Returns the local directory of the manifest; `None` for [`Nothing`](Self::Nothing).
    ///
    /// A directory holds its own manifest. The manifest of an archive is beside the archive,
    /// and that of a store is below the store's path.
    pub(crate) fn manifest_directory(&self) -> Option<&Path> {
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
    fn directories_are_taken_and_other_kinds_only_with_a_row_in_the_table() {
        for typed in ["pages", "a/b.d", "/x", "./s3:x", "warc", "x.warc/", "x.wacz/", "http://x"] {
            let target = Target::parse(OsStr::new(typed)).unwrap();
            assert_eq!(target, Target::Directory(typed.into()));
        }
        for (typed, kind) in [
            ("x.warc", "an archive"),
            ("a/x.warc.gz", "an archive"),
            ("x.wacz", "an archive"),
            (".wacz", "an archive"),
            ("s3://bucket/x", "a store"),
            ("gs://x", "a store"),
            ("az://x", "a store"),
        ] {
            let target = Target::of_any_kind(OsStr::new(typed));
            assert!(!matches!(target, Target::Nothing | Target::Directory(_)), "{typed}");
            let parsed = Target::parse(OsStr::new(typed));
            if TABLE.iter().any(|row| (row.accepts)(&target)) {
                assert_eq!(parsed, Ok(target));
                continue;
            }
            let error = parsed.unwrap_err();
            let written = written();
            assert!(written.starts_with("directories"), "{written}");
            let expected = format!("{typed:?} is {kind}, and this version writes {written} only");
            assert_eq!(error.to_string(), expected);
            assert!(error.advice().starts_with("name a directory"), "{typed}");
        }
        assert_eq!(Target::parse(OsStr::new("")), Err(TargetError::Empty));
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
