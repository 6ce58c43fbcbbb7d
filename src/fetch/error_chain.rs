//! Walks the chain of an error's causes, through the errors that hide theirs.
//!
//! The HTTP library's errors of SOCKS proxies have no public names. They are the error type
//! of a public connector, though, and can be named as such: so they too are distinguished
//! by type.

use std::error::Error;
use std::io;

use http::Uri;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use tower_service::Service;

/// An error of the HTTP library or of a layer below it.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// An error of a SOCKS proxy.
pub(super) type SocksError = <SocksV5<HttpConnector> as Service<Uri>>::Error;

/// Iterates over the chain of causes, the innermost first: it says most.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + 'a {
    let mut chain = vec![error];
    let mut last = error;
    while let Some(next) = inner(last) {
        chain.push(next);
        last = next;
    }
    chain.into_iter().rev()
}

/// Whether no connection for a request could be opened.
pub(super) fn is_connect(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.downcast_ref().is_some_and(legacy::Error::is_connect))
}

/// The next cause. An `io::Error` that wraps another error, HTTP/2's error of a broken
/// connection and those of SOCKS proxies hide it from `source`, so they are opened here.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(wrapped) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return Some(wrapped);
    }
    if let Some(broken) = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io) {
        return Some(broken);
    }
    match error.downcast_ref::<SocksError>() {
        Some(SocksError::Inner(cause)) => Some(cause),
        Some(SocksError::Io(cause)) => Some(cause),
        _ => error.source(),
    }
}
