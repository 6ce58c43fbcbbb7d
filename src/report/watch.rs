//! What delays a run: paused hosts, near the end the slowest pages, and requests that
//! pages wait for, such as one for a robots.txt.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use url::Url;

use super::human;
use crate::event::Event;
use crate::foreign::Foreign;
use crate::in_flight::{Phase, ProgressView};
use crate::message::{self, plural};
use crate::model::shown_url;

/// At most this many hosts or pages are named.
const NAMED: usize = 3;
/// Shorter pauses are not reported, and younger pages are not slow.
const NOTEWORTHY: Duration = Duration::from_secs(1);

/// Finds the hosts, pages and requests that delay the run.
#[derive(Default)]
pub(super) struct Watch {
    /// The end and the reason of each host's pause.
    parked: BTreeMap<String, (Instant, Foreign)>,
    /// Requests for pages in flight, by the page's place in the input.
    in_flight: HashMap<u64, Flight>,
    /// Other requests in flight, by the address of their first request.
    aside: HashMap<Url, Flight>,
    /// The time at which the last request for a page began.
    last_started: Option<Instant>,
}

struct Flight {
    at: Instant,
    url: Url,
    progress: ProgressView,
}

impl Watch {
    pub(super) fn on_event(&mut self, event: &Event) {
        match event {
            Event::Started { seq, at, url, progress, .. } => {
                let flight = Flight { at: *at, url: url.clone(), progress: progress.clone() };
                self.in_flight.insert(*seq, flight);
                self.last_started = self.last_started.max(Some(*at));
            }
            Event::SideRequestStarted { start_url, url, at, progress } => {
                let flight = Flight { at: *at, url: url.clone(), progress: progress.clone() };
                self.aside.insert(start_url.clone(), flight);
            }
            Event::SideRequestEnded { start_url } => drop(self.aside.remove(start_url)),
            Event::Onward { seq, .. } => drop(self.in_flight.remove(seq)),
            Event::Retrying { job, .. } => drop(self.in_flight.remove(&job.seq)),
            Event::Settled(settled) => drop(self.in_flight.remove(&settled.job.seq)),
            Event::Parked { host, until, why, .. } => {
                self.parked.insert(host.clone(), (*until, why.clone()));
            }
            _ => (),
        }
    }

    /// Describes what delays the run at `now`, a line each. `left` is the number of pages
    /// that are not settled, if it is known.
    pub(super) fn lines(&mut self, now: Instant, left: Option<u64>) -> Vec<String> {
        let mut lines = self.parked(now);
        if self.is_held_up(now, left) {
            lines.extend(self.stragglers(now));
        }
        lines
    }

    /// Whether all of the `left` pages are in flight, or the others wait for another
    /// request: it is slow, and no page has begun since.
    fn is_held_up(&self, now: Instant, left: Option<u64>) -> bool {
        let is_slow = |at: Instant| now.saturating_duration_since(at) >= NOTEWORTHY;
        left.is_some_and(|left| left <= self.in_flight.len() as u64)
            || self.aside.values().any(|flight| is_slow(flight.at))
                && self.last_started.is_none_or(is_slow)
    }

    fn parked(&mut self, now: Instant) -> Vec<String> {
        self.parked.retain(|_, (until, _)| *until > now);
        let mut parked: Vec<_> = self
            .parked
            .iter()
            .map(|(host, (until, why))| (*until - now, host, why))
            .filter(|(pause, ..)| *pause >= NOTEWORTHY)
            .collect();
        parked.sort_by(|a, b| b.cmp(a));
        let more = parked.len().saturating_sub(NAMED);
        let named = parked.into_iter().take(NAMED).map(|(pause, host, why)| {
            format!("{host} paused {:.0} s ({why})", pause.as_secs_f64().ceil())
        });
        named
            .chain(
                (more > 0).then(|| format!("{more} more {} paused", plural(more as u64, "host"))),
            )
            .collect()
    }

    fn stragglers(&self, now: Instant) -> Option<String> {
        let mut slow: Vec<_> = self
            .in_flight
            .values()
            .chain(self.aside.values())
            .filter(|flight| now.saturating_duration_since(flight.at) >= NOTEWORTHY)
            .collect();
        slow.sort_by_key(|flight| flight.at);
        let named: Vec<_> = slow.iter().take(NAMED).map(|flight| flight.describe(now)).collect();
        (!named.is_empty()).then(|| format!("waiting for {}", named.join(", ")))
    }
}

impl Flight {
    fn describe(&self, now: Instant) -> String {
        let phase = match self.progress.get() {
            Phase::Connecting => "connecting".to_owned(),
            Phase::Waiting => "no answer yet".to_owned(),
            Phase::Receiving => format!("{} so far", human::bytes(self.progress.bytes())),
            Phase::Working => "saving".to_owned(),
            Phase::HeldBack => "held back by --max-memory".to_owned(),
        };
        let age = now.saturating_duration_since(self.at).as_secs();
        format!("{} ({phase}, {age} s)", message::excerpt(&shown_url(&self.url)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn started(seq: u64, at: Instant) -> (Event, ProgressView) {
        let progress = ProgressView::default();
        let url = Url::parse(&format!("http://a.org/{seq}")).unwrap();
        (
            Event::Started {
                seq,
                at,
                worker: 0,
                spent: Duration::ZERO,
                url,
                progress: progress.clone(),
            },
            progress,
        )
    }

    #[test]
    fn parked_hosts_are_named_with_the_time_that_is_left() {
        let clock = ManualClock::new();
        let mut watch = Watch::default();
        for (host, seconds) in [("a.org", 3), ("en.wikipedia.org", 60), ("b.org", 1)] {
            let from = clock.now();
            let until = from + Duration::from_secs(seconds);
            let why = format!("429, Retry-After {seconds}").into();
            watch.on_event(&Event::Parked { host: host.into(), from, until, why });
        }
        clock.advance(Duration::from_secs(2));
        assert_eq!(
            watch.lines(clock.now(), None),
            [
                "en.wikipedia.org paused 58 s (429, Retry-After 60)",
                "a.org paused 1 s (429, Retry-After 3)"
            ]
        );
        clock.advance(Duration::from_secs(58));
        assert!(watch.lines(clock.now(), None).is_empty());
    }

    #[test]
    fn the_slowest_pages_are_named_when_nothing_else_is_left() {
        let clock = ManualClock::new();
        let mut watch = Watch::default();
        let phases = [Phase::Connecting, Phase::Receiving, Phase::Waiting];
        for (seq, phase) in (0..).zip(phases) {
            let (event, cell) = started(seq, clock.now());
            cell.set(phase);
            cell.set_bytes(12_300);
            watch.on_event(&event);
            clock.advance(Duration::from_secs(4));
        }
        watch.on_event(&started(7, clock.now()).0);
        assert!(watch.lines(clock.now(), Some(5)).is_empty());
        assert_eq!(
            watch.lines(clock.now(), Some(4)),
            [
                "waiting for http://a.org/0 (connecting, 12 s), http://a.org/1 (12.3 kB so far, 8 s), \
              http://a.org/2 (no answer yet, 4 s)"
            ]
        );
        watch.on_event(&Event::Onward { seq: 0, at: clock.now() });
        let lines = watch.lines(clock.now(), Some(3));
        assert!(lines[0].starts_with("waiting for http://a.org/1"), "{lines:?}");
    }

    fn robots_started(at: Instant) -> (Event, Url) {
        let start_url = Url::parse("http://b.org/robots.txt").unwrap();
        let progress = ProgressView::default();
        progress.set(Phase::Waiting);
        let url = start_url.clone();
        (Event::SideRequestStarted { start_url: start_url.clone(), url, at, progress }, start_url)
    }

    #[test]
    fn a_request_that_pages_wait_for_is_named_among_the_slowest() {
        let clock = ManualClock::new();
        let mut watch = Watch::default();
        let (event, start_url) = robots_started(clock.now());
        watch.on_event(&event);
        assert!(watch.lines(clock.now(), Some(20)).is_empty(), "it is young");
        clock.advance(Duration::from_secs(5));
        let waiting = "waiting for http://b.org/robots.txt (no answer yet, 5 s)";
        assert_eq!(watch.lines(clock.now(), Some(20)), [waiting]);
        assert_eq!(watch.lines(clock.now(), None), [waiting], "more input may wait for it too");
        // Pages of another host go on meanwhile.
        let (page, cell) = started(7, clock.now());
        cell.set(Phase::Waiting);
        watch.on_event(&page);
        assert!(watch.lines(clock.now(), Some(20)).is_empty());
        assert_eq!(watch.lines(clock.now(), Some(1)), [waiting]);
        clock.advance(Duration::from_secs(1));
        assert_eq!(
            watch.lines(clock.now(), Some(20)),
            [
                "waiting for http://b.org/robots.txt (no answer yet, 6 s), http://a.org/7 (no answer \
              yet, 1 s)"
            ]
        );
        watch.on_event(&Event::SideRequestEnded { start_url });
        let lines = watch.lines(clock.now(), Some(1));
        assert_eq!(lines, ["waiting for http://a.org/7 (no answer yet, 1 s)"]);
    }
}
