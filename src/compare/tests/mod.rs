//! Tests that take several files of this module together.

mod foreign_bytes;
mod gates;
mod verdicts;
mod whole;
