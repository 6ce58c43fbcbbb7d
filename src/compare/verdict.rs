//! Which mode to use and why, in plain words for people who do not know statistics.
//! The sentences claim nothing about what was not measured.

use super::analysis::{Analysis, ContenderStats};
use super::choice::{Choice, Merit};
use super::results::Results;
use super::stats::{Interval, LEAST_VALUES};
use super::{figures, reasons};
use crate::exec;

/// The verdict, one or two sentences a line.
pub(super) fn sentences(results: &Results, analysis: &Analysis, choice: &Choice) -> Vec<String> {
    let words = Words { rows: &analysis.rows, choice, rounds: analysis.least_rounds() };
    let fastest = words.row(choice.fastest);
    let is_decided = words.rows.len() > 1 && words.rounds >= LEAST_VALUES;
    let mut lines = match words.rows.len() {
        1 => vec![format!(
            "Only {} was measured ({}), so there is nothing to compare it with.",
            fastest.contender,
            figures::time(fastest.seconds.median)
        )],
        _ if !is_decided => vec![format!(
            "After {} {} is ahead, but at least {LEAST_VALUES} are needed to tell that from chance.",
            figures::rounds(words.rounds),
            fastest.contender
        )],
        _ => [words.advice()].into_iter().chain(words.rivals()).collect(),
    };
    let winner = if is_decided { words.row(choice.chosen) } else { fastest };
    lines.extend(reasons::workload(results, analysis, winner));
    lines.extend(analysis.sweeps.iter().map(|sweep| reasons::of_sweep(words.rows, sweep)));
    if is_decided {
        lines.extend(reasons::theory(results, winner));
    }
    lines
}

/// What the sentences about a choice are made of.
struct Words<'a> {
    rows: &'a [ContenderStats],
    choice: &'a Choice,
    /// The rounds that intervals come from.
    rounds: usize,
}

impl<'a> Words<'a> {
    fn row(&self, at: usize) -> &'a ContenderStats {
        &self.rows[at]
    }

    fn name(&self, at: usize) -> String {
        self.rows[at].contender.to_string()
    }

    fn names(&self, places: &[usize]) -> String {
        figures::list(&places.iter().map(|at| self.name(*at)).collect::<Vec<_>>())
    }

    fn certainty(&self, times: Interval) -> String {
        let [low, high] = [times.low, times.high].map(figures::number);
        figures::certainty(&low, &high, self.rounds)
    }

    fn advice(&self) -> String {
        let (row, fastest) = (self.row(self.choice.chosen), self.row(self.choice.fastest));
        let mut text =
            format!("Use {}: it takes {}", row.contender, figures::time(row.seconds.median));
        let is_fastest = self.choice.chosen == self.choice.fastest;
        if row.contender.mode == exec::SEQUENTIAL {
            let than = if is_fastest { "faster" } else { "clearly faster" };
            return text + &format!(", and no other contender is {than}.");
        }
        if !is_fastest && row.contender.mode == fastest.contender.mode {
            text += &format!(
                ", within 5 percent of the fastest ({}), and needs fewer workers",
                fastest.contender
            );
        }
        text.push('.');
        if let Some(times) = row.speed_up.filter(|times| times.low > 1.0) {
            text += &format!(
                " That is {} times as fast as sequential{}.",
                figures::number(times.estimate),
                self.certainty(times)
            );
        }
        text
    }

    /// The contenders that may be as good, or else the next best one.
    fn rivals(&self) -> Vec<String> {
        let lines: Vec<_> = self.equals().into_iter().chain(self.doubtful()).collect();
        if !lines.is_empty() {
            return lines;
        }
        let next = self.choice.next.map(|at| self.row(at));
        let line = next.and_then(|next| {
            let times = next.times_fastest?;
            Some(format!(
                "The next best, {}, takes {} times as long as {}{}.",
                next.contender,
                figures::number(times.estimate),
                self.name(self.choice.fastest),
                self.certainty(times)
            ))
        });
        line.into_iter().collect()
    }

    fn equals(&self) -> Option<String> {
        let (equals, merit) = (&self.choice.equals, self.choice.merit?);
        let are = if equals.len() == 1 { "is" } else { "are" };
        Some(format!(
            "{} {are} about as fast (the difference is within the noise), but {} {}.{}",
            self.names(equals),
            self.name(self.choice.chosen),
            self.merit(merit),
            self.more_rounds(equals)
        ))
    }

    fn doubtful(&self) -> Option<String> {
        let doubtful = &self.choice.doubtful;
        let factors = doubtful.iter().filter_map(|at| self.row(*at).times_fastest);
        let least = factors.map(|times| times.estimate).min_by(f64::total_cmp)?;
        let (its, at_least) = match doubtful.len() {
            1 => ("its median is", ""),
            _ => ("their medians are", "at least "),
        };
        Some(format!(
            "{} may be as fast: {its} {at_least}{} times that of {}, but the difference is within \
             the noise.{}",
            self.names(doubtful),
            figures::number(least),
            self.name(self.choice.fastest),
            self.more_rounds(doubtful)
        ))
    }

    fn merit(&self, merit: Merit) -> String {
        match merit {
            Merit::Simplest => "is the simplest".into(),
            Merit::LessCpu => {
                let others = self.choice.equals.iter().map(|at| self.row(*at).cpu_seconds);
                let least = others.fold(f64::INFINITY, f64::min);
                let at_least = if self.choice.equals.len() == 1 { "" } else { "at least " };
                let ours = figures::time(self.row(self.choice.chosen).cpu_seconds);
                let theirs = figures::time(least);
                format!("takes less CPU time: {ours} instead of {at_least}{theirs}")
            }
            Merit::FewerWorkers => "needs fewer workers".into(),
            Merit::SmallestMedian => "has the smallest median".into(),
            Merit::LessCpuOrFewerWorkers => "takes less CPU time or needs fewer workers".into(),
        }
    }

    fn more_rounds(&self, among: &[usize]) -> &'static str {
        let is_open = self.choice.open.iter().any(|at| among.contains(at));
        if is_open { " Use more rounds to tell them apart." } else { "" }
    }
}
