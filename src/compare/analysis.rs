//! What follows from what was measured: spreads, ratios, bounds, and plain words.

use super::bound::Bound;
use super::results::{Contender, Results};
use super::stats::{Interval, Spread};

/// What follows from the results. All ratios are of the time of the fetch phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// One for each contender that was measured at least once, in the order of the design.
    pub rows: Vec<Row>,
    /// The row with the smallest median.
    pub fastest: Option<usize>,
    /// Modes that ran with several numbers of workers.
    pub sweeps: Vec<Sweep>,
    /// What the job is bound by.
    pub nature: Option<Nature>,
    /// Why the figures are to be taken with care, a sentence each.
    pub warnings: Vec<String>,
    /// Which mode to use and why, in plain words, a sentence or two a line. Empty
    /// where there is no verdict.
    pub verdict: Vec<String>,
}

/// What follows for one contender.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Who.
    pub contender: Contender,
    /// Seconds of the fetch phase.
    pub seconds: Spread,
    /// CPU seconds, in the median.
    pub cpu_seconds: f64,
    /// Peak memory, in the median.
    pub peak_rss_bytes: f64,
    /// Context switches of both kinds, in the median.
    pub context_switches: f64,
    /// Rounds whose time is far from the others'.
    pub outliers: Vec<u32>,
    /// The least time that theory gives for it.
    pub bound: Bound,
    /// How many times as fast as `sequential` it is, compared within rounds; `None`
    /// where that was not measured.
    pub speed_up: Option<Interval>,
    /// How many times as long as the fastest contender it takes, compared within
    /// rounds; `None` for the fastest itself.
    pub times_fastest: Option<Interval>,
}

impl Row {
    /// The bound as a share of the median time: 1 is all that theory allows.
    pub fn closeness(&self) -> f64 {
        self.bound.seconds / self.seconds.median
    }
}

/// One mode with several numbers of workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// The mode.
    pub mode: String,
    /// Its rows by the number of workers.
    pub rows: Vec<usize>,
    /// The row with the smallest number of workers that is within 5 percent of the
    /// best of them, by their medians.
    pub sweet_spot: usize,
}

/// What a job spends its time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nature {
    /// Waiting.
    IoBound {
        /// The share of computing in the time of one page after the other, 0 to 1.
        computing: f64,
    },
    /// Computing.
    CpuBound {
        /// The same.
        computing: f64,
    },
}

/// Works everything out.
pub fn analyse(results: &Results) -> Analysis {
    let _ = results;
    Analysis {
        rows: Vec::new(),
        fastest: None,
        sweeps: Vec::new(),
        nature: None,
        warnings: Vec::new(),
        verdict: Vec::new(),
    }
}
