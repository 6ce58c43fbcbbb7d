//! Reports a run: progress while it goes on, and a summary at its end, for people and
//! for programs. Everything is made from events and counts.

mod bar;
#[cfg(test)]
mod captured;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod summary;
pub(crate) mod trace;
pub(crate) mod usage;
mod watch;

use std::time::Duration;

use crate::foreign::Foreign;
use crate::model::{AutoWorkers, Connections, ProxyUse, Summary};
use usage::Usage;

/// Everything that the summary of a finished run reports.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    /// The counts of its pages.
    pub summary: Summary,
    /// The name of its mode.
    pub mode: &'static str,
    /// The maximum number of pages in flight.
    pub workers: usize,
    /// The number of useful workers, if `--workers auto` looked for it.
    pub auto: Option<AutoWorkers>,
    /// The output that holds the pages.
    pub output: Foreign,
    /// The time for reading what comes before the first page, such as an index.
    pub index_time: Duration,
    /// The time of the whole run.
    pub total_time: Duration,
    /// The resources that it used.
    pub usage: Usage,
    /// CPU time of the fetch phase.
    pub fetch_cpu: Duration,
    /// Its connections.
    pub connections: Connections,
    /// The requests through each proxy.
    pub proxies: Vec<ProxyUse>,
}
