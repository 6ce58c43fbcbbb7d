//! What each thread that hosts the loop needs: an event loop of its own, and the work that
//! lives on it.
//!
//! The two belong together, because a client's connections are registered with the event
//! loop on which they were opened, and do not work on another one.

use tokio::runtime::Runtime;

use super::{ExecError, Run};
use crate::work::{Cpu, Work};

/// The event loop of one thread, with its work.
pub(super) struct WorkerRuntime {
    /// `None` only while it is dropped.
    inner: Option<(Box<dyn Work>, Runtime)>,
}

impl WorkerRuntime {
    /// Makes both for the calling thread, which has at most `pages` in flight. Pages are
    /// computed where `cpu` says.
    pub(super) fn new(run: &Run, cpu: Cpu, pages: usize) -> Result<Self, ExecError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Name lookups use these threads, which exist only while lookups run. A lookup
            // that hangs must not hold up those of other pages.
            .max_blocking_threads(pages.max(4))
            .build()
            .map_err(ExecError::Runtime)?;
        let work = {
            let _inside = runtime.enter();
            run.factory.make(cpu)?
        };
        Ok(Self { inner: Some((work, runtime)) })
    }

    /// Runs `future`, which may use the work, on the calling thread and blocks until it ends.
    pub(super) fn block_on<'a, F: Future>(
        &'a self,
        future: impl FnOnce(&'a dyn Work) -> F,
    ) -> F::Output {
        let (work, runtime) = self.inner.as_ref().expect("the runtime exists until it is dropped");
        runtime.block_on(future(&**work))
    }
}

impl Drop for WorkerRuntime {
    fn drop(&mut self) {
        if let Some((work, runtime)) = self.inner.take() {
            drop(work);
            // A name lookup cannot be stopped, and waiting for one would hold up the end of
            // the run.
            runtime.shutdown_background();
        }
    }
}
