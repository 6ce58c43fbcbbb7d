//! What `--output` names: a directory, an archive or a store. Parsed once.
//!
//! The text decides which of them is meant, except that what is a directory already stays one.
//! Whether this version can write there is a question to the table of sinks.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::TABLE;
use super::beneath::Root;
use crate::save::names::ManifestPath;

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
        // A run may have made a directory of that name, and pages are saved there.
        let is_archive = is_archive && Root::open(Path::new(typed)).is_err();
        if is_archive { Self::Archive(typed.into()) } else { Self::Directory(typed.into()) }
    }

    /// Returns where the manifest is: the row of the table decides.
    ///
    /// # Panics
    ///
    /// When no kind of sink writes to the target. [`parse`](Self::parse) returns no such
    /// target.
    pub fn manifest(&self) -> ManifestPath {
        let kind = TABLE.iter().find(|kind| (kind.accepts)(self));
        (kind.expect("a parsed target has a kind of sink").manifest)(self)
    }

    /// Returns where the manifest is, for rows without a rule of their own.
    ///
    /// A directory holds its manifest. The manifest of an archive is beside the archive. A
    /// store has no directory on this machine, so its manifest is in the working directory,
    /// under the store's URL with all but letters, digits, `-` and `.` percent-encoded.
    pub(super) fn local_manifest(&self) -> ManifestPath {
        match self {
            Self::Nothing => ManifestPath::in_directory(Path::new("")),
            Self::Directory(path) => ManifestPath::in_directory(path),
            Self::Archive(path) => ManifestPath::beside(path),
            Self::Store { .. } => {
                let output = self.to_string();
                let name = encoded(&output);
                ManifestPath { output, ..ManifestPath::beside(Path::new(&name)) }
            }
        }
    }
}

/// Encodes `url` as one file name. Two URLs never get the same name.
fn encoded(url: &str) -> String {
    let mut name = String::new();
    for byte in url.bytes() {
        if byte.is_ascii_alphanumeric() || b"-.".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name += &format!("%{byte:02X}");
        }
    }
    name
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Directory(path) | Self::Archive(path) => path.display().fmt(f),
            Self::Store { scheme, path } => write!(f, "{scheme}://{path}"),
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
    fn a_directory_stays_one_whatever_its_name_is() {
        let place = tempfile::tempdir().unwrap();
        for (name, is_directory) in
            [("x.wacz", true), ("y.warc.gz", true), ("z.warc", false), ("none.warc", false)]
        {
            let path = place.path().join(name);
            if is_directory {
                std::fs::create_dir(&path).unwrap();
            } else if name == "z.warc" {
                std::os::unix::fs::symlink("/dev/null", &path).unwrap();
            }
            let target = Target::of_any_kind(path.as_os_str());
            assert_eq!(target == Target::Directory(path), is_directory, "{name}");
        }
    }

    #[test]
    fn each_output_has_a_manifest_of_its_own() {
        let odd = OsString::from_vec(b"sub/\xff.warc".to_vec());
        let odd_name = OsString::from_vec(b"\xff.warc.manifest.jsonl".to_vec());
        let store = |path: &str| Target::Store { scheme: "s3".into(), path: path.into() };
        for (target, directory, name, output) in [
            (Target::Directory("a/b".into()), "a/b", "manifest.jsonl".into(), "a/b"),
            (Target::Archive("x.warc".into()), ".", "x.warc.manifest.jsonl".into(), "x.warc"),
            (Target::Archive("/x.wacz".into()), "/", "x.wacz.manifest.jsonl".into(), "/x.wacz"),
            (
                Target::Archive("sub/y.warc.gz".into()),
                "sub",
                "y.warc.gz.manifest.jsonl".into(),
                "sub/y.warc.gz",
            ),
            (Target::Archive(odd.into()), "sub", odd_name, "sub/\u{fffd}.warc"),
            (store("b/p"), ".", "s3%3A%2F%2Fb%2Fp.manifest.jsonl".into(), "s3://b/p"),
            (store("b%2Fp"), ".", "s3%3A%2F%2Fb%252Fp.manifest.jsonl".into(), "s3://b%2Fp"),
            (store("b/.."), ".", "s3%3A%2F%2Fb%2F...manifest.jsonl".into(), "s3://b/.."),
        ] {
            let found = target.local_manifest();
            assert_eq!((found.directory.to_str(), &found.name), (Some(directory), &name));
            assert_eq!((found.output.as_str(), target.to_string().as_str()), (output, output));
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
