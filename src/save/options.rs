//! What is decided about an output before it is opened.

use std::path::Path;

use super::names::Layout;
use super::sink::{Capabilities, SinkLocation, Target};
use crate::model::FailureCode;

/// The default of `--output`.
pub const DEFAULT_OUTPUT: &str = "pages";

/// Where and how pages are saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The output.
    pub target: Target,
    /// How names are arranged in it.
    pub layout: Layout,
    /// False saves the manifest only (`--no-save`).
    pub saves_pages: bool,
    /// Which pages of earlier runs are fetched again.
    pub refetch: Refetch,
    /// The source, as the record of the run has it in `args`.
    pub source: Vec<String>,
}

/// Which pages of earlier runs are fetched again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Refetch {
    /// All: what is there is replaced.
    #[default]
    All,
    /// Those that are not saved, or not with their recorded size (`--resume`).
    Unsaved,
    /// Those that failed and nothing else, with one of these codes when there are any
    /// (`--retry-failed`).
    Failed(Vec<FailureCode>),
    /// Those that are not saved, and those that the server says have changed (`--update`).
    Changed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: Target::Directory(DEFAULT_OUTPUT.into()),
            layout: Layout::default(),
            saves_pages: true,
            refetch: Refetch::default(),
            source: Vec::new(),
        }
    }
}

impl Options {
    /// The local directory of the manifest, and of the pages when the target is a directory.
    pub fn directory(&self) -> &Path {
        self.target.manifest_directory().unwrap_or(Path::new(""))
    }

    /// Where the sink of the run is.
    pub fn location(&self) -> SinkLocation {
        SinkLocation::of(if self.saves_pages { &self.target } else { &Target::Nothing })
    }

    /// What the sink of the run can do and what it wants.
    pub fn capabilities(&self) -> Capabilities {
        self.location().capabilities()
    }
}
