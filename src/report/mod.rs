//! What a run tells: progress while it goes on, a summary at its end, for
//! people and for programs. Everything is made from events and counts.

pub mod human;
pub mod json;
pub mod progress;
pub mod summary;
pub mod usage;
mod watch;

use std::time::Duration;

use crate::model::Summary;
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
    /// Where the pages are.
    pub output: String,
    /// Reading what has to be read before the first job, such as an index.
    pub index_time: Duration,
    /// The whole run.
    pub total_time: Duration,
    /// What it cost.
    pub usage: Usage,
    /// Connections opened.
    pub connections: u64,
}
