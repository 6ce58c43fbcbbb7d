//! How far a comparison is, on standard error.

use crate::app::terminal::{is_error_terminal, report, report_line};
use crate::compare::measure::Milestone;
use crate::printable::Printable;

/// Tells it on a terminal run by run in one line, else round by round.
pub(super) struct Progress {
    is_quiet: bool,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new(is_quiet: bool) -> Self {
        Self { is_quiet, is_terminal: is_error_terminal() }
    }

    pub(super) fn report(&self, step: &Milestone) {
        if self.is_quiet {
            return;
        }
        match step {
            Milestone::Begins { id, number, runs } if self.is_terminal => {
                report(&Printable::in_place(format_args!("run {number} of {runs}: {id}")));
            }
            Milestone::RoundEnded(results) if !self.is_terminal => {
                let round = results.samples.last().map_or(0, |sample| sample.round);
                let rounds = results.design.rounds;
                match round {
                    0 => report_line(format_args!("warm-up done, rounds to go: {rounds}")),
                    _ => report_line(format_args!("round {round} of {rounds} done")),
                }
            }
            Milestone::Begins { .. } | Milestone::RoundEnded(_) => (),
        }
    }

    /// Wipes the line of a terminal.
    pub(super) fn end(&self) {
        if self.is_terminal && !self.is_quiet {
            report(&Printable::in_place(""));
        }
    }
}
