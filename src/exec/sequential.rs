//! One page after the other, on the calling thread: the baseline of every comparison.

use super::{CloseOnFailure, ExecError, Executor, Run, drain, runtime};

/// A loop over the pages.
pub(super) struct Sequential;

impl Executor for Sequential {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        let guard = CloseOnFailure::new(run.queue);
        let runtime = runtime()?;
        runtime.block_on(async {
            let work = run.factory.make()?;
            drain::drain(run, &*work, 0).await;
            Ok::<_, ExecError>(())
        })?;
        guard.disarm();
        Ok(())
    }
}
