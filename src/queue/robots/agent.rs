//! The product token of an agent: the name that robots rules are looked up by. Pure.

use std::sync::Arc;

/// The token of an agent that names no product of its own.
const OWN_TOKEN: &str = "fetchpages";
/// Agents that begin with this product only claim to be like a browser.
const BROWSER: &[u8] = b"mozilla";
/// The words before the product of a crawler that begins as a browser does.
const COMPATIBLE: &[u8] = b"compatible;";

/// The name that groups of a robots.txt are matched with (RFC 9309, 2.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductToken(Arc<str>);

impl ProductToken {
    /// The product token of the `User-Agent` value that requests carry.
    ///
    /// It is the first product (`FooBot` of `FooBot/2.0`). Behind `Mozilla` it is
    /// the product in the comment (`Mozilla/5.0 (compatible; FooBot/2.0)`). An agent
    /// that names no such product goes by the rules for `fetchpages`.
    #[must_use]
    pub fn of_agent(user_agent: &[u8]) -> Self {
        let first = token(user_agent.trim_ascii_start());
        let product = if first.eq_ignore_ascii_case(BROWSER) {
            compatible_product(user_agent).unwrap_or_default()
        } else {
            first
        };
        // A token is ASCII by its definition.
        let product = str::from_utf8(product).unwrap_or_default();
        if product.is_empty() { Self::default() } else { Self(product.into()) }
    }

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ProductToken {
    fn default() -> Self {
        Self(OWN_TOKEN.into())
    }
}

/// The product behind `compatible;`.
fn compatible_product(user_agent: &[u8]) -> Option<&[u8]> {
    let lower = user_agent.to_ascii_lowercase();
    let is_word_start = |at: &usize| *at > 0 && token(&lower[at - 1..]).is_empty();
    let at = memchr::memmem::find_iter(&lower, COMPATIBLE).find(is_word_start)?;
    Some(token(user_agent[at + COMPATIBLE.len()..].trim_ascii_start()))
}

/// The product token that a user-agent value starts with: `fetchpages` of `fetchpages/1.0`.
///
/// RFC 9309, 2.2.1 and Google's parser end it before a digit. Here digits are a part of it, so
/// that rules for a `fetchpages2` do not apply to this program.
pub(super) fn token(value: &[u8]) -> &[u8] {
    let is_outside = |octet: &u8| !octet.is_ascii_alphanumeric() && !b"_-".contains(octet);
    &value[..value.iter().position(is_outside).unwrap_or(value.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_an_agent_is_the_one_that_rules_name() {
        for (agent, expected) in [
            ("fetchpages/0.1.0 (me@a.org)", "fetchpages"),
            ("FooBot/2.0", "FooBot"),
            ("FooBot", "FooBot"),
            (" FooBot (+http://a.org)", "FooBot"),
            ("curl/8.1", "curl"),
            ("my-bot_2/1.0 FooBot/2.0", "my-bot_2"),
            ("MozillaBot/1.0 (compatible; FooBot/2.0)", "MozillaBot"),
            ("Mozilla/5.0 (compatible; FooBot/2.0; +http://a.org)", "FooBot"),
            ("mozilla/5.0 (X11; Compatible;FooBot)", "FooBot"),
            ("Mozilla/5.0 AppleWebKit/537.36 (KHTML; compatible; FooBot/2.0) Chrome/1", "FooBot"),
            ("Mozilla/5.0 (incompatible; A/1; compatible; FooBot/2.0)", "FooBot"),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0", "fetchpages"),
            ("Mozilla/5.0 (compatible;)", "fetchpages"),
            ("Mozilla", "fetchpages"),
            ("", "fetchpages"),
            ("(FooBot)", "fetchpages"),
            ("Bücher", "B"),
        ] {
            assert_eq!(ProductToken::of_agent(agent.as_bytes()).as_str(), expected, "{agent}");
        }
        assert_eq!(ProductToken::of_agent(b"\xff").as_str(), "fetchpages");
    }
}
