//! Which mode to use and why, in plain words for people who do not know
//! statistics. Nothing is claimed of what was not measured.

use super::analysis::{Analysis, Nature, Row, Sweep, least_concurrent};
use super::bound::{self, Limit};
use super::results::Results;
use super::stats::{Interval, LEAST_VALUES};
use super::{figures, warnings};
use crate::exec;

/// When a contender may take less than this share of the fastest one's time, for
/// all that was measured, it is open which of the two to use.
const WORTH_KNOWING: f64 = 0.8;
/// Less CPU time than this share of another's is worth a word.
const CLEARLY_LESS: f64 = 0.95;

/// The verdict, a sentence or two a line; empty of nothing.
pub(super) fn word(results: &Results, analysis: &Analysis) -> Vec<String> {
    let rows = &analysis.rows;
    let Some(fastest) = analysis.fastest.map(|at| &rows[at]) else {
        return Vec::new();
    };
    let reasons = nature(results, analysis);
    let least = warnings::least_rounds(results, rows);
    let undecided = undecided(analysis);
    if rows.len() == 1 {
        let (who, time) = (&fastest.contender, figures::time(fastest.seconds.median));
        let only =
            format!("Only {who} was measured, at {time}: there is nothing to compare it with.");
        return [only].into_iter().chain(reasons).collect();
    }
    if least < LEAST_VALUES {
        let few = format!(
            "After {} {} is ahead, but it takes {LEAST_VALUES} at least to tell that from chance.",
            figures::rounds(least),
            fastest.contender
        );
        return [few].into_iter().chain(reasons).collect();
    }
    if !undecided.is_empty() {
        return too_noisy(&undecided, fastest).into_iter().chain(reasons).collect();
    }
    let choice = choice(analysis, fastest);
    let mut lines = vec![advice(choice, fastest)];
    lines.extend(others(rows, choice, fastest));
    lines.extend(reasons);
    lines.extend(analysis.sweeps.iter().map(|sweep| of_sweep(rows, sweep)));
    lines.extend(theory(results, choice));
    lines
}

/// The fastest and those that may be much faster still, for all that was measured;
/// empty where it is clear enough which one to use.
pub(super) fn undecided(analysis: &Analysis) -> Vec<String> {
    let Some(fastest) = analysis.fastest.map(|at| &analysis.rows[at]) else {
        return Vec::new();
    };
    let may_be_faster =
        |row: &&Row| row.times_fastest.is_some_and(|times| times.low < WORTH_KNOWING);
    let rivals = analysis.rows.iter().filter(may_be_faster);
    let mut names: Vec<_> = rivals.map(|row| row.contender.to_string()).collect();
    if !names.is_empty() {
        names.insert(0, fastest.contender.to_string());
    }
    names
}

fn too_noisy(undecided: &[String], fastest: &Row) -> Vec<String> {
    let mut lines = vec![format!(
        "The machine was too noisy to say which of {} to use: their times changed more from \
         round to round than they differ. More rounds or a quieter machine would tell.",
        figures::list(undecided)
    )];
    let is_sequential = fastest.contender.mode == exec::SEQUENTIAL;
    if let Some(speed_up) = fastest.speed_up.filter(|times| !is_sequential && times.low > 1.0) {
        lines.push(format!(
            "Yet {} is clearly faster than sequential, by {} times at least.",
            fastest.contender,
            figures::number(speed_up.low)
        ));
    }
    lines
}

/// The fastest, or the sweet spot of its sweep: workers that gain nothing cost memory
/// and load on the site.
fn choice<'a>(analysis: &'a Analysis, fastest: &'a Row) -> &'a Row {
    let sweep = analysis.sweeps.iter().find(|sweep| sweep.mode == fastest.contender.mode);
    sweep.map_or(fastest, |sweep| &analysis.rows[sweep.sweet_spot])
}

fn advice(choice: &Row, fastest: &Row) -> String {
    let mut text =
        format!("Use {}: it takes {}", choice.contender, figures::time(choice.seconds.median));
    if choice.contender != fastest.contender {
        text += &format!(
            ", within 5 percent of {}, the fastest, and needs fewer workers",
            fastest.contender
        );
    }
    if choice.contender.mode == exec::SEQUENTIAL {
        return text + ", and nothing that was measured is faster.";
    }
    match choice.speed_up {
        Some(times) if times.low > 1.0 => {
            text += &format!(
                ". That is {} times as fast as sequential ({}).",
                figures::number(times.estimate),
                confidence(times)
            );
        }
        Some(_) => text += ", which is no clear difference from sequential.",
        None => text += ".",
    }
    text
}

fn confidence(times: Interval) -> String {
    let (low, high) = (figures::number(times.low), figures::number(times.high));
    format!("between {low} and {high} with 95 percent confidence")
}

/// Who is as good, or else who comes next.
fn others(rows: &[Row], choice: &Row, fastest: &Row) -> Option<String> {
    let is_other = |row: &&Row| ![&choice.contender, &fastest.contender].contains(&&row.contender);
    let others = || rows.iter().filter(is_other);
    let is_as_good = |row: &&Row| row.times_fastest.is_some_and(|times| times.contains(1.0));
    let equals: Vec<_> = others().filter(is_as_good).collect();
    if equals.is_empty() {
        let times = |row: &Row| row.times_fastest.map_or(f64::INFINITY, |times| times.estimate);
        let next = others().min_by(|one, other| times(one).total_cmp(&times(other)))?;
        let than = next.times_fastest?;
        return Some(format!(
            "The next, {}, takes {} times as long as {} ({}).",
            next.contender,
            figures::number(than.estimate),
            fastest.contender,
            confidence(than)
        ));
    }
    let names: Vec<_> = equals.iter().map(|row| row.contender.to_string()).collect();
    let verb = if names.len() == 1 { "shows" } else { "show" };
    let mut text =
        format!("{} {verb} no clear difference from {}", figures::list(&names), fastest.contender);
    let least = equals.iter().min_by(|one, other| one.cpu_seconds.total_cmp(&other.cpu_seconds))?;
    let cpu = |row: &Row| figures::time(row.cpu_seconds);
    if least.cpu_seconds < CLEARLY_LESS * choice.cpu_seconds {
        let (who, its, ours) = (&least.contender, cpu(least), cpu(choice));
        text += &format!("; {who} takes the least CPU time of them: {its} instead of {ours}.");
    } else if choice.cpu_seconds < CLEARLY_LESS * least.cpu_seconds {
        let (who, ours, its) = (&choice.contender, cpu(choice), cpu(least));
        text += &format!("; {who} takes the least CPU time of them: {ours} instead of {its}.");
    } else {
        text += ", and they take about the same CPU time.";
    }
    Some(text)
}

/// What the job spends its time on, and what more workers and more CPUs buy.
fn nature(results: &Results, analysis: &Analysis) -> Vec<String> {
    let (Some(nature), Some(row)) = (analysis.nature, least_concurrent(&analysis.rows)) else {
        return Vec::new();
    };
    let (Nature::IoBound { computing } | Nature::CpuBound { computing }) = nature;
    let name = if matches!(nature, Nature::IoBound { .. }) { "I/O-bound" } else { "CPU-bound" };
    let mut text = format!("The job is {name}");
    let of_page = row.cpu_seconds / results.job.pages as f64;
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
    vec![text + ".", gains(results, analysis, nature)]
}

/// What concurrency and parallelism can save, each by itself: all of the waiting,
/// and all of the computing but one part in as many as there are CPUs.
fn gains(results: &Results, analysis: &Analysis, nature: Nature) -> String {
    let (Nature::IoBound { computing } | Nature::CpuBound { computing }) = nature;
    let cpus = results.machine.cpus.max(1);
    let by_pages = figures::percent(1.0 - computing);
    let by_cpus = figures::percent(computing * (1.0 - 1.0 / f64::from(cpus)));
    match nature {
        Nature::IoBound { .. } => {
            let flight = format!(
                "What counts is how many pages are in flight, which can save up to {by_pages} of \
                 the time"
            );
            match cpus {
                1 => flight + ".",
                _ => format!("{flight}; computing on {cpus} CPUs can save up to {by_cpus}."),
            }
        }
        Nature::CpuBound { .. } if cpus == 1 => format!(
            "What counts is computing, for which this machine has one CPU; pages in flight can \
             save up to {by_pages} of the time."
        ),
        Nature::CpuBound { .. } => {
            let mut text = format!(
                "What counts is how many CPUs compute: {cpus} can save up to {by_cpus} of the \
                 time, pages in flight up to {by_pages}."
            );
            let on_one = on_one_cpu(results, analysis);
            if !on_one.is_empty() {
                let verb = if on_one.len() == 1 { "computes" } else { "compute" };
                text += &format!(" {} {verb} on one CPU only.", figures::list(&on_one));
            }
            text
        }
    }
}

/// The modes, `sequential` left out, that compute on one CPU whatever their workers.
fn on_one_cpu(results: &Results, analysis: &Analysis) -> Vec<String> {
    let is_meant = |row: &&Row| {
        let parallelism = bound::parallelism(&row.contender, results.machine.cpus);
        row.contender.mode != exec::SEQUENTIAL
            && row.contender.workers > 1
            && parallelism.get() == 1
    };
    let rows = analysis.rows.iter().filter(is_meant);
    let mut modes: Vec<_> = rows.map(|row| row.contender.mode.clone()).collect();
    modes.dedup();
    modes
}

fn of_sweep(rows: &[Row], sweep: &Sweep) -> String {
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
fn theory(results: &Results, row: &Row) -> Option<String> {
    let closeness = row.closeness();
    // CPU time before the first request can lift the bound above a short run's time.
    if !(0.0..=1.0).contains(&closeness) || closeness == 0.0 {
        return None;
    }
    let least = figures::time(row.bound.seconds);
    let why = match row.bound.limit {
        Limit::Latency => {
            let in_a_row = results.job.pages.div_ceil(u64::from(row.contender.workers.max(1)));
            let each = figures::time(bound::latency(results)?);
            format!("a worker has {in_a_row} round trips of {each} to make")
        }
        Limit::Bandwidth => "its connections carry no more bytes in a second".into(),
        Limit::Cpu => {
            let cpus = bound::parallelism(&row.contender, results.machine.cpus);
            let computing = figures::time(row.cpu_seconds);
            match cpus.get() {
                1 => format!("one CPU has {computing} to compute"),
                cpus => format!("{cpus} CPUs have {computing} to compute"),
            }
        }
    };
    Some(format!(
        "In theory {} takes {least} at least, because {why}; it takes {} times that.",
        row.contender,
        figures::number(1.0 / closeness)
    ))
}
