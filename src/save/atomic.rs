//! Files that appear whole or not at all: staged beside their place, then renamed.
//!
//! Nothing is synced to the disk: a power cut may lose the last seconds of a
//! run, which `verify` finds, and a sync for each page would cost more than the page.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{self, OFlag};
use nix::sys::stat::Mode;
use nix::unistd::{self, UnlinkatFlags};

/// What the names of staged files begin with.
const PREFIX: &str = ".fetchpages-";
/// What the names of staged files end with. It is no ending of a page, so no
/// page's name can be a staged file's.
const SUFFIX: &str = ".part";

/// What a new file may be used for, before the user's mask takes some of it away.
const NEW_FILE: Mode = Mode::from_bits_truncate(0o666);

/// Writes files through a staging name in one directory.
///
/// The directory is held open, and names are taken from there: the system then
/// has not to walk the whole path three times for each page.
#[derive(Debug)]
pub struct Stage {
    directory: OwnedFd,
    path: PathBuf,
    /// What the names of this process's staged files begin with.
    prefix: String,
    next: AtomicU64,
}

impl Stage {
    /// A stage in `directory`, which must be there.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let opened = fcntl::open(directory, flags, Mode::empty())?;
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let path = directory.to_owned();
        Ok(Self { directory: opened, path, prefix, next: AtomicU64::new(0) })
    }

    /// Puts a file of `body` at `path`, a place in the directory, replacing what is there.
    ///
    /// # Errors
    ///
    /// What failed, and why; `path` is then as it was, and nothing is left staged.
    pub fn write(&self, path: &str, body: &[u8]) -> Result<(), (&'static str, io::Error)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let staged = format!("{}{number}{SUFFIX}", self.prefix);
        let result = self
            .write_new(&staged, body)
            .map_err(|error| ("write", error))
            .and_then(|()| self.put_in_place(&staged, path));
        if result.is_err() {
            // The first error is the one to tell; a file that cannot be removed
            // either is removed by the next run.
            let _ = unistd::unlinkat(&self.directory, &*staged, UnlinkatFlags::NoRemoveDir);
        }
        result
    }

    fn write_new(&self, name: &str, body: &[u8]) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let file = fcntl::openat(&self.directory, name, flags, NEW_FILE)?;
        File::from(file).write_all(body)
    }

    /// Renames, and makes the folders on the way only when they are missing.
    fn put_in_place(&self, staged: &str, path: &str) -> Result<(), (&'static str, io::Error)> {
        match self.rename(staged, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = self.path.join(path).parent() {
                    std::fs::create_dir_all(folder)
                        .map_err(|error| ("create the folder of", error))?;
                }
                self.rename(staged, path).map_err(|error| ("rename into place", error))
            }
            result => result.map_err(|error| ("rename into place", error)),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fcntl::renameat(&self.directory, from, &self.directory, to)?;
        Ok(())
    }
}

/// Whether `name` is one that only a staged file has.
pub fn is_staged(name: &str) -> bool {
    let numbers = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    numbers
        .and_then(|numbers| numbers.split_once('-'))
        .is_some_and(|(process, number)| is_number(process) && is_number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("fetchpages-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path); // left by an earlier process of this number
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_file_is_replaced_whole_and_folders_are_made() {
        let root = directory("atomic");
        let stage = Stage::open(&root).unwrap();
        let path = root.join("a/b/page.html");
        stage.write("a/b/page.html", b"first").unwrap();
        stage.write("a/b/page.html", b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn only_names_that_a_stage_gives_are_staged() {
        assert!(is_staged(".fetchpages-123-0.part"));
        for name in ["notes", "-1", "1-", "1-2-3", "1-x", ""] {
            assert!(!is_staged(&format!(".fetchpages-{name}.part")), "{name}");
        }
    }

    #[test]
    fn a_failed_write_leaves_what_was_there_and_no_staged_file() {
        let root = directory("atomic-failed");
        let stage = Stage::open(&root).unwrap();
        let path = root.join("taken");
        std::fs::create_dir(&path).unwrap();
        let (action, _) = stage.write("taken", b"body").unwrap_err();
        assert_eq!(action, "rename into place");
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        std::fs::remove_dir_all(root).unwrap();
    }
}
