//! What can be typed: the flags in groups. The documentation comments are the help texts.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use regex::Regex;

use super::compare::CompareArgs;
use super::values::{self, Rate, Size};
use crate::config::{DEFAULT_DEMO_LATENCY, Workers};
use crate::fetch::client as fetch_client;
use crate::model::FailureCode;
use crate::queue::limit::FailureLimit;
use crate::queue::retry;
use crate::save::key::Layout;
use crate::secret::Secret;
use crate::source::links::{DEFAULT_ATTRIBUTE, DEFAULT_SELECTOR};
use crate::work::page_work::CHILD_ARGUMENT;
use crate::{exec, fetch, origin, save};

/// Save every page that an index or a list names, with the concurrency model you choose
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "Without a source, the index is Wikipedia's list of countries by population. \
                  --demo needs no network."
)]
pub struct Cli {
    /// What to do instead of downloading
    #[command(subcommand)]
    pub command: Option<Subcommands>,
    #[command(flatten)]
    /// The main job
    pub download: DownloadArgs,
}

/// The other jobs
#[derive(Debug, Subcommand)]
pub enum Subcommands {
    /// Print the plan, one `file<TAB>url` line per page; fetch no page
    Links(Box<LinksArgs>),
    /// Run modes side by side, by default all against the embedded site, and say which one wins and why
    Compare(Box<CompareArgs>),
    /// Check a finished download against its manifest, offline
    Verify(VerifyArgs),
    /// Serve the embedded site on 127.0.0.1
    Origin(OriginArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page, of the program or of one of its commands
    Man {
        /// The command, such as compare
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
    /// Be a worker process of --mode processes
    #[command(hide = true, name = CHILD_ARGUMENT)]
    Child,
}

/// The arguments of a download
#[derive(Debug, Args)]
pub struct DownloadArgs {
    #[command(flatten)]
    /// Where pages come from
    pub source: SourceArgs,
    #[command(flatten)]
    /// How they are run
    pub running: RunningArgs,
    #[command(flatten)]
    /// How they are asked for
    pub http: HttpArgs,
    #[command(flatten)]
    /// Where they go
    pub output: OutputArgs,
    #[command(flatten)]
    /// What to do about those of earlier runs
    pub again: AgainArgs,
    #[command(flatten)]
    /// What is told
    pub telling: TellingArgs,
}

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

/// How pages are run
#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub struct RunningArgs {
    /// The concurrency model
    #[arg(long, default_value = exec::DEFAULT_MODE)]
    pub mode: Mode,
    /// Pages in flight at most; auto finds while running how many each host is best asked for at a time [default: sequential 1, threads 16, rayon and processes one a CPU, async and hybrid 64]
    #[arg(short = 'j', long, value_name = "N|auto", value_parser = values::workers)]
    pub workers: Option<Workers>,
    /// Open requests at a time for each host [default: as --workers, with auto at most 64, else 16; no limit on loopback; known sites' own limits]
    #[arg(long, value_name = "N")]
    pub per_host: Option<NonZeroU32>,
    /// Requests for each host, such as 20/s or 100/m, or none [default: none; known sites' own limits]
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub rate: Option<Rate>,
    /// Stop when the run has taken this long; --resume goes on from there
    #[arg(long, value_name = "TIME", value_parser = values::limit)]
    pub deadline: Option<Duration>,
    /// Stop when more than N pages have failed, or more than P percent of those that are done, from the hundredth on; --resume goes on from there
    #[arg(long, value_name = "N|P%", value_parser = values::failure_limit)]
    pub max_failures: Option<FailureLimit>,
    /// Memory for the bodies of all pages in flight, encoded and decoded; pages wait for it, and one alone always gets --max-size [default: half of what is free]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub max_memory: Option<Size>,
    /// Be a run of `compare`: end when standard input does, and follow no redirect to another host
    #[arg(long, hide = true)]
    pub compared: bool,
}

/// How pages are asked for
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// The User-Agent header [default: fetchpages/VERSION (CONTACT)]
    #[arg(short = 'A', long, value_name = "TEXT")]
    pub user_agent: Option<String>,
    /// Who runs this, for the User-Agent: a mail address or a web page
    #[arg(long, value_name = "MAIL|URL", env = "FETCHPAGES_CONTACT", hide_env_values = true)]
    pub contact: Option<String>,
    /// Another header for every request, `Name: value`; repeatable. One whose name says that it carries a secret goes where --user goes
    #[arg(short = 'H', long, value_name = "LINE")]
    pub header: Vec<Secret<String>>,
    /// Cookies, `name=value; name=value`
    #[arg(short = 'b', long, value_name = "COOKIES")]
    pub cookie: Option<Secret<String>>,
    /// User name and password for servers, `name:password`; sent to the origins of URLs that are typed, see --credentials-for
    #[arg(short = 'u', long, value_name = "NAME:PASSWORD")]
    pub user: Option<Secret<String>>,
    /// Send --user, --cookie and -H fields with secrets to this URL's origin too, whoever names it; repeatable. By default they go to the origins of URLs that are typed
    #[arg(long, value_name = "URL")]
    pub credentials_for: Vec<String>,
    /// Send -H fields with secrets to this host too, over https, or over http when a URL that is typed is one; repeatable
    #[arg(long, value_name = "HOST")]
    pub header_for: Vec<String>,
    /// Ask through this proxy (http, https, socks5, socks5h) or through those in FILE in turn; '' for none [default: what the environment names]
    #[arg(short = 'x', long, value_name = "URL|@FILE")]
    pub proxy: Option<Secret<String>>,
    /// Limit for opening a connection: name, TCP and TLS
    #[arg(long, value_name = "TIME", default_value = values::duration_text(fetch_client::DEFAULT_CONNECT_TIMEOUT), value_parser = values::limit)]
    pub connect_timeout: Duration,
    /// Limit for silence before or within an answer
    #[arg(long, value_name = "TIME", default_value = values::duration_text(fetch_client::DEFAULT_READ_TIMEOUT), value_parser = values::limit)]
    pub read_timeout: Duration,
    /// Limit for one attempt at a page
    #[arg(short = 'm', long, value_name = "TIME", default_value = values::duration_text(fetch_client::DEFAULT_MAX_TIME), value_parser = values::limit)]
    pub max_time: Duration,
    /// Attempts after the first, for failures that may pass
    #[arg(long, value_name = "N", default_value_t = retry::DEFAULT_RETRIES)]
    pub retry: u32,
    /// The largest page, on the wire and decoded
    #[arg(long, value_name = "SIZE", default_value_t = Size(fetch_client::DEFAULT_MAX_SIZE), value_parser = values::size)]
    pub max_size: Size,
    /// Redirects followed for one page
    #[arg(long, value_name = "N", default_value_t = fetch_client::DEFAULT_MAX_REDIRECTS)]
    pub max_redirs: u32,
    /// The version of HTTP
    #[arg(long, value_name = "VERSION", default_value = "auto")]
    pub http: Http,
    /// Keep robots.txt rules; auto: for links that an index or a sitemap named
    #[arg(long, value_name = "CHOICE", default_value = "auto")]
    pub robots: Robots,
    /// Trust the authorities in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Trust any server
    #[arg(short = 'k', long, conflicts_with = "cacert")]
    pub insecure: bool,
    /// Refuse addresses that are not of the public internet, such as private ones and loopback, on every redirect too
    #[arg(long)]
    pub untrusted: bool,
}

/// Where pages go
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The directory for the pages and their manifest
    #[arg(short, long, value_name = "DIR", default_value = save::DEFAULT_OUTPUT)]
    pub output: PathBuf,
    #[command(flatten)]
    /// Names in it
    pub layout: LayoutArgs,
    /// Fetch, decode and hash, and keep the manifest only
    #[arg(long)]
    pub no_save: bool,
}

/// What to do about the pages of earlier runs into the same place
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Earlier runs (without a source, the addresses of the last run are taken)"
)]
pub struct AgainArgs {
    /// Skip what is saved and still there with its size
    #[arg(short = 'c', long, group = "again")]
    pub resume: bool,
    /// Fetch only pages that failed, with one of these codes (as in the manifest, separated by commas) or with any; what was interrupted has not failed, and is for --resume
    #[arg(long, value_name = "CODES", group = "again", num_args = 0..=1, require_equals = true, value_delimiter = ',', hide_possible_values = true)]
    pub retry_failed: Option<Vec<CodeArg>>,
    /// Ask the servers of saved pages whether they have changed, and keep what has not
    #[arg(short = 'N', long, group = "again")]
    pub update: bool,
}

/// How names are arranged
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct LayoutArgs {
    /// How names are arranged
    #[arg(long, default_value = "flat")]
    pub layout: LayoutArg,
}

/// What is told
#[derive(Debug, Args)]
#[command(next_help_heading = "Telling")]
pub struct TellingArgs {
    /// Print the summary as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with_all = ["json", "verbose"])]
    pub quiet: bool,
    /// Tell every page
    #[arg(short, long)]
    pub verbose: bool,
    /// Progress on standard error; auto is a bar on a terminal, else a line every few seconds
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub progress: ProgressArg,
    /// Draw who waited and who computed when into FILE.json, for ui.perfetto.dev and the like
    #[arg(long, value_name = "FILE.json")]
    pub trace: Option<PathBuf>,
}

/// The arguments of `links`
#[derive(Debug, Args)]
pub struct LinksArgs {
    #[command(flatten)]
    /// Where pages come from
    pub source: SourceArgs,
    #[command(flatten)]
    /// How an index is asked for
    pub http: HttpArgs,
    #[command(flatten)]
    /// Names
    pub layout: LayoutArgs,
    /// Print a JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The output directory of the download
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// Print the URLs to fetch again, and nothing else
    #[arg(long)]
    pub list: bool,
}

/// The arguments of `origin`
#[derive(Debug, Args)]
pub struct OriginArgs {
    /// The port on 127.0.0.1; 0 for any that is free
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_PORT)]
    pub port: u16,
    /// Wait so long before each answer, and once for each new connection
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = values::duration)]
    pub latency: Duration,
    /// Work on so many answers at a time; further requests wait for their turn, so that latency grows with their number and throughput does not [default: any number]
    #[arg(long, value_name = "N")]
    pub capacity: Option<NonZeroU32>,
    /// Send each connection's bodies at this rate, in bytes a second [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub bandwidth: Option<Size>,
    /// Articles that the index lists
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_PAGES)]
    pub pages: usize,
    /// Make articles longer, so that decoding, hashing and saving one takes about this much of a CPU of 2025, at most 200ms
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = values::page_cost)]
    pub cpu_per_page: Duration,
    /// What the text is drawn from
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_SEED)]
    pub seed: u64,
    /// Serve HTTPS with HTTP/2; the certificate's authority is written to a file
    #[arg(long)]
    pub tls: bool,
    /// Have this share of answers go wrong, drawn from the seed; repeatable. For each attempt: 503, 429, 429-retry-after, reset, cut, stall, h2-reset-no-error, partial-206, folded-header, refused-stream. For each page, for good: redirect-loop, endless, bad-gzip, wrong-length, drip. For each connection: stale-connection, slow-accept
    #[arg(long, value_name = "KIND:PERCENT")]
    pub fault: Vec<origin::FaultShare>,
    /// End when standard input does: how `--demo` sees to it that nothing is left behind
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

/// A row of the executors' table, by its name
#[derive(Debug, Clone, Copy)]
pub struct Mode(pub &'static exec::Row);

impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        static MODES: std::sync::LazyLock<Vec<Mode>> =
            std::sync::LazyLock::new(|| exec::TABLE.iter().map(Mode).collect());
        &MODES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name).help(self.0.about))
    }
}

/// A class of failures, by its code
#[derive(Debug, Clone, Copy)]
pub struct CodeArg(pub FailureCode);

impl ValueEnum for CodeArg {
    fn value_variants<'a>() -> &'a [Self] {
        const CODES: &[CodeArg] = &{
            let mut codes = [CodeArg(FailureCode::Dns); FailureCode::ALL.len()];
            let mut number = 0;
            while number < codes.len() {
                codes[number] = CodeArg(FailureCode::ALL[number]);
                number += 1;
            }
            codes
        };
        CODES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()))
    }
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

/// The version of HTTP
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Http {
    /// HTTP/2 where the server offers it, else HTTP/1.1
    Auto,
    /// HTTP/1.1 only
    #[value(name = "1.1")]
    Http1,
    /// HTTP/2 only
    #[value(name = "2")]
    Http2,
}

impl From<Http> for fetch::HttpChoice {
    fn from(typed: Http) -> Self {
        match typed {
            Http::Auto => Self::Auto,
            Http::Http1 => Self::Http1,
            Http::Http2 => Self::Http2,
        }
    }
}

/// Whether robots rules are kept
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Robots {
    /// For links that an index or a sitemap named, not for URLs that the user listed
    Auto,
    /// Always
    Obey,
    /// Never
    Ignore,
}

/// How names are arranged
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LayoutArg {
    /// The last part of the path, all in one directory
    Flat,
    /// Host, then path
    Tree,
    /// A hash, in 65,536 directories: for millions of pages
    Hash,
}

impl From<LayoutArg> for Layout {
    fn from(typed: LayoutArg) -> Self {
        match typed {
            LayoutArg::Flat => Self::Flat,
            LayoutArg::Tree => Self::Tree,
            LayoutArg::Hash => Self::Hash,
        }
    }
}

/// How progress looks
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// A bar on a terminal, else plain
    Auto,
    /// A bar
    Bar,
    /// A line every few seconds
    Plain,
    /// Nothing
    None,
}
