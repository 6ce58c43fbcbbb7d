//! What ends a run from outside: Ctrl-C and SIGTERM, of which the first ends it
//! cleanly and the second at once, and its deadline.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Status;
use crate::queue::{Queue, StopReason};

/// What pages in flight get to end by themselves: with [`SAME_SIGNAL`], two seconds.
const GRACE: Duration = Duration::from_millis(1_800);

/// Signals that come so close together are one.
const SAME_SIGNAL: Duration = Duration::from_millis(200);

/// Watches for signals from now on, on a thread of its own, until the process
/// ends. `on_first` is called at the first, before the queue is closed. When
/// `deadline` has passed, the run ends without waiting for pages in flight.
///
/// # Errors
///
/// When the system gives no thread or no signal handler.
pub(super) fn watch(
    queue: Arc<Queue>,
    deadline: Option<Duration>,
    on_first: impl Fn() + Send + 'static,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (interrupt, terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = handle(interrupt, terminate, &queue, &on_first) => (),
                () = expire(deadline, &queue) => (),
            }
        });
    })?;
    Ok(())
}

/// Watches for signals from now on, on a thread of its own, until the process
/// ends: the first, which may also be that of a closed terminal, calls `stop`, the
/// second ends the process at once.
///
/// # Errors
///
/// When the system gives no thread or no signal handler.
pub(super) fn watch_for_stop(stop: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        let kinds = (SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup());
        (signal(kinds.0)?, signal(kinds.1)?, signal(kinds.2)?)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = next(&mut interrupt, &mut terminate) => (),
                _ = hangup.recv() => (),
            }
            stop();
            pass_repeated(&mut interrupt, &mut terminate).await;
            next(&mut interrupt, &mut terminate).await;
        });
        end_at_once();
    })?;
    Ok(())
}

/// Ends the process at once when standard input ends: whoever held it is gone.
///
/// # Errors
///
/// When the system gives no thread.
pub(super) fn end_with_input() -> std::io::Result<()> {
    std::thread::Builder::new().name("input".into()).spawn(|| {
        // Whether it ends or breaks makes no difference.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        end_at_once();
    })?;
    Ok(())
}

/// Ends the run when its time is over; and then goes on for ever, so that signals
/// are still watched for.
async fn expire(deadline: Option<Duration>, queue: &Queue) {
    if let Some(deadline) = deadline {
        tokio::time::sleep(deadline).await;
        queue.abort(StopReason::Deadline);
    }
    std::future::pending::<()>().await;
}

async fn handle(mut interrupt: Signal, mut terminate: Signal, queue: &Queue, on_first: &impl Fn()) {
    next(&mut interrupt, &mut terminate).await;
    on_first();
    queue.close(StopReason::Interrupted);
    pass_repeated(&mut interrupt, &mut terminate).await;
    if tokio::time::timeout(GRACE, next(&mut interrupt, &mut terminate)).await.is_err() {
        queue.abort(StopReason::Interrupted);
        next(&mut interrupt, &mut terminate).await;
    }
    end_at_once();
}

/// Lets signals pass that belong to the first: some programs, timeout(1) among them,
/// send one to a process and at once again to its group.
async fn pass_repeated(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::time::sleep(SAME_SIGNAL).await;
    while next(interrupt, terminate).now_or_never().is_some() {}
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
    }
}

/// The user asked twice. The manifest is whole up to its last line as it is.
#[expect(clippy::exit, reason = "a second signal ends the process wherever its threads are")]
pub(super) fn end_at_once() {
    std::process::exit(i32::from(Status::Interrupted as u8));
}
