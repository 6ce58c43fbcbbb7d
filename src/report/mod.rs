//! What a run tells: progress while it goes on, a summary at its end, for
//! people and for programs. Everything is made from events and counts.

mod bar;
#[cfg(test)]
mod captured;
pub mod human;
pub mod json;
pub mod progress;
pub mod summary;
pub mod trace;
pub mod usage;
mod watch;

use std::time::Duration;

use crate::foreign::Foreign;
use crate::model::{AutoWorkers, Connections, ProxyUse, Summary};
use usage::Usage;

/// Everything that is told about a finished run.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What it did.
    pub summary: Summary,
    /// The executor.
    pub mode: &'static str,
    /// Pages in flight at most.
    pub workers: usize,
    /// How many of them were of use, where that was looked for.
    pub auto: Option<AutoWorkers>,
    /// Where the pages are.
    pub output: Foreign,
    /// Reading what has to be read before the first job, such as an index.
    pub index_time: Duration,
    /// The whole run.
    pub total_time: Duration,
    /// What it cost.
    pub usage: Usage,
    /// CPU time of the fetch phase.
    pub fetch_cpu: Duration,
    /// Its connections.
    pub connections: Connections,
    /// What went through each proxy.
    pub proxies: Vec<ProxyUse>,
}
