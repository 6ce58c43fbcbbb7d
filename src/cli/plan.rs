//! What is fetched and how, for every command that reads a source.

use super::args::{HttpArgs, Robots};
use super::http::http_options;
use super::source::Chosen;
use super::usage::{Result, usage};
use super::{credentials, environment, proxies};
use crate::config::PlanOptions;
use crate::queue;
use crate::queue::retry::RetryPolicy;
use crate::queue::robots::ProductToken;

pub(super) fn plan(chosen: Chosen, http: &HttpArgs) -> Result<PlanOptions> {
    let retry = RetryPolicy { retries: http.retry, ..RetryPolicy::default() };
    let robots = http.robots;
    let mut fetch = http_options(http)?;
    credentials::add_homes(&mut fetch.credentials, &chosen);
    let Chosen { spec: source, filter, recorded, .. } = chosen;
    let policy = source.policy();
    let is_demo = policy.site.is_some();
    if is_demo && http.untrusted {
        return usage(
            "--untrusted refuses the embedded site, which is on loopback",
            "leave it out",
        );
    }
    // The embedded site is on this machine, whatever the way to others.
    let variable = |name: &str| (!is_demo).then(|| environment::variable(name)).flatten();
    fetch.proxies =
        proxies::proxies(http.proxy.as_ref().map(|it| it.expose().as_str()), &variable)?;
    if fetch.untrusted {
        proxies::check_untrusted(&fetch.proxies)?;
    }
    let obeys_robots = match robots {
        Robots::Auto => policy.obeys_robots,
        Robots::Obey => true,
        Robots::Ignore => false,
    };
    let agent = ProductToken::of_agent(fetch.sent_user_agent().as_bytes());
    let queue = queue::Options { retry, obeys_robots, agent, ..queue::Options::default() };
    Ok(PlanOptions { source, filter, fetch, queue, recorded })
}
