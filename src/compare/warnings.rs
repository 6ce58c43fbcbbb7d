//! Why figures are to be taken with care.

use super::analysis::Analysis;
use super::results::Results;

/// A sentence for each reason.
pub(super) fn all(_results: &Results, _analysis: &Analysis) -> Vec<String> {
    Vec::new()
}
