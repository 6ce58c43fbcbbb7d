//! Makes the work that hands pages to worker processes.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::pool::WorkerPool;
use super::set_up::SetUp;
use super::work::ProcessWork;
use super::worker::Program;
use crate::fetch::{Network, NetworkCounts};
use crate::save::{Sink, SinkLocation};
use crate::work::{Cpu, Work, WorkError, WorkFactory};

/// The command with which this program becomes a worker process.
pub(crate) const CHILD_ARGUMENT: &str = "child";

/// All worker processes together take at most this part of the memory for themselves;
/// the rest is lent to processes whose pages need more.
const OWN_PART: u64 = 2;
/// No worker process takes more than this without asking, in bytes.
const MOST_OWN_MEMORY: u64 = 8 * 1024 * 1024;

/// Makes work that hands each page to a worker process.
pub(crate) struct ProcessWorkFactory {
    /// The options that the processes fetch with, and the counts that theirs are added to.
    pub network: Arc<Network>,
    /// Where the processes save pages. It removes the files that a dead process left
    /// unfinished.
    pub sink: Arc<Sink>,
    /// The location of `sink`, for opening it in the processes.
    pub location: SinkLocation,
    /// The most pages in flight, and so the most processes, at a time.
    pub workers: NonZeroUsize,
}

impl WorkFactory for ProcessWorkFactory {
    /// Makes the work. It starts no process yet. `_cpu` changes nothing, because each process
    /// computes its own pages.
    fn make(&self, _cpu: Cpu) -> Result<Box<dyn Work>, WorkError> {
        let program = Program::this(&[CHILD_ARGUMENT]).map_err(WorkError::Program)?;
        let memory = self.network.memory();
        let workers = self.workers.get() as u64;
        let own_memory = (memory.limit() / OWN_PART / workers).min(MOST_OWN_MEMORY);
        memory.set_aside(own_memory * workers);
        let fetch = self.network.options().clone();
        let set_up = SetUp { fetch, location: self.location.clone(), own_memory };
        let pool = WorkerPool::new(program, Arc::clone(&self.sink));
        let network = Arc::clone(&self.network);
        let add = move |counts: &NetworkCounts| network.add_counts(counts);
        Ok(Box::new(ProcessWork::new(pool, set_up, Arc::clone(memory), add)?))
    }
}
