//! Where pages come from.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use regex::Regex;

use super::kinds;
use crate::cli::values;
use crate::source::links::{DEFAULT_ATTRIBUTE, DEFAULT_SELECTOR};
use crate::source::spec::{self, Words};

/// The source of the pages; a run has one kind of source.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    /// Pages of sites that exist already.
    pub named: NamedArgs,
    /// Fetch the 233 pages of the embedded site
    ///
    /// fetchpages starts a small web site on this machine and fetches the site's index of countries
    /// and the page of each country. This needs no network and ignores the proxies of the
    /// environment.
    ///
    /// Example: `fetchpages --demo --mode threads --workers 32`
    #[arg(long, group = "kind")]
    pub demo: bool,
    /// Delay the answers of the embedded site by this time
    ///
    /// The site waits for this time once for each new connection and once for each request. Needs
    /// --demo. The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages --demo --latency 20ms`
    #[arg(long, hide_short_help = true, value_name = "TIME", requires = "demo", conflicts_with_all = kinds::excluded_by("--latency"), default_value = values::duration_text(spec::DEFAULT_LATENCY), value_parser = values::duration)]
    pub latency: Duration,
    /// CPU time to spend on each page of the embedded site, about
    ///
    /// The site makes each page longer, so that decoding, hashing and saving it takes about this
    /// time on a CPU of 2025: 1 ms makes it longer by about 220 kB. At most 200ms. The unit is ms,
    /// s, m or h; a bare number means seconds. Needs --demo.
    ///
    /// Example: `fetchpages --demo --cpu-per-page 5ms`
    #[arg(long, hide_short_help = true, value_name = "TIME", requires = "demo", conflicts_with_all = kinds::excluded_by("--cpu-per-page"), default_value = "0ms", value_parser = values::page_cost)]
    pub cpu_per_page: Duration,
}

/// Pages by their addresses, and the filters for them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct NamedArgs {
    /// Pages to fetch
    ///
    /// Each URL needs its scheme, http or https. Put quotes around a URL with `&` or `?`. For many
    /// URLs, write them to a file and use --input-file.
    ///
    /// Example: `fetchpages https://example.org/a 'https://example.org/b?id=1&lang=en'`
    #[arg(value_name = "URL", group = "kind")]
    pub urls: Vec<String>,
    /// Read URLs from FILE, one per line; - for stdin
    ///
    /// FILE may be gzipped. Blank lines and lines that begin with # are skipped. fetchpages reports
    /// a line that is not a URL, counts it as invalid, and continues; the exit code is then 3. With
    /// --column, FILE is a table.
    ///
    /// Example: `fetchpages -i urls.txt -o out`
    #[arg(short, long, value_name = "FILE", group = "kind")]
    pub input_file: Option<PathBuf>,
    /// Read the URLs from this column of FILE, a table
    ///
    /// The ending of FILE sets the format: .csv, .tsv or .tab, .jsonl, .jl, .ndjson or .jsonlines,
    /// .json. Every other ending, and standard input, means CSV. --input-format replaces the
    /// ending. In JSON, NAME is a member of each object. Names are case-sensitive.
    ///
    /// Example: `fetchpages -i pages.csv --column link -o out`
    #[arg(long, value_name = "NAME", requires = "input_file", conflicts_with_all = kinds::excluded_by("--column"))]
    pub column: Option<String>,
    /// Format of FILE [default: by its ending, or text without --column]
    ///
    /// The formats csv and tsv need --column; text has no columns.
    ///
    /// Example: `jq -c '.items[]' dump.json | fetchpages -i - --input-format jsonl --column url`
    #[arg(long, hide_short_help = true, value_name = "FORMAT", requires = "input_file", conflicts_with_all = kinds::excluded_by("--input-format"))]
    pub input_format: Option<InputFormat>,
    /// Fetch the pages that this page links to
    ///
    /// Choose the links with --select. An index in a local FILE also needs --base. The index itself
    /// is not saved, and the links of the fetched pages are not followed. robots.txt rules apply to
    /// the links: see --robots.
    ///
    /// Example: `fetchpages --index https://example.org/contents.html --select 'main a'`
    #[arg(long, value_name = "URL|FILE", group = "kind")]
    pub index: Option<String>,
    /// CSS selector of links
    ///
    /// Selects the elements of the index that are links: `a` selects all links, `main a` the links
    /// in the element `main`. The default fits Wikipedia's list of countries and the embedded site,
    /// so that every other index needs --select. `fetchpages links` prints what a selector finds.
    ///
    /// Example: `fetchpages links --index https://example.org/contents.html --select 'ul.toc a'`
    #[arg(long, value_name = "CSS", default_value = DEFAULT_SELECTOR, conflicts_with_all = kinds::excluded_by("--select"))]
    pub select: String,
    /// Attribute of the selected elements that holds the URL
    ///
    /// Use it for elements that are not links, such as images. Upper and lower case are equal.
    ///
    /// Example: `fetchpages --index https://example.org/ --select 'img.large' --attr src`
    #[arg(long, hide_short_help = true, value_name = "NAME", default_value = DEFAULT_ATTRIBUTE, conflicts_with_all = kinds::excluded_by("--attr"))]
    pub attr: String,
    /// URL to which the links of an index in a FILE are relative
    ///
    /// Needed with --index FILE. It is the URL from which FILE was saved. A `<base href>` in FILE
    /// is resolved against it.
    ///
    /// Example: `fetchpages --index saved.html --base https://example.org/ --select 'main a'`
    #[arg(long, hide_short_help = true, value_name = "URL", requires = "index", conflicts_with_all = kinds::excluded_by("--base"))]
    pub base: Option<String>,
    /// Fetch the pages of a sitemap or a feed
    ///
    /// Reads a sitemap, a sitemap index with all its parts, an RSS or Atom feed, or a plain list of
    /// URLs, gzipped or not. The dates in it (`<lastmod>`) are not read. robots.txt rules apply to
    /// the pages: see --robots.
    ///
    /// Example: `fetchpages --sitemap https://example.org/sitemap.xml --include '/blog/'`
    #[arg(long, value_name = "URL", group = "kind")]
    pub sitemap: Option<String>,
    /// Fetch only the URLs that match; repeatable
    ///
    /// REGEX may match any part of the URL; a URL with a query ends in the query. With several
    /// --include, a URL needs to match only one of them. All other URLs are counted as filtered.
    ///
    /// Example: `fetchpages -i urls.txt --include '/docs/.*[.]pdf$'`
    #[arg(long, value_name = "REGEX")]
    pub include: Vec<Regex>,
    /// Skip the URLs that match; repeatable
    ///
    /// REGEX may match any part of the URL. A URL that matches both --include and --exclude is
    /// skipped. Skipped URLs are counted as filtered.
    ///
    /// Example: `fetchpages -i urls.txt --exclude '[?]print='`
    #[arg(long, value_name = "REGEX")]
    pub exclude: Vec<Regex>,
    /// Fetch at most N pages
    ///
    /// Counts pages after the filters and without duplicates, also those that --resume skips.
    /// fetchpages stops reading a list or a sitemap after the last of them.
    ///
    /// Example: `fetchpages -i urls.txt --limit 10`
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

impl SourceArgs {
    /// Returns the options of a source as words; the options of other kinds have their defaults.
    pub(crate) fn words(&self) -> Words {
        // All fields are named, so that the compiler finds a new option that is missing here.
        let Self { named, demo, latency, cpu_per_page } = self;
        let mut words = named.words();
        if *demo {
            words.add_switch("--demo");
        }
        words.add("--latency", values::duration_text(*latency));
        words.add("--cpu-per-page", values::duration_text(*cpu_per_page));
        words
    }
}

impl NamedArgs {
    /// Returns the options of a source that exists already, as words.
    pub(crate) fn words(&self) -> Words {
        let Self {
            urls,
            input_file,
            column,
            input_format,
            index,
            select,
            attr,
            base,
            sitemap,
            // These narrow sources of every kind.
            include: _,
            exclude: _,
            limit: _,
        } = self;
        let mut words = Words::default();
        words.add_all("", urls);
        words.add_all("--input-file", input_file);
        words.add_all("--column", column);
        if let Some(format) = input_format.and_then(|format| format.to_possible_value()) {
            words.add("--input-format", format.get_name());
        }
        words.add_all("--index", index);
        words.add("--select", select);
        words.add("--attr", attr);
        words.add_all("--base", base);
        words.add_all("--sitemap", sitemap);
        words
    }
}

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// One URL per line
    Text,
    /// Comma-separated values; the first row names the columns
    Csv,
    /// Tab-separated values; the first row names the columns
    Tsv,
    /// One JSON object per line; without --column one JSON string per line
    Jsonl,
    /// A JSON array of objects; without --column an array of strings
    Json,
}
