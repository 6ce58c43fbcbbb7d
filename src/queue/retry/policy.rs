//! Whether and when a failed page is tried again: pure, so that tests do not wait.
//!
//! The policy only decides. The page waits in the frontier until its time; no code here
//! sleeps.

use std::time::Duration;

use crate::model::{Attempt, FailureCode, Outcome};
use crate::random::Rng;

/// Attempts that may follow the first, unless the user says otherwise.
pub(crate) const DEFAULT_RETRIES: u32 = 3;
/// The longest that the first retry waits.
const BASE: Duration = Duration::from_millis(500);
/// No retry waits longer than this.
const CAP: Duration = Duration::from_secs(30);

/// How many times and how soon a failed page is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts that may follow the first.
    pub retries: u32,
    /// The longest that the first retry waits; the limit doubles with each one.
    pub base: Duration,
    /// The longest that any retry waits.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: DEFAULT_RETRIES, base: BASE, cap: CAP }
    }
}

/// What happens to a page after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// The page is done, with the outcome of the attempt.
    Done,
    /// The page is tried again when this time has passed.
    Again(Duration),
}

impl RetryPolicy {
    /// Decides what follows the attempt that was number `attempts` (from 1) of its page.
    pub fn decide(&self, attempts: u32, attempt: &Attempt, rng: &mut Rng) -> RetryDecision {
        let Outcome::Failed(failure) = &attempt.outcome else {
            return RetryDecision::Done;
        };
        let status = attempt.head.as_ref().map(|head| head.status);
        let is_hopeless = attempt.breaks_run.is_some() || !is_transient(failure.code, status);
        if is_hopeless || attempts > self.retries {
            return RetryDecision::Done;
        }
        RetryDecision::Again(self.backoff(attempts, rng))
    }

    /// Returns the pause of exponential backoff with full jitter: a random time from zero to
    /// `base · 2^(attempts-1)`, but at most `cap` (Marc Brooker, "Exponential
    /// Backoff And Jitter", AWS Architecture Blog, 2015).
    fn backoff(&self, attempts: u32, rng: &mut Rng) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.cap);
        rng.full_jitter(ceiling)
    }
}

/// Whether the same request may succeed later.
///
/// Of the statuses, 408, 500, 502, 503 and 504 are RFC 9110, 15.5.9 and 15.6; 425 is RFC 8470,
/// 5.2; 429 is RFC 6585, 4.
fn is_transient(code: FailureCode, status: Option<u16>) -> bool {
    use FailureCode as Code;
    match code {
        Code::Http => matches!(status, Some(408 | 425 | 429 | 500 | 502 | 503 | 504)),
        Code::Dns
        | Code::DnsTimeout
        | Code::Connect
        | Code::ConnectTimeout
        | Code::FirstByteTimeout
        | Code::ReadTimeout
        | Code::MaxTime
        | Code::Reset
        | Code::Truncated
        | Code::Proxy
        | Code::WorkerLost => true,
        Code::Tls
        | Code::Deadline
        | Code::Protocol
        | Code::Redirects
        | Code::TooLarge
        | Code::Decode
        | Code::Robots
        | Code::Blocked
        | Code::Save
        | Code::Internal => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use url::Url;

    use super::*;
    use crate::model::{Failure, Head, HttpVersion, Stored};

    /// An attempt that failed so, after an answer of this status if there was one.
    pub(crate) fn failed(code: FailureCode, status: Option<u16>) -> Attempt {
        let head = status.map(|status| {
            Box::new(Head {
                final_url: Url::parse("http://a.org/").unwrap(),
                status,
                http: HttpVersion::Http11,
                content_type: None,
                content_encoding: None,
                etag: None,
                last_modified: None,
                retry_after: None,
                date: None,
                is_on_new_connection: false,
            })
        });
        Attempt { head, ..Attempt::failed(Failure::new(code, "x")) }
    }

    fn is_retried(attempt: &Attempt) -> bool {
        RetryPolicy::default().decide(1, attempt, &mut Rng::new(1)) != RetryDecision::Done
    }

    #[test]
    fn only_what_may_pass_is_retried() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(is_retried(&failed(FailureCode::Http, Some(status))), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 410, 501, 505] {
            assert!(!is_retried(&failed(FailureCode::Http, Some(status))), "{status}");
        }
        for code in
            [FailureCode::Dns, FailureCode::Reset, FailureCode::Truncated, FailureCode::ReadTimeout]
        {
            assert!(is_retried(&failed(code, None)), "{code}");
        }
        for code in [
            FailureCode::Tls,
            FailureCode::Decode,
            FailureCode::TooLarge,
            FailureCode::Save,
            FailureCode::Internal,
        ] {
            assert!(!is_retried(&failed(code, Some(200))), "{code}");
        }
        let saved = Outcome::Saved { bytes: 1, sha256: [0; 32], stored: Stored::Key };
        assert!(!is_retried(&Attempt::without_answer(saved)));
    }

    #[test]
    fn retries_are_counted() {
        let policy = RetryPolicy { retries: 2, ..RetryPolicy::default() };
        let attempt = failed(FailureCode::Reset, None);
        let mut rng = Rng::new(1);
        assert_ne!(policy.decide(1, &attempt, &mut rng), RetryDecision::Done);
        assert_ne!(policy.decide(2, &attempt, &mut rng), RetryDecision::Done);
        assert_eq!(policy.decide(3, &attempt, &mut rng), RetryDecision::Done);
    }

    #[test]
    fn backoff_doubles_up_to_its_cap_and_is_spread_over_all_of_it() {
        let policy = RetryPolicy::default();
        let mut rng = Rng::new(7);
        for (attempts, ceiling) in [(1, 500), (2, 1_000), (3, 2_000), (7, 30_000), (90, 30_000)] {
            let ceiling = Duration::from_millis(ceiling);
            let waits: Vec<_> = (0..1_000).map(|_| policy.backoff(attempts, &mut rng)).collect();
            assert!(waits.iter().all(|wait| *wait <= ceiling));
            assert!(waits.iter().any(|wait| *wait < ceiling / 10));
            assert!(waits.iter().any(|wait| *wait > ceiling * 9 / 10));
        }
    }
}
