//! Servers' texts in HTTP, and users' lists of proxies, nearly well formed: heads,
//! chunks, cookies, ranges, proxies.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use url::Url;

use super::super::chunked::{BadChunk, Chunks, LINE_LIMIT};
use super::super::proxy::{NoProxy, Proxies, Proxy};
use super::super::{content_range, cookies, head};
use crate::foreign_bytes::{Format, Input, config, steps, within};

const HEADS: &[&[u8]] = &[
    b"Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\nETag: \"x\"\r\n\
      Last-Modified: Sat, 21 Nov 2026 20:11:00 GMT\r\nContent-Length: 17, 17\r\n",
    b"Transfer-Encoding: gzip, chunked\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\
      Retry-After: 2s\r\nDate: Sat, 21 Nov 2026 20:11:00 GMT\r\nDate: x\r\n",
    b"Location: //b.org:81/../x?y#z\r\nLocation: //b.org:81/../x?y#z \r\n\
      Set-Cookie: seen=1; Path=/; Domain=a.org; Secure; Max-Age=9; SameSite=Lax\r\n\
      Set-Cookie: b=\"2\"; Expires=Sat, 21-Nov-26 20:11:00 GMT; HttpOnly\r\n",
    b"Content-Range: bytes 0-499/500\r\nContent-Length: 500\r\nX: y\r\n folded\r\n\tso\r\n",
];
const OF_HEADS: &[&[u8]] = &[
    b"Location: ",
    b"Set-Cookie: a=b\r\n",
    b"Set-Cookie: x=\xc3\xa9; Domain=.a.org; Path=/dir; Expires=",
    b"Content-Length: 18446744073709551615\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"identity, chunked",
    b"Content-Range: bytes 0-",
    b"Content-Range: bytes */",
    b"Content-Encoding: br, gzip\r\n",
    b"Retry-After: ",
    b"\r\n ",
    b"\r",
    b"\0",
    b": ",
    b", ",
    b"; ",
    b"=",
    b"/../",
    b"javascript:",
];

/// Parses the fields of a head as the HTTP library passes them on, without those that it
/// refuses.
fn fields(head: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

fn url() -> Url {
    Url::parse("http://w.a.org/dir/x?y").unwrap()
}

/// Decodes a chunked body and its end, all at once (RFC 9112, 7.1).
fn unchunked(mut rest: &[u8]) -> Result<(Vec<u8>, bool), BadChunk> {
    let mut body = Vec::new();
    let mut has_trailers = false;
    loop {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return if rest.len() > LINE_LIMIT { Err(BadChunk) } else { Ok((body, false)) };
        };
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        if end > LINE_LIMIT {
            return Err(BadChunk);
        }
        rest = &rest[end + 1..];
        if has_trailers {
            if line.is_empty() {
                return Ok((body, true));
            }
            continue;
        }
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let digits = std::str::from_utf8(digits).map_err(|_| BadChunk)?;
        if digits.starts_with('+') {
            return Err(BadChunk);
        }
        let size = u64::from_str_radix(digits, 16).map_err(|_| BadChunk)?;
        has_trailers = size == 0;
        if has_trailers {
            continue;
        }
        let Some((data, behind)) =
            usize::try_from(size).ok().and_then(|size| rest.split_at_checked(size))
        else {
            body.extend_from_slice(rest);
            return Ok((body, false));
        };
        body.extend_from_slice(data);
        let Some(end) = behind.iter().position(|byte| *byte == b'\n') else {
            return if behind.len() > LINE_LIMIT { Err(BadChunk) } else { Ok((body, false)) };
        };
        if !matches!(&behind[..end], b"" | b"\r") {
            return Err(BadChunk);
        }
        rest = &behind[end + 1..];
    }
}

fn take(input: &Input, steps: &[usize]) -> Result<(Vec<u8>, bool), BadChunk> {
    // The decoded body does not belong to the parser.
    let mut body = Vec::with_capacity(input.len());
    let largest = steps.iter().copied().max().unwrap_or(input.len()).min(input.len());
    // An unfinished line, a piece, and the part of the body in the piece. Each lies in a
    // block that may be twice as large, and for a moment beside the block that it grew
    // out of.
    within(8 * (LINE_LIMIT + largest), || {
        let mut chunks = Chunks::default();
        for piece in input.pieces(steps) {
            body.extend_from_slice(&chunks.take(piece)?);
            if chunks.is_done() {
                return Ok(true);
            }
        }
        Ok(false)
    })
    .map(|is_done| (body, is_done))
}

fn chunks() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 3] = [
        b"5\r\nhello\r\n10;a=\"b\"\r\n0123456789abcdef\r\n0\r\n\r\n",
        b"1\na\n0;x\nTrailer: 1\n y\n\n",
        b"0\r\n\r\n",
    ];
    let tokens: &[&[u8]] = &[
        b"\r\n0\r\n\r\n",
        b"0\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"FFFFFFFFFFFFFFFF\r\n",
        b"10000000000000000\r\n",
        b"+1\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b" 1 ; \r\n",
        b";",
    ];
    Format::new(documents, tokens).up_to(3 * LINE_LIMIT).inputs()
}

fn proxies() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 5] = [
        b"http://me:pw@a.org:81",
        b"socks5h://[::1]:9050/x?y#z",
        b"https://A.ORG.",
        b"a.org:3128",
        b"a.org,.b.org 10.0.0.0/8,[::1]:8080,::/128,*",
    ];
    let tokens: &[&[u8]] = &[
        b"http://",
        b"socks5://",
        b"@",
        b":",
        b"/",
        b"[",
        b"]",
        b"[::ffff:1.2.3.4]",
        b"0x7f.1",
        b"/33",
        b"/0",
        b".",
        b",",
        b"xn--",
        b"%40",
        b"*",
    ];
    Format::new(documents, tokens).up_to(4096).inputs()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn heads(input in Format::new(HEADS, OF_HEADS).inputs(), status in 200_u16..600) {
        let headers = fields(&input);
        let mut response = http::Response::builder().status(status).body("").unwrap();
        *response.headers_mut() = headers.clone();
        let response = reqwest::Response::from(response);
        // Values are copied to be joined, and then encoded, shown, or parsed as an address.
        within(4 * 1024 + 24 * input.len(), || {
            let head = head::read_head(&response, &url());
            prop_assert_eq!(head.status, status);
            drop((head::refuse_large(&headers), head::framing(&headers)));
            if let Ok(Some(target)) = head::redirect_target(&url(), &response) {
                prop_assert!(matches!(target.scheme(), "http" | "https"));
                prop_assert!(target.has_host() && target.fragment().is_none());
            }
            if let Some(part) = head::PartialContent::of(&response) {
                prop_assert!(!(part.refuse_unless_all(7).is_ok() && part.refuse_unless_all(8).is_ok()));
            }
            Ok(())
        })?;
        for value in headers.values().filter_map(|value| value.to_str().ok()) {
            if let Some(length) = content_range::whole(value) {
                prop_assert!(length > 0 && value.contains(&length.to_string()), "{}", value);
            }
        }
    }

    #[test]
    fn set_cookies(input in Format::new(HEADS, OF_HEADS).inputs()) {
        let headers = fields(&input);
        // Each cookie is a line, its parsed parts, its place in a map, and its words of the
        // answer; the least one has a dozen bytes.
        within(16 * 1024 + 64 * input.len(), || {
            let set = cookies::set_by(&url(), &headers);
            prop_assert!(set.len() <= 50 && set.iter().all(|it| it.line.len() <= 4096));
            for to in ["http://w.a.org/dir/y", "https://a.org/", "http://b.org/"] {
                let field = cookies::cookie_header(&set, headers.get("x"), &Url::parse(to).unwrap());
                let length = field.map_or(0, |field| field.len());
                prop_assert!(length <= input.len() + 2 * set.len());
            }
            Ok(())
        })?;
    }

    #[test]
    fn chunks_in_pieces(input in chunks(), steps in steps()) {
        let whole = unchunked(&input);
        prop_assert_eq!(&take(&input, &[]), &whole);
        prop_assert_eq!(take(&input, &steps), whole);
    }

    #[test]
    fn addresses_of_proxies(input in proxies()) {
        let text = input.text();
        // A word of one byte, with its separator, makes a rule of about 60 bytes in a
        // list that grows. Addresses take less.
        within(4 * 1024 + 128 * text.len(), || {
            if let Ok(proxy) = Proxy::parse(&text) {
                prop_assert_eq!(&Proxy::parse(proxy.url().as_str()).unwrap(), &proxy);
                prop_assert!(!proxy.to_string().contains('@') && !proxy.host().is_empty());
            }
            let no_proxy = NoProxy::parse(&text);
            let all = Proxies::in_turn(vec![Proxy::parse("a.org:81").unwrap()]).except(no_proxy);
            for url in ["http://a.org/", "https://10.1.2.3:8080/", "http://[::1]:8080/"] {
                prop_assert!(all.candidates(&Url::parse(url).unwrap()).len() <= 1);
            }
            Ok(())
        })?;
    }
}
