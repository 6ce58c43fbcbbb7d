//! Tunnels: connections to the hosts of https URLs through proxies that are asked in HTTP.
//!
//! The HTTP library has tunnels of its own, which take no answer to CONNECT but `200`,
//! none behind an interim one, and none whose head has more than 8 KiB or 100 lines; and
//! they lose what comes right behind the head. Its connector cannot be replaced, so
//! these requests go through a client of the layer below it, see [`Tunnels`].

mod answer;
mod client;
mod connector;
mod failure;
#[cfg(test)]
mod foreign_bytes;

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
    /// The connection to it broke before its answer was there.
    #[error("the proxy broke off")]
    Broken(#[from] io::Error),
    /// Its answer cannot be read.
    #[error("failed to read the proxy's answer")]
    Unreadable(#[from] Malformed),
    /// It answered, and not with a tunnel.
    #[error("the proxy refuses: {0}")]
    Refused(Status),
}
