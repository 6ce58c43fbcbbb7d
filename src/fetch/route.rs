//! The way of one request: whether its address may be asked, and through which proxy.

use std::sync::Arc;

use reqwest::{Response, StatusCode};
use url::{Host, Url};

use super::first::{First, Lead};
use super::pool::Loan;
use super::proxy::Proxy;
use super::rotation::Blame;
use super::{Client, failure, guard, tunnel};
use crate::message;
use crate::model::{Failure, FailureCode};

/// The way of one request; it holds its client until it is dropped.
pub(super) struct Route<'a> {
    loan: Loan<'a>,
    proxy: Option<usize>,
}

impl Route<'_> {
    /// What the request is made with.
    pub(super) const fn http(&self) -> &reqwest::Client {
        &self.loan.client
    }

    /// The number of its host.
    pub(super) const fn host(&self) -> u64 {
        self.loan.host
    }

    /// Whether the host's first connection is there, when another request opens it.
    pub(super) fn first(&self) -> Option<&First> {
        self.loan.lead.is_none().then_some(&*self.loan.first)
    }

    /// The lead, when this request opens the host's first connection.
    pub(super) const fn lead(&self) -> Option<&Arc<Lead>> {
        self.loan.lead.as_ref()
    }
}

impl Client {
    /// Finds the way to `url`, and takes a proxy's turn for it.
    pub(super) fn route(&self, url: &Url) -> Result<Route<'_>, Failure> {
        if self.options().untrusted {
            self.refuse_special(url)?;
        }
        let shared = self.shared();
        let candidates = self.options().proxies.candidates(url);
        let proxy = match candidates {
            [] => None,
            _ => shared.rotation().pick(candidates, self.now()),
        };
        let kept = (self.options().kept_hosts, shared.crowd());
        let loan = self.pool().lend(url, proxy, kept, || shared.make(proxy));
        let loan = loan.map_err(|error| {
            let code = if proxy.is_some() { FailureCode::Proxy } else { FailureCode::Connect };
            Failure::new(code, message::one_line(&error))
        })?;
        Ok(Route { loan, proxy })
    }

    /// Refuses addresses that must not be asked. Names are judged in the
    /// resolver, which lets the proxies' own pass: so nobody else may use those.
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

    fn proxy_of(&self, route: &Route<'_>) -> Option<(usize, &Proxy)> {
        route.proxy.map(|at| (at, self.options().proxies.get(at)))
    }

    /// Judges the head of an answer to a request for `url`: a proxy may have turned it away.
    pub(super) fn answered(
        &self,
        route: &Route<'_>,
        url: &Url,
        response: Response,
    ) -> Result<Response, Failure> {
        let Some((at, proxy)) = self.proxy_of(route) else {
            return Ok(response);
        };
        // What comes through a tunnel is the target's.
        let is_refused = response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && url.scheme() == "http"
            && proxy.is_http();
        if is_refused {
            self.shared().rotation().failed(at, Blame::Proxy, self.now());
            return Err(tunnel::unauthorized(proxy));
        }
        self.shared().rotation().worked(at);
        Ok(response)
    }

    /// The failure of a request for `url` whose answer did not begin.
    pub(super) fn failed(&self, route: &Route<'_>, url: &Url, error: &reqwest::Error) -> Failure {
        let proxy = self.proxy_of(route);
        let found = proxy.and_then(|(at, proxy)| Some((at, tunnel::failure(error, proxy, url)?)));
        let Some((at, (failure, blame))) = found else {
            return failure::before_answer(error);
        };
        self.shared().rotation().failed(at, blame, self.now());
        failure
    }
}
