//! All that follows from the results: the numbers, the choice, the doubts, the verdict.

use super::analysis::{Analysis, analyse};
use super::choice::{Choice, choose};
use super::results::{End, Results};
use super::verdict;
use super::warnings::{self, Warning};

/// All that follows from the results.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Findings {
    /// The numbers.
    pub analysis: Analysis,
    /// Which contender to use; `None` if nothing was measured.
    pub choice: Option<Choice>,
    /// Why the numbers may mislead, the most important reason first.
    pub warnings: Vec<Warning>,
    /// Which contender to use and why, one or two sentences a line. It is empty if
    /// nothing was measured, or if runs differ, which cannot be compared.
    pub verdict: Vec<String>,
}

impl Findings {
    /// Works them out. All of it can be repeated from a stored file.
    pub(crate) fn new(results: &Results) -> Self {
        let analysis = analyse(results);
        let choice = choose(&analysis, results.task.pages);
        let warnings = warnings::find(results, &analysis, choice.as_ref());
        let verdict = match (&choice, &results.end) {
            (None, _) | (_, End::Different { .. }) => Vec::new(),
            (Some(choice), _) => verdict::sentences(results, &analysis, choice),
        };
        Self { analysis, choice, warnings, verdict }
    }
}
