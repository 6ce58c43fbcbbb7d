//! What earlier runs left in an output directory: which names are whose.
//!
//! The manifest records the names of the pages that were saved. A file that no
//! record names is a stranger's, and is never overwritten. After a run that was
//! killed there may be files that it saved and did not come to record, its
//! orphans; they are told from strangers' files because each run records, before
//! its first page, which strangers it found. The next run records the orphans, so
//! that they stay known when it does not come to fetch their pages again.
//!
//! What a killed run planned is not recorded, its source is: orphans are free for
//! the pages of that source alone, and until a run has gone through all of it.
//! Those that are left then belong to nobody's page, and count as strangers'.

pub(crate) mod catalogue;
mod earlier_runs;
mod integrity;
mod status;
pub mod verify;

pub(crate) use catalogue::{Catalogue, Decision};
#[cfg(test)]
pub(in crate::save) use earlier_runs::History;
pub(in crate::save) use earlier_runs::open;
pub(crate) use integrity::Difference;
#[cfg(test)]
pub(in crate::save) use integrity::compare;
