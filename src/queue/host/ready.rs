//! The schedule of all hosts: whose job goes next. Pure.
//!
//! Hosts that may get a request now lie in a ring and take turns. So picking a job costs the
//! same for any number of hosts, and no host starves. Hosts that must wait for a moment lie
//! in a heap by that moment. Hosts that wait for an answer, or have no job, lie nowhere.
//!
//! The [`Slot`] of a host says where it lies. [`ReadyQueue::review`] brings it up to date and
//! must follow each change of a host.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use url::Url;

use crate::model::{AutoWorkers, Job, Kind};
use crate::queue::host::pace::When;
use crate::queue::host::registry::{HostId, HostLimits, Registry};
use crate::queue::host::site_policy::SitePolicy;
use crate::queue::host::state::{Host, Slot};
use crate::queue::waiters::Readiness;

/// The capacity that a list of jobs begins with.
const SMALL: usize = 4;

/// The job that goes next.
#[derive(Debug)]
pub(crate) enum Pick {
    /// This one.
    Job(Job),
    /// No job may go before this moment.
    NotBefore(Instant),
    /// No job may go until something changes.
    Nothing,
}

/// All hosts with their jobs, by when they may get a request.
#[derive(Debug)]
pub(crate) struct ReadyQueue {
    hosts: Registry,
    /// The hosts that may get a request now.
    ready: VecDeque<HostId>,
    /// Jobs at the hosts in `ready`.
    ready_jobs: usize,
    /// The hosts that may get a request later. An entry that differs from its host's slot is
    /// out of date, and passed over.
    timed: BinaryHeap<Reverse<(Instant, HostId)>>,
    side: Option<SideRequest>,
}

/// A request that runs outside the executor, such as a source's own.
#[derive(Debug)]
struct SideRequest {
    job: Job,
    host: HostId,
    due: Instant,
}

impl ReadyQueue {
    pub(crate) fn new(limits: HostLimits) -> Self {
        Self {
            hosts: Registry::new(limits),
            ready: VecDeque::new(),
            ready_jobs: 0,
            timed: BinaryHeap::new(),
            side: None,
        }
    }

    /// Returns the host of `url`. When the host is new and belongs to a known site, the
    /// policy that is enforced there comes with it.
    pub(crate) fn find(&mut self, url: &Url) -> (HostId, Option<&'static SitePolicy>) {
        let (id, is_new) = self.hosts.find(url);
        (id, is_new.then(|| self.hosts.policy(url)).flatten())
    }

    pub(crate) fn host(&self, id: HostId) -> &Host {
        self.hosts.get(id)
    }

    /// Returns the host for a change; [`review`](Self::review) must follow.
    pub(crate) fn host_mut(&mut self, id: HostId) -> &mut Host {
        self.hosts.get_mut(id)
    }

    /// Returns the numbers of open requests that `--workers auto` has settled at.
    pub(crate) fn auto_workers(&self) -> Option<AutoWorkers> {
        self.hosts.auto_workers()
    }

    /// The number of jobs at hosts that may get a request now.
    pub(crate) const fn ready_jobs(&self) -> usize {
        self.ready_jobs
    }

    /// Adds a job to those of its host.
    pub(crate) fn enqueue(&mut self, id: HostId, job: Job, now: Instant, is_first: bool) {
        let host = self.hosts.get_mut(id);
        if is_first {
            host.jobs.push_front(job);
        } else {
            host.jobs.push_back(job);
        }
        self.ready_jobs += usize::from(host.slot == Slot::Ready);
        self.review(id, now);
    }

    /// Moves a host to the slot where it belongs now.
    pub(crate) fn review(&mut self, id: HostId, now: Instant) {
        let host = self.hosts.get_mut(id);
        let slot = host.slot_at(now);
        // A host in the ring stays there until its turn, which is soon.
        if host.slot == slot || host.slot == Slot::Ready {
            return;
        }
        host.slot = slot;
        match slot {
            Slot::Ready => {
                self.ready_jobs += host.jobs.len();
                self.ready.push_back(id);
            }
            Slot::Timed(at) => self.timed.push(Reverse((at, id))),
            Slot::Nowhere => (),
        }
    }

    /// Takes the job that goes next at `now`; it counts as open at its host.
    pub(crate) fn next(&mut self, now: Instant) -> Pick {
        self.promote_due(now);
        while let Some(id) = self.ready.pop_front() {
            let host = self.hosts.get_mut(id);
            self.ready_jobs -= host.jobs.len();
            host.slot = Slot::Nowhere;
            // Since the host was put into the ring, a side request may have come, or the host
            // may have been parked.
            let job = if host.slot_at(now) == Slot::Ready { host.jobs.pop_front() } else { None };
            if let Some(job) = &job {
                host.pace.start(now);
                if job.kind == Kind::Page && job.hop.is_none() {
                    host.pace.start_timing(job.seq, now);
                }
                // Thousands of hosts that have a page now and then need no list meanwhile.
                if host.jobs.is_empty() && host.jobs.capacity() <= SMALL {
                    host.jobs = VecDeque::new();
                }
            }
            self.review(id, now);
            if let Some(job) = job {
                return Pick::Job(job);
            }
        }
        self.timed.peek().map_or(Pick::Nothing, |Reverse((at, _))| Pick::NotBefore(*at))
    }

    /// Returns what there is at `now` for a worker that waits.
    pub(crate) fn readiness(&mut self, now: Instant) -> Readiness {
        self.promote_due(now);
        match self.timed.peek() {
            _ if !self.ready.is_empty() => Readiness::Now,
            Some(Reverse((at, _))) => Readiness::At(*at),
            None => Readiness::Nothing,
        }
    }

    /// Moves the hosts whose moment has come into the ring.
    fn promote_due(&mut self, now: Instant) {
        while let Some(Reverse((at, id))) = self.timed.peek().copied() {
            let is_current = self.hosts.get(id).slot == Slot::Timed(at);
            if is_current && at > now {
                break;
            }
            self.timed.pop();
            if is_current {
                self.hosts.get_mut(id).slot = Slot::Nowhere;
                self.review(id, now);
            }
        }
    }

    /// Submits a request that runs outside the executor; it goes at `due` at the earliest.
    /// There is at most one at a time.
    pub(crate) fn submit_side(&mut self, host: HostId, job: Job, due: Instant) {
        self.side = Some(SideRequest { job, host, due });
    }

    /// Takes the side request, when it may go.
    ///
    /// Once it is due, workers get no page of its host until it has gone. Otherwise it would
    /// wait without end at a host whose limit the workers always fill.
    pub(crate) fn next_side(&mut self, now: Instant) -> Pick {
        let Some(SideRequest { job, host: id, due }) = self.side.take() else {
            return Pick::Nothing;
        };
        let host = self.hosts.get_mut(id);
        if host.ended.is_some() {
            return Pick::Nothing;
        }
        let pick = match host.pace.when(now) {
            _ if due > now => Pick::NotBefore(due),
            When::Now => {
                host.has_side_request = false;
                host.pace.start(now);
                self.review(id, now);
                return Pick::Job(job);
            }
            When::Full => Pick::Nothing,
            When::At(at) => Pick::NotBefore(at),
        };
        host.has_side_request = due <= now;
        self.side = Some(SideRequest { job, host: id, due });
        pick
    }

    /// Whether a side request waits.
    pub(crate) const fn has_side(&self) -> bool {
        self.side.is_some()
    }

    /// Takes out the jobs of a host.
    pub(crate) fn clear(&mut self, id: HostId) -> VecDeque<Job> {
        let host = self.hosts.get_mut(id);
        let jobs = std::mem::take(&mut host.jobs);
        if host.slot == Slot::Ready {
            self.ready_jobs -= jobs.len();
        }
        jobs
    }

    /// Takes out the jobs of all hosts.
    pub(crate) fn clear_all(&mut self) -> Vec<Job> {
        self.ready_jobs = 0;
        self.hosts.iter_mut().flat_map(|host| host.jobs.drain(..)).collect()
    }
}
