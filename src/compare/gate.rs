//! Claims that a comparison must bear out: `threads@16 <= 0.25 * sequential`.
//!
//! A gate is judged on the confidence interval, not on the luck of one run: it is
//! not met only where all of the interval is beyond the limit.

use std::fmt;

use super::analysis::{paired_ratios, values};
use super::design::Contender;
use super::design::Design;
use super::results::{End, Results, Sample};
use super::stats::{Bootstrap, Interval, LEAST_VALUES};
use super::{figures, gate_syntax};
use crate::foreign::clean;

/// A claim: a contender's time, CPU time or memory is at most so much.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    pub(super) text: String,
    pub(super) quantity: Quantity,
    pub(super) left: Name,
    pub(super) limit: Threshold,
}

/// What a gate is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Seconds of the fetch phase.
    Time,
    /// CPU seconds.
    Cpu,
    /// The most memory at a time, in bytes.
    Memory,
}

/// A contender as a gate names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) mode: String,
    /// `None` for the number that it ran with.
    pub(super) workers: Option<u32>,
}

/// What the quantity must not be above.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Threshold {
    /// Seconds or bytes.
    Absolute(f64),
    /// So many times what another has.
    Times(f64, Reference),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reference {
    Name(Name),
    /// The same contender in the baseline.
    Baseline,
}

/// A gate cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// It is not written as a gate is.
    #[error("gate does not parse at character {column}: expected {expected}\n{}", caret(text, *column))]
    Syntax {
        /// The gate.
        text: String,
        /// Which character, from 1, is not as expected.
        column: usize,
        /// What is.
        expected: String,
    },
    /// It names what does not run.
    #[error("gate {text:?} names {name}, which is not compared; compared are {ran}")]
    NotRun {
        /// The gate.
        text: String,
        /// What it names.
        name: String,
        /// What runs.
        ran: String,
    },
    /// It names a mode that runs with several numbers of workers.
    #[error("gate {text:?} names {mode} without its workers; compared are {ran}")]
    Ambiguous {
        /// The gate.
        text: String,
        /// The mode.
        mode: String,
        /// Its contenders.
        ran: String,
    },
    /// It names a baseline, and there is none.
    #[error("gate {text:?} names a baseline, and none was given")]
    NoBaseline {
        /// The gate.
        text: String,
    },
    /// No interval comes from the few rounds of the baseline.
    #[error("gate {text:?} needs {LEAST_VALUES} rounds at least, and the baseline has {rounds}")]
    TooFewRoundsThen {
        /// The gate.
        text: String,
        /// How many it has.
        rounds: u32,
    },
    /// No interval comes from so few rounds.
    #[error(
        "gate {text:?} needs {LEAST_VALUES} rounds at least, not {rounds}, to tell a difference from chance"
    )]
    TooFewRounds {
        /// The gate.
        text: String,
        /// How many are planned.
        rounds: u32,
    },
}

/// The gate with a mark below the place.
fn caret(text: &str, column: usize) -> String {
    format!("  {}\n  {:>column$}", clean(text), '^')
}

/// What came of a gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The gate as it was typed.
    pub gate: String,
    /// What it is about.
    pub quantity: Quantity,
    /// Whether the figure is a ratio; else it is in seconds or bytes.
    pub is_ratio: bool,
    /// The figure that was measured; `None` where it was not.
    pub figure: Option<Interval>,
    /// What it must not be above, in the same unit.
    pub limit: f64,
    /// The rounds that the figure comes from.
    pub rounds: usize,
    /// What came of it.
    pub outcome: GateOutcome,
}

/// What came of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateOutcome {
    /// The whole interval is within the limit.
    Met,
    /// The limit lies in the interval: it counts as met, but more rounds would tell.
    OnTheEdge,
    /// The whole interval is beyond the limit.
    NotMet,
    /// There is too little to judge it by, or nothing that may be compared.
    Unmeasured {
        /// What is missing.
        why: String,
    },
}

impl Quantity {
    pub(super) const ALL: [Self; 3] = [Self::Time, Self::Cpu, Self::Memory];

    /// As a gate spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }

    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Time => sample.seconds,
            Self::Cpu => sample.cpu_seconds,
            Self::Memory => sample.peak_rss_bytes as f64,
        }
    }
}

impl Gate {
    /// Reads a gate: `[time|cpu|memory] MODE[@WORKERS] <= LIMIT`, where the limit is a
    /// value with its unit (`500ms`, `2s`, `40MB`), or `[FACTOR *] MODE[@WORKERS]`, or
    /// `[FACTOR *] baseline` for the same contender in the baseline. The factor is 1
    /// and the quantity `time` where they are left out.
    ///
    /// # Errors
    ///
    /// [`GateError::Syntax`] with the place.
    pub fn parse(text: &str) -> Result<Self, GateError> {
        gate_syntax::parse(text)
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks before anything runs that `design` can tell.
    ///
    /// # Errors
    ///
    /// [`GateError`] when it names what does not run, or a baseline that is not there,
    /// or when there are too few rounds for an interval.
    pub fn check(&self, design: &Design, baseline: Option<&Design>) -> Result<(), GateError> {
        let text = || self.text.clone();
        self.resolve(&self.left, design)?;
        match &self.limit {
            Threshold::Times(_, Reference::Name(name)) => drop(self.resolve(name, design)?),
            Threshold::Times(_, Reference::Baseline) => {
                let then = baseline.ok_or_else(|| GateError::NoBaseline { text: text() })?;
                if (then.rounds as usize) < LEAST_VALUES {
                    return Err(GateError::TooFewRoundsThen { text: text(), rounds: then.rounds });
                }
            }
            Threshold::Absolute(_) => (),
        }
        if (design.rounds as usize) < LEAST_VALUES {
            return Err(GateError::TooFewRounds { text: text(), rounds: design.rounds });
        }
        Ok(())
    }

    /// Judges it by what was measured. Contenders are compared within rounds; with the
    /// baseline, whose rounds are others, by their medians. Whether the baseline is of
    /// the same plan is for [`super::baseline::check_same_plan`] to say.
    pub fn judge(&self, results: &Results, baseline: Option<&Results>) -> Judgement {
        let (limit, is_ratio) = match self.limit {
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

    /// The figure and its rounds, or why there is none.
    fn measure(
        &self,
        results: &Results,
        baseline: Option<&Results>,
    ) -> Result<(Interval, usize), String> {
        if matches!(results.end, End::Different { .. }) {
            return Err("the runs did not do the same".into());
        }
        let resolve = |name| self.resolve(name, &results.design).map_err(|error| error.to_string());
        let of = |sample: &Sample| self.quantity.of(sample);
        let enough = |values: Vec<f64>, whose: &str| match values.len() {
            rounds if rounds < LEAST_VALUES => {
                Err(format!("it takes {LEAST_VALUES} rounds, and {whose} {rounds}"))
            }
            _ => Ok(values),
        };
        let left = resolve(&self.left)?;
        let mut bootstrap = Bootstrap::new();
        let ours = || enough(values(results, &left, of), "there are");
        let (figure, rounds) = match &self.limit {
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
                let then = enough(values(then, &left, of), "the baseline has")?;
                let now = ours()?;
                (bootstrap.ratio(&now, &then), now.len().min(then.len()))
            }
        };
        Ok((figure.ok_or("nothing was measured that is above 0")?, rounds))
    }

    /// The contender that `name` means.
    fn resolve(&self, name: &Name, design: &Design) -> Result<Contender, GateError> {
        let is_meant = |contender: &&Contender| {
            contender.mode == name.mode && name.workers.is_none_or(|it| it == contender.workers)
        };
        let meant: Vec<_> = design.contenders.iter().filter(is_meant).collect();
        match meant[..] {
            [one] => Ok(one.clone()),
            [] => Err(GateError::NotRun {
                text: self.text.clone(),
                name: name.to_string(),
                ran: list(&design.contenders.iter().collect::<Vec<_>>()),
            }),
            _ => Err(GateError::Ambiguous {
                text: self.text.clone(),
                mode: name.mode.clone(),
                ran: list(&meant),
            }),
        }
    }
}

fn list(contenders: &[&Contender]) -> String {
    figures::list(&contenders.iter().map(ToString::to_string).collect::<Vec<_>>())
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

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.workers {
            Some(workers) => write!(f, "{}@{workers}", self.mode),
            None => f.write_str(&self.mode),
        }
    }
}

impl Judgement {
    /// Whether the comparison fails for it.
    pub fn fails(&self) -> bool {
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
            GateOutcome::OnTheEdge => ("on the edge", "; more rounds would tell"),
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
