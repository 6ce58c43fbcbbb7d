//! The nouns that every module shares: jobs, pages, attempts, outcomes, failures, counts.
//!
//! Only data lives here: no I/O, no command line, no HTTP client.

mod address;
mod attempt;
mod compact;
mod connections;
mod exchange;
mod failure;
mod head;
mod job;
mod key;
mod page;
mod redirect;
mod stored;
mod summary;

pub use address::shown_url;
pub(crate) use address::{ADDRESS_LIMIT, is_loopback, short_url};
pub use attempt::{Attempt, Outcome, Response, Settled, Stages, State, WorkerKind};
pub(crate) use connections::Connections;
#[cfg(test)]
pub(crate) use exchange::tests as exchange_cases;
pub use exchange::{
    Exchange, Field, RedirectExchange, RequestHead, ResponseHead, TlsVersion, Truncation,
};
pub use failure::{Failure, FailureCode};
pub use head::{Head, HttpVersion};
pub use job::{Job, Kind, Validators};
pub use key::Key;
pub use page::{Page, RawPage};
pub(crate) use redirect::{Hop, Redirect, SetCookie};
pub use stored::{ArchiveRecord, Stored};
pub(crate) use summary::rounded;
pub use summary::{AutoWorkers, FailureClass, Intake, ProxyUse, Summary};
