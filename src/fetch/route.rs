//! The way of one request: whether its address may be asked, and through which proxy.

use std::error::Error;
use std::sync::Arc;

use reqwest::{Response, StatusCode};
use url::{Host, Url};

use super::channel::{Channel, Sent};
use super::failure::{Unanswered, Work};
use super::first::Lead;
use super::pool::{Keeping, Loan, Wish};
use super::proxy::Proxy;
use super::rotation::Blame;
use super::sender::Sender;
use super::{Client, failure, guard, tunnel};
use crate::message;
use crate::model::{Failure, FailureCode};

/// The way of one request; it holds its client until it is dropped.
pub(super) struct Route<'a> {
    loan: Loan<'a>,
    proxy: Option<usize>,
    sent: Arc<Sent>,
}

impl Route<'_> {
    /// What the request is made with.
    pub(super) const fn sender(&self) -> &Sender {
        &self.loan.sender
    }

    /// The number of its host.
    pub(super) const fn host(&self) -> u64 {
        self.loan.host
    }

    /// What the requests that go this way share.
    pub(super) const fn channel(&self) -> &Arc<Channel> {
        &self.loan.channel
    }

    /// The lead, when this request opens the channel's first connection.
    pub(super) const fn lead(&self) -> Option<&Arc<Lead>> {
        self.loan.lead.as_ref()
    }

    /// When the request is sent.
    pub(super) const fn sent(&self) -> &Arc<Sent> {
        &self.sent
    }

    /// Streams that the host admits on a connection, as far as that was known.
    pub(super) const fn streams(&self) -> Option<usize> {
        self.loan.streams
    }

    /// Whether no proxy is asked, so that the connection leads to the host itself.
    pub(super) const fn is_direct(&self) -> bool {
        self.proxy.is_none()
    }

    /// Sends nothing more this way: the connection does not answer.
    pub(super) fn leave(&self) {
        self.loan.leave();
    }

    /// Sends no more than the server admits this way, now that it shows.
    pub(super) fn fill(&self) {
        self.loan.admits(self.channel().admitted());
    }
}

impl Drop for Route<'_> {
    fn drop(&mut self) {
        self.sent.end();
    }
}

impl Client {
    /// Finds the way to `url`, and takes a proxy's turn for it.
    pub(super) fn route(&self, url: &Url, keeping: Keeping) -> Result<Route<'_>, Failure> {
        if self.options().untrusted {
            self.refuse_special(url)?;
        }
        let shared = self.shared();
        let candidates = self.options().proxies.candidates(url);
        let proxy = match candidates {
            [] => None,
            _ => shared.rotation().pick(candidates, self.now()),
        };
        let (kept, crowd) = (self.options().kept_hosts, shared.crowd());
        let wish = Wish { url, proxy, keeping, kept, crowd };
        let loan = self.pool().lend(&wish, |keeping| shared.make(proxy, keeping));
        let loan = loan.map_err(|error| {
            let code = if proxy.is_some() { FailureCode::Proxy } else { FailureCode::Connect };
            Failure::new(code, message::one_line(&error))
        })?;
        let sent = Arc::new(Sent::new(&loan.channel, shared.clock()));
        Ok(Route { loan, proxy, sent })
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

    /// What became of a request for `url` whose answer did not begin; `is_on_old`
    /// says whether its connection had served others before.
    pub(super) fn failed(
        &self,
        route: &Route<'_>,
        url: &Url,
        error: &(dyn Error + 'static),
        is_on_old: bool,
    ) -> Unanswered {
        let proxy = self.proxy_of(route);
        let found = proxy.and_then(|(at, proxy)| Some((at, tunnel::failure(error, proxy, url)?)));
        let Some((at, (failure, blame))) = found else {
            return failure::before_answer(error, is_on_old);
        };
        self.shared().rotation().failed(at, blame, self.now());
        Unanswered { failure, work: Work::Unknown }
    }
}
