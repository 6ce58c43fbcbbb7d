//! What is decided about an output before it is opened.

use std::path::PathBuf;

use super::names::Layout;
use crate::model::FailureCode;

/// `--output`
pub const DEFAULT_OUTPUT: &str = "pages";

/// Where and how pages are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The output directory.
    pub directory: PathBuf,
    /// How names are arranged in it.
    pub layout: Layout,
    /// False keeps the manifest only (`--no-save`).
    pub keep_pages: bool,
    /// Which pages of earlier runs are fetched again.
    pub refetch: Refetch,
    /// The source, as the record of the run says it in `args`.
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
    /// Those that failed and nothing else, with one of these codes when there are any (`--retry-failed`).
    Failed(Vec<FailureCode>),
    /// Those that are not saved, and those that the server says have changed (`--update`).
    Changed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            directory: DEFAULT_OUTPUT.into(),
            layout: Layout::default(),
            keep_pages: true,
            refetch: Refetch::default(),
            source: Vec::new(),
        }
    }
}
