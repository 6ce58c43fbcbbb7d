//! The numbers of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::{FailureCode, State};
use crate::foreign::Foreign;

/// How the input was sorted before any page was fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Intake {
    /// Entries read: lines, links, arguments.
    pub found: u64,
    /// Entries that are no http(s) URL.
    pub invalid: u64,
    /// Entries that repeat an earlier one.
    pub duplicates: u64,
    /// Entries left out by `--include`, `--exclude` or `--limit`.
    pub filtered: u64,
    /// Pages that an earlier run saved, so that this run need not fetch them.
    pub skipped: u64,
    /// Pages to fetch.
    pub pages: u64,
    /// Lines that held no entry: blank ones and comments.
    pub skipped_lines: u64,
    /// What the user can do when the source named no page.
    pub advice: Option<&'static str>,
    /// Parts of the source that could not be fetched, such as a missing part of a sitemap.
    pub missing_parts: u64,
    /// Whether the input was read to its end.
    pub complete: bool,
}

/// The numbers of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// How the input was sorted.
    pub intake: Intake,
    /// Pages by the state they ended in.
    pub states: BTreeMap<State, u64>,
    /// Failed pages by class, each with one example.
    pub failures: BTreeMap<FailureCode, FailureClass>,
    /// Decoded bytes of the saved pages.
    pub bytes: u64,
    /// Bytes of the bodies on the wire, failed attempts included where known.
    pub wire_bytes: u64,
    /// From the first request to the last page settled.
    pub fetch_time: Duration,
    /// The slowest saved page and how long its last attempt took.
    pub slowest: Option<(String, Duration)>,
    /// Attempts that another attempt followed.
    pub retries: u64,
}

/// What `--workers auto` settled on at the host with the most answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoWorkers {
    /// The host.
    pub host: String,
    /// Requests in flight there at the end.
    pub settled: u32,
    /// The smallest number in flight with nearly the best throughput.
    pub knee: u32,
    /// The number of other hosts for which a value was found.
    pub other_hosts: usize,
}

/// The requests that went through one proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProxyUse {
    /// The proxy's address, without credentials.
    pub proxy: String,
    /// Requests that were sent to it, or should have been.
    pub requests: u64,
    /// Those of them that the proxy failed.
    pub failed: u64,
}

/// Rounds a number of a record to three decimals: enough to compare, short enough to read.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Intake {
    /// Pages after dedup and filters: those to fetch, and those that need not be fetched.
    pub const fn wanted(&self) -> u64 {
        self.pages + self.skipped
    }
}

impl Summary {
    /// Pages that ended in `state`.
    pub fn count(&self, state: State) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// Pages that have a state.
    pub fn settled(&self) -> u64 {
        self.states.values().sum()
    }

    /// Saved pages per second of the fetch phase; 0 without a saved page.
    pub(crate) fn pages_per_second(&self) -> f64 {
        let seconds = self.fetch_time.as_secs_f64();
        if seconds > 0.0 { self.count(State::Saved) as f64 / seconds } else { 0.0 }
    }

    /// Checks that every entry is counted exactly once:
    /// found = invalid + duplicates + filtered + skipped + the sum over states.
    ///
    /// # Errors
    ///
    /// The two sides of the sum, as one line, when they differ.
    pub fn check_accounts(&self) -> Result<(), String> {
        let Intake { found, invalid, duplicates, filtered, skipped, pages, .. } = self.intake;
        let settled = self.settled();
        if found == invalid + duplicates + filtered + skipped + settled && pages == settled {
            return Ok(());
        }
        Err(format!(
            "found {found}, but invalid {invalid} + duplicates {duplicates} + filtered {filtered} \
             + skipped {skipped} + settled {settled} (of {pages} pages)"
        ))
    }
}

/// The failures of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureClass {
    /// The number of pages.
    pub count: u64,
    /// The first such page.
    pub example_url: String,
    /// The message of its failure.
    pub example_message: Foreign,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_add_up_or_say_where_they_do_not() {
        let mut summary = Summary {
            intake: Intake {
                found: 10,
                invalid: 1,
                duplicates: 2,
                filtered: 3,
                pages: 4,
                ..Intake::default()
            },
            ..Summary::default()
        };
        summary.states.insert(State::Saved, 3);
        summary.states.insert(State::Failed, 1);
        assert_eq!(summary.check_accounts(), Ok(()));
        summary.states.insert(State::Failed, 2);
        let error = summary.check_accounts().unwrap_err();
        assert!(error.contains("found 10") && error.contains("settled 5"), "{error}");
    }
}
