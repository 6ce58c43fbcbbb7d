//! Progress of a comparison, on standard error.

use crate::app::terminal::{is_error_terminal, report, report_line};
use crate::compare::measure::Milestone;
use crate::message::counted;
use crate::printable::Printable;

/// Reports each run in one line on a terminal, and each round elsewhere.
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
                    0 => report_line(format_args!(
                        "warm-up done, {} to go",
                        counted(u64::from(rounds), "round")
                    )),
                    _ => report_line(format_args!("round {round} of {rounds} done")),
                }
            }
            Milestone::Begins { .. } | Milestone::RoundEnded(_) => (),
        }
    }

    /// Clears the line of a terminal.
    pub(super) fn end(&self) {
        if self.is_terminal && !self.is_quiet {
            report(&Printable::in_place(""));
        }
    }
}
