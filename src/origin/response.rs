//! The correct response to a request, as values.
//!
//! Pure. [`server`](super::server) decides when and how fast the response is sent;
//! [`inject`](super::inject) applies faults.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::document::Document;
use super::site::{INDEX_PATH, Site};

/// The date of every page's last change: the same in each run, like the pages.
const MODIFIED: &str = "Mon, 01 Jan 2024 00:00:00 GMT";

/// Makes the response to a request for this path, which has no query. For `HEAD` its body is empty
/// and its `Content-Length` is that of the page.
pub(super) fn respond(
    site: &Site,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Response<Bytes> {
    let response = if method != Method::GET && method != Method::HEAD {
        let mut response = short_page(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
        set(&mut response, ALLOW, "GET, HEAD");
        response
    } else if path == "/" {
        let mut response = short_page(StatusCode::FOUND, "Found");
        set(&mut response, LOCATION, INDEX_PATH);
        response
    } else if let Some(document) = site.get(path) {
        document_response(document, headers)
    } else {
        short_page(StatusCode::NOT_FOUND, "Not found")
    };
    if method == Method::HEAD { response.map(|_| Bytes::new()) } else { response }
}

/// Makes a response with this type and this body.
pub(super) fn typed(content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    set(&mut response, CONTENT_TYPE, content_type);
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// Makes a page that only states its status.
pub(super) fn short_page(status: StatusCode, text: &str) -> Response<Bytes> {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"UTF-8\"><title>{text}</title>\
         </head><body><h1>{text}</h1></body></html>\n"
    );
    let mut response = typed("text/html; charset=UTF-8", page.into());
    *response.status_mut() = status;
    response
}

/// Sends the page in a coding that the client accepts, or 304 if the client has the page already.
fn document_response(document: &Document, headers: &HeaderMap) -> Response<Bytes> {
    let mut response = if is_unchanged(document.etag(), headers) {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else if accepts_gzip(headers) {
        let mut response = typed(document.content_type(), document.gzip());
        set(&mut response, CONTENT_ENCODING, "gzip");
        response
    } else {
        typed(document.content_type(), document.plain())
    };
    set(&mut response, VARY, "Accept-Encoding");
    set(&mut response, LAST_MODIFIED, MODIFIED);
    let etag = HeaderValue::from_str(document.etag()).expect("hex digits and quotes are allowed");
    response.headers_mut().insert(ETAG, etag);
    response
}

fn set(response: &mut Response<Bytes>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// Whether `Accept-Encoding` names gzip with a weight above 0 (RFC 9110, section 12.5.3). A `*`
/// does not count, since a plain page is as good an answer.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    list(headers, &ACCEPT_ENCODING).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| {
            name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip")
        });
        is_gzip && !parts.any(is_zero_weight)
    })
}

/// Whether the parameter is a `q` of zero, with any number of digits.
fn is_zero_weight(parameter: &str) -> bool {
    parameter
        .strip_prefix(['q', 'Q'])
        .and_then(|value| value.strip_prefix('='))
        .and_then(|value| value.parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0)
}

/// Whether the client's copy is still good. `If-Modified-Since` counts only without
/// `If-None-Match` (RFC 9110, section 13.2.2).
fn is_unchanged(etag: &str, headers: &HeaderMap) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        // Section 13.1.2 demands the weak comparison.
        let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
        return list(headers, &IF_NONE_MATCH).any(|tag| tag == "*" || opaque(tag) == opaque(etag));
    }
    let since = headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(sortable_date);
    // By section 13.1.3, a date that cannot be read is ignored.
    since.is_some_and(|since| Some(since) >= sortable_date(MODIFIED))
}

/// The items of all headers of this name, whose values are lists with commas.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Year, month, day and time of an IMF-fixdate (RFC 9110, section 5.6.7), so that dates compare in
/// order. The two obsolete forms are not read.
fn sortable_date(text: &str) -> Option<(u32, usize, u32, &str)> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_weekday, date) = text.split_once(", ")?;
    let parts: Vec<&str> = date.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let time = (time.len() == "00:00:00".len()).then_some(time)?;
    Some((year.parse().ok()?, month, day.parse().ok()?, time))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    static SITE: LazyLock<Site> = LazyLock::new(|| Site::new(1, 1));

    const ARTICLE: &str = "/wiki/India";

    fn ask(method: &Method, path: &str, headers: &[(HeaderName, &str)]) -> Response<Bytes> {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        respond(&SITE, method, path, &headers)
    }

    fn get(path: &str, headers: &[(HeaderName, &str)]) -> Response<Bytes> {
        ask(&Method::GET, path, headers)
    }

    #[test]
    fn gzip_is_sent_when_it_is_named_with_a_weight_above_zero() {
        for (value, coded) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate, x-gzip", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, br", false),
            ("identity", false),
            ("*", false),
            ("", false),
        ] {
            let response = get(ARTICLE, &[(ACCEPT_ENCODING, value)]);
            let document = SITE.get(ARTICLE).unwrap();
            let body = if coded { document.gzip() } else { document.plain() };
            assert_eq!(*response.body(), body, "{value}");
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), coded);
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
        }
    }

    #[test]
    fn a_copy_that_is_still_good_is_not_sent_again() {
        let etag = SITE.get(ARTICLE).unwrap().etag();
        let strong = etag.trim_start_matches("W/");
        let several = format!("\"other\", {etag}");
        let other = "\"other\"";
        let after = "Tue, 02 Jan 2024 00:00:00 GMT";
        let before = "Sun, 31 Dec 2023 23:59:59 GMT";
        for (headers, status) in [
            (vec![(IF_NONE_MATCH, etag)], 304),
            (vec![(IF_NONE_MATCH, strong)], 304),
            (vec![(IF_NONE_MATCH, &several)], 304),
            (vec![(IF_NONE_MATCH, "*")], 304),
            (vec![(IF_NONE_MATCH, other)], 200),
            (vec![(IF_MODIFIED_SINCE, MODIFIED)], 304),
            (vec![(IF_MODIFIED_SINCE, after)], 304),
            (vec![(IF_MODIFIED_SINCE, before)], 200),
            (vec![(IF_MODIFIED_SINCE, "yesterday")], 200),
            (vec![(IF_NONE_MATCH, other), (IF_MODIFIED_SINCE, after)], 200),
        ] {
            let response = get(ARTICLE, &headers);
            assert_eq!(response.status(), status, "{headers:?}");
            assert_eq!(response.headers()[ETAG], etag);
            assert_eq!(response.body().is_empty(), status == 304);
        }
    }

    #[test]
    fn head_tells_the_length_and_sends_no_body() {
        let response = ask(&Method::HEAD, ARTICLE, &[]);
        let length = SITE.get(ARTICLE).unwrap().plain().len();
        assert_eq!(response.headers()[CONTENT_LENGTH], length.to_string());
        assert!(response.body().is_empty());
    }

    #[test]
    fn paths_and_methods_have_their_statuses() {
        for (method, path, status) in [
            (Method::GET, INDEX_PATH, 200),
            (Method::GET, "/robots.txt", 200),
            (Method::GET, "/", 302),
            (Method::GET, "/wiki/China", 404),
            (Method::HEAD, "/nowhere", 404),
            (Method::POST, INDEX_PATH, 405),
        ] {
            assert_eq!(ask(&method, path, &[]).status(), status, "{method} {path}");
        }
        assert_eq!(get("/", &[]).headers()[LOCATION], INDEX_PATH);
        assert_eq!(ask(&Method::PUT, "/", &[]).headers()[ALLOW], "GET, HEAD");
    }
}
