//! The cookies of one page's redirects (RFC 6265): later hops send back the cookies that
//! an answer set. They are forgotten with the page.
//!
//! Some sites set a cookie and redirect back to the same address to check it; without
//! cookies such a page redirects without end. No cookie outlives its page, because pages
//! must not depend on the order in which they are fetched.

use cookie_store::CookieStore;
use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::model::SetCookie;

/// The longest line, and the most lines of a chain. User agents accept at least as much
/// (RFC 6265, 6.1).
const LINE_LIMIT: usize = 4096;
const LINES: usize = 50;

/// Returns the cookies that an answer from `url` sets.
pub(super) fn set_by(url: &Url, headers: &HeaderMap) -> Vec<SetCookie> {
    let values = headers.get_all(header::SET_COOKIE).iter();
    let lines = values.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
    let lines = lines.filter(|line| line.len() <= LINE_LIMIT).take(LINES);
    lines.map(|line| SetCookie { by: url.clone(), line: line.to_owned() }).collect()
}

/// Returns the `Cookie` field for a request of `url`, after answers that set `cookies`.
/// It contains the user's `own` cookies too; if two have the same name, the server's is
/// sent.
pub(super) fn cookie_header(
    cookies: &[SetCookie],
    own: Option<&HeaderValue>,
    url: &Url,
) -> Option<HeaderValue> {
    let mut store = CookieStore::new();
    for SetCookie { by, line } in cookies.iter().rev().take(LINES).rev() {
        // The store refuses what the rules forbid, such as a cookie for another site.
        let _ = store.parse(line, by);
    }
    let mut pairs: Vec<_> =
        store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
    pairs.sort_unstable();
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().trim().to_owned();
    let set: Vec<_> = pairs.iter().map(|pair| name(pair)).collect();
    let own = own.and_then(|own| std::str::from_utf8(own.as_bytes()).ok()).unwrap_or_default();
    let own = own.split(';').map(str::trim);
    let own = own.filter(|pair| !pair.is_empty() && !set.contains(&name(pair)));
    let all: Vec<_> = own.map(str::to_owned).chain(pairs).collect();
    let mut field = HeaderValue::from_str(&all.join("; ")).ok().filter(|_| !all.is_empty())?;
    field.set_sensitive(true);
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_where_its_rules_let_it() {
        let url = |text: &str| Url::parse(text).unwrap();
        let by = "https://w.a.org/dir/x";
        for (lines, to, expected) in [
            (&["visited=1; Path=/"][..], "https://w.a.org/y", Some("visited=1")),
            (&["visited=1"], "https://w.a.org/dir/y", Some("visited=1")),
            (&["visited=1"], "https://w.a.org/y", None),
            (&["visited=1; Path=/"], "https://b.org/", None),
            (&["visited=1; Path=/"], "https://a.org/", None),
            (&["visited=1; Path=/; Domain=a.org"], "https://v.a.org/", Some("visited=1")),
            (&["visited=1; Path=/; Domain=b.org"], "https://b.org/", None),
            (&["visited=1; Path=/; Secure"], "http://w.a.org/", None),
            (&["visited=1; Path=/; Max-Age=0"], "https://w.a.org/", None),
            (&["a=1; Path=/", "b=2; Path=/", "a=3; Path=/"], "https://w.a.org/", Some("a=3; b=2")),
            (&["no cookie", "", "=", "\u{7f}=x"], "https://w.a.org/dir/", None),
        ] {
            let cookies: Vec<_> = lines
                .iter()
                .map(|line| SetCookie { by: url(by), line: (*line).to_owned() })
                .collect();
            let field = cookie_header(&cookies, None, &url(to));
            let field = field.as_ref().map(|field| field.to_str().unwrap());
            assert_eq!(field, expected, "{lines:?} to {to}");
        }
    }

    #[test]
    fn the_users_own_cookies_go_along() {
        let url = Url::parse("http://a.org/").unwrap();
        let set = [SetCookie { by: url.clone(), line: "seen=2".into() }];
        let own = HeaderValue::from_static("session=x; seen=1;");
        let field = cookie_header(&set, Some(&own), &url).unwrap();
        assert_eq!(field, "session=x; seen=2");
        assert!(field.is_sensitive());
    }

    #[test]
    fn a_chain_sets_no_more_than_a_user_agent_keeps() {
        let url = Url::parse("http://a.org/").unwrap();
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, "x".repeat(LINE_LIMIT + 1).parse().unwrap());
        for number in 0..60 {
            headers.append(header::SET_COOKIE, format!("c{number}=1").parse().unwrap());
        }
        assert_eq!(set_by(&url, &headers).len(), LINES);
    }
}
