//! The number of failed pages that stops a run.

/// A percentage applies from this many settled pages on. Before, one failure would be too large
/// a share.
const FIRST_SHARE: u64 = 100;

/// The number of pages that may fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FailureLimit {
    /// At most this many.
    Pages(u64),
    /// At most this percentage of the settled pages.
    Percent(f64),
}

impl FailureLimit {
    /// Whether `failed` pages among `settled` are too many.
    pub fn is_exceeded(&self, failed: u64, settled: u64) -> bool {
        match *self {
            Self::Pages(limit) => failed > limit,
            Self::Percent(limit) => {
                settled >= FIRST_SHARE && failed as f64 * 100.0 > limit * settled as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_exceeded_by_one_more() {
        let limit = FailureLimit::Pages(3);
        assert!(!limit.is_exceeded(3, 3));
        assert!(limit.is_exceeded(4, 1_000));
        assert!(FailureLimit::Pages(0).is_exceeded(1, 1));
        assert!(!FailureLimit::Pages(0).is_exceeded(0, 1_000));
    }

    #[test]
    fn a_share_counts_from_the_hundredth_page_on() {
        let limit = FailureLimit::Percent(2.0);
        assert!(!limit.is_exceeded(99, 99));
        assert!(!limit.is_exceeded(2, 100));
        assert!(limit.is_exceeded(3, 100));
        assert!(!limit.is_exceeded(20, 1_000));
        assert!(limit.is_exceeded(21, 1_000));
        assert!(!FailureLimit::Percent(100.0).is_exceeded(500, 500));
    }
}
