//! A task on a pool's thread, waited for on the loop.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::sync::oneshot;

use super::CpuPool;
use crate::in_flight::InFlight;

/// Runs `task` on a thread of `pool` from now on; the future gives its result, and panics
/// as it does.
///
/// A page that is cancelled before its task begins never begins it; one that has
/// begun is held until the page's turn ends, so nothing may be waited for after it.
pub(super) fn run<T: Send + 'static>(
    pool: &dyn CpuPool,
    in_flight: &InFlight,
    task: impl FnOnce(usize) -> T + Send + 'static,
) -> impl Future<Output = T> {
    let in_flight = in_flight.clone();
    spawn(pool, move |thread| in_flight.commit().hold().then(|| task(thread)))
}

/// As [`run`], for a task that stores nothing: a page that is cancelled while it runs drops
/// its result.
pub(super) fn compute<T: Send + 'static>(
    pool: &dyn CpuPool,
    task: impl FnOnce(usize) -> T + Send + 'static,
) -> impl Future<Output = T> {
    spawn(pool, move |thread| Some(task(thread)))
}

/// The future never ends when `task` returns `None`.
fn spawn<T: Send + 'static>(
    pool: &dyn CpuPool,
    task: impl FnOnce(usize) -> Option<T> + Send + 'static,
) -> impl Future<Output = T> {
    let (sender, receiver) = oneshot::channel();
    pool.spawn(Box::new(move |thread| {
        if let Some(result) = catch_unwind(AssertUnwindSafe(|| task(thread))).transpose() {
            // The receiver is gone when the page or the run was dropped meanwhile.
            drop(sender.send(result));
        }
    }));
    async {
        if let Ok(result) = receiver.await {
            return result.unwrap_or_else(|panic| resume_unwind(panic));
        }
        // Cancelled: whoever did that drops this future next.
        std::future::pending().await
    }
}
