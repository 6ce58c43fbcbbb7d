//! Which mode to use and why, in plain words for people who do not know
//! statistics. Nothing is claimed of what was not measured.

use super::analysis::{Analysis, ContenderStats};
use super::choice::{self, Choice};
use super::results::Results;
use super::stats::{Interval, LEAST_VALUES};
use super::{figures, reasons, warnings};
use crate::exec;

/// The verdict, a sentence or two a line; empty of nothing.
pub(super) fn word(results: &Results, analysis: &Analysis) -> Vec<String> {
    let rows = &analysis.rows;
    let Some(choice) = choice::choose(results, analysis) else {
        return Vec::new();
    };
    let fastest = choice.fastest;
    let rounds = warnings::least_rounds(results, rows);
    let mut lines = Vec::new();
    let mut winner = fastest;
    if rows.len() == 1 {
        let (who, time) = (&fastest.contender, figures::time(fastest.seconds.median));
        lines.push(format!(
            "Only {who} was measured, at {time}: there is nothing to compare it with."
        ));
    } else if rounds < LEAST_VALUES {
        lines.push(format!(
            "After {} {} is ahead, but it takes {LEAST_VALUES} at least to tell that from chance.",
            figures::rounds(rounds),
            fastest.contender
        ));
    } else {
        winner = choice.row;
        lines.push(advice(&choice, rounds));
        lines.extend(others(&choice, rounds));
    }
    lines.extend(reasons::workload(results, analysis, winner));
    lines.extend(analysis.sweeps.iter().map(|sweep| reasons::of_sweep(rows, sweep)));
    if rows.len() > 1 && rounds >= LEAST_VALUES {
        lines.extend(reasons::theory(results, winner));
    }
    lines
}

fn advice(choice: &Choice, rounds: usize) -> String {
    let Choice { row, fastest, .. } = choice;
    let mut text = format!("Use {}: it takes {}", row.contender, figures::time(row.seconds.median));
    let is_fastest = row.contender == fastest.contender;
    if row.contender.mode == exec::SEQUENTIAL {
        let than = if is_fastest { "faster" } else { "clearly faster" };
        return text + &format!(", and nothing that was measured is {than}.");
    }
    if !is_fastest && row.contender.mode == fastest.contender.mode {
        text += &format!(
            ", within 5 percent of {}, the fastest, and needs fewer workers",
            fastest.contender
        );
    }
    text.push('.');
    if let Some(times) = row.speed_up.filter(|times| times.low > 1.0) {
        text += &format!(
            " That is {} times as fast as sequential{}.",
            figures::number(times.estimate),
            certainty(times, rounds)
        );
    }
    text
}

fn certainty(times: Interval, rounds: usize) -> String {
    figures::certainty(&figures::number(times.low), &figures::number(times.high), rounds)
}

/// Who may be as good, or else who comes next.
fn others(choice: &Choice, rounds: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if !choice.equals.is_empty() {
        let are = if choice.equals.len() == 1 { "is" } else { "are" };
        let mut text = format!(
            "{} {are} about as fast: the difference is within the noise; {} {}.",
            names(&choice.equals),
            choice.row.contender,
            merit(choice)
        );
        text += more_rounds(choice, &choice.equals);
        lines.push(text);
    }
    if !choice.doubtful.is_empty() {
        let its = if choice.doubtful.len() == 1 { "its median is" } else { "their medians are" };
        let factors = choice.doubtful.iter().filter_map(|row| row.times_fastest);
        let least = factors.map(|times| times.estimate).fold(f64::INFINITY, f64::min);
        let or_more = if choice.doubtful.len() == 1 { "" } else { " or more" };
        let mut text = format!(
            "{} may be as fast: the difference is within the noise, though {its} {} times as long \
             as that of {}{or_more}.",
            names(&choice.doubtful),
            figures::number(least),
            choice.fastest.contender
        );
        text += more_rounds(choice, &choice.doubtful);
        lines.push(text);
    }
    if let Some((next, than)) = choice.next.and_then(|row| Some((row, row.times_fastest?)))
        && lines.is_empty()
    {
        lines.push(format!(
            "The next, {}, takes {} times as long as {}{}.",
            next.contender,
            figures::number(than.estimate),
            choice.fastest.contender,
            certainty(than, rounds)
        ));
    }
    lines
}

fn names(rows: &[&ContenderStats]) -> String {
    figures::list(&rows.iter().map(|row| row.contender.to_string()).collect::<Vec<_>>())
}

/// Why the chosen one is taken and none of its equals.
fn merit(choice: &Choice) -> String {
    let cpu = |row: &ContenderStats| row.cpu_seconds;
    let ours = figures::time(cpu(choice.row));
    if choice.row.contender.mode == exec::SEQUENTIAL {
        "is the simplest".into()
    } else if choice.takes_less_cpu() {
        let least = choice.equals.iter().map(|row| cpu(row)).fold(f64::INFINITY, f64::min);
        let or_more = if choice.equals.len() == 1 { "" } else { " or more" };
        format!("takes less CPU time: {ours} instead of {}{or_more}", figures::time(least))
    } else if choice.has_fewer_workers() {
        "needs fewer workers".into()
    } else if choice.row.contender == choice.fastest.contender {
        "has the smallest median".into()
    } else {
        "takes less CPU time or needs fewer workers".into()
    }
}

fn more_rounds(choice: &Choice, among: &[&ContenderStats]) -> &'static str {
    let is_among = |open: &ContenderStats| among.iter().any(|row| row.contender == open.contender);
    if choice.open().any(is_among) { " More rounds would tell them apart." } else { "" }
}

/// The fastest and those that may be much faster still, for all that was measured;
/// empty where it is clear enough which one is.
pub(super) fn undecided(results: &Results, analysis: &Analysis) -> Vec<String> {
    let Some(choice) = choice::choose(results, analysis) else {
        return Vec::new();
    };
    let mut names: Vec<_> = choice.open().map(|row| row.contender.to_string()).collect();
    if !names.is_empty() {
        names.insert(0, choice.fastest.contender.to_string());
    }
    names
}
