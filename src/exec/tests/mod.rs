//! Tests of all executors.

mod conformance;
mod life;
