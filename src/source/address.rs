//! Reads addresses one after the other, and faster when the host stays the same.

use url::{Position, Url};

use super::{check_length, page_url};

/// Reads addresses as [`page_url`] does, and remembers the last one. That changes the time and
/// never the result: a host is parsed once for all addresses in a row that have it.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    last: Option<Url>,
}

impl Addresses {
    /// Reads `text` as the address of a page.
    ///
    /// # Errors
    ///
    /// Those of [`page_url`].
    pub(super) fn read(&mut self, text: &str) -> Result<Url, String> {
        check_length(text)?;
        if let Some(mut url) = self.last.as_ref().and_then(|last| neighbour(last, text)) {
            url.set_fragment(None);
            check_length(url.as_str())?;
            return Ok(url);
        }
        let url = page_url(text)?;
        self.last = Some(url.clone());
        Ok(url)
    }
}

/// Reads `text` relative to `last`, when both are equal up to the path.
///
/// The rest of `text` must be an absolute path, which means the same relative to `last`
/// (URL Standard, 4.4). A second slash or a backslash would begin another host, and the parser
/// drops tabs and line ends in any place: such texts give `None`.
fn neighbour(last: &Url, text: &str) -> Option<Url> {
    let path = text.strip_prefix(&last[..Position::BeforePath])?;
    let is_path = path.starts_with('/') && !path[1..].starts_with(['/', '\\']);
    let is_clean = memchr::memchr3(b'\t', b'\n', b'\r', path.as_bytes()).is_none();
    if is_path && is_clean { last.join(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::*;

    /// All that a URL consists of.
    fn parts(url: Result<Url, String>) -> Result<(String, String), String> {
        url.map(|url| (format!("{url:?}"), url.to_string()))
    }

    #[test]
    fn the_same_host_is_parsed_once() {
        let last = Url::parse("http://me:pw@a.org:81/x/y?q").unwrap();
        for text in ["http://me:pw@a.org:81/", "http://me:pw@a.org:81/../ü?a b#c"] {
            let mut url = neighbour(&last, text).unwrap();
            url.set_fragment(None);
            assert_eq!(parts(Ok(url)), parts(page_url(text)));
        }
        for text in [
            "http://me:pw@a.org:81",
            "http://me:pw@a.org:81//b.org/",
            "http://me:pw@a.org:81/\\b.org/",
            "http://me:pw@a.org:81/\t/b.org/",
            "http://me:pw@a.org:811/",
            "http://me:pw@a.org:81?q",
            "http://a.org:81/",
            "https://me:pw@a.org:81/",
        ] {
            assert_eq!(neighbour(&last, text), None, "{text}");
        }
    }

    const START: &str = r"(?x) (https?|HTTP|ftp) : [/\\]{1,3} ([a-zü%40:]{0,4} @)?
        (a\.org | A\.Org | xn--bcher-kva\.ch | bücher\.ch | 127\.0\.0\.1 | 0x7f\.1 | \[::1\]
        | \[0:0::1\] | a%2eorg | a_b | \.)? (: (80|443|8080|0)?)?";
    const REST: &str = r"(?x) ([/\\] | [.]{1,3} | %2e | %2F | [?\#@:;|^`{}<>'!\x22%\[\]] | \PC
        | [\x00-\x20\x7f] | [a-zA-Z0-9] | //b\.org){0,12}";

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(1738),
            failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_read_before_makes_no_difference(
            start in START,
            rests in proptest::collection::vec((REST, any::<bool>()), 2..8),
        ) {
            let mut addresses = Addresses::default();
            for (rest, is_normal) in rests {
                let last = addresses.last.as_ref().filter(|_| is_normal);
                let start = last.map_or(&*start, |last| &last[..Position::BeforePath]);
                for text in [format!("{start}{rest}"), format!("{start}/{rest}")] {
                    prop_assert_eq!(parts(addresses.read(&text)), parts(page_url(&text)), "{}", text);
                }
            }
        }
    }
}
