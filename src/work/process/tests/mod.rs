//! Tests of worker processes that belong to no single file.

mod foreign_bytes;
mod work;
