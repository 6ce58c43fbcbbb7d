//! The temporary directory of a comparison.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::app::terminal::report_line;

/// A directory of this comparison, which is removed at the end with everything in it.
pub(super) struct Workspace {
    directory: PathBuf,
}

impl Workspace {
    /// Creates it in `parent`, or in the system's directory for temporary files.
    pub(super) fn new(parent: Option<&Path>) -> anyhow::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let directory = parent.join(format!("fetchpages-compare-{}", std::process::id()));
        fs::create_dir_all(&parent)
            .and_then(|()| DirBuilder::new().mode(0o700).create(&directory))
            .with_context(|| format!("failed to create {}", directory.display()))?;
        Ok(Self { directory })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file with the pages of each run.
    pub(super) fn list(&self) -> PathBuf {
        self.directory.join("pages.txt")
    }

    /// Creates the directory of all runs.
    pub(super) fn make_runs(&self) -> anyhow::Result<PathBuf> {
        let runs = self.directory.join("runs");
        fs::create_dir(&runs).with_context(|| format!("failed to create {}", runs.display()))?;
        Ok(runs)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            let place = self.directory.display();
            report_line(format_args!("warning: failed to remove {place}: {error}"));
        }
    }
}
