//! Redirects: the address that an answer names, and the data that an attempt takes from one
//! redirect to the next.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use url::Url;

use super::exchange::RedirectExchange;

/// The redirects that an attempt has followed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The address that the last one leads to.
    pub url: Url,
    /// Redirects so far, this one included.
    pub count: u32,
    /// When the attempt began.
    pub started: Instant,
    /// Time that the attempt took so far, without the waits in the queue.
    pub spent: Duration,
    /// The cookies that the answers of these redirects set.
    pub cookies: Vec<SetCookie>,
    /// Whether an origin that is not trusted with credentials chose one of these redirects.
    pub has_left_home: bool,
    /// The exchanges of these redirects, when the run records exchanges.
    pub exchanges: Vec<RedirectExchange>,
}

/// A cookie that an answer sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetCookie {
    /// The address that answered.
    pub by: Url,
    /// The value of the `Set-Cookie` field (RFC 6265, 4.1).
    pub line: String,
}

/// A redirect: an answer that names another address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The address.
    pub to: Url,
    /// The cookies that the answer sets, for the requests that follow.
    pub cookies: Vec<SetCookie>,
    /// Whether an origin that is not trusted with credentials chose this redirect or an
    /// earlier one.
    pub has_left_home: bool,
    /// The exchange that led there, when the run records exchanges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Box<RedirectExchange>>,
}

#[cfg(test)]
impl Redirect {
    /// A redirect to `to` without cookies, which a trusted origin chose.
    pub(crate) const fn to(to: Url) -> Self {
        Self { to, cookies: Vec::new(), has_left_home: false, exchange: None }
    }
}
