//! Sites whose operators publish limits for programs: a small table, applied
//! unless the user says otherwise.

use crate::queue::host::pace::Limits;

/// What one operator asks for.
#[derive(Debug, PartialEq)]
pub struct SitePolicy {
    /// The operator.
    pub name: &'static str,
    /// Its domains; hosts below them count too, and all share one budget.
    pub domains: &'static [&'static str],
    /// What it allows. Its hosts together stay within this.
    pub limits: Limits,
    /// Whether agents that name no contact are refused.
    pub wants_contact: bool,
    /// Words in the body of a refusal, and the advice for the user then.
    pub refusals: &'static [(&'static str, &'static str)],
}

/// The sites that are known.
///
/// Wikimedia: fewer than ten requests at a time and below twenty a second, over
/// all its hosts (<https://wikitech.wikimedia.org/wiki/Robot_policy>); an agent
/// that names a contact
/// (<https://foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy>).
pub const TABLE: &[SitePolicy] = &[SitePolicy {
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
            "Wikimedia refuses agents that do not keep its robot policy: name a real mail address or web page with --contact",
        ),
        (
            "bot-traffic@wikimedia.org",
            "Wikimedia limits this address or agent: wait, ask for less with --rate, and name a real --contact",
        ),
    ],
}];

/// The policy of the site that `host` belongs to.
pub fn of_host(host: &str) -> Option<&'static SitePolicy> {
    // A name may end with the dot of the root (RFC 1034, 3.1).
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_below = |domain: &&str| {
        host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    TABLE.iter().find(|policy| policy.domains.iter().any(&is_below))
}

/// What a refusal of `host`, with this `body`, means and what to do about it.
pub fn explain(host: &str, body: &str) -> Option<&'static str> {
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
