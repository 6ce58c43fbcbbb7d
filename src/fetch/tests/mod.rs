//! Tests of this folder's files together.

mod foreign_bytes;
