//! What can be typed: the flags in groups.
//!
//! The documentation comments are the help texts. The first paragraph of a flag is one line
//! and stands in `-h`; `--help`, the manual page and `.readme/options.md` show all of them.

mod commands;
mod compare;
mod http;
mod output;
mod running;
mod source;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use commands::{LinksArgs, OriginArgs, VerifyArgs};
pub use compare::{CompareArgs, OutcomeArgs, PagesArgs, PlanArgs, SiteArgs};
pub use http::{Http, HttpArgs, Robots};
pub use output::{AgainArgs, CodeArg, LayoutArg, LayoutArgs, OutputArgs, ProgressArg, ReportArgs};
pub use running::{ModeArg, RunningArgs};
pub use source::{InputFormat, NamedArgs, SourceArgs};

use crate::work::process::factory::CHILD_ARGUMENT;

/// Save every page that an index or a list names, with the concurrency model you choose
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "Without a source, the index is Wikipedia's list of countries by population. \
                  --demo needs no network."
)]
pub struct Cli {
    /// What to do instead of downloading
    #[command(subcommand)]
    pub command: Option<Subcommands>,
    #[command(flatten)]
    /// The main job
    pub download: DownloadArgs,
}

/// The other jobs
#[derive(Debug, Subcommand)]
pub enum Subcommands {
    /// Print the plan, one `file<TAB>url` line per page; fetch no page
    Links(Box<LinksArgs>),
    /// Run modes side by side, by default all against the embedded site, and say which one wins and why
    Compare(Box<CompareArgs>),
    /// Check a finished download against its manifest, offline
    Verify(VerifyArgs),
    /// Serve the embedded site on 127.0.0.1
    Origin(OriginArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page, of the program or of one of its commands
    Man {
        /// The command, such as compare
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
    /// Be a worker process of --mode processes
    #[command(hide = true, name = CHILD_ARGUMENT)]
    Child,
}

/// The arguments of a download
#[derive(Debug, Args)]
pub struct DownloadArgs {
    #[command(flatten)]
    /// Where pages come from
    pub source: SourceArgs,
    #[command(flatten)]
    /// How they are run
    pub running: RunningArgs,
    #[command(flatten)]
    /// How they are asked for
    pub http: HttpArgs,
    #[command(flatten)]
    /// Where they go
    pub output: OutputArgs,
    #[command(flatten)]
    /// What to do about those of earlier runs
    pub again: AgainArgs,
    #[command(flatten)]
    /// What is told
    pub report: ReportArgs,
}
