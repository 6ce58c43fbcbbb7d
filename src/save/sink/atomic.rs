//! Writes are atomic: a file appears under its name only when it is complete.
//!
//! Where the system allows it, a file has no name until it is complete: a killed run then
//! leaves nothing behind. Elsewhere, and when it replaces another file, it is staged: written
//! under a temporary name at the top of the output and then renamed.
//!
//! Files are not synced to the disk, because a sync costs more than the page. A power cut
//! may lose the last seconds of a run; `verify` finds the damage.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Pieces;
use super::beneath::{Entry, Root, unnamed};
use crate::model::{Key, Stored};
use crate::save::error::{SaveError, io_error};
use crate::save::names::reserved;

/// The attempts at putting a page into a folder that another program removes each time.
const TRIES: usize = 8;

/// Writes files in one directory.
///
/// The directory stays open and all names are relative to it, so the system does not walk
/// the whole path three times for each page.
#[derive(Debug)]
pub(super) struct Stage {
    root: Root,
    next: AtomicU64,
    /// Whether files can get their names when they are complete, as far as is known.
    names_late: AtomicBool,
}

impl Stage {
    /// Makes a stage in the directory `root`.
    pub(super) fn of(root: Root) -> Self {
        Self { root, next: AtomicU64::new(0), names_late: AtomicBool::new(true) }
    }

    /// Returns the directory.
    pub(super) const fn root(&self) -> &Root {
        &self.root
    }

    /// Writes `body` into the file `key`, which it replaces.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it fails. The file `key` is then unchanged, and nothing is staged.
    pub(super) fn write(&self, key: &Key, body: &[u8]) -> Result<(), SaveError> {
        let mut draft = self.begin(Cow::Borrowed(key))?;
        draft.write(body)?;
        draft.put_in_place()
    }

    /// Begins a file that gets the name `key` when it is complete.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it fails. Nothing is then staged.
    pub(super) fn begin<'a>(&'a self, key: Cow<'a, Key>) -> Result<Draft<'a>, SaveError> {
        let (file, staged) = self.create().map_err(|error| self.error("write", &key, error))?;
        Ok(Draft { stage: self, key, file, staged, is_whole: true })
    }

    /// Makes a new file, and returns its staged name when it has one.
    fn create(&self) -> io::Result<(File, Option<String>)> {
        if self.names_late.load(Ordering::Relaxed) {
            // A failure here occurs below as well, or does not matter.
            match unnamed::create(&self.root) {
                Ok(file) => return Ok((file, None)),
                Err(error) if unnamed::is_unknown(&error) => self.stage_from_now_on(),
                Err(_) => (),
            }
        }
        let (file, name) = self.create_staged()?;
        Ok((file, Some(name)))
    }

    fn create_staged(&self) -> io::Result<(File, String)> {
        let name = self.staging_name();
        Ok((self.root.top(&name).create_new()?, name))
    }

    fn stage_from_now_on(&self) {
        self.names_late.store(false, Ordering::Relaxed);
    }

    fn staging_name(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        reserved::staged_name(number)
    }

    /// Removes the files that the process `process` has staged and not renamed.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when the directory cannot be read or a file cannot be removed.
    pub(super) fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        let failed = io_error("remove what a process staged in", self.root.path());
        let clear = || {
            self.root.listing()?.read(|name, _| match name.to_str() {
                Ok(name) if reserved::stager(name) == Some(process) => self.root.top(name).remove(),
                _ => Ok(()),
            })
        };
        clear().map(|_| ()).map_err(failed)
    }

    /// Renames the file `staged` to `key`, whose entry was `entry`.
    fn rename<'a>(
        &'a self,
        staged: &str,
        key: &'a Key,
        mut entry: Entry<'a>,
    ) -> Result<(), SaveError> {
        let mut result = self.root.top(staged).rename(&entry);
        for _ in 0..TRIES {
            match &result {
                // Another program removed the folder after it was opened.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    entry = self.root.make_entry(key)?;
                    result = self.root.top(staged).rename(&entry);
                }
                _ => break,
            }
        }
        result.map_err(|error| self.error("rename into place", key, error))
    }

    fn error(&self, action: &'static str, key: &Key, source: io::Error) -> SaveError {
        SaveError::Io { action, path: self.root.path_of(key), source }
    }
}

/// A file that is being written: it gets its name when it is complete. Dropping it before
/// leaves nothing behind.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    stage: &'a Stage,
    key: Cow<'a, Key>,
    file: File,
    /// The name that it has until then, if it has one.
    staged: Option<String>,
    /// Whether all pieces were written.
    is_whole: bool,
}

impl Draft<'_> {
    fn write(&mut self, piece: &[u8]) -> Result<(), SaveError> {
        let written = self.file.write_all(piece);
        self.is_whole &= written.is_ok();
        written.map_err(|error| self.stage.error("write", &self.key, error))
    }

    /// Gives the file its name and replaces the file that has it.
    fn put_in_place(mut self) -> Result<(), SaveError> {
        if !self.is_whole {
            let error = io::Error::other("an earlier piece could not be written");
            return Err(self.stage.error("write", &self.key, error));
        }
        let key = self.key.clone();
        let entry = self.stage.root.make_entry(&key)?;
        let staged = match &self.staged {
            Some(staged) => staged.clone(),
            None if unnamed::name(&self.file, &entry).is_ok() => return Ok(()),
            // Another file has the name: a rename replaces it.
            None => self.name_staged().map_err(|error| self.stage.error("write", &key, error))?,
        };
        self.stage.rename(&staged, &key, entry)?;
        self.staged = None;
        Ok(())
    }

    /// Gives a file without a name a staged name, or copies it to a staged file.
    fn name_staged(&mut self) -> io::Result<String> {
        let name = self.stage.staging_name();
        if unnamed::name(&self.file, &self.stage.root.top(&name)).is_ok() {
            return Ok(self.staged.insert(name).clone());
        }
        self.stage.stage_from_now_on();
        self.file.seek(SeekFrom::Start(0))?;
        let (mut copy, name) = self.stage.create_staged()?;
        let name = self.staged.insert(name).clone();
        io::copy(&mut self.file, &mut copy)?;
        Ok(name)
    }
}

impl Pieces for Draft<'_> {
    fn add(&mut self, piece: &[u8]) -> Result<(), SaveError> {
        self.write(piece)
    }

    fn finish(self: Box<Self>, _sha256: [u8; 32]) -> Result<Stored, SaveError> {
        self.put_in_place()?;
        Ok(Stored::Key)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some(staged) = &self.staged {
            // The first error is the one to report. The next run removes a file that cannot
            // be removed now.
            let _ = self.stage.root.top(staged).remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn key(path: &str) -> Key {
        Key::new(path).unwrap()
    }

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("fetchpages-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path); // left by an earlier process of this number
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_file_is_replaced_whole_and_folders_are_made() {
        let root = directory("atomic");
        let stage = Stage::of(Root::open(&root).unwrap());
        let path = root.join("a/b/page.html");
        stage.write(&key("a/b/page.html"), b"first").unwrap();
        stage.write(&key("a/b/page.html"), b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        stage.write(&key("a/b/other.html"), b"third").unwrap();
        stage.stage_from_now_on();
        stage.write(&key("a/b/page.html"), b"fourth").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"fourth");
        assert_eq!(std::fs::read_dir(root.join("a/b")).unwrap().count(), 2);
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_a_dead_process_staged_is_removed_and_nothing_else() {
        let root = directory("atomic-clear");
        let names = [".fetchpages-12-0.part", ".fetchpages-12-7.part", ".fetchpages-1-2.part", "a"];
        for name in names {
            File::create_new(root.join(name)).unwrap();
        }
        Stage::of(Root::open(&root).unwrap()).clear_after(12).unwrap();
        assert!(names.map(|name| root.join(name).exists()) == [false, false, true, true]);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_failed_write_leaves_what_was_there_and_no_staged_file() {
        let root = directory("atomic-failed");
        let stage = Stage::of(Root::open(&root).unwrap());
        let path = root.join("taken");
        std::fs::create_dir(&path).unwrap();
        let error = stage.write(&key("taken"), b"body").unwrap_err();
        assert!(error.to_string().starts_with("failed to rename into place "), "{error}");
        stage.stage_from_now_on();
        let error = stage.write(&key("taken"), b"body").unwrap_err();
        assert!(error.to_string().starts_with("failed to rename into place "), "{error}");
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_staged_file_that_is_not_finished_is_removed() {
        let root = directory("atomic-unfinished");
        let stage = Stage::of(Root::open(&root).unwrap());
        stage.stage_from_now_on();
        let mut draft = stage.begin(Cow::Owned(key("page"))).unwrap();
        draft.write(b"half").unwrap();
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1);
        drop(draft);
        let mut draft = stage.begin(Cow::Owned(key("page"))).unwrap();
        draft.is_whole = false;
        draft.write(b"second half").unwrap();
        assert!(draft.put_in_place().is_err());
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_file_that_cannot_get_its_name_late_is_copied() {
        let root = directory("atomic-copied");
        let stage = Stage::of(Root::open(&root).unwrap());
        let mut draft = stage.begin(Cow::Owned(key("page"))).unwrap();
        draft.write(b"first, ").unwrap();
        draft.write(b"second").unwrap();
        if draft.staged.is_none() {
            // As where the system lets nobody name such a file: the name is taken.
            let taken = reserved::staged_name(stage.next.load(Ordering::Relaxed));
            stage.write(&key(&taken), b"taken").unwrap();
            let name = draft.name_staged().unwrap();
            assert_ne!(name, taken);
            assert_eq!(std::fs::read(root.join(&name)).unwrap(), b"first, second");
            assert!(!stage.names_late.load(Ordering::Relaxed));
        }
        draft.put_in_place().unwrap();
        assert_eq!(std::fs::read(root.join("page")).unwrap(), b"first, second");
        std::fs::remove_dir_all(root).unwrap();
    }
}
