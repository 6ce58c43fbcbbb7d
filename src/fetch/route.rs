//! Finds the route of a request: whether its address may be used, through which proxy it
//! goes, and by which client.

use std::cell::Cell;
use std::error::Error;
use std::sync::Arc;

use reqwest::{Response, StatusCode};
use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::channel::{Channel, Leader, Protocol, SendState};
use super::client::Client;
use super::failure::{ServerWork, Unanswered};
use super::pool::{Lease, LeaseTerms};
use super::proxy::Proxy;
use super::recording::Way;
use super::reuse::Reuse;
use super::rotation::Blame;
use super::sender::Sender;
use super::{failure, guard, tunnel};
use crate::message;
use crate::model::{Failure, FailureCode};

/// The route of one request, which holds its client until it is dropped.
pub(super) struct Route<'a> {
    lease: Lease<'a>,
    proxy: Option<usize>,
    send_state: Arc<SendState>,
    has_worked: Cell<bool>,
}

impl Route<'_> {
    /// The client that sends the request.
    pub(super) const fn sender(&self) -> &Sender {
        &self.lease.sender
    }

    /// The number of the host in the pool.
    pub(super) const fn host(&self) -> u64 {
        self.lease.host
    }

    /// The state that the requests on this route share.
    pub(super) const fn channel(&self) -> &Arc<Channel> {
        &self.lease.channel
    }

    /// The lead, when this request opens the channel's first connection.
    pub(super) const fn leader(&self) -> Option<&Arc<Leader>> {
        self.lease.leader.as_ref()
    }

    /// The sending of the request.
    pub(super) const fn send_state(&self) -> &Arc<SendState> {
        &self.send_state
    }

    /// Whether the connection leads straight to the host, without a proxy.
    pub(super) const fn is_direct(&self) -> bool {
        self.proxy.is_none()
    }

    /// Records that the connection worked: other requests may use this route.
    pub(super) fn connection_worked(&self) {
        self.has_worked.set(true);
    }

    /// Makes room for answers with very many header lines.
    pub(super) fn allow_many_fields(&self) {
        self.lease.allow_many_fields();
    }

    /// Limits the requests on this route to the streams that the server admits, now that
    /// their number is known.
    pub(super) fn limit_streams(&self) {
        self.lease.admits(self.channel().admitted());
    }
}

impl Drop for Route<'_> {
    /// Retires an HTTP/2 connection that was silent for too long, or ended. Otherwise the
    /// library would use it for as long as it is open.
    fn drop(&mut self) {
        self.send_state.end();
        if !self.has_worked.get() && self.channel().protocol() == Protocol::Http2 {
            self.lease.retire();
        }
    }
}

/// Refuses names that no certificate can have, such as those with a hyphen at the end of
/// a label: TLS cannot ask for them (RFC 6066, 3; RFC 5890, 2.3.1).
fn refuse_unnameable(url: &Url) -> Result<(), Failure> {
    match url.domain().filter(|_| url.scheme() == "https") {
        Some(name) if ServerName::try_from(name).is_err() => {
            let name = message::excerpt(name);
            let message =
                format!("TLS cannot ask for the name {name:?}: no certificate can have it");
            Err(Failure::new(FailureCode::Tls, message))
        }
        _ => Ok(()),
    }
}

impl Client {
    /// Finds the route to `url`, and takes the turn of a proxy for it.
    pub(super) fn route(&self, url: &Url, reuse: Reuse) -> Result<Route<'_>, Failure> {
        if self.options().untrusted {
            self.refuse_special(url)?;
        }
        refuse_unnameable(url)?;
        let network = self.network();
        let candidates = self.options().proxies.candidates(url);
        let proxy = match candidates {
            [] => None,
            _ => network.rotation().pick(candidates, self.now()),
        };
        let (kept, host_stats) = (self.options().kept_hosts, network.host_stats());
        let terms = LeaseTerms { url, proxy, reuse, kept, host_stats };
        let lease = self.pool().lend(&terms, |reuse| network.make(proxy, reuse));
        let lease = lease.map_err(|error| {
            let code = if proxy.is_some() { FailureCode::Proxy } else { FailureCode::Connect };
            Failure::new(code, message::one_line(&error))
        })?;
        let send_state = Arc::new(SendState::new(&lease.channel, network.clock()));
        Ok(Route { lease, proxy, send_state, has_worked: Cell::new(false) })
    }

    /// Refuses addresses that must not be used. The resolver checks names, but lets those
    /// of the proxies pass; so no page may use those.
    fn refuse_special(&self, url: &Url) -> Result<(), Failure> {
        let host = url.host_str().unwrap_or_default();
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        let is_proxy = is_name && self.options().proxies.iter().any(|proxy| proxy.host() == host);
        let why = guard::refusal_of_literal(url).or(is_proxy.then_some("the proxy's own name"));
        match why {
            None => Ok(()),
            Some(why) => {
                let message = format!("{host} is {why} (--untrusted)");
                Err(Failure::new(FailureCode::Blocked, message))
            }
        }
    }

    /// Returns how a request for `url` travels by `route`.
    pub(super) fn way(&self, route: &Route<'_>, url: &Url) -> Way {
        match self.proxy_of(route) {
            None => Way::Direct,
            Some((_, proxy)) if proxy.is_http() && url.scheme() == "http" => Way::ReadByProxy,
            Some(_) => Way::Tunnel,
        }
    }

    fn proxy_of(&self, route: &Route<'_>) -> Option<(usize, &Proxy)> {
        route.proxy.map(|at| (at, self.options().proxies.get(at)))
    }

    /// Checks the head of an answer to a request for `url`: the proxy may have refused
    /// the request.
    pub(super) fn check_proxy(
        &self,
        route: &Route<'_>,
        url: &Url,
        response: Response,
    ) -> Result<Response, Failure> {
        let Some((at, proxy)) = self.proxy_of(route) else {
            return Ok(response);
        };
        // An answer through a tunnel is the target's.
        let is_refused = response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && url.scheme() == "http"
            && proxy.is_http();
        if is_refused {
            self.network().rotation().failed(at, Blame::Proxy, self.now());
            return Err(tunnel::unauthorized(proxy));
        }
        self.network().rotation().worked(at);
        Ok(response)
    }

    /// Converts the error of a request for `url` without an answer.
    /// `is_on_used_connection` says whether its connection had served other requests.
    pub(super) fn unanswered(
        &self,
        route: &Route<'_>,
        url: &Url,
        error: &(dyn Error + 'static),
        is_on_used_connection: bool,
    ) -> Unanswered {
        let proxy = self.proxy_of(route);
        let found = proxy.and_then(|(at, proxy)| Some((at, tunnel::failure(error, proxy, url)?)));
        let Some((at, (failure, blame))) = found else {
            return failure::before_answer(error, is_on_used_connection);
        };
        self.network().rotation().failed(at, blame, self.now());
        Unanswered { failure, work: ServerWork::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tls_cannot_take_are_told_and_not_tried() {
        for (url, is_taken) in [
            ("https://a.org/", true),
            ("https://a_b.org/", true),
            ("https://a-b.org/", true),
            ("https://xn--bcher-kva.ch/", true),
            ("https://192.0.2.1/", true),
            ("https://[2001:db8::1]/", true),
            ("http://-a.org/", true),
            ("https://-a.org/", false),
            ("https://a-.org/", false),
        ] {
            let refused = refuse_unnameable(&Url::parse(url).unwrap());
            let code = refused.map_err(|failure| failure.code);
            assert_eq!(code, if is_taken { Ok(()) } else { Err(FailureCode::Tls) }, "{url}");
        }
    }
}
