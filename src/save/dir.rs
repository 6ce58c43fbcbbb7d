//! Pages as files in a directory.

use std::io;
use std::path::{Path, PathBuf};

use super::atomic::{Draft, Stage};
use super::{Pieces, SaveError, Sink, io_error};
use crate::model::Key;

/// Keeps each page as a file of its own.
pub(super) struct DirSink {
    root: PathBuf,
    stage: Stage,
}

impl DirSink {
    /// A sink in `root`, which must be there.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when it cannot be opened.
    pub(super) fn open(root: &Path) -> Result<Self, SaveError> {
        let stage = Stage::open(root).map_err(io_error("open", root))?;
        Ok(Self { root: root.to_owned(), stage })
    }
}

impl Sink for DirSink {
    fn put(&self, key: &Key, body: &[u8]) -> Result<(), SaveError> {
        self.stage.write(key.as_str(), body).map_err(of_page(&self.root, key))
    }

    fn begin(&self, key: &Key) -> Result<Box<dyn Pieces + '_>, SaveError> {
        let draft = self.stage.begin().map_err(of_page(&self.root, key))?;
        Ok(Box::new(FilePieces { draft, root: &self.root, key: key.clone() }))
    }

    fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        self.stage
            .clear_after(process)
            .map_err(io_error("remove what a process staged in", &self.root))
    }
}

/// A page on its way into a file.
struct FilePieces<'a> {
    draft: Draft<'a>,
    root: &'a Path,
    key: Key,
}

impl Pieces for FilePieces<'_> {
    fn add(&mut self, piece: &[u8]) -> Result<(), SaveError> {
        self.draft.add(piece).map_err(of_page(self.root, &self.key))
    }

    fn finish(self: Box<Self>) -> Result<(), SaveError> {
        self.draft.finish(self.key.as_str()).map_err(of_page(self.root, &self.key))
    }
}

/// Makes the error of what failed on the page `key` in `root`.
fn of_page<'a>(
    root: &'a Path,
    key: &'a Key,
) -> impl FnOnce((&'static str, io::Error)) -> SaveError + 'a {
    move |(action, source)| SaveError::Io { action, path: root.join(key.as_str()), source }
}
