//! Pages as files in a directory.

use std::path::{Path, PathBuf};

use super::atomic::Stage;
use super::{SaveError, Sink};
use crate::model::Key;

/// Keeps each page as a file of its own.
pub(super) struct DirSink {
    root: PathBuf,
    stage: Stage,
}

impl DirSink {
    /// A sink in `root`, which must be there.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), stage: Stage::new(root) }
    }
}

impl Sink for DirSink {
    fn put(&self, key: &Key, body: &[u8]) -> Result<(), SaveError> {
        let path = self.root.join(key.as_str());
        self.stage.write(&path, body).map_err(|(action, source)| SaveError::Io {
            action,
            path,
            source,
        })
    }
}
