//! Tests of the running server, over real connections.

mod faults;
mod server;

use super::{Faults, Options, Origin};

/// Starts an origin where every draw for this kind of fault hits.
pub(super) fn faulty(kind: &str, tls: bool) -> Origin {
    let faults = Faults::new([format!("{kind}:100").parse().unwrap()]).unwrap();
    Origin::start(&Options { pages: 1, tls, faults, ..Options::default() }).unwrap()
}
