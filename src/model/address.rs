//! URLs as the program shows and limits them.

use std::borrow::Cow;

use url::{Host, Url};

/// The largest URL of a page, in bytes: eight times the length that servers should support
/// (RFC 9110, 4.1).
pub(crate) const ADDRESS_LIMIT: usize = 64 * 1024;

/// The longest URL that is shown whole, in characters.
const SHORT_LIMIT: usize = 300;

/// Shortens `url` to a few lines for display, and leaves user name and password out.
pub(crate) fn short_url(url: &Url) -> Cow<'_, str> {
    let shown = shown_url(url);
    // A URL is ASCII.
    if shown.len() <= SHORT_LIMIT {
        return shown;
    }
    Cow::Owned(format!("{}…", &shown[..SHORT_LIMIT]))
}

/// Returns `url` without user name and password, as it may be shown and recorded.
pub fn shown_url(url: &Url) -> Cow<'_, str> {
    if url.username().is_empty() && url.password().is_none() {
        return Cow::Borrowed(url.as_str());
    }
    let mut bare = url.clone();
    // Neither call fails for a URL that has a user name, because it has a host.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    Cow::Owned(bare.into())
}

/// Whether `url` names this machine by itself: by a loopback address (RFC 1122, 3.2.1.3;
/// RFC 4291, 2.5.3) or by a name that always means one (RFC 6761, 6.3).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_shown_the_start_of_a_long_address() {
        for (path, expected) in [
            ("x".repeat(287), "http://a.org/".to_owned() + &"x".repeat(287)),
            ("x".repeat(288), "http://a.org/".to_owned() + &"x".repeat(287) + "…"),
        ] {
            let url = Url::parse(&format!("http://me:pw@a.org/{path}")).unwrap();
            assert_eq!(short_url(&url), expected);
        }
    }

    #[test]
    fn loopback_is_told_by_address_or_name() {
        for (url, expected) in [
            ("http://127.0.0.1:8/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://localhost:80/", true),
            ("http://a.localhost./", true),
            ("http://localhost.org/", false),
            ("http://192.168.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
