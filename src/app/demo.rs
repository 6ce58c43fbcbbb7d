//! Runs the embedded site in a child process, so that CPU and memory of a run are its own.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use url::Url;

use crate::source::spec::DemoSite;

/// The port, when it is free. A second run then finds the same addresses, and the names of the
/// first run.
const FAVOURITE_PORT: u16 = 8233;

/// A running site. It ends when this value is dropped or this process ends.
pub(super) struct DemoProcess(Child);

impl DemoProcess {
    /// Starts the site, waits until it serves, and returns it with the address of its index.
    pub(super) fn start(site: &DemoSite) -> anyhow::Result<(Self, Url)> {
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, FAVOURITE_PORT)).is_ok();
        let start_at = |port| Self::start_at(port, site);
        if is_free && let Ok(started) = start_at(FAVOURITE_PORT) {
            return Ok(started);
        }
        // Another process has the port, or took it just now.
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
            // The site ends when this pipe closes, however this process ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C must not reach the site: the download needs it until its pages end.
            .process_group(0)
            .spawn()
            .context("failed to start the embedded site")?;
        let mut demo = Self(child);
        let mut line = String::new();
        if let Some(out) = demo.0.stdout.take() {
            let read = BufReader::new(out).read_line(&mut line);
            read.context("failed to read the address of the embedded site")?;
        }
        let index = line.trim().strip_prefix(super::origin::SERVING);
        let index = index.and_then(|index| Url::parse(index).ok());
        Ok((demo, index.context("the embedded site did not start")?))
    }
}

impl Drop for DemoProcess {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // The site ends by itself now. Waiting for it cannot fail on a working system.
        let _ = self.0.wait();
    }
}
