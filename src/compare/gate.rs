//! The judgement of gates: claims that a comparison must confirm, such as
//! `threads@16 <= 0.25 * sequential`.
//!
//! A gate is judged on the confidence interval, not on the luck of one run: it fails
//! only if the whole interval is beyond the limit.

use std::fmt;

use super::analysis::paired_ratios;
use super::design::{Contender, Design};
use super::figures;
use super::gate_syntax::{Name, Reference, Threshold};
use super::results::{End, Results, Sample};
use super::stats::{Bootstrap, Interval, LEAST_VALUES};

pub(crate) use super::gate_syntax::{Gate, Quantity};

/// A gate cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gate {gate:?} {problem}")]
pub(crate) struct GateError {
    gate: String,
    problem: GateProblem,
}

/// Why a gate cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum GateProblem {
    #[error("names {name}, which is not compared; the contenders are {ran}")]
    NotRun { name: String, ran: String },
    #[error("names {mode} without its workers; the contenders are {ran}")]
    Ambiguous { mode: String, ran: String },
    #[error("names a baseline, which needs --baseline")]
    NoBaseline,
    #[error("needs at least {LEAST_VALUES} rounds, but the baseline has {0}")]
    TooFewBaselineRounds(u32),
    #[error("needs at least {LEAST_VALUES} rounds, not {0}, to tell a difference from chance")]
    TooFewRounds(u32),
}

/// A gate with its measured figure and its outcome.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    /// The gate as it was typed.
    pub gate: String,
    /// What it limits.
    pub quantity: Quantity,
    /// Whether the figure is a ratio; else it is in seconds or bytes.
    pub is_ratio: bool,
    /// The measured figure; `None` if there is none.
    pub figure: Option<Interval>,
    /// The limit, in the same unit.
    pub limit: f64,
    /// The number of rounds that the figure comes from.
    pub rounds: usize,
    /// The outcome.
    pub outcome: GateOutcome,
}

/// The outcome of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GateOutcome {
    /// The whole interval is within the limit.
    Met,
    /// The limit lies in the interval: the gate passes, but more rounds are needed to decide.
    OnTheEdge,
    /// The whole interval is beyond the limit.
    NotMet,
    /// There are too few values, or none that may be compared.
    Unmeasured {
        /// The reason.
        why: String,
    },
}

impl Quantity {
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Time => sample.seconds,
            Self::Cpu => sample.cpu_seconds,
            Self::Memory => sample.peak_rss_bytes as f64,
        }
    }
}

impl Gate {
    /// Returns it as it was typed.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Checks, before anything runs, that a comparison of `design` can judge it.
    ///
    /// # Errors
    ///
    /// [`GateError`] if it names a contender or a baseline that is missing, or if there
    /// are too few rounds for an interval.
    pub(crate) fn check(
        &self,
        design: &Design,
        baseline: Option<&Design>,
    ) -> Result<(), GateError> {
        let problem = self.problem(design, baseline);
        problem.map_err(|problem| GateError { gate: self.text.clone(), problem })
    }

    fn problem(&self, design: &Design, baseline: Option<&Design>) -> Result<(), GateProblem> {
        resolve(&self.left, design)?;
        match &self.threshold {
            Threshold::Times(_, Reference::Name(name)) => drop(resolve(name, design)?),
            Threshold::Times(_, Reference::Baseline) => {
                let then = baseline.ok_or(GateProblem::NoBaseline)?;
                if (then.rounds as usize) < LEAST_VALUES {
                    return Err(GateProblem::TooFewBaselineRounds(then.rounds));
                }
            }
            Threshold::Absolute(_) => (),
        }
        if (design.rounds as usize) < LEAST_VALUES {
            return Err(GateProblem::TooFewRounds(design.rounds));
        }
        Ok(())
    }

    /// Judges it by the samples. Contenders are compared within rounds; with the
    /// baseline, whose rounds are others, by their medians.
    /// [`super::baseline::check_same_plan`] checks that the baseline has the same plan.
    pub(crate) fn judge(&self, results: &Results, baseline: Option<&Results>) -> Judgement {
        let (limit, is_ratio) = match self.threshold {
            Threshold::Absolute(limit) => (limit, false),
            Threshold::Times(limit, _) => (limit, true),
        };
        let measured = self.measure(results, baseline);
        let (figure, rounds, outcome) = match measured {
            Err(why) => (None, 0, GateOutcome::Unmeasured { why }),
            Ok((figure, rounds)) => (Some(figure), rounds, outcome(figure, limit)),
        };
        let (gate, quantity) = (self.text.clone(), self.quantity);
        Judgement { gate, quantity, is_ratio, figure, limit, rounds, outcome }
    }

    /// The figure and the number of its rounds, or why there is none.
    fn measure(
        &self,
        results: &Results,
        baseline: Option<&Results>,
    ) -> Result<(Interval, usize), String> {
        if matches!(results.end, End::Different { .. }) {
            return Err("the runs did not do the same".into());
        }
        let resolve = |name| resolve(name, &results.design).map_err(|problem| problem.to_string());
        let of = |sample: &Sample| self.quantity.of(sample);
        let enough = |values: Vec<f64>, whose: &str| match values.len() {
            rounds if rounds < LEAST_VALUES => {
                Err(format!("it needs {LEAST_VALUES} rounds, and {whose} {rounds}"))
            }
            _ => Ok(values),
        };
        let left = resolve(&self.left)?;
        let mut bootstrap = Bootstrap::new();
        let ours = || enough(results.values(&left, of), "there are");
        let (figure, rounds) = match &self.threshold {
            Threshold::Absolute(_) => {
                let values = ours()?;
                (bootstrap.median(&values), values.len())
            }
            Threshold::Times(_, Reference::Name(name)) => {
                let ratios = paired_ratios(results, &left, &resolve(name)?, of);
                let ratios = enough(ratios, "there are")?;
                (bootstrap.median(&ratios), ratios.len())
            }
            Threshold::Times(_, Reference::Baseline) => {
                let then = baseline.ok_or("there is no baseline")?;
                let then = enough(then.values(&left, of), "the baseline has")?;
                let now = ours()?;
                (bootstrap.ratio(&now, &then), now.len().min(then.len()))
            }
        };
        Ok((figure.ok_or("no measured value is above 0")?, rounds))
    }
}

/// The contender that `name` means.
fn resolve(name: &Name, design: &Design) -> Result<Contender, GateProblem> {
    let is_meant = |contender: &&Contender| {
        contender.mode == name.mode && name.workers.is_none_or(|it| it == contender.workers)
    };
    let meant: Vec<_> = design.contenders.iter().filter(is_meant).collect();
    match meant[..] {
        [one] => Ok(one.clone()),
        [] => Err(GateProblem::NotRun {
            name: name.to_string(),
            ran: figures::list(&design.contenders),
        }),
        _ => Err(GateProblem::Ambiguous { mode: name.mode.clone(), ran: figures::list(&meant) }),
    }
}

fn outcome(figure: Interval, limit: f64) -> GateOutcome {
    if figure.high <= limit {
        GateOutcome::Met
    } else if figure.low > limit {
        GateOutcome::NotMet
    } else {
        GateOutcome::OnTheEdge
    }
}

impl Judgement {
    /// Whether the comparison fails for it.
    pub(crate) fn fails(&self) -> bool {
        matches!(self.outcome, GateOutcome::NotMet | GateOutcome::Unmeasured { .. })
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: f64| match (self.is_ratio, self.quantity) {
            (true, _) => figures::number(value),
            (false, Quantity::Memory) => figures::size(value),
            (false, Quantity::Time | Quantity::Cpu) => figures::time(value),
        };
        let (title, more) = match &self.outcome {
            GateOutcome::Met => ("met", ""),
            GateOutcome::OnTheEdge => ("on the edge", "; use more rounds to decide"),
            GateOutcome::NotMet => ("not met", ""),
            GateOutcome::Unmeasured { why } => {
                return write!(f, "not judged: {}: {why}", self.gate);
            }
        };
        write!(f, "{title}: {}", self.gate)?;
        if let Some(Interval { estimate, low, high }) = self.figure {
            let rounds = figures::rounds(self.rounds);
            let (estimate, low, high) = (word(estimate), word(low), word(high));
            let name = figures::interval_name(self.rounds);
            write!(f, ": {estimate}")?;
            if low != high {
                write!(f, " ({name} {low} to {high})")?;
            }
            write!(f, " over {rounds}")?;
        }
        f.write_str(more)
    }
}
