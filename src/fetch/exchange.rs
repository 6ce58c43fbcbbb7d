//! Makes one exchange with a server: sends the request, enforces the time limits, and
//! reads the answer.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout_at;

use super::body::{self, Incoming, Received};
use super::body_memory::{self, deadline_of};
use super::channel::{Leader, Protocol};
use super::connect::{self, ConnectListener};
use super::failure::{self, ServerWork, Unanswered};
use super::first_connection;
use super::head::{framing, read_head, redirect_target, refuse_large};
use super::recording::SentRequest;
use super::reuse::Reuse;
use super::route::Route;
use super::{BodyLimit, Client, FetchFailure, HttpChoice, Reply, Request, cookies};
use crate::in_flight::Phase;
use crate::message;
use crate::model::{Failure, FailureCode, Head, RawPage, Redirect, RedirectExchange, shown_url};

/// The first check whether a request waits in the library's queue happens after this
/// time: most requests are answered by then.
const FIRST_CHECK: Duration = Duration::from_millis(100);

/// A request that the server did not work on is sent again at most this many times in a
/// row.
const FREE_REPEATS: u32 = 3;

/// A crawler follows at least five redirects to a robots.txt (RFC 9309, 2.3.1.2).
const RULES_REDIRECTS: u32 = 5;

impl Client {
    /// Makes one request, within the time limits of the options.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] when no complete answer came. An answer with any status is `Ok`.
    /// If its body is not saved, at most 64 KiB of it are read, in at most 2 seconds.
    pub async fn send(&self, request: &Request<'_>) -> Result<Reply, FetchFailure> {
        let mut received = Received { wait: request.spent, ..Received::default() };
        request.memory.reserve(body_memory::FIRST_RESERVATION, request.progress).await;
        let limit = self.options().max_time;
        let exchanged = {
            let exchange = pin!(self.exchange(request, &mut received));
            request
                .memory
                .within(request.started, limit.saturating_sub(request.spent), exchange)
                .await
        };
        match exchanged {
            Some(Ok(reply)) => Ok(reply),
            Some(Err(failure)) => Err(received.failed(with_address(failure, request))),
            None => {
                let message = format!("not complete within {limit:?} (--max-time)");
                let failure = Failure::new(FailureCode::MaxTime, message);
                Err(received.failed(with_address(failure, request)))
            }
        }
    }

    async fn exchange(
        &self,
        request: &Request<'_>,
        received: &mut Received,
    ) -> Result<Reply, Failure> {
        let (response, route) = self.send_with_repeats(request, received).await?;
        // The response is taken apart before the next await, because a future has room
        // for all that it holds while it waits.
        let (mut incoming, target) = match self.begin_answer(request, &route, received, response) {
            Ok(begun) => begun,
            Err(failure) => {
                route.connection_worked();
                return Err(failure);
            }
        };
        let body = body::read(self.options(), &mut incoming, received, request).await;
        if !body.as_ref().is_err_and(|failure| failure.code == FailureCode::ReadTimeout) {
            route.connection_worked();
        }
        let body = body?;
        let Some(mut target) = target else {
            let head = received.head.take().expect("an answer that has begun has a head");
            let exchange = received.exchange.take();
            return Ok(Reply::Page(RawPage { head, body, wait: received.wait, exchange }));
        };
        let limit = match request.body_limit {
            BodyLimit::Whole => self.options().max_redirects,
            BodyLimit::Prefix(_) => self.options().max_redirects.max(RULES_REDIRECTS),
        };
        if request.hops >= limit {
            let message = format!("more than {limit} redirects (--max-redirs)");
            return Err(Failure::new(FailureCode::Redirects, message));
        }
        if self.options().keeps_to_host && target.to.host() != request.start_url.host() {
            let host = message::excerpt(target.to.host_str().unwrap_or_default());
            let message = format!("redirected to {host}, and only the named host may be requested");
            return Err(Failure::new(FailureCode::Blocked, message));
        }
        target.exchange = received.exchange.take().map(|exchange| {
            Box::new(RedirectExchange { url: request.url.clone(), exchange: *exchange, body })
        });
        Ok(Reply::Redirect(target))
    }

    /// Reads the head of an answer. Returns the body to read, and the target if it is a
    /// redirect.
    fn begin_answer(
        &self,
        request: &Request<'_>,
        route: &Route<'_>,
        received: &mut Received,
        response: Response,
    ) -> Result<(Incoming, Option<Box<Redirect>>), Failure> {
        request.progress.set(Phase::Receiving);
        received.wait = request.spent + (self.now() - request.started);
        let is_on_new_connection = route.send_state().connection().is_new();
        let head = Head { is_on_new_connection, ..read_head(&response, request.url) };
        received.head = Some(Box::new(head));
        refuse_large(response.headers())?;
        let framing = framing(response.headers())?;
        // Boxed, because hardly any answer has one.
        let target = redirect_target(request.url, &response)?.map(|to| {
            let cookies = cookies::set_by(request.url, response.headers());
            let has_left_home = self.options().credentials.leaves_home(request);
            Box::new(Redirect { to, cookies, has_left_home, exchange: None })
        });
        Ok((Incoming::new(response, framing), target))
    }

    /// Sends the request, and sends it again at once, at most a few times in a row, if
    /// the server did not work on it.
    async fn send_with_repeats(
        &self,
        request: &Request<'_>,
        received: &mut Received,
    ) -> Result<(Response, Route<'_>), Failure> {
        let (mut reuse, mut has_many_fields) = (Reuse::Pooled, false);
        let mut repeats = 0;
        loop {
            let route = self.route(request.url, reuse)?;
            let Unanswered { failure, work } = match self.send_once(request, &route, received).await
            {
                Ok(response) => return Ok((response, route)),
                Err(NoAnswer::Queued) => {
                    // The request was never sent; it can be sent over a further
                    // connection.
                    route.connection_worked();
                    route.limit_streams();
                    continue;
                }
                Err(NoAnswer::Unanswered(unanswered)) => unanswered,
            };
            match work {
                ServerWork::None if repeats < FREE_REPEATS => {
                    repeats += 1;
                    if route.channel().protocol() != Protocol::Http2 {
                        // The pool may hold further HTTP/1.1 connections that the host
                        // has closed. All requests of a closed HTTP/2 connection are sent
                        // again and share a new one.
                        reuse = Reuse::Never;
                    }
                }
                ServerWork::None => {
                    received.is_refused = true;
                    return Err(failure);
                }
                ServerWork::Refused => {
                    route.connection_worked();
                    received.is_refused = true;
                    return Err(failure);
                }
                ServerWork::ManyFields if !has_many_fields => {
                    route.connection_worked();
                    route.allow_many_fields();
                    (reuse, has_many_fields) = (Reuse::Pooled, true);
                }
                ServerWork::Unknown | ServerWork::ManyFields => {
                    if failure.code != FailureCode::FirstByteTimeout {
                        route.connection_worked();
                    }
                    return Err(failure);
                }
            }
        }
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// The time for the first byte runs from the moment when the request is sent. Opening
    /// a connection has its own limit, and waiting for a free one does not count.
    async fn send_once(
        &self,
        request: &Request<'_>,
        route: &Route<'_>,
        received: &mut Received,
    ) -> Result<Response, NoAnswer> {
        let limit = self.options().read_timeout;
        request.progress.set(Phase::Waiting);
        let leader = self.lead_or_wait(route, request).await;
        let built = route.sender().build(self.library_request(route, request));
        let recorded = match &built {
            Ok(built) if self.options().records_exchange => {
                SentRequest::new(built, self.network().clock().wall()).map(Box::new)
            }
            _ => None,
        };
        let sending = route.sender().send(built);
        // Without TLS, only an answer shows that a connection speaks HTTP/2, so the other
        // requests wait for that.
        let settles = leader.clone().filter(|_| request.url.scheme() == "https");
        let listener = ConnectListener::new(request.progress, route.send_state(), settles);
        let mut sending = std::pin::pin!(connect::with_listener(listener, sending));
        let interval = limit.min(FIRST_CHECK);
        let mut deadline = deadline_of(self.now(), interval);
        loop {
            match timeout_at(deadline, &mut sending).await {
                Ok(Ok(response)) => {
                    self.record_connection(route, request, &response);
                    drop(leader);
                    if let Some(sent) = recorded {
                        let (way, versions) =
                            (self.way(route, request.url), self.network().tls_versions());
                        let exchange = sent.answered(&response, way, versions);
                        received.exchange = Some(Box::new(exchange));
                    }
                    let answered = self.check_proxy(route, request.url, response);
                    return answered.map_err(|failure| Unanswered::from(failure).into());
                }
                Ok(Err(error)) => {
                    let is_on_used = is_on_used_connection(&*error, route);
                    return Err(self.unanswered(route, request.url, &*error, is_on_used).into());
                }
                Err(_elapsed) => match route.send_state().awaiting_since() {
                    Some(begun) => {
                        deadline = deadline_of(begun, limit);
                        if deadline <= self.now().into() {
                            return Err(Unanswered::from(no_first_byte(limit)).into());
                        }
                    }
                    None if is_stuck(route).await => return Err(NoAnswer::Queued),
                    None => deadline = deadline_of(self.now(), interval),
                },
            }
        }
    }

    /// Records what an answer shows about its connection.
    fn record_connection(&self, route: &Route<'_>, request: &Request<'_>, response: &Response) {
        if route.is_direct()
            && route.send_state().connection().is_new()
            && let (Some(host), Some(address)) = (request.url.domain(), response.remote_addr())
        {
            self.network().resolver().worked(host, address.ip());
        }
        if response.version() >= http::Version::HTTP_2 {
            route.channel().set_protocol(Protocol::Http2);
            route.channel().record_answer(self.now());
        } else if route.channel().protocol() != Protocol::Http1 {
            route.channel().set_protocol(Protocol::Http1);
            self.network().host_stats().record_http1(route.host());
        }
    }

    /// Returns the lead if this request opens the host's first connection. Else waits
    /// until that connection has settled the host's protocol.
    async fn lead_or_wait(&self, route: &Route<'_>, request: &Request<'_>) -> Option<Arc<Leader>> {
        let is_open = match self.options().http {
            HttpChoice::Auto => {
                request.url.scheme() == "https"
                    && !self.network().host_stats().is_known_for_http1(route.host())
            }
            HttpChoice::Http1 => false,
            HttpChoice::Http2 => true,
        };
        if !is_open {
            return None;
        }
        if let Some(leader) = route.leader() {
            return Some(Arc::clone(leader));
        }
        let first = &route.channel().first;
        if !first.is_settled() {
            request.progress.set(Phase::Connecting);
            if first.wait(self.options().connect_timeout).await {
                // The connection is new for this page too.
                route.send_state().connection().set_new();
            }
            request.progress.set(Phase::Waiting);
        }
        None
    }
}

/// The request got no answer.
enum NoAnswer {
    /// It was sent.
    Unanswered(Unanswered),
    /// It was not sent: the connection has as many streams as the server admits.
    Queued,
}

impl From<Unanswered> for NoAnswer {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self { failure, work: ServerWork::Unknown }
    }
}

/// Whether a request failed on a connection that had served other requests.
fn is_on_used_connection(error: &(dyn Error + 'static), route: &Route<'_>) -> bool {
    match failure::connection_of(error) {
        // The request may have found another connection while its own was being opened.
        Some(used) if route.channel().protocol() != Protocol::Http2 => {
            route.send_state().own_connection() != Some(used)
        }
        // Requests that waited for the first connection share it.
        _ => !route.send_state().connection().is_new() || route.channel().has_answered(),
    }
}

/// Whether a request that was not sent waits for a stream: its connection is open, and
/// the connection's task had time to take the request.
async fn is_stuck(route: &Route<'_>) -> bool {
    let is_full = || {
        let channel = route.channel();
        channel.protocol() == Protocol::Http2
            && channel.first.is_settled()
            && channel.is_busy()
            && route.send_state().awaiting_since().is_none()
    };
    if !is_full() {
        return false;
    }
    first_connection::turns().await;
    is_full()
}

fn no_first_byte(limit: Duration) -> Failure {
    let message = format!("no answer within {limit:?} (--read-timeout)");
    Failure::new(FailureCode::FirstByteTimeout, message)
}

/// Adds the address to a failure after a redirect, because the record names the page's
/// first address.
fn with_address(failure: Failure, request: &Request<'_>) -> Failure {
    if request.hops == 0 {
        return failure;
    }
    let address = message::excerpt(&shown_url(request.url));
    let message = format!("{} (redirected to {address})", failure.message);
    Failure { message: message.into(), ..failure }
}
