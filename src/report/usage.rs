//! What the process has used of the machine.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// CPU time and memory of this process, without its children.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system CPU time.
    pub cpu: Duration,
    /// The most memory that was resident at a time.
    pub peak_rss_bytes: u64,
}

/// What this process has used so far; zeros where the system does not tell.
pub fn of_this_process() -> Usage {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else {
        return Usage::default();
    };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // Linux counts kilobytes, Apple's systems bytes (getrusage(2)).
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    Usage {
        cpu: Duration::from_micros(u64::try_from(micros).unwrap_or(0)),
        peak_rss_bytes: u64::try_from(usage.max_rss()).unwrap_or(0) * unit,
    }
}
