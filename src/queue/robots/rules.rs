//! What a host's robots.txt lets one agent fetch (RFC 9309): read and matched, no I/O.
//!
//! Fetching the file, what its status or absence means (RFC 9309, 2.3) and how
//! long an answer is kept (2.4) are left to others.

use std::borrow::Cow;
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8};

/// The octets of a robots.txt that are read: the least that RFC 9309, 2.5 asks for.
pub(crate) const BODY_LIMIT: usize = 500 * 1024;
/// No crawl delay is longer. More is a slip in the unit or a way to say "stay
/// away", for which there is `Disallow: /`; a page an hour is slow enough.
const CRAWL_DELAY_LIMIT: Duration = Duration::from_hours(1);
/// The octets that wildcards may make one question search: some tens of milliseconds.
///
/// One rule's search is linear, but [`BODY_LIMIT`] has room for 42,000 rules.
/// All those may search a path of 90 octets, or 500 rules one of 8 KiB.
/// Beyond that the answer is no: to leave a page out is the polite mistake.
const SEARCH_LIMIT: usize = 4 << 20;

/// What a host's robots.txt allows one agent.
///
/// Only rules that concern the agent are kept, and none at all where nothing is
/// forbidden: then there is nothing on the heap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// One rule a line: [`ALLOW`] or [`DISALLOW`], then the normalised pattern,
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
    /// Lines without a meaning are skipped, so an HTML page allows everything.
    /// UTF-16 is read where a mark says that it is that.
    /// Only the first [`BODY_LIMIT`] octets are looked at, without a line that
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
        normalise(behind_slash.as_bytes(), KEPT_IN_PATH, &mut path);
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
    /// the largest `Crawl-delay`, which is not in RFC 9309 but widely used.
    #[must_use]
    pub(crate) const fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

/// What is read of a file, in UTF-8: at most [`BODY_LIMIT`] octets as received,
/// without the byte order mark and without a line that the limit tears.
///
/// RFC 9309, 2.2 asks for UTF-8. A mark of UTF-16 leaves no doubt, though, and to
/// pass over the rules behind it would be the impolite mistake.
fn readable(body: &[u8]) -> Cow<'_, [u8]> {
    let head = &body[..body.len().min(BODY_LIMIT)];
    let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
    let text = &head[mark..];
    // A body that ends at the limit may have been cut there on its way to us.
    let is_cut = head.len() == BODY_LIMIT;
    if encoding == UTF_8 {
        let is_torn = is_cut && !body.get(BODY_LIMIT).is_some_and(is_line_end);
        return Cow::Borrowed(if is_torn { whole_lines(text) } else { text });
    }
    let (text, _) = encoding.decode_without_bom_handling(text);
    let text = text.as_bytes();
    Cow::Owned(if is_cut { whole_lines(text) } else { text }.to_vec())
}

/// `text` without its last line.
fn whole_lines(text: &[u8]) -> &[u8] {
    &text[..text.iter().rposition(is_line_end).unwrap_or(0)]
}

/// The lines of a text.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(is_line_end)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is a predicate for slices")]
const fn is_line_end(octet: &u8) -> bool {
    matches!(octet, b'\r' | b'\n')
}

/// Picks the rules for one agent out of the lines of a file.
#[derive(Default)]
struct Reader<'a> {
    agent: &'a [u8],
    /// Of the groups for all, or of those that name the agent once one did.
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
        // An empty pattern is no rule. The grammar wants "/" in front, the
        // example in RFC 9309, 5.1 has "*"; all else could match no path.
        if self.is_addressed && matches!(pattern, [b'/' | b'*', ..]) {
            let lines = &mut self.rules.lines;
            let body = pattern.strip_suffix(b"$");
            lines.push(kind);
            normalise(body.unwrap_or(pattern), KEPT_IN_PATTERN, lines);
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

/// The product token that a user-agent value starts with: `fetchpages` of `fetchpages/1.0`.
///
/// RFC 9309, 2.2.1 and Google's parser end it before a digit. Here digits are
/// part of it, so that rules for a `fetchpages2` are not taken for ours.
pub(crate) fn token(value: &[u8]) -> &[u8] {
    let is_outside = |octet: &u8| !octet.is_ascii_alphanumeric() && !b"_-".contains(octet);
    &value[..value.iter().position(is_outside).unwrap_or(value.len())]
}

/// Unsigned decimal seconds, up to [`CRAWL_DELAY_LIMIT`]; anything else is no delay.
fn delay(value: &[u8]) -> Option<Duration> {
    // Rust's floats may also be signed, `inf`, `nan` and `1e9`. The errors are
    // dropped: a file from outside is read as far as it makes sense.
    let is_plain = |text: &&str| text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    let seconds: f64 = str::from_utf8(value).ok().filter(is_plain)?.parse().ok()?;
    Some(Duration::from_secs_f64(seconds.min(CRAWL_DELAY_LIMIT.as_secs_f64())))
}

/// What stays unencoded in a path beside unreserved characters: the reserved
/// ones of RFC 3986, 2.2 but for `*` and `$`, and a `%` that is no escape.
const KEPT_IN_PATH: &[u8] = b":/?#[]@!&'()+,;=%";
/// The same for a pattern, where `*` is a wildcard.
const KEPT_IN_PATTERN: &[u8] = b"*:/?#[]@!&'()+,;=%";

/// Appends `octets` in the one spelling in which both sides are compared (RFC 9309, 2.2.2).
///
/// Escapes of unreserved characters are decoded, the hex digits of others made
/// upper case, and octets that no URI may hold are encoded, invalid UTF-8 as
/// well. A reserved character and its escape stay different (RFC 3986, 2.2):
/// `/a%2Fb` is not `/a/b`. RFC 9309 would encode reserved ones, but cannot mean
/// all, as "/" is one. Those not `kept`, `$` and in a path `*`, are, so that a
/// rule can name them by `%24` and `%2A` (2.2.3). The result is printable ASCII.
fn normalise(octets: &[u8], kept: &[u8], into: &mut String) {
    let digit = |four: u8| char::from(b"0123456789ABCDEF"[usize::from(four)]);
    let mut rest = octets;
    while let [octet, ..] = rest {
        let decoded = escaped(rest);
        let octet = decoded.unwrap_or(*octet);
        let is_unreserved = octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
        if is_unreserved || decoded.is_none() && kept.contains(&octet) {
            into.push(char::from(octet));
        } else {
            into.extend(['%', digit(octet >> 4), digit(octet & 15)]);
        }
        rest = &rest[if decoded.is_some() { 3 } else { 1 }..];
    }
}

/// The octet that an escape at the start of `text` stands for.
fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |octet: u8| char::from(octet).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok() // two digits always fit
}

/// Whether `pattern` matches `path` from its start, both normalised; adds to
/// `searched` the octets that wildcards make it look through.
///
/// A piece between two wildcards is taken where it comes first: a later place
/// would leave the others less room, so nothing is tried twice. `str::find` is
/// linear (Crochemore and Perrin, "Two-way string-matching", 1991), so this is.
fn matches(pattern: &str, path: &str, searched: &mut usize) -> bool {
    let (pattern, is_anchored) =
        pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let Some((head, tail)) = pattern.split_once('*') else {
        return if is_anchored { path == pattern } else { path.starts_with(pattern) };
    };
    let Some(mut rest) = path.strip_prefix(head) else { return false };
    *searched += tail.len() + rest.len();
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    for piece in middle.split('*') {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    if is_anchored { rest.ends_with(last) } else { rest.contains(last) }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::*;

    fn rules(body: &str) -> Rules {
        Rules::parse(body.as_bytes(), "fetchpages")
    }

    fn forbids(pattern: &str, path: &str) -> bool {
        !rules(&format!("User-agent: *\nDisallow: {pattern}\n")).allows(path)
    }

    fn check(rules: &Rules, allowed: &str, forbidden: &str) {
        for (paths, expected) in [(allowed, true), (forbidden, false)] {
            for path in paths.split_whitespace() {
                assert_eq!(rules.allows(path), expected, "{path} {rules:?}");
            }
        }
    }

    /// Checks lines of "rules: allowed paths; forbidden paths".
    fn check_table(table: &str) {
        for row in table.lines() {
            let (words, paths) = row.trim().split_once(": ").unwrap();
            let (allowed, forbidden) = paths.split_once(';').unwrap();
            let lines = words.replace(' ', "\n").replace("low/", "low: /");
            check(&rules(&format!("User-agent: *\n{lines}")), allowed, forbidden);
        }
    }

    #[test]
    fn only_whole_product_tokens_match_in_any_case() {
        let is_named = |name: &str| !rules(&format!("User-agent: {name}\nDisallow: /")).allows("/");
        let names = "fetchpages|FetchPages|fetchpages/1.0|fetchpages (x)|fetchpages;";
        assert!(names.split('|').all(is_named));
        let others = "Fetch|fetchpages2|fetchpages-x|fetchpages_x|xfetchpages||/|*x";
        assert!(!others.split('|').any(is_named));
        assert!(Rules::parse(b"User-agent:\nDisallow: /", "").allows("/"));
    }

    #[test]
    fn groups_are_told_apart_merged_and_chosen() {
        for (body, is_forbidden) in [
            ("Disallow: /", false),
            ("User-agent: * x # all\nDisallow: /", true),
            ("User-agent: a\nDisallow: /", false),
            ("User-agent: fetchpages\n\nUser-agent: a\nDisallow: /", true),
            ("User-agent: fetchpages\nDisallow:\nUser-agent: a\nDisallow: /", false),
            ("User-agent: *\nDisallow: /\nUser-agent: fetchpages", false),
            ("User-agent: fetchpages\nDisallow: /y\nUser-agent: *\nDisallow: /", false),
            ("User-agent: fetchpages\nUser-agent: *\nDisallow: /", true),
            ("User-agent: *\nUser-agent: fetchpages\nDisallow: /", true),
            ("User-agent: fetchpages\nDisallow: /\nUser-agent: Fetchpages\nAllow: /y", true),
            ("User-agent: *\nDisallow: /\nUser-agent: a\nAllow: /\nUser-agent: *\nAllow: /y", true),
            ("User-agent: fetchpages\nSitemap: /s\nHost: h\nUser-agent: a\nDisallow: /", true),
            ("User-agent: fetchpages\nCrawl-delay: 1\nUser-agent: a\nDisallow: /", true),
            ("User-agent: fetchpages\nDisallow: /y\nSitemap: /s\nDisallow: /", true),
        ] {
            assert_eq!(!rules(body).allows("/x"), is_forbidden, "{body}");
        }
    }

    #[test]
    fn lines_are_read_generously_and_only_what_forbids_is_kept() {
        for (body, kept) in [
            (b"\xEF\xBB\xBFUser-agent: *\nDisallow: /x\0\xff".as_slice(), "-/x%00%FF\n"),
            (b"User-agent: *\rDisallow: /x\r", "-/x\n"),
            (b" \tUSER-AGENT \t:\t * \r\n\r\n\tdisALLOW : /x \t# why", "-/x\n"),
            (b"user-agent:*#\ndisallow:/x#/y", "-/x\n"),
            (b"<p>\n\0\n\xff: \xfe\nwords\n: /\nUser-agent: *\nDisallow: /x\nAllow /x", "-/x\n"),
            (b"User-agent: *\nDisallow:\nAllow: /x-y\nUser-agent: a\nDisallow: /", ""),
            (b"User-agent: *\nDisallow: # all\nDisallow: x\nDisallow: $", ""),
            (b"<!DOCTYPE html>\n<p style=\"a: b\">Disallow: /</p>\nDisallow: /", ""),
        ] {
            let rules = Rules::parse(body, "fetchpages");
            assert_eq!((rules.lines.as_str(), rules.lines.capacity()), (kept, kept.len()));
        }
    }

    #[test]
    fn wikipedia_forbids_fetch_but_not_fetchpages() {
        let rules = rules(
            "\u{feff}# Some bots.\nUser-agent: Fetch\nDisallow: /\n\nUser-agent: wget\nDisallow: /\n
            User-agent: *\nAllow: /w/load.php?\nDisallow: /w/\nDisallow: /trap/\n",
        );
        let allowed = "/ /wiki/India /w/load.php?x /robots.txt /wiki/A/w/ /trap";
        check(&rules, allowed, "/w/index.php?title=X /w/load.php /trap/ /%77/x");
    }

    #[test]
    fn example_of_rfc_9309_section_5_1_holds() {
        let file = b"User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n
            User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n
            User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n
            User-Agent: quxbot";
        let rules = |agent| Rules::parse(file, agent);
        check(&rules("other"), "/a.gif?x /publications/a.gif", "/a.gif /example/page.html");
        check(&rules("foobot"), "/robots.txt /example/page.html /example/allowed.gif", "/ /a.gif");
        check(&rules("bazbot"), "/a.gif /example/", "/example/page.html");
        check(&rules("quxbot"), "/example/page.html", "");
    }

    #[test]
    fn the_longest_pattern_wins_and_allow_wins_a_tie() {
        check_table(
            "Allow/example/page/ Disallow/example/page/x.gif: /example/page/; /example/page/x.gif
            Allow/p Disallow/: /page; /
            Disallow/ Allow/p: /page; /
            Allow/folder Disallow/folder: /folder/page;
            Disallow/folder Allow/folder: /folder/page;
            Allow/page Disallow/*.htm: /page; /page.htm
            Allow/page Disallow/*.ph: /page.php5; /a.php5
            Allow/$ Disallow/: /; /page.htm
            Allow/*b* Disallow/é: /b; /éb",
        );
    }

    #[test]
    fn patterns_match_as_google_documents() {
        check_table(
            "Disallow/: /robots.txt; / /a ?x
            Disallow/*: /robots.txt; / /a
            Disallow/$: /a /?x; /
            Disallow/fish: /Fish /catfish /?id=fish; /fish /fish.html /fish/a /fishes /fish.php?id=1
            Disallow/fish*: /Fish /catfish /d/fish; /fish /fish.html /fishes/a.html /fish.php?id=1
            Disallow/fish/: /fish /fish.html /animals/fish/ /Fish/; /fish/ /fish/?id=1 /fish/a.htm
            Disallow/*.php: / /windows.PHP; /a.php /f/a.php?x /f/any.php.html /a.php/
            Disallow/*.php$: /a.php?x /a.php/ /a.php5 /windows.PHP; /a.php /f/a.php
            Disallow/fish*.php: /Fish.PHP /f.php; /fish.php /fishheads/a.php?x",
        );
    }

    #[test]
    fn escapes_are_compared_in_one_spelling() {
        check_table(
            "Disallow/b?u=http://a.b: /b?u=http%3A%2F%2Fa.b; /b?u=http://a.b
            Disallow/b?u=http%3a%2F%2fa.b: /b?u=http://a.b; /b?u=http%3A%2f%2Fa.b
            Disallow/ツ%e3%83%84: /ツ /%E3%83%84; /ツツ /%E3%83%84ツ /%e3%83%84%e3%83%84
            Disallow/%62%61%7A: /BAZ; /baz /%62az
            Disallow/a%2Fb: /a/b; /a%2fb
            Disallow/file-%2A.html: /file-x.html; /file-*.html /file-%2a.html
            Disallow/foo-%24: /foo-; /foo-$ /foo-$x /foo-%24
            Disallow/a$b$$: /a /a$b$x; /a$b$
            Disallow/a|{b: /ab; /a%7C%7bb /a|{b
            Disallow/100%: /100; /100% /100%x",
        );
    }

    #[test]
    fn the_largest_sound_crawl_delay_of_the_group_counts() {
        for (body, millis) in [
            ("User-agent: *\nCrawl-delay: 0\nDisallow: /\nCrawl-delay: .5 # s", Some(500)),
            ("User-agent: *\nCrawl-delay: 10\nUser-agent: *\nCrawl-delay: 0.4", Some(10_000)),
            ("User-agent: *\nCrawl-delay: 99999999999999999999999999999", Some(3_600_000)),
            ("User-agent: a\nCrawl-delay: 9\nUser-agent: *\nDisallow: /", None),
            ("User-agent: *\nCrawl-delay: 9\nUser-agent: fetchpages\nDisallow: /", None),
        ] {
            assert_eq!(rules(body).crawl_delay(), millis.map(Duration::from_millis), "{body}");
        }
        let garbage = ["*", "-1", "+1", "NaN", "inf", "1e3", "", ".", "1.2.3", "1,5", "10s", "٣"];
        let body = "Crawl-delay: 9\nUser-agent: ".to_owned() + &garbage.join("\nCrawl-delay: ");
        assert_eq!(rules(&body).crawl_delay(), None);
    }

    #[test]
    fn a_line_that_the_limit_tears_is_dropped() {
        let head = "User-agent: *\nDisallow: /y\n";
        for (rule_end, after, kept) in [
            (BODY_LIMIT - 1, "", "-/y\n-/x\n"),
            (BODY_LIMIT, "\nDisallow: /z", "-/y\n-/x\n"),
            (BODY_LIMIT, "", "-/y\n"),
            (BODY_LIMIT, "y/\n", "-/y\n"),
            (BODY_LIMIT + 1, "\n", "-/y\n"),
        ] {
            let padding = "#".repeat(rule_end - head.len() - "\nDisallow: /x".len());
            let body = [head, &padding, "\nDisallow: /x", after].concat();
            assert_eq!(rules(&body).lines, kept, "{rule_end} {after}");
        }
        assert_eq!(rules(&"x".repeat(BODY_LIMIT + 1)), Rules::ALLOW_ALL);
    }

    #[test]
    fn a_mark_of_utf_16_says_how_a_file_is_read() {
        type Units = fn(u16) -> [u8; 2];
        let text = "User-agent: *\r\nDisallow: /é\r\nDisallow: /x";
        let read = |text: &str, units: Units| {
            let body: Vec<u8> = text.encode_utf16().flat_map(units).collect();
            Rules::parse(&body, "fetchpages").lines
        };
        for units in [u16::to_le_bytes as Units, u16::to_be_bytes] {
            assert_eq!(read(&format!("\u{feff}{text}"), units), "-/%C3%A9\n-/x\n");
            assert_eq!(read(text, units), "", "without a mark it is no text");
            // The limit is one for what was received: two octets for each unit.
            let padding = "#".repeat(BODY_LIMIT / 2 - text.encode_utf16().count() - 2);
            let long = format!("\u{feff}{padding}\n{text}");
            assert_eq!(read(&long, units), "-/%C3%A9\n", "the last line may be torn");
            assert_eq!(read(&format!("{long}y"), units), "-/%C3%A9\n");
            assert_eq!(read(&long.replacen('#', "", 1), units), "-/%C3%A9\n-/x\n");
        }
        assert_eq!(Rules::parse(b"\xff\xfeU", "fetchpages"), Rules::ALLOW_ALL);
    }

    #[test]
    fn too_much_searching_is_a_no() {
        let hostile = format!("User-agent: *\n{}", "Disallow:*a*a*a*b\n".repeat(28_000));
        let (short, long) = (format!("/{:a<100}", ""), format!("/{:a<8000}", ""));
        check(&rules(&hostile), &short, &long);
        assert!(!forbids("*a*a*a*b", &long));
        assert!(rules(&hostile.replace(":*", ":/x*")).allows(&long));
    }

    /// The meaning of a pattern, by trying every length for every wildcard.
    fn naive(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', after @ ..] => (0..=path.len()).any(|length| naive(after, &path[length..])),
            [octet, after @ ..] => path.first() == Some(octet) && naive(after, &path[1..]),
        }
    }

    /// Normalises a text of `/ab*$%`, in which all escapes are of octets above 127.
    fn encoded(text: &str) -> String {
        let upper = |text: String, hex: &str| text.replace(hex, &hex.to_uppercase());
        ["%aa", "%ab", "%ba", "%bb"].into_iter().fold(text.replace('$', "%24"), upper)
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(9309), failure_persistence: None,
            cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn any_octets_are_read(head in "(user-agent:\\*\ndisallow:/)?", body: Vec<u8>, path: String) {
            let body = [head.as_bytes(), &body].concat();
            let _unknown: bool = Rules::parse(&body, "fetchpages").allows(&path);
        }

        #[test]
        fn line_ends_key_case_and_truncation_do_not_matter(
            lines in prop::collection::vec(("user-agent|disallow|allow|crawl-delay|x",
                "fetchpages|\\*|[/*$%a-c]{1,5}|[0-9]"), 0..12), cut: prop::sample::Index,
        ) {
            let file = |end: &str, key: fn(&str) -> String| -> String {
                lines.iter().map(|(name, value)| [&key(name), ": ", value, end].concat()).collect()
            };
            let plain = file("\n", str::to_owned);
            for end in ["\r\n", "\r", " # x\n\n"] {
                prop_assert_eq!(rules(&plain), rules(&file(end, str::to_uppercase)));
            }
            let _unknown: bool = rules(&plain[..cut.index(plain.len() + 1)]).allows("/a");
        }

        #[test]
        fn matching_agrees_with_trying_all(rule in "[/*][ab/*$%]{0,8}", path in "/[ab/*$%]{0,10}") {
            let (body, end) = rule.strip_suffix('$').map_or((&*rule, ""), |body| (body, "$"));
            let spelled = encoded(&path).replace('*', "%2A");
            let expected = naive((encoded(body) + end).as_bytes(), spelled.as_bytes());
            prop_assert_eq!(forbids(&rule, &path), expected);
        }

        #[test]
        fn a_prefix_forbids_all_behind_it(prefix in "/[a-zé0-9/?&=._~-]{0,8}", rest: String) {
            let path = prefix.clone() + &rest;
            prop_assert_eq!(forbids(&prefix, &path), path != "/robots.txt");
        }
    }
}
