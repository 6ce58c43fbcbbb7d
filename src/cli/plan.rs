//! Decides what is fetched and how, for every command that reads a source.

use std::num::NonZeroUsize;

use super::args::{HttpArgs, Robots};
use super::http::http_options;
use super::source::Chosen;
use super::usage::{Result, usage};
use super::{credentials, environment, proxies};
use crate::config::PlanOptions;
use crate::queue::host::HostLimits;
use crate::queue::retry::{FailureLimit, RetryPolicy};
use crate::queue::robots::ProductToken;
use crate::{fetch, queue};

/// What a command decides about its requests, in addition to the source and to HTTP.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Running {
    /// The limits per host.
    pub(super) limits: HostLimits,
    /// The requested concurrency, as in [`queue::Options`].
    pub(super) workers: Option<NonZeroUsize>,
    pub(super) failure_limit: Option<FailureLimit>,
    /// Whether redirects to other hosts are not followed.
    pub(super) keeps_to_host: bool,
}

/// Decides what is fetched and how. After this, the options of `fetch` and `queue` are complete:
/// an option without a flag has its default.
pub(super) fn plan(chosen: Chosen, http: &HttpArgs, running: Running) -> Result<PlanOptions> {
    let Running { limits, workers, failure_limit, keeps_to_host } = running;
    let fetch = fetch::Options { keeps_to_host, ..fetch_options(http, &chosen)? };
    let queue = queue::Options {
        retry: RetryPolicy { retries: http.retry, ..RetryPolicy::default() },
        limits,
        obeys_robots: match http.robots {
            Robots::Auto => chosen.spec.policy().obeys_robots,
            Robots::Obey => true,
            Robots::Ignore => false,
        },
        agent: ProductToken::of_agent(fetch.sent_user_agent().as_bytes()),
        failure_limit,
        workers,
    };
    let Chosen { spec: source, filter, recorded, .. } = chosen;
    Ok(PlanOptions { source, filter, fetch, queue, recorded })
}

/// Decides on the options of HTTP that depend on the source: which origins get credentials, and
/// which proxies are used.
fn fetch_options(http: &HttpArgs, chosen: &Chosen) -> Result<fetch::Options> {
    let is_demo = chosen.spec.policy().site.is_some();
    if is_demo && http.untrusted {
        return usage(
            "--untrusted refuses the embedded site, which is on loopback",
            "leave --untrusted out",
        );
    }
    // The embedded site is on this machine, so proxies for other hosts do not apply.
    let variable = |name: &str| (!is_demo).then(|| environment::variable(name)).flatten();
    let typed = http.proxy.as_ref().map(|proxy| proxy.expose().as_str());
    let proxies = proxies::proxies(typed, &variable)?;
    if http.untrusted {
        proxies::check_untrusted(&proxies)?;
    }
    let mut options = fetch::Options { proxies, ..http_options(http)? };
    credentials::add_homes(&mut options.credentials, chosen);
    Ok(options)
}
