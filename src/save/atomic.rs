//! Files that appear whole or not at all.
//!
//! Where the system can do it, a file gets its name when it is whole: nothing
//! is there before, and a killed run leaves nothing behind. Elsewhere, and where a
//! file is to be replaced, it is staged beside its place, then renamed.
//!
//! Nothing is synced to the disk: a power cut may lose the last seconds of a
//! run, which `verify` finds, and a sync for each page would cost more than the page.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::fcntl::{self, OFlag};
use nix::sys::stat::Mode;
use nix::unistd::{self, UnlinkatFlags};

use super::nameless;

/// What the names of staged files begin with.
const PREFIX: &str = ".fetchpages-";
/// What the names of staged files end with. It is no ending of a page, so no
/// page's name can be a staged file's.
const SUFFIX: &str = ".part";

/// What a new file may be used for, before the user's mask takes some of it away.
pub(super) const NEW_FILE: Mode = Mode::from_bits_truncate(0o666);

/// Writes files in one directory.
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
    /// Whether files may get their names late here, as far as is known.
    names_late: AtomicBool,
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
        let (next, names_late) = (AtomicU64::new(0), AtomicBool::new(true));
        Ok(Self { directory: opened, path, prefix, next, names_late })
    }

    /// Puts a file of `body` at `path`, a place in the directory, replacing what is there.
    ///
    /// # Errors
    ///
    /// What failed, and why; `path` is then as it was, and nothing is left staged.
    pub fn write(&self, path: &str, body: &[u8]) -> Result<(), (&'static str, io::Error)> {
        if self.names_late.load(Ordering::Relaxed) {
            // What fails here fails below too, or is no failure.
            match nameless::create(&self.directory) {
                Ok(file) => return self.fill_and_name(file, path, body),
                Err(error) if nameless::is_unknown(&error) => self.stage_from_now_on(),
                Err(_) => (),
            }
        }
        let staged = self.staging_name();
        let written = self.write_new(&staged, body).map_err(|error| ("write", error));
        self.put_in_place(written, &staged, path)
    }

    /// Writes a file that has no name yet, and gives it one.
    fn fill_and_name(
        &self,
        mut file: File,
        path: &str,
        body: &[u8],
    ) -> Result<(), (&'static str, io::Error)> {
        file.write_all(body).map_err(|error| ("write", error))?;
        if nameless::name(&file, &self.directory, path).is_ok() {
            return Ok(());
        }
        // Something is there, or a folder on the way is not: a rename replaces the one
        // and makes the other.
        let staged = self.staging_name();
        if nameless::name(&file, &self.directory, &staged).is_ok() {
            return self.put_in_place(Ok(()), &staged, path);
        }
        self.stage_from_now_on();
        self.write(path, body)
    }

    fn stage_from_now_on(&self) {
        self.names_late.store(false, Ordering::Relaxed);
    }

    fn staging_name(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}{number}{SUFFIX}", self.prefix)
    }

    /// Renames what was `written` as `staged`, or removes it when that fails.
    fn put_in_place(
        &self,
        written: Result<(), (&'static str, io::Error)>,
        staged: &str,
        path: &str,
    ) -> Result<(), (&'static str, io::Error)> {
        let result = written.and_then(|()| self.rename_making_folders(staged, path));
        if result.is_err() {
            // The first error is the one to tell; a file that cannot be removed
            // either is removed by the next run.
            let _ = unistd::unlinkat(&self.directory, staged, UnlinkatFlags::NoRemoveDir);
        }
        result
    }

    /// Removes what the process of number `process` has staged here and not put in its place.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read or a file not be removed.
    pub fn clear_after(&self, process: u32) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if name.to_str().and_then(stager) == Some(process) {
                std::fs::remove_file(self.path.join(name))?;
            }
        }
        Ok(())
    }

    fn write_new(&self, name: &str, body: &[u8]) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let file = fcntl::openat(&self.directory, name, flags, NEW_FILE)?;
        File::from(file).write_all(body)
    }

    /// Renames, and makes the folders on the way only when they are missing.
    fn rename_making_folders(
        &self,
        staged: &str,
        path: &str,
    ) -> Result<(), (&'static str, io::Error)> {
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
    numbers(name).is_some()
}

/// The process that staged the file `name`.
fn stager(name: &str) -> Option<u32> {
    numbers(name)?.0.parse().ok()
}

/// The numbers of process and file in the name of a staged file.
fn numbers(name: &str) -> Option<(&str, &str)> {
    let numbers = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    numbers.split_once('-').filter(|(process, number)| is_number(process) && is_number(number))
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
        stage.write("a/b/other.html", b"third").unwrap();
        stage.stage_from_now_on();
        stage.write("a/b/page.html", b"fourth").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"fourth");
        assert_eq!(std::fs::read_dir(root.join("a/b")).unwrap().count(), 2);
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
    fn what_a_dead_process_staged_is_removed_and_nothing_else() {
        let root = directory("atomic-clear");
        let names = [".fetchpages-12-0.part", ".fetchpages-12-7.part", ".fetchpages-1-2.part", "a"];
        for name in names {
            File::create_new(root.join(name)).unwrap();
        }
        Stage::open(&root).unwrap().clear_after(12).unwrap();
        assert!(names.map(|name| root.join(name).exists()) == [false, false, true, true]);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_failed_write_leaves_what_was_there_and_no_staged_file() {
        let root = directory("atomic-failed");
        let stage = Stage::open(&root).unwrap();
        let path = root.join("taken");
        std::fs::create_dir(&path).unwrap();
        let (action, _) = stage.write("taken", b"body").unwrap_err();
        assert_eq!(action, "rename into place");
        stage.stage_from_now_on();
        let (action, _) = stage.write("taken", b"body").unwrap_err();
        assert_eq!(action, "rename into place");
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        std::fs::remove_dir_all(root).unwrap();
    }
}
