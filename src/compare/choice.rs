//! Which contender to use, and which others may be as fast for all that was measured.

use super::analysis::{Analysis, ContenderStats};
use super::results::Results;
use crate::exec;

/// When a contender may take less than this share of the fastest one's time, it is
/// worth knowing which of the two is faster.
const WORTH_KNOWING: f64 = 0.8;
/// Without a clear difference, contenders up to this factor apart count as equals,
/// of which the cheapest is taken.
const NEARLY: f64 = 1.1;
/// The same for `sequential`, the simplest of all.
const NEARLY_SEQUENTIAL: f64 = 1.25;
/// Less CPU time than this share of another's is less for sure.
const CLEARLY_LESS: f64 = 0.9;

/// What to use.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice<'a> {
    /// The row with the smallest median.
    pub(super) fastest: &'a ContenderStats,
    /// What to use: cheaper than others that are about as fast.
    pub(super) row: &'a ContenderStats,
    /// Without a clear difference from the fastest, and near it.
    pub(super) equals: Vec<&'a ContenderStats>,
    /// Without a clear difference from the fastest, but not near it.
    pub(super) doubtful: Vec<&'a ContenderStats>,
    /// The fastest of those that are clearly slower.
    pub(super) next: Option<&'a ContenderStats>,
}

/// What to use; `None` where nothing was measured.
pub(super) fn choose<'a>(results: &Results, analysis: &'a Analysis) -> Option<Choice<'a>> {
    let rows = &analysis.rows;
    let fastest = &rows[analysis.fastest?];
    // Workers that gain nothing cost memory and load on the site.
    let of_mode = |row: &'a ContenderStats| {
        let sweep = analysis.sweeps.iter().find(|sweep| sweep.mode == row.contender.mode);
        sweep.map_or(row, |sweep| &rows[sweep.sweet_spot])
    };
    let spot = of_mode(fastest);
    let is_nearly = |row: &ContenderStats| {
        let is_sequential = row.contender.mode == exec::SEQUENTIAL;
        let factor = if is_sequential { NEARLY_SEQUENTIAL } else { NEARLY };
        // One page is fetched the same way by all.
        let is_single = is_sequential && results.task.pages <= 1;
        may_be_as_fast(row)
            && (is_single || row.times_fastest.is_some_and(|times| times.estimate <= factor))
    };
    let is_its_mode_s = |row: &&'a ContenderStats| of_mode(row).contender == row.contender;
    let mut equals: Vec<_> = rows
        .iter()
        .filter(is_its_mode_s)
        .filter(|row| row.contender == spot.contender || is_nearly(row))
        .collect();
    let row = cheapest(&equals)?;
    equals.retain(|equal| equal.contender != row.contender);
    let is_other = |other: &&'a ContenderStats| {
        let told = [&row.contender, &fastest.contender, &spot.contender];
        !told.contains(&&other.contender) && !is_dominated(rows, other, row)
    };
    let others: Vec<_> = rows.iter().filter(is_other).collect();
    let is_equal =
        |other: &&'a ContenderStats| equals.iter().any(|it| it.contender == other.contender);
    let doubtful = |other: &&'a ContenderStats| may_be_as_fast(other) && !is_equal(other);
    let times =
        |row: &ContenderStats| row.times_fastest.map_or(f64::INFINITY, |times| times.estimate);
    let slower = others.iter().copied().filter(|other| !may_be_as_fast(other));
    Some(Choice {
        fastest,
        row,
        doubtful: others.iter().copied().filter(doubtful).collect(),
        next: slower.min_by(|one, other| times(one).total_cmp(&times(other))),
        equals,
    })
}

fn may_be_as_fast(row: &ContenderStats) -> bool {
    row.times_fastest.is_some_and(|times| times.low <= 1.0)
}

/// Whether fewer workers of the same mode do as well, or the chosen ones suffice.
fn is_dominated(rows: &[ContenderStats], row: &ContenderStats, chosen: &ContenderStats) -> bool {
    let is_less = |other: &ContenderStats| {
        other.contender.mode == row.contender.mode
            && other.contender.workers < row.contender.workers
            && (other.seconds.median <= row.seconds.median || other.contender == chosen.contender)
    };
    rows.iter().any(is_less)
}

/// `sequential`, or else who clearly takes the least CPU time, or else has the
/// fewest workers, or else the smallest median.
fn cheapest<'a>(equals: &[&'a ContenderStats]) -> Option<&'a ContenderStats> {
    if let Some(row) = equals.iter().find(|row| row.contender.mode == exec::SEQUENTIAL) {
        return Some(row);
    }
    let least = equals.iter().map(|row| row.cpu_seconds).fold(f64::INFINITY, f64::min);
    let thrifty = equals.iter().filter(|row| least >= CLEARLY_LESS * row.cpu_seconds);
    thrifty.copied().min_by(|one, other| {
        let workers = one.contender.workers.cmp(&other.contender.workers);
        workers.then(one.seconds.median.total_cmp(&other.seconds.median))
    })
}

impl Choice<'_> {
    /// Whether each of the equals takes clearly more CPU time.
    pub(super) fn takes_less_cpu(&self) -> bool {
        let is_more = |row: &&ContenderStats| self.row.cpu_seconds < CLEARLY_LESS * row.cpu_seconds;
        self.equals.iter().all(is_more)
    }

    /// Whether each of the equals has more workers.
    pub(super) fn has_fewer_workers(&self) -> bool {
        self.equals.iter().all(|row| self.row.contender.workers < row.contender.workers)
    }

    /// Those that may be much faster than the fastest, for all that was measured.
    pub(super) fn open(&self) -> impl Iterator<Item = &ContenderStats> {
        let may_be_faster = |row: &&ContenderStats| {
            row.times_fastest.is_some_and(|times| times.low < WORTH_KNOWING)
        };
        let all = [self.row].into_iter().chain(self.equals.iter().chain(&self.doubtful).copied());
        all.filter(may_be_faster)
    }
}
