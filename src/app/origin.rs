//! `fetchpages origin`: serves the embedded site until it is stopped.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Status;
use super::terminal::{print, report_line};
use crate::origin::{Options, Origin};
use crate::printable::Printable;

/// The text before the address of the index in the first line of output.
pub(super) const SERVING: &str = "serving ";

pub(super) fn run(options: &Options, until_stdin_ends: bool) -> anyhow::Result<Status> {
    let origin = Origin::start(options)?;
    let mut lines = Printable::line(format_args!("{SERVING}{}", origin.index_url()));
    let _authority;
    if let Some(authority) = origin.certificate_pem() {
        let path = write_authority(authority)?;
        lines.add(format_args!("trust it with --cacert {}", path.display()));
        _authority = RemoveOnExit(path);
    }
    print(&lines)?;
    if until_stdin_ends {
        // An end and an error mean the same: the process at the other end has ended.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
    } else {
        wait_for_signal().context("failed to wait for a signal")?;
    }
    let counters = origin.counters();
    if !until_stdin_ends {
        let (requests, connections) = (counters.requests, counters.connections);
        report_line(format_args!(
            "{requests} requests on {connections} connections, at most {} at a time, {:.2} on \
             average, {} faults",
            counters.open_peak,
            counters.open_mean(),
            counters.faults
        ));
    }
    Ok(Status::Done)
}

/// Writes the certificate to a new file, never to one that another process made.
fn write_authority(pem: &str) -> anyhow::Result<PathBuf> {
    let name = format!("fetchpages-origin-{}.pem", std::process::id());
    let path = std::env::temp_dir().join(name);
    // A killed process with the same number may have left the file; usually there is none.
    let _ = std::fs::remove_file(&path);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut file| file.write_all(pem.as_bytes()));
    written.with_context(|| format!("failed to write the certificate to {}", path.display()))?;
    Ok(path)
}

/// Removes the file when the site ends.
struct RemoveOnExit(PathBuf);

impl Drop for RemoveOnExit {
    fn drop(&mut self) {
        // It does no harm when the file is missing, or cannot be removed.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn wait_for_signal() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
        Ok(())
    })
}
