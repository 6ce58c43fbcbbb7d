//! Tests of all executors.

mod conformance;
