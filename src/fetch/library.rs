//! Every option of the HTTP library, decided for this job.
//!
//! The library's defaults are for programs that talk to one well-kept service. Here any
//! server of the web may answer, and every page that a browser shows should be saved.
//!
//! The requests of `tunnel` go through the layer below the library, which gets the same
//! options.
//!
//! | option | value | reason |
//! |---|---|---|
//! | decoding of bodies | none (features left out) | the body stays as received; decoding is CPU work for `page` |
//! | cookies | none (feature left out) | a page's cookies last for its own redirects, see `cookies` |
//! | headers of all requests | none | `sender` adds them: the library takes one value of each |
//! | redirects, referer | off | each hop asks the queue, and sends no `Referer` |
//! | retries | never | the queue retries; `exchange` repeats requests that the server did not work on |
//! | proxies of the system | off | `cli` reads the variables |
//! | tunnels through HTTP proxies | ours | the library accepts only a short `200` as the answer to CONNECT, see `tunnel` |
//! | timeouts | none | each phase has a limit of its own: connecting in `connect`, the rest in `exchange` |
//! | resolver | ours | typed errors, a limit, a cache, the guard of `--untrusted` |
//! | addresses of a name | one at a time | `connect` gives each its share of the time |
//! | TLS | preconfigured | one session cache and one verifier for all clients |
//! | idle connections | 30 s, any number | bounded by the requests in flight, and by `pool` over many hosts |
//! | TCP keep-alive | 15 s, 15 s, 3 probes | finds dead peers while a body is awaited |
//! | TCP user timeout | `--read-timeout` | data that is not acknowledged by then is lost |
//! | Nagle's algorithm | off | a request is one small packet |
//! | local address, interface | the system's | no flag asks for another |
//! | HTTP/0.9 answers | refused | without a head the end of a body is unknown |
//! | title case of names | off | servers take any case (RFC 9110, 5.1) |
//! | folded lines | read | a MUST for clients (RFC 9112, 5.2) |
//! | spaces before the colon | read | browsers and curl do |
//! | lines that are not fields | ignored | browsers do |
//! | number of lines | 100, then 16,384 | the size of the head is the limit, see `head`; room for very many lines costs time, so a host gets it only after it sent too many lines, and that request is sent again |
//! | HTTP/2 head | 768 KiB as it counts | three times the limit in `head`, so that the latter is reached first and reported; servers send more than the default of 16 kB |
//! | HTTP/2 windows | 2 MiB a stream, fixed | the library's own: enough for 200 Mbit/s at 80 ms |
//! | HTTP/2 window of a connection | the largest | otherwise a page that waits for memory would stop the others |
//! | HTTP/2 frames | 16 KiB | larger ones delay the small ones behind them |
//! | HTTP/2 pings | while requests are open | finds a connection that a NAT dropped after one timeout |
//! | https only | no | http URLs are fetched too |
//! | verbose connections | no | the program has no such log |

use std::time::Duration;

use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::ClientBuilder;

use super::http_choice::HttpChoice;
use super::options::Options;
use super::reuse::{IDLE_TIMEOUT, Reuse};
use super::{connect, head};

/// The usual limit of lines in a head. It is the library's own, for which it has room on
/// the stack; for any other it allocates room for each answer.
const USUAL_FIELDS: Option<usize> = None;
/// The largest number of lines in a head. The library's map of fields has room for
/// 24,576.
const MAX_FIELDS: Option<usize> = Some(16 * 1024);
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
const TCP_KEEPALIVE_PROBES: u32 = 3;
/// The windows of HTTP/2, in bytes.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
const FRAME_SIZE: u32 = 16 * 1024;
/// HTTP/2 counts 32 bytes for each field (RFC 9113, 6.5.2), so a list of this size has
/// fewer fields than the library's map has room for.
const HEADER_LIST: u32 = 3 * head::SIZE_LIMIT;
/// The shortest time between pings, because a server answers them beside its work.
const LEAST_PING: Duration = Duration::from_millis(250);

/// Returns the time between pings: a ping follows half of the read timeout without data,
/// and its answer may take the other half.
fn ping(options: &Options) -> Duration {
    (options.read_timeout / 2).max(LEAST_PING)
}

/// Returns the largest number of lines in a head.
const fn fields(reuse: Reuse) -> Option<usize> {
    match reuse {
        Reuse::Pooled | Reuse::Never => USUAL_FIELDS,
        Reuse::PooledManyFields => MAX_FIELDS,
    }
}

/// Returns the largest number of idle connections to a host.
const fn idle(reuse: Reuse) -> usize {
    match reuse {
        Reuse::Pooled | Reuse::PooledManyFields => usize::MAX,
        Reuse::Never => 0,
    }
}

/// Sets the options of every client of the library.
pub(super) fn configure(builder: ClientBuilder, options: &Options, reuse: Reuse) -> ClientBuilder {
    let builder = builder
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .no_proxy()
        .connection_verbose(false)
        .https_only(false)
        .connect_timeout(connect::time_for_addresses(options.connect_timeout))
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(idle(reuse))
        .tcp_nodelay(true)
        .tcp_keepalive(TCP_KEEPALIVE)
        .tcp_keepalive_interval(TCP_KEEPALIVE)
        .tcp_keepalive_retries(TCP_KEEPALIVE_PROBES)
        .tcp_user_timeout(options.read_timeout)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_adaptive_window(false)
        .http2_max_frame_size(FRAME_SIZE)
        .http2_max_header_list_size(HEADER_LIST)
        .http2_keep_alive_interval(ping(options))
        .http2_keep_alive_timeout(ping(options))
        .http2_keep_alive_while_idle(false);
    let builder = match fields(reuse) {
        Some(fields) => builder.http1_max_headers(fields),
        None => builder,
    };
    match options.http {
        HttpChoice::Auto => builder,
        HttpChoice::Http1 => builder.http1_only(),
        HttpChoice::Http2 => builder.http2_prior_knowledge(),
    }
}

/// Sets the same options of the layer below: those of using a connection.
pub(super) fn configure_below(options: &Options, reuse: Reuse) -> legacy::Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(idle(reuse))
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_adaptive_window(false)
        .http2_max_frame_size(FRAME_SIZE)
        .http2_max_header_list_size(HEADER_LIST)
        .http2_keep_alive_interval(ping(options))
        .http2_keep_alive_timeout(ping(options))
        .http2_keep_alive_while_idle(false)
        // In all other cases TLS settles the protocol.
        .http2_only(options.http == HttpChoice::Http2);
    if let Some(fields) = fields(reuse) {
        builder.http1_max_headers(fields);
    }
    builder
}

/// Sets the same options of the layer below: those of opening a connection.
pub(super) fn configure_tcp<R>(tcp: &mut HttpConnector<R>, options: &Options) {
    // TLS is added around it.
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(connect::time_for_addresses(options.connect_timeout)));
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TCP_KEEPALIVE));
    tcp.set_keepalive_interval(Some(TCP_KEEPALIVE));
    tcp.set_keepalive_retries(Some(TCP_KEEPALIVE_PROBES));
    tcp.set_tcp_user_timeout(Some(options.read_timeout));
}
