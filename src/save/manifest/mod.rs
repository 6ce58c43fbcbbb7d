//! The manifest: one JSON line for each thing that a run did, appended as it happens.

mod line;
mod locked;
mod reader;
mod record;
mod recorded;
mod writer;

pub(in crate::save) use reader::Lookup;
pub use reader::{Reader, last_run};
pub use record::{EndRecord, PageRecord, Record, RecordedFailure, RunRecord, VERSION};
pub use recorded::Recorded;
pub use writer::ManifestWriter;
