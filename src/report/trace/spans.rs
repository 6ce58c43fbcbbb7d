//! The spans of a turn: those of its worker, and those of the CPU that computed for it.
//! A turn is one request of a page, with the computing and saving that follow.

use std::time::Duration;

use crate::model::{Attempt, Outcome, Stages, WorkerKind};

/// A lane of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// The computing of an event loop's thread.
    Loop,
    /// A thread of the computing pool.
    Compute(usize),
    /// A worker, with what its page is doing.
    Worker(usize),
    /// A paused host.
    Host(usize),
}

impl Lane {
    /// Whether pages of several workers share the lane.
    pub(super) const fn is_of_cpu(self) -> bool {
        matches!(self, Self::Loop | Self::Compute(_))
    }
}

/// What a span shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// From the request to the answer's headers.
    Waiting,
    /// Receiving the body.
    Receiving,
    /// Waiting for a CPU of the pool, with the answer complete.
    Queued,
    /// Decoding and hashing.
    Computing,
    /// Writing.
    Saving,
    /// The request was redirected.
    Redirected,
    /// The attempt failed, and the page is retried.
    TriedAgain,
    /// The page failed.
    Failed,
    /// The run ended before the page.
    Interrupted,
    /// The host gets no requests.
    Parked,
}

impl Shows {
    /// Whether it is one of the stages that make up a turn.
    pub(super) const fn is_stage(self) -> bool {
        matches!(
            self,
            Self::Waiting | Self::Receiving | Self::Queued | Self::Computing | Self::Saving
        )
    }

    /// The name, and the reserved colour name of the "Trace Event Format", which only
    /// <chrome://tracing> uses; Perfetto chooses a colour for each name.
    pub(super) const fn name_and_colour(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("waiting", "grey"),
            Self::Receiving => ("receiving", "thread_state_runnable"),
            Self::Queued => ("waiting for a CPU", "yellow"),
            Self::Computing => ("computing", "good"),
            Self::Saving => ("saving", "rail_response"),
            Self::Redirected => ("redirected", "olive"),
            Self::TriedAgain => ("failed, to be tried again", "bad"),
            Self::Failed => ("failed", "terrible"),
            Self::Interrupted => ("interrupted", "black"),
            Self::Parked => ("left alone", "bad"),
        }
    }
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnEnd {
    /// The page is settled, in this state.
    Ended(&'static str),
    /// The request was redirected.
    Redirected,
    /// The attempt failed, and the page is retried.
    TriedAgain,
    /// The page failed.
    Failed,
    /// The run ended before the page.
    Interrupted,
}

impl TurnEnd {
    pub(super) const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Failed(_) => Self::Failed,
            Outcome::Interrupted => Self::Interrupted,
            Outcome::Saved { .. } | Outcome::Unchanged | Outcome::Robots => {
                Self::Ended(outcome.state().as_str())
            }
        }
    }

    /// The name of the end, as in the manifest if it has one.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ended(state) => state,
            Self::Redirected => "redirected",
            Self::TriedAgain => "to be tried again",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The span that replaces the stages, because a short failure after a long wait would
    /// hardly be visible behind it.
    const fn shows(self) -> Option<Shows> {
        match self {
            Self::Ended(_) => None,
            Self::Redirected => Some(Shows::Redirected),
            Self::TriedAgain => Some(Shows::TriedAgain),
            Self::Failed => Some(Shows::Failed),
            Self::Interrupted => Some(Shows::Interrupted),
        }
    }
}

/// A part of a turn. Its times count from the turn's start, and it is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) lane: Lane,
    pub(super) shows: Shows,
    pub(super) from: Duration,
    pub(super) until: Duration,
}

/// A turn that is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkerTurn {
    worker: usize,
    length: Duration,
    /// The time from the turn's start to the answer's headers.
    wait: Duration,
    stages: Stages,
    end: TurnEnd,
}

impl WorkerTurn {
    pub(super) const fn redirected(worker: usize, length: Duration) -> Self {
        let (wait, stages) = (Duration::ZERO, Stages::NONE);
        Self { worker, length, wait, stages, end: TurnEnd::Redirected }
    }

    /// The last turn of `attempt`; the turns before it took the time `spent`.
    pub(super) const fn of_attempt(
        worker: usize,
        length: Duration,
        spent: Duration,
        attempt: &Attempt,
        end: TurnEnd,
    ) -> Self {
        let wait = attempt.wait.saturating_sub(spent);
        Self { worker, length, wait, stages: attempt.stages, end }
    }

    /// The spans of the turn. Those of one lane are in order and do not overlap.
    pub(super) fn spans(&self, kind: WorkerKind) -> Vec<Span> {
        let Stages { received, taken_up, computed, saved, thread } = self.stages;
        // A worker that computes by itself takes the answer up at once.
        let until_computing = thread.map_or(received.max(taken_up), |_| received);
        let stages = [
            (Shows::Waiting, self.wait),
            (Shows::Receiving, until_computing),
            (Shows::Queued, taken_up),
            (Shows::Computing, computed),
            (Shows::Saving, saved),
        ];
        let worker = Lane::Worker(self.worker);
        let of_worker = match self.end.shows() {
            None => self.lay(worker, Duration::ZERO, &stages),
            Some(shows) => self.lay(worker, Duration::ZERO, &[(shows, self.length)]),
        };
        let cpu = match kind {
            WorkerKind::Thread | WorkerKind::Process => return of_worker,
            WorkerKind::Task => thread.map_or(Lane::Loop, Lane::Compute),
        };
        let of_cpu = self.lay(cpu, taken_up, &stages[3..]);
        of_worker.into_iter().chain(of_cpu).collect()
    }

    /// Makes spans of consecutive stages, each up to its end, from `start` on and within the
    /// turn.
    fn lay(&self, lane: Lane, start: Duration, stages: &[(Shows, Duration)]) -> Vec<Span> {
        let mut from = start.min(self.length);
        let mut spans = Vec::with_capacity(stages.len());
        for (shows, until) in stages {
            let until = (*until).min(self.length);
            if until > from {
                spans.push(Span { lane, shows: *shows, from, until });
                from = until;
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: TurnEnd = TurnEnd::Ended("saved");

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn turn(stages: [u64; 5], thread: Option<usize>, length: u64, end: TurnEnd) -> WorkerTurn {
        let [wait, received, taken_up, computed, saved] = stages.map(millis);
        let stages = Stages { received, taken_up, computed, saved, thread };
        WorkerTurn { worker: 3, length: millis(length), wait, stages, end }
    }

    fn drawn(turn: &WorkerTurn, kind: WorkerKind) -> Vec<(Lane, &'static str, u128, u128)> {
        let spans = turn.spans(kind).into_iter();
        spans
            .map(|Span { lane, shows, from, until }| {
                (lane, shows.name_and_colour().0, from.as_millis(), until.as_millis())
            })
            .collect()
    }

    #[test]
    fn a_thread_does_all_by_itself() {
        let turn = turn([100, 110, 110, 114, 115], None, 116, SAVED);
        let lane = Lane::Worker(3);
        let expected = [
            (lane, "waiting", 0, 100),
            (lane, "receiving", 100, 110),
            (lane, "computing", 110, 114),
            (lane, "saving", 114, 115),
        ];
        assert_eq!(drawn(&turn, WorkerKind::Thread), expected);
        assert_eq!(drawn(&turn, WorkerKind::Process), expected);
    }

    #[test]
    fn what_a_loop_computes_is_in_the_lane_of_the_loop_too() {
        let turn = turn([100, 110, 110, 114, 115], None, 116, SAVED);
        let drawn = drawn(&turn, WorkerKind::Task);
        assert_eq!(
            drawn[4..],
            [(Lane::Loop, "computing", 110, 114), (Lane::Loop, "saving", 114, 115)]
        );
        assert_eq!(drawn.len(), 6);
    }

    #[test]
    fn a_pool_computes_as_soon_as_it_has_a_thread() {
        let turn = turn([100, 110, 150, 154, 155], Some(1), 156, SAVED);
        let (worker, cpu) = (Lane::Worker(3), Lane::Compute(1));
        assert_eq!(
            drawn(&turn, WorkerKind::Task),
            [
                (worker, "waiting", 0, 100),
                (worker, "receiving", 100, 110),
                (worker, "waiting for a CPU", 110, 150),
                (worker, "computing", 150, 154),
                (worker, "saving", 154, 155),
                (cpu, "computing", 150, 154),
                (cpu, "saving", 154, 155),
            ]
        );
    }

    #[test]
    fn what_went_wrong_covers_the_whole_turn() {
        for (end, name) in [
            (TurnEnd::TriedAgain, "failed, to be tried again"),
            (TurnEnd::Failed, "failed"),
            (TurnEnd::Interrupted, "interrupted"),
        ] {
            let turn = turn([100, 110, 0, 0, 0], None, 116, end);
            assert_eq!(drawn(&turn, WorkerKind::Task), [(Lane::Worker(3), name, 0, 116)]);
        }
        let redirected = WorkerTurn::redirected(3, millis(7));
        let expected = [(Lane::Worker(3), "redirected", 0, 7)];
        assert_eq!(drawn(&redirected, WorkerKind::Task), expected);
    }

    #[test]
    fn nothing_reaches_beyond_its_turn() {
        let turn = turn([100, 90, 300, 200, 400], Some(0), 150, SAVED);
        for kind in [WorkerKind::Thread, WorkerKind::Task] {
            let spans = drawn(&turn, kind);
            assert!(
                spans.iter().all(|(_, _, from, until)| from < until && *until <= 150),
                "{spans:?}"
            );
        }
    }

    #[test]
    fn redirects_before_the_last_turn_are_not_a_part_of_its_wait() {
        let outcome = Outcome::Unchanged;
        let stages = Stages { received: millis(40), ..Stages::NONE };
        let attempt = Attempt { wait: millis(130), stages, ..Attempt::without_answer(outcome) };
        let end = TurnEnd::of(&attempt.outcome);
        let turn = WorkerTurn::of_attempt(3, millis(40), millis(100), &attempt, end);
        let lane = Lane::Worker(3);
        let expected = [(lane, "waiting", 0, 30), (lane, "receiving", 30, 40)];
        assert_eq!(drawn(&turn, WorkerKind::Thread), expected);
    }
}
