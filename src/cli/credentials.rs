//! The secrets of the command line: reads them, decides which origins get them, and warns about
//! secrets that no origin gets.

use base64::Engine;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::args::HttpArgs;
use super::source::Chosen;
use super::usage::{Result, UsageError, usage};
use crate::fetch::credentials::{Credentials, FieldHost, is_secret};
use crate::message::excerpt_url;
use crate::secret::Secret;
use crate::source::page_url;

/// Returns the header fields for every request, and those with secrets, which include user name
/// and cookies.
pub(super) fn fields(typed: &HttpArgs) -> Result<(HeaderMap, Credentials)> {
    let (mut headers, mut secrets) = (HeaderMap::new(), HeaderMap::new());
    for line in &typed.header {
        let (name, mut value) = header_line(line.expose())?;
        let is_secret = is_secret(&name);
        value.set_sensitive(is_secret);
        (if is_secret { &mut secrets } else { &mut headers }).append(name, value);
    }
    let mut credentials = Credentials::new(login(typed)?, secrets);
    for text in &typed.credentials_for {
        let url = page_url(text).map_err(|why| UsageError {
            message: format!(
                "--credentials-for {:?} is not an http(s) URL: {why}",
                excerpt_url(text)
            ),
            hint: Some("it takes the address of a site, such as https://a.org/".into()),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return usage(
                "--credentials-for holds a user name or a password",
                "give them with --user",
            );
        }
        credentials.open(&url);
    }
    for text in &typed.header_for {
        let Some(host) = FieldHost::parse(text) else {
            return usage(
                format!("--header-for {:?} is not a host", excerpt_url(text)),
                "it takes a host such as a.org or a.org:8443",
            );
        };
        credentials.open_fields(host);
    }
    Ok((headers, credentials))
}

/// Returns the fields of `--cookie` and `--user`.
fn login(typed: &HttpArgs) -> Result<HeaderMap> {
    let mut login = HeaderMap::new();
    let mut add = |name, mut value: HeaderValue| {
        value.set_sensitive(true);
        login.insert(name, value);
    };
    if let Some(cookie) = typed.cookie.as_ref().map(Secret::expose) {
        if !cookie.contains('=') {
            return usage(
                "--cookie takes name=value",
                "type the cookies themselves: --cookie 'name=value'",
            );
        }
        add(header::COOKIE, header_value("--cookie", cookie)?);
    }
    if let Some(user) = typed.user.as_ref().map(Secret::expose) {
        if !user.contains(':') {
            return usage(
                "--user takes name:password",
                "for an empty password end it with a colon",
            );
        }
        let coded = base64::engine::general_purpose::STANDARD.encode(user);
        add(header::AUTHORIZATION, header_value("--user", &format!("Basic {coded}"))?);
    }
    Ok(login)
}

fn header_line(line: &str) -> Result<(HeaderName, HeaderValue)> {
    let Some((name, value)) = line.split_once(':') else {
        return usage("--header has no colon", "a header looks like 'Accept-Language: en'");
    };
    let Ok(header) = name.trim().parse::<HeaderName>() else {
        return usage(
            "--header: the text before the colon is not a header name",
            "a header looks like 'Accept-Language: en'",
        );
    };
    if header == header::PROXY_AUTHORIZATION {
        return usage(
            "--header: proxy-authorization is for a proxy, and would be sent to servers",
            "name the password of the proxy with --proxy http://user:password@host:port",
        );
    }
    let is_ours = matches!(
        header,
        header::ACCEPT_ENCODING
            | header::HOST
            | header::CONTENT_LENGTH
            | header::TRANSFER_ENCODING
            | header::CONNECTION
            | header::RANGE
    );
    if is_ours {
        return usage(
            format!("--header: fetchpages sets {header} itself"),
            "leave this header out",
        );
    }
    Ok((header, header_value("--header", value.trim())?))
}

/// Reads the value of a header. The error does not repeat it, because it may be a secret.
pub(super) fn header_value(argument: &str, text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).or_else(|_| {
        usage(
            format!("{argument} holds a character that a header cannot carry"),
            "use visible ASCII characters",
        )
    })
}

/// Adds the origins that the user typed: those of the source, unless a record names the source.
/// The user did not type the addresses in a list.
pub(super) fn add_homes(credentials: &mut Credentials, chosen: &Chosen) {
    if chosen.is_recorded {
        return;
    }
    chosen.spec.policy().homes.into_iter().for_each(|url| credentials.add_home(url));
}

/// Returns the warning about secrets that no origin gets, because the user typed no address and
/// opened no origin.
pub(super) fn unsent(typed: &HttpArgs, chosen: &Chosen) -> Result<Option<String>> {
    let policy = chosen.spec.policy();
    if policy.site.is_some() {
        return Ok(None);
    }
    let record = chosen.is_recorded.then_some("the last run's record");
    let Some(named_by) = record.or(policy.named_by) else { return Ok(None) };
    if !typed.credentials_for.is_empty() {
        return Ok(None);
    }
    let (_, secrets) = fields(typed)?;
    let has_fields = secrets.field_names().next().is_some();
    let site = policy.requested.first();
    let origin = site.map(|url| format!("{}/", url.origin().ascii_serialization()));
    let mut options = Vec::new();
    options.extend(typed.user.as_ref().map(|_| "--user".to_owned()));
    options.extend(typed.cookie.as_ref().map(|_| "--cookie".to_owned()));
    if typed.header_for.is_empty() {
        options.extend(secrets.field_names().map(|name| format!("--header {name}")));
    } else if options.is_empty() && has_fields && site.is_none_or(|url| url.scheme() == "http") {
        // Without this warning the user would not know that the fields are not sent.
        let origin = origin.as_deref().unwrap_or("http://host/");
        return Ok(Some(format!(
            "--header-for sends only over https, because no http URL is typed: open an http \
             origin with --credentials-for {origin}"
        )));
    }
    if options.is_empty() {
        return Ok(None);
    }
    let origin = origin.unwrap_or_else(|| "URL, such as http://host/ or https://host/".into());
    Ok(Some(format!(
        "origins that only {named_by} names are not sent {}: open one with --credentials-for {origin}",
        options.join(", "),
    )))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::source;

    fn decided(line: &[&str], is_recorded: bool) -> Result<(Credentials, Option<String>)> {
        let words = ["fetchpages"].iter().chain(line);
        let typed = Cli::try_parse_from(words).unwrap().download;
        let chosen = Chosen { is_recorded, ..source::chosen(&typed.source)? };
        let (_, mut credentials) = fields(&typed.http)?;
        add_homes(&mut credentials, &chosen);
        let unsent = unsent(&typed.http, &chosen)?;
        Ok((credentials, unsent))
    }

    fn homes(line: &[&str], is_recorded: bool) -> Vec<String> {
        let (credentials, _) = decided(line, is_recorded).unwrap();
        credentials.homes().iter().map(|url| url.origin().ascii_serialization()).collect()
    }

    #[test]
    fn home_is_what_was_typed() {
        for (line, expected) in [
            (
                &["http://me:x@a.org/1", "http://a.org/2", "https://b.org:81/"][..],
                &["http://a.org", "https://b.org:81"][..],
            ),
            (&["--index", "https://a.org/x"], &["https://a.org"]),
            (&["--index", "x.html", "--base", "https://a.org/x"], &["https://a.org"]),
            (&["--sitemap", "https://a.org/x"], &["https://a.org"]),
            (&["-i", "list"], &[]),
            (&["-i", "-"], &[]),
            (&["--demo"], &[]),
        ] {
            assert_eq!(homes(line, false), expected, "{line:?}");
            assert!(homes(line, true).is_empty(), "{line:?}");
        }
    }

    #[test]
    fn secrets_that_nobody_gets_are_told_with_the_option_that_sends_them() {
        let list = "origins that only a list names are not sent";
        let record = "origins that only the last run's record names are not sent";
        let secrets = &["-u", "me:secret", "-b", "a=secret", "-H", "X-Api-Key: secret"];
        let all = "--user, --cookie, --header x-api-key: open one with --credentials-for";
        for (line, is_recorded, expected) in [
            (
                &["-i", "list"][..],
                false,
                Some(format!("{list} {all} URL, such as http://host/ or https://host/")),
            ),
            (&["http://a.org/x"], true, Some(format!("{record} {all} http://a.org/"))),
            (&["http://a.org/x"], false, None),
            (&["--demo"], false, None),
            (&["-i", "list", "--credentials-for", "http://b.org"], false, None),
            (
                &["https://a.org/x", "--header-for", "a.org"],
                true,
                Some(format!(
                    "{record} --user, --cookie: open one with --credentials-for https://a.org/"
                )),
            ),
        ] {
            let (_, unsent) = decided(&[line, secrets].concat(), is_recorded).unwrap();
            assert_eq!(unsent, expected, "{line:?}");
            let (_, unsent) = decided(&[line, &["-H", "X-Kind: x"]].concat(), is_recorded).unwrap();
            assert_eq!(unsent, None, "{line:?}");
        }
    }

    #[test]
    fn fields_that_would_go_over_http_are_told_with_the_option_that_sends_them() {
        let over = "--header-for sends only over https, because no http URL is typed: open an \
                    http origin with --credentials-for";
        for (line, is_recorded, expected) in [
            (&["-i", "list"][..], false, Some(format!("{over} http://host/"))),
            (&["http://a.org:1/x"], true, Some(format!("{over} http://a.org:1/"))),
            (&["https://a.org/x"], true, None),
            (&["http://a.org:1/x"], false, None),
        ] {
            let field = &["--header-for", "a.org:1", "-H", "X-Api-Key: secret"];
            let (_, unsent) = decided(&[line, field].concat(), is_recorded).unwrap();
            assert_eq!(unsent, expected, "{line:?}");
        }
    }

    #[test]
    fn what_nobody_should_get_is_refused_without_repeating_it() {
        for (option, value, says) in [
            ("-H", "Proxy-Authorization: Basic secret", "is for a proxy"),
            ("--credentials-for", "me:secret@a.org", "is not an http(s) URL"),
            ("--credentials-for", "ftp://a.org/", "its scheme is ftp"),
            ("--credentials-for", "https://me:secret@a.org/", "holds a user name"),
            ("--header-for", "https://me:secret@a.org/", "is not a host"),
            ("--header-for", "*.a.org", "is not a host"),
        ] {
            let error = decided(&["http://a.org/", option, value], false).unwrap_err();
            let message = format!("{} {}", error.message, error.hint.unwrap());
            assert!(message.contains(says) && !message.contains("secret"), "{message}");
        }
    }
}
