//! Pages in worker processes: each process fetches, computes and saves one page at a time.
//!
//! The parent's side: [`factory`] makes a `ProcessWork` (`work.rs`), which hands one page
//! to one process; `pool.rs` starts, reuses and reaps processes, and `worker.rs` is one of
//! them. The child's side: [`child`] sets up the local work, and `serve.rs` runs it turn by
//! turn. `wire.rs` defines the messages between both sides.

pub(crate) mod child;
pub(super) mod connection;
pub(crate) mod factory;
pub(super) mod pool;
pub(super) mod serve;
mod set_up;
#[cfg(test)]
mod tests;
mod wire;
pub(super) mod work;
pub(super) mod worker;

pub(crate) use wire::WireError;
