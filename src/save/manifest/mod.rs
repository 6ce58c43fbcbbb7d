//! The manifest: a file of JSON lines. A run appends one when it begins, for each page that
//! ends, and when it ends.

mod filter;
mod line;
mod locked;
mod reader;
pub(in crate::save) mod record;
pub(in crate::save) mod recorded;
mod writer;

pub use super::names::ManifestPath;
pub(in crate::save) use filter::is_filter_arg;
pub(crate) use filter::{EXCLUDE, FILTER_OPTIONS, INCLUDE, LIMIT};
pub(in crate::save) use reader::Lookup;
pub use reader::{Reader, last_run};
pub use record::{PageRecord, Record, RunRecord, VERSION};
pub(crate) use writer::ManifestWriter;
