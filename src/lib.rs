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
//! # The modules
//!
//! A page costs two kinds of work, and the design keeps them apart: waiting (connect, request,
//! response) and computing (decode, hash, write).
//!
//! | module | decides |
//! |---|---|
//! | [`source`] | what: a list, an index or a sitemap becomes jobs |
//! | [`queue`] | when: which job may go now, by the pace, limits and robots rules of its host |
//! | [`exec`] | where: which threads, runtimes or processes run a page |
//! | [`work`] | how: fetch, compute and save one page |
//! | [`fetch`] | one GET request, whose answer it returns as received |
//! | [`page`] | the computing: decode and hash |
//! | [`save`] | file names, where pages are saved, the manifest, and what earlier runs left |
//! | [`report`] | progress, summary and timeline, made from events |
//! | [`origin`] | the embedded site, for demonstrations, measurements and tests |
//! | [`compare`] | which mode wins, how sure that is, and why |
//! | [`cli`] | what the user typed becomes a decided command |
//! | [`config`] | the decided options of all modules |
//! | [`app`] | connects the modules, with a function per subcommand |
//!
//! Below them are the modules that all others share:
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | the nouns: jobs, pages, attempts, failures, counts |
//! | [`event`] | the events of a run, and the thread that observes them |
//! | [`in_flight`] | a request in flight, as its worker shares it with others |
//! | [`budget`] | the memory that the bodies of pages may take |
//! | [`clock`], [`random`] | time and chance, passed in so that tests choose them |
//! | `message`, [`foreign`], `printable` | texts for people, and what is cleaned before they see it |
//! | `secret`, `duration`, [`digest`], `fingerprint` | values that are never shown, times as text, hashes, small sets of texts |
//!
//! # The chapters
//!
//! These modules explain the difficult parts:
//!
//! - [the life of a page](exec::drain), from the feeder thread to its record;
//! - [how a run stops](queue), and what becomes of the pages in flight;
//! - [how a host is paced](queue::host), with the way of a 429;
//! - [the six executors](exec), and how they differ;
//! - [names and orphans](save::history): whose file is whose after a killed run;
//! - [the kinds of sources](source::spec), and what follows from each.
//!
//! # Rules
//!
//! Items are `pub(crate)`, except those that the program, the tests in `tests/` and the
//! benchmarks use, so that the compiler reports code that nothing calls. `cargo doc --no-deps
//! --document-private-items --open` shows all of them.
//!
//! Imports go downwards only. From the bottom up, the layers are: the shared modules; `queue`,
//! `fetch`, `page`, `save`, `report` and `origin`; `source` and `work`; `exec`; `compare`;
//! `config`; `cli` and `app`. A test reads the sources and checks it.

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
