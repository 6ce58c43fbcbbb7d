//! The embedded site in a child process, so that the figures of a run are its own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use url::Url;

/// A running site; it ends with this value, or with this process.
pub(super) struct Demo {
    child: Child,
    /// Its index.
    pub(super) index: Url,
}

impl Demo {
    /// Starts the site at a distance of `latency` and waits until it serves.
    pub(super) fn start(latency: Duration) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let mut child = Command::new(program)
            .args(["origin", "--until-stdin-ends", "--latency"])
            .arg(format!("{}ms", latency.as_secs_f64() * 1000.0))
            // The site ends when this pipe does, whatever becomes of this process.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the download, which still needs the site for a moment.
            .process_group(0)
            .spawn()
            .context("failed to start the embedded site")?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out)
                .read_line(&mut line)
                .context("failed to hear from the embedded site")?;
        }
        let index = line.trim().strip_prefix(super::origin::SERVING).map(Url::parse);
        let mut demo = Self { child, index: Url::parse("http://127.0.0.1/")? };
        if let Some(Ok(index)) = index {
            demo.index = index;
            return Ok(demo);
        }
        anyhow::bail!("the embedded site did not start")
    }

    fn stop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself now; only a broken system could make this fail.
        let _ = self.child.wait();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stop();
    }
}
