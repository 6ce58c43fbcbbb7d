//! Tools to test every parser that reads bytes from outside: a parser must not panic, must
//! end, and must not take more memory than its bound.
//!
//! The properties are next to their parsers, in a file `foreign_bytes.rs` of each
//! module, because only that module can call them; `cargo test foreign_bytes`
//! runs them all. This module has what they share: documents that are nearly well written
//! ([`mutations`]) and a bound on the heap ([`heap`]).
//!
//! `PROPTEST_CASES` sets the number of cases of each property, and `PROPTEST_RNG_SEED`
//! draws other cases.

mod heap;
mod mutations;

use proptest::test_runner::{Config, RngSeed};

pub(crate) use heap::within;
pub(crate) use mutations::{Format, Input, steps};

/// The seed of the cases, unless the environment sets one. It is fixed, so that a test does not
/// fail for a reason that the change under test did not cause.
const SEED: u64 = 1812;
/// The steps of the search for the smallest failing input; more steps hardly make it smaller.
const SHRINK_STEPS: u32 = 4096;

/// Returns the configuration of all properties. A failing input is printed as a byte string,
/// ready for a test of its parser; no file stores it.
pub(crate) fn config() -> Config {
    let config = Config::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        named @ RngSeed::Fixed(_) => named,
    };
    Config { rng_seed, failure_persistence: None, max_shrink_iters: SHRINK_STEPS, ..config }
}
