//! Runs modes side by side on the same pages and reports which one wins, how sure that
//! is, and why.
//!
//! [`results`] holds the measured samples, which are stored. [`findings`] holds all that
//! follows from them: numbers ([`analysis`]), a choice, warnings, and sentences about
//! them. It can be computed again from a stored file, without a clock.

pub mod analysis;
pub mod baseline;
pub mod bound;
pub mod choice;
pub mod design;
pub mod export;
pub mod failures;
mod figures;
pub mod findings;
pub mod gate;
mod gate_syntax;
pub mod machine;
pub mod measure;
pub mod process;
mod reasons;
pub mod results;
pub mod same_work;
pub mod stats;
pub mod target_hosts;
pub mod tutorial;
mod verdict;
pub mod warnings;

#[cfg(test)]
mod tests;
