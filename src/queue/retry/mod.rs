//! What follows from a failed attempt, for its page and for the run.

pub(crate) mod failure_limit;
pub(crate) mod policy;
pub mod retry_after;

pub(crate) use failure_limit::FailureLimit;
pub(crate) use policy::{DEFAULT_RETRIES, RetryPolicy};
