//! Where pages and reports go, and what happens to the pages of earlier runs.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::config::{ReportOptions, SummaryFormat};
use crate::model::FailureCode;
use crate::report::progress::{Detail, Style};
use crate::save::names::Layout;
use crate::save::sink::Target;
use crate::save::{self, Refetch};

/// Where pages go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output and logging")]
pub(crate) struct OutputArgs {
    /// Directory for pages and manifest
    ///
    /// fetchpages makes the directory if it does not exist, and writes manifest.jsonl into it. It
    /// never overwrites files that it did not write. Only one run at a time can use a directory.
    ///
    /// Example: `fetchpages -i urls.txt -o out`
    #[arg(short, long, value_name = "DIR", default_value = save::DEFAULT_OUTPUT)]
    pub output: PathBuf,
    #[command(flatten)]
    /// How files are named.
    pub layout: LayoutArgs,
    /// Do not save pages; write only the manifest
    ///
    /// Pages are still fetched, decoded and hashed. The record of each page has its size and
    /// SHA-256.
    ///
    /// Example: `fetchpages -i urls.txt --no-save -o check`
    #[arg(long, hide_short_help = true)]
    pub no_save: bool,
}

/// How files are named.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output and logging")]
pub(crate) struct LayoutArgs {
    /// How files are named
    ///
    /// A URL that the manifest records keeps its name. `fetchpages links` prints the names for an
    /// empty directory and fetches no page.
    ///
    /// Example: `fetchpages -i urls.txt --layout tree`
    #[arg(long, default_value = "flat")]
    pub layout: LayoutArg,
}

/// How files are named.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LayoutArg {
    /// The last part of the URL's path, all files in one directory
    Flat,
    /// A folder for the host, then the URL's path
    Tree,
    /// A hash of the URL, in 65,536 folders: for millions of pages
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

/// What happens to the pages of earlier runs into the same directory.
#[derive(Debug, Args)]
#[command(next_help_heading = "Resuming (reuses the last run's source if none is given)")]
pub(crate) struct AgainArgs {
    /// Continue: skip the pages that are saved
    ///
    /// A page is skipped when the manifest records it as saved and its file still has the recorded
    /// size. This works after Ctrl-C, a kill or a full disk. Without -c, -N and --retry-failed, a
    /// run fetches all pages again and replaces them. Type the options of HTTP again, and the
    /// source too if it is standard input or a file.
    ///
    /// Example: `fetchpages -i urls.txt -o out --resume`
    #[arg(short = 'c', long, group = "again")]
    pub resume: bool,
    /// Fetch only the pages that failed
    ///
    /// CODES are failure codes of the manifest, separated by commas, such as http, read-timeout,
    /// connect or truncated. Write `=` before them. Without CODES, all failed pages are fetched.
    /// Interrupted pages have not failed: use --resume for them.
    ///
    /// Example: `fetchpages -i urls.txt -o out --retry-failed=http,read-timeout`
    #[arg(long, value_name = "CODES", group = "again", num_args = 0..=1, require_equals = true, value_delimiter = ',', hide_possible_values = true)]
    pub retry_failed: Option<Vec<CodeArg>>,
    /// Fetch only the pages that have changed
    ///
    /// Sends the recorded `ETag` and `Last-Modified` of each saved page to its server. A page that
    /// has not changed is recorded as unchanged, and its file stays. A page whose server sends
    /// neither field is fetched again. New pages are fetched too.
    ///
    /// Example: `fetchpages -i urls.txt -o out --update`
    #[arg(short = 'N', long, group = "again")]
    pub update: bool,
}

/// A class of failures, by its code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeArg(pub FailureCode);

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

/// What is reported.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output and logging")]
pub(crate) struct ReportArgs {
    /// Print the summary as one JSON object
    ///
    /// The object goes to standard output; progress, warnings and errors go to standard error. For
    /// no progress, add `--progress none`.
    ///
    /// Example: `fetchpages -i urls.txt --json | jq .failed`
    #[arg(long)]
    pub json: bool,
    /// Print errors only
    ///
    /// Errors are the pages that failed, the first 20 of them, and what ends the run. No summary is
    /// printed.
    ///
    /// Example: `fetchpages -i urls.txt -q || echo "exit code $?"`
    #[arg(short, long, conflicts_with_all = ["json", "verbose"])]
    pub quiet: bool,
    /// Print a line for every page
    ///
    /// The lines go to standard error. By default only failed pages have a line, the first 20 of
    /// them.
    ///
    /// Example: `fetchpages -i urls.txt -v`
    #[arg(short, long)]
    pub verbose: bool,
    /// Style of the progress on standard error
    ///
    /// In a log file, use plain or none.
    ///
    /// Example: `fetchpages -i urls.txt --progress none`
    #[arg(long, hide_short_help = true, value_name = "STYLE", default_value = "auto")]
    pub progress: ProgressArg,
    /// Write a timeline of the run for ui.perfetto.dev
    ///
    /// The timeline shows when each worker waited, received, computed and saved. FILE.json takes 1
    /// to 2 kB per page. It replaces an earlier trace, and no other file that has contents.
    ///
    /// Example: `fetchpages --demo --trace run.json`
    #[arg(long, hide_short_help = true, value_name = "FILE.json")]
    pub trace: Option<PathBuf>,
}

/// The style of the progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArg {
    /// A bar on a terminal, else plain
    Auto,
    /// A bar, if standard error is a terminal
    Bar,
    /// A line every five seconds
    Plain,
    /// No progress
    None,
}

impl OutputArgs {
    /// Returns the options of `save`. `source` is the source as the record of the run has it.
    pub(in crate::cli) fn options(
        &self,
        target: Target,
        layout: Layout,
        refetch: Refetch,
        source: Vec<String>,
    ) -> save::Options {
        save::Options { target, layout, saves_pages: !self.no_save, refetch, source }
    }
}

impl AgainArgs {
    /// Returns which pages of earlier runs are fetched again.
    pub(in crate::cli) fn refetch(self) -> Refetch {
        match self {
            Self { resume: true, .. } => Refetch::Unsaved,
            Self { update: true, .. } => Refetch::Changed,
            Self { retry_failed: Some(codes), .. } => {
                Refetch::Failed(codes.into_iter().map(|code| code.0).collect())
            }
            Self { retry_failed: None, .. } => Refetch::All,
        }
    }
}

impl ReportArgs {
    /// Returns what the download prints.
    pub(in crate::cli) fn options(&self) -> ReportOptions {
        let format = if self.quiet {
            SummaryFormat::None
        } else if self.json {
            SummaryFormat::Json
        } else {
            SummaryFormat::Human
        };
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Usual,
        };
        let style = match self.progress {
            ProgressArg::Auto if self.quiet => Style::None,
            // A bar needs a terminal to be redrawn on.
            ProgressArg::Auto | ProgressArg::Bar if std::io::stderr().is_terminal() => Style::Bar,
            ProgressArg::Auto | ProgressArg::Bar | ProgressArg::Plain => Style::Plain,
            ProgressArg::None => Style::None,
        };
        ReportOptions { format, style, detail }
    }
}
