//! Runs modes side by side on the same pages and reports which one wins, how sure that
//! is, and why.
//!
//! [`results`] holds the measured samples, which are stored. [`findings`] holds all that
//! follows from them: numbers ([`analysis`]), a choice, warnings, and sentences about
//! them. It can be computed again from a stored file, without a clock.

pub(crate) mod analysis;
pub(crate) mod baseline;
pub(crate) mod bound;
pub(crate) mod choice;
pub(crate) mod design;
pub(crate) mod export;
pub(crate) mod failures;
mod figures;
pub(crate) mod findings;
pub(crate) mod gate;
mod gate_syntax;
pub(crate) mod machine;
pub(crate) mod measure;
pub(crate) mod process;
mod reasons;
pub(crate) mod results;
pub(crate) mod same_work;
pub(crate) mod stats;
pub(crate) mod target_hosts;
pub(crate) mod tutorial;
mod verdict;
pub(crate) mod warnings;

#[cfg(test)]
mod tests;
