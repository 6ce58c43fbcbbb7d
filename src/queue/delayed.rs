//! Jobs between two attempts, by the moment when each may go again. Pure.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::model::Job;

/// Jobs that wait for a moment. Of those that are due at the same moment, the one that came
/// first in the input goes first.
#[derive(Debug, Default)]
pub(super) struct DelayedJobs(BinaryHeap<Reverse<Delayed>>);

#[derive(Debug)]
struct Delayed {
    due: Instant,
    job: Job,
}

impl DelayedJobs {
    /// Adds a job that may go at `due`.
    pub(super) fn push(&mut self, job: Job, due: Instant) {
        self.0.push(Reverse(Delayed { due, job }));
    }

    /// The moment of the job that is due next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse(delayed)| delayed.due)
    }

    /// Takes a job whose moment has come at `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Job> {
        self.next_due().filter(|due| *due <= now)?;
        self.0.pop().map(|Reverse(delayed)| delayed.job)
    }

    /// Takes out the jobs that `is_taken` chooses; this costs a pass over all.
    pub(super) fn take(&mut self, mut is_taken: impl FnMut(&Job) -> bool) -> Vec<Job> {
        let (taken, left) =
            self.0.drain().partition::<Vec<_>, _>(|Reverse(delayed)| is_taken(&delayed.job));
        self.0 = left.into();
        taken.into_iter().map(|Reverse(delayed)| delayed.job).collect()
    }

    /// Takes out all jobs, in any order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Job> {
        self.0.drain().map(|Reverse(delayed)| delayed.job)
    }
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.job.seq).cmp(&(other.due, other.job.seq))
    }
}
