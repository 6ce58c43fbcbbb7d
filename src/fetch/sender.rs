//! Sends requests: with the HTTP library, or with `tunnel` for https URLs through an HTTP
//! proxy.

use std::sync::Arc;

use futures_util::future::Either;
use futures_util::{FutureExt, TryFutureExt};
use http::HeaderMap;
use reqwest::{Request, RequestBuilder, Response};
use url::Url;

use super::error_chain::BoxError;
use super::tunnel::Tunnels;

/// The client for any host through one proxy, or without one.
#[derive(Clone)]
pub(super) struct Sender {
    library: reqwest::Client,
    tunnels: Option<Arc<Tunnels>>,
    /// The headers that all requests have in common.
    common: Arc<HeaderMap>,
}

impl Sender {
    pub(super) fn new(
        library: reqwest::Client,
        tunnels: Option<Tunnels>,
        common: HeaderMap,
    ) -> Self {
        Self { library, tunnels: tunnels.map(Arc::new), common: Arc::new(common) }
    }

    /// Begins a request for `url`.
    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.library.get(url)
    }

    /// Completes a request that [`get`](Self::get) began: adds the common headers.
    ///
    /// # Errors
    ///
    /// Those of `reqwest`, for values that no request can have.
    pub(super) fn build(&self, request: RequestBuilder) -> Result<Request, BoxError> {
        let mut request = request.build()?;
        add(request.headers_mut(), &self.common);
        Ok(request)
    }

    /// Sends a request from [`build`](Self::build), and waits for the head of its answer.
    /// If building it failed, that error is the answer.
    ///
    /// # Errors
    ///
    /// Those of `reqwest`, or of `hyper_util`'s client, which are causes of the former.
    pub(super) fn send(
        &self,
        request: Result<Request, BoxError>,
    ) -> impl Future<Output = Result<Response, BoxError>> {
        let request = match request {
            Ok(request) => request,
            Err(error) => return Either::Left(std::future::ready(Err(error))),
        };
        match &self.tunnels {
            // Boxed, so that other requests need no room for it while they wait.
            Some(tunnels) if request.url().scheme() == "https" => {
                Either::Right(Either::Left(tunnels.send(request).boxed_local()))
            }
            _ => {
                let sending = self.library.execute(request);
                Either::Right(Either::Right(sending.map_err(BoxError::from)))
            }
        }
    }
}

/// Adds the `common` headers to a request, except those that it already has. The HTTP
/// library would do so too, but takes one value of each.
fn add(own: &mut HeaderMap, common: &HeaderMap) {
    for name in common.keys() {
        if !own.contains_key(name) {
            for value in common.get_all(name) {
                own.append(name, value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_request_has_its_own_headers_and_all_values_of_the_common_ones() {
        let mut own = headers(&[("cookie", "a"), ("b", "1")]);
        add(&mut own, &headers(&[("b", "2"), ("b", "3"), ("c", "4"), ("c", "5")]));
        assert_eq!(own, headers(&[("cookie", "a"), ("b", "1"), ("c", "4"), ("c", "5")]));
    }
}
