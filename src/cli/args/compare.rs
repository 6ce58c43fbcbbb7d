//! The arguments of `compare`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{HttpArgs, ModeArg, NamedArgs};
use crate::cli::values::{self, Size};
use crate::compare::gate::Gate;
use crate::config::{DEFAULT_COMPARE_LATENCY, Workers};

/// `--rounds`.
const DEFAULT_ROUNDS: u32 = 5;
/// More would take days.
const MOST_ROUNDS: i64 = 1_000;
/// `--pages`: one for each country.
const DEFAULT_PAGES: u32 = 233;
/// The site holds its index in memory.
const MOST_PAGES: i64 = 1_000_000;
/// `--seed`.
const DEFAULT_SEED: u64 = 1;

/// The arguments of `compare`
#[derive(Debug, Args)]
pub struct CompareArgs {
    #[command(flatten)]
    /// Who is compared
    pub plan: PlanArgs,
    #[command(flatten)]
    /// What becomes of pages while it runs
    pub pages: PagesArgs,
    #[command(flatten)]
    /// What comes of it
    pub outcome: OutcomeArgs,
    #[command(flatten)]
    /// The embedded site
    pub site: SiteArgs,
    #[command(flatten)]
    /// Pages of other sites
    pub named: NamedArgs,
    #[command(flatten)]
    /// How pages are asked for
    pub http: HttpArgs,
}

/// Who is compared, and how often
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
pub struct PlanArgs {
    /// The modes to compare, separated by commas [default: all]
    #[arg(long, value_name = "MODES", value_delimiter = ',')]
    pub modes: Vec<ModeArg>,
    /// Numbers of workers, separated by commas: each mode runs with each; sequential always has one [default: each mode's own]
    #[arg(short = 'j', long, value_name = "N,N", value_delimiter = ',', value_parser = workers)]
    pub workers: Vec<NonZeroU32>,
    /// How often everybody runs, after a warm-up that does not count
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ROUNDS, value_parser = clap::value_parser!(u32).range(1..=MOST_ROUNDS))]
    pub rounds: u32,
    /// What the order within each round is drawn from
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// The experiment of the tutorial behind this program: 233 pages at a tenth of its latency, beside the figures that it published [rounds: 3]
    #[arg(long, conflicts_with_all = ["modes", "workers", "urls", "input_file", "index", "sitemap", "latency", "cpu_per_page", "pages", "bandwidth"])]
    pub tutorial: bool,
}

/// What becomes of pages while it runs
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
pub struct PagesArgs {
    /// The directory under which runs save their pages, which are removed at the end [default: the system's for temporary files]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Fetch, decode and hash, and do not save
    #[arg(long)]
    pub no_save: bool,
}

/// What comes of it
#[derive(Debug, Args)]
#[command(next_help_heading = "Outcome")]
pub struct OutcomeArgs {
    /// Write the outcome to FILE, by its ending: .json (everything), .csv (a row for each run), .md, .html (a page with charts) or .svg (the chart of times); repeatable
    #[arg(long, value_name = "FILE")]
    pub export: Vec<PathBuf>,
    /// End with 6 unless this holds, such as 'threads@16 <= 0.25 * sequential', 'cpu async <= 2s', 'memory hybrid <= 40MB' or 'threads <= 1.1 * baseline'; judged on the 95% interval; repeatable
    #[arg(long, value_name = "EXPR", value_parser = gate)]
    pub gate: Vec<Gate>,
    /// Set an earlier comparison of the same plan, exported as JSON, beside this one
    #[arg(long, value_name = "FILE.json")]
    pub baseline: Option<PathBuf>,
    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Tell no progress
    #[arg(short, long)]
    pub quiet: bool,
    /// Send all these requests to a site that is not on this machine
    #[arg(long)]
    pub yes: bool,
}

/// The embedded site, when no other is named
#[derive(Debug, Args)]
#[command(next_help_heading = "Embedded site (when no other pages are named)")]
pub struct SiteArgs {
    /// How far away it is: counts for each new connection and each request
    #[arg(long, value_name = "TIME", conflicts_with_all = ["urls", "input_file", "index", "sitemap"], default_value = values::duration_text(DEFAULT_COMPARE_LATENCY), value_parser = values::duration)]
    pub latency: Duration,
    /// Make its pages longer, so that decoding, hashing and saving one takes about this much of a CPU of 2025, at most 200ms
    #[arg(long, value_name = "TIME", conflicts_with_all = ["urls", "input_file", "index", "sitemap"], default_value = "0ms", value_parser = values::page_cost)]
    pub cpu_per_page: Duration,
    /// Its pages
    #[arg(long, value_name = "N", conflicts_with_all = ["urls", "input_file", "index", "sitemap"], default_value_t = DEFAULT_PAGES, value_parser = clap::value_parser!(u32).range(..=MOST_PAGES))]
    pub pages: u32,
    /// Have it send each connection's bodies at this rate, in bytes a second [default: no limit]
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["urls", "input_file", "index", "sitemap"], value_parser = values::size)]
    pub bandwidth: Option<Size>,
}

fn workers(text: &str) -> Result<NonZeroU32, String> {
    match values::workers(text)? {
        Workers::Exactly(workers) => u32::try_from(workers.get())
            .ok()
            .and_then(NonZeroU32::new)
            .ok_or_else(|| "it is too large".into()),
        Workers::Auto => Err("compare takes numbers: what auto finds is no fixed one".into()),
    }
}

fn gate(text: &str) -> Result<Gate, String> {
    Gate::parse(text).map_err(|error| error.to_string())
}
