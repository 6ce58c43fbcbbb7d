//! fetchpages downloads all pages of a list, an index or a sitemap, with the concurrency
//! model that the user chooses.
//!
//! The program is this library and three statements: [`cli::parse`] reads the command line,
//! [`app::run`] runs the command, and its status is the exit code. This example starts the
//! [embedded site](origin) and downloads it:
//!
//! ```
//! use fetchpages::app::{self, exit::Status};
//! use fetchpages::cli;
//! use fetchpages::origin::{Options, Origin};
//!
//! let site = Origin::start(&Options { pages: 5, ..Options::default() })?;
//! let folder = tempfile::tempdir()?;
//! let output = folder.path().to_string_lossy();
//! let index = site.index_url();
//! let words = ["fetchpages", "--quiet", "--index", &index, "--output", &output];
//!
//! let status = app::run(cli::parse(words.map(Into::into)));
//!
//! assert_eq!(status, Status::Done);
//! let files = std::fs::read_dir(folder.path())?;
//! assert_eq!(files.count(), 6); // five pages and manifest.jsonl
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What users need to know is in the [`guide`]: options, file names, the manifest. The other
//! modules are for those who read or change the program.
//!
//! A page costs two kinds of work, and the design keeps them apart: waiting (connect, request,
//! response) and computing (decode, hash, write).
//!
//! | module | decides |
//! |---|---|
//! | [`source`] | what: an index page, a list or a sitemap becomes jobs |
//! | [`queue`] | when: a job that may go now, by its host's pace and rules |
//! | [`exec`] | where: which threads, runtimes or processes run a page |
//! | [`work`] | how: fetch, compute, save |
//! | [`fetch`] | one GET, as the bytes came, by whatever way |
//! | [`page`] | the CPU stage: decode and hash |
//! | [`save`] | names, files, manifest |
//! | [`report`] | progress and summary, made from events |
//! | [`origin`] | an embedded site to try it all on |
//! | [`compare`] | which mode wins, how sure that is, and why |
//! | [`cli`], [`config`], [`app`] | what was typed, what was decided, and the wiring |
//!
//! Items are `pub(crate)`, except those that the program, the tests in `tests/` and the
//! benchmarks use, so that the compiler reports code that nothing calls. `cargo doc --no-deps
//! --document-private-items --open` shows all of them.
//!
//! Imports go downwards only: `model`, `message`, `event`, `clock`, `in_flight`,
//! `budget`, `fingerprint`, `foreign`, `printable`, `random`, `digest` and `secret` at the bottom, then
//! `queue`, `fetch`, `page`, `save`, `report` and `origin`, then `source` and `work`, then
//! `exec`, then `compare`, then `config`, then `cli` and `app`. A test reads the sources and
//! checks it.

pub mod app;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod compare;
pub mod config;
pub mod digest;
mod duration;
#[cfg(test)]
mod encoders;
pub mod event;
pub mod exec;
pub mod fetch;
mod fingerprint;
pub mod foreign;
#[cfg(test)]
mod foreign_bytes;
pub mod guide;
pub mod in_flight;
mod message;
pub mod model;
pub mod origin;
pub mod page;
mod printable;
pub mod queue;
pub mod random;
pub mod report;
pub mod save;
mod secret;
pub mod source;
pub mod work;
