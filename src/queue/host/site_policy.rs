//! Sites whose operators publish limits for programs: a small table. Its limits apply unless
//! the user sets others.

use crate::queue::host::pace::Limits;

/// The policy of one operator.
#[derive(Debug, PartialEq)]
pub(crate) struct SitePolicy {
    /// The operator.
    pub(crate) name: &'static str,
    /// The operator's domains. Hosts below them count too, and all share one budget.
    pub(crate) domains: &'static [&'static str],
    /// The limits for all hosts of the site together.
    pub(crate) limits: Limits,
    /// Whether the site refuses agents that name no contact.
    pub(crate) wants_contact: bool,
    /// Words in the body of a refusal, each with the advice for the user.
    pub(crate) refusals: &'static [(&'static str, &'static str)],
}

/// The known sites.
///
/// Wikimedia allows fewer than ten requests at a time and fewer than twenty per second, over
/// all its hosts (<https://wikitech.wikimedia.org/wiki/Robot_policy>). It asks for an agent
/// that names a contact
/// (<https://foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy>).
pub(crate) const TABLE: &[SitePolicy] = &[SitePolicy {
    name: "Wikimedia",
    domains: &[
        "wikipedia.org",
        "wikimedia.org",
        "wiktionary.org",
        "wikidata.org",
        "wikibooks.org",
        "wikinews.org",
        "wikiquote.org",
        "wikisource.org",
        "wikiversity.org",
        "wikivoyage.org",
        "wikifunctions.org",
        "mediawiki.org",
    ],
    limits: Limits { open: Some(9), rate: Some(19.0) },
    wants_contact: true,
    refusals: &[
        (
            "set a user-agent",
            "Wikimedia refuses agents that do not say who runs them: name a real mail address or web page with --contact",
        ),
        (
            "robot policy",
            "Wikimedia refuses agents that do not follow its robot policy: name a real mail address or web page with --contact",
        ),
        (
            "bot-traffic@wikimedia.org",
            "Wikimedia limits this address or agent: wait, lower --rate, and name a real --contact",
        ),
    ],
}];

/// Returns the policy of the site that `host` belongs to.
pub(crate) fn of_host(host: &str) -> Option<&'static SitePolicy> {
    // A name may end with the dot of the root (RFC 1034, 3.1).
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_below = |domain: &&str| {
        host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    TABLE.iter().find(|policy| policy.domains.iter().any(&is_below))
}

/// Returns what a refusal by `host` with this `body` means, and what the user can do.
pub(crate) fn explain(host: &str, body: &str) -> Option<&'static str> {
    let body = body.to_ascii_lowercase();
    let refusals = of_host(host)?.refusals;
    refusals.iter().find(|(words, _)| body.contains(words)).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_belong_to_a_site_by_whole_labels() {
        for host in [
            "en.wikipedia.org",
            "wikipedia.org",
            "upload.wikimedia.org",
            "a.b.wikidata.org",
            "en.wikipedia.org.",
        ] {
            assert_eq!(of_host(host).map(|policy| policy.name), Some("Wikimedia"), "{host}");
        }
        for host in ["notwikipedia.org", "wikipedia.org.evil.net", "example.org", "", "org"] {
            assert_eq!(of_host(host), None, "{host}");
        }
    }

    #[test]
    fn refusals_are_recognised_at_their_site_only() {
        let body = "Please set a user-agent and respect our robot policy https://w.wiki/4wJS.";
        assert!(explain("en.wikipedia.org", body).unwrap().contains("--contact"));
        assert_eq!(explain("example.org", body), None);
        assert_eq!(explain("en.wikipedia.org", "<html>Not found</html>"), None);
        let limited = "If you need more, contact bot-traffic@wikimedia.org.";
        assert!(explain("de.wikipedia.org", limited).unwrap().contains("--rate"));
    }
}
