//! One exchange with a server: sending, the waits that have limits, and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Response;
use tokio::time::timeout_at;

use super::first::Lead;
use super::head::{read_head, redirect_target, refuse_transfer_coding};
use super::route::Route;
use super::{Ask, Client, Got, HttpChoice, Missed, Want, body, connect};
use crate::message;
use crate::model::{Failure, FailureCode, Head, RawPage, shown_url};
use crate::phase::{Phase, PhaseCell};

/// No run lasts so long.
const FOR_EVER: Duration = Duration::from_hours(100 * 365 * 24);

/// A crawler follows at least so many redirects to rules (RFC 9309, 2.3.1.2).
const RULES_REDIRECTS: u32 = 5;

/// What is known of an attempt while it runs, for the case that it is cut short.
#[derive(Default)]
pub(super) struct Trail {
    head: Option<Box<Head>>,
    pub(super) wire_bytes: u64,
    wait: Duration,
}

impl Trail {
    fn missed(self, failure: Failure) -> Missed {
        let Self { head, wire_bytes, wait } = self;
        Missed { failure, head, wire_bytes, wait }
    }
}

impl Client {
    /// Makes one request, within the time limits of the options.
    ///
    /// # Errors
    ///
    /// [`Missed`] when no whole answer came. An answer with any status is `Ok`;
    /// of one that is not saved, the body is read for 2 seconds and to 64 KiB at most.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Got, Missed> {
        let mut trail = Trail { wait: ask.spent, ..Trail::default() };
        let limit = self.options().max_time;
        let left = limit.saturating_sub(ask.spent);
        match timeout_at(end_of(ask.started, left), self.exchange(ask, &mut trail)).await {
            Ok(Ok(got)) => Ok(got),
            Ok(Err(failure)) => Err(trail.missed(placed(failure, ask))),
            Err(_elapsed) => {
                let message = format!("not done within {limit:?} (--max-time)");
                let failure = Failure::new(FailureCode::MaxTime, message);
                Err(trail.missed(placed(failure, ask)))
            }
        }
    }

    async fn exchange(&self, ask: &Ask<'_>, trail: &mut Trail) -> Result<Got, Failure> {
        let route = self.route(ask.url)?;
        let mut response = self.send(ask, &route).await?;
        ask.phase.set(Phase::Receiving);
        trail.wait = ask.spent + (self.now() - ask.started);
        let is_on_new_connection = ask.phase.connected().is_some();
        let head = Head { is_on_new_connection, ..read_head(&response, ask.url) };
        trail.head = Some(Box::new(head));
        refuse_transfer_coding(response.headers())?;
        // Boxed, as hardly any answer has one.
        let target = redirect_target(ask.url, &response)?.map(Box::new);
        let body = body::read(self.options(), &mut response, trail, ask).await?;
        let Some(target) = target else {
            let head = trail.head.take().expect("it was put there above");
            return Ok(Got::Answer(RawPage { head, body, wait: trail.wait }));
        };
        let limit = match ask.want {
            Want::Whole => self.options().max_redirects,
            Want::Start(_) => self.options().max_redirects.max(RULES_REDIRECTS),
        };
        if ask.hops >= limit {
            let message = format!("more than {limit} redirects");
            return Err(Failure::new(FailureCode::Redirects, message));
        }
        if self.options().keeps_to_host && target.host() != ask.asked.host() {
            let host = message::excerpt(target.host_str().unwrap_or_default());
            let message = format!("redirected to {host}, and only the named host may be asked");
            return Err(Failure::new(FailureCode::Blocked, message));
        }
        Ok(Got::Moved(*target))
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// The time for the first byte runs from the moment the connection is
    /// there: opening one has a limit of its own.
    async fn send(&self, ask: &Ask<'_>, route: &Route<'_>) -> Result<Response, Failure> {
        let limit = self.options().read_timeout;
        ask.phase.set(Phase::Waiting);
        let (lead, started) = self.lead_or_wait(route, ask).await;
        let sending = self.request(route.http(), ask).send();
        let phase = Arc::clone(ask.phase);
        let mut sending = std::pin::pin!(connect::told_to(phase, lead.clone(), sending));
        let mut deadline = end_of(started, limit);
        loop {
            match timeout_at(deadline, &mut sending).await {
                Ok(Ok(response)) => {
                    if lead.is_some() && response.version() < http::Version::HTTP_2 {
                        self.shared().crowd().speaks_http1(route.host());
                    }
                    return self.answered(route, ask.url, response);
                }
                Ok(Err(error)) => return Err(self.failed(route, ask.url, &error)),
                Err(_elapsed) => {
                    deadline = self.later_deadline(ask.phase, started, limit).ok_or_else(|| {
                        let message = format!("no answer began within {limit:?} (--read-timeout)");
                        Failure::new(FailureCode::FirstByteTimeout, message)
                    })?;
                }
            }
        }
    }

    /// Takes the lead where the host's protocol is not settled, or waits for the one who
    /// has it. The moment is that from which on nobody else is waited for.
    async fn lead_or_wait(&self, route: &Route<'_>, ask: &Ask<'_>) -> (Option<Arc<Lead>>, Instant) {
        let mut started = ask.started;
        let is_open = ask.url.scheme() == "https"
            && self.options().http == HttpChoice::Auto
            && !self.shared().crowd().is_known_for_http1(route.host());
        if let Some(first) = route.first().filter(|_| is_open) {
            ask.phase.set(Phase::Connecting);
            if first.wait(self.options().connect_timeout).await {
                started = self.now();
                // For this page too it is a new one.
                ask.phase.set_connected(started);
            }
            ask.phase.set(Phase::Waiting);
        }
        (route.lead().filter(|_| is_open).map(Arc::clone), started)
    }

    /// A later end for the wait for a first byte, when the wait so far went into connecting.
    fn later_deadline(
        &self,
        phase: &PhaseCell,
        started: Instant,
        limit: Duration,
    ) -> Option<tokio::time::Instant> {
        let now = self.now();
        if phase.get() == Phase::Connecting {
            // The connection's own limit ends this; look again soon.
            return Some((now + Duration::from_millis(50)).into());
        }
        let later = end_of(phase.connected()?.max(started), limit);
        (later > now.into()).then_some(later)
    }
}

/// When `limit` is over that began at `start`; one that is beyond all reckoning is not met.
fn end_of(start: Instant, limit: Duration) -> tokio::time::Instant {
    start.checked_add(limit).unwrap_or(start + FOR_EVER).into()
}

/// `failure`, with the address that a redirect led to: the record names another.
fn placed(failure: Failure, ask: &Ask<'_>) -> Failure {
    if ask.hops == 0 {
        return failure;
    }
    let address = message::excerpt(&shown_url(ask.url));
    let message = format!("{} (redirected to {address})", failure.message);
    Failure { message, ..failure }
}
