//! The options of an output, decided before it is opened.

use super::manifest::ManifestPath;
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
    /// The source, as the `args` of the run's record.
    pub source: Vec<String>,
}

/// Which pages of earlier runs are fetched again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Refetch {
    /// All pages: saved ones are replaced.
    #[default]
    All,
    /// Pages that are not saved, or not with their recorded size (`--resume`).
    Unsaved,
    /// Pages that failed with one of these codes (`--retry-failed`). An empty list means any
    /// code.
    Failed(Vec<FailureCode>),
    /// Pages that are not saved, and pages that have changed at the server (`--update`).
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
    /// Returns where the manifest is. Its directory also holds the pages when the target is a
    /// directory.
    pub fn manifest(&self) -> ManifestPath {
        self.target.manifest()
    }

    /// Returns the location of the run's sink.
    pub fn location(&self) -> SinkLocation {
        SinkLocation::of(if self.saves_pages { &self.target } else { &Target::Nothing })
    }

    /// Returns what the run's sink can do and what it wants.
    pub fn capabilities(&self) -> Capabilities {
        self.location().capabilities()
    }
}
