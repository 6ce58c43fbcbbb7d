//! An HTTP client whose connections are tunnels through one proxy.

use std::sync::Arc;

use http::{Request, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Body, Response};
use rustls::ClientConfig;
use tower_layer::Layer;

use super::connector::Connector;
use crate::fetch::connect::{CountConnections, Counting};
use crate::fetch::error_chain::BoxError;
use crate::fetch::library;
use crate::fetch::options::Options;
use crate::fetch::proxy::Proxy;
use crate::fetch::resolve::{CachingResolver, Resolver};
use crate::fetch::reuse::Reuse;

/// The connection to a proxy, over TCP or over TLS.
type ToProxy = HttpsConnector<HttpConnector<CachingResolver>>;
/// The connection to a host within one to a proxy: over TLS.
type ToHost = Counting<HttpsConnector<Connector<ToProxy>>>;

/// The settings of tunnels, which the HTTP library gets as well.
pub(in crate::fetch) struct Setup<'a> {
    pub(in crate::fetch) options: &'a Options,
    pub(in crate::fetch) tls: &'a ClientConfig,
    pub(in crate::fetch) resolver: &'a Arc<Resolver>,
    pub(in crate::fetch) counting: &'a CountConnections,
    pub(in crate::fetch) reuse: Reuse,
}

/// A client for https URLs through one proxy.
pub(in crate::fetch) struct Tunnels {
    client: Client<ToHost, Body>,
}

impl Tunnels {
    /// Makes a client for `proxy`, which must be an HTTP proxy.
    pub(in crate::fetch) fn new(proxy: &Proxy, setup: &Setup<'_>) -> Self {
        let Setup { options, .. } = *setup;
        let matcher = Matcher::builder().all(proxy.url().as_str()).build();
        let proxy = matcher
            .intercept(&Uri::from_static("https://any.invalid/"))
            .expect("a proxy's address is an http URI with a host");
        let mut tcp = HttpConnector::new_with_resolver(CachingResolver(Arc::clone(setup.resolver)));
        library::configure_tcp(&mut tcp, options);
        // The connection to the proxy itself speaks HTTP/1 only.
        let mut tls_to_proxy = setup.tls.clone();
        tls_to_proxy.alpn_protocols = vec![b"http/1.1".to_vec()];
        let to_proxy = HttpsConnector::from((tcp, tls_to_proxy));
        let tunnel = Connector::new(to_proxy, &proxy, options.sent_user_agent(), setup.resolver);
        let to_host = HttpsConnector::from((tunnel, setup.tls.clone()));
        let client =
            library::configure_below(options, setup.reuse).build(setup.counting.layer(to_host));
        Self { client }
    }

    /// Sends `request` and waits for the head of its answer.
    pub(in crate::fetch) async fn send(
        &self,
        request: reqwest::Request,
    ) -> Result<Response, BoxError> {
        let response = self.client.request(Request::try_from(request)?).await?;
        Ok(response.map(Body::wrap).into())
    }
}
