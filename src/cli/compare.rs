//! Decides on a comparison: `fetchpages compare`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::args::{CompareArgs, OutcomeArgs, PlanArgs, Robots, SourceArgs};
use super::credentials::unsent;
use super::environment::variable;
use super::passed_on::passed_on;
use super::plan::{Running, plan};
use super::source;
use super::usage::{NoCommand, Result, usage};
use crate::compare::design::{Contender, Design};
use crate::compare::export::Format;
use crate::compare::tutorial;
use crate::config::{self, Comparison, PrintOptions};
use crate::exec;
use crate::source::spec::{Demo, SourceSpec};

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
    let chosen = source::chosen(&source)?;
    let unsent = unsent(&http, &chosen)?;
    // The user agrees only to the hosts of the pages, so no redirect leads to another host.
    let running = Running { keeps_to_host: true, ..Running::default() };
    let mut plan = plan(chosen, &http, running)?;
    if let SourceSpec::Demo(Demo { site: embedded, .. }) = &mut plan.source {
        embedded.pages = site.pages as usize;
        embedded.bandwidth = site.bandwidth.map(|size| size.0);
    }
    let leads_elsewhere = plan.source.policy().leads_elsewhere;
    if leads_elsewhere && !plan.fetch.credentials.is_empty() {
        return Ok(usage(
            "compare does not send credentials to the links of an index",
            "name the pages in a list, which `fetchpages links` makes, and their site with \
             --credentials-for",
        )?);
    }
    if let Some(unsent) = unsent {
        return Ok(usage(unsent, "name the origins that get them, or leave them out")?);
    }
    let mut passed_on = passed_on(matches);
    let has_secrets = !plan.fetch.credentials.is_empty();
    // The runs get the pages as a list, and the hosts of a list get no secrets by default.
    for home in plan.fetch.credentials.homes().iter().filter(|_| has_secrets) {
        let site = home.origin().ascii_serialization();
        passed_on.arguments.expose_mut().push(format!("--credentials-for={site}/").into());
    }
    if leads_elsewhere && robots == Robots::Auto {
        // The runs get the pages as a list, and robots rules do not apply to a list by default.
        passed_on.arguments.expose_mut().push("--robots=obey".into());
    }
    if !is_named && http.proxy.is_none() {
        // The embedded site is on this machine, so proxies for other hosts do not apply.
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
        print: print(&outcome),
        exports: exports(outcome.export)?,
        gates: outcome.gate,
        baseline: outcome.baseline,
        is_agreed: outcome.yes,
        is_tutorial: who.tutorial,
        passed_on,
    })
}

/// Finds the format of each file.
fn exports(files: Vec<PathBuf>) -> Result<Vec<(PathBuf, Format)>> {
    let formatted = files.into_iter().map(|file| match Format::of(&file) {
        Some(format) => Ok((file, format)),
        None => usage(
            format!("--export {}: its ending names no format", file.display()),
            "name a file that ends in .json, .csv, .md, .html or .svg",
        ),
    });
    formatted.collect()
}

/// The width of a table, in columns, when standard output is not a terminal.
const USUAL_WIDTH: usize = 100;

fn print(typed: &OutcomeArgs) -> PrintOptions {
    let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let is_terminal = std::io::stdout().is_terminal();
    PrintOptions {
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

/// Returns each mode with each number of workers, without repetitions.
fn contenders(typed: &PlanArgs) -> Vec<Contender> {
    let all: Vec<&'static exec::Mode> = exec::TABLE.iter().collect();
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
