//! The arguments of `compare`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::kinds;
use super::{HttpArgs, ModeArg, NamedArgs};
use crate::cli::values::{self, Size};
use crate::compare::gate::Gate;
use crate::config::{DEFAULT_COMPARE_LATENCY, Workers};

/// The default of `--rounds`.
const DEFAULT_ROUNDS: u32 = 5;
/// The largest `--rounds`: more rounds would take days.
const MOST_ROUNDS: i64 = 1_000;
/// The default of `--pages`: one for each country.
const DEFAULT_PAGES: u32 = 233;
/// The largest `--pages`: the site holds its index in memory.
const MOST_PAGES: i64 = 1_000_000;
/// The default of `--seed`.
const DEFAULT_SEED: u64 = 1;

/// The arguments of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    /// What is measured, and how often.
    pub plan: PlanArgs,
    #[command(flatten)]
    /// Where the runs save their pages.
    pub pages: PagesArgs,
    #[command(flatten)]
    /// What is done with the result.
    pub outcome: OutcomeArgs,
    #[command(flatten)]
    /// The embedded site.
    pub site: SiteArgs,
    #[command(flatten)]
    /// Pages of other sites.
    pub named: NamedArgs,
    #[command(flatten)]
    /// How pages are requested.
    pub http: HttpArgs,
}

/// What is measured, and how often.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
pub(crate) struct PlanArgs {
    /// Modes to compare, separated by commas [default: all]
    ///
    /// The verdict compares each mode with sequential, if sequential is among them.
    ///
    /// Example: `fetchpages compare --modes sequential,threads,async`
    #[arg(long, value_name = "MODES", value_delimiter = ',')]
    pub modes: Vec<ModeArg>,
    /// Numbers of workers, separated by commas [default: each mode's own]
    ///
    /// Each mode runs with each number; sequential always has 1 worker. `auto` is not possible
    /// here.
    ///
    /// Example: `fetchpages compare --modes threads,async --workers 4,16,64`
    #[arg(short = 'j', long, value_name = "N,N", value_delimiter = ',', value_parser = workers)]
    pub workers: Vec<NonZeroU32>,
    /// Measured runs of each mode, after one warm-up run
    ///
    /// At most 1000. With fewer than 5 rounds the result has ranges instead of confidence
    /// intervals; --gate needs at least 3 rounds.
    ///
    /// Example: `fetchpages compare --rounds 9`
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ROUNDS, value_parser = clap::value_parser!(u32).range(1..=MOST_ROUNDS))]
    pub rounds: u32,
    /// Seed of the order of runs within each round
    ///
    /// The same seed gives the same order.
    ///
    /// Example: `fetchpages compare --seed 7`
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// Repeat the experiment of the tutorial behind this program
    ///
    /// Fetches 233 pages of the embedded site in 3 rounds, with a tenth of the tutorial's latency,
    /// and prints the tutorial's published figures beside the result. This takes two and a half
    /// minutes.
    ///
    /// Example: `fetchpages compare --tutorial`
    #[arg(long, conflicts_with_all = ["modes", "workers", "latency", "cpu_per_page", "pages", "bandwidth"], conflicts_with_all = kinds::named())]
    pub tutorial: bool,
}

/// Where the runs save their pages.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
pub(crate) struct PagesArgs {
    /// Directory for the pages [default: the system's temporary folder]
    ///
    /// Each run saves into a new folder in DIR. fetchpages removes all these folders at the end.
    ///
    /// Example: `fetchpages compare -o /mnt/disk/compare`
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Do not save pages; only fetch, decode and hash them
    ///
    /// Use it when the speed of the disk must not count.
    ///
    /// Example: `fetchpages compare --no-save`
    #[arg(long)]
    pub no_save: bool,
}

/// What is done with the result.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
pub(crate) struct OutcomeArgs {
    /// Write the result to FILE, also after each round; repeatable
    ///
    /// The ending of FILE sets the format: .json (everything, versioned), .csv (a row per run), .md
    /// (a table), .html (one file with charts), .svg (the chart of times).
    ///
    /// Example: `fetchpages compare --export report.html --export runs.csv`
    #[arg(long, value_name = "FILE")]
    pub export: Vec<PathBuf>,
    /// Exit with 6 unless this condition holds; repeatable
    ///
    /// EXPR is `[time|cpu|memory] MODE[@WORKERS] <= LIMIT`; without a first word it is `time`.
    /// LIMIT is a value such as 2s or 40MB, `[FACTOR *] MODE[@WORKERS]`, or `[FACTOR *] baseline`
    /// together with --baseline. The condition fails only when the whole 95 % interval is beyond
    /// the limit. Needs 3 rounds or more.
    ///
    /// Example: `fetchpages compare --gate 'threads@16 <= 0.25 * sequential'`
    #[arg(long, value_name = "EXPR", value_parser = gate)]
    pub gate: Vec<Gate>,
    /// Earlier result of the same plan to compare with
    ///
    /// FILE.json is a file that --export wrote. Modes, workers, pages and options must be those of
    /// the earlier comparison; rounds and machine may differ.
    ///
    /// Example: `fetchpages compare --baseline before.json --gate 'hybrid <= 1.2 * baseline'`
    #[arg(long, value_name = "FILE.json")]
    pub baseline: Option<PathBuf>,
    /// Print everything as one JSON object
    ///
    /// The object is what --export FILE.json writes. The table is not printed.
    ///
    /// Example: `fetchpages compare --json | jq .analysis.fastest`
    #[arg(long)]
    pub json: bool,
    /// Print no progress
    ///
    /// The table, the warnings and the verdict are still printed.
    ///
    /// Example: `fetchpages compare -q`
    #[arg(short, long)]
    pub quiet: bool,
    /// Send all these requests to a site that is not on this machine
    ///
    /// Without --yes, fetchpages prints the number of requests per host and ends.
    ///
    /// Example: `fetchpages compare -i urls.txt --rounds 3 --yes`
    #[arg(long)]
    pub yes: bool,
}

/// The embedded site, when no other pages are named.
#[derive(Debug, Args)]
#[command(next_help_heading = "Embedded site (when no other pages are named)")]
pub(crate) struct SiteArgs {
    /// Delay the answers of the site by this time
    ///
    /// The site waits for this time once for each new connection and once for each request. The
    /// unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages compare --latency 60ms`
    #[arg(long, value_name = "TIME", conflicts_with_all = kinds::named(), default_value = values::duration_text(DEFAULT_COMPARE_LATENCY), value_parser = values::duration)]
    pub latency: Duration,
    /// CPU time to spend on each page, about
    ///
    /// The site makes each page longer, so that decoding, hashing and saving it takes about this
    /// time on a CPU of 2025: 1 ms makes it longer by about 220 kB. At most 200ms. The unit is ms,
    /// s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages compare --cpu-per-page 5ms`
    #[arg(long, value_name = "TIME", conflicts_with_all = kinds::named(), default_value = "0ms", value_parser = values::page_cost)]
    pub cpu_per_page: Duration,
    /// Number of pages
    ///
    /// At most 1000000. With more pages, a run is longer and the noise of the machine matters less.
    ///
    /// Example: `fetchpages compare --pages 1000`
    #[arg(long, value_name = "N", conflicts_with_all = kinds::named(), default_value_t = DEFAULT_PAGES, value_parser = clap::value_parser!(u32).range(..=MOST_PAGES))]
    pub pages: u32,
    /// Bytes per second of each connection's bodies [default: no limit]
    ///
    /// The unit is B, kB, MB, GB, KiB, MiB or GiB; a bare number means bytes.
    ///
    /// Example: `fetchpages compare --bandwidth 1MB`
    #[arg(long, value_name = "SIZE", conflicts_with_all = kinds::named(), value_parser = values::size)]
    pub bandwidth: Option<Size>,
}

fn workers(text: &str) -> Result<NonZeroU32, String> {
    match values::workers(text)? {
        Workers::Exactly(workers) => u32::try_from(workers.get())
            .ok()
            .and_then(NonZeroU32::new)
            .ok_or_else(|| "it is too large".into()),
        Workers::Auto => {
            Err("compare takes numbers, because the number that auto finds changes".into())
        }
    }
}

fn gate(text: &str) -> Result<Gate, String> {
    text.parse::<Gate>().map_err(|error| error.to_string())
}
