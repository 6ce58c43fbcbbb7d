//! The errors of starting an origin.

use std::io;
use std::net::SocketAddr;

/// The reason why an origin could not be started.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// The thread or its event loop could not be started.
    #[error("failed to start the origin's thread")]
    Thread(#[source] io::Error),
    /// The port is taken or not allowed.
    #[error("failed to listen on {addr} for the origin")]
    Listen {
        /// The address that was asked for.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("failed to make the origin's certificate")]
    Certificate(#[source] rcgen::Error),
    /// The TLS library refused the certificate.
    #[error("failed to set up TLS for the origin")]
    Tls(#[source] rustls::Error),
}
