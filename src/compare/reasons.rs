//! Why one mode wins: what the job spends its time on, what more workers and more
//! CPUs buy, and how much theory leaves to gain.

use super::analysis::{Analysis, ContenderStats, Sweep, Workload, least_concurrent};
use super::bound::{self, Bottleneck};
use super::design::Contender;
use super::figures;
use super::results::Results;
use crate::exec;

/// From here on the CPU time is what a run takes, and not only its largest bound.
const NEAR_ITS_BOUND: f64 = 0.5;
/// A smaller gain than this share of the time is not worth a word.
const WORTH_A_WORD: f64 = 0.005;

/// What the job spends its time on, and what would save some of it, judged by the
/// `winner`.
pub(super) fn workload(
    results: &Results,
    analysis: &Analysis,
    winner: &ContenderStats,
) -> Vec<String> {
    let (Some(workload), Some(row)) = (analysis.workload, least_concurrent(&analysis.rows)) else {
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
            ": one after the other, a page waits {} and computes {}, which is {} of its time",
            figures::time(of_page / computing - of_page),
            figures::time(of_page),
            figures::percent(computing)
        );
    }
    if row.contender.mode != exec::SEQUENTIAL {
        text += &format!(", judged by {}", row.contender);
    }
    text.push('.');
    if results.task.pages == 1 {
        return vec![text, "Of one page nothing can be done side by side.".into()];
    }
    let mut gains = gains(results, workload);
    let is_limit = is_computing_the_limit(winner);
    if is_limit {
        gains += &limit(results, workload, winner);
    }
    if is_limit || matches!(workload, Workload::CpuBound { .. }) {
        gains += &on_one_cpu(results, analysis, winner);
    }
    vec![text, gains]
}

fn is_computing_the_limit(row: &ContenderStats) -> bool {
    row.lower_bound.bottleneck == Bottleneck::Cpu && row.share_of_bound() >= NEAR_ITS_BOUND
}

/// What concurrency and parallelism can save, each by itself: all of the waiting,
/// and all of the computing but one part in as many as there are CPUs.
fn gains(results: &Results, workload: Workload) -> String {
    let computing = workload.computing();
    let cpus = results.machine.cpus.max(1);
    let by_pages = 1.0 - computing;
    let by_cpus = computing * (1.0 - 1.0 / f64::from(cpus));
    let [of_pages, of_cpus] = [by_pages, by_cpus].map(figures::percent);
    let mut text = match workload {
        Workload::IoBound { .. } => format!(
            "What counts is how many pages are in flight, which can save up to {of_pages} of the \
             time"
        ),
        Workload::Mixed { .. } => {
            format!("Both count: pages in flight can save up to {of_pages} of the time")
        }
        Workload::CpuBound { .. } if cpus == 1 => {
            "What counts is computing, for which this machine has one CPU".into()
        }
        Workload::CpuBound { .. } => format!(
            "What counts is how many CPUs compute: {cpus} can save up to {of_cpus} of the time"
        ),
    };
    match workload {
        Workload::IoBound { .. } if by_cpus >= WORTH_A_WORD => {
            text += &format!("; computing on {cpus} CPUs can save up to {of_cpus}");
        }
        Workload::Mixed { .. } if cpus == 1 => text += "; to compute this machine has one CPU",
        Workload::Mixed { .. } => text += &format!(", computing on {cpus} CPUs up to {of_cpus}"),
        Workload::CpuBound { .. } if by_pages >= WORTH_A_WORD && cpus == 1 => {
            text += &format!("; pages in flight can save up to {of_pages} of the time");
        }
        Workload::CpuBound { .. } if by_pages >= WORTH_A_WORD => {
            text += &format!(", pages in flight up to {of_pages}");
        }
        _ => (),
    }
    text + "."
}

/// That more pages in flight gain nothing, of a winner that computing limits.
fn limit(results: &Results, workload: Workload, winner: &ContenderStats) -> String {
    let cpus = results.machine.cpus;
    let workers = winner.contender.workers;
    let limit = match bound::parallelism(&winner.contender, cpus).get() {
        1 if cpus <= 1 => "the CPU is",
        1 => "the one CPU that it computes on is",
        _ => "the CPUs are",
    };
    match workload {
        _ if workers <= 1 => String::new(),
        Workload::IoBound { .. } => format!(
            " With as many as {} has in flight, waiting is gone and {limit} the limit now.",
            winner.contender
        ),
        Workload::Mixed { .. } => {
            format!(
                " Once {workers} pages are in flight, as with {}, {limit} the limit.",
                winner.contender
            )
        }
        Workload::CpuBound { .. } => String::new(),
    }
}

/// The modes that compute on one CPU whatever their workers and are clearly slower
/// than the winner, which does not.
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
    let rows = analysis.rows.iter().filter(|row| is_single(&row.contender.mode));
    let mut modes: Vec<String> = Vec::new();
    for row in rows.filter(is_slower) {
        if !modes.contains(&row.contender.mode) {
            modes.push(row.contender.mode.clone());
        }
    }
    match modes.len() {
        0 => String::new(),
        1 => format!(" {} computes on one CPU only.", modes[0]),
        _ => format!(" {} compute on one CPU only.", figures::list(&modes)),
    }
}

/// From how many workers on a mode gains nothing.
pub(super) fn of_sweep(rows: &[ContenderStats], sweep: &Sweep) -> String {
    let workers = |at: usize| rows[at].contender.workers;
    let spot = workers(sweep.sweet_spot);
    let most = sweep.rows.last().map_or(spot, |at| workers(*at));
    let median = |at: &usize| rows[*at].seconds.median;
    let is_best = sweep.rows.iter().all(|at| median(at) >= median(&sweep.sweet_spot));
    let mode = &sweep.mode;
    if spot == most {
        format!("{mode} gains up to {most} workers, the most that were measured.")
    } else if is_best {
        format!("{mode} gains nothing beyond {spot} workers.")
    } else {
        format!("{mode} gains less than 5 percent beyond {spot} workers.")
    }
}

/// How close it came to what theory allows.
pub(super) fn theory(results: &Results, row: &ContenderStats) -> Option<String> {
    let share_of_bound = row.share_of_bound();
    // A run that took no longer than its bound has nothing to explain.
    let is_between = share_of_bound > 0.0 && share_of_bound < 1.0;
    if !is_between {
        return None;
    }
    let least = figures::time(row.lower_bound.seconds);
    let why = match row.lower_bound.bottleneck {
        Bottleneck::Latency => {
            let in_a_row = results.task.pages.div_ceil(u64::from(row.contender.workers.max(1)));
            let trips = if in_a_row == 1 { "round trip" } else { "round trips" };
            let each = figures::time(bound::latency(results)?);
            format!("a worker has {in_a_row} {trips} of {each} to make")
        }
        Bottleneck::Bandwidth => "its connections carry no more bytes in a second".into(),
        Bottleneck::Cpu => {
            let cpus = bound::parallelism(&row.contender, results.machine.cpus);
            let computing = figures::time(row.fetch_cpu_seconds);
            match cpus.get() {
                1 => format!("one CPU has {computing} to compute"),
                cpus => format!("{cpus} CPUs have {computing} to compute"),
            }
        }
    };
    Some(format!(
        "In theory {} takes {least} at least, because {why}; it takes {} times that.",
        row.contender,
        figures::number(1.0 / share_of_bound)
    ))
}
