//! Decides which proxies are used: the typed ones, or else those of the environment.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;

use super::usage::UsageError;
use crate::fetch::proxy::{NoProxy, Proxies, Proxy};
use crate::message::{self, excerpt_url};

/// The largest file of proxies, in bytes: it has room for several hundred thousand.
const LARGEST_LIST: u64 = 16 << 20;

const HINT: &str = "a proxy looks like http://host:port; http, https, socks5 and socks5h are known";

/// Reads a variable of the environment, or of a test.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Returns the proxies of a run: `typed` (`--proxy`), or else those of the usual variables.
/// `no_proxy` applies to both, as with curl.
pub(super) fn proxies(typed: Option<&str>, variables: Variables) -> Result<Proxies, UsageError> {
    let first = |names: &[&str]| first_of(names, variables);
    let proxies = match typed.map(str::trim) {
        Some("") => return Ok(Proxies::default()),
        Some(typed) => Proxies::in_turn(match typed.strip_prefix('@') {
            Some(file) => listed(file)?,
            None => vec![read("--proxy", typed)?],
        }),
        None => {
            // Not HTTP_PROXY: when a web server starts the program, its client sets that variable
            // by a header `Proxy:` (CVE-2016-5385 and others, <https://httpoxy.org>).
            let http = first(&["http_proxy", "all_proxy", "ALL_PROXY"])?;
            let https = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?;
            let read =
                |place, text: Option<String>| text.map(|text| read(place, &text)).transpose();
            Proxies::by_scheme(
                read("the environment's http_proxy or all_proxy", http)?,
                read("the environment's https_proxy or all_proxy", https)?,
            )
        }
    };
    let bypass = first(&["no_proxy", "NO_PROXY"])?.unwrap_or_default();
    Ok(proxies.except(NoProxy::parse(&bypass)))
}

/// Returns the first of the variables `names` that is set. A variable that cannot be read is an
/// error: without it, requests would go another way than the user wants.
fn first_of(names: &[&str], variables: Variables) -> Result<Option<String>, UsageError> {
    let Some((name, value)) = names.iter().find_map(|name| Some((name, variables(name)?))) else {
        return Ok(None);
    };
    value.into_string().map(Some).map_err(|_| UsageError {
        message: format!("the environment's {name} is not text in UTF-8"),
        hint: Some(format!("correct it, or use no proxy with {name}=''")),
    })
}

/// Reads one proxy; `place` names the option, variable or line in messages.
fn read(place: &str, text: &str) -> Result<Proxy, UsageError> {
    Proxy::parse(text).map_err(|error| UsageError {
        message: format!("{place}: {:?} is not a proxy: {error}", excerpt_url(text)),
        hint: Some(HINT.into()),
    })
}

/// Reads the proxies of a file, one per line.
fn listed(file: &str) -> Result<Vec<Proxy>, UsageError> {
    let unreadable = |why: &str| UsageError {
        message: format!("--proxy: failed to read {file}: {why}"),
        hint: Some("--proxy @FILE takes a file with one proxy per line".into()),
    };
    let mut text = String::new();
    File::open(file)
        .and_then(|file| file.take(LARGEST_LIST + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(&message::one_line(&error)))?;
    if text.len() as u64 > LARGEST_LIST {
        return Err(unreadable(&format!("it holds more than {LARGEST_LIST} bytes")));
    }
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).zip(1..);
    let proxies = lines
        .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
        .map(|(line, number)| read(&format!("--proxy: {file}, line {number}"), line))
        .collect::<Result<Vec<_>, _>>()?;
    if proxies.is_empty() {
        return Err(UsageError {
            message: format!("--proxy: {file} names no proxy"),
            hint: Some("write one proxy per line, or use no proxy with --proxy ''".into()),
        });
    }
    Ok(proxies)
}

/// Checks that with `--untrusted` this program resolves all names, so that it sees the addresses.
pub(super) fn check_untrusted(proxies: &Proxies) -> Result<(), UsageError> {
    match proxies.iter().find(|proxy| proxy.resolves_names()) {
        None => Ok(()),
        Some(proxy) => Err(UsageError {
            message: format!(
                "--untrusted cannot see the addresses that the proxy {proxy} resolves names to"
            ),
            hint: Some("use a socks5:// proxy, or use no proxy with --proxy ''".into()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(typed: Option<&str>, set: &[(&str, &str)]) -> Result<String, UsageError> {
        let variables = |name: &str| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| OsString::from(value))
        };
        proxies(typed, &variables)
            .map(|proxies| proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_was_typed_beats_the_environment() {
        let set = [("http_proxy", "h:1"), ("HTTPS_PROXY", "s:2"), ("ALL_PROXY", "socks5://a:3")];
        assert_eq!(decided(Some("x:9"), &set).unwrap(), "http://x:9");
        assert_eq!(decided(Some(""), &set).unwrap(), "");
        assert_eq!(decided(None, &set).unwrap(), "http://h:1 http://s:2");
        assert_eq!(decided(None, &set[1..]).unwrap(), "socks5://a:3 http://s:2");
        assert_eq!(decided(None, &set[2..]).unwrap(), "socks5://a:3");
        assert_eq!(decided(None, &[("HTTP_PROXY", "evil:1")]).unwrap(), "");
        assert_eq!(decided(None, &[]).unwrap(), "");
    }

    #[test]
    fn an_error_names_its_place_and_no_secret() {
        let error = decided(None, &[("https_proxy", "ftp://me:secret@h")]).unwrap_err().message;
        assert!(error.starts_with("the environment's https_proxy or all_proxy: \"ftp://h\""));
        let error = decided(Some("me:secret@[x"), &[]).unwrap_err().message;
        assert!(error.starts_with("--proxy: \"[x\" is not a proxy: "), "{error}");
        assert!(decided(Some("@no-such-file"), &[]).is_err());
        for (text, shown) in [
            ("http://me:sec/ret@h:1", "http://h:1"),
            ("http://me:sec?ret@h", "http://h"),
            ("me:p//secret@h:x", "h:x"),
            ("me:sec#ret@h", "h"),
        ] {
            let error = decided(Some(text), &[]).unwrap_err().message;
            assert!(error.starts_with(&format!("--proxy: {shown:?} is not a proxy: ")), "{error}");
            let error = decided(None, &[("http_proxy", text)]).unwrap_err().message;
            assert!(error.contains(&format!(": {shown:?} is not a proxy: ")), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_told_and_not_passed_over() {
        use std::os::unix::ffi::OsStringExt;

        for broken in ["http_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy"] {
            let set = |name: &str| (name == broken).then(|| OsString::from_vec(vec![0xff]));
            let error = proxies(None, &set).unwrap_err().message;
            assert!(error.contains(broken), "{error}");
        }
    }

    #[test]
    fn untrusted_goes_with_proxies_that_get_addresses() {
        let one = |text| Proxies::in_turn(vec![Proxy::parse(text).unwrap()]);
        check_untrusted(&one("socks5://a")).unwrap();
        check_untrusted(&Proxies::default()).unwrap();
        for text in ["a:1", "https://a", "socks5h://a"] {
            assert!(check_untrusted(&one(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_of_proxies_has_a_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let typed = format!("@{}", file.path().display());
        let size = |size: u64| file.as_file().set_len(size).unwrap();
        // Sparse, and so of NUL alone.
        size(1 << 32);
        let error = decided(Some(&typed), &[]).unwrap_err().message;
        assert!(error.ends_with("it holds more than 16777216 bytes"), "{error}");
        size(0);
        std::io::Write::write_all(&mut file.as_file(), b"a:1\nb:2\n").unwrap();
        assert_eq!(decided(Some(&typed), &[]).unwrap(), "http://a:1 http://b:2");
    }
}
