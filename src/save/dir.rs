//! Pages as files in a directory.

use std::path::{Path, PathBuf};

use super::atomic::Stage;
use super::{SaveError, Sink, io_error};
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
        self.stage.write(key.as_str(), body).map_err(|(action, source)| SaveError::Io {
            action,
            path: self.root.join(key.as_str()),
            source,
        })
    }

    fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        self.stage
            .clear_after(process)
            .map_err(io_error("remove what a process staged in", &self.root))
    }
}
