//! Time as a value that is passed in, so that decisions about time can be tested without waiting.
//!
//! Sleeping is not here: a decision returns "not before t", and the shell around it waits.

#[cfg(test)]
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

/// A source of the present moment.
///
/// Implementors return moments that never go backwards; callers may compare
/// moments of one clock, never of two.
pub trait Clock: Send + Sync {
    /// Returns the present moment.
    fn now(&self) -> Instant;

    /// Returns the present wall-clock time, for timestamps that people read.
    fn wall(&self) -> SystemTime;
}

/// The machine's own clock.
#[derive(Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the home of the call")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock for tests: it stands still until [`advance`](Self::advance) moves it.
#[cfg(test)]
pub(crate) struct ManualClock {
    now: Mutex<Instant>,
    started: Instant,
}

#[cfg(test)]
impl ManualClock {
    /// Creates a clock that stands at the moment of its creation.
    pub(crate) fn new() -> Self {
        let started = SystemClock.now();
        Self { now: Mutex::new(started), started }
    }

    /// Moves the clock forward by `step`.
    pub(crate) fn advance(&self, step: Duration) {
        *self.now.lock().expect("no holder of this lock panics") += step;
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.now.lock().expect("no holder of this lock panics")
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.now().duration_since(self.started)
    }
}

/// The clock of a paused event loop, for tests: it moves on only while every task waits.
#[cfg(test)]
pub(crate) struct PausedClock;

#[cfg(test)]
impl Clock for PausedClock {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

/// Returns the CPU time that the calling thread has used so far, or zero where the system does
/// not measure it.
///
/// The difference of two readings on one thread is the CPU cost of the code between them,
/// even on a busy machine.
pub(crate) fn thread_cpu_time() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map(Duration::from)
        .unwrap_or_default()
}

/// Formats a wall-clock time as RFC 3339 in UTC with whole seconds, `2026-11-21T20:10:00Z`.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Converts days since 1970-01-01 to year, month and day of the Gregorian calendar.
///
/// This is the era-based computation of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
/// (<https://howardhinnant.github.io/date_algorithms.html>), for days not before the epoch.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_matches_known_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_291_800, "2026-11-21T20:10:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(time), text);
        }
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new();
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(Duration::from_secs(3));
        assert_eq!(clock.now() - before, Duration::from_secs(3));
    }
}
