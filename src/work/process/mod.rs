//! Pages in worker processes: each process fetches, computes and saves one page at a time.

pub mod child;
pub(super) mod pool;
#[expect(clippy::module_inception, reason = "one process, in the module of all that they need")]
pub(super) mod process;
pub(super) mod serve;
#[cfg(test)]
mod tests;
pub(super) mod wire;
