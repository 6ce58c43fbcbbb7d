//! Pages that failed: how many of them, and of what.

use std::collections::{BTreeMap, BTreeSet};

use super::results::Results;

/// How many pages failed in each run: the least and the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    least: u64,
    most: u64,
}

/// The failures of all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failures {
    /// Pages of each run.
    of: u64,
    pages: Extent,
    /// By the code of the failure.
    codes: BTreeMap<String, Extent>,
}

/// The failures of all runs; `None` where no page failed.
pub(super) fn all(results: &Results) -> Option<Failures> {
    let samples = &results.samples;
    let pages = range(samples.iter().map(|sample| sample.failed));
    let names: BTreeSet<_> = samples.iter().flat_map(|sample| sample.failures.keys()).collect();
    let codes = names.into_iter().map(|name| {
        let counts = samples.iter().map(|it| it.failures.get(name).copied().unwrap_or(0));
        (name.clone(), range(counts))
    });
    (pages.most > 0).then(|| Failures { of: results.task.pages, pages, codes: codes.collect() })
}

fn range(counts: impl Iterator<Item = u64> + Clone) -> Extent {
    Extent { least: counts.clone().min().unwrap_or(0), most: counts.max().unwrap_or(0) }
}

impl Extent {
    fn word(self) -> String {
        match self {
            Self { least, most } if least == most => most.to_string(),
            Self { least: 0, most } => format!("up to {most}"),
            Self { least, most } => format!("{least} to {most}"),
        }
    }
}

impl Failures {
    /// Whether no page of any run went well.
    pub(super) fn are_all(&self) -> bool {
        self.pages.least >= self.of
    }

    /// For titles, after the number of pages: `3 of which failed`.
    pub(super) fn of_which(&self) -> String {
        if self.are_all() {
            return "all of which failed".into();
        }
        format!("{} of which failed", self.pages.word())
    }

    /// As a warning.
    pub(super) fn warning(&self) -> String {
        let is_even = self.pages.least == self.pages.most;
        let runs = if is_even { "in every run" } else { "in a run, not the same in all" };
        let noun = if self.of == 1 { "page" } else { "pages" };
        let codes: Vec<_> =
            self.codes.iter().map(|(code, count)| format!("{code} {}", count.word())).collect();
        let codes =
            if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
        format!(
            "{} of {} {noun} failed {runs}{codes}; retries and the pauses before them are part of \
             the times",
            self.pages.word(),
            self.of
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::results::tests::results;

    fn told(pages: u64, failed: [u64; 3], codes: &[(&str, [u64; 3])]) -> Option<[String; 2]> {
        let mut results = results(&[("sequential@1", &[2.5; 3])]);
        results.task.pages = pages;
        for (at, sample) in results.samples.iter_mut().enumerate() {
            sample.failed = failed[at];
            let counts = codes.iter().filter(|(_, counts)| counts[at] > 0);
            sample.failures = counts.map(|(code, it)| ((*code).to_owned(), it[at])).collect();
        }
        all(&results).map(|failures| [failures.of_which(), failures.warning()])
    }

    #[test]
    fn failures_are_counted_over_all_runs() {
        let text = "retries and the pauses before them are part of the times";
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
            let expected = [format!("{title} of which failed"), format!("{warning}; {text}")];
            assert_eq!(told(pages, failed, codes), Some(expected));
        }
        assert_eq!(told(33, [0; 3], &[]), None);
    }
}
