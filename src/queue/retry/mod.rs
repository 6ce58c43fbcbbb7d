//! What follows a failed attempt, for its page and for the run.

pub mod failure_limit;
pub mod policy;
pub mod retry_after;

pub use failure_limit::FailureLimit;
pub use policy::{DEFAULT_RETRIES, RetryPolicy};
