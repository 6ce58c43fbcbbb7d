//! Runs a task on a pool's thread while the event loop waits for its result.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::sync::oneshot;

use super::CpuPool;
use crate::in_flight::InFlight;

/// Starts `task` on a thread of `pool` at once. The future returns its result, or panics as
/// the task did.
///
/// The task of a page that is cancelled before the task begins does not run. A task that
/// has begun holds the page until the page's turn ends, so the turn may wait for nothing
/// after it.
pub(super) fn run<T: Send + 'static>(
    pool: &dyn CpuPool,
    in_flight: &InFlight,
    task: impl FnOnce(usize) -> T + Send + 'static,
) -> impl Future<Output = T> {
    let in_flight = in_flight.clone();
    spawn(pool, move |thread| in_flight.commit().hold().then(|| task(thread)))
}

/// Starts `task` as [`run`] does, for a task that stores nothing: a page may be cancelled
/// while it runs, and its result is dropped then.
pub(super) fn compute<T: Send + 'static>(
    pool: &dyn CpuPool,
    task: impl FnOnce(usize) -> T + Send + 'static,
) -> impl Future<Output = T> {
    spawn(pool, move |thread| Some(task(thread)))
}

/// Starts `task` on a thread of `pool`. The future never ends when `task` returns `None`.
fn spawn<T: Send + 'static>(
    pool: &dyn CpuPool,
    task: impl FnOnce(usize) -> Option<T> + Send + 'static,
) -> impl Future<Output = T> {
    let (sender, receiver) = oneshot::channel();
    pool.spawn(Box::new(move |thread| {
        if let Some(result) = catch_unwind(AssertUnwindSafe(|| task(thread))).transpose() {
            // The receiver is gone if the page or the run was dropped meanwhile.
            drop(sender.send(result));
        }
    }));
    async {
        if let Ok(result) = receiver.await {
            return result.unwrap_or_else(|panic| resume_unwind(panic));
        }
        // The page was cancelled, and the caller drops this future next.
        std::future::pending().await
    }
}
