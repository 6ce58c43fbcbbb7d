//! What holds for every sink of the table.

mod conformance;
