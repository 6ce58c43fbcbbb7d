//! Pages as files in a directory.

use std::borrow::Cow;
use std::path::Path;

use super::atomic::Stage;
use super::{Pieces, Sink};
use crate::model::Key;
use crate::save::error::{SaveError, io_error};

/// Keeps each page as a file of its own.
pub(super) struct DirectorySink {
    stage: Stage,
}

impl DirectorySink {
    /// A sink in `root`, which must be there.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when it cannot be opened.
    pub(super) fn open(root: &Path) -> Result<Self, SaveError> {
        let stage = Stage::open(root).map_err(io_error("open", root))?;
        Ok(Self { stage })
    }
}

impl Sink for DirectorySink {
    fn put(&self, key: &Key, body: &[u8]) -> Result<(), SaveError> {
        self.stage.write(key, body)
    }

    fn begin(&self, key: &Key) -> Result<Box<dyn Pieces + '_>, SaveError> {
        Ok(Box::new(self.stage.begin(Cow::Owned(key.clone()))?))
    }

    fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        self.stage.clear_after(process)
    }
}
