//! Tests of every parser that reads bytes from outside: none panics, none goes on for
//! ever, and none takes more memory than it may.
//!
//! The properties stand beside their parsers, in a file `foreign_bytes.rs` of each
//! module, because only there the parsers can be reached; `cargo test foreign_bytes`
//! runs them all. What they share is here: documents that are nearly well written
//! ([`mutations`]) and a bound on the heap ([`heap`]).
//!
//! `PROPTEST_CASES` sets the number of cases of each property, and `PROPTEST_RNG_SEED`
//! draws others.

mod heap;
mod mutations;

use proptest::test_runner::{Config, RngSeed};

pub(crate) use heap::within;
pub(crate) use mutations::{Format, Input, steps};

/// Draws the same cases each time, unless the environment names a seed: a change must
/// not fail for what it did not do.
const SEED: u64 = 1812;
/// A longer search for the smallest failing input helps nobody.
const SHRINK_STEPS: u32 = 4096;

/// How the properties are run. A failing input is printed as a literal of bytes, for a
/// test at its parser; no file remembers it.
pub(crate) fn config() -> Config {
    let config = Config::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        named @ RngSeed::Fixed(_) => named,
    };
    Config { rng_seed, failure_persistence: None, max_shrink_iters: SHRINK_STEPS, ..config }
}
