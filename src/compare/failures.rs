//! The pages that failed: how many of them in each run, and with which codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::results::Results;
use crate::message::plural;

/// The smallest and the largest count of all runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    least: u64,
    most: u64,
}

/// The failures of all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failures {
    /// Pages of each run.
    of: u64,
    pages: Extent,
    /// By the code of the failure.
    codes: BTreeMap<String, Extent>,
}

impl Extent {
    fn new(counts: impl Iterator<Item = u64> + Clone) -> Self {
        Self { least: counts.clone().min().unwrap_or(0), most: counts.max().unwrap_or(0) }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { least, most } if least == most => write!(f, "{most}"),
            Self { least: 0, most } => write!(f, "up to {most}"),
            Self { least, most } => write!(f, "{least} to {most}"),
        }
    }
}

impl Failures {
    /// The failures of all runs; `None` if no page failed.
    pub(super) fn of(results: &Results) -> Option<Self> {
        let samples = &results.samples;
        let pages = Extent::new(samples.iter().map(|sample| sample.failed));
        let names: BTreeSet<_> = samples.iter().flat_map(|sample| sample.failures.keys()).collect();
        let codes = names.into_iter().map(|name| {
            let counts = samples.iter().map(|it| it.failures.get(name).copied().unwrap_or(0));
            (name.clone(), Extent::new(counts))
        });
        (pages.most > 0).then(|| Self { of: results.task.pages, pages, codes: codes.collect() })
    }

    /// Whether all pages of all runs failed.
    pub(super) fn are_all(&self) -> bool {
        self.pages.least >= self.of
    }

    /// For titles, after the number of pages: `3 of which failed`.
    pub(super) fn of_which(&self) -> String {
        if self.are_all() {
            return "all of which failed".into();
        }
        format!("{} of which failed", self.pages)
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_even = self.pages.least == self.pages.most;
        let runs = if is_even { "in every run" } else { "in a run, not the same in all" };
        write!(f, "{} of {} {} failed {runs}", self.pages, self.of, plural(self.of, "page"))?;
        let codes: Vec<_> =
            self.codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        if codes.is_empty() { Ok(()) } else { write!(f, " ({})", codes.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::results::tests::results;

    fn failures(pages: u64, failed: [u64; 3], codes: &[(&str, [u64; 3])]) -> Option<[String; 2]> {
        let mut results = results(&[("sequential@1", &[2.5; 3])]);
        results.task.pages = pages;
        for (at, sample) in results.samples.iter_mut().enumerate() {
            sample.failed = failed[at];
            let counts = codes.iter().filter(|(_, counts)| counts[at] > 0);
            sample.failures = counts.map(|(code, it)| ((*code).to_owned(), it[at])).collect();
        }
        Failures::of(&results).map(|failures| [failures.of_which(), failures.to_string()])
    }

    #[test]
    fn failures_are_counted_over_all_runs() {
        for (pages, failed, codes, title, warning) in [
            (
                33,
                [3; 3],
                &[("http", [3; 3])][..],
                "3",
                "3 of 33 pages failed in every run (http 3)",
            ),
            (
                33,
                [1, 3, 2],
                &[("http", [1; 3]), ("reset", [0, 2, 1])],
                "1 to 3",
                "1 to 3 of 33 pages failed in a run, not the same in all (http 1, reset up to 2)",
            ),
            (
                33,
                [0, 1, 0],
                &[],
                "up to 1",
                "up to 1 of 33 pages failed in a run, not the same in all",
            ),
            (1, [1; 3], &[], "all", "1 of 1 page failed in every run"),
        ] {
            let expected = [format!("{title} of which failed"), warning.to_owned()];
            assert_eq!(failures(pages, failed, codes), Some(expected));
        }
        assert_eq!(failures(33, [0; 3], &[]), None);
    }
}
