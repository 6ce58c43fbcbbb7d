//! The hosts to connect to without a proxy (`no_proxy`).
//!
//! The rules are curl's (<https://curl.se/docs/manpage.html#--noproxy>), and ports as
//! other programs accept them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// A list of hosts to connect to without a proxy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NoProxy(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    hosts: Hosts,
    /// `None` for every port.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Hosts {
    All,
    /// A network: an address and the length of its prefix.
    Network(IpAddr, u32),
    /// A domain and its subdomains, in lower case without outer dots.
    Domain(String),
}

impl NoProxy {
    /// Parses a list: `a.org,.b.org 10.0.0.0/8,[::1]:8080` or `*`. Other words are
    /// ignored.
    pub fn parse(text: &str) -> Self {
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        Self(words.filter(|word| !word.is_empty()).filter_map(Rule::parse).collect())
    }

    /// Whether the list contains the host of `url`.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let Some(host) = url.host() else {
            return false;
        };
        self.0.iter().any(|rule| {
            let is_port = rule.port.is_none() || rule.port == port;
            is_port && rule.hosts.hold(&host)
        })
    }
}

impl Rule {
    fn parse(word: &str) -> Option<Self> {
        if word == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        let (host, port) = match word.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            // Two or more colons make an IPv6 address without brackets.
            None => match word.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (word, None),
            },
        };
        let port = port.map(str::parse).transpose().ok()?;
        Some(Self { hosts: Hosts::parse(host)?, port })
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        if let Ok(address) = address.parse::<IpAddr>() {
            let all = if address.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.unwrap_or(all);
            return (prefix <= all).then_some(Self::Network(address, prefix));
        }
        let name = text.strip_prefix('.').unwrap_or(text).trim_end_matches('.');
        let is_name = prefix.is_none() && !name.is_empty();
        is_name.then(|| Self::Domain(name.to_ascii_lowercase()))
    }

    fn hold(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Domain(domain), Host::Domain(host)) => {
                let host = host.trim_end_matches('.');
                let below = host.strip_suffix(domain.as_str());
                below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            (Self::Network(IpAddr::V4(network), prefix), Host::Ipv4(host)) => {
                let differing = network.to_bits() ^ host.to_bits();
                differing.checked_shr(32 - prefix).unwrap_or(0) == 0
            }
            (Self::Network(IpAddr::V6(network), prefix), Host::Ipv6(host)) => {
                let differing = network.to_bits() ^ host.to_bits();
                differing.checked_shr(128 - prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_covered_as_curl_does_it() {
        for (list, covered, others) in [
            ("*", &["http://a.org/", "http://10.0.0.1/", "http://[::1]/"][..], &[][..]),
            (
                "a.org",
                &["http://a.org/", "https://w.a.org:8443/", "http://A.ORG./"],
                &["http://ba.org/", "http://a.org.b/"],
            ),
            (".a.org", &["http://a.org/", "http://w.a.org/"], &["http://ba.org/"]),
            ("A.org.", &["http://a.org/"], &["http://b.org/"]),
            ("x.org, a.org\tb.org", &["http://a.org/", "http://b.org/"], &["http://c.org/"]),
            ("10.0.0.0/8", &["http://10.1.2.3/", "http://10.1/"], &["http://11.0.0.1/"]),
            ("192.168.1.7", &["http://192.168.1.7/"], &["http://192.168.1.8/"]),
            ("0.0.0.0/0", &["http://8.8.8.8/"], &["http://[::1]/", "http://a.org/"]),
            ("fd00::/8", &["http://[fd12::1]/"], &["http://[fe80::1]/"]),
            ("[::1],::2", &["http://[::1]:99/", "http://[::2]/"], &["http://[::3]/"]),
            ("a.org:8080", &["http://a.org:8080/"], &["http://a.org/", "http://a.org:81/"]),
            ("a.org:443,[::1]:80", &["https://a.org/", "http://[::1]/"], &["http://a.org/"]),
            ("", &[], &["http://a.org/"]),
            ("10.0.0.0/33,a.org/8,a.org:x,[::1,.", &[], &["http://a.org/", "http://10.0.0.1/"]),
        ] {
            let no_proxy = NoProxy::parse(list);
            let covers = |text: &&str| no_proxy.covers(&Url::parse(text).unwrap());
            assert_eq!(covered.iter().find(|text| !covers(text)), None, "{list}");
            assert_eq!(others.iter().find(|text| covers(text)), None, "{list}");
        }
    }
}
