//! The output directory, held open. All paths below it are resolved here and nowhere else.
//!
//! No link below the directory is ever followed, whoever makes it: folders are opened
//! without following links, and the last part of a path is looked up in the open folder. The
//! directory itself is what the user typed, and may be a link.
//!
//! Folders are opened for each page and not remembered. Another program may have moved a
//! remembered folder out of the directory. Opening a folder of several parts is a single
//! system call and takes one or two microseconds. A gap remains between that call and the next
//! one: a process that may move folders of the output can move a folder together with the page
//! that was just written into it.

mod entry;
mod list;
mod resolve;
mod root;
mod status;
pub(in crate::save) mod unnamed;

pub(in crate::save) use entry::Entry;
pub(in crate::save) use list::{Listed, Listing, Opened};
pub(in crate::save) use root::Root;
