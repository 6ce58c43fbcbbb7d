//! The files that a comparison is exported to.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use nix::fcntl::OFlag;

use crate::compare::export::{Format, Report, render};

/// The files to write, with their formats.
pub(super) struct Exports<'a>(&'a [(PathBuf, Format)]);

impl<'a> Exports<'a> {
    /// Checks that each file can be written, without touching it.
    pub(super) fn open(files: &'a [(PathBuf, Format)]) -> anyhow::Result<Self> {
        for (path, _) in files {
            let checked = if let Some(staged) = staged(path) {
                create(&staged).and_then(|_| fs::remove_file(&staged))
            } else {
                // Opening a pipe without a reader must not block.
                let flags = OFlag::O_NONBLOCK.bits();
                File::options().write(true).custom_flags(flags).open(path).map(drop)
            };
            checked.with_context(|| failed(path))?;
        }
        Ok(Self(files))
    }

    /// Replaces each file atomically, so that it is complete at any moment.
    pub(super) fn write(&self, report: &Report) -> anyhow::Result<()> {
        for (path, format) in self.0 {
            write(path, render(*format, report).as_bytes()).with_context(|| failed(path))?;
        }
        Ok(())
    }
}

fn failed(path: &Path) -> String {
    format!("failed to write {}", path.display())
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let target = staged(path);
    let file = match &target {
        Some(staged) => create(staged),
        None => File::options().write(true).open(path),
    };
    let written = file.and_then(|mut file| file.write_all(bytes));
    let Some(staged) = target else { return written };
    written.and_then(|()| fs::rename(&staged, real(path))).inspect_err(|_| {
        // Only the first error is returned.
        let _ = fs::remove_file(&staged);
    })
}

/// Creates the file `staged` anew. In a folder that several users share, another user may
/// have put a link there, which must not be followed.
fn create(staged: &Path) -> std::io::Result<File> {
    match fs::remove_file(staged) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        // A link, or a file of a killed process, was removed.
        _ => File::create_new(staged),
    }
}

/// The target of a link; the path itself if it is not a link, or its target is missing.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The path that the file is written to before it gets its name; `None` if the path exists
/// and is not an ordinary file, such as `/dev/stdout`.
fn staged(path: &Path) -> Option<PathBuf> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return None;
    }
    let path = real(path);
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(".part");
    Some(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.md");
        let files = [(path.clone(), Format::Markdown)];
        Exports::open(&files).unwrap();
        assert!(!path.exists(), "checking made a file");
        write(&path, b"a long first text").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let link = dir.path().join("link.html");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, b"through the link").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"through the link");
        assert!(link.is_symlink());
    }

    #[test]
    fn no_link_is_followed_from_where_a_file_is_staged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.md");
        let other = dir.path().join("other");
        let files = [(path.clone(), Format::Markdown)];
        for is_link in [true, false] {
            write(&other, b"another's").unwrap();
            let staged = staged(&path).unwrap();
            let plant = || {
                if is_link {
                    std::os::unix::fs::symlink(&other, &staged).unwrap();
                } else {
                    fs::hard_link(&other, &staged).unwrap();
                }
            };
            plant();
            Exports::open(&files).unwrap();
            plant();
            write(&path, b"report").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"report");
            assert_eq!(fs::read(&other).unwrap(), b"another's", "{is_link}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_found_before_anything_runs() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["missing/report.json", ".", "/proc/report.json"] {
            let files = [(dir.path().join(name), Format::Json)];
            assert!(Exports::open(&files).is_err(), "{name}");
        }
        assert!(Exports::open(&[("/dev/null".into(), Format::Json)]).is_ok());
    }
}
