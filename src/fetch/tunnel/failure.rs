//! What it means when a connection through a proxy cannot be had.

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

/// The status of a proxy that wants to know who asks (RFC 9110, 15.5.8).
const UNAUTHORIZED: u16 = 407;

/// The failure of a request for `target` through `proxy`, and whose fault it is;
/// `None` when it is no matter of the proxy's, but of what lies behind it.
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

/// The failure of a request that the proxy wants to be authorized (RFC 9110, 15.5.8).
pub(in crate::fetch) fn unauthorized(proxy: &Proxy) -> Failure {
    at(proxy, login_refusal(proxy))
}

fn login_refusal(proxy: &Proxy) -> &'static str {
    if proxy.has_credentials() {
        "it does not accept the user name and password (407)"
    } else {
        "it wants a user name and a password (407)"
    }
}

fn at(proxy: &Proxy, text: &str) -> Failure {
    Failure::new(FailureCode::Proxy, format!("proxy {proxy}: {text}"))
}

/// What is known of a failure: words, where the innermost cause's will not do, and blame.
type ProxyFault = (Option<String>, Blame);

/// What one error of a chain says of the proxy, if it says anything.
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
            // It says so for a target that it cannot reach, too.
            TunnelError::Refused(status) => {
                (Some(format!("it opens no way to {}: {status}", host())), Blame::Unclear)
            }
            TunnelError::Unreadable(malformed) => {
                (Some(format!("it opens no way to {}: {malformed}", host())), Blame::Proxy)
            }
            TunnelError::Broken(_) => {
                (Some(format!("it broke off on the way to {}", host())), Blame::Unclear)
            }
        });
    }
    Some(match cause.downcast_ref::<SocksError>()? {
        SocksError::Inner(_) | SocksError::Parsing(_) => (None, Blame::Proxy),
        // A refusal of ours, or the target's state (RFC 1928, 6).
        SocksError::V5(reply) => {
            (Some(format!("it opens no way to {}: {reply}", host())), Blame::Unclear)
        }
        _ => (Some(format!("it broke off on the way to {}", host())), Blame::Unclear),
    })
}

/// What the kind of the request says, when no cause does.
fn of_whole(error: &(dyn Error + 'static), proxy: &Proxy, target: &Url) -> Option<ProxyFault> {
    if target.scheme() == "http" && proxy.is_http() {
        // The only connection there is leads to the proxy.
        return Some((None, Blame::Proxy));
    }
    let is_late = error_chain::causes(error).any(<dyn Error>::is::<ConnectTimedOut>);
    is_late.then_some((None, Blame::Unclear))
}
