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
    /// Print a JSON object a line
    ///
    /// Example: `fetchpages links --demo --json | jq -r .url`
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Output directory of the download
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// Print only the URLs to fetch again
    ///
    /// These are the pages whose file is missing or differs from its record.
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
    /// The program prints the address of the index when it is ready.
    ///
    /// Example: `fetchpages origin --port 8080`
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_PORT)]
    pub port: u16,
    /// Delay of each answer and of each new connection
    ///
    /// The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages origin --latency 60ms`
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = values::duration)]
    pub latency: Duration,
    /// Answers in progress at a time, at most [default: any number]
    ///
    /// Each answer takes the latency. Further requests wait for their turn, so that beyond N
    /// requests the latency grows and the throughput does not.
    ///
    /// Example: `fetchpages origin --latency 20ms --capacity 16`
    #[arg(long, value_name = "N")]
    pub capacity: Option<NonZeroU32>,
    /// Bytes per second of each connection's bodies [default: no limit]
    ///
    /// The unit is B, kB, MB, GB, KiB, MiB or GiB.
    ///
    /// Example: `fetchpages origin --bandwidth 1MB`
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub bandwidth: Option<Size>,
    /// Articles that the index lists
    ///
    /// Example: `fetchpages origin --pages 10000`
    #[arg(long, value_name = "N", default_value_t = origin::DEFAULT_PAGES)]
    pub pages: usize,
    /// CPU time that an article costs its reader, about
    ///
    /// The site makes its articles longer, by about 220 kB for each millisecond, so that decoding,
    /// hashing and saving one takes about this time on a CPU of 2025. At most 200ms.
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
    /// The certificate's authority is written to a file, whose path is printed: give it to
    /// --cacert.
    ///
    /// Example: `fetchpages origin --tls --port 8443`
    #[arg(long)]
    pub tls: bool,
    /// Make this share of the answers go wrong; repeatable
    ///
    /// For each attempt: 503, 429, 429-retry-after, reset, cut, stall, h2-reset-no-error,
    /// partial-206, folded-header, refused-stream.
    ///
    /// For each page, every time: redirect-loop, endless, bad-gzip, wrong-length, drip.
    ///
    /// For each connection: stale-connection, slow-accept.
    ///
    /// The faults h2-reset-no-error and refused-stream need HTTP/2 (--tls), folded-header needs
    /// HTTP/1.1; over the other version the answer is right.
    ///
    /// Example: `fetchpages origin --fault 503:20 --fault cut:13`
    #[arg(long, value_name = "KIND:PERCENT")]
    pub fault: Vec<origin::FaultShare>,
    /// End when standard input ends, so that `--demo` leaves no process behind
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}
