//! What can be typed: the flags in groups. The file of a group also turns its values into the
//! options of a module, so that a new flag is added in one file of `cli`.
//!
//! The documentation comments are the help texts. The first paragraph of a flag is one line
//! and stands in `-h`; `--help`, the manual page and `.readme/options.md` show all of them.

mod commands;
pub(super) mod compare;
mod http;
mod kinds;
mod output;
mod running;
mod source;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use commands::{LinksArgs, OriginArgs, VerifyArgs};
pub(crate) use compare::{CompareArgs, OutcomeArgs, PlanArgs};
pub(crate) use http::{HttpArgs, Robots};
pub(crate) use output::{AgainArgs, LayoutArgs, OutputArgs, ReportArgs};
pub(crate) use running::{ModeArg, RunningArgs};
pub(crate) use source::{NamedArgs, SourceArgs};

use crate::work::process::factory::CHILD_ARGUMENT;

/// Download many pages politely and resumably, in the concurrency mode you choose
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "Try it without a network: fetchpages --demo\n\
                  All options, each with an example: fetchpages --help",
    after_long_help = "Without a source, fetchpages takes Wikipedia's list of countries by \
                       population. Times are typed as 500ms, 30s, 5m or 2h, sizes as 64KiB or \
                       10MB, rates as 20/s or 100/m.\n\n\
                       Exit codes: 0 all pages are saved, 1 the run broke, 2 wrong usage, 3 some \
                       pages failed or the run stopped early, 4 the source named no page, 5 \
                       verify found a difference, 6 a gate of compare failed, 130 interrupted."
)]
pub(crate) struct Cli {
    /// The job, when it is not a download.
    #[command(subcommand)]
    pub command: Option<Subcommands>,
    #[command(flatten)]
    /// The main job.
    pub download: DownloadArgs,
}

/// The other jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum Subcommands {
    /// Print the URLs and file names; fetch no page
    ///
    /// Prints one `file<TAB>url` line per page. Reads the list, the index or the sitemap. The names
    /// are those for an empty directory: pages that earlier runs saved do not change them.
    ///
    /// Example: `fetchpages links -i urls.txt --layout tree`
    Links(Box<LinksArgs>),
    /// Measure modes side by side; say which is best, and why
    ///
    /// Without a source, the pages are those of the embedded site. Each run is a process of its
    /// own, and all runs fetch the same pages. The verdict names the fastest mode, with a
    /// confidence interval and the reason.
    ///
    /// Example: `fetchpages compare --modes threads,async,hybrid`
    Compare(Box<CompareArgs>),
    /// Check saved pages against the manifest, offline
    ///
    /// Compares the size and the SHA-256 of each saved page with its record. The exit code is 5
    /// when a page is missing or differs, else 0: pages that failed or were interrupted are
    /// reported and do not change it.
    ///
    /// Example: `fetchpages verify out`
    Verify(VerifyArgs),
    /// Serve the embedded site on 127.0.0.1
    ///
    /// The site is an index of countries with an article for each. Use it to test programs and
    /// options without a network. It runs until you stop it with Ctrl-C.
    ///
    /// Example: `fetchpages origin --port 8080 --fault 503:20`
    Origin(OriginArgs),
    /// Print completions for a shell
    ///
    /// Example: `fetchpages completions fish > ~/.config/fish/completions/fetchpages.fish`
    Completions {
        /// Shell to print completions for
        ///
        /// Start a new shell after you have saved the completions.
        ///
        /// Example: `fetchpages completions zsh > ~/.zfunc/_fetchpages`
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page of the program or of a command
    ///
    /// Example: `fetchpages man compare > fetchpages-compare.1`
    Man {
        /// Command, such as compare
        ///
        /// Without COMMAND, the page is that of `fetchpages` itself.
        ///
        /// Example: `fetchpages man verify | man -l -`
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
    /// Be a worker process of --mode processes
    #[command(hide = true, name = CHILD_ARGUMENT)]
    Child,
}

/// The arguments of a download.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    #[command(flatten)]
    /// Where pages come from.
    pub source: SourceArgs,
    #[command(flatten)]
    /// How they are run.
    pub running: RunningArgs,
    #[command(flatten)]
    /// How they are requested.
    pub http: HttpArgs,
    #[command(flatten)]
    /// Where they go.
    pub output: OutputArgs,
    #[command(flatten)]
    /// What happens to the pages of earlier runs.
    pub again: AgainArgs,
    #[command(flatten)]
    /// What is reported.
    pub report: ReportArgs,
}
