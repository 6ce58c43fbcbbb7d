//! `fetchpages compare`: what can be typed, and what follows from it.

use std::io::IsTerminal;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use super::args::{HttpArgs, Mode, NamedArgs, Robots, SourceArgs};
use super::convert::{plan, usage};
use super::credentials::unsent;
use super::passed_on::passed_on;
use super::proxies::variable;
use super::values::{self, Size};
use super::{NoCommand, source};
use crate::compare::design::Design;
use crate::compare::export::Format;
use crate::compare::gate::Gate;
use crate::compare::results::Contender;
use crate::compare::tutorial;
use crate::config::{
    self, CompareTelling, Comparison, DEFAULT_COMPARE_LATENCY, SourceOptions, Workers,
};
use crate::exec;

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

/// Who is compared, and how often
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
pub struct PlanArgs {
    /// The modes to compare, separated by commas [default: all]
    #[arg(long, value_name = "MODES", value_delimiter = ',')]
    pub modes: Vec<Mode>,
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

/// Decides on the comparison. `matches` are those of the subcommand.
pub(super) fn comparison(
    typed: CompareArgs,
    matches: &ArgMatches,
) -> std::result::Result<Comparison, NoCommand> {
    let CompareArgs { plan: who, pages, outcome, site, named, http } = typed;
    let is_named = source::names_pages(&named);
    let robots = http.robots;
    let latency = if who.tutorial { tutorial::LATENCY } else { site.latency };
    let source = SourceArgs { named, demo: !is_named, latency, cpu_per_page: site.cpu_per_page };
    let chosen = source::chosen(source)?;
    let unsent = unsent(&http, &chosen)?;
    let mut plan = plan(chosen, &http)?;
    // What the user agrees to is told by the hosts of the pages.
    plan.fetch.keeps_to_host = true;
    if let SourceOptions::Demo { site: embedded, .. } = &mut plan.source {
        embedded.pages = site.pages as usize;
        embedded.bandwidth = site.bandwidth.map(|size| size.0);
    }
    let leads_elsewhere = matches!(
        plan.source,
        SourceOptions::Index { .. } | SourceOptions::IndexFile { .. } | SourceOptions::Sitemap(_)
    );
    if leads_elsewhere && !plan.fetch.credentials.is_empty() {
        return Ok(usage(
            "compare does not send credentials to the links of an index",
            "name the pages in a list, which `fetchpages links` makes, and their site with \
             --credentials-for",
        )?);
    }
    if let Some(unsent) = unsent {
        return Ok(usage(unsent, "say where they go, or leave them out")?);
    }
    let mut passed_on = passed_on(matches);
    let has_secrets = !plan.fetch.credentials.is_empty();
    // The runs are given the pages as a list, whose hosts get no secrets by themselves.
    for home in plan.fetch.credentials.homes().iter().filter(|_| has_secrets) {
        let site = home.origin().ascii_serialization();
        passed_on.arguments.expose_mut().push(format!("--credentials-for={site}/").into());
    }
    if leads_elsewhere && robots == Robots::Auto {
        // The runs are given the pages as a list, which would obey no rules.
        passed_on.arguments.expose_mut().push("--robots=obey".into());
    }
    if !is_named && http.proxy.is_none() {
        // The embedded site is on this machine, whatever the way to others.
        passed_on.arguments.expose_mut().push("--proxy=".into());
    }
    let rounds = if who.tutorial && matches.value_source("rounds") != Some(ValueSource::CommandLine)
    {
        tutorial::ROUNDS
    } else {
        who.rounds
    };
    let contenders = if who.tutorial { tutorial::contenders(cpus()) } else { contenders(&who) };
    let design = Design { contenders, rounds, seed: who.seed };
    Ok(Comparison {
        plan,
        design,
        saves: !pages.no_save,
        directory: pages.output,
        tell: telling(&outcome),
        exports: exports(outcome.export)?,
        gates: outcome.gate,
        baseline: outcome.baseline,
        is_agreed: outcome.yes,
        is_tutorial: who.tutorial,
        passed_on,
    })
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

/// The files with their formats.
fn exports(files: Vec<PathBuf>) -> super::convert::Result<Vec<(PathBuf, Format)>> {
    let formatted = files.into_iter().map(|file| match Format::of(&file) {
        Some(format) => Ok((file, format)),
        None => usage(
            format!("--export {}: its ending names no format", file.display()),
            "name a file that ends in .json, .csv, .md, .html or .svg",
        ),
    });
    formatted.collect()
}

/// Columns of a table where there is no terminal.
const USUAL_WIDTH: usize = 100;

fn telling(typed: &OutcomeArgs) -> CompareTelling {
    let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let is_terminal = std::io::stdout().is_terminal();
    CompareTelling {
        is_json: typed.json,
        is_quiet: typed.quiet,
        width: columns.filter(|_| is_terminal).unwrap_or(USUAL_WIDTH),
        // https://no-color.org: any value that is not empty.
        is_coloured: is_terminal && variable("NO_COLOR").is_none(),
    }
}

fn cpus() -> u32 {
    u32::try_from(config::cpus().get()).unwrap_or(u32::MAX)
}

/// Each mode with each number of workers, each once.
fn contenders(typed: &PlanArgs) -> Vec<Contender> {
    let all: Vec<&'static exec::Row> = exec::TABLE.iter().collect();
    let typed_modes = typed.modes.iter().map(|mode| mode.0).collect();
    let modes: Vec<_> = if typed.modes.is_empty() { all } else { typed_modes };
    let mut contenders = Vec::new();
    for mode in modes {
        let usual = (mode.default_workers)(config::cpus());
        let usual = u32::try_from(usual.get()).unwrap_or(u32::MAX);
        let typed_numbers: Vec<u32> = typed.workers.iter().map(|workers| workers.get()).collect();
        let is_usual = typed_numbers.is_empty() || !mode.is_scalable;
        for workers in if is_usual { vec![usual] } else { typed_numbers } {
            let contender = Contender { mode: mode.name.into(), workers };
            if !contenders.contains(&contender) {
                contenders.push(contender);
            }
        }
    }
    contenders
}
