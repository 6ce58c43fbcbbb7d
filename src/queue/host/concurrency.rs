//! How many requests at a time one host is best sent, found while running
//! (`--workers auto`). Pure: the caller passes the time in.
//!
//! While a host has capacity left, one more request in flight brings more throughput at the
//! same latency. Beyond its capacity, one more brings more latency at the same throughput.
//! So the controller raises the number while latency stands still, and lowers it when
//! latency has risen. This is the idea of TCP Vegas (Brakmo and Peterson, "TCP Vegas: End to
//! End Congestion Avoidance on a Global Internet", IEEE JSAC 13(8), 1995) and of the gradient
//! limits of Netflix's concurrency-limits
//! (<https://github.com/Netflix/concurrency-limits>). Here the allowance for waiting requests
//! is in proportion to the number in flight, so that it is small for a small host too. The
//! controller begins as TCP does, by doubling (RFC 5681, 3.1).
//!
//! Below, a *ratio* is latency now, divided by the least latency that the host has shown.
//!
//! The controller does not deal with refusals; the [brake](crate::queue::host::brake) does.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::queue::host::profile::Profile;
use crate::queue::host::samples::{FEWEST_RECENT, Recent, Round, Times};
use crate::queue::host::whole::whole;

/// The number at first: fewer than the default limit of a host.
const INITIAL: f64 = 12.0;
/// What each answer adds while doubling. With two per answer the number doubles in about the
/// time of one answer, although half of the requests open a connection, which takes as long
/// again.
const DOUBLING_STEP: f64 = 2.0;
/// Doubling ends above this ratio, seen in at least [`FEWEST_RECENT`] answers.
const DOUBLING_END: f64 = 1.2;
/// The number grows only below this ratio.
const GROWS_BELOW: f64 = 1.12;
/// It grows by this part of itself, and by at least one.
const GROWTH: f64 = 0.125;
/// It does not grow where the ratio would exceed this if the added requests only waited.
const GROWS_TO: f64 = 1.2;
/// Below this ratio it grows by [`LEAP`], whatever [`GROWS_TO`] says.
const LEAPS_BELOW: f64 = 1.03;
/// The part of itself that a leap adds.
const LEAP: f64 = 0.25;
/// The number falls above this ratio.
const FALLS_ABOVE: f64 = 1.3;
/// It falls to at most this part of itself: a smaller step would not show whether it helped.
const FALL: f64 = 0.8;
/// A fall aims at this ratio.
const AIM: f64 = 1.1;
/// A round has as many samples as requests in flight, and at least this many.
const FEWEST_SAMPLES: f64 = 8.0;
/// The number grows only where at least this part of it is in use.
const USED: f64 = 0.9;
/// The least latency is measured again after this time, because the way to a host changes.
/// BBR does it every 10 s too (Cardwell et al., "BBR: Congestion-Based Congestion Control",
/// ACM Queue 14(5), 2016).
const MEASURED_EVERY: Duration = Duration::from_secs(10);
/// The part of the number that is in flight during such a measurement.
const MEASURED_WITH: f64 = 0.5;
/// A measurement raises the least latency by at most this factor.
const RISE: f64 = 1.25;
/// A measurement that finds less by more than this factor is repeated with fewer requests.
const LESS: f64 = 1.25;

/// The controller of one host: how many requests may be in flight.
#[derive(Debug, Clone)]
pub(crate) struct ConcurrencyController {
    limit: f64,
    cap: f64,
    stage: Stage,
    /// Requests in flight, by the place of their page in the input.
    marks: HashMap<u64, Mark>,
    /// The most that were in flight at a time.
    most: u32,
    /// The least times of requests on reused connections.
    least: Option<Times>,
    /// The least times of requests on new connections.
    least_on_new: Option<Times>,
    round: Round,
    measured: Option<Instant>,
    /// The last answers, by which doubling ends.
    recent: Recent,
    profile: Profile,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// The number doubles.
    Doubling,
    /// The number goes by rounds.
    Steady,
    /// The next round is the first with fewer requests than `from`, where the ratio was
    /// `ratio`. It shows whether that helped.
    Fallen { from: f64, ratio: f64 },
    /// A round with few requests measures the least latency. Before it the number was
    /// `before`, and the host gave `per_second` answers per second.
    Measuring { before: f64, per_second: f64 },
    /// A round in which the number is reached again. It does not count, because no request
    /// waits yet.
    Resuming,
}

/// What is known of a request when it starts.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    /// Requests in flight then, this one included.
    open: u32,
}

/// An answer, as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// The time until its head.
    pub(crate) wait: Duration,
    /// A connection was opened for it; that time may be a part of the wait.
    pub(crate) is_on_new_connection: bool,
}

/// The number that a controller has settled at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SettledAt {
    /// The number of requests in flight.
    pub(crate) settled: u32,
    /// The least number with nearly the best throughput.
    pub(crate) knee: u32,
    /// The number of answers that this rests on.
    pub(crate) answers: u64,
}

impl ConcurrencyController {
    /// Creates the controller of a host that has had no request yet. It allows at most `cap`.
    pub(crate) fn new(cap: u32) -> Self {
        let cap = f64::from(cap.max(1));
        Self {
            limit: INITIAL.min(cap),
            cap,
            stage: Stage::Doubling,
            marks: HashMap::new(),
            most: 0,
            least: None,
            least_on_new: None,
            round: Round::default(),
            measured: None,
            recent: Recent::default(),
            profile: Profile::default(),
        }
    }

    /// The most requests that may be in flight; at least one.
    pub(crate) fn limit(&self) -> u32 {
        whole(self.limit)
    }

    /// Notes that a request goes out; with it, `open` are in flight.
    pub(crate) fn start(&mut self, seq: u64, open: u32, now: Instant) {
        self.most = self.most.max(open);
        self.marks.insert(seq, Mark { at: now, open });
    }

    /// Notes that a request ended in a way that shows nothing about the host.
    pub(crate) fn forget(&mut self, seq: u64) {
        self.marks.remove(&seq);
    }

    /// Notes that the host refused: doubling has gone too far.
    pub(crate) fn refuse(&mut self) {
        if self.stage == Stage::Doubling {
            self.stage = Stage::Steady;
        }
    }

    /// Notes an answer, with `open` requests in flight until now.
    pub(crate) fn answer(&mut self, seq: u64, answer: Answer, open: u32, now: Instant) {
        let Some(mark) = self.marks.remove(&seq) else { return };
        let turn = now.saturating_duration_since(mark.at).as_secs_f64();
        let times = Times { wait: answer.wait.as_secs_f64(), turn };
        let begun = *self.round.begun.get_or_insert(now);
        self.round.answers += 1;
        if self.stage == Stage::Doubling {
            self.double(times, answer.is_on_new_connection, mark, open);
        }
        // The time that a new connection takes shows little about the host.
        let is_of_round = mark.at >= begun && f64::from(mark.open) <= self.limit;
        if !answer.is_on_new_connection && is_of_round {
            self.round.add(times, mark.open, self.least);
        }
        if self.round.samples >= self.limit.max(FEWEST_SAMPLES) {
            self.end_round(begun, now);
        }
    }

    /// Grows with each answer, until recent ones took longer.
    fn double(&mut self, times: Times, is_on_new: bool, mark: Mark, open: u32) {
        let least = if is_on_new { &mut self.least_on_new } else { &mut self.least };
        let least = least.get_or_insert(times);
        *least = least.min(times);
        let ratio = times.ratio(*least);
        if !is_on_new {
            self.recent.add(ratio, times.wait, mark.open, self.limit);
        }
        if self.recent.answers >= FEWEST_RECENT && self.recent.ratio > DOUBLING_END {
            let needed = self.recent.open / self.recent.ratio;
            if needed < 2.0 * INITIAL {
                // The first requests may have waited for each other, too.
                self.measure(needed, self.recent.open / self.recent.wait);
            } else {
                self.set_limit(needed);
                self.stage = Stage::Resuming;
            }
            self.round = Round::default();
        } else if ratio.max(self.recent.ratio) < GROWS_BELOW
            && f64::from(open) * 2.0 >= self.limit
            && self.limit < 2.0 * f64::from(mark.open).max(INITIAL)
        {
            self.set_limit(self.limit + DOUBLING_STEP);
        }
    }

    /// Goes on with fewer requests than `before`, for one round.
    fn measure(&mut self, before: f64, per_second: f64) {
        self.stage = Stage::Measuring { before, per_second };
        self.set_limit(before * MEASURED_WITH);
    }

    /// Sets the number by what a round with few requests has measured. By Little's law,
    /// requests in flight are answers per second times the seconds that each one takes.
    fn measured(&mut self, mean: Times, before: f64, per_second: f64, now: Instant) {
        let least = self.least.unwrap_or(mean);
        let needed = (per_second * mean.wait * AIM).min(before);
        self.measured = Some(now);
        self.least = Some(mean.min(least.times(RISE)));
        if mean.wait * LESS < least.wait && self.limit >= 2.0 {
            // Before, even so few requests waited for each other, and these may still do.
            self.measure(needed, per_second);
        } else {
            self.stage = Stage::Resuming;
            self.set_limit(needed);
        }
    }

    fn set_limit(&mut self, limit: f64) {
        self.limit = limit.clamp(1.0, self.cap);
    }

    fn end_round(&mut self, begun: Instant, now: Instant) {
        let round = std::mem::replace(&mut self.round, Round::begin(now));
        let mean = round.mean();
        self.profile.add(round.mean_open(), round.answers, now - begun);
        let least = *self.least.get_or_insert(mean);
        let ratio = mean.ratio(least);
        let is_used = round.mean_open() >= USED * self.limit.floor();
        match self.stage {
            Stage::Doubling => return,
            Stage::Resuming => {
                self.stage = Stage::Steady;
                return;
            }
            Stage::Measuring { before, per_second } => {
                return self.measured(mean, before, per_second, now);
            }
            Stage::Fallen { from, ratio: before }
                if is_useless(before, ratio, self.limit / from) =>
            {
                // An answer takes this long, however many requests are in flight.
                self.least = Some(least.max(mean.at_rest(AIM)));
                self.set_limit(from);
                self.stage = Stage::Resuming;
                return;
            }
            Stage::Fallen { .. } | Stage::Steady => self.stage = Stage::Steady,
        }
        self.least = Some(least.min(mean));
        if ratio > FALLS_ABOVE && self.limit > 1.0 {
            self.stage = Stage::Fallen { from: self.limit, ratio };
            self.set_limit((self.limit * FALL.min(AIM / ratio)).min(self.limit - 1.0));
        } else if ratio < GROWS_BELOW && is_used {
            let leaps = ratio < LEAPS_BELOW;
            let grown = self.limit + (self.limit * if leaps { LEAP } else { GROWTH }).max(1.0);
            if leaps || ratio * grown / self.limit < GROWS_TO {
                self.set_limit(grown);
            }
        }
        let measured = *self.measured.get_or_insert(now);
        if self.stage == Stage::Steady && now - measured >= MEASURED_EVERY {
            self.measure(self.limit, round.mean_open() / mean.wait);
        }
    }

    /// Where the number has settled so far; `None` before the first answers.
    pub(crate) fn settled_at(&self) -> Option<SettledAt> {
        let settled = match self.stage {
            Stage::Measuring { before, .. } => before,
            _ => self.limit,
        };
        // A number that was never reached shows nothing.
        let settled = whole(settled.min(f64::from(self.most)));
        // Before it settled, more may have been in flight with nearly as good a throughput.
        let knee = self.profile.knee().map_or(settled, |from| from.min(settled));
        (settled > 0).then_some(SettledAt { settled, knee, answers: self.profile.answers() })
    }
}

/// Whether a fall to `part` of the number did not help: the ratio came down by less than a
/// quarter of what it would have if requests had waited for each other.
fn is_useless(before: f64, after: f64, part: f64) -> bool {
    after > GROWS_BELOW && after > before * (3.0 + part) / 4.0
}
