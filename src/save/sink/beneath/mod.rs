//! The output directory, held open: the one place where paths below it meet the
//! file system.
//!
//! No link below the directory is followed, whoever makes it and whenever: a folder
//! is opened without following links, and the last part of a path is looked up in the
//! open folder. The directory itself is what the user typed, and may be a link.
//!
//! Folders are opened for each page and not remembered. A remembered folder may
//! have been moved out of the directory since, and the system opens one of several
//! parts in a single call, which costs a microsecond or two. What is left is the time
//! between that call and the next: a process that may move folders of the output can
//! still move a folder with the page that has just come into it.

mod entry;
mod list;
mod resolve;
mod root;
mod status;
pub(in crate::save) mod unnamed;

pub(in crate::save) use entry::Entry;
pub(in crate::save) use list::{Listed, Listing, Opened};
pub(in crate::save) use root::Root;
