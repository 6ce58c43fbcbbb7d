//! The hosts that a comparison would send requests to, and whether it may.

use std::collections::BTreeMap;
use std::fmt;

use url::Url;

use crate::message::{counted, plural};
use crate::model::is_loopback;
use crate::queue::host::site_policy;

/// The hosts of the pages of one run.
#[derive(Debug, Default)]
pub(crate) struct TargetHosts {
    /// The number of pages.
    pub pages: u64,
    /// The number of pages on each host that is not this machine.
    foreign: BTreeMap<String, u64>,
}

/// Why a comparison may not run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The policy of a known site forbids it.
    #[error(
        "compare does not run against {host}: {policy} asks programs to respect limits that would \
         make all modes equally fast"
    )]
    KnownSite {
        /// The host.
        host: String,
        /// The owner of the policy.
        policy: &'static str,
    },
    /// The user has not agreed to the requests.
    #[error("compare would send {0}")]
    NotAgreed(Requests),
}

/// The requests that other machines would get.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Requests {
    /// Their number, without retries and redirects.
    count: u64,
    /// The names of the hosts.
    hosts: String,
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "about {} to {}", counted(self.count, "request"), self.hosts)
    }
}

impl TargetHosts {
    /// Adds a page.
    pub(crate) fn add(&mut self, url: &Url) {
        self.pages += 1;
        if !is_loopback(url) {
            *self.foreign.entry(url.host_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }

    /// Checks whether this number of `runs` may begin, and returns the requests that other
    /// machines would get; these need the user's agreement. If `obeys_robots` is set, each
    /// run also fetches the robots.txt of each host.
    ///
    /// # Errors
    ///
    /// [`Refused`] if they may not.
    pub(crate) fn check(
        &self,
        runs: u64,
        obeys_robots: bool,
        is_agreed: bool,
    ) -> Result<Option<Requests>, Refused> {
        if let Some(refused) = self.foreign.keys().find_map(|host| known(host)) {
            return Err(refused);
        }
        if self.foreign.is_empty() {
            return Ok(None);
        }
        let rules = if obeys_robots { self.foreign.len() as u64 } else { 0 };
        let count = (self.foreign.values().sum::<u64>() + rules) * runs;
        let mut hosts: Vec<&str> = self.foreign.keys().map(String::as_str).take(3).collect();
        let more = {
            let more = self.foreign.len() - hosts.len();
            format!("{more} more {}", plural(more as u64, "host"))
        };
        if self.foreign.len() > hosts.len() {
            hosts.push(&more);
        }
        let requests = Requests { count, hosts: hosts.join(", ") };
        if is_agreed { Ok(Some(requests)) } else { Err(Refused::NotAgreed(requests)) }
    }
}

/// Refuses the address of a site whose policy forbids comparisons.
///
/// # Errors
///
/// [`Refused::KnownSite`].
pub(crate) fn refuse_known(url: &Url) -> Result<(), Refused> {
    url.host_str().and_then(known).map_or(Ok(()), Err)
}

fn known(host: &str) -> Option<Refused> {
    let policy = site_policy::of_host(host)?.name;
    Some(Refused::KnownSite { host: host.to_owned(), policy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(urls: &[&str]) -> TargetHosts {
        let mut hosts = TargetHosts::default();
        for url in urls {
            hosts.add(&Url::parse(url).unwrap());
        }
        hosts
    }

    #[test]
    fn this_machine_may_always_be_asked() {
        let local = [
            "http://127.0.0.1:8/",
            "http://[::1]/",
            "http://localhost:80/",
            "http://a.localhost./",
        ];
        assert_eq!(hosts(&local).check(36, true, false), Ok(None));
        assert_eq!(hosts(&local).pages, 4);
    }

    #[test]
    fn other_machines_may_be_asked_when_that_is_agreed_to() {
        let mixed =
            hosts(&["http://127.0.0.1/", "http://b.org/1", "http://a.org/2", "http://a.org/3"]);
        let refused = mixed.check(36, false, false).unwrap_err();
        assert_eq!(refused.to_string(), "compare would send about 108 requests to a.org, b.org");
        let agreed = mixed.check(36, true, true).unwrap().unwrap();
        assert_eq!(agreed.to_string(), "about 180 requests to a.org, b.org");
        let many = ["http://a/", "http://b/", "http://c/", "http://d/", "http://e/"];
        let refused = hosts(&many).check(1, false, false).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "compare would send about 5 requests to a, b, c, 2 more hosts"
        );
    }

    #[test]
    fn a_site_with_a_policy_is_never_asked() {
        let wiki = Url::parse("https://en.wikipedia.org/wiki/India").unwrap();
        assert!(matches!(refuse_known(&wiki), Err(Refused::KnownSite { policy: "Wikimedia", .. })));
        let mixed = hosts(&["http://127.0.0.1/", wiki.as_str()]);
        let refused = mixed.check(1, false, true).unwrap_err().to_string();
        assert!(refused.contains("en.wikipedia.org: Wikimedia asks"), "{refused}");
        assert_eq!(refuse_known(&Url::parse("https://example.org/").unwrap()), Ok(()));
    }
}
