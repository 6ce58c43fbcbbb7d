//! Tests of worker processes that belong to no single file.

mod connection;
mod foreign_bytes;
mod wire;
mod work;
