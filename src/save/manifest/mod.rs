//! The manifest: one JSON line for each thing that a run did, appended as it happens.

mod line;
mod locked;
mod reader;
pub(in crate::save) mod record;
pub(in crate::save) mod recorded;
mod writer;

pub(in crate::save) use reader::Lookup;
pub use reader::{Reader, last_run};
pub use record::{PageRecord, Record, RunRecord, VERSION};
pub(crate) use writer::ManifestWriter;
