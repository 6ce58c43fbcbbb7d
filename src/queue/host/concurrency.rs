//! How many requests at a time one host is best sent, found while running
//! (`--workers auto`). Pure: the caller passes the time in.
//!
//! Below a host's capacity one more request in flight brings more throughput at
//! the same latency; above it, more latency at the same throughput. So the
//! number grows while latency stands still and falls when it has risen: the idea
//! of TCP Vegas (Brakmo and Peterson, "TCP Vegas: End to End Congestion Avoidance
//! on a Global Internet", IEEE JSAC 13(8), 1995) and of the gradient limits of
//! Netflix's concurrency-limits (<https://github.com/Netflix/concurrency-limits>).
//! The allowance for waiting requests is in proportion to their number, so that
//! it is small for a small host too. It begins as TCP does, by doubling (RFC 5681, 3.1).
//!
//! What a host refuses is not its matter: the brake of [`pace`](crate::queue::host::pace) is.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::queue::host::profile::Profile;

/// Requests at first: fewer than the default limit of a host.
const FIRST: f64 = 12.0;
/// What each answer adds at first: the requests double from one to the next, although
/// half of them open a connection, which takes as long again.
const FIRST_STEP: f64 = 2.0;
/// The first growth ends at this ratio of latency to the least.
const FIRST_END: f64 = 1.2;
/// The number of answers that it takes to see that.
const FEWEST_RECENT: u32 = 6;
/// Below this ratio the number grows,
const GROWS_BELOW: f64 = 1.12;
/// by this part of it, and by one at least;
const GROWTH: f64 = 0.125;
/// but not where the ratio would be more than this if they only wait for each other;
const GROWS_TO: f64 = 1.2;
/// and below this ratio
const LEAPS_BELOW: f64 = 1.03;
/// by this part in any case.
const LEAP: f64 = 0.25;
/// Above this ratio it falls,
const FALLS_ABOVE: f64 = 1.3;
/// to at most this part of it: less would not show whether it helped.
const FALL: f64 = 0.8;
/// A fall aims at this ratio.
const AIM: f64 = 1.1;
/// The whole turn of a page, which differs more than the wait for its answer,
/// may grow by this factor more.
const TURN_SHARE: f64 = 0.8;
/// Seconds that show nothing: threads and timers wake late.
const TOLERANCE: f64 = 0.003;
/// One sample counts as at most this many times the least latency.
const LONGEST: f64 = 4.0;
/// A round is as many samples as requests in flight, and at least this many.
const FEWEST_SAMPLES: f64 = 8.0;
/// It only grows where this part of it is in use.
const USED: f64 = 0.9;
/// The least latency is measured again from time to time, because the way to a
/// host changes (BBR does it every 10 s: Cardwell et al., "BBR: Congestion-Based
/// Congestion Control", ACM Queue 14(5), 2016), with this part of the number.
const MEASURED_EVERY: Duration = Duration::from_secs(10);
const MEASURED_WITH: f64 = 0.5;
/// It rises by at most this factor at a time.
const RISE: f64 = 1.25;
/// Where it is less by more than this factor, it is measured again with fewer still.
const LESS: f64 = 1.25;

/// The number of requests in flight, for one host.
#[derive(Debug, Clone)]
pub(crate) struct ConcurrencyController {
    limit: f64,
    cap: f64,
    stage: Stage,
    /// Requests in flight, by the place of their page in the input.
    marks: HashMap<u64, Mark>,
    /// The most that were in flight at a time.
    most: u32,
    /// The least times, of requests on kept connections and on new ones.
    least: Option<Times>,
    least_on_new: Option<Times>,
    round: Round,
    measured: Option<Instant>,
    /// What the first growth goes by.
    recent: Recent,
    profile: Profile,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// Doubling.
    First,
    /// Going by rounds.
    Usual,
    /// The last round was the first with fewer requests: did that help?
    Fallen { from: f64, ratio: f64 },
    /// A round with few requests, to measure the least latency. Before it, the host
    /// gave `per_second` answers a second.
    Measuring { before: f64, per_second: f64 },
    /// A round after which the number is again what it was: no request waits yet.
    Resuming,
}

/// What is known of a request at its start.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    /// Requests in flight then, this one too.
    open: u32,
}

/// An answer, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The time until its head.
    pub wait: Duration,
    /// A connection was opened for it, whose opening may be a part of that time.
    pub is_on_new_connection: bool,
}

/// Seconds until the answer, and until the page was done with.
#[derive(Debug, Clone, Copy)]
struct Times {
    wait: f64,
    turn: f64,
}

/// Running means of the last answers.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    answers: u32,
    ratio: f64,
    wait: f64,
    open: f64,
}

/// Sums over the samples of a round.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    begun: Option<Instant>,
    samples: f64,
    wait: f64,
    turn: f64,
    open: f64,
    /// All answers since it began.
    answers: u32,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledAt {
    /// The number of requests in flight.
    pub settled: u32,
    /// The least number with nearly the best throughput.
    pub knee: u32,
    /// Answers that this rests on.
    pub answers: u64,
}

impl ConcurrencyController {
    /// Begins anew, with at most `cap` requests.
    pub(crate) fn new(cap: u32) -> Self {
        let cap = f64::from(cap.max(1));
        Self {
            limit: FIRST.min(cap),
            cap,
            stage: Stage::First,
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

    /// Requests in flight at most; one at least.
    pub(crate) fn limit(&self) -> u32 {
        whole(self.limit)
    }

    /// Notes that a request goes out, as the `open`th.
    pub(crate) fn start(&mut self, seq: u64, open: u32, now: Instant) {
        self.most = self.most.max(open);
        self.marks.insert(seq, Mark { at: now, open });
    }

    /// Notes that a request ended in a way that says nothing.
    pub(crate) fn forget(&mut self, seq: u64) {
        self.marks.remove(&seq);
    }

    /// Notes that the host refused: the first growth has gone too far.
    pub(crate) fn refuse(&mut self) {
        if self.stage == Stage::First {
            self.stage = Stage::Usual;
        }
    }

    /// Notes an answer, with `open` requests in flight until now.
    pub(crate) fn answer(&mut self, seq: u64, answer: Answer, open: u32, now: Instant) {
        let Some(mark) = self.marks.remove(&seq) else { return };
        let turn = now.saturating_duration_since(mark.at).as_secs_f64();
        let times = Times { wait: answer.wait.as_secs_f64(), turn };
        let begun = *self.round.begun.get_or_insert(now);
        self.round.answers += 1;
        if self.stage == Stage::First {
            self.grow(times, answer.is_on_new_connection, mark, open);
        }
        // What opening a connection takes says little of the host.
        let is_of_round = mark.at >= begun && f64::from(mark.open) <= self.limit;
        if !answer.is_on_new_connection && is_of_round {
            let least = self.least.map_or(times.wait, |least| least.wait);
            self.round.samples += 1.0;
            self.round.wait += times.wait.min(LONGEST * least + TOLERANCE);
            self.round.turn += times.turn;
            self.round.open += f64::from(mark.open);
        }
        if self.round.samples >= self.limit.max(FEWEST_SAMPLES) {
            self.end_round(begun, now);
        }
    }

    /// The first growth: with each answer, until recent ones took longer.
    fn grow(&mut self, times: Times, is_on_new: bool, mark: Mark, open: u32) {
        let least = if is_on_new { &mut self.least_on_new } else { &mut self.least };
        let least = least.get_or_insert(times);
        *least = least.min(times);
        let ratio = times.ratio(*least);
        if !is_on_new {
            self.recent.add(ratio, times.wait, mark.open, self.limit);
        }
        if self.recent.answers >= FEWEST_RECENT && self.recent.ratio > FIRST_END {
            let needed = self.recent.open / self.recent.ratio;
            if needed < 2.0 * FIRST {
                // The first ones may have waited for each other too.
                self.measure(needed, self.recent.open / self.recent.wait);
            } else {
                self.set(needed);
                self.stage = Stage::Resuming;
            }
            self.round = Round::default();
        } else if ratio.max(self.recent.ratio) < GROWS_BELOW
            && f64::from(open) * 2.0 >= self.limit
            && self.limit < 2.0 * f64::from(mark.open).max(FIRST)
        {
            self.set(self.limit + FIRST_STEP);
        }
    }

    /// Goes on with few requests for a round, instead of `before`.
    fn measure(&mut self, before: f64, per_second: f64) {
        self.stage = Stage::Measuring { before, per_second };
        self.set(before * MEASURED_WITH);
    }

    /// Goes by what a round with few requests has measured: by Little's law as many
    /// are in flight as come a second, times the seconds that each one takes.
    fn measured(&mut self, mean: Times, before: f64, per_second: f64, now: Instant) {
        let least = self.least.unwrap_or(mean);
        let needed = (per_second * mean.wait * AIM).min(before);
        self.measured = Some(now);
        self.least = Some(mean.min(least.times(RISE)));
        if mean.wait * LESS < least.wait && self.limit >= 2.0 {
            // Even so few waited for each other before; perhaps they still do.
            self.measure(needed, per_second);
        } else {
            self.stage = Stage::Resuming;
            self.set(needed);
        }
    }

    fn set(&mut self, limit: f64) {
        self.limit = limit.clamp(1.0, self.cap);
    }

    fn end_round(&mut self, begun: Instant, now: Instant) {
        let round =
            std::mem::replace(&mut self.round, Round { begun: Some(now), ..Round::default() });
        let mean = round.mean();
        self.profile.add(round.mean_open(), round.answers, now - begun);
        let least = *self.least.get_or_insert(mean);
        let ratio = mean.ratio(least);
        let is_used = round.mean_open() >= USED * self.limit.floor();
        match self.stage {
            Stage::First => return,
            Stage::Resuming => {
                self.stage = Stage::Usual;
                return;
            }
            Stage::Measuring { before, per_second } => {
                return self.measured(mean, before, per_second, now);
            }
            Stage::Fallen { from, ratio: before }
                if is_useless(before, ratio, self.limit / from) =>
            {
                // An answer takes this long, whatever is in flight.
                self.least = Some(least.max(mean.at_rest()));
                self.set(from);
                self.stage = Stage::Resuming;
                return;
            }
            Stage::Fallen { .. } | Stage::Usual => self.stage = Stage::Usual,
        }
        self.least = Some(least.min(mean));
        if ratio > FALLS_ABOVE && self.limit > 1.0 {
            self.stage = Stage::Fallen { from: self.limit, ratio };
            self.set((self.limit * FALL.min(AIM / ratio)).min(self.limit - 1.0));
        } else if ratio < GROWS_BELOW && is_used {
            let leaps = ratio < LEAPS_BELOW;
            let grown = self.limit + (self.limit * if leaps { LEAP } else { GROWTH }).max(1.0);
            if leaps || ratio * grown / self.limit < GROWS_TO {
                self.set(grown);
            }
        }
        let measured = *self.measured.get_or_insert(now);
        if self.stage == Stage::Usual && now - measured >= MEASURED_EVERY {
            self.measure(self.limit, round.mean_open() / mean.wait);
        }
    }

    /// What was found so far; `None` before the first answers.
    pub(crate) fn found(&self) -> Option<SettledAt> {
        let settled = match self.stage {
            Stage::Measuring { before, .. } => before,
            _ => self.limit,
        };
        // A number that was never reached says nothing.
        let settled = whole(settled.min(f64::from(self.most)));
        // More may have been in flight, and nearly as good, before it settled.
        let knee = self.profile.knee().map_or(settled, |from| from.min(settled));
        (settled > 0).then_some(SettledAt { settled, knee, answers: self.profile.answers() })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
fn whole(number: f64) -> u32 {
    number as u32
}

/// Whether having `part` of the requests in flight has not brought the ratio down
/// by even a quarter of what it would have if requests had waited for each other.
fn is_useless(before: f64, after: f64, part: f64) -> bool {
    after > GROWS_BELOW && after > before * (3.0 + part) / 4.0
}

impl Times {
    fn min(self, other: Self) -> Self {
        Self { wait: self.wait.min(other.wait), turn: self.turn.min(other.turn) }
    }

    fn max(self, other: Self) -> Self {
        Self { wait: self.wait.max(other.wait), turn: self.turn.max(other.turn) }
    }

    fn times(self, factor: f64) -> Self {
        Self { wait: self.wait * factor, turn: self.turn * factor }
    }

    /// The least times with which these are as they should be.
    fn at_rest(self) -> Self {
        let at_rest = |time: f64, aim: f64| (time - TOLERANCE).max(0.0) / aim;
        Self { wait: at_rest(self.wait, AIM), turn: at_rest(self.turn, AIM / TURN_SHARE) }
    }

    /// How many times the least these are.
    fn ratio(self, least: Self) -> f64 {
        let ratio = |time: f64, least: f64| (time - TOLERANCE) / least.max(1e-6);
        let (wait, turn) = (ratio(self.wait, least.wait), ratio(self.turn, least.turn));
        wait.max(turn * TURN_SHARE).max(1.0)
    }
}

impl Recent {
    /// Adds an answer; a quarter of those in flight count, and some at least.
    fn add(&mut self, ratio: f64, wait: f64, open: u32, limit: f64) {
        self.answers += 1;
        let answers = (limit / 4.0).max(f64::from(FEWEST_RECENT));
        let share = 1.0 / answers.min(f64::from(self.answers));
        self.ratio += (ratio - self.ratio) * share;
        self.wait += (wait - self.wait) * share;
        self.open += (f64::from(open) - self.open) * share;
    }
}

impl Round {
    fn mean(&self) -> Times {
        Times { wait: self.wait / self.samples, turn: self.turn / self.samples }
    }

    fn mean_open(&self) -> f64 {
        self.open / self.samples
    }
}

#[cfg(test)]
#[path = "../tests/gradient_cases.rs"]
mod tests;
