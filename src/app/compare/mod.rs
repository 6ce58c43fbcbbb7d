//! `fetchpages compare`: finds the pages once, then runs every contender on them.

mod exports;
mod pages;
mod progress;
mod workspace;

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::exit::Status;
use super::signals;
use super::terminal::{print, report_line};
use crate::cli::UsageError;
use crate::clock::{Clock, SystemClock, rfc3339};
use crate::compare::baseline::{self, BaselineError};
use crate::compare::design::Design;
use crate::compare::export::terminal::table;
use crate::compare::export::{Format, Report, render};
use crate::compare::findings::Findings;
use crate::compare::gate::{GateOutcome, Judgement};
use crate::compare::measure::{self, Milestone};
use crate::compare::process::{Options, ProcessRunner, Stopper};
use crate::compare::results::{self, End, Results, RunTask, Site};
use crate::compare::{machine, tutorial};
use crate::config::{self, Comparison};
use crate::digest;
use crate::printable::Printable;
use exports::Exports;
use progress::Progress;
use workspace::Workspace;

pub(super) fn run(config: &Comparison) -> anyhow::Result<Status> {
    let baseline = read_baseline(config)?;
    check_gates(config, baseline.as_ref().map(|(_, then)| &then.design))?;
    let exports = Exports::open(&config.exports)?;
    let workspace = Workspace::new(config.directory.as_deref())?;
    let stopper = Stopper::default();
    watch_signals(&workspace, &stopper)?;
    let (site, visited) = pages::find(&config.plan, &workspace.list())?;
    if visited.pages == 0 {
        return Ok(Status::NoPages);
    }
    let obeys_robots = config.plan.queue.obeys_robots;
    let agreed = visited.check(config.design.runs(), obeys_robots, config.is_agreed);
    if let Some(requests) = agreed.map_err(|why| pages::refused(&why))? {
        report_line(format_args!("note: this sends {requests}, retries and redirects not counted"));
    }
    let mut results = prepared(config, visited.pages, &workspace)?;
    if let Some((path, then)) = &baseline {
        baseline::check_same_plan(&results.task, &results.design, then)
            .map_err(|error| other_plan(path, &error))?;
    }
    let conclude = |results: &Results| Conclusion::of(config, results, baseline.as_ref());
    let progress = Progress::new(config.print.is_quiet);
    let options = Options {
        program: std::env::current_exe().context("failed to find this program's own file")?,
        list: workspace.list(),
        directory: workspace.make_runs()?,
        saves: config.saves,
        arguments: config.passed_on.arguments.clone(),
    };
    let mut runner = ProcessRunner::new(options, stopper, &SystemClock);
    // Without a file to write, nothing is computed between rounds.
    let mut is_unwritten = config.exports.is_empty();
    measure::measure(&mut results, &mut runner, &mut |step| {
        progress.report(&step);
        // The files are written after each round, in case the machine goes down. An error
        // is reported at the end, when they are written again.
        if let Milestone::RoundEnded(results) = step
            && !is_unwritten
        {
            let written = conclude(results).with(results, |report| exports.write(report));
            is_unwritten = written.is_err();
        }
    });
    progress.end();
    drop(site);
    let conclusion = conclude(&results);
    conclusion.with(&results, |report| print(&rendered(config, report)))?;
    conclusion.report(&results, config.print.is_quiet);
    conclusion.with(&results, |report| exports.write(report))?;
    Ok(conclusion.status(&results))
}

/// The first Ctrl-C stops the current run, and the samples so far are reported. Before the
/// first run there are none, and the program ends at once.
fn watch_signals(workspace: &Workspace, stopper: &Stopper) -> anyhow::Result<()> {
    let (directory, stopper) = (workspace.directory().to_owned(), stopper.clone());
    let on_first = move || {
        if !stopper.stop() {
            // The user wants the program to end, so an error is ignored.
            let _ = std::fs::remove_dir_all(&directory);
            signals::end_at_once();
        }
    };
    signals::watch_for_stop(on_first).context("failed to watch for signals")
}

/// The findings, with the gates and the comparisons that the user asked for.
struct Conclusion {
    findings: Findings,
    judgements: Vec<Judgement>,
    /// The changes since the baseline.
    changes: Vec<String>,
    /// The published figures of the tutorial, beside those of its experiment here.
    published: Vec<String>,
}

impl Conclusion {
    fn of(config: &Comparison, results: &Results, baseline: Option<&(PathBuf, Results)>) -> Self {
        let mut findings = Findings::new(results);
        let then = baseline.map(|(_, then)| then);
        let judge = |gate: &crate::compare::gate::Gate| gate.judge(results, then);
        let judgements = config.gates.iter().map(judge).collect();
        let mut changes = Vec::new();
        if let Some(then) = then {
            changes = baseline::compare(results, then).iter().map(ToString::to_string).collect();
            findings.warnings.extend(baseline::machine_warning(&results.machine, &then.machine));
        }
        let published =
            if config.is_tutorial { tutorial::beside(&findings.analysis) } else { Vec::new() };
        Self { findings, judgements, changes, published }
    }

    fn with<T>(&self, results: &Results, take: impl FnOnce(&Report) -> T) -> T {
        let Self { findings, changes, published, .. } = self;
        let judgements: Vec<_> = self.judgements.iter().map(ToString::to_string).collect();
        let warnings: Vec<_> = findings.warnings.iter().map(ToString::to_string).collect();
        take(&Report {
            results,
            analysis: &findings.analysis,
            verdict: &findings.verdict,
            warnings: &warnings,
            judgements: &judgements,
            changes,
            published,
        })
    }

    /// Reports errors and gates on standard error, for the log of a script.
    fn report(&self, results: &Results, is_quiet: bool) {
        match &results.end {
            End::Broken { why } => report_line(format_args!("error: {why}")),
            End::Different { differences } => {
                report_line("error: the runs cannot be compared");
                for difference in differences {
                    report_line(format_args!("caused by: {difference}"));
                }
            }
            End::Complete | End::Running | End::Interrupted => (),
        }
        for judgement in &self.judgements {
            match judgement.outcome {
                GateOutcome::NotMet | GateOutcome::Unmeasured { .. } => {
                    report_line(format_args!("error: gate {judgement}"));
                }
                GateOutcome::OnTheEdge if !is_quiet => {
                    report_line(format_args!("warning: gate {judgement}"));
                }
                GateOutcome::OnTheEdge | GateOutcome::Met => (),
            }
        }
    }

    fn status(&self, results: &Results) -> Status {
        match results.end {
            End::Interrupted => Status::Interrupted,
            End::Different { .. } if !self.judgements.is_empty() => Status::Gate,
            End::Running | End::Broken { .. } | End::Different { .. } => Status::Broken,
            End::Complete if self.judgements.iter().any(Judgement::fails) => Status::Gate,
            End::Complete => Status::Done,
        }
    }
}

fn rendered(config: &Comparison, report: &Report) -> Printable {
    if config.print.is_json {
        Printable::laid_out(&render(Format::Json, report))
    } else {
        Printable::coloured(&table(report, config.print.width, config.print.is_coloured))
    }
}

/// A comparison of a thousand rounds with fifty contenders takes a third of this size.
const LARGEST_BASELINE: u64 = 64 * 1024 * 1024;

/// Reads the baseline, before anything runs.
fn read_baseline(config: &Comparison) -> anyhow::Result<Option<(PathBuf, Results)>> {
    let Some(path) = &config.baseline else { return Ok(None) };
    let failed = || format!("failed to read the baseline {}", path.display());
    let mut text = Vec::new();
    let file = std::fs::File::open(path).with_context(failed)?;
    file.take(LARGEST_BASELINE).read_to_end(&mut text).with_context(failed)?;
    Ok(Some((path.clone(), baseline::parse(&text).with_context(failed)?)))
}

fn other_plan(path: &Path, error: &BaselineError) -> UsageError {
    UsageError {
        message: format!("{}: {error}", path.display()),
        hint: Some("compare with the options of the baseline, or export a new one".into()),
    }
}

fn check_gates(config: &Comparison, then: Option<&Design>) -> Result<(), UsageError> {
    for gate in &config.gates {
        gate.check(&config.design, then).map_err(|error| UsageError {
            message: format!("--gate: {error}"),
            hint: Some("check it against --modes, --workers, --rounds and --baseline".into()),
        })?;
    }
    Ok(())
}

fn digest_of(list: &Path) -> anyhow::Result<String> {
    let digest = std::fs::File::open(list).and_then(|mut list| digest::sha256_of(&mut list));
    Ok(digest::hex(&digest.with_context(|| format!("failed to read {}", list.display()))?))
}

/// Results without any samples yet.
fn prepared(config: &Comparison, pages: u64, workspace: &Workspace) -> anyhow::Result<Results> {
    let millis = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    let site = config.plan.source.policy().site.map(|site| Site {
        latency_ms: millis(site.latency),
        cpu_per_page_ms: millis(site.cpu_per_page),
        bandwidth: site.bandwidth,
    });
    let source = if site.is_some() { "the embedded site" } else { &config.plan.recorded.text };
    let (source, saves) = (source.to_owned(), config.saves);
    let options = config.passed_on.shown.clone();
    let pages_sha256 = if site.is_some() { None } else { Some(digest_of(&workspace.list())?) };
    Ok(Results {
        v: results::VERSION,
        version: env!("CARGO_PKG_VERSION").into(),
        started: rfc3339(SystemClock.wall()),
        machine: machine::this(config::cpus()),
        task: RunTask { source, pages, pages_sha256, site, saves, options },
        design: config.design.clone(),
        end: End::Running,
        samples: Vec::new(),
        timelines: Vec::new(),
    })
}
