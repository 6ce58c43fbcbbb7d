//! An embedded web site to download: for demonstrations, for measurements, for tests.
//!
//! [`Origin::start`] makes the site, an index of countries and an article for each, and serves it
//! on 127.0.0.1 until the handle is dropped. The same options give the same bytes on any machine.
//!
//! | file | holds |
//! |---|---|
//! | `handle.rs`, `options.rs`, `error.rs` | the origin as its users see it |
//! | `site.rs`, `document.rs` | the pages by path; these and the next two rows are pure |
//! | `index.rs`, `article.rs`, `padding.rs`, `markup.rs` | how the pages are written |
//! | `entry.rs`, `countries.rs`, `vocabulary.rs`, `data/` | what they are written from |
//! | `response.rs` | request to response, as values |
//! | `fault_kind.rs`, `fault_share.rs`, `faults.rs`, `inject.rs` | what goes wrong and how often, and what it does to a response, as values |
//! | `thread.rs`, `server.rs`, `connection.rs`, `tcp.rs`, `wire.rs`, `body.rs`, `certificate.rs` | sockets, delays, rates, TLS |
//! | `counters.rs` | the counters |
//!
//! Besides the pages, the server has a redirect from `/` to the index, rules in `/robots.txt`, and
//! the counters as JSON at `/_stats`. It answers quickly and correctly unless the options say
//! otherwise. The index, `/`, `/robots.txt` and `/_stats` never have [`Faults`].

mod article;
mod body;
mod certificate;
mod connection;
mod counters;
mod countries;
mod document;
mod entry;
mod error;
mod fault_kind;
mod fault_share;
mod faults;
mod handle;
mod index;
mod inject;
mod markup;
mod options;
mod padding;
mod response;
mod server;
mod site;
mod tcp;
#[cfg(test)]
mod tests;
mod thread;
mod vocabulary;
mod wire;

pub use self::fault_kind::FaultKind;
pub(crate) use self::fault_share::FaultShare;
pub use self::faults::Faults;
pub use self::handle::Origin;
pub use self::options::Options;
pub(crate) use self::options::{DEFAULT_PAGES, DEFAULT_PORT, DEFAULT_SEED};
pub use self::site::{INDEX_PATH, Site};
