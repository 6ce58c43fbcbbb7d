//! Files that appear whole or not at all.
//!
//! Where the system can do it, a file gets its name when it is whole: nothing
//! is there before, and a killed run leaves nothing behind. Elsewhere, and where a
//! file is to be replaced, it is staged beside its place, then renamed.
//!
//! Nothing is synced to the disk: a power cut may lose the last seconds of a
//! run, which `verify` finds, and a sync for each page would cost more than the page.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
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
        let mut draft = self.begin()?;
        draft.add(body)?;
        draft.finish(path)
    }

    /// Begins a file that gets its place when it is whole.
    ///
    /// # Errors
    ///
    /// What failed, and why; nothing is left staged.
    pub fn begin(&self) -> Result<Draft<'_>, (&'static str, io::Error)> {
        if self.names_late.load(Ordering::Relaxed) {
            // What fails here fails below too, or is no failure.
            match nameless::create(&self.directory) {
                Ok(file) => return Ok(Draft { stage: self, file, staged: None, is_whole: true }),
                Err(error) if nameless::is_unknown(&error) => self.stage_from_now_on(),
                Err(_) => (),
            }
        }
        let (file, name) = self.create_staged().map_err(|error| ("write", error))?;
        Ok(Draft { stage: self, file, staged: Some(name), is_whole: true })
    }

    fn create_staged(&self) -> io::Result<(File, String)> {
        let name = self.staging_name();
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let file = fcntl::openat(&self.directory, name.as_str(), flags, NEW_FILE)?;
        Ok((file.into(), name))
    }

    fn stage_from_now_on(&self) {
        self.names_late.store(false, Ordering::Relaxed);
    }

    fn staging_name(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}{number}{SUFFIX}", self.prefix)
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

/// A file on its way: it has its place when it is whole, and leaves nothing behind else.
#[derive(Debug)]
pub struct Draft<'a> {
    stage: &'a Stage,
    file: File,
    /// The name that it has until then, when it needs one.
    staged: Option<String>,
    /// Whether all that was added was written.
    is_whole: bool,
}

impl Draft<'_> {
    /// Writes what comes next.
    ///
    /// # Errors
    ///
    /// What failed, and why; the file can then not be finished.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), (&'static str, io::Error)> {
        let written = self.file.write_all(piece);
        self.is_whole &= written.is_ok();
        written.map_err(|error| ("write", error))
    }

    /// Puts the file at `path`, a place in the directory, replacing what is there.
    ///
    /// # Errors
    ///
    /// What failed, and why; `path` is then as it was, and nothing is left staged.
    pub fn finish(mut self, path: &str) -> Result<(), (&'static str, io::Error)> {
        if !self.is_whole {
            return Err(("write", io::Error::other("an earlier piece could not be written")));
        }
        let staged = match self.staged.take() {
            Some(staged) => staged,
            None if nameless::name(&self.file, &self.stage.directory, path).is_ok() => {
                return Ok(());
            }
            // Something is there, or a folder on the way is not: a rename replaces the
            // one and makes the other.
            None => self.name_staged().map_err(|error| ("write", error))?,
        };
        let result = self.stage.rename_making_folders(&staged, path);
        // A file that cannot be renamed is removed with the draft.
        self.staged = Some(staged).filter(|_| result.is_err());
        result
    }

    /// Gives a file without a name one of a staged file, or copies it to such a file.
    fn name_staged(&mut self) -> io::Result<String> {
        let name = self.stage.staging_name();
        if nameless::name(&self.file, &self.stage.directory, &name).is_ok() {
            return Ok(name);
        }
        self.stage.stage_from_now_on();
        self.file.seek(SeekFrom::Start(0))?;
        let (mut copy, name) = self.stage.create_staged()?;
        let staged = self.staged.insert(name);
        io::copy(&mut self.file, &mut copy)?;
        Ok(staged.clone())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some(staged) = &self.staged {
            // The first error is the one to report; a file that cannot be removed
            // either is removed by the next run.
            let _ = unistd::unlinkat(
                &self.stage.directory,
                staged.as_str(),
                UnlinkatFlags::NoRemoveDir,
            );
        }
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

    #[test]
    fn a_staged_file_that_is_not_finished_is_removed() {
        let root = directory("atomic-unfinished");
        let stage = Stage::open(&root).unwrap();
        stage.stage_from_now_on();
        let mut draft = stage.begin().unwrap();
        draft.add(b"half").unwrap();
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        drop(draft);
        let mut draft = stage.begin().unwrap();
        draft.is_whole = false;
        draft.add(b"second half").unwrap();
        assert!(draft.finish("page").is_err());
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_file_that_cannot_get_its_name_late_is_copied() {
        let root = directory("atomic-copied");
        let stage = Stage::open(&root).unwrap();
        let mut draft = stage.begin().unwrap();
        draft.add(b"first, ").unwrap();
        draft.add(b"second").unwrap();
        if draft.staged.is_none() {
            // As where the system lets nobody name such a file: the name is taken.
            let taken = format!("{}{}{SUFFIX}", stage.prefix, stage.next.load(Ordering::Relaxed));
            stage.write(&taken, b"taken").unwrap();
            let name = draft.name_staged().unwrap();
            assert_ne!(name, taken);
            assert_eq!(std::fs::read(root.join(&name)).unwrap(), b"first, second");
            assert!(!stage.names_late.load(Ordering::Relaxed));
        }
        draft.finish("page").unwrap();
        assert_eq!(std::fs::read(root.join("page")).unwrap(), b"first, second");
        std::fs::remove_dir_all(root).unwrap();
    }
}
