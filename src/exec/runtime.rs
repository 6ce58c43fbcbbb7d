//! What one worker thread needs for its pages: an event loop and the work that lives on it.

use tokio::runtime::Runtime;

use super::{ExecError, Run};
use crate::work::{Cpu, Work};

/// One thread's event loop and work.
pub(super) struct WorkerRuntime {
    /// `None` only while it is dropped.
    inner: Option<(Box<dyn Work>, Runtime)>,
}

impl WorkerRuntime {
    /// Makes them for the calling thread, which has `pages` at a time; they are
    /// computed where `cpu` says.
    pub(super) fn new(run: &Run, cpu: Cpu, pages: usize) -> Result<Self, ExecError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Name lookups use these threads, which are there only while there are any;
            // one that hangs must not hold up those of other pages.
            .max_blocking_threads(pages.max(4))
            .build()
            .map_err(ExecError::Runtime)?;
        let work = {
            let _inside = runtime.enter();
            run.factory.make(cpu)?
        };
        Ok(Self { inner: Some((work, runtime)) })
    }

    /// Runs `future`, which may use the work, to its end on the calling thread.
    pub(super) fn block_on<'a, F: Future>(
        &'a self,
        future: impl FnOnce(&'a dyn Work) -> F,
    ) -> F::Output {
        let (work, runtime) =
            self.inner.as_ref().expect("it is there until the runtime is dropped");
        runtime.block_on(future(&**work))
    }
}

impl Drop for WorkerRuntime {
    fn drop(&mut self) {
        if let Some((work, runtime)) = self.inner.take() {
            drop(work);
            // A name lookup cannot be stopped; waiting for one would hold up the end of the run.
            runtime.shutdown_background();
        }
    }
}
