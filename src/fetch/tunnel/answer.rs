//! Reads a proxy's answer to CONNECT, from bytes as they come.
//!
//! Only the status of an answer counts. No field concerns a client, and the fields that
//! frame a body must be ignored (RFC 9110, 9.3.6). So all lines are skipped, whatever
//! they contain.

use std::fmt;
use std::mem;

use crate::fetch::head;
use crate::message;

/// The start of each answer. The connection is for HTTP/1, so other versions are refused.
const START: &[u8] = b"HTTP/1.";

/// The status of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    /// The number of the status.
    pub(super) code: u16,
    /// The proxy's phrase for it, fit for a message; often empty.
    reason: String,
}

impl Status {
    /// Whether the tunnel is open (RFC 9110, 9.3.6).
    pub(super) const fn is_open(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether another answer follows (RFC 9110, 15.2). After 101, which the client did
    /// not request, the connection would change to another protocol.
    const fn is_interim(&self) -> bool {
        self.code / 100 == 1 && self.code != 101
    }

    /// Parses a status line. An empty phrase is the same as none.
    fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(START)?;
        let [b'0'..=b'9', b' ', rest @ ..] = rest else { return None };
        let rest = rest.trim_ascii_start();
        let (digits, reason) = rest.split_at_checked(3)?;
        let is_status = digits.iter().all(u8::is_ascii_digit)
            && digits[0] != b'0'
            && reason.first().is_none_or(u8::is_ascii_whitespace);
        if !is_status {
            return None;
        }
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let reason = message::excerpt(String::from_utf8_lossy(reason).trim());
        Some(Self { code, reason })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() {
            return f.write_str(&message::status(self.code));
        }
        write!(f, "{} {}", self.code, self.reason)
    }
}

/// The bytes are not a usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// They are not HTTP/1.
    #[error("it does not speak HTTP/1")]
    NotHttp,
    /// The head does not end within the limit.
    #[error("the head of its answer takes more than {} bytes", head::SIZE_LIMIT)]
    TooLarge,
}

/// Reads an answer, and the interim ones before it.
#[derive(Debug, Default)]
pub(super) struct AnswerReader {
    /// The size of all heads so far, in bytes.
    size: usize,
    /// The status of the current head.
    status: Option<Status>,
    /// The beginning of an incomplete line.
    line: Vec<u8>,
}

impl AnswerReader {
    /// Takes the next bytes. Once the head is complete, returns its status and the number
    /// of these bytes that belong to it: the others belong to the tunnel.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Option<(Status, usize)>, Malformed> {
        let mut used = 0;
        while used < piece.len() {
            let rest = &piece[used..];
            let end = memchr::memchr(b'\n', rest).map(|at| at + 1);
            let part = &rest[..end.unwrap_or(rest.len())];
            used += part.len();
            self.size += part.len();
            self.line.extend_from_slice(part);
            if self.size > head::SIZE_LIMIT as usize {
                return Err(Malformed::TooLarge);
            }
            if self.status.is_none() && !self.may_be_status() {
                return Err(Malformed::NotHttp);
            }
            if end.is_some()
                && let Some(status) = self.end_line()?
            {
                return Ok(Some((status, used)));
            }
        }
        Ok(None)
    }

    /// Whether the line may become a status line: a server of another protocol may never
    /// end its line, and must not be awaited. Blank lines before a status line are
    /// skipped, as servers do (RFC 9112, 2.2).
    fn may_be_status(&self) -> bool {
        let line = &self.line;
        let common = line.len().min(START.len());
        line[..common] == START[..common] || is_blank(line)
    }

    /// Takes a complete line; returns the status at the end of an answer.
    fn end_line(&mut self) -> Result<Option<Status>, Malformed> {
        let line = mem::take(&mut self.line);
        match self.status.take() {
            None if is_blank(&line) => Ok(None),
            None => {
                self.status = Some(Status::parse(&line).ok_or(Malformed::NotHttp)?);
                Ok(None)
            }
            // An interim answer is followed by another one.
            Some(status) if is_blank(&line) => Ok(Some(status).filter(|it| !it.is_interim())),
            status => {
                self.status = status;
                Ok(None)
            }
        }
    }
}

/// Whether a line is empty except for its end.
fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n" | b"\r")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the status that `pieces` give, and the bytes after the head.
    fn read(pieces: &[&[u8]]) -> Result<Option<(String, Vec<u8>)>, Malformed> {
        let mut answer = AnswerReader::default();
        for (at, piece) in pieces.iter().enumerate() {
            if let Some((status, used)) = answer.take(piece)? {
                let behind = [&[&piece[used..]], &pieces[at + 1..]].concat().concat();
                return Ok(Some((status.to_string(), behind)));
            }
        }
        Ok(None)
    }

    fn head(status: &str, fields: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\n{fields}\r\n").into_bytes()
    }

    #[test]
    fn answers_are_read_however_they_are_split() {
        let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(50);
        let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let lines = "X-Line: 1\r\n".repeat(300);
        for (raw, status) in [
            (head("200 Connection established", ""), "200 Connection established"),
            (head("200", ""), "200 OK"),
            (head("201 ", ""), "201 Created"),
            (head("204 No Content", "Content-Length: 7\r\n"), "204 No Content"),
            (head("299 Fine", "Transfer-Encoding: chunked\r\n"), "299 Fine"),
            (b"HTTP/1.0 200 OK\n\n".to_vec(), "200 OK"),
            (b"\r\n\nHTTP/1.1  200 OK\r\n\r\n".to_vec(), "200 OK"),
            (format!("HTTP/1.1 100\n\n{hint}HTTP/1.1 200 OK\r\n\r\n").into(), "200 OK"),
            (format!("{interim}HTTP/1.1 502 Bad\r\n\r\n").into(), "502 Bad"),
            (head("101 Switching Protocols", ""), "101 Switching Protocols"),
            (head("407 Who?", "Proxy-Authenticate: Basic\r\n"), "407 Who?"),
            (head("302 Found", "Location: /\r\n"), "302 Found"),
            (head("200 OK", "A: b\r\n  folded\r\n\tso\r\n \r\nno field\r\n: x\r\n"), "200 OK"),
            (head("200 OK", "\u{1}\u{ff}:\r\rHTTP/1.1 500 x\r\n"), "200 OK"),
            (head("200 OK", &lines), "200 OK"),
            (head("500 \x1b[2J\x1b", ""), "500 \u{fffd}[2J\u{fffd}"),
        ] {
            let behind = b"\x16\x03\r\n\r\n".to_vec();
            let raw_and_more = [raw.clone(), behind.clone()].concat();
            let whole = Ok(Some((status.to_owned(), behind)));
            for cut in 0..=raw_and_more.len() {
                let (first, second) = raw_and_more.split_at(cut);
                assert_eq!(read(&[first, second]), whole, "{status}, cut at {cut}");
            }
            let bytes: Vec<_> = raw_and_more.chunks(1).collect();
            assert_eq!(read(&bytes), whole, "{status}, byte by byte");
            assert_eq!(read(&[&raw[..raw.len() - 1]]), Ok(None), "{status}, without its end");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused_as_soon_as_it_shows() {
        for raw in [
            "SSH-2.0-OpenSSH_9.9",
            "<html>",
            "http/1.1 200 OK",
            "HTTP/2 200",
            "ICY 200 OK",
            "\u{15}\u{3}\u{1}",
            "\r\nX: y",
            "HTTP/1.1 20\r\n",
            "HTTP/1.1 2000 OK\r\n",
            "HTTP/1.1 099 OK\r\n",
            "HTTP/1.1 OK\r\n",
            "HTTP/1.1200 OK\r\n",
            "HTTP/1.1\r\n",
            "HTTP/1.x 200 OK\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nX: y",
        ] {
            assert_eq!(read(&[raw.as_bytes()]), Err(Malformed::NotHttp), "{raw:?}");
        }
    }

    #[test]
    fn heads_have_one_limit_for_all_of_them() {
        let limit = head::SIZE_LIMIT as usize;
        let padded = |size: usize| head("200 OK", &format!("X: {}\r\n", "x".repeat(size)));
        let frame = padded(0).len();
        assert!(read(&[&padded(20 * 1024)]).unwrap().is_some());
        assert!(read(&[&padded(limit - frame)]).unwrap().is_some());
        assert_eq!(read(&[&padded(limit - frame + 1)]), Err(Malformed::TooLarge));
        // Bytes of the tunnel do not count.
        assert!(read(&[&[padded(limit - frame), vec![0; limit]].concat()]).unwrap().is_some());
        for endless in ["HTTP/1.1 102 x\r\n\r\n", "\r\n"] {
            let raw = endless.repeat(limit / endless.len() + 1);
            assert_eq!(read(&[raw.as_bytes()]), Err(Malformed::TooLarge), "{endless:?}");
        }
        let line = [b"HTTP/1.1 200 ".to_vec(), vec![b'x'; limit]].concat();
        assert_eq!(read(&[&line]), Err(Malformed::TooLarge));
    }
}
