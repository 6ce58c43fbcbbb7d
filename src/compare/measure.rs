//! Runs everybody in turn and keeps what was measured, whatever ends it.

use super::design::Contender;
use super::results::{End, Results, Sample, Timeline};
use super::stats;

/// One run, by who ran in which round; round 0 is the warm-up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunId {
    /// The round.
    pub round: u32,
    /// Who.
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

/// What a run came to.
#[derive(Debug)]
pub struct Measured {
    /// Its figures.
    pub sample: Sample,
    /// What it did, as a digest: equal for runs that ended with the same set of
    /// URL, status and SHA-256.
    pub work: [u8; 32],
}

/// Why a run gave no figures.
#[derive(Debug, PartialEq, Eq)]
pub enum RunError {
    /// It was stopped from outside.
    Stopped,
    /// It failed; how, in one line.
    Failed(String),
}

/// Runs a contender.
///
/// Implementors do every run in the same way, each in a fresh place, and keep what
/// it did until they are dropped, so that it can be asked for later.
pub trait Runner {
    /// Runs once, to the end.
    ///
    /// # Errors
    ///
    /// [`RunError`]; the figures of such a run do not count.
    fn run(&mut self, id: &RunId) -> Result<Measured, RunError>;

    /// In what two runs differ, a line each, the first few of them. Both have run.
    fn differences(&mut self, one: &RunId, other: &RunId) -> Vec<String>;

    /// A run page by page; `None` when it cannot be had.
    fn timeline(&mut self, id: &RunId, seconds: f64) -> Option<Timeline>;
}

/// How far it is.
#[derive(Debug)]
pub enum Milestone<'a> {
    /// A run begins: its place among `runs`, from 1.
    Begins {
        /// Which.
        id: &'a RunId,
        /// Its place.
        number: u64,
        /// Runs in all.
        runs: u64,
    },
    /// A round ended, or the warm-up.
    RoundEnded(&'a Results),
}

/// Runs the design of `results` and puts what is measured into it, with how it
/// ended. What was measured before something went wrong stays.
///
/// The warm-up comes first: everybody once, in the order of the design, not
/// measured, but held to the same work as the others.
pub fn measure(results: &mut Results, runner: &mut dyn Runner, told: &mut dyn FnMut(Milestone)) {
    results.end = match run_all(results, runner, told) {
        Ok(()) => End::Complete,
        Err(end) => end,
    };
    results.timelines = timelines(results, runner);
}

fn run_all(
    results: &mut Results,
    runner: &mut dyn Runner,
    told: &mut dyn FnMut(Milestone),
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
            told(Milestone::Begins { id: &id, number, runs });
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
        told(Milestone::RoundEnded(results));
    }
    Ok(())
}

/// One run of each mode: of its contender with the shortest median the run that
/// is nearest to that median.
fn timelines(results: &Results, runner: &mut dyn Runner) -> Vec<Timeline> {
    let mut best: Vec<(&Contender, f64)> = Vec::new();
    for contender in &results.design.contenders {
        let Some(median) = stats::median(&results.values(contender, |it| it.seconds)) else {
            continue;
        };
        match best.iter_mut().find(|(other, _)| other.mode == contender.mode) {
            Some(kept) if kept.1 <= median => (),
            Some(kept) => *kept = (contender, median),
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
