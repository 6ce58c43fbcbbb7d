//! The arguments of `links`, `verify` and `origin`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{HttpArgs, LayoutArgs, SourceArgs};
use crate::cli::values::{self, Size};
use crate::origin;

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
