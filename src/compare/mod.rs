//! Runs modes side by side on the same pages and says which one wins, how sure
//! that is, and why.
//!
//! What was measured ([`results`]) is kept apart from what follows from it
//! ([`analysis`]): the first is written down, the second can be worked out again
//! from the file. Everything between the two is arithmetic without a clock.

pub mod analysis;
pub mod baseline;
pub mod bound;
mod choice;
pub mod design;
pub mod export;
mod failures;
mod figures;
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
mod warnings;

#[cfg(test)]
mod tests;
