//! How pages are requested.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::values::{self, Size};
use crate::fetch;
use crate::fetch::options;
use crate::queue::retry;
use crate::secret::Secret;

/// The options of requests; `compare` passes all of them on to its runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(crate) struct HttpArgs {
    /// User-Agent header [default: fetchpages/VERSION (CONTACT)]
    ///
    /// The product in TEXT is also the name under which fetchpages looks up robots.txt rules: with
    /// `FooBot/2.0` the rules for `FooBot` apply.
    ///
    /// Example: `fetchpages -i urls.txt -A 'FooBot/2.0 (https://example.org/bot)'`
    #[arg(short = 'A', long, hide_short_help = true, value_name = "TEXT")]
    pub user_agent: Option<String>,
    /// Your mail address or web page, for server owners
    ///
    /// The contact becomes part of the User-Agent header, so that the owner of a server can reach
    /// you. Wikimedia's sites refuse requests without it. --user-agent replaces it. The default is
    /// the value of the environment variable `FETCHPAGES_CONTACT`.
    ///
    /// Example: `fetchpages --contact you@example.org`
    #[arg(long, value_name = "MAIL|URL", env = "FETCHPAGES_CONTACT", hide_env = true)]
    pub contact: Option<String>,
    /// Another header, 'Name: value'; repeatable
    ///
    /// A header whose name shows that it carries a secret, such as Authorization or X-Api-Key, is
    /// sent only where --user is sent; for the pages of a list this needs --credentials-for or
    /// --header-for. All other headers are sent to every host.
    ///
    /// Example: `fetchpages -i urls.txt -H 'Accept-Language: de' -H 'Cache-Control: no-cache'`
    #[arg(short = 'H', long, value_name = "LINE")]
    pub header: Vec<Secret<String>>,
    /// Cookies, 'name=value; name=value'
    ///
    /// Cookies are secrets: they are sent only where --user is sent; for the pages of a list this
    /// needs --credentials-for. Give the cookies themselves: fetchpages reads no file of cookies.
    ///
    /// Example: `fetchpages https://example.org/a -b 'session=123; lang=en'`
    #[arg(short = 'b', long, hide_short_help = true, value_name = "COOKIES")]
    pub cookie: Option<Secret<String>>,
    /// User name and password for servers
    ///
    /// They are sent to the origins (scheme, host and port) of the URLs that you type: arguments,
    /// --index, --base and --sitemap. They are not sent to the hosts that a list or the record of
    /// an earlier run names: see --credentials-for. Other users of this machine can read a command
    /// line.
    ///
    /// Example: `fetchpages --index https://example.org/ --select a --user 'me:secret'`
    #[arg(short = 'u', long, value_name = "NAME:PASSWORD")]
    pub user: Option<Secret<String>>,
    /// Send --user, --cookie and secret headers to this origin too; repeatable
    ///
    /// The origin is the scheme, host and port of URL. This option is needed for the pages of a
    /// list (-i), and for pages on other origins than that of the index. After a redirect from an
    /// origin that gets no secrets, they are sent only below the folder of URL.
    ///
    /// Example: `fetchpages -i urls.txt -u me:secret --credentials-for https://example.org/`
    #[arg(long, hide_short_help = true, value_name = "URL")]
    pub credentials_for: Vec<String>,
    /// Send secret headers, and only these, to this host too; repeatable
    ///
    /// HOST may have a port; without it, HOST means the default port of the scheme. The headers are
    /// sent over https; over http only when a URL that you typed is an http one.
    ///
    /// Example: `fetchpages -i urls.txt -H 'X-Api-Key: 123' --header-for api.example.org`
    #[arg(long, hide_short_help = true, value_name = "HOST")]
    pub header_for: Vec<String>,
    /// Proxy, or a file of proxies to use in turn
    ///
    /// The schemes are http, https, socks5 (fetchpages resolves names) and socks5h (the proxy
    /// resolves names). A FILE has one proxy per line: each request takes the next one, and a proxy
    /// that fails is not used for a while. The environment variable `no_proxy` lists hosts that
    /// need no proxy. Without this option, `http_proxy`, `https_proxy` and `all_proxy` apply; ''
    /// means no proxy.
    ///
    /// Example: `fetchpages -i urls.txt --proxy socks5h://127.0.0.1:9050`
    #[arg(short = 'x', long, value_name = "URL|@FILE")]
    pub proxy: Option<Secret<String>>,
    /// Time limit for opening a connection
    ///
    /// Covers name lookup, TCP and TLS. If a name has several addresses, each of them gets a share
    /// of this time. The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages -i urls.txt --connect-timeout 3s`
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = values::duration_text(options::DEFAULT_CONNECT_TIMEOUT), value_parser = values::limit)]
    pub connect_timeout: Duration,
    /// Time limit for silence before or within an answer
    ///
    /// The clock starts when the request is sent and starts again with each byte of the answer. The
    /// unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages -i urls.txt --read-timeout 10s`
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = values::duration_text(options::DEFAULT_READ_TIMEOUT), value_parser = values::limit)]
    pub read_timeout: Duration,
    /// Time limit for one attempt at a page
    ///
    /// Covers connection, request and the whole answer. Waiting for memory (--max-memory) does not
    /// count. The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages -i urls.txt --max-time 30s`
    #[arg(short = 'm', long, hide_short_help = true, value_name = "TIME", default_value = values::duration_text(options::DEFAULT_MAX_TIME), value_parser = values::limit)]
    pub max_time: Duration,
    /// Try a page again at most N times
    ///
    /// fetchpages tries again, after a random pause that grows, when the failure may pass:
    /// timeouts, failed and broken connections, incomplete bodies, and the statuses 408, 425, 429,
    /// 500, 502, 503 and 504. A 429, and a 503 with Retry-After, count as an attempt only after ten
    /// in a row. 0 means one attempt.
    ///
    /// Example: `fetchpages -i urls.txt --retry 5`
    #[arg(long, value_name = "N", default_value_t = retry::DEFAULT_RETRIES)]
    pub retry: u32,
    /// Size limit of a page
    ///
    /// The limit applies to the body as received and to the decoded body. A larger page fails with
    /// the code too-large. The unit is B, kB, MB, GB, KiB, MiB or GiB; a bare number means bytes.
    ///
    /// Example: `fetchpages -i urls.txt --max-size 10MB`
    #[arg(long, hide_short_help = true, value_name = "SIZE", default_value_t = Size(options::DEFAULT_MAX_SIZE), value_parser = values::size)]
    pub max_size: Size,
    /// Follow at most N redirects for one page
    ///
    /// A page with more redirects fails with the code redirects. With 0, each redirect is a
    /// failure.
    ///
    /// Example: `fetchpages -i urls.txt --max-redirs 0`
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = options::DEFAULT_MAX_REDIRECTS)]
    pub max_redirs: u32,
    /// Version of HTTP
    ///
    /// HTTP/2 needs https. Through an HTTP proxy, http URLs always use HTTP/1.1.
    ///
    /// Example: `fetchpages -i urls.txt --http 1.1`
    #[arg(long, hide_short_help = true, value_name = "VERSION", default_value = "auto")]
    pub http: Http,
    /// Whether robots.txt rules apply
    ///
    /// A page that the rules exclude is recorded with the state robots, which is not a failure.
    ///
    /// Example: `fetchpages -i urls.txt --robots obey`
    #[arg(long, value_name = "CHOICE", default_value = "auto")]
    pub robots: Robots,
    /// Trust only the certificate authorities in this PEM file
    ///
    /// The default is to trust the certificate authorities of the system. FILE may also hold one
    /// self-signed certificate.
    ///
    /// Example: `fetchpages https://intranet.example/ --cacert ca.pem`
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Do not verify TLS certificates (insecure)
    ///
    /// Any server can then claim to be any other server. To accept a server with a certificate of
    /// your own, use --cacert, which is safe.
    ///
    /// Example: `fetchpages https://localhost:8443/a --insecure`
    #[arg(short = 'k', long, conflicts_with = "cacert")]
    pub insecure: bool,
    /// Connect to public addresses only
    ///
    /// Use it for lists whose URLs come from people that you do not trust.
    ///
    /// It blocks private, shared, loopback, link-local and other special addresses: for pages,
    /// index and sitemap, and after each redirect. Such a page fails with the code blocked. Only a
    /// socks5 proxy is allowed, because it receives addresses instead of names.
    ///
    /// Example: `fetchpages -i from-users.txt --untrusted`
    #[arg(long)]
    pub untrusted: bool,
}

/// The version of HTTP.
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

/// Whether robots.txt rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Robots {
    /// Apply to the links of an index or a sitemap, not to URLs that you list
    Auto,
    /// Always
    Obey,
    /// Never
    Ignore,
}
