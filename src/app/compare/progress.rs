//! How far a comparison is, on standard error.

use std::io::IsTerminal;

use crate::app::tell;
use crate::compare::measure::Step;

/// Tells it on a terminal run by run in one line, else round by round.
pub(super) struct Progress {
    is_quiet: bool,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new(is_quiet: bool) -> Self {
        Self { is_quiet, is_terminal: std::io::stderr().is_terminal() }
    }

    pub(super) fn tell(&self, step: &Step) {
        if self.is_quiet {
            return;
        }
        match step {
            Step::Begins { turn, number, runs } if self.is_terminal => {
                tell(&format!("\r\x1b[2Krun {number} of {runs}: {turn}"));
            }
            Step::RoundEnded(results) if !self.is_terminal => {
                let round = results.samples.last().map_or(0, |sample| sample.round);
                let rounds = results.design.rounds;
                tell(&match round {
                    0 => format!("warm-up done, rounds to go: {rounds}\n"),
                    _ => format!("round {round} of {rounds} done\n"),
                });
            }
            Step::Begins { .. } | Step::RoundEnded(_) => (),
        }
    }

    /// Wipes the line of a terminal.
    pub(super) fn end(&self) {
        if self.is_terminal && !self.is_quiet {
            tell("\r\x1b[2K");
        }
    }
}
