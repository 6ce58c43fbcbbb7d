//! One exchange with a server: sending, the waits that have limits, and what came of it.

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
use super::pool::Reuse;
use super::recording::SentRequest;
use super::route::Route;
use super::{BodyLimit, Client, FetchFailure, HttpChoice, Reply, Request, cookies};
use crate::in_flight::Phase;
use crate::message;
use crate::model::{Failure, FailureCode, Head, RawPage, Redirect, RedirectExchange, shown_url};

/// Whether a request waits in the library's queue is first looked at after this time:
/// most requests are answered by then.
const FIRST_CHECK: Duration = Duration::from_millis(100);

/// A request that the server did not work on is sent again this many times in a row.
const FREE_REPEATS: u32 = 3;

/// A crawler follows at least so many redirects to rules (RFC 9309, 2.3.1.2).
const RULES_REDIRECTS: u32 = 5;

impl Client {
    /// Makes one request, within the time limits of the options.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] when no whole answer came. An answer with any status is `Ok`;
    /// of one that is not saved, the body is read for 2 seconds and to 64 KiB at most.
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
                let message = format!("not done within {limit:?} (--max-time)");
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
        // A future has room for what it holds while it waits: the response is not that.
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
            let message = format!("more than {limit} redirects");
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

    /// Reads the head of an answer: what follows it, and where it leads on to.
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
        // Boxed, as hardly any answer has one.
        let target = redirect_target(request.url, &response)?.map(|to| {
            let cookies = cookies::set_by(request.url, response.headers());
            let has_left_home = self.options().credentials.leaves_home(request);
            Box::new(Redirect { to, cookies, has_left_home, exchange: None })
        });
        Ok((Incoming::new(response, framing), target))
    }

    /// Sends the request, again at once where the server did not work on it, at most a
    /// few times in a row.
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
                    // It was never sent; over a further connection it is.
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
                        // Further connections that the host has closed may lie in the pool.
                        // The requests of one over HTTP/2 are all sent again, and share a
                        // new one.
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
    /// The time for the first byte runs from the moment the request is sent: opening a
    /// connection has a limit of its own, and waiting for one is this side's affair.
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
        // Without TLS nothing is known of a connection over HTTP/2 before it has answered:
        // the others wait for that.
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
                    let is_on_used_connection = is_on_used_connection(&*error, route);
                    return Err(self
                        .unanswered(route, request.url, &*error, is_on_used_connection)
                        .into());
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

    /// Takes note of what an answer says of its connection.
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

    /// Takes the lead where the host's protocol is not settled, or waits for the one who
    /// has it.
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
                // For this page too it is a new one.
                route.send_state().connection().set_new();
            }
            request.progress.set(Phase::Waiting);
        }
        None
    }
}

/// A request without an answer.
enum NoAnswer {
    /// It was sent.
    Unanswered(Unanswered),
    /// It was not: the connection has as many streams as the server admits.
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

/// Whether a request failed on a connection that had served others before.
fn is_on_used_connection(error: &(dyn Error + 'static), route: &Route<'_>) -> bool {
    match failure::connection_of(error) {
        // While its own was being opened, the request may have found another one.
        Some(used) if route.channel().protocol() != Protocol::Http2 => {
            route.send_state().own_connection() != Some(used)
        }
        // Those that waited for the first connection share it.
        _ => !route.send_state().connection().is_new() || route.channel().has_answered(),
    }
}

/// Whether a request that was not sent waits for a stream: its connection is there, and
/// had its turn to take it.
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
    let message = format!("no answer began within {limit:?} (--read-timeout)");
    Failure::new(FailureCode::FirstByteTimeout, message)
}

/// `failure`, with the address that a redirect led to: the record names another.
fn with_address(failure: Failure, request: &Request<'_>) -> Failure {
    if request.hops == 0 {
        return failure;
    }
    let address = message::excerpt(&shown_url(request.url));
    let message = format!("{} (redirected to {address})", failure.message);
    Failure { message: message.into(), ..failure }
}
