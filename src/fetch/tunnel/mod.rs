//! Tunnels: connections to the hosts of https URLs through HTTP proxies.
//!
//! The HTTP library has tunnels of its own. They accept only `200` as the answer to
//! CONNECT, no interim answer before it, and no head with more than 8 KiB or 100 lines;
//! and they lose the bytes that follow the head. Its connector cannot be replaced, so
//! these requests go through a client of the layer below the library, see [`Tunnels`].

mod answer;
mod client;
mod connector;
mod failure;
#[cfg(test)]
mod tests;

pub(super) use client::{Setup, Tunnels};
pub(super) use failure::{failure, unauthorized};

use std::io;

use super::error_chain::BoxError;
use answer::{Malformed, Status};

/// A proxy opened no tunnel.
#[derive(Debug, thiserror::Error)]
enum TunnelError {
    /// There is no connection to the proxy itself.
    #[error("failed to connect to the proxy")]
    Unreachable(#[source] BoxError),
    /// The connection broke before the proxy answered.
    #[error("the proxy closed the connection")]
    Broken(#[from] io::Error),
    /// The proxy's answer cannot be read.
    #[error("failed to read the proxy's answer")]
    Unreadable(#[from] Malformed),
    /// The proxy answered that it opens no tunnel.
    #[error("the proxy refuses: {0}")]
    Refused(Status),
}
