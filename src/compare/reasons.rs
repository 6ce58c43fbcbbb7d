//! Why one mode wins: what the pages take time for, what more workers and more CPUs
//! gain, and how much better theory allows a run to be.

use super::analysis::{Analysis, ContenderStats, Sweep, Workload};
use super::bound::{self, Bottleneck};
use super::design::Contender;
use super::figures;
use super::results::Results;
use crate::exec;
use crate::message::counted;

/// From this share of the time on, the lower bound explains the time.
const NEAR_ITS_BOUND: f64 = 0.5;
/// Smaller gains than this share of the time are not mentioned.
const WORTH_A_WORD: f64 = 0.005;

/// What the pages take time for, and what would save some of it, judged by the `winner`.
pub(super) fn workload(
    results: &Results,
    analysis: &Analysis,
    winner: &ContenderStats,
) -> Vec<String> {
    let (Some(workload), Some(row)) = (analysis.workload, analysis.least_concurrent()) else {
        return Vec::new();
    };
    let computing = workload.computing();
    let mut text = match workload {
        Workload::IoBound { .. } => "The job is I/O-bound",
        Workload::Mixed { .. } => "The job both waits and computes",
        Workload::CpuBound { .. } => "The job is CPU-bound",
    }
    .to_owned();
    let of_page = row.fetch_cpu_seconds / results.task.pages as f64;
    if of_page.is_finite() && computing > 0.0 {
        text += &format!(
            ": fetched one at a time, a page waits {} and computes {}, which is {} of its time",
            figures::time(of_page / computing - of_page),
            figures::time(of_page),
            figures::percent(computing)
        );
    }
    if row.contender.mode != exec::SEQUENTIAL {
        text += &format!(" (estimated from {})", row.contender);
    }
    text.push('.');
    if results.task.pages == 1 {
        return vec![text, "A single page leaves nothing to do in parallel.".into()];
    }
    let mut gains = gains(results, workload);
    let is_limit = winner.lower_bound.bottleneck == Bottleneck::Cpu
        && winner.share_of_bound() >= NEAR_ITS_BOUND;
    if is_limit {
        gains += &limit(results, workload, winner);
    }
    if is_limit || matches!(workload, Workload::CpuBound { .. }) {
        gains += &on_one_cpu(results, analysis, winner);
    }
    vec![text, gains]
}

/// What concurrency and parallelism can save, each by itself: concurrency all of the
/// waiting, parallelism on N CPUs all of the computing but one part in N.
fn gains(results: &Results, workload: Workload) -> String {
    let computing = workload.computing();
    let cpus = results.machine.cpus.max(1);
    let by_pages = 1.0 - computing;
    let by_cpus = computing * (1.0 - 1.0 / f64::from(cpus));
    let [of_pages, of_cpus] = [by_pages, by_cpus].map(figures::percent);
    let saved = format!("can save up to {of_pages} of the time");
    // The larger gain, then the smaller one, which is left out if it is not worth a word.
    let (first, second, is_worth_it) = match workload {
        Workload::IoBound { .. } => (
            format!("Pages in flight matter most: they {saved}"),
            format!("; computing on {cpus} CPUs can save up to {of_cpus}"),
            by_cpus >= WORTH_A_WORD,
        ),
        Workload::Mixed { .. } => (
            format!("Both matter: pages in flight {saved}"),
            match cpus {
                1 => "; this machine has one CPU to compute on".into(),
                _ => format!(", computing on {cpus} CPUs up to {of_cpus}"),
            },
            true,
        ),
        Workload::CpuBound { .. } if cpus == 1 => (
            "Computing matters most, and this machine has one CPU".into(),
            format!("; pages in flight {saved}"),
            by_pages >= WORTH_A_WORD,
        ),
        Workload::CpuBound { .. } => (
            format!("CPUs matter most: computing on {cpus} can save up to {of_cpus} of the time"),
            format!(", pages in flight up to {of_pages}"),
            by_pages >= WORTH_A_WORD,
        ),
    };
    first + if is_worth_it { &second } else { "" } + "."
}

/// More pages in flight gain nothing if computing limits the winner.
fn limit(results: &Results, workload: Workload, winner: &ContenderStats) -> String {
    let cpus = results.machine.cpus;
    let workers = winner.contender.workers;
    let limit = match bound::parallelism(&winner.contender, cpus).get() {
        1 if cpus <= 1 => "the CPU is",
        1 => "the one CPU that it computes on is",
        _ => "the CPUs are",
    };
    let waiting = match workload {
        _ if workers <= 1 => return String::new(),
        Workload::IoBound { .. } => "almost no waiting is left: ",
        Workload::Mixed { .. } => "",
        Workload::CpuBound { .. } => return String::new(),
    };
    format!(
        " With {} in flight, as {} has, {waiting}{limit} the limit.",
        counted(u64::from(workers), "page"),
        winner.contender
    )
}

/// The modes that compute on one CPU whatever their workers, and are clearly slower than
/// the winner for that reason.
fn on_one_cpu(results: &Results, analysis: &Analysis, winner: &ContenderStats) -> String {
    let cpus = results.machine.cpus;
    if bound::parallelism(&winner.contender, cpus).get() == 1 {
        return String::new();
    }
    let is_single = |mode: &str| {
        let contender = Contender { mode: mode.to_owned(), workers: u32::MAX };
        bound::parallelism(&contender, cpus).get() == 1
    };
    let is_slower = |row: &&ContenderStats| row.times_fastest.is_some_and(|times| times.low > 1.0);
    let mut modes: Vec<&str> = Vec::new();
    for row in analysis.rows.iter().filter(is_slower) {
        let mode = &*row.contender.mode;
        if is_single(mode) && !modes.contains(&mode) {
            modes.push(mode);
        }
    }
    match modes.len() {
        0 => String::new(),
        1 => format!(" {} computes on one CPU only.", modes[0]),
        _ => format!(" {} compute on one CPU only.", figures::list(&modes)),
    }
}

/// The number of workers beyond which a mode gains nothing.
pub(super) fn of_sweep(rows: &[ContenderStats], sweep: &Sweep) -> String {
    let workers = |at: usize| rows[at].contender.workers;
    let spot = workers(sweep.sweet_spot);
    let most = sweep.rows.last().map_or(spot, |at| workers(*at));
    let median = |at: &usize| rows[*at].seconds.median;
    let is_best = sweep.rows.iter().all(|at| median(at) >= median(&sweep.sweet_spot));
    let (mode, workers) = (&sweep.mode, counted(u64::from(spot), "worker"));
    if spot == most {
        format!("{mode} gains up to {workers}, the most that were measured.")
    } else if is_best {
        format!("{mode} gains nothing beyond {workers}.")
    } else {
        format!("{mode} gains less than 5 percent beyond {workers}.")
    }
}

/// How close a run came to its lower bound; `None` if there is nothing to explain.
pub(super) fn theory(results: &Results, row: &ContenderStats) -> Option<String> {
    let share_of_bound = row.share_of_bound();
    // A run that took no longer than its bound has nothing to explain.
    let is_between = share_of_bound > 0.0 && share_of_bound < 1.0;
    if !is_between {
        return None;
    }
    let why = match row.lower_bound.bottleneck {
        Bottleneck::Latency => {
            let in_a_row = results.task.pages.div_ceil(u64::from(row.contender.workers.max(1)));
            let trips = counted(in_a_row, "round trip");
            format!("a worker makes {trips} of {}", figures::time(bound::latency(results)?))
        }
        Bottleneck::Bandwidth => "its connections carry no more bytes per second".into(),
        Bottleneck::Cpu => {
            let computing = figures::time(row.fetch_cpu_seconds);
            match bound::parallelism(&row.contender, results.machine.cpus).get() {
                1 => format!("one CPU computes for {computing}"),
                cpus => format!("{cpus} CPUs share {computing} of computing"),
            }
        }
    };
    Some(format!(
        "In theory {} takes at least {}, because {why}; it takes {} times that.",
        row.contender,
        figures::time(row.lower_bound.seconds),
        figures::number(1.0 / share_of_bound)
    ))
}
