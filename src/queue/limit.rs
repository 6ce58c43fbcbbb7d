//! When a run has seen enough failures. Pure.

/// How many failed pages a run bears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FailureLimit {
    /// So many pages.
    Pages(u64),
    /// This part of the settled pages, in per cent, from the hundredth page on.
    Percent(f64),
}

/// Before so many pages are settled, a part of them says little.
const FIRST_JUDGED: u64 = 100;

impl FailureLimit {
    /// Whether `failed` of `settled` pages are more than the run bears.
    pub fn is_exceeded(&self, failed: u64, settled: u64) -> bool {
        match *self {
            Self::Pages(limit) => failed > limit,
            Self::Percent(limit) => {
                settled >= FIRST_JUDGED && failed as f64 * 100.0 > limit * settled as f64
            }
        }
    }
}
