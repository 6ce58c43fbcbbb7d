//! `fetchpages origin`: the embedded site, served until it is stopped.

use std::io::Read;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Status;
use super::print;
use crate::origin::{Options, Origin};

/// What stands before the index's address in the first line of output.
pub(super) const SERVING: &str = "serving ";

pub(super) fn run(options: &Options, until_stdin_ends: bool) -> anyhow::Result<Status> {
    let origin = Origin::start(options)?;
    let mut told = format!("{SERVING}{}\n", origin.index_url());
    if let Some(authority) = origin.certificate_pem() {
        let name = format!("fetchpages-origin-{}.pem", origin.addr().port());
        let path = std::env::temp_dir().join(name);
        #[expect(clippy::disallowed_methods, reason = "a certificate is no page")]
        std::fs::write(&path, authority)
            .with_context(|| format!("failed to write the certificate to {}", path.display()))?;
        told += &format!("trust it with --cacert {}\n", path.display());
    }
    print(&told)?;
    if until_stdin_ends {
        // Whether it ends or breaks: whoever held it is gone.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
    } else {
        wait_for_signal().context("failed to wait for a signal")?;
    }
    let counters = origin.counters();
    if !until_stdin_ends {
        let (requests, connections) = (counters.requests, counters.connections);
        super::tell(&format!(
            "{requests} requests on {connections} connections, at most {} at a time\n",
            counters.open_peak
        ));
    }
    Ok(Status::Done)
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
