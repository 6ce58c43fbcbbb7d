//! What a worker leaves behind when it ends too early: a closed queue.

use crate::queue::{Queue, StopReason};

/// Closes the queue when it is dropped armed, as by an early return or a panic of the worker
/// that holds it. Without this, the other workers would wait for that worker's pages for
/// ever.
pub(super) struct CloseOnFailure<'a> {
    queue: &'a Queue,
    is_armed: bool,
}

impl<'a> CloseOnFailure<'a> {
    /// Arms the guard.
    pub(super) const fn new(queue: &'a Queue) -> Self {
        Self { queue, is_armed: true }
    }

    /// Disarms the guard: the worker has ended as it should.
    pub(super) fn disarm(mut self) {
        self.is_armed = false;
    }
}

impl Drop for CloseOnFailure<'_> {
    fn drop(&mut self) {
        if self.is_armed {
            close(self.queue);
        }
    }
}

/// Closes the queue, because a worker cannot go on.
pub(super) fn close(queue: &Queue) {
    queue.close(StopReason::Broken(vec!["a worker could not go on".into()]));
}
