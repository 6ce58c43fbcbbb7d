//! Progress while a run goes on: a bar on a terminal, a plain line every few seconds
//! elsewhere, and one line for each failure.

use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

use super::bar::Bar;
use super::human;
use super::watch::Watch;
use crate::event::{Event, Observer, ObserverError};
use crate::message::plural;
use crate::model::{Outcome, Settled, short_url};
use crate::printable::Printable;

/// The interval between plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// At most this many failures have a line each.
const FAILURES_SHOWN: u64 = 20;
/// At most this many entries that are not a URL have a line each.
pub(crate) const INVALID_REPORTED: u64 = 20;

/// The look of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// A bar that is redrawn in place.
    Bar,
    /// A line every few seconds.
    Plain,
    /// No progress.
    None,
}

/// The kinds of lines that are reported in addition to the progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Errors only: failed pages, and the error that ends the run (`-q`).
    Quiet,
    /// Failures and warnings.
    Usual,
    /// Every page (`-v`).
    Verbose,
}

/// The observer that reports progress.
pub(crate) struct Progress {
    out: Box<dyn Write + Send>,
    bar: Option<Bar>,
    style: Style,
    detail: Detail,
    started: Instant,
    next_line: Instant,
    total: Option<u64>,
    settled: u64,
    failed: u64,
    bytes: u64,
    invalid: u64,
    watch: Watch,
}

impl Progress {
    /// Reports on `out`, which should be standard error, from `now` on.
    pub(crate) fn new(
        style: Style,
        detail: Detail,
        out: Box<dyn Write + Send>,
        now: Instant,
    ) -> Self {
        Self {
            out,
            bar: (style == Style::Bar).then(Bar::new),
            style,
            detail,
            started: now,
            next_line: now + PLAIN_EVERY,
            total: None,
            settled: 0,
            failed: 0,
            bytes: 0,
            invalid: 0,
            watch: Watch::default(),
        }
    }

    /// Removes the bar, and counts the failures and entries that had no line.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
        if self.failed > FAILURES_SHOWN && self.detail != Detail::Verbose {
            let more = self.failed - FAILURES_SHOWN;
            let pages = plural(more, "page");
            self.print(format_args!("{more} more {pages} failed: see manifest"));
        }
        if self.invalid > INVALID_REPORTED && self.detail == Detail::Usual {
            let more = self.invalid - INVALID_REPORTED;
            let entries = if more == 1 { "entry is" } else { "entries are" };
            self.print(format_args!("warning: {more} more {entries} not an http(s) URL"));
        }
    }

    /// Prints one line above the bar. A closed standard error does not stop the run.
    fn print(&mut self, line: impl Display) {
        let line = Printable::line(line);
        let out = &mut self.out;
        let mut write = || {
            let _ = out.write_all(line.as_str().as_bytes());
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn on_settled(&mut self, settled: &Settled) {
        self.settled += 1;
        if let Some(bar) = &self.bar {
            bar.advance();
        }
        let url = short_url(&settled.job.url);
        match &settled.attempt.outcome {
            Outcome::Saved { bytes, .. } => {
                self.bytes += bytes;
                if self.detail == Detail::Verbose {
                    let (size, time) = (human::bytes(*bytes), human::seconds(settled.total));
                    self.print(format_args!("saved {} ({size}, {time}) {url}", settled.job.key));
                }
            }
            Outcome::Failed(failure) => {
                self.failed += 1;
                let is_shown = match self.detail {
                    Detail::Quiet | Detail::Usual => self.failed <= FAILURES_SHOWN,
                    Detail::Verbose => true,
                };
                if is_shown {
                    let tries = match settled.job.attempts {
                        0 | 1 => String::new(),
                        n => format!(" after {n} tries"),
                    };
                    self.print(format_args!(
                        "failed {url}: {}{tries} ({})",
                        failure.message, failure.code
                    ));
                }
            }
            Outcome::Unchanged | Outcome::Robots | Outcome::Interrupted => {
                if self.detail == Detail::Verbose {
                    let state = settled.attempt.outcome.state().as_str();
                    self.print(format_args!("{state} {url}"));
                }
            }
        }
    }

    /// Settled pages per second since the start.
    fn rate(&self, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.started).as_secs_f64();
        if elapsed > 0.0 { self.settled as f64 / elapsed } else { 0.0 }
    }

    /// The number of pages that are not settled yet; `None` until the input has ended.
    fn left(&self) -> Option<u64> {
        self.total.map(|total| total.saturating_sub(self.settled))
    }

    fn plain_line(&self, now: Instant) -> String {
        let rate = self.rate(now);
        let of = self.total.map_or_else(|| "?".into(), |total| total.to_string());
        let mut line = format!(
            "{}/{of} pages, {rate:.1}/s, {}, {} failed",
            self.settled,
            human::bytes(self.bytes),
            self.failed
        );
        if let Some(total) = self.total.filter(|_| rate > 0.0) {
            let left = total.saturating_sub(self.settled) as f64 / rate;
            line += &format!(", {left:.0} s left");
        }
        line
    }
}

impl Observer for Progress {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        self.watch.on_event(event);
        match event {
            Event::Settled(settled) => self.on_settled(settled),
            Event::InputEnded { pages } => {
                self.total = Some(*pages);
                if let Some(bar) = &self.bar {
                    bar.set_end(*pages);
                }
            }
            Event::Invalid { place, reason } => {
                self.invalid += 1;
                if self.detail == Detail::Verbose
                    || (self.detail == Detail::Usual && self.invalid <= INVALID_REPORTED)
                {
                    self.print(format_args!("warning: {place}: {reason}"));
                }
            }
            Event::Warning(text) if self.detail != Detail::Quiet => {
                self.print(format_args!("warning: {text}"));
            }
            Event::Retrying { job, attempt, after, .. } if self.detail == Detail::Verbose => {
                let Outcome::Failed(failure) = &attempt.outcome else {
                    unreachable!("only failures are retried");
                };
                let url = short_url(&job.url);
                let after = human::seconds(*after);
                self.print(format_args!(
                    "again in {after}: {url}: {} ({})",
                    failure.message, failure.code
                ));
            }
            Event::Note(text) if self.detail != Detail::Quiet => {
                self.print(format_args!("note: {text}"));
            }
            Event::Started { .. }
            | Event::SideRequestStarted { .. }
            | Event::SideRequestEnded { .. }
            | Event::Onward { .. }
            | Event::Parked { .. }
            | Event::Warning(_)
            | Event::Note(_)
            | Event::Retrying { .. } => (),
        }
        Ok(())
    }

    fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
        if let Some(bar) = &self.bar {
            let failed = match self.failed {
                0 => String::new(),
                n => format!("  {n} failed"),
            };
            let rate = self.rate(now);
            let size = human::bytes(self.bytes);
            let beside = Printable::line(format_args!("{rate:.1}/s  {size}{failed}"));
            let left = self.left();
            let mut below = Printable::default();
            self.watch.lines(now, left).iter().for_each(|line| below.add(line));
            bar.show(&beside, &below);
        }
        if self.style == Style::Plain && now >= self.next_line {
            self.next_line = now + PLAIN_EVERY;
            let left = self.left();
            let holding = self.watch.lines(now, left);
            let line = self.plain_line(now);
            self.print(std::iter::once(line).chain(holding).collect::<Vec<_>>().join("; "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::model::{Attempt, Failure, FailureCode, Job, Key, Stored};
    use crate::report::captured::Captured;

    fn settled(seq: u64, outcome: Outcome) -> Event {
        let url = Url::parse(&format!("http://a.org/{seq}")).unwrap();
        let key = Key::new(format!("{seq}.html")).unwrap();
        Event::Settled(Box::new(Settled {
            job: Job { attempts: 2, ..Job::new(seq, url, key) },
            attempt: Attempt::without_answer(outcome),
            worker: Some(0),
            started: None,
            total: Duration::from_millis(250),
        }))
    }

    fn printed(style: Style, detail: Detail) -> String {
        let clock = ManualClock::new();
        let captured = Captured::default();
        let mut progress = Progress::new(style, detail, Box::new(captured.clone()), clock.now());
        let saved = Outcome::Saved { bytes: 1_500_000, sha256: [0; 32], stored: Stored::Key };
        let failed = Outcome::Failed(Failure::new(FailureCode::Reset, "connection\u{1b}[2J reset"));
        for event in [
            Event::InputEnded { pages: 20 },
            settled(0, saved.clone()),
            settled(1, failed),
            settled(2, saved),
            Event::Invalid { place: "line 4".into(), reason: "no URL".into() },
            Event::Warning("a part is missing".into()),
        ] {
            progress.on_event(&event).unwrap();
        }
        progress.on_batch_end(clock.now()).unwrap();
        clock.advance(PLAIN_EVERY);
        progress.on_batch_end(clock.now()).unwrap();
        progress.on_batch_end(clock.now()).unwrap();
        progress.finish();
        String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
    }

    const FAILED: &str =
        "failed http://a.org/1: connection\u{fffd}[2J reset after 2 tries (reset)\n";
    const WARNED: &str = "warning: line 4: no URL\nwarning: a part is missing\n";

    #[test]
    fn plain_progress_is_a_line_every_few_seconds() {
        let line = "3/20 pages, 0.6/s, 3.0 MB, 1 failed, 28 s left\n";
        assert_eq!(printed(Style::Plain, Detail::Usual), format!("{FAILED}{WARNED}{line}"));
    }

    #[test]
    fn detail_decides_what_is_shown_beside_it() {
        assert_eq!(printed(Style::None, Detail::Quiet), FAILED);
        assert_eq!(printed(Style::None, Detail::Usual), format!("{FAILED}{WARNED}"));
        let saved = |seq| format!("saved {seq}.html (1.5 MB, 0.25 s) http://a.org/{seq}\n");
        let all = format!("{}{FAILED}{}{WARNED}", saved(0), saved(2));
        assert_eq!(printed(Style::None, Detail::Verbose), all);
    }
}
