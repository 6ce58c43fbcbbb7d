//! What is read of an answer's head.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Response;
use url::Url;

use crate::message;
use crate::model::{Failure, FailureCode, Head, HttpVersion};

pub(super) fn read_head(response: &Response, url: &Url) -> Head {
    let headers = response.headers();
    let retry_after = text(headers, &header::RETRY_AFTER);
    Head {
        final_url: url.clone(),
        status: response.status().as_u16(),
        http: match response.version() {
            http::Version::HTTP_2 => HttpVersion::Http2,
            http::Version::HTTP_3 => HttpVersion::Http3,
            http::Version::HTTP_11 => HttpVersion::Http11,
            _ => HttpVersion::Http10,
        },
        content_type: text(headers, &header::CONTENT_TYPE),
        content_encoding: text(headers, &header::CONTENT_ENCODING),
        etag: text(headers, &header::ETAG),
        last_modified: text(headers, &header::LAST_MODIFIED),
        // Only a date in the other is compared with it.
        date: retry_after.as_ref().and_then(|_| text(headers, &header::DATE)),
        retry_after,
        is_on_new_connection: false,
    }
}

/// A header's value; several fields of one name are joined by commas (RFC 9110, 5.3).
fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let mut joined = told(values.next()?).into_owned();
    for value in values {
        joined.push_str(", ");
        joined.push_str(&told(value));
    }
    Some(joined)
}

/// A value as text. That it is none is rare, and looking for it piece by piece is slow.
fn told(value: &HeaderValue) -> Cow<'_, str> {
    std::str::from_utf8(value.as_bytes())
        .map_or_else(|_| String::from_utf8_lossy(value.as_bytes()), Cow::Borrowed)
}

/// Only chunks were offered as a transfer coding (RFC 9112, 7.4); what comes in
/// another one would be taken for the page.
pub(super) fn refuse_transfer_coding(headers: &HeaderMap) -> Result<(), Failure> {
    let coding = text(headers, &header::TRANSFER_ENCODING);
    match coding.filter(|coding| !coding.trim().eq_ignore_ascii_case("chunked")) {
        None => Ok(()),
        Some(coding) => {
            let coding = message::excerpt(&coding);
            let message =
                format!("the body is in a transfer coding that was not asked for, {coding:?}");
            Err(Failure::new(FailureCode::Decode, message))
        }
    }
}

/// Where the answer sends us on to, if it does (RFC 9110, 15.4).
pub(super) fn redirect_target(current: &Url, response: &Response) -> Result<Option<Url>, Failure> {
    let is_redirect = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !is_redirect {
        return Ok(None);
    }
    let Some(location) = text(response.headers(), &header::LOCATION) else {
        return Ok(None);
    };
    let leads_nowhere = |reason: &str| {
        let location = message::excerpt_url(&location);
        Failure::new(FailureCode::Redirects, format!("redirected to {location:?}, {reason}"))
    };
    let mut target = current.join(&location).map_err(|error| leads_nowhere(&error.to_string()))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(leads_nowhere("which is no http(s) address"));
    }
    target.set_fragment(None);
    Ok(Some(target))
}
