//! The rules of a robots.txt for one agent (RFC 9309): how they are read, and what they allow.
//! Pure.
//!
//! Other modules fetch the file, and decide what its absence means (RFC 9309, 2.3).

use std::time::Duration;

use crate::queue::robots::agent::token;
use crate::queue::robots::pattern::{LITERAL_IN_PATH, LITERAL_IN_PATTERN, matches, normalise};
use crate::queue::robots::text::{lines, readable};

/// The longest crawl delay. A longer one is a slip in the unit, or means "stay away", for
/// which there is `Disallow: /`. One page per hour is slow enough.
const CRAWL_DELAY_LIMIT: Duration = Duration::from_hours(1);
/// The most octets that wildcards may make one question search: tens of milliseconds.
///
/// The search of one rule is linear, but [`BODY_LIMIT`](super::BODY_LIMIT) has room for 42,000 rules.
/// The limit is enough for all of them with a path of 90 octets, or for 500 rules with one of
/// 8 KiB. Beyond it the answer is no: to leave a page out is the polite mistake.
const SEARCH_LIMIT: usize = 4 << 20;

/// What a host's robots.txt allows one agent.
///
/// It holds only the rules that concern the agent. Where nothing is forbidden it holds no
/// rule, and nothing on the heap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// One rule per line: [`ALLOW`] or [`DISALLOW`], then the normalised pattern,
    /// which has no line ends. One text is smaller than a list of texts.
    lines: String,
    crawl_delay: Option<Duration>,
}

const ALLOW: char = '+';
const DISALLOW: char = '-';

impl Rules {
    /// Rules that allow everything.
    pub(crate) const ALLOW_ALL: Self = Self { lines: String::new(), crawl_delay: None };

    /// Reads a robots.txt for the product token `agent`, whatever its `body` is.
    ///
    /// Lines without a meaning are skipped, so an HTML page allows everything. A file in
    /// UTF-16 is read where it has a byte order mark. Only the first [`BODY_LIMIT`](super::BODY_LIMIT) octets are looked at, without a line that
    /// the limit tears: half a pattern forbids more. Takes linear time.
    #[must_use]
    pub(crate) fn parse(body: &[u8], agent: &str) -> Self {
        let mut reader = Reader { agent: token(agent.as_bytes()), ..Reader::default() };
        lines(&readable(body)).for_each(|line| reader.read(line));
        let Reader { mut rules, .. } = reader;
        if !rules.lines.lines().any(|line| line.starts_with(DISALLOW)) {
            rules.lines.clear();
        }
        rules.lines.shrink_to_fit();
        rules
    }

    /// Whether the agent may fetch this path with its query (`/wiki/India?x=1`).
    ///
    /// The matching rule with the longest pattern decides, and of equally long
    /// ones that which allows (RFC 9309, 2.2.2). Takes time linear in the length
    /// of the rules and the path, and some tens of milliseconds at worst for
    /// wildcards; where those do not suffice, the answer is no.
    #[must_use]
    pub(crate) fn allows(&self, path_and_query: &str) -> bool {
        if self.lines.is_empty() {
            return true;
        }
        let mut path = String::from("/");
        let behind_slash = path_and_query.strip_prefix('/').unwrap_or(path_and_query);
        normalise(behind_slash.as_bytes(), LITERAL_IN_PATH, &mut path);
        // Implicitly allowed by RFC 9309, 2.2.2.
        if path == "/robots.txt" {
            return true;
        }
        let mut best = (0, true);
        let mut searched = 0;
        for line in self.lines.lines() {
            let pattern = &line[1..];
            let rank = (pattern.len(), line.starts_with(ALLOW));
            if rank > best && matches(pattern, &path, &mut searched) {
                best = rank;
            }
            if searched > SEARCH_LIMIT {
                return false;
            }
        }
        best.1
    }

    /// The least time between two requests that the host asks for, at most an hour:
    /// the largest `Crawl-delay`. The field is not in RFC 9309, but widely used.
    #[must_use]
    pub(crate) const fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

/// Picks the rules for one agent out of the lines of a file.
#[derive(Default)]
struct Reader<'a> {
    agent: &'a [u8],
    /// The rules of the groups for all agents; once a group names the agent, only those of
    /// such groups.
    rules: Rules,
    is_agent_named: bool,
    /// Whether the current group's lines go into `rules`.
    is_addressed: bool,
    /// Whether the group has had a rule: the next user-agent line then opens another.
    is_in_rules: bool,
}

impl Reader<'_> {
    fn read(&mut self, line: &[u8]) {
        let content = line.split(|octet| *octet == b'#').next().unwrap_or_default();
        let mut parts = content.splitn(2, |octet| *octet == b':').map(<[u8]>::trim_ascii);
        let (Some(key), Some(value)) = (parts.next(), parts.next()) else { return };
        match key.to_ascii_lowercase().as_slice() {
            b"user-agent" => self.read_agent(value),
            b"allow" => self.read_rule(ALLOW, value),
            b"disallow" => self.read_rule(DISALLOW, value),
            b"crawl-delay" => self.read_delay(value),
            _ => (), // other records must not change how groups are read (RFC 9309, 2.2.4)
        }
    }

    /// Groups that name the agent are merged; those for all count only where
    /// there is none of them (RFC 9309, 2.2.1).
    fn read_agent(&mut self, value: &[u8]) {
        if self.is_in_rules {
            (self.is_in_rules, self.is_addressed) = (false, false);
        }
        let name = token(value);
        if !name.is_empty() && name.eq_ignore_ascii_case(self.agent) {
            if !self.is_agent_named {
                self.rules = Rules::ALLOW_ALL;
            }
            (self.is_agent_named, self.is_addressed) = (true, true);
        } else if matches!(value, [b'*'] | [b'*', b' ' | b'\t', ..]) {
            self.is_addressed |= !self.is_agent_named;
        }
    }

    fn read_rule(&mut self, kind: char, pattern: &[u8]) {
        self.is_in_rules = true;
        // An empty pattern matches nothing. The grammar requires a leading "/", and an
        // example in RFC 9309, 5.1 has a leading "*". No other pattern matches a path.
        if self.is_addressed && matches!(pattern, [b'/' | b'*', ..]) {
            let lines = &mut self.rules.lines;
            let body = pattern.strip_suffix(b"$");
            lines.push(kind);
            normalise(body.unwrap_or(pattern), LITERAL_IN_PATTERN, lines);
            lines.push_str(if body.is_some() { "$\n" } else { "\n" });
        }
    }

    /// A delay is another record (RFC 9309, 2.2.4): user-agent lines above and below
    /// it are of one group, as in Google's parser. But it holds only for those
    /// above: many files have a crawler with just a delay before the group for all.
    fn read_delay(&mut self, value: &[u8]) {
        if self.is_addressed {
            self.rules.crawl_delay = self.rules.crawl_delay.max(delay(value));
        }
    }
}

/// Unsigned decimal seconds, up to [`CRAWL_DELAY_LIMIT`]; anything else is no delay.
fn delay(value: &[u8]) -> Option<Duration> {
    // Rust's floats may also be signed, `inf`, `nan` and `1e9`. The errors are
    // dropped: a file from outside is read as far as it makes sense.
    let is_plain = |text: &&str| text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    let seconds: f64 = str::from_utf8(value).ok().filter(is_plain)?.parse().ok()?;
    Some(Duration::from_secs_f64(seconds.min(CRAWL_DELAY_LIMIT.as_secs_f64())))
}

#[cfg(test)]
mod tests;
