//! What holds for every sink of the table, and two sinks that show what a new kind takes.

mod conformance;
pub(crate) mod memory;
