//! The arguments of `links`, `verify` and `origin`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{HttpArgs, LayoutArgs, SourceArgs};
use crate::cli::values::{self, Size};
use crate::origin;

/// The arguments of `links`.
#[derive(Debug, Args)]
pub(crate) struct LinksArgs {
    #[command(flatten)]
    /// Where pages come from.
    pub source: SourceArgs,
    #[command(flatten)]
    /// How an index or a sitemap is requested.
    pub http: HttpArgs,
    #[command(flatten)]
    /// How files are named.
    pub layout: LayoutArgs,
    /// Print one JSON object per line
    ///
    /// Each object has the keys `file` and `url`. Without --json, each line is `file<TAB>url`.
    ///
    /// Example: `fetchpages links --demo --json | jq -r .url`
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Output directory of the download
    ///
    /// It is the directory of --output, with manifest.jsonl in it.
    ///
    /// Example: `fetchpages verify out`
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// Print only the URLs to fetch again
    ///
    /// These are the pages whose file is missing or differs from its record, and the pages that
    /// failed or were interrupted.
    ///
    /// Example: `fetchpages verify --list out > again.txt; fetchpages -i again.txt -o out`
    #[arg(long)]
    pub list: bool,
}

/// The arguments of `origin`.
#[derive(Debug, Args)]
pub(crate) struct OriginArgs {
    /// Port on 127.0.0.1; 0 takes any free one
    ///
    /// fetchpages prints the URL of the index when the site is ready.
    ///
    /// Example: `fetchpages origin --port 8080`
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_PORT)]
    pub port: u16,
    /// Delay each answer and each new connection by this time
    ///
    /// The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages origin --latency 60ms`
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = values::duration)]
    pub latency: Duration,
    /// Answer at most N requests at a time [default: no limit]
    ///
    /// Each answer takes the time of --latency. Further requests wait, so that with more than N
    /// requests the latency grows and the throughput does not.
    ///
    /// Example: `fetchpages origin --latency 20ms --capacity 16`
    #[arg(long, value_name = "N")]
    pub capacity: Option<NonZeroU32>,
    /// Bytes per second of each connection's bodies [default: no limit]
    ///
    /// The unit is B, kB, MB, GB, KiB, MiB or GiB; a bare number means bytes.
    ///
    /// Example: `fetchpages origin --bandwidth 1MB`
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub bandwidth: Option<Size>,
    /// Articles that the index lists
    ///
    /// The site makes their texts from --seed.
    ///
    /// Example: `fetchpages origin --pages 10000`
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_PAGES)]
    pub pages: usize,
    /// CPU time to spend on each article, about
    ///
    /// The site makes each article longer, so that decoding, hashing and saving it takes about this
    /// time on a CPU of 2025: 1 ms makes it longer by about 220 kB. At most 200ms. The unit is ms,
    /// s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages origin --cpu-per-page 5ms`
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = values::page_cost)]
    pub cpu_per_page: Duration,
    /// Seed of the texts and of the faults
    ///
    /// The same seed gives the same site, byte by byte, and the same faults.
    ///
    /// Example: `fetchpages origin --seed 7`
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_SEED)]
    pub seed: u64,
    /// Serve HTTPS with HTTP/2
    ///
    /// fetchpages writes the certificate of the site's authority to a file and prints the path of
    /// the file: give it to --cacert.
    ///
    /// Example: `fetchpages origin --tls --port 8443`
    #[arg(long)]
    pub tls: bool,
    /// Make this share of the answers go wrong; repeatable
    ///
    /// PERCENT is a number from 0 to 100, such as 0.5. These faults are drawn for each attempt, so
    /// that a later attempt may succeed: 503, 429, 429-retry-after, reset, cut, stall,
    /// h2-reset-no-error, partial-206, folded-header, refused-stream.
    ///
    /// These faults are drawn for each page, and the page has the fault in every attempt:
    /// redirect-loop, endless, bad-gzip, wrong-length, drip.
    ///
    /// These faults are drawn for each connection: stale-connection, slow-accept.
    ///
    /// The faults h2-reset-no-error and refused-stream need HTTP/2 (--tls); folded-header needs
    /// HTTP/1.1. With the other version of HTTP, the answer has no fault.
    ///
    /// Example: `fetchpages origin --fault 503:20 --fault cut:13`
    #[arg(long, value_name = "KIND:PERCENT")]
    pub fault: Vec<origin::FaultShare>,
    /// End when standard input ends, so that `--demo` leaves no process behind
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}
