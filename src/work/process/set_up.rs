//! What a worker process is set up with.

use serde::{Deserialize, Serialize};

use crate::fetch;
use crate::save::SinkLocation;

/// Everything that a worker process needs to fetch and save pages.
///
/// It crosses a pipe that no other process can read, because it may hold passwords.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SetUp {
    pub(super) fetch: fetch::Options,
    pub(super) location: SinkLocation,
    /// Memory for a page's body that the process takes without asking, in bytes.
    pub(super) own_memory: u64,
}
