//! Where pages and reports go, and what happens to the pages of earlier runs.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::model::FailureCode;
use crate::save;
use crate::save::key::Layout;

/// Where pages go
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The directory for the pages and their manifest
    #[arg(short, long, value_name = "DIR", default_value = save::DEFAULT_OUTPUT)]
    pub output: PathBuf,
    #[command(flatten)]
    /// Names in it
    pub layout: LayoutArgs,
    /// Fetch, decode and hash, and keep the manifest only
    #[arg(long)]
    pub no_save: bool,
}

/// How names are arranged
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct LayoutArgs {
    /// How names are arranged
    #[arg(long, default_value = "flat")]
    pub layout: LayoutArg,
}

/// How names are arranged
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LayoutArg {
    /// The last part of the path, all in one directory
    Flat,
    /// Host, then path
    Tree,
    /// A hash, in 65,536 directories: for millions of pages
    Hash,
}

impl From<LayoutArg> for Layout {
    fn from(typed: LayoutArg) -> Self {
        match typed {
            LayoutArg::Flat => Self::Flat,
            LayoutArg::Tree => Self::Tree,
            LayoutArg::Hash => Self::Hash,
        }
    }
}

/// What to do about the pages of earlier runs into the same place
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Earlier runs (without a source, the addresses of the last run are taken)"
)]
pub struct AgainArgs {
    /// Skip what is saved and still there with its size
    #[arg(short = 'c', long, group = "again")]
    pub resume: bool,
    /// Fetch only pages that failed, with one of these codes (as in the manifest, separated by commas) or with any; what was interrupted has not failed, and is for --resume
    #[arg(long, value_name = "CODES", group = "again", num_args = 0..=1, require_equals = true, value_delimiter = ',', hide_possible_values = true)]
    pub retry_failed: Option<Vec<CodeArg>>,
    /// Ask the servers of saved pages whether they have changed, and keep what has not
    #[arg(short = 'N', long, group = "again")]
    pub update: bool,
}

/// A class of failures, by its code
#[derive(Debug, Clone, Copy)]
pub struct CodeArg(pub FailureCode);

impl ValueEnum for CodeArg {
    fn value_variants<'a>() -> &'a [Self] {
        const CODES: &[CodeArg] = &{
            let mut codes = [CodeArg(FailureCode::Dns); FailureCode::ALL.len()];
            let mut number = 0;
            while number < codes.len() {
                codes[number] = CodeArg(FailureCode::ALL[number]);
                number += 1;
            }
            codes
        };
        CODES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()))
    }
}

/// What is told
#[derive(Debug, Args)]
#[command(next_help_heading = "Telling")]
pub struct ReportArgs {
    /// Print the summary as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with_all = ["json", "verbose"])]
    pub quiet: bool,
    /// Tell every page
    #[arg(short, long)]
    pub verbose: bool,
    /// Progress on standard error; auto is a bar on a terminal, else a line every few seconds
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub progress: ProgressArg,
    /// Draw who waited and who computed when into FILE.json, for ui.perfetto.dev and the like
    #[arg(long, value_name = "FILE.json")]
    pub trace: Option<PathBuf>,
}

/// How progress looks
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// A bar on a terminal, else plain
    Auto,
    /// A bar
    Bar,
    /// A line every few seconds
    Plain,
    /// Nothing
    None,
}
