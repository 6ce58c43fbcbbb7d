//! Reads the head of an answer: its fields, the framing of its body, the target of a
//! redirect.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use reqwest::Response;
use url::Url;

use super::content_range;
use crate::foreign::Foreign;
use crate::message;
use crate::model::{ADDRESS_LIMIT, Failure, FailureCode, Head, HttpVersion};

/// The largest head, names and values together, over any version of HTTP. The limits of
/// browsers are 256 KiB (Chromium) to 384 KiB (Firefox); curl's is 300 kB.
pub(super) const SIZE_LIMIT: u32 = 256 * 1024;
/// The bytes of a field besides its name and value: `: ` and the line end.
const FIELD_OVERHEAD: usize = 4;

/// Converts a version of HTTP to the model's.
pub(super) const fn http_version(version: Version) -> HttpVersion {
    match version {
        Version::HTTP_2 => HttpVersion::Http2,
        Version::HTTP_3 => HttpVersion::Http3,
        Version::HTTP_11 => HttpVersion::Http11,
        _ => HttpVersion::Http10,
    }
}

/// Reads the useful fields of an answer from `url`.
pub(super) fn read_head(response: &Response, url: &Url) -> Head {
    let headers = response.headers();
    let retry_after = joined(headers, &header::RETRY_AFTER).map(Foreign::from);
    Head {
        final_url: url.clone(),
        status: response.status().as_u16(),
        http: http_version(response.version()),
        // If there are several, browsers take the last (Fetch Standard, "extract a MIME
        // type").
        content_type: headers
            .get_all(header::CONTENT_TYPE)
            .iter()
            .next_back()
            .map(|value| lossy(value).into()),
        content_encoding: joined(headers, &header::CONTENT_ENCODING).map(Foreign::from),
        etag: single(headers, &header::ETAG),
        last_modified: single(headers, &header::LAST_MODIFIED),
        // Only a date in `Retry-After` is compared with it.
        date: retry_after.as_ref().and_then(|_| single(headers, &header::DATE)),
        retry_after,
        is_on_new_connection: false,
    }
}

/// Returns the value of a field that has only one (RFC 9110, 5.3). An application and the
/// server in front of it may both send it; if the two differ, neither is reliable.
fn single(headers: &HeaderMap, name: &HeaderName) -> Option<Foreign> {
    agreed(headers, name).map(|value| lossy(value).into())
}

/// Returns the value if all fields of a name agree.
fn agreed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.all(|value| is_same(first, value)).then_some(first)
}

fn is_same(one: &HeaderValue, other: &HeaderValue) -> bool {
    one.as_bytes().trim_ascii() == other.as_bytes().trim_ascii()
}

/// Joins the values of a field with commas (RFC 9110, 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let mut joined = text(values.next()?);
    for value in values {
        joined.push_str(", ");
        joined.push_str(&lossy(value));
    }
    Some(joined)
}

fn text(value: &HeaderValue) -> String {
    lossy(value).into_owned()
}

/// Converts a value to text. Values that are not UTF-8 are rare, and the lossy conversion
/// is slow.
fn lossy(value: &HeaderValue) -> Cow<'_, str> {
    std::str::from_utf8(value.as_bytes())
        .map_or_else(|_| String::from_utf8_lossy(value.as_bytes()), Cow::Borrowed)
}

/// Refuses a head that is larger than the limit. Over HTTP/2 the library does so; its
/// limit for HTTP/1.1 is larger and cannot be set.
pub(super) fn refuse_large(headers: &HeaderMap) -> Result<(), Failure> {
    // Counting costs time, and hardly any answer has more fields than this.
    const FEW: usize = 64;
    if headers.len() <= FEW && headers.values().all(|value| value.len() < 1024) {
        return Ok(());
    }
    let sizes =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD);
    if sizes.sum::<usize>() <= SIZE_LIMIT as usize { Ok(()) } else { Err(too_large()) }
}

/// Makes the failure of an answer whose head is larger than the limit.
pub(super) fn too_large() -> Failure {
    let message = format!("the answer's header fields take more than {SIZE_LIMIT} bytes");
    Failure::new(FailureCode::Protocol, message)
}

/// How the end of a body is found, if the HTTP library reads to the end of the connection
/// (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// The library finds it.
    ByLibrary,
    /// After this many bytes: there is a length, and a transfer coding that does not
    /// count.
    Length(u64),
    /// In chunks, which the library did not decode.
    Chunked,
}

/// Returns the announced length, which the head may repeat (RFC 9110, 8.6).
fn length(headers: &HeaderMap) -> Option<u64> {
    let value = joined(headers, &header::CONTENT_LENGTH)?;
    let mut lengths = value.split(',').map(|length| length.trim().parse::<u64>().ok());
    let first = lengths.next()??;
    lengths.all(|length| length == Some(first)).then_some(first)
}

/// Finds how the body of an answer is framed.
///
/// The request offers only chunks as a transfer coding (RFC 9112, 7.4), so a body in
/// another coding would be mistaken for the page. `identity`, from RFC 2616, is not a
/// coding; and an application and its server may both send `chunked`.
pub(super) fn framing(headers: &HeaderMap) -> Result<Framing, Failure> {
    let Some(value) = joined(headers, &header::TRANSFER_ENCODING) else {
        return Ok(Framing::ByLibrary);
    };
    let is_named = |coding: &&str, name: &str| coding.eq_ignore_ascii_case(name);
    let codings = || value.split(',').map(str::trim).filter(|coding| !coding.is_empty());
    let real = || codings().filter(|coding| !is_named(coding, "identity"));
    if !real().all(|coding| is_named(&coding, "chunked")) {
        let coding = message::excerpt(&value);
        let message =
            format!("the body is in a transfer coding that was not requested, {coding:?}");
        return Err(Failure::new(FailureCode::Decode, message));
    }
    // The library reads only the last coding of the last line.
    let last = headers.get_all(header::TRANSFER_ENCODING).iter().next_back().map(lossy);
    let last = last.as_deref().and_then(|line| line.rsplit(',').next()).unwrap_or_default();
    if is_named(&last.trim(), "chunked") {
        return Ok(Framing::ByLibrary);
    }
    if real().next().is_some() {
        return Ok(Framing::Chunked);
    }
    Ok(length(headers).map_or(Framing::ByLibrary, Framing::Length))
}

/// An answer with a part of a page that the client did not request (RFC 9110, 15.3.7),
/// and its range if the server sent one.
#[derive(Debug)]
pub(super) struct PartialContent(Option<HeaderValue>);

impl PartialContent {
    /// Returns the part in an answer; `None` for any other answer.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        is_part.then(|| Self(agreed(response.headers(), &header::CONTENT_RANGE).cloned()))
    }

    /// Refuses a part that is not the whole page, of which this many bytes came.
    pub(super) fn refuse_unless_all(&self, wire_bytes: u64) -> Result<(), Failure> {
        let value = self.0.as_ref().map(lossy);
        if value.as_deref().and_then(content_range::whole) == Some(wire_bytes) {
            return Ok(());
        }
        let range = value.map_or("no Content-Range".into(), |value| {
            format!("Content-Range {:?}", message::excerpt(&value))
        });
        let message = format!("a part of the page that was not requested (206, {range})");
        Err(Failure::new(FailureCode::Truncated, message))
    }
}

/// Returns the target of a redirect; `None` for any other answer (RFC 9110, 15.4).
pub(super) fn redirect_target(current: &Url, response: &Response) -> Result<Option<Url>, Failure> {
    let is_redirect = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if is_redirect { target(current, response.headers()) } else { Ok(None) }
}

/// Returns the address in `Location`, relative to `current`.
fn target(current: &Url, headers: &HeaderMap) -> Result<Option<Url>, Failure> {
    let mut values = headers.get_all(header::LOCATION).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let location = encoded(first);
    let leads_nowhere = |reason: &str| {
        let location = message::excerpt_url(&location);
        Failure::new(FailureCode::Redirects, format!("redirected to {location:?}, {reason}"))
    };
    if let Some(other) = values.find(|value| !is_same(first, value)) {
        let other = message::excerpt_url(&encoded(other));
        return Err(leads_nowhere(&format!("and also to {other:?}")));
    }
    let too_long = || leads_nowhere(&format!("which is longer than {ADDRESS_LIMIT} bytes"));
    if location.len() > ADDRESS_LIMIT {
        return Err(too_long());
    }
    let mut target = current.join(&location).map_err(|error| leads_nowhere(&error.to_string()))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(leads_nowhere("which is not an http(s) address"));
    }
    target.set_fragment(None);
    // Percent-encoding takes three times the bytes.
    if target.as_str().len() > ADDRESS_LIMIT {
        return Err(too_long());
    }
    Ok(Some(target))
}

/// Percent-encodes the bytes that a URL must not hold, in whatever charset they came: the
/// server then reads the same bytes again.
fn encoded(value: &HeaderValue) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.as_bytes() {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &[u8])]) -> HeaderMap {
        let value = |bytes| HeaderValue::from_bytes(bytes).unwrap();
        lines.iter().map(|(name, bytes)| (name.clone(), value(bytes))).collect()
    }

    #[test]
    fn fields_that_are_single_stay_single() {
        for (values, expected) in [
            (&[&b"a"[..]][..], Some("a")),
            (&[b"a", b"a "], Some("a")),
            (&[b"a", b"b"], None),
            (&[], None),
        ] {
            let lines: Vec<_> = values.iter().map(|value| (header::ETAG, *value)).collect();
            assert_eq!(single(&headers(&lines), &header::ETAG), expected.map(Foreign::from));
        }
        let differing =
            [(header::CONTENT_ENCODING, &b"br"[..]), (header::CONTENT_ENCODING, b"gzip")];
        assert_eq!(joined(&headers(&differing), &header::CONTENT_ENCODING).unwrap(), "br, gzip");
    }

    #[test]
    fn a_location_is_one_address_in_the_bytes_that_came() {
        let current = Url::parse("http://a.org/dir/x").unwrap();
        for (values, expected) in [
            (&[&b"/y#part"[..]][..], Ok(Some("http://a.org/y"))),
            (&[b"/y", b"/y"], Ok(Some("http://a.org/y"))),
            (&[b"caf\xe9?q=\xe9"], Ok(Some("http://a.org/dir/caf%E9?q=%E9"))),
            (&["caf\u{e9}".as_bytes()], Ok(Some("http://a.org/dir/caf%C3%A9"))),
            (&["http://b\u{fc}cher.ch/".as_bytes()], Ok(Some("http://xn--bcher-kva.ch/"))),
            (&[], Ok(None)),
            (&[b"/y", b"/z"], Err("redirected to \"/y\", and also to \"/z\"")),
            (
                &[b"ftp://b.org/"],
                Err("redirected to \"ftp://b.org/\", which is not an http(s) address"),
            ),
        ] {
            let lines: Vec<_> = values.iter().map(|value| (header::LOCATION, *value)).collect();
            let found = target(&current, &headers(&lines));
            let found = found
                .map(|url| url.map(String::from))
                .map_err(|failure| failure.message.to_string());
            let expected = expected.map(|url| url.map(str::to_owned)).map_err(str::to_owned);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_location_is_no_longer_than_an_address() {
        let current = Url::parse("http://a.org/").unwrap();
        let start = "http://a.org/".len();
        for (path, is_taken) in [
            ("x".repeat(ADDRESS_LIMIT - start), true),
            ("x".repeat(ADDRESS_LIMIT - start + 1), false),
            // The limit is for the address, which takes three bytes for each of these.
            ("<".repeat(ADDRESS_LIMIT / 3 - start), true),
            ("<".repeat(ADDRESS_LIMIT / 3), false),
        ] {
            let location = format!("/{path}");
            let lines = [(header::LOCATION, location.as_bytes())];
            let Err(failure) = target(&current, &headers(&lines)) else {
                assert!(is_taken, "{}", path.len());
                continue;
            };
            assert!(!is_taken && failure.message.raw().len() < 400, "{}", failure.message);
            assert_eq!(failure.code, FailureCode::Redirects);
            assert!(failure.message.raw().ends_with("which is longer than 65536 bytes"));
        }
    }

    #[test]
    fn transfer_codings_are_a_list_of_which_identity_is_none() {
        use Framing::{ByLibrary, Chunked, Length};
        for (codings, length, expected) in [
            (&[][..], None, Some(ByLibrary)),
            (&["chunked"], None, Some(ByLibrary)),
            (&["Chunked"], Some("3"), Some(ByLibrary)),
            (&["chunked", "chunked"], None, Some(ByLibrary)),
            (&["chunked, chunked"], None, Some(ByLibrary)),
            (&["identity, chunked"], None, Some(ByLibrary)),
            (&["identity"], Some("17"), Some(Length(17))),
            (&["identity"], None, Some(ByLibrary)),
            (&["identity"], Some("17, 17"), Some(Length(17))),
            (&["identity"], Some("17, 18"), Some(ByLibrary)),
            (&[""], Some("17"), Some(Length(17))),
            (&["chunked, identity"], None, Some(Chunked)),
            (&["chunked", "identity"], Some("3"), Some(Chunked)),
            (&["gzip, chunked"], None, None),
            (&["gzip"], None, None),
        ] {
            let mut lines: Vec<_> = codings
                .iter()
                .map(|coding| (header::TRANSFER_ENCODING, coding.as_bytes()))
                .collect();
            lines.extend(length.map(|length: &str| (header::CONTENT_LENGTH, length.as_bytes())));
            let found = framing(&headers(&lines)).map_err(|failure| failure.code);
            assert_eq!(found, expected.ok_or(FailureCode::Decode), "{codings:?}");
        }
    }

    #[test]
    fn a_head_is_bounded_by_its_size_and_not_by_its_lines() {
        let many: HeaderMap =
            (0..5_000).map(|_| (header::LINK, HeaderValue::from_static("</x>; rel=y"))).collect();
        assert_eq!(refuse_large(&many), Ok(()));
        let large = HeaderValue::from_bytes("x".repeat(60_000).as_bytes()).unwrap();
        let large: HeaderMap = (0..5).map(|_| (header::LINK, large.clone())).collect();
        assert_eq!(refuse_large(&large), Err(too_large()));
    }

    #[test]
    fn a_part_is_a_page_only_when_it_is_all() {
        for (range, bytes, is_page) in [
            (Some("bytes 0-499/500"), 500, true),
            (Some("Bytes 0-499/500"), 500, true),
            (Some("bytes 0-499/500"), 499, false),
            (Some("bytes 0-99/500"), 100, false),
            (Some("bytes 100-499/500"), 400, false),
            (Some("bytes 0-499/*"), 500, false),
            (Some("bytes */500"), 500, false),
            (Some("items 0-499/500"), 500, false),
            (None, 500, false),
        ] {
            let part = PartialContent(range.map(HeaderValue::from_static));
            let code = part.refuse_unless_all(bytes).map_err(|failure| failure.code);
            let expected = if is_page { Ok(()) } else { Err(FailureCode::Truncated) };
            assert_eq!(code, expected, "{range:?}");
        }
    }
}
