//! Runs every contender in each round, and keeps all samples measured so far even if
//! the comparison is interrupted.

use super::design::Contender;
use super::results::{End, Results, Sample, Timeline};
use super::stats;

/// One run: a contender in a round. Round 0 is the warm-up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RunId {
    /// The round.
    pub round: u32,
    /// The contender.
    pub contender: Contender,
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.round {
            0 => write!(f, "{} in the warm-up", self.contender),
            round => write!(f, "{} in round {round}", self.contender),
        }
    }
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Its figures.
    pub sample: Sample,
    /// A digest of what it did. It is equal for runs that ended with the same set of
    /// URL, status and SHA-256.
    pub work: [u8; 32],
}

/// Why a run gave no figures.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RunError {
    /// It was stopped from outside.
    Stopped,
    /// It failed; the reason in one line.
    Failed(String),
}

/// Runs a contender.
///
/// Implementors do every run in the same way, each in a fresh directory. They keep what
/// a run did until they are dropped, for `differences` and `timeline`.
pub(crate) trait Runner {
    /// Runs `id` to its end.
    ///
    /// # Errors
    ///
    /// [`RunError`]; the figures of such a run do not count.
    fn run(&mut self, id: &RunId) -> Result<Measured, RunError>;

    /// The first few differences between two runs that have ended, a line each.
    fn differences(&mut self, one: &RunId, other: &RunId) -> Vec<String>;

    /// A run page by page; `None` if its record cannot be read.
    fn timeline(&mut self, id: &RunId, seconds: f64) -> Option<Timeline>;
}

/// A step of a comparison, for reporting progress.
#[derive(Debug)]
pub(crate) enum Milestone<'a> {
    /// A run begins.
    Begins {
        /// The run.
        id: &'a RunId,
        /// Its number, from 1 to `runs`.
        number: u64,
        /// The number of all runs.
        runs: u64,
    },
    /// A round or the warm-up ended.
    RoundEnded(&'a Results),
}

/// Runs the design of `results`, and adds the samples and how the comparison ended.
/// Samples that were measured before a failure stay.
///
/// The warm-up comes first. It runs every contender once, in the order of the design. Its
/// times do not count, but it must do the same work as the other runs.
pub(crate) fn measure(
    results: &mut Results,
    runner: &mut dyn Runner,
    report: &mut dyn FnMut(Milestone),
) {
    results.end = match run_all(results, runner, report) {
        Ok(()) => End::Complete,
        Err(end) => end,
    };
    results.timelines = timelines(results, runner);
}

fn run_all(
    results: &mut Results,
    runner: &mut dyn Runner,
    report: &mut dyn FnMut(Milestone),
) -> Result<(), End> {
    let warm_up = (0..results.design.contenders.len()).collect();
    let orders = std::iter::once(warm_up).chain(results.design.orders());
    let orders: Vec<Vec<usize>> = orders.collect();
    let runs = results.design.runs();
    let mut number = 0;
    let mut first: Option<(RunId, [u8; 32])> = None;
    for (round, order) in (0..).zip(orders) {
        for place in order {
            let id = RunId { round, contender: results.design.contenders[place].clone() };
            number += 1;
            report(Milestone::Begins { id: &id, number, runs });
            let Measured { sample, work } = runner.run(&id).map_err(|error| match error {
                RunError::Stopped => End::Interrupted,
                RunError::Failed(why) => End::Broken { why: format!("{id}: {why}") },
            })?;
            match &first {
                Some((one, expected)) if *expected != work => {
                    let mut differences = vec![format!("{one} and {id} did not do the same")];
                    differences.extend(runner.differences(one, &id));
                    return Err(End::Different { differences });
                }
                Some(_) => (),
                None => first = Some((id, work)),
            }
            if round > 0 {
                results.samples.push(sample);
            }
        }
        report(Milestone::RoundEnded(results));
    }
    Ok(())
}

/// A typical run of each mode: of the contender with the smallest median, the run that
/// is nearest to that median.
fn timelines(results: &Results, runner: &mut dyn Runner) -> Vec<Timeline> {
    let mut best: Vec<(&Contender, f64)> = Vec::new();
    for contender in &results.design.contenders {
        let Some(median) = stats::median(&results.values(contender, |it| it.seconds)) else {
            continue;
        };
        match best.iter_mut().find(|(other, _)| other.mode == contender.mode) {
            Some(other) if other.1 <= median => (),
            Some(other) => *other = (contender, median),
            None => best.push((contender, median)),
        }
    }
    let typical = |(contender, median): (&Contender, f64)| {
        let distance = |sample: &&Sample| (sample.seconds - median).abs();
        let sample = results
            .samples_of(contender)
            .min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
        let id = RunId { round: sample.round, contender: contender.clone() };
        runner.timeline(&id, sample.seconds)
    };
    best.into_iter().filter_map(typical).collect()
}
