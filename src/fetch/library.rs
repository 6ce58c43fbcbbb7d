//! Every option of the HTTP library, decided for this job.
//!
//! Its defaults are made for programs that talk to one well-kept service. Here any
//! server of the web may answer, and a page that a browser shows is to be saved.
//!
//! Requests that `tunnel` sends go through the layer below the library, which gets the
//! same options here.
//!
//! | option | value | reason |
//! |---|---|---|
//! | decoding of bodies | none (features left out) | the body is kept as received; decoding is CPU work for `page` |
//! | cookies | none (feature left out) | a page's cookies last for its own redirects, see `cookies` |
//! | headers of all requests | none | `sender` adds them: the library takes one value of each |
//! | redirects, referer | off | each hop asks the queue, and names nobody |
//! | retries | never | the queue retries; what was not worked on is sent again by `exchange` |
//! | proxies of the system | off | `cli` reads the variables |
//! | tunnels through proxies asked in HTTP | ours | the library takes no answer to CONNECT but a short `200`, see `tunnel` |
//! | timeouts | none | each phase has a limit of its own: connecting in `connect`, the rest in `exchange` |
//! | resolver | ours | typed errors, a limit, a memory, the guard of `--untrusted` |
//! | addresses of a name | one at a time | `connect` gives each its share of the time |
//! | TLS | preconfigured | one session cache and one verifier for all clients |
//! | idle connections | 30 s, any number | bounded by the requests in flight, and by `pool` over many hosts |
//! | TCP keep-alive | 15 s, 15 s, 3 probes | finds dead peers while a body is awaited |
//! | TCP user timeout | `--read-timeout` | what is sent and not acknowledged by then is lost |
//! | Nagle's algorithm | off | a request is one small packet |
//! | local address, interface | the system's | no flag asks for another |
//! | HTTP/0.9 answers | refused | a body without a head tells nothing of its end |
//! | title case of names | off | servers take any case (RFC 9110, 5.1) |
//! | folded lines | read | a MUST for clients (RFC 9112, 5.2) |
//! | spaces before the colon | read | browsers and curl do |
//! | lines that are no fields | passed over | browsers do |
//! | number of lines | 100, then 16,384 | the size of the head is the limit, see `head`; room for very many lines costs, and is made for a host when it turns out to send them: that request is sent again |
//! | HTTP/2 head | 768 KiB as it counts | three times the limit in `head`, which is thus the one that is met and told; the default of 16 kB is less than servers send |
//! | HTTP/2 windows | 2 MiB a stream, fixed | the library's own: enough for 200 Mbit/s at 80 ms |
//! | HTTP/2 window of a connection | the largest | a page that is held back would hold back the others |
//! | HTTP/2 frames | 16 KiB | larger ones delay the small ones behind them |
//! | HTTP/2 pings | while requests are open | a connection that a NAT forgot costs one time-out |
//! | https only | no | http URLs are asked for |
//! | verbose connections | no | nothing logs here |

use std::time::Duration;

use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::ClientBuilder;

use super::pool::{IDLE_TIMEOUT, Reuse};
use super::{HttpChoice, Options, connect, head};

/// Lines that a head has as a rule, at most. It is the library's own limit, for which it
/// has room on the stack; for any other it makes room with each answer.
const USUAL_FIELDS: Option<usize> = None;
/// The most lines that a head of the largest size is taken to have. The library's map
/// of fields has room for 24,576.
const MAX_FIELDS: Option<usize> = Some(16 * 1024);
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
const TCP_KEEPALIVE_PROBES: u32 = 3;
/// The windows of HTTP/2, in bytes.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
const FRAME_SIZE: u32 = 16 * 1024;
/// HTTP/2 counts 32 bytes for each field (RFC 9113, 6.5.2), so that this many are fewer
/// than the library's map has room for.
const HEADER_LIST: u32 = 3 * head::SIZE_LIMIT;
/// Pings are no closer than this: a server answers them beside its work.
const LEAST_PING: Duration = Duration::from_millis(250);

/// The time between pings: silence for half of the time, then as long without an answer.
fn ping(options: &Options) -> Duration {
    (options.read_timeout / 2).max(LEAST_PING)
}

/// How many lines a head may have.
const fn fields(reuse: Reuse) -> Option<usize> {
    match reuse {
        Reuse::Pooled | Reuse::Never => USUAL_FIELDS,
        Reuse::PooledManyFields => MAX_FIELDS,
    }
}

/// How many idle connections to a host are kept.
const fn idle(reuse: Reuse) -> usize {
    match reuse {
        Reuse::Pooled | Reuse::PooledManyFields => usize::MAX,
        Reuse::Never => 0,
    }
}

/// Sets what is set for every client of the library.
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

/// The same for the layer below: what is done with a connection.
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
        // Whether HTTP/2 is spoken is settled within TLS otherwise.
        .http2_only(options.http == HttpChoice::Http2);
    if let Some(fields) = fields(reuse) {
        builder.http1_max_headers(fields);
    }
    builder
}

/// The same for the layer below: how the connection is made.
pub(super) fn configure_tcp<R>(tcp: &mut HttpConnector<R>, options: &Options) {
    // TLS is put around it.
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(connect::time_for_addresses(options.connect_timeout)));
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TCP_KEEPALIVE));
    tcp.set_keepalive_interval(Some(TCP_KEEPALIVE));
    tcp.set_keepalive_retries(Some(TCP_KEEPALIVE_PROBES));
    tcp.set_tcp_user_timeout(Some(options.read_timeout));
}
