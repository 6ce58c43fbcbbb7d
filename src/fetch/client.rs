//! The client of one runtime, and the requests that it hands to the HTTP library.

use std::sync::Arc;
use std::time::Instant;

use super::channel::NoBody;
use super::network::{FetchError, Network};
use super::options::Options;
use super::pool::{Pool, Reuse};
use super::route::Route;
use super::{Request, cookies, credentials};
use crate::model::Validators;
use http::header;

/// An HTTP client for one runtime. It is not `Clone`, because a client must not cross
/// runtimes.
pub struct Client {
    pool: Pool,
    network: Arc<Network>,
}

impl Client {
    /// Makes a client that opens its connections on the runtime that polls it.
    ///
    /// # Errors
    ///
    /// [`FetchError::Client`] when the HTTP library refuses the options.
    pub fn new(network: &Arc<Network>) -> Result<Self, FetchError> {
        // The first client is made only for its error: later clients have the same
        // options.
        network.make(None, Reuse::Pooled)?;
        Ok(Self { pool: Pool::default(), network: Arc::clone(network) })
    }

    pub(super) fn options(&self) -> &Options {
        self.network.options()
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    pub(super) fn now(&self) -> Instant {
        self.network.clock().now()
    }

    /// Builds the library's request for `request`, to be sent by `route`.
    pub(super) fn library_request(
        &self,
        route: &Route<'_>,
        request: &Request<'_>,
    ) -> reqwest::RequestBuilder {
        let mut url = request.url.clone();
        if request.hops > 0 {
            // The login that the user typed into the address stays at home, and one in a
            // redirect's target is the server's choice. Neither call fails for an http(s)
            // URL, which always has a host.
            let own = Some(request.start_url).filter(|_| credentials::keeps_own_login(request));
            let _ = url.set_username(own.map_or("", |start| start.username()));
            let _ = url.set_password(own.and_then(|start| start.password()));
        }
        let body = reqwest::Body::wrap(NoBody(Arc::clone(route.send_state())));
        let mut library_request = route.sender().get(url).body(body);
        let mut secrets = self.options().credentials.fields_for(request);
        if !request.cookies.is_empty()
            && let Some(field) =
                cookies::cookie_header(request.cookies, secrets.get(header::COOKIE), request.url)
        {
            // It replaces the user's own cookies, which it contains.
            secrets.insert(header::COOKIE, field);
        }
        if !secrets.is_empty() {
            library_request = library_request.headers(secrets);
        }
        // A server that understands the ETag ignores the date (RFC 9110, 13.2.2).
        if let Some(Validators { etag, last_modified, .. }) = request.validators {
            library_request =
                [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, last_modified)]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.as_ref()?.raw())))
                    .fold(library_request, |library_request, (name, value)| {
                        library_request.header(name, value)
                    });
        }
        library_request
    }
}
