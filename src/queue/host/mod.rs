//! One host of a run: the jobs that wait for it, how fast it is asked, and its health.

pub mod concurrency;
pub mod pace;
mod profile;
pub mod ready;
pub mod registry;
pub mod site_policy;
pub(crate) mod state;

pub use registry::{Choice, HostLimits};
