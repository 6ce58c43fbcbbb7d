//! How pages are requested.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::values::{self, Size};
use crate::fetch;
use crate::fetch::client as fetch_client;
use crate::queue::retry;
use crate::secret::Secret;

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
