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

use crate::model::{AutoWorkers, Job, Kind};
use crate::queue::host::pace::When;
use crate::queue::host::registry::{HostId, HostLimits, Registry};
use crate::queue::host::site_policy::SitePolicy;
use crate::queue::host::state::{Host, Slot};
use crate::queue::waiters::Readiness;

/// The room that a line begins with.
const SHORT_LINE: usize = 4;

/// Whose turn it is.
#[derive(Debug)]
pub(crate) enum Pick {
    /// This job's.
    Job(Job),
    /// Nobody's before this moment.
    NotBefore(Instant),
    /// Nobody's until something changes.
    Nothing,
}

/// All lines.
#[derive(Debug)]
pub(crate) struct ReadyQueue {
    hosts: Registry,
    /// The hosts that may be asked now.
    ready: VecDeque<HostId>,
    /// Jobs at hosts that may be asked now.
    ready_jobs: usize,
    /// The hosts that may be asked later. An entry that its host does not know
    /// of any more is passed over.
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

    /// The host of `url`; with the policy that is kept there, when it is met for
    /// the first time and has one.
    pub(crate) fn find(&mut self, url: &Url) -> (HostId, Option<&'static SitePolicy>) {
        let (id, is_new) = self.hosts.find(url);
        (id, is_new.then(|| self.hosts.policy(url)).flatten())
    }

    pub(crate) fn host(&self, id: HostId) -> &Host {
        self.hosts.get(id)
    }

    /// The host, to be changed; [`review`](Self::review) follows.
    pub(crate) fn host_mut(&mut self, id: HostId) -> &mut Host {
        self.hosts.get_mut(id)
    }

    /// What was found of the hosts.
    pub(crate) fn found(&self) -> Option<AutoWorkers> {
        self.hosts.found()
    }

    /// Jobs at hosts that may be asked now.
    pub(crate) const fn ready_jobs(&self) -> usize {
        self.ready_jobs
    }

    /// Puts a job in line at its host.
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

    /// Puts a host where it belongs now.
    pub(crate) fn review(&mut self, id: HostId, now: Instant) {
        let host = self.hosts.get_mut(id);
        let place = host.place(now);
        // Where it stands in the ring it stays until its turn, which is soon.
        if host.slot == place || host.slot == Slot::Ready {
            return;
        }
        host.slot = place;
        match place {
            Slot::Ready => {
                self.ready_jobs += host.jobs.len();
                self.ready.push_back(id);
            }
            Slot::Timed(at) => self.timed.push(Reverse((at, id))),
            Slot::Nowhere => (),
        }
    }

    /// Takes the job whose turn it is at `now`; it counts as open at its host.
    pub(crate) fn next(&mut self, now: Instant) -> Pick {
        self.wake(now);
        while let Some(id) = self.ready.pop_front() {
            let host = self.hosts.get_mut(id);
            self.ready_jobs -= host.jobs.len();
            host.slot = Slot::Nowhere;
            // Its turn may have passed since it was listed: a side request came, or the host was parked.
            let job = if host.place(now) == Slot::Ready { host.jobs.pop_front() } else { None };
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
                return Pick::Job(job);
            }
        }
        self.timed.peek().map_or(Pick::Nothing, |Reverse((at, _))| Pick::NotBefore(*at))
    }

    /// What there is at `now` for a worker that waits.
    pub(crate) fn readiness(&mut self, now: Instant) -> Readiness {
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

    /// Submits a request that runs outside the executor, to go at `due` at the earliest.
    /// There is at most one at a time.
    pub(crate) fn submit_side(&mut self, job: Job, due: Instant) {
        let (host, _) = self.hosts.find(job.target());
        self.side = Some(SideRequest { job, host, due });
    }

    /// Takes the side request, when it may go.
    ///
    /// From the moment when it is due, workers get no page of its host until it has gone:
    /// where workers always fill the host's limit, it would wait for ever.
    pub(crate) fn next_side(&mut self, now: Instant) -> Pick {
        let Some(SideRequest { job, host: id, due }) = self.side.take() else {
            return Pick::Nothing;
        };
        let host = self.hosts.get_mut(id);
        if host.ended.is_some() {
            return Pick::Nothing;
        }
        let turn = match host.pace.when(now) {
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
        turn
    }

    /// Whether a side request waits.
    pub(crate) const fn has_side(&self) -> bool {
        self.side.is_some()
    }

    /// Takes out the jobs that stand in line at a host.
    pub(crate) fn clear(&mut self, id: HostId) -> VecDeque<Job> {
        let host = self.hosts.get_mut(id);
        let jobs = std::mem::take(&mut host.jobs);
        if host.slot == Slot::Ready {
            self.ready_jobs -= jobs.len();
        }
        jobs
    }

    /// Takes out the jobs that stand in any line.
    pub(crate) fn clear_all(&mut self) -> Vec<Job> {
        self.ready_jobs = 0;
        self.hosts.iter_mut().flat_map(|host| host.jobs.drain(..)).collect()
    }
}
