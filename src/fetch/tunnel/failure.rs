//! Interprets the errors of connections through a proxy.

use std::error::Error;

use url::Url;

use super::TunnelError;
use crate::fetch::connect::ConnectTimedOut;
use crate::fetch::error_chain::{self, SocksError};
use crate::fetch::failure;
use crate::fetch::proxy::Proxy;
use crate::fetch::resolve::DnsError;
use crate::fetch::rotation::Blame;
use crate::model::{Failure, FailureCode};

/// The status of a proxy that requires a login (RFC 9110, 15.5.8).
const UNAUTHORIZED: u16 = 407;

/// Returns the failure of a request for `target` through `proxy`, and who caused it;
/// `None` if what lies behind the proxy caused it.
pub(in crate::fetch) fn failure(
    error: &(dyn Error + 'static),
    proxy: &Proxy,
    target: &Url,
) -> Option<(Failure, Blame)> {
    if !error_chain::is_connect(error) {
        return None;
    }
    let (text, blame) = error_chain::causes(error)
        .find_map(|cause| of_cause(cause, proxy, target))
        .or_else(|| of_whole(error, proxy, target))?;
    let text = text.unwrap_or_else(|| failure::message(error));
    Some((at(proxy, &text), blame))
}

/// Makes the failure of a request that lacks a login, or has a wrong one (RFC 9110,
/// 15.5.8).
pub(in crate::fetch) fn unauthorized(proxy: &Proxy) -> Failure {
    at(proxy, login_refusal(proxy))
}

fn login_refusal(proxy: &Proxy) -> &'static str {
    if proxy.has_credentials() {
        "it does not accept the user name and password (407)"
    } else {
        "it requires a user name and a password in its address (407)"
    }
}

fn at(proxy: &Proxy, text: &str) -> Failure {
    Failure::new(FailureCode::Proxy, format!("proxy {proxy}: {text}"))
}

/// A text, unless that of the innermost cause is good enough, and the blame.
type ProxyFault = (Option<String>, Blame);

/// Returns what one error of a chain says about the proxy; `None` if it says nothing.
fn of_cause(cause: &(dyn Error + 'static), proxy: &Proxy, target: &Url) -> Option<ProxyFault> {
    if let Some(error) = cause.downcast_ref::<DnsError>() {
        return (error.host() == proxy.host()).then_some((None, Blame::Proxy));
    }
    let host = || target.host_str().unwrap_or_default();
    if let Some(error) = cause.downcast_ref::<TunnelError>() {
        return Some(match error {
            TunnelError::Unreachable(_) => (None, Blame::Proxy),
            TunnelError::Refused(status) if status.code == UNAUTHORIZED => {
                (Some(login_refusal(proxy).to_owned()), Blame::Proxy)
            }
            // The proxy also says so for a target that it cannot reach.
            TunnelError::Refused(status) => {
                (Some(format!("it refuses a tunnel to {}: {status}", host())), Blame::Unclear)
            }
            TunnelError::Unreadable(malformed) => {
                (Some(format!("it opens no tunnel to {}: {malformed}", host())), Blame::Proxy)
            }
            TunnelError::Broken(_) => (
                Some(format!("it closed the connection before the tunnel to {} was open", host())),
                Blame::Unclear,
            ),
        });
    }
    Some(match cause.downcast_ref::<SocksError>()? {
        SocksError::Inner(_) | SocksError::Parsing(_) => (None, Blame::Proxy),
        // The proxy refuses the client, or reports the target's state (RFC 1928, 6).
        SocksError::V5(reply) => {
            (Some(format!("it refuses a tunnel to {}: {reply}", host())), Blame::Unclear)
        }
        _ => (
            Some(format!("it closed the connection before the tunnel to {} was open", host())),
            Blame::Unclear,
        ),
    })
}

/// Returns what the kind of the request says, if no cause does.
fn of_whole(error: &(dyn Error + 'static), proxy: &Proxy, target: &Url) -> Option<ProxyFault> {
    if target.scheme() == "http" && proxy.is_http() {
        // The only connection of such a request leads to the proxy.
        return Some((None, Blame::Proxy));
    }
    let is_late = error_chain::causes(error).any(<dyn Error>::is::<ConnectTimedOut>);
    is_late.then_some((None, Blame::Unclear))
}
