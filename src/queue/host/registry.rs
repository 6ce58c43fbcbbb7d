//! Which host a URL belongs to, and the limits of that host.

use std::collections::HashMap;
use std::fmt::Write;

use url::Url;

use crate::model::{AutoWorkers, is_loopback};
use crate::queue::host::pace::Limits;
use crate::queue::host::site_policy::{self, SitePolicy};
use crate::queue::host::state::Host;

/// The user's choice of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Choice<T> {
    /// The user chose no limit: the policy of the host's site applies, or else the default.
    #[default]
    Usual,
    /// The user chose this limit, or none at all, whatever the policy of the site says.
    Typed(Option<T>),
}

/// Limits for each host, as far as the user chose them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HostLimits {
    /// `--per-host`
    pub open: Choice<u32>,
    /// `--rate`
    pub rate: Choice<f64>,
    /// The limit of open requests at a host that neither the user nor a policy limits.
    /// Loopback has no such limit.
    pub usual_open: Option<u32>,
    /// With `--workers auto` the queue finds the number of open requests while the run is
    /// in progress: at most this one, and within the other limits.
    pub adaptive: Option<u32>,
}

/// The place of a host in its [`Registry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostId(u32);

/// All hosts of a run. The hosts of a known site count as one, because they share its budget.
#[derive(Debug)]
pub(crate) struct Registry {
    limits: HostLimits,
    all: Vec<Host>,
    ids: HashMap<Box<str>, HostId>,
    /// The host of the last URL as text, and its place. It saves look-ups, because lists
    /// often name one host many times in a row.
    last: (String, HostId),
    scratch: String,
}

impl Registry {
    pub(crate) fn new(limits: HostLimits) -> Self {
        let last = (String::new(), HostId(0));
        Self { limits, all: Vec::new(), ids: HashMap::new(), last, scratch: String::new() }
    }

    pub(crate) fn get(&self, id: HostId) -> &Host {
        &self.all[id.0 as usize]
    }

    pub(crate) fn get_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.all[id.0 as usize]
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Host> {
        self.all.iter_mut()
    }

    /// Returns where the number of open requests has settled at the host with the most
    /// answers, the name of that host, and how many other hosts have answered.
    pub(crate) fn auto_workers(&self) -> Option<AutoWorkers> {
        let settled =
            (0..).zip(&self.all).filter_map(|(id, host)| Some((id, host.pace.settled_at()?)));
        let (id, most) = settled.clone().max_by_key(|(_, settled_at)| settled_at.answers)?;
        // The name of a site is not the name of a host.
        let is_host = |name: &&str| !site_policy::TABLE.iter().any(|policy| policy.name == *name);
        let names = self.ids.iter().filter(|(_, place)| **place == HostId(id));
        let host = names.map(|(name, _)| &**name).filter(is_host).min().unwrap_or_default();
        Some(AutoWorkers {
            host: host.to_owned(),
            settled: most.settled,
            knee: most.knee,
            other_hosts: settled.count() - 1,
        })
    }

    /// Returns the host of `url`, and whether it is new.
    ///
    /// http and https on their usual ports are one host, because the same server answers
    /// both.
    pub(crate) fn find(&mut self, url: &Url) -> (HostId, bool) {
        self.scratch.clear();
        self.scratch.push_str(url.host_str().unwrap_or_default());
        if let Some(port) = url.port() {
            write!(self.scratch, ":{port}").expect("a String takes all text");
        }
        if self.scratch == self.last.0 && !self.all.is_empty() {
            return (self.last.1, false);
        }
        let known = self.ids.get(self.scratch.as_str()).copied();
        let (id, is_new) = known.map_or_else(|| self.add(url), |id| (id, false));
        std::mem::swap(&mut self.scratch, &mut self.last.0);
        self.last.1 = id;
        (id, is_new)
    }

    /// Returns the policy of the site of `url`, unless the user's own limits replace all of
    /// it.
    pub(crate) fn policy(&self, url: &Url) -> Option<&'static SitePolicy> {
        let is_overridden = self.limits.open != Choice::Usual && self.limits.rate != Choice::Usual;
        url.host_str().and_then(site_policy::of_host).filter(|_| !is_overridden)
    }

    fn add(&mut self, url: &Url) -> (HostId, bool) {
        let policy = url.host_str().and_then(site_policy::of_host);
        let shared = policy.and_then(|policy| self.ids.get(policy.name).copied());
        let id = shared.unwrap_or_else(|| {
            let number = u32::try_from(self.all.len()).expect("memory ends before this");
            let limits = limits(self.limits, policy, url);
            let mut host = Host::new(limits);
            if let Some(cap) = self.limits.adaptive {
                host.pace.adapt(limits.open.map_or(cap, |open| open.min(cap)));
            }
            self.all.push(host);
            HostId(number)
        });
        if let Some(policy) = policy {
            // Names of hosts are in lower case, so they cannot be equal to this name.
            self.ids.insert(policy.name.into(), id);
        }
        self.ids.insert(self.scratch.as_str().into(), id);
        (id, shared.is_none())
    }
}

/// Returns the limits of the host of `url`: those of the user, else those of the `policy`,
/// else the defaults.
fn limits(chosen: HostLimits, policy: Option<&SitePolicy>, url: &Url) -> Limits {
    let usual = policy.map_or_else(
        || Limits { open: chosen.usual_open.filter(|_| !is_loopback(url)), rate: None },
        |policy| policy.limits,
    );
    Limits { open: chosen.open.or(usual.open), rate: chosen.rate.or(usual.rate) }
}

impl<T> Choice<T> {
    fn or(self, usual: Option<T>) -> Option<T> {
        match self {
            Self::Usual => usual,
            Self::Typed(typed) => typed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::queue::host::concurrency::Answer;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_host_is_a_name_and_a_port() {
        let mut hosts = Registry::new(HostLimits::default());
        let mut find = |text: &str| hosts.find(&url(text));
        let (first, is_new) = find("http://a.org/1");
        assert!(is_new);
        assert_eq!(find("https://a.org/2"), (first, false));
        assert_eq!(find("http://A.ORG:80/3"), (first, false));
        let (other, is_new) = find("http://a.org:8080/1");
        assert!(is_new && other != first);
        assert_eq!(find("http://a.org/4"), (first, false));
        assert_eq!(find("https://a.org:8080/"), (other, false));
    }

    #[test]
    fn the_hosts_of_a_known_site_are_one() {
        let mut hosts = Registry::new(HostLimits { usual_open: Some(32), ..HostLimits::default() });
        let (english, is_new) = hosts.find(&url("https://en.wikipedia.org/wiki/India"));
        assert!(is_new);
        for text in ["http://de.wikipedia.org/", "https://upload.wikimedia.org/x.png"] {
            assert_eq!(hosts.find(&url(text)), (english, false), "{text}");
        }
        let limits = hosts.get(english).pace.limits();
        assert_eq!(limits, Limits { open: Some(9), rate: Some(19.0) });
    }

    #[test]
    fn auto_workers_are_those_of_the_host_with_the_most_answers() {
        let clock = ManualClock::new();
        let limits = HostLimits { adaptive: Some(32), ..HostLimits::default() };
        let mut hosts = Registry::new(limits);
        assert_eq!(hosts.auto_workers(), None);
        for (text, pages) in [("http://a.org/", 10), ("https://en.wikipedia.org/", 200)] {
            let (id, _) = hosts.find(&url(text));
            let pace = &mut hosts.get_mut(id).pace;
            for page in 0..pages {
                pace.start(clock.now());
                pace.start_timing(page, clock.now());
                clock.advance(Duration::from_millis(20));
                let wait = Duration::from_millis(20);
                let answer = Answer { wait, is_on_new_connection: false };
                pace.end_timing(page, Some(answer), clock.now());
                pace.end();
            }
        }
        let auto = hosts.auto_workers().unwrap();
        assert_eq!((auto.host.as_str(), auto.other_hosts), ("en.wikipedia.org", 1));
        assert_eq!((auto.settled, auto.knee), (1, 1));
    }

    #[test]
    fn what_was_typed_comes_before_a_policy_and_that_before_the_usual() {
        let usual = HostLimits { usual_open: Some(16), ..HostLimits::default() };
        let typed =
            HostLimits { open: Choice::Typed(Some(32)), rate: Choice::Typed(None), ..usual };
        let of = |chosen, text: &str| {
            let url = url(text);
            limits(chosen, url.host_str().and_then(site_policy::of_host), &url)
        };
        let wikipedia = "https://en.wikipedia.org/";
        assert_eq!(of(typed, wikipedia), Limits { open: Some(32), rate: None });
        assert_eq!(of(usual, wikipedia), Limits { open: Some(9), rate: Some(19.0) });
        assert_eq!(of(usual, "http://a.org/"), Limits { open: Some(16), rate: None });
        for text in ["http://127.0.0.1:8000/", "http://localhost/", "http://[::1]:1/"] {
            assert_eq!(of(usual, text), Limits::default(), "{text}");
        }
        let half = HostLimits { open: Choice::Typed(Some(2)), ..usual };
        assert_eq!(of(half, wikipedia), Limits { open: Some(2), rate: Some(19.0) });
        assert_eq!(of(half, "http://127.0.0.1/"), Limits { open: Some(2), rate: None });
    }
}
