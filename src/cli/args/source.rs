//! Where pages come from.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use regex::Regex;

use crate::cli::values;
use crate::config::DEFAULT_DEMO_LATENCY;
use crate::source::links::{DEFAULT_ATTRIBUTE, DEFAULT_SELECTOR};

/// Where pages come from; one kind at a time
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub struct SourceArgs {
    #[command(flatten)]
    /// Sites that are there already
    pub named: NamedArgs,
    /// Fetch the embedded site's index and its 233 pages; needs no network
    #[arg(long, group = "kind")]
    pub demo: bool,
    /// How far away the embedded site is: counts for each new connection and each request
    #[arg(long, value_name = "TIME", requires = "demo", conflicts_with_all = ["urls", "input_file", "index", "sitemap"], default_value = values::duration_text(DEFAULT_DEMO_LATENCY), value_parser = values::duration)]
    pub latency: Duration,
    /// Make the embedded site's pages longer, so that decoding, hashing and saving one takes about this much of a CPU of 2025, at most 200ms
    #[arg(long, value_name = "TIME", requires = "demo", conflicts_with_all = ["urls", "input_file", "index", "sitemap"], default_value = "0ms", value_parser = values::page_cost)]
    pub cpu_per_page: Duration,
}

/// Pages by their addresses, and which of them
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub struct NamedArgs {
    /// Fetch these pages
    #[arg(value_name = "URL", group = "kind")]
    pub urls: Vec<String>,
    /// Read one URL a line from FILE, `-` for standard input, gzipped or not
    #[arg(short, long, value_name = "FILE", group = "kind")]
    pub input_file: Option<PathBuf>,
    /// Take the URLs from this column: FILE is then CSV, TSV, JSON lines or a JSON array by its ending (standard input: CSV)
    #[arg(long, value_name = "NAME", requires = "input_file", conflicts_with_all = ["urls", "index", "sitemap"])]
    pub column: Option<String>,
    /// What FILE is, whatever its ending [default: by the ending, and text without --column]
    #[arg(long, value_name = "FORMAT", requires = "input_file", conflicts_with_all = ["urls", "index", "sitemap"])]
    pub input_format: Option<InputFormat>,
    /// Fetch the links of this page; a FILE wants --base
    #[arg(long, value_name = "URL|FILE", group = "kind")]
    pub index: Option<String>,
    /// Which elements of the index are links
    #[arg(long, value_name = "CSS", default_value = DEFAULT_SELECTOR, conflicts_with_all = ["urls", "input_file", "sitemap"])]
    pub select: String,
    /// Which attribute of them holds the address
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ATTRIBUTE, conflicts_with_all = ["urls", "input_file", "sitemap"])]
    pub attr: String,
    /// What the links of an index in a FILE are relative to
    #[arg(long, value_name = "URL", requires = "index", conflicts_with_all = ["urls", "input_file", "sitemap"])]
    pub base: Option<String>,
    /// Fetch the pages of a sitemap, a sitemap index or a feed, gzipped or not
    #[arg(long, value_name = "URL", group = "kind")]
    pub sitemap: Option<String>,
    /// Only pages whose URL matches; repeatable, one match is enough
    #[arg(long, value_name = "REGEX")]
    pub include: Vec<Regex>,
    /// No pages whose URL matches; repeatable
    #[arg(long, value_name = "REGEX")]
    pub exclude: Vec<Regex>,
    /// At most this many pages
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// A format of lists
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// One URL a line
    Text,
    /// Comma-separated values; the first row names the columns
    Csv,
    /// Tab-separated values; the first row names the columns
    Tsv,
    /// A JSON object a line; without --column a JSON text a line
    Jsonl,
    /// A JSON array of objects; without --column of texts
    Json,
}
