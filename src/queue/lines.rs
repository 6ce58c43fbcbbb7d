//! The lines that jobs stand in, one for each host, and whose turn it is. Pure.
//!
//! Hosts that may be asked now stand in a ring and take turns, so that picking a
//! job costs the same however many hosts there are, and none starves; hosts that
//! must wait for a moment stand in a heap by that moment; those that can only
//! wait for an answer stand nowhere.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use url::Url;

use super::host::{Host, Listing};
use super::hosts::{HostId, HostLimits, Hosts};
use super::pace::When;
use super::site_policy::SitePolicy;
use super::waiters::Readiness;
use crate::model::{AutoWorkers, Job, Kind};

/// The room that a line begins with.
const SHORT_LINE: usize = 4;

/// Whose turn it is.
#[derive(Debug)]
pub(super) enum Turn {
    /// This job's.
    Job(Job),
    /// Nobody's before this moment.
    NotBefore(Instant),
    /// Nobody's until something changes.
    Nobody,
}

/// All lines.
#[derive(Debug)]
pub(super) struct Lines {
    hosts: Hosts,
    /// The hosts that may be asked now.
    ready: VecDeque<HostId>,
    /// Jobs at hosts that may be asked now.
    ready_jobs: usize,
    /// The hosts that may be asked later. An entry that its host does not know
    /// of any more is passed over.
    timed: BinaryHeap<Reverse<(Instant, HostId)>>,
    guest: Option<Guest>,
}

/// A job of somebody outside the executor.
#[derive(Debug)]
struct Guest {
    job: Job,
    host: HostId,
    due: Instant,
}

impl Lines {
    pub(super) fn new(limits: HostLimits) -> Self {
        Self {
            hosts: Hosts::new(limits),
            ready: VecDeque::new(),
            ready_jobs: 0,
            timed: BinaryHeap::new(),
            guest: None,
        }
    }

    /// The host of `url`; with the policy that is kept there, when it is met for
    /// the first time and has one.
    pub(super) fn find(&mut self, url: &Url) -> (HostId, Option<&'static SitePolicy>) {
        let (id, is_new) = self.hosts.find(url);
        (id, is_new.then(|| self.hosts.policy(url)).flatten())
    }

    pub(super) fn host(&self, id: HostId) -> &Host {
        self.hosts.get(id)
    }

    /// The host, to be changed; [`review`](Self::review) follows.
    pub(super) fn host_mut(&mut self, id: HostId) -> &mut Host {
        self.hosts.get_mut(id)
    }

    /// What was found of the hosts.
    pub(super) fn found(&self) -> Option<AutoWorkers> {
        self.hosts.found()
    }

    /// Jobs at hosts that may be asked now.
    pub(super) const fn ready_jobs(&self) -> usize {
        self.ready_jobs
    }

    /// Puts a job in line at its host.
    pub(super) fn line_up(&mut self, id: HostId, job: Job, now: Instant, is_first: bool) {
        let host = self.hosts.get_mut(id);
        if is_first {
            host.jobs.push_front(job);
        } else {
            host.jobs.push_back(job);
        }
        self.ready_jobs += usize::from(host.listing == Listing::Ready);
        self.review(id, now);
    }

    /// Puts a host where it belongs now.
    pub(super) fn review(&mut self, id: HostId, now: Instant) {
        let host = self.hosts.get_mut(id);
        let place = host.place(now);
        // Where it stands in the ring it stays until its turn, which is soon.
        if host.listing == place || host.listing == Listing::Ready {
            return;
        }
        host.listing = place;
        match place {
            Listing::Ready => {
                self.ready_jobs += host.jobs.len();
                self.ready.push_back(id);
            }
            Listing::Timed(at) => self.timed.push(Reverse((at, id))),
            Listing::Nowhere => (),
        }
    }

    /// Takes the job whose turn it is at `now`; it counts as open at its host.
    pub(super) fn next(&mut self, now: Instant) -> Turn {
        self.wake(now);
        while let Some(id) = self.ready.pop_front() {
            let host = self.hosts.get_mut(id);
            self.ready_jobs -= host.jobs.len();
            host.listing = Listing::Nowhere;
            // Its turn may have passed since it was listed: a guest came, or it was parked.
            let job = if host.place(now) == Listing::Ready { host.jobs.pop_front() } else { None };
            if let Some(job) = &job {
                host.pace.start(now);
                if job.kind == Kind::Page && job.hop.is_none() {
                    host.pace.watch(job.seq, now);
                }
                // Thousands of hosts with a page now and then keep no line for them.
                if host.jobs.is_empty() && host.jobs.capacity() <= SHORT_LINE {
                    host.jobs = VecDeque::new();
                }
            }
            self.review(id, now);
            if let Some(job) = job {
                return Turn::Job(job);
            }
        }
        self.timed.peek().map_or(Turn::Nobody, |Reverse((at, _))| Turn::NotBefore(*at))
    }

    /// What there is at `now` for a worker that waits.
    pub(super) fn readiness(&mut self, now: Instant) -> Readiness {
        self.wake(now);
        match self.timed.peek() {
            _ if !self.ready.is_empty() => Readiness::Now,
            Some(Reverse((at, _))) => Readiness::At(*at),
            None => Readiness::Nothing,
        }
    }

    /// Lists the hosts whose moment has come.
    fn wake(&mut self, now: Instant) {
        while let Some(Reverse((at, id))) = self.timed.peek().copied() {
            let is_current = self.hosts.get(id).listing == Listing::Timed(at);
            if is_current && at > now {
                break;
            }
            self.timed.pop();
            if is_current {
                self.hosts.get_mut(id).listing = Listing::Nowhere;
                self.review(id, now);
            }
        }
    }

    /// Lines up a job of somebody outside the executor, who alone takes it, at
    /// `due` at the earliest. One at a time.
    pub(super) fn invite(&mut self, job: Job, due: Instant) {
        let (host, _) = self.hosts.find(job.target());
        self.guest = Some(Guest { job, host, due });
    }

    /// Takes the guest's job, when its turn has come.
    ///
    /// From the moment when it is due, workers leave its host alone until it had
    /// its turn: where all places are always taken, it would wait for ever.
    pub(super) fn next_guest(&mut self, now: Instant) -> Turn {
        let Some(Guest { job, host: id, due }) = self.guest.take() else {
            return Turn::Nobody;
        };
        let host = self.hosts.get_mut(id);
        if host.ended.is_some() {
            return Turn::Nobody;
        }
        let turn = match host.pace.when(now) {
            _ if due > now => Turn::NotBefore(due),
            When::Now => {
                host.has_guest = false;
                host.pace.start(now);
                self.review(id, now);
                return Turn::Job(job);
            }
            When::Full => Turn::Nobody,
            When::At(at) => Turn::NotBefore(at),
        };
        host.has_guest = due <= now;
        self.guest = Some(Guest { job, host: id, due });
        turn
    }

    /// Whether a guest waits for its turn.
    pub(super) const fn has_guest(&self) -> bool {
        self.guest.is_some()
    }

    /// Takes out the jobs that stand in line at a host.
    pub(super) fn clear(&mut self, id: HostId) -> VecDeque<Job> {
        let host = self.hosts.get_mut(id);
        let jobs = std::mem::take(&mut host.jobs);
        if host.listing == Listing::Ready {
            self.ready_jobs -= jobs.len();
        }
        jobs
    }

    /// Takes out the jobs that stand in any line.
    pub(super) fn clear_all(&mut self) -> Vec<Job> {
        self.ready_jobs = 0;
        self.hosts.iter_mut().flat_map(|host| host.jobs.drain(..)).collect()
    }
}
