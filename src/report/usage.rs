//! The resources of the machine that a run used.

use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::resource::{Usage as Figures, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The resources that this process and the children that it waited for used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time of this process in its own code.
    pub user: Duration,
    /// CPU time of this process in the system's code.
    pub system: Duration,
    /// CPU time of the children, of both kinds.
    pub children: Duration,
    /// Peak resident memory of the largest process.
    pub peak_rss_bytes: u64,
    /// The number of times that a thread, also of a child, gave up its CPU to wait.
    pub voluntary_switches: u64,
    /// The number of times that a thread, also of a child, lost its CPU to another.
    pub involuntary_switches: u64,
}

impl Usage {
    /// The whole CPU time.
    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system + self.children
    }
}

/// The resources that children had used at a moment. [`since`] subtracts them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Children(Part);

impl Children {
    /// Those of the children that this process has waited for so far.
    pub(crate) fn so_far() -> Self {
        Self(Part::of(UsageWho::RUSAGE_CHILDREN))
    }
}

/// The resources that this process has used so far, and its children since `before`; zeros
/// if the system does not report them.
///
/// A child counts when this process has waited for it.
pub(crate) fn since(before: Children) -> Usage {
    let mut own = Part::of(UsageWho::RUSAGE_SELF);
    let status = std::fs::read_to_string("/proc/self/status");
    own.peak_rss_bytes = status.ok().as_deref().and_then(peak).unwrap_or(own.peak_rss_bytes);
    total(own, before.0, Part::of(UsageWho::RUSAGE_CHILDREN))
}

/// The CPU time of a run's fetch phase, without the start and the end of the run.
#[derive(Debug, Default)]
pub(crate) struct FetchPhase {
    /// The CPU time of this process and its children when the phase began.
    before: OnceLock<Duration>,
}

impl FetchPhase {
    /// Begins the phase, at the first call. Call it before each request for a page.
    pub(crate) fn begin(&self) {
        self.before.get_or_init(cpu_so_far);
    }

    /// CPU time from the beginning of the phase to now; zero if it did not begin.
    ///
    /// All CPU time of children that ended in between counts, such as worker processes: the
    /// system reports it only at their end.
    pub(crate) fn cpu(&self) -> Duration {
        let before = self.before.get();
        before.map_or(Duration::ZERO, |before| cpu_so_far().saturating_sub(*before))
    }
}

/// CPU time of this process and of the children that it waited for.
fn cpu_so_far() -> Duration {
    let parts = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].map(Part::of);
    parts.iter().map(|part| part.user + part.system).sum()
}

/// The process's own peak in the text of Linux's `/proc/PID/status` (proc(5)), whose
/// unit is 1024 bytes.
///
/// The figure of getrusage(2) survives execve(2), so a program that was started by a
/// larger one would report the peak of that one.
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn total(own: Part, before: Part, children: Part) -> Usage {
    // The system reports the peak of the largest child of all. A child that was no larger
    // than an earlier one cannot be distinguished from it.
    let is_of_these = children.peak_rss_bytes > before.peak_rss_bytes;
    let peak_of_children = if is_of_these { children.peak_rss_bytes } else { 0 };
    Usage {
        user: own.user,
        system: own.system,
        children: (children.user + children.system).saturating_sub(before.user + before.system),
        peak_rss_bytes: own.peak_rss_bytes.max(peak_of_children),
        voluntary_switches: own.voluntary + children.voluntary.saturating_sub(before.voluntary),
        involuntary_switches: own.involuntary
            + children.involuntary.saturating_sub(before.involuntary),
    }
}

/// The figures of one getrusage(2) call, in our units.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    user: Duration,
    system: Duration,
    peak_rss_bytes: u64,
    voluntary: u64,
    involuntary: u64,
}

impl Part {
    fn of(who: UsageWho) -> Self {
        getrusage(who).map(|figures| Self::read(&figures)).unwrap_or_default()
    }

    fn read(figures: &Figures) -> Self {
        let micros = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        let count = |count| u64::try_from(count).unwrap_or(0);
        // Linux counts kilobytes, Apple's systems bytes (getrusage(2)).
        let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        Self {
            user: micros(figures.user_time().num_microseconds()),
            system: micros(figures.system_time().num_microseconds()),
            peak_rss_bytes: count(figures.max_rss()) * unit,
            voluntary: count(figures.voluntary_context_switches()),
            involuntary: count(figures.involuntary_context_switches()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(millis: u64, peak_rss_bytes: u64, switches: u64) -> Part {
        let time = Duration::from_millis(millis);
        let (voluntary, involuntary) = (switches, switches / 10);
        Part { user: time, system: time / 2, peak_rss_bytes, voluntary, involuntary }
    }

    #[test]
    fn the_peak_of_whoever_started_the_program_is_none_of_ours() {
        let status = "Name:\tfetchpages\nVmPeak:\t  900 kB\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(peak(status), Some(12_345 * 1024));
        assert_eq!((peak("VmHWM: much"), peak("")), (None, None));
    }

    #[test]
    fn the_fetch_phase_is_a_part_of_the_process() {
        let phase = FetchPhase::default();
        assert_eq!(phase.cpu(), Duration::ZERO, "it has not begun");
        let burn = || {
            let before = cpu_so_far();
            // What is measured is CPU time, so no other load can make this fail.
            while cpu_so_far() < before + Duration::from_millis(20) {}
        };
        burn();
        phase.begin();
        let before = phase.before.get().copied().unwrap();
        assert!(before >= Duration::from_millis(20));
        burn();
        phase.begin();
        assert_eq!(phase.before.get(), Some(&before), "it begins once");
        assert!(phase.cpu() >= Duration::from_millis(20));
    }

    #[test]
    fn children_count_from_the_moment_on() {
        let usage = total(part(100, 40, 70), part(20, 9, 10), part(80, 50, 50));
        assert_eq!(
            usage,
            Usage {
                user: Duration::from_millis(100),
                system: Duration::from_millis(50),
                children: Duration::from_millis(90),
                peak_rss_bytes: 50,
                voluntary_switches: 110,
                involuntary_switches: 11,
            }
        );
        assert_eq!(usage.cpu(), Duration::from_millis(240));
    }

    #[test]
    fn the_memory_of_earlier_children_is_none_of_ours() {
        assert_eq!(total(part(1, 40, 0), part(1, 90, 0), part(1, 90, 0)).peak_rss_bytes, 40);
    }
}
