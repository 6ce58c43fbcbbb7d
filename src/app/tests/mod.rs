//! Whole runs inside the test process.

mod sinks;
