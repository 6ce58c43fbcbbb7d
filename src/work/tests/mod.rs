//! Work for tests.

pub(crate) mod scripted;
