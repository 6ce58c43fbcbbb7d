//! What it means that a robots.txt could not be fetched. Pure.

use crate::model::{Attempt, FailureCode, Outcome};

/// Whether the failed `attempt` at a robots.txt shows that the origin has no rules, so that
/// all is allowed. Otherwise the rules are unknown, and nothing is allowed (RFC 9309,
/// 2.3.1.4).
pub(crate) fn shows_no_rules(attempt: &Attempt) -> bool {
    attempt.head.as_ref().is_some_and(|head| is_unavailable(head.status))
        || leads_nowhere(&attempt.outcome)
}

/// Whether an answer with this status means "there is no such file" (RFC 9309, 2.3.1.3). A
/// file without content has no rules either: 204 and 205 (RFC 9110, 15.3.5 and 15.3.6). A 429
/// speaks of the pace and not of the file (RFC 6585, 4).
const fn is_unavailable(status: u16) -> bool {
    matches!(status, 204 | 205 | 300..=499) && status != 429
}

/// Whether the file lies behind too many redirects, which count as its absence (RFC 9309,
/// 2.3.1.2).
fn leads_nowhere(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(failure) if failure.code == FailureCode::Redirects)
}
