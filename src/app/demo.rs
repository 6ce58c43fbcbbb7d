//! The embedded site in a child process, so that the figures of a run are its own.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use url::Url;

use crate::source::spec::DemoSite;

/// Taken when it is free, so that a second run finds the same addresses and
/// keeps the names of the first.
const FAVOURITE_PORT: u16 = 8233;

/// A running site; it ends with this value, or with this process.
pub(super) struct DemoProcess(Child);

impl DemoProcess {
    /// Starts the site, waits until it serves, and gives the address of its index
    /// with it.
    pub(super) fn start(site: &DemoSite) -> anyhow::Result<(Self, Url)> {
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, FAVOURITE_PORT)).is_ok();
        let start_at = |port| Self::start_at(port, site);
        if is_free && let Ok(started) = start_at(FAVOURITE_PORT) {
            return Ok(started);
        }
        // Somebody has it, or was quicker.
        start_at(0)
    }

    fn start_at(port: u16, site: &DemoSite) -> anyhow::Result<(Self, Url)> {
        let millis = |time: Duration| format!("{}ms", time.as_secs_f64() * 1000.0);
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let mut command = Command::new(program);
        command
            .args(["origin", "--until-stdin-ends"])
            .args(["--port", &port.to_string(), "--pages", &site.pages.to_string()])
            .args(["--latency", &millis(site.latency)])
            .args(["--cpu-per-page", &millis(site.cpu_per_page)]);
        if let Some(bandwidth) = site.bandwidth {
            command.args(["--bandwidth", &format!("{bandwidth}B")]);
        }
        let child = command
            // The site ends when this pipe does, whatever becomes of this process.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the download, which still needs the site for a moment.
            .process_group(0)
            .spawn()
            .context("failed to start the embedded site")?;
        let mut demo = Self(child);
        let mut line = String::new();
        if let Some(out) = demo.0.stdout.take() {
            let read = BufReader::new(out).read_line(&mut line);
            read.context("failed to hear from the embedded site")?;
        }
        let index = line.trim().strip_prefix(super::origin::SERVING);
        let index = index.and_then(|index| Url::parse(index).ok());
        Ok((demo, index.context("the embedded site did not start")?))
    }
}

impl Drop for DemoProcess {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends by itself now; only a broken system could make this fail.
        let _ = self.0.wait();
    }
}
