//! A bound on the heap memory that code under test may have at once.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs `read` and panics when it has more than `most` bytes on the heap at once, its
/// result included.
///
/// Only the allocations of this thread count, so tests may run in parallel. A block that
/// grows counts with its old size and its new one, because the counter copies it: a
/// `Vec` that is filled byte by byte counts as three times its content. The memory of C
/// libraries (zstd, libdeflate) does not count.
#[track_caller]
pub(crate) fn within<T>(most: usize, read: impl FnOnce() -> T) -> T {
    let mut result = None;
    let used = allocation_counter::measure(|| {
        // The counter must end its measurement even when the code panics.
        result = Some(catch_unwind(AssertUnwindSafe(read)));
    });
    match result.expect("the counter runs the code") {
        Ok(value) => {
            let used = used.bytes_max;
            assert!(used <= most as u64, "{used} bytes on the heap at once, more than {most}");
            value
        }
        Err(panic) => resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_is_held_at_once_counts() {
        let one_by_one = || (0..10).for_each(|_| drop(vec![0_u8; 1000]));
        within(1000, one_by_one);
        let together = || (0..10).map(|_| vec![0_u8; 1000]).collect::<Vec<_>>();
        assert_eq!(within(20_000, together).len(), 10);
        for _ in 0..100 {
            catch_unwind(|| within(9_999, together)).unwrap_err();
            catch_unwind(|| within(0, || panic!("within"))).unwrap_err();
        }
        within(1000, one_by_one);
    }
}
