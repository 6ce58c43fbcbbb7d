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
    /// The product in TEXT is also the name under which robots.txt rules are looked up: with
    /// `FooBot/2.0` these are the rules for `FooBot`.
    ///
    /// Example: `fetchpages -i urls.txt -A 'FooBot/2.0 (https://example.org/bot)'`
    #[arg(short = 'A', long, hide_short_help = true, value_name = "TEXT")]
    pub user_agent: Option<String>,
    /// Who runs this: a mail address or a web page
    ///
    /// The contact becomes part of the User-Agent header, so that the owner of a server can reach
    /// you. Wikimedia's sites refuse requests without one. --user-agent replaces it. The
    /// default is the value of the environment variable `FETCHPAGES_CONTACT`.
    ///
    /// Example: `fetchpages --contact you@example.org`
    #[arg(long, value_name = "MAIL|URL", env = "FETCHPAGES_CONTACT", hide_env = true)]
    pub contact: Option<String>,
    /// Another header, 'Name: value'; repeatable
    ///
    /// A header whose name says that it carries a secret, such as Authorization or X-Api-Key,
    /// goes only where --user goes. All other headers go to every host.
    ///
    /// Example: `fetchpages -i urls.txt -H 'Accept-Language: de' -H 'X-Api-Key: 123'`
    #[arg(short = 'H', long, value_name = "LINE")]
    pub header: Vec<Secret<String>>,
    /// Cookies, 'name=value; name=value'
    ///
    /// Cookies are secrets: they go only where --user goes. A file of cookies is not supported.
    ///
    /// Example: `fetchpages https://example.org/a -b 'session=123; lang=en'`
    #[arg(short = 'b', long, hide_short_help = true, value_name = "COOKIES")]
    pub cookie: Option<Secret<String>>,
    /// User name and password for servers
    ///
    /// They go to the origins (scheme, host and port) of the URLs that you type: arguments,
    /// --index, --base and --sitemap. They do not go to the hosts that a list or a record names:
    /// see --credentials-for. Other users of this machine can read a command line.
    ///
    /// Example: `fetchpages --index https://example.org/ --select a --user 'me:secret'`
    #[arg(short = 'u', long, value_name = "NAME:PASSWORD")]
    pub user: Option<Secret<String>>,
    /// Send --user, --cookie and secret headers to this origin too; repeatable
    ///
    /// The origin is the scheme, host and port of URL. Needed for the pages of a list (-i), and
    /// for pages on other origins than that of the index. After a redirect from an origin that
    /// gets no secrets, they are sent below the folder of URL only.
    ///
    /// Example: `fetchpages -i urls.txt -u me:secret --credentials-for https://example.org/`
    #[arg(long, hide_short_help = true, value_name = "URL")]
    pub credentials_for: Vec<String>,
    /// Send secret headers, and only these, to this host too; repeatable
    ///
    /// Applies to https, and to http only when a URL that you typed is an http one. Without a
    /// port, the default port of the scheme is meant.
    ///
    /// Example: `fetchpages -i urls.txt -H 'X-Api-Key: 123' --header-for api.example.org`
    #[arg(long, hide_short_help = true, value_name = "HOST")]
    pub header_for: Vec<String>,
    /// Proxy, or a file of proxies to use in turn
    ///
    /// The schemes are http, https, socks5 (fetchpages resolves names) and socks5h (the proxy
    /// resolves names). A FILE has one proxy a line; each request takes the next one, and a proxy
    /// that fails is left out for a while. By default `http_proxy`, `https_proxy`,
    /// `all_proxy` and `no_proxy` of the environment apply; '' means no proxy.
    ///
    /// Example: `fetchpages -i urls.txt --proxy socks5h://127.0.0.1:9050`
    #[arg(short = 'x', long, value_name = "URL|@FILE")]
    pub proxy: Option<Secret<String>>,
    /// Time limit for opening a connection
    ///
    /// Covers name lookup, TCP and TLS. A name with several addresses gives each of them a share.
    /// The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages -i urls.txt --connect-timeout 3s`
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = values::duration_text(options::DEFAULT_CONNECT_TIMEOUT), value_parser = values::limit)]
    pub connect_timeout: Duration,
    /// Time limit for silence before or within an answer
    ///
    /// The clock runs from the moment when the request is sent, and starts anew with each byte of
    /// the answer. The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages -i urls.txt --read-timeout 10s`
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = values::duration_text(options::DEFAULT_READ_TIMEOUT), value_parser = values::limit)]
    pub read_timeout: Duration,
    /// Time limit for one attempt at a page
    ///
    /// Covers connection, request and whole answer. Waiting for memory (--max-memory) does not
    /// count. The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages -i urls.txt --max-time 30s`
    #[arg(short = 'm', long, hide_short_help = true, value_name = "TIME", default_value = values::duration_text(options::DEFAULT_MAX_TIME), value_parser = values::limit)]
    pub max_time: Duration,
    /// Attempts after the first one
    ///
    /// Failures that may pass are tried again after a growing random pause: timeouts, failed and
    /// broken connections, incomplete bodies, and the statuses 408, 425, 429, 500, 502, 503 and
    /// 504. A 429, and a 503 with Retry-After, use no attempt until ten of them in a row. 0 means
    /// no second attempt.
    ///
    /// Example: `fetchpages -i urls.txt --retry 5`
    #[arg(long, value_name = "N", default_value_t = retry::DEFAULT_RETRIES)]
    pub retry: u32,
    /// Largest page
    ///
    /// Applies to the body as received and to the decoded body. A larger page fails with the code
    /// too-large. The unit is B, kB, MB, GB, KiB, MiB or GiB.
    ///
    /// Example: `fetchpages -i urls.txt --max-size 10MB`
    #[arg(long, hide_short_help = true, value_name = "SIZE", default_value_t = Size(options::DEFAULT_MAX_SIZE), value_parser = values::size)]
    pub max_size: Size,
    /// Redirects to follow for one page, at most
    ///
    /// A page with more redirects fails with the code redirects.
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
    /// A page that the rules exclude is recorded as robots and is no failure.
    ///
    /// Example: `fetchpages -i urls.txt --robots obey`
    #[arg(long, value_name = "CHOICE", default_value = "auto")]
    pub robots: Robots,
    /// Trust the authorities in this PEM file, and no others
    ///
    /// By default the system's certificate authorities are trusted. Also takes a single
    /// self-signed certificate.
    ///
    /// Example: `fetchpages https://intranet.example/ --cacert ca.pem`
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Do not verify TLS certificates (insecure)
    ///
    /// Any server may then claim to be any other. --cacert is the safe way to accept a server
    /// with a certificate of your own.
    ///
    /// Example: `fetchpages https://localhost:8443/a --insecure`
    #[arg(short = 'k', long, conflicts_with = "cacert")]
    pub insecure: bool,
    /// Connect to public addresses only
    ///
    /// Use it for lists whose URLs come from people that you do not trust.
    ///
    /// Blocks private, shared, loopback, link-local and other special addresses, for pages, index
    /// and sitemap, and after each redirect. Such a page fails with the code blocked. The only
    /// proxy that is allowed is socks5, which is given addresses instead of names.
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
